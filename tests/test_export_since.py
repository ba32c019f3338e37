"""`export --since last`: what is new or changed, nothing twice, nothing lost, whatever ends it half-way."""

import csv
import io
import json
from pathlib import Path

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import export
from pipelines.errors import ConfigError, LockedError
from pipelines.export.delivered import ENDING, Delivered, memory_of
from pipelines.export.lines import as_tag
from pipelines.lock import run_lock
from pipelines.store import Corpus
from tests.cli_helpers import run_cli, save_pages
from tests.helpers import NOW
from tests.test_export import rows_of

LAST = export.Extras(is_since_last=True)
LINES = ("jsonl", "csv", "text", "markdown")


def give(rows, form, out):
    return export.export_articles(rows, form, out, NOW, LAST)


def titles_of(out, form):
    if form == "jsonl":
        return [json.loads(line)["title"] for line in out.read_text("utf-8").splitlines()]
    if form == "csv":
        return [row["title"] for row in csv.DictReader(io.StringIO(out.read_text("utf-8"), newline=""))]
    marker = "# " if form == "markdown" else "Title"
    lines = out.read_text("utf-8").splitlines()
    return [line.removeprefix("# ") for line in lines if line.startswith(marker)]


def three():
    return rows_of("Title one", "Title two", "Title three")


@pytest.mark.parametrize("form", LINES)
def test_a_file_grows_by_what_is_new(tmp_path, form):
    out, rows = tmp_path / "news.out", three()
    assert give(rows[:2], form, out) == 2
    assert give(rows, form, out) == 1
    assert give(rows, form, out) == 0
    assert titles_of(out, form) == ["Title one", "Title two", "Title three"]


@pytest.mark.parametrize("form", LINES)
def test_a_file_that_grew_is_the_file_written_at_once(tmp_path, form):
    rows = three()
    for some in (rows[:1], rows[:2], rows):
        give(some, form, tmp_path / "grown.out")
    export.export_articles(rows, form, tmp_path / "whole.out", NOW)
    assert (tmp_path / "grown.out").read_bytes() == (tmp_path / "whole.out").read_bytes()


@pytest.mark.parametrize("form", LINES)
def test_what_changed_comes_again(tmp_path, form):
    out, rows = tmp_path / "news.out", three()
    give(rows, form, out)
    assert give([rows[0], rows[1] | {"title": "Title new"}, rows[2] | {"story": 9}], form, out) == 1
    assert titles_of(out, form)[3:] == ["Title new"]


def test_a_file_that_was_deleted_comes_again_whole(tmp_path):
    out, rows = tmp_path / "news.jsonl", three()
    give(rows, "jsonl", out)
    out.unlink()
    assert give(rows, "jsonl", out) == 3


def test_an_export_that_was_killed_before_the_file_had_its_name_loses_nothing(tmp_path, monkeypatch):
    out, rows = tmp_path / "news.jsonl", three()
    give(rows[:1], "jsonl", out)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            give(rows, "jsonl", out)
    assert titles_of(out, "jsonl") == ["Title one"]
    assert give(rows[:1], "jsonl", out) == 0  # and what was noted must not come true when the file grows otherwise
    assert give(rows, "jsonl", out) == 2
    assert titles_of(out, "jsonl") == ["Title one", "Title two", "Title three"]


@pytest.mark.parametrize("form", ["jsonl", "markdown", "dataset"])
def test_half_files_of_a_killed_export_go_and_nothing_else_does(tmp_path, form):
    out = tmp_path / ("news.jsonl" if form == "jsonl" else "news")
    give(three(), form, out)
    place = {"jsonl": tmp_path, "markdown": out, "dataset": out / "data"}[form]
    half = {"jsonl": ".news.jsonl.", "markdown": ".2-title-two.md.", "dataset": ".articles-00001.jsonl."}[form]
    (place / f"{half}a1b2_c3d").touch()
    before = {".other.jsonl.a1b2_c3d", ".my-notes.md", "plain.a1b2_c3d"}
    for name in before:
        (place / name).touch()
    present = {path.name for path in place.iterdir()}
    assert give(three(), form, out) == 0
    assert present - {path.name for path in place.iterdir()} == {f"{half}a1b2_c3d"}


def test_two_exports_to_one_place_do_not_meet(tmp_path):
    out, rows = tmp_path / "news.jsonl", three()
    with run_lock(memory_of(out)), pytest.raises(LockedError):
        give(rows, "jsonl", out)
    with pytest.raises(ConfigError, match="its folder does not exist"):
        give(rows, "jsonl", tmp_path / "none" / "news.jsonl")
    assert not (tmp_path / "none").exists()


def test_a_line_of_the_memory_that_was_cut_off_costs_one_article_twice(tmp_path):
    out, rows = tmp_path / "news.jsonl", three()
    give(rows, "jsonl", out)
    memory = memory_of(out)
    memory.write_bytes(memory.read_bytes()[:-12])
    assert give(rows, "jsonl", out) == 1
    assert give(rows, "jsonl", out) == 0


def test_a_whole_export_to_the_same_place_forgets_what_was_there(tmp_path):
    out, rows = tmp_path / "news.jsonl", three()
    give(rows, "jsonl", out)
    export.export_articles(rows[:1], "jsonl", out, NOW)
    assert not memory_of(out).exists()
    with pytest.raises(ConfigError, match="not made by --since last"):
        give(rows, "jsonl", out)


def test_places_that_cannot_remember_are_refused_in_one_line(tmp_path):
    with pytest.raises(ConfigError, match="nothing is known"):
        give([], "jsonl", Path("-"))
    with pytest.raises(ConfigError, match="a folder for --since last"):
        give([], "parquet", tmp_path / "x.parquet")
    give(three(), "jsonl", tmp_path / "x")
    with pytest.raises(ConfigError, match="--format jsonl"):
        give(three(), "csv", tmp_path / "x")


@pytest.mark.parametrize(("form", "ending"), [("markdown", ".md"), ("text", ".txt")])
def test_a_folder_gets_what_is_new_or_changed_and_keeps_the_rest_untouched(tmp_path, form, ending):
    rows, folder = three(), tmp_path / "notes"
    assert give(rows[:2], form, folder) == 2
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*" + ending)}
    assert give([rows[0], rows[1] | {"title": "Another"}, rows[2]], form, folder) == 2
    names = sorted(path.name for path in folder.glob("*" + ending))
    assert names == [f"1-title-one{ending}", f"2-another{ending}", f"3-title-three{ending}"]
    assert (folder / names[0]).stat().st_mtime_ns == before[names[0]]


def test_a_note_that_was_deleted_or_emptied_comes_again(tmp_path):
    rows = three()
    give(rows, "markdown", tmp_path)
    (tmp_path / "1-title-one.md").unlink()
    (tmp_path / "2-title-two.md").write_bytes(b"")
    assert give(rows, "markdown", tmp_path) == 2


def test_a_feed_grows_at_its_head_and_holds_an_article_once(tmp_path):
    out, rows = tmp_path / "feed.xml", three()
    assert give(rows[:2], "atom", out) == 2
    assert give([rows[0], rows[1] | {"title": "Title new"}, rows[2]], "atom", out) == 2
    feed = feedparser.parse(out.read_bytes())
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == ["Title three", "Title new", "Title one"]
    out.write_text("<html/>", "utf-8")
    with pytest.raises(ConfigError, match="no Atom feed"):
        export.grow_feed(out, rows, NOW)
    assert out.read_text("utf-8") == "<html/>"


def test_a_feed_that_grows_has_an_end(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.export.atom.MAX_GROWN_ENTRIES", 2)
    out, rows = tmp_path / "feed.xml", three()
    for row in rows:
        export.grow_feed(out, [row], NOW)
    assert [entry.title for entry in feedparser.parse(out.read_bytes()).entries] == ["Title three", "Title two"]
    assert give(rows, "atom", tmp_path / "other.xml") == 3
    assert give(rows, "atom", tmp_path / "other.xml") == 0  # what fell off at the end does not come again


@given(st.lists(st.sets(st.integers(0, 5)), max_size=5), st.sampled_from(["jsonl", "csv"]))
@settings(max_examples=25, deadline=None)
def test_however_exports_are_cut_every_article_comes_once(tmp_path_factory, choices, form):
    rows, folder = ROWS, tmp_path_factory.mktemp("since")
    for choice in choices:
        give([rows[number] for number in sorted(choice)], form, folder / "news.out")
    give(rows, form, folder / "news.out")
    assert sorted(titles_of(folder / "news.out", form)) == sorted(row["title"] for row in rows)


ROWS = rows_of(*(f"Title {number}" for number in range(6)))


def test_the_memory_is_small_and_of_lines(tmp_path):
    give(three(), "jsonl", tmp_path / "news.jsonl")
    memory = tmp_path / f".news.jsonl{ENDING}"
    head, *lines = memory.read_text("utf-8").splitlines()
    assert head == "copydesk export 1 jsonl"
    assert len(lines) == 3
    assert all(len(line) < 80 for line in lines)
    assert [row["id"] for row in Delivered(tmp_path / "news.jsonl", "jsonl").news(three())] == []


def test_the_command_gives_what_is_new(tmp_path, capsys):
    db, out = tmp_path / "corpus.db", tmp_path / "notes"
    ingest = ("--db", db, "--quiet")
    run_cli(capsys, "ingest", save_pages(tmp_path / "one", ["eval.html"]), *ingest)
    command = ("export", "--format", "markdown", "--tags", "--since", "last", out, "--db", db)
    assert "1 article written" in run_cli(capsys, *command).err
    run_cli(capsys, "ingest", save_pages(tmp_path / "two", ["law.html", "eval-copy.html"]), *ingest)
    done = run_cli(capsys, *command)
    assert done.code == 0
    assert "1 article written" in done.err
    assert "0 articles written" in run_cli(capsys, *command).err
    assert len(list(out.glob("*.md"))) == 2
    note = next(out.glob("*-evaluations-*.md")).read_text("utf-8")
    with Corpus.open(db, read_only=True) as corpus:
        article = next(row for row in corpus.articles() if row["title"].startswith("Evaluations"))
        topics = corpus.topics_of(article["id"])
    assert topics
    assert f"\ntags: [{', '.join(json.dumps(as_tag(topic)) for topic in topics)}]\n" in note
    assert run_cli(capsys, "export", "--tags", "--db", db).code == 2
