"""What keeps a corpus in order: doctor, backup, runs, prune, migrate, reprocess, schedule."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

from pipelines.lock import run_lock
from tests.cli_helpers import run_cli
from tests.desk import ROOT

pytestmark = pytest.mark.xdist_group("commands")  # one corpus for all


def test_reprocessing_what_is_not_there_names_what_is(cli):
    done = cli("reprocess", "--source", "ingst")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert "did you mean ingest?" in done.err
    assert cli("reprocess", "--source", "nope").code == 2
    done = cli("reprocess", "--source", "ingest", "--json")
    assert (done.code, done.row["pages"]) == (0, 6)


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


def test_doctor_tells_a_newer_file_once_how_it_is_mended(filled, tmp_path, capsys):
    newer = tmp_path / "newer.db"
    shutil.copy(filled, newer)
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    done = run_cli(capsys, "doctor", "--db", newer)
    assert done.code == 1
    assert "update copydesk" in done.out
    assert "backup" not in done.out


def test_doctor_tells_of_a_watchdog_that_cannot_be_asked(cli, monkeypatch):
    monkeypatch.setenv("COPYDESK_NOTIFY__PING_URL", "ping.example/key")
    done = cli("doctor")
    assert done.code == 1
    assert "notify.ping_url" in done.out
    assert "example" not in done.out


def test_backup_is_a_corpus_and_overwrites_nothing(cli, tmp_path, capsys):
    path = tmp_path / "backup.db"
    assert cli("backup", path).code == 0
    assert json.loads(run_cli(capsys, "stats", "--json", "--db", path).out)["articles"] == 5
    assert cli("backup", path).code == 2
    assert cli("backup", path, "--force").code == 0
    assert cli("backup", tmp_path / "no" / "folder.db").code == 2


def test_a_backup_can_go_through_a_pipe(filled, tmp_path):
    command = [sys.executable, "-m", "crawler", "backup", "-", "--db", str(filled)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, cwd=ROOT)
    (tmp_path / "copy.db").write_bytes(done.stdout)
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("select count(*) from articles").fetchone() == (5,)
    assert not list(filled.parent.glob(".backup-*"))


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


@pytest.mark.parametrize(("form", "word"), [("cron", "# BEGIN copydesk"), ("systemd", "OnCalendar")])
def test_schedule_shows_and_changes_nothing(cli, form, word):
    done = cli("schedule", "show", "--every", "12h", "--format", form)
    assert done.code == 0
    assert word in done.out
    assert "crawl --quiet" in done.out
    assert cli("schedule", "show", "--every", "5h").code == 2
