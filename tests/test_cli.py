"""Every corpus command: what it answers, where, and how it fails."""

import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from pipelines.lock import run_lock
from tests.cli_helpers import PAGES, run_cli, save_pages

READERS = [
    ("search", "safety"),
    ("show", "1"),
    ("why", "1"),
    ("duplicates",),
    ("stories",),
    ("export",),
    ("stats",),
    ("doctor",),
    ("prune",),
    ("runs",),
    ("migrate",),
    ("reprocess",),
]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A corpus of six pages, made once."""
    from pipelines.batch import Listener, Order, ingest
    from pipelines.config import Config, CrawlConfig

    folder = tmp_path_factory.mktemp("filled")
    problems = []
    config = Config(database=str(folder / "corpus.db"), crawl=CrawlConfig(workers=1))
    ingest(config, Order((save_pages(folder / "saved"),)), lambda: datetime.now(UTC), Listener(problems.append))
    assert not problems
    return folder / "corpus.db"


@pytest.fixture
def cli(filled, capsys):
    return lambda *words, **more: run_cli(capsys, *words, "--db", filled, **more)


def test_search_finds_and_says_where(cli):
    done = cli("search", "incident", "bill")
    assert done.code == 0
    assert "Incident bill passes upper house" in done.out
    assert "paper.example" in done.out
    assert "copydesk show" in done.err
    assert "\x1b" not in done.out


def test_search_in_korean_and_json(cli):
    done = cli("search", "정렬", "--json")
    assert [row["url"] for row in done.rows] == ["https://sinmun.example/a1"]
    assert cli("search", "정렬", "--language", "en", "--json").rows == []


@pytest.mark.parametrize("query", ['"', "AND", "* NEAR(", "title:", "(((", "a-b", "'; drop table articles"])
def test_no_query_is_an_error(cli, query):
    assert cli("search", query).code == 0


def test_nothing_found_is_no_failure_and_says_what_to_try(cli):
    done = cli("search", "zeppelin")
    assert (done.code, done.out) == (0, "")
    assert "try fewer words" in done.err


def test_show_by_number_and_by_any_spelling_of_the_address(cli):
    row = cli("search", "incident bill", "--json").rows[0]
    by_number = cli("show", row["id"])
    assert by_number.code == 0
    assert "fifteen days" in by_number.out
    assert cli("show", "https://paper.example/law?utm_source=feed#top").out == by_number.out
    shown = cli("show", row["id"], "--json").row
    assert shown["title"] == "Incident bill passes upper house"
    assert shown["text"].count("fifteen days") == 1
    assert "All rights reserved" not in shown["text"]


@pytest.mark.parametrize("command", ["show", "why", "duplicates"])
@pytest.mark.parametrize("what", ["99999", "https://nowhere.example/", "rubbish", "9" * 40])
def test_an_unknown_article_is_one_line_and_exit_2(cli, command, what):
    done = cli(command, what)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1


def test_why_tells_blocks_terms_and_copies(cli):
    done = cli("why", "https://paper.example/eval")
    assert done.code == 0
    for part in ("deceptive", "reader comments", "because:", "a copy of", "came from a file"):
        assert part in done.out, part
    assert "\x1b" not in done.out
    known = cli("why", "https://wire.example/2026/eval", "--json").row
    assert known["copies"][0]["relation"] in {"exact", "near"}
    assert any(
        block["kind"] == "comment" for block in cli("why", "https://paper.example/eval", "--json").row["removed"]
    )


def test_why_of_a_rejected_page_tells_stage_and_reason(cli):
    done = cli("why", "https://paper.example/short")
    assert done.code == 0
    assert "not kept" in done.out
    assert "no_article" in done.out
    shown = cli("show", "https://paper.example/short")
    assert shown.code == 2
    assert "no_article" in shown.err


def test_why_writes_the_page_with_the_fate_of_every_block(cli, tmp_path):
    done = cli("why", "https://paper.example/eval", "--html", tmp_path / "why.html")
    assert (done.code, done.out) == (0, "")
    written = (tmp_path / "why.html").read_text("utf-8")
    assert "reader_7" in written
    assert "<script" not in written


def test_duplicates_name_who_was_first(cli):
    done = cli("duplicates")
    assert done.code == 0
    assert "wire.example" in done.out
    (cluster,) = cli("duplicates", "https://wire.example/2026/eval", "--json").rows
    assert {article["url"] for article in (cluster["canonical"], *cluster["members"])} == {
        "https://wire.example/2026/eval",
        "https://paper.example/eval",
    }
    alone = cli("duplicates", "https://paper.example/law")
    assert (alone.code, alone.out) == (0, "")
    assert "no copies" in alone.err


def test_stories(cli):
    assert cli("stories").code == 0
    for row in cli("stories", "--json").rows:
        assert row["articles"] == row["copies"] + len(row["items"])
    told = [line for line in cli("stories").out.splitlines() if "publisher" in line]
    assert any("1 article · 1 copy of it · 2 publishers" in line for line in told), told
    assert "try an earlier --since" in cli("stories", "--topic", "no_such_topic").err


def test_export_jsonl_leaves_copies_out_unless_asked(cli, tmp_path):
    done = cli("export")
    assert len(done.rows) == 4
    assert "4 articles" in done.err
    assert len(cli("export", "--all-copies").rows) == 5
    assert [row["language"] for row in cli("export", "--language", "ko").rows] == ["ko"]
    assert cli("export", tmp_path / "out.jsonl").out == ""
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 4


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_export_into_a_folder(cli, tmp_path, form):
    assert (
        cli("export", "--format", form, tmp_path / "folder/").code == 0
        if (tmp_path / "folder").mkdir() is None
        else False
    )
    files = list((tmp_path / "folder").iterdir())
    assert len(files) == 4


def test_export_csv_and_atom(cli):
    rows = list(csv.DictReader(StringIO(cli("export", "--format", "csv").out)))
    assert len(rows) == 4
    from lxml import etree

    feed = etree.fromstring(cli("export", "--format", "atom").out.encode())
    assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == 4


def test_dates_choose_and_bad_dates_are_named(cli):
    assert len(cli("export", "--since", "2026-05-01", "--until", "2026-05-17").rows) == 4
    assert cli("export", "--until", "2026-05-16").rows == []
    assert cli("export", "--since", "1h").rows == []
    for bad in ("yesterday", "2026-13-01", "7x", "99999999w"):
        done = cli("export", "--since", bad)
        assert done.code == 2
        assert "7d" in done.err


def test_reprocessing_what_is_not_there_names_what_is(cli):
    done = cli("reprocess", "--source", "ingst")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert "did you mean ingest?" in done.err
    assert cli("reprocess", "--source", "nope").code == 2
    done = cli("reprocess", "--source", "ingest", "--json")
    assert (done.code, done.row["pages"]) == (0, 6)


def test_the_page_with_its_fates_goes_to_stdout_too(cli):
    done = cli("why", "1", "--html", "-")
    assert done.out.startswith("<!doctype html>")
    assert done.err == ""


def test_stats_count(cli):
    done = cli("stats")
    assert done.code == 0
    assert "articles" in done.out
    found = json.loads(cli("stats", "--json").out)
    assert found["articles"] == 5
    assert found["canonical"] + found["copies"] == 5
    assert sum(found["languages"].values()) == sum(found["verdicts"].values()) == 5
    assert sum(found["relations"].values()) == found["copies"] == 1
    assert {row["source"]: row["articles"] for row in found["sources"]} == {"ingest": 5}
    assert re.search(r"articles +5 .*\n +texts +4 .*\n +copies of them +1 ", done.out)


def test_doctor_finds_a_whole_corpus_well(cli):
    done = cli("doctor")
    assert (done.code, done.err) == (0, "")
    assert "all well" in done.out
    assert json.loads(cli("doctor", "--json").out)["problems"] == []


def test_doctor_names_and_mends_a_broken_index(filled, tmp_path, capsys):
    copy = tmp_path / "copy.db"
    assert run_cli(capsys, "backup", copy, "--db", filled).code == 0
    with sqlite3.connect(copy) as connection:
        connection.execute("delete from bands where article = 1")
    connection.close()
    done = run_cli(capsys, "doctor", "--db", copy)
    assert done.code == 1
    assert len(done.out.splitlines()) == 1
    assert run_cli(capsys, "doctor", "--mend", "--db", copy).code == 0


def test_backup_is_a_corpus_and_overwrites_nothing(cli, tmp_path, capsys):
    path = tmp_path / "backup.db"
    assert cli("backup", path).code == 0
    assert json.loads(run_cli(capsys, "stats", "--json", "--db", path).out)["articles"] == 5
    assert cli("backup", path).code == 2
    assert cli("backup", path, "--force").code == 0
    assert cli("backup", tmp_path / "no" / "folder.db").code == 2


def test_a_run_that_never_ended_is_seen(filled, tmp_path, capsys):
    copy = tmp_path / "copy.db"
    assert run_cli(capsys, "backup", copy, "--db", filled).code == 0
    with sqlite3.connect(copy) as connection:
        connection.execute("delete from runs where id > 1")
        connection.execute("insert into runs (command, started) values ('crawl', '2026-01-01T00:00:00+00:00')")
        connection.execute(
            "insert into source_runs (run, source, started) values (2, 'paper', '2026-01-01T00:00:00+00:00')"
        )
    connection.close()
    assert [row["state"] for row in run_cli(capsys, "runs", "--json", "--db", copy).rows] == ["never ended", "ended"]
    for words in (["runs"], ["runs", "2"], ["stats"]):
        assert "never ended" in run_cli(capsys, *words, "--db", copy).out
    assert "never ended" not in run_cli(capsys, "doctor", "--db", copy).out, "a backup made during a run is whole"
    with run_lock(copy):
        pass  # leaves its file, as a killed run does
    done = run_cli(capsys, "doctor", "--db", copy)
    assert (done.code, len(done.out.splitlines())) == (1, 1)
    assert "run 2 (crawl, 2026-01-01 00:00) never ended" in done.out
    with run_lock(copy):
        assert [row["state"] for row in run_cli(capsys, "runs", "--json", "--db", copy).rows] == ["at work", "ended"]
        assert "still at work" in run_cli(capsys, "doctor", "--db", copy).out
        assert "never ended" not in run_cli(capsys, "stats", "--db", copy).out
    with sqlite3.connect(copy) as connection:
        connection.execute("update runs set started = ? where id = 2", (datetime.now(UTC).isoformat(),))
    connection.close()
    with run_lock(copy):
        assert run_cli(capsys, "doctor", "--db", copy).code == 0, "a crawl at work is no trouble"


def test_runs_are_listed_and_an_unknown_one_is_told(cli):
    assert cli("runs", "--json").rows[-1]["command"] == "ingest"
    assert re.search(r"^1 +ingest +\d{4}-.* s +0 +4 +1 +1$", cli("runs").out, re.MULTILINE)
    assert cli("runs", "1").code == 0
    assert cli("runs", "70").code == 2


def test_doctor_tells_of_a_watchdog_that_cannot_be_asked(cli, monkeypatch):
    monkeypatch.setenv("COPYDESK_NOTIFY__PING_URL", "ping.example/key")
    done = cli("doctor")
    assert done.code == 1
    assert "notify.ping_url" in done.out
    assert "example" not in done.out


def test_a_backup_can_go_through_a_pipe(filled, tmp_path):
    command = [sys.executable, "-m", "crawler", "backup", "-", "--db", str(filled)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, cwd=Path(__file__).parents[1])
    (tmp_path / "copy.db").write_bytes(done.stdout)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("select count(*) from articles").fetchone() == (5,)
    assert not list(filled.parent.glob(".backup-*"))


def test_prune_keeps_articles(filled, tmp_path, capsys):
    copy = tmp_path / "copy.db"
    run_cli(capsys, "backup", copy, "--db", filled)
    assert json.loads(run_cli(capsys, "prune", "--raw-older-than", "1h", "--json", "--db", copy).out) == {"pruned": 6}
    assert json.loads(run_cli(capsys, "stats", "--json", "--db", copy).out)["articles"] == 5
    done = run_cli(capsys, "why", "1", "--html", tmp_path / "x.html", "--db", copy)
    assert done.code == 2
    assert "not stored" in done.err
    assert run_cli(capsys, "prune", "--raw-older-than", "old", "--db", copy).code == 2


def test_migrate_says_up_to_date(cli):
    assert "up to date" in cli("migrate").out
    assert json.loads(cli("migrate", "--list", "--json").out) == {"pending": []}


@pytest.mark.parametrize("words", READERS, ids=[words[0] for words in READERS])
def test_without_a_corpus_every_command_names_the_place_and_what_to_do(words, tmp_path, capsys):
    path = tmp_path / "none.db"
    done = run_cli(capsys, *words, "--db", path)
    assert (done.code, done.out) == (5, "")
    (line,) = done.err.splitlines()
    assert str(path) in line
    assert "copydesk demo" in line
    assert not list(tmp_path.iterdir()), "and makes nothing"


@pytest.mark.parametrize("words", [("search", "x"), ("stats",), ("ingest", "saved"), ("prune",)])
@pytest.mark.parametrize("kind", ["foreign", "text", "newer"])
def test_a_file_that_is_no_corpus_of_ours_is_left_alone(words, kind, filled, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_pages(tmp_path / "saved", ["law.html"])
    path = tmp_path / "other.db"
    if kind == "text":
        path.write_text("these are my notes\n" * 200)
    elif kind == "foreign":
        with sqlite3.connect(path) as connection:
            connection.execute("create table recipes (name text)")
        connection.close()
    else:
        run_cli(capsys, "backup", path, "--db", filled)
        with sqlite3.connect(path) as connection:
            connection.execute("pragma user_version = 9999")
            connection.execute(
                "insert into _sqlite_migrations (migration_set, name, applied_at) values ('corpus', 'from_the_future', '2030-01-01')"
            )
        connection.close()
    before = path.read_bytes()
    done = run_cli(capsys, *words, "--db", path)
    assert (done.code, done.out) == (5, ""), done.err
    assert len(done.err.splitlines()) == 1
    assert path.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_line(tmp_path, capsys):
    save_pages(tmp_path / "saved", ["law.html"])
    (tmp_path / "closed").mkdir(mode=0o500)
    done = run_cli(capsys, "ingest", tmp_path / "saved", "--db", tmp_path / "closed" / "corpus.db")
    assert done.code == 5
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("search", "x", "--colour"),
        ("serach", "x"),
        ("export", "--format", "pdf"),
        ("search",),
        ("show",),
        ("search", "x", "--limit", "0"),
    ],
)
def test_wrong_usage_is_2(cli, words):
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    assert "--help`" in done.err
    assert len(done.err.splitlines()) == 1


def test_a_broken_config_names_file_and_key(filled, tmp_path, capsys):
    (tmp_path / "c.toml").write_text("[dedup]\nthreshold = 1\n")
    done = run_cli(capsys, "stats", "--config", tmp_path / "c.toml", "--db", filled)
    assert done.code == 2
    assert "threshold" in done.err


@pytest.mark.fault("E07")
def test_titles_cannot_drive_the_terminal(tmp_path, capsys):
    folder = tmp_path / "saved"
    folder.mkdir()
    evil = PAGES["law.html"].replace("Incident bill", "\x1b]52;c;ZXZpbA==\x07\u202eIncident\x9b31m bill")
    (folder / "law.html").write_text(evil, "utf-8")
    db = tmp_path / "corpus.db"
    run_cli(capsys, "ingest", folder, "--db", db)
    for words in (("search", "bill"), ("show", "1"), ("why", "1"), ("stories",)):
        done = run_cli(capsys, *words, "--db", db)
        assert done.code == 0
        assert not [char for char in done.out if ord(char) < 32 and char not in "\n\t"]
        assert not set(done.out) & set("\x9b\u202e")


@pytest.mark.parametrize(("form", "word"), [("cron", "# BEGIN copydesk"), ("systemd", "OnCalendar")])
def test_schedule_shows_and_changes_nothing(cli, form, word):
    done = cli("schedule", "show", "--every", "12h", "--format", form)
    assert done.code == 0
    assert word in done.out
    assert "crawl --quiet" in done.out
    assert cli("schedule", "show", "--every", "5h").code == 2


def test_help_loads_nothing_heavy():
    import subprocess
    import sys

    heavy = "{'rich', 'sqlite_utils', 'sqlite3', 'trafilatura', 'numpy', 'lxml', 'msgspec'}"
    code = f"import sys, pipelines.cli.commands; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_reader_that_stops_early_is_no_fault(filled):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pipelines", "export", "--db", str(filled)]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
@pytest.mark.parametrize("words", ["stats", "export -", "search safety"])
def test_a_full_disk_behind_stdout_is_one_line(words, filled):
    command = [sys.executable, "-m", "pipelines", *words.split(), "--db", str(filled)]
    with Path("/dev/full").open("ab", buffering=0) as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode == 5
    assert done.stderr.splitlines()[0].endswith("; make room, then try again")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["export --source loacl -", "search safety --source loacl"])
def test_a_name_the_corpus_has_never_seen_is_told(cli, words):
    done = cli(*words.split())
    assert done.code == 0
    assert "nothing of loacl is in this corpus" in done.err
    assert "alignmnt" in cli("stories", "--topic", "alignmnt").err


def test_doctor_tells_a_newer_file_once_how_it_is_mended(filled, tmp_path, capsys):
    newer = tmp_path / "newer.db"
    shutil.copy(filled, newer)
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    done = run_cli(capsys, "doctor", "--db", newer)
    assert done.code == 1
    assert "update copydesk" in done.out
    assert "backup" not in done.out


def test_a_damaged_corpus_replaces_no_backup(filled, tmp_path, capsys):
    corpus, backup = tmp_path / "corpus.db", tmp_path / "backup.db"
    run_cli(capsys, "backup", corpus, "--db", filled)
    backup.write_bytes(corpus.read_bytes())
    data = bytearray(corpus.read_bytes())
    data[8192:-8192] = b"\xa7" * (len(data) - 16384)
    sound = backup.read_bytes()
    corpus.write_bytes(data)
    assert run_cli(capsys, "backup", backup, "--force", "--db", corpus).code == 5
    assert backup.read_bytes() == sound


def test_how_alike_copies_are_is_told_in_a_narrow_window(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = cli("duplicates").out.splitlines()
    assert all(len(line) <= 41 for line in lines if "└" in line)
    assert any(line.strip().endswith("alike") for line in lines)
