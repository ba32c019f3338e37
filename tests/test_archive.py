"""Archives read side by side: every page once, whatever happens to a file, a worker or the run."""

import gzip
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.archive import engines, settle, task
from pipelines.archive.lists import archives
from pipelines.archive.parts import report_of
from pipelines.config import Config
from pipelines.errors import ConfigError, InputError
from pipelines.workers import prepare_page
from tests.cli_helpers import EVAL_STORY, GADGET_STORY, LAW_STORY, page, run_cli
from tests.test_ingest import rows
from tests.test_inputs import write_warc

PLACES = "select a.url, c.url, a.canonical, a.text_hash from articles a join articles c on c.id = a.cluster order by 1"
STORIES = {"eval": EVAL_STORY, "law": LAW_STORY, "gadget": GADGET_STORY}


@pytest.fixture
def db(tmp_path):
    return tmp_path / "corpus.db"


@pytest.fixture
def here(monkeypatch):
    """Archives read in this process: starting others takes longer than reading these."""

    class Inline:
        def __init__(self, config):
            self.config = config

        def prepare(self, page):
            return SimpleNamespace(result=lambda: prepare_page(page, self.config, frozenset()))

    def inline(tasks, config, jobs):
        for one in reversed(tasks):  # the last is done first
            _, report, saw = engines.attempted((0, one), config)
            yield one, report or engines.failure(one, saw)

    monkeypatch.setattr(task, "preparer", Inline)
    monkeypatch.setitem(engines.ENGINES, "local", inline)


def record(name, story, host="paper.example"):
    body = page(name, story).encode()
    return f"https://{host}/{name}", "200 OK", "text/html; charset=utf-8", body


def bucket(folder, listed=True):
    """Two archives as CC-NEWS has them, with a copy in the second, and the list of the month."""
    month = folder / "crawl-data" / "CC-NEWS" / "2026" / "11"
    month.mkdir(parents=True)
    write_warc(month / "CC-NEWS-20261101-00001.warc.gz", [record(name, story) for name, story in STORIES.items()])
    copies = [record("eval", EVAL_STORY, "wire.example"), record("short", "Too little.", "wire.example")]
    write_warc(month / "CC-NEWS-20261102-00002.warc.gz", copies)
    if listed:
        names = sorted(str(path.relative_to(folder)) for path in month.glob("*.warc.gz"))
        (month / "warc.paths.gz").write_bytes(gzip.compress("\n".join(names).encode()))
    return month


def test_a_list_of_archives_becomes_a_corpus_and_nothing_is_read_twice(db, tmp_path, capsys, here):
    month = bucket(tmp_path)
    done = run_cli(capsys, "ingest", month / "warc.paths.gz", "--db", db, "--json")
    assert (done.code, done.row["pages"], done.row["new"], done.row["copies"]) == (0, 5, 3, 1), done.err
    assert done.row["reasons"] == {"no_article": 1}
    assert rows(db, "select url, stage, reason from rejections") == [
        ("https://wire.example/short", "clean", "no_article")
    ]
    assert len(rows(db, "select * from raw_pages")) == 0, "the pages stay in the archives"
    again = run_cli(capsys, "ingest", month / "warc.paths.gz", "--db", db, "--json")
    assert (again.row["pages"], again.row["skipped"]) == (0, 2)


def test_archives_give_the_articles_that_reading_them_one_by_one_gives(db, tmp_path, capsys, here, monkeypatch):
    monkeypatch.setenv("COPYDESK_CRAWL__WORKERS", "1")
    month = bucket(tmp_path, listed=False)
    run_cli(capsys, "ingest", "--engine", "local", month, "--db", db)
    run_cli(capsys, "ingest", month, "--db", tmp_path / "other.db")
    of_article = "select a.url, t.* from {} t join articles a on a.id = t.article order by 1, 3, 4"
    for query in (PLACES, of_article.format("removed"), of_article.format("relevance_terms")):
        found, expected = rows(db, query), rows(tmp_path / "other.db", query)
        start = 0 if query == PLACES else 2  # the numbers of the articles follow the order of arrival
        assert [row[start:] for row in found] == [row[start:] for row in expected], query


def test_parts_are_made_once_and_anew_when_the_file_or_the_rules_change(db, tmp_path, capsys, here, monkeypatch):
    month, parts = bucket(tmp_path), tmp_path / "parts"
    read = []
    real = task.read_pages

    def counted(path, most):
        read.append(path.name)
        return real(path, most)

    monkeypatch.setattr(task, "read_pages", counted)

    def ingest(name, *more):
        read.clear()
        asked = ("ingest", month / "warc.paths.gz", "--parts", parts, "--db", tmp_path / name, *more)
        assert run_cli(capsys, *asked).code == 0
        return len(read)

    assert ingest("one.db") == 2
    assert ingest("two.db") == 0, "the parts are there"
    assert rows(tmp_path / "one.db", PLACES) == rows(tmp_path / "two.db", PLACES)
    os.utime(month / "CC-NEWS-20261101-00001.warc.gz", (1, 1))
    assert ingest("one.db") == 1
    assert ingest("three.db", "--topical") == 2
    part = next(parts.glob("*00002*.parquet"))
    part.write_bytes(part.read_bytes()[:-9])
    assert report_of(part) is None
    assert ingest("four.db", "--topical") == 1, "half a part is none"


def test_the_next_crawl_recognises_a_copy_of_an_archived_article_that_is_a_copy_itself(db, tmp_path, capsys, here):
    run_cli(capsys, "ingest", bucket(tmp_path) / "warc.paths.gz", "--db", db)
    lines = [{"url": "https://third.example/1", "html": page("Third", EVAL_STORY), "fetched": "2026-05-05T00:00:00Z"}]
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(line) for line in lines))
    done = run_cli(capsys, "ingest", tmp_path / "new.jsonl", "--db", db, "--json")
    assert done.row["copies"] == 1
    assert len(rows(db, "select * from bands where article = (select id from articles where url like '%wire%')")) > 0


def test_of_a_cut_or_broken_archive_what_can_be_read_is_kept_and_told_each_time(db, tmp_path, capsys, here):
    path = bucket(tmp_path) / "CC-NEWS-20261101-00001.warc.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    (path.parent / "CC-NEWS-20261103-00003.warc.gz").write_bytes(b"\x1f\x8bno archive at all")
    done = run_cli(capsys, "ingest", "--engine", "local", path.parent, "--db", db, "--json")
    assert (done.code, done.row["new"], done.row["copies"], done.row["failed"]) == (3, 2, 1, 2)
    assert len(done.err.splitlines()) == 2
    again = run_cli(capsys, "ingest", "--engine", "local", path.parent, "--db", db, "--json")
    assert (again.code, again.row["pages"], again.row["failed"], again.row["skipped"]) == (3, 0, 2, 1)
    path.write_bytes(whole)
    mended = run_cli(capsys, "ingest", "--engine", "local", path.parent, "--db", db, "--json")
    assert (mended.row["new"], mended.row["unchanged"]) == (1, 2)


def test_a_run_killed_while_it_settles_goes_on_behind_what_was_committed(db, tmp_path, capsys, here, monkeypatch):
    month = bucket(tmp_path)
    seen = []

    def interrupted(self, batch):
        seen.append(batch)
        if len(seen) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(settle, "BATCH", 1)
    with monkeypatch.context() as patch:
        patch.setattr(settle.Settling, "_count", interrupted)
        assert run_cli(capsys, "ingest", month / "warc.paths.gz", "--db", db).code == 130
    assert len(rows(db)) == 2
    done = run_cli(capsys, "ingest", month / "warc.paths.gz", "--db", db, "--json")
    assert (done.code, done.row["pages"], done.row["new"], done.row["copies"]) == (0, 3, 1, 1)
    run_cli(capsys, "ingest", month / "warc.paths.gz", "--db", tmp_path / "whole.db")
    assert rows(db, PLACES) == rows(tmp_path / "whole.db", PLACES)


def test_only_pages_with_a_word_of_the_topic_are_parsed(db, tmp_path, capsys, here, monkeypatch):
    month, parsed = bucket(tmp_path), []
    real = task.parcel_of
    monkeypatch.setattr(task, "parcel_of", lambda page, made: parsed.append(page.url) or real(page, made))
    done = run_cli(capsys, "ingest", month / "warc.paths.gz", "--topical", "--db", db, "--json")
    assert (done.row["pages"], done.row["new"], done.row["copies"], done.row["rejected"]) == (5, 2, 1, 2)
    assert done.row["reasons"] == {"no_topic_word": 2}, "headphones, and a page of three words"
    assert len(parsed) == 3
    assert rows(db, "select json_extract(counts, '$.rejected') from runs") == [(2,)]


def test_a_list_finds_its_files_above_and_beside_it_and_tells_of_others(tmp_path):
    month = bucket(tmp_path)
    other = tmp_path / "elsewhere"
    other.mkdir()
    lines = [
        "crawl-data/CC-NEWS/2026/11/CC-NEWS-20261101-00001.warc.gz",
        "",
        "s3/one.warc.gz",
        "../../secret.warc.gz",
        "/etc/passwd",
    ]
    (other / "warc.paths").write_text("\n".join(lines))
    write_warc(other / "one.warc.gz", [record("law", LAW_STORY)])
    found = list(archives([other / "warc.paths", month]))
    errors = [str(one) for one in found if isinstance(one, InputError)]
    names = [one.name for one in found if isinstance(one, Path)]
    assert names == ["CC-NEWS-20261101-00001.warc.gz", "CC-NEWS-20261102-00002.warc.gz", "one.warc.gz"], "each once"
    assert [line.split(": ")[0].rpartition(":")[2] for line in errors] == ["4", "5"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\x1f\x8b\x08broken"])
def test_a_list_that_is_none_is_one_line(tmp_path, content):
    path = tmp_path / ("warc.paths.gz" if content.startswith(b"\x1f") else "warc.paths")
    path.write_bytes(content)
    (only,) = archives([path])
    assert isinstance(only, InputError)


def test_wrong_usage_is_told_in_a_line(db, tmp_path, capsys, here):
    for words in (["-", "--engine", "local"], [tmp_path, "--jobs", "2"]):
        assert run_cli(capsys, "ingest", *words, "--db", db).code == 2
    (tmp_path / "page.html").write_text(page("One", LAW_STORY))
    done = run_cli(capsys, "ingest", tmp_path / "page.html", tmp_path / "absent", "--engine", "local", "--db", db)
    assert (done.code, len([line for line in done.err.splitlines() if line.startswith("copydesk: ")])) == (3, 2)


def test_a_machine_with_another_version_refuses(tmp_path):
    asked = task.Task(
        path=tmp_path / "a.warc.gz", part=tmp_path / "a.parquet", digest="d", version="0.0.1 x y", source="ingest"
    )
    with pytest.raises(ConfigError, match=r"0\.0\.1 x y"):
        task.read_archive(asked, Config())


def test_a_full_disk_costs_its_file_and_leaves_nothing_half(db, tmp_path, capsys, here, monkeypatch):
    month, parts = bucket(tmp_path), tmp_path / "parts"
    real = os.fsync

    def full(number):
        if "00001" in str(Path(f"/proc/self/fd/{number}").readlink()):
            raise OSError(28, "No space left on device")
        real(number)

    monkeypatch.setattr("pipelines.archive.parts.os.fsync", full)
    done = run_cli(capsys, "ingest", month / "warc.paths.gz", "--parts", parts, "--db", db, "--json")
    assert (done.code, done.row["failed"], done.row["new"]) == (3, 1, 1)
    assert "no space left" in done.err
    assert [path.suffix for path in parts.iterdir()] == [".parquet"]
