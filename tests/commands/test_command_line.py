"""What holds for every command: no corpus, wrong usage, a full disk, a reader that stops, a title that drives terminals."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli_helpers import PAGES, run_cli, save_pages

pytestmark = pytest.mark.xdist_group("commands")  # one corpus for all

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
