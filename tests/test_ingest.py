"""Saved pages go in through the same stages as a crawl's, once, whatever happens on the way."""

import gzip
import json

import pytest

from pipelines import batch
from pipelines.batch import Corridor
from pipelines.store import Corpus
from tests.cli_helpers import EVAL_STORY, GADGET_STORY, LAW_STORY, PAGES, page, run_cli, save_pages
from tests.test_inputs import write_warc


@pytest.fixture(autouse=True)
def one_worker(monkeypatch):
    """Starting a process takes longer than preparing these pages."""
    monkeypatch.setenv("COPYDESK_CRAWL__WORKERS", "1")


@pytest.fixture
def db(tmp_path):
    return tmp_path / "corpus.db"


def rows(db, query="select url, source, canonical, cluster from articles order by url"):
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


def test_a_folder_of_saved_pages_becomes_a_corpus(db, tmp_path, capsys):
    done = run_cli(capsys, "ingest", save_pages(tmp_path / "saved"), "--db", db, "--json")
    assert done.code == 0, done.err
    counts = done.row
    assert (counts["pages"], counts["new"], counts["copies"], counts["rejected"]) == (6, 4, 1, 1)
    assert counts["reasons"] == {"no_article": 1}
    assert {source for _, source, _, _ in rows(db)} == {"ingest"}
    assert done.err == ""


def test_a_finished_file_is_not_read_twice_and_a_changed_one_is(db, tmp_path, capsys):
    folder = save_pages(tmp_path / "saved", ["eval.html", "law.html"])
    run_cli(capsys, "ingest", folder, "--db", db)
    again = run_cli(capsys, "ingest", folder, "--db", db, "--json")
    assert (again.code, again.row["pages"], again.row["skipped"]) == (0, 0, 2)
    text = PAGES["law.html"].replace("in June", "in July, and after that in the autumn")
    (folder / "law.html").write_text(text, "utf-8")
    changed = run_cli(capsys, "ingest", folder, "--db", db, "--json")
    assert (changed.row["pages"], changed.row["updated"], changed.row["skipped"]) == (1, 1, 1)


def test_topical_is_off_unless_asked_for(db, tmp_path, capsys):
    folder = save_pages(tmp_path / "saved", ["gadget.html", "law.html"])
    assert run_cli(capsys, "ingest", folder, "--db", db, "--json").row["new"] == 2
    filtered = run_cli(
        capsys, "ingest", folder, "--db", tmp_path / "other.db", "--topical", "--source", "paper", "--json"
    )
    assert filtered.row["reasons"] == {"off_topic": 1}
    assert [(url, source) for url, source, *_ in rows(tmp_path / "other.db")] == [
        ("https://paper.example/law", "paper")
    ]


def test_bad_inputs_are_a_line_each_and_the_rest_goes_on(db, tmp_path, capsys):
    folder = save_pages(tmp_path / "saved", ["law.html"])
    (folder / "empty.html").write_bytes(b"")
    (folder / "binary.html").write_bytes(bytes(range(30)) * 40)
    (folder / "lines.jsonl").write_text(
        "{broken\n" + json.dumps({"url": "https://wire.example/e", "html": PAGES["eval.html"]}), "utf-8"
    )
    done = run_cli(capsys, "ingest", folder, tmp_path / "absent.warc", "--db", db, "--json")
    assert done.code == 3
    assert (done.row["new"], done.row["failed"]) == (2, 4)
    lines = done.err.splitlines()
    assert len(lines) == 4
    assert any("lines.jsonl:1" in line for line in lines)
    again = run_cli(capsys, "ingest", folder, "--db", db, "--json")
    assert again.code == 3, "trouble is told again, not remembered as done"
    assert again.row["pages"] == 0, "but what was kept is not read again"


def test_a_warc_and_its_cut_half(db, tmp_path, capsys):
    records = [
        (f"https://paper.example/{name}", "200 OK", "text/html; charset=utf-8", page(name, story).encode())
        for name, story in (("eval", EVAL_STORY), ("law", LAW_STORY), ("gadget", GADGET_STORY))
    ]
    path = tmp_path / "crawl.warc.gz"
    write_warc(path, records)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - 200])
    done = run_cli(capsys, "ingest", path, "--db", db, "--json")
    assert (done.code, done.row["new"]) == (3, 2)
    assert len(done.err.splitlines()) == 1
    path.write_bytes(whole)
    done = run_cli(capsys, "ingest", path, "--db", db, "--json")
    assert (done.code, done.row["new"], done.row["unchanged"]) == (0, 1, 2)
    assert rows(db, "select fetched from articles")[0][0].startswith("2026-05-04T10:20:30")


def test_json_lines_from_where_an_interrupted_run_stopped(db, tmp_path, capsys, monkeypatch):
    path = tmp_path / "in.jsonl"
    stories = {"eval": EVAL_STORY, "law": LAW_STORY, "gadget": GADGET_STORY}
    path.write_text(
        "".join(
            json.dumps({"url": f"https://paper.example/{name}", "html": page(name, story)}) + "\n"
            for name, story in stories.items()
        )
    )
    whole = batch.read_file

    def half(*arguments):
        pages = whole(*arguments)
        yield next(pages)
        yield next(pages)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "read_file", half)
    done = run_cli(capsys, "ingest", path, "--db", db)
    assert done.code == 130
    assert len(rows(db)) == 2, "what was done is kept"
    monkeypatch.undo()
    done = run_cli(capsys, "ingest", path, "--db", db, "--json")
    assert (done.code, done.row["pages"], done.row["new"]) == (0, 1, 1)
    codes = [code for (code,) in rows(db, "select exit_code from runs order by id")]
    assert codes == [130, 0]


def lines_of(path, *names):
    stories = {"eval": EVAL_STORY, "law": LAW_STORY, "gadget": GADGET_STORY}
    rows = [{"url": f"https://paper.example/{name}", "html": page(name, stories[name])} for name in names]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_an_interrupt_while_a_page_is_prepared_loses_no_page(db, tmp_path, capsys, monkeypatch):
    path = lines_of(tmp_path / "in.jsonl", "eval", "law", "gadget")
    real = Corridor._settle_oldest
    interrupts = iter([True])

    class Waiting:
        def __init__(self, future):
            self.future = future

        def result(self):
            if next(interrupts, False):
                raise KeyboardInterrupt
            return self.future.result()

    def settle_oldest(corridor):
        step, preparing = corridor._preparing[0]
        corridor._preparing[0] = (step, preparing and Waiting(preparing))
        real(corridor)

    monkeypatch.setattr(Corridor, "_settle_oldest", settle_oldest)
    monkeypatch.setattr("pipelines.batch.PAGES_IN_HAND", 2)
    assert run_cli(capsys, "ingest", path, "--db", db).code == 130
    assert run_cli(capsys, "ingest", path, "--db", db).code == 0
    assert len(rows(db)) == 3


def test_a_page_that_could_not_be_kept_is_tried_again(db, tmp_path, capsys, monkeypatch):
    path = lines_of(tmp_path / "in.jsonl", "eval", "law", "gadget")
    real = batch.settle_page

    def broken(corpus, page, *others):
        if page.url.endswith("law"):
            raise ValueError("a bug")
        return real(corpus, page, *others)

    monkeypatch.setattr(batch, "settle_page", broken)
    assert run_cli(capsys, "ingest", path, "--db", db).code != 0
    monkeypatch.undo()
    assert run_cli(capsys, "ingest", path, "--db", db).code == 0
    assert len(rows(db)) == 3


def test_an_older_copy_of_a_page_does_not_undo_the_newer_one(db, tmp_path, capsys):
    def line(story, day):
        row = {"url": "https://paper.example/1", "html": page("One", story), "fetched": f"2026-11-{day:02}T12:00:00Z"}
        path = tmp_path / f"{day}.jsonl"
        path.write_text(json.dumps(row) + "\n")
        return path

    for day, story, outcome in ((10, EVAL_STORY, "new"), (5, LAW_STORY, "unchanged"), (12, LAW_STORY, "updated")):
        done = run_cli(capsys, "ingest", line(story, day), "--db", db, "--json")
        assert done.row[outcome] == 1, (day, done.row)
    assert len(rows(db, "select * from versions")) == 1
    assert rows(db, "select fetched from raw_pages") == [("2026-11-12T12:00:00+00:00",)]


def test_the_same_files_give_the_same_corpus_however_many_workers(tmp_path, capsys, monkeypatch):
    folder = save_pages(tmp_path / "saved")
    tables = []
    for workers in ("1", "2"):
        monkeypatch.setenv("COPYDESK_CRAWL__WORKERS", workers)
        db = tmp_path / f"{workers}.db"
        assert run_cli(capsys, "ingest", folder, "--db", db).code == 0
        tables.append(
            [rows(db, f"select * from {table}") for table in ("articles", "removed", "copies", "relevance_terms")]
        )
    assert tables[0] == tables[1]


def test_a_held_lock_is_75(db, tmp_path, capsys):
    from pipelines.lock import run_lock

    with run_lock(db):
        done = run_cli(capsys, "ingest", save_pages(tmp_path / "saved", ["law.html"]), "--db", db)
    assert done.code == 75
    assert len(done.err.splitlines()) == 1


def test_reprocess_says_what_changed_and_changes_nothing_when_nothing_did(db, tmp_path, capsys):
    run_cli(capsys, "ingest", save_pages(tmp_path / "saved"), "--db", db)
    before = rows(db, "select id, url, text_hash from articles")
    done = run_cli(capsys, "reprocess", "--db", db, "--json")
    assert done.code == 0, done.err
    assert (done.row["pages"], done.row["unchanged"], done.row["rejected"], done.row["updated"]) == (6, 5, 1, 0)
    assert rows(db, "select id, url, text_hash from articles") == before
    stricter = run_cli(capsys, "reprocess", "--db", db, "--json", "--source", "ingest", "--since", "2020-01-01")
    assert stricter.row["pages"] == 6
    assert run_cli(capsys, "reprocess", "--db", db, "--json", "--source", "nobody").code == 2


def test_quiet_says_nothing_when_all_is_well(db, tmp_path, capsys):
    folder = save_pages(tmp_path / "saved", ["law.html"])
    done = run_cli(capsys, "ingest", folder, "--db", db, "--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_pages_are_found_and_stories_told_right_after(db, tmp_path, capsys):
    run_cli(capsys, "ingest", save_pages(tmp_path / "saved"), "--db", db)
    with Corpus.open(db, read_only=True) as corpus:
        assert corpus.article("https://paper.example/law") is not None
        assert corpus.raw_page("https://paper.example/short") is not None, "a rejected page can be processed again"


def jsonl(*names):
    rows = [{"url": f"https://paper.example/{name}", "html": PAGES[name]} for name in names]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.mark.parametrize("form", ["jsonl", "packed jsonl", "html", "warc", "text"])
def test_pages_are_read_from_stdin(db, tmp_path, capsys, form):
    record = ("https://paper.example/law", "200 OK", "text/html", PAGES["law.html"].encode())
    write_warc(tmp_path / "one.warc.gz", [record])
    stdin = {
        "jsonl": jsonl("law.html"),
        "packed jsonl": gzip.compress(jsonl("law.html")),
        "html": PAGES["law.html"].encode(),
        "warc": (tmp_path / "one.warc.gz").read_bytes(),
        "text": LAW_STORY.encode(),
    }[form]
    prefix = ["--url-prefix", "https://paper.example"] if form == "text" else []
    done = run_cli(capsys, "ingest", "-", *prefix, "--db", db, "--json", stdin=stdin)
    assert (done.code, done.row["new"]) == (0, 1), done.err
    assert rows(db, "select * from inputs") == [], "a stream cannot be gone on with"


def test_a_page_on_stdin_needs_an_address(db, capsys):
    done = run_cli(capsys, "ingest", "-", "--db", db, stdin=LAW_STORY.encode())
    assert done.code == 2
    assert "--url-prefix" in done.err


def test_an_empty_stream_and_a_bad_line_of_one_are_told(db, capsys):
    done = run_cli(capsys, "ingest", "-", "--db", db)
    assert (done.code, done.err.split(",")[0]) == (3, "copydesk: -: nothing came in")
    done = run_cli(capsys, "ingest", "-", "--db", db, "--json", stdin=jsonl("law.html") + b"{no json\n")
    assert (done.code, done.row["new"]) == (3, 1)
    assert done.err.startswith("copydesk: -:2: "), "not the name of our own file"


def test_half_a_packed_stream_is_told(db, capsys):
    stdin = gzip.compress(jsonl("law.html", "eval.html") * 50)[:-40]
    done = run_cli(capsys, "ingest", "-", "--db", db, stdin=stdin)
    assert done.code == 3
    assert "-: broken after line" in done.err
