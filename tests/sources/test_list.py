"""`sources list`, `enable` and `disable`: what they tell, and how the list is written."""

from datetime import UTC, datetime

from pipelines.config import Config


def test_writing_follows_a_link_and_keeps_the_files_mode(desk, here, tmp_path):
    desk.write("paper", "https://paper.example/feed")
    real = desk.list.rename(tmp_path / "real.toml")
    real.chmod(0o640)
    desk.list.symlink_to(real)
    assert here("disable", "paper").code == 0
    assert desk.list.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert desk.tables["paper"]["enabled"] is False


def test_list_needs_no_corpus_and_shows_health_when_there_is_one(desk, here):
    from pipelines.store import Corpus

    desk.write("paper", "https://paper.example/feed", name="신문 하나")
    desk.write("quiet", "https://quiet.example/feed", enabled=False)
    assert here().out == here("list").out
    assert "success" not in here().out
    assert [line.split()[:2] for line in here("--enabled").out.splitlines()[1:]] == [["on", "paper"]]
    with Corpus.open(desk.database, Config(database=str(desk.database)), create=True) as corpus:
        day = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
        corpus.set_source_state("paper", last_success=day, last_new=day, failures=2)
    assert "2026-11-20" in here("list").out
    rows = here("list", "--json").rows
    assert [row["id"] for row in rows] == ["paper", "quiet"]
    assert (rows[0]["failures"], rows[1]["last_success"]) == (2, None)


def test_a_corpus_that_cannot_be_read_does_not_hide_the_list(desk, here):
    desk.write("paper", "https://paper.example/feed")
    desk.database.write_bytes(b"no database at all" * 300)
    done = here("list")
    assert done.code == 0
    assert "paper" in done.out
    assert "no health" in done.err


def test_unknown_sources_and_broken_lists_are_told_in_a_line(desk, here):
    desk.write("paper", "https://paper.example/feed")
    for words in (("enable", "papr"), ("check", "papr")):
        done = here(*words)
        assert (done.code, len(done.err.splitlines())) == (2, 1)
        assert "did you mean paper?" in done.err
    desk.write("broken", "https://b.example/", kind="blog")
    done = here("list")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert 'sources.toml: [broken]: kind: \'blog\', expected one of "feed", "sitemap", "listing"' in done.err
    desk.write("other", "nowhere")
    assert [done.code, len(here("list").err.splitlines())] == [2, 3]
