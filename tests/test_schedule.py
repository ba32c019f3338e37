"""What makes cron and systemd run the crawl: the text, its place in a crontab, and the commands over a fake crontab."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.schedule import BEGIN, END, MARK, crawl_words, cron_block, installed, removed, systemd_units

ROOT = Path(__file__).parents[1]
WORDS = crawl_words(Path("/opt/copydesk"), Path("/srv/100% new/corpus.db"))
BLOCK = cron_block(WORDS, "host", 6)
OWN = "MAILTO=me@example.org\n5 1 * * * backup --all 100\\%\n"
FAKE = """#!/bin/sh
file="$FAKE_CRONTAB"
case "$1" in
-l) if [ -n "$FAKE_REFUSES" ]; then echo "you are not allowed" >&2; exit 1; fi
    if [ -f "$file" ]; then cat "$file"; else echo "no crontab for you" >&2; exit 1; fi ;;
-) cat > "$file" ;;
esac
"""


def line_of(block: str) -> str:
    return next(line for line in block.splitlines() if not line.startswith("#"))


def test_installing_twice_is_once_and_removing_restores() -> None:
    once = installed(OWN, BLOCK)
    assert installed(once, BLOCK) == once
    assert installed(once, cron_block(WORDS, "host", 12)).count(BEGIN) == 1
    assert removed(once) == OWN
    assert removed(BLOCK + OWN) == OWN
    assert removed(once.rstrip("\n")) == OWN


def test_other_lines_keep_their_place() -> None:
    before, after = "MAILTO=me@example.org\n", "# nightly\n5 1 * * * backup\n"
    other = cron_block(WORDS, "host", 12)
    assert installed(before + BLOCK + after, other) == before + other + after
    assert installed(before + BLOCK + after + BLOCK, other) == before + other + after
    assert installed(before + BLOCK.rstrip("\n"), other) == before + other
    with pytest.raises(ValueError, match="stands alone"):
        installed(BLOCK + BEGIN + "\n", other)


@pytest.mark.parametrize("torn", [f"{BEGIN}\n5 1 * * * backup\n", f"{END}\n", f"{BEGIN}\nmine\n{BLOCK}"])
def test_torn_markers_never_cost_a_line(torn: str) -> None:
    with pytest.raises(ValueError, match="stands alone"):
        removed(torn)


def test_the_line_keeps_the_exit_code_and_the_output() -> None:
    line = line_of(BLOCK)
    assert not set("|;&>") & set(line)
    assert "MAILTO" in BLOCK
    assert line_of(cron_block(WORDS, "host", 6, Path("/var/log/a b.log"))).endswith(" >> '/var/log/a b.log' 2>&1")


def test_cron_reads_the_words_we_wrote() -> None:
    minute, hours, *rest = line_of(BLOCK).split(maxsplit=5)
    assert 1 <= int(minute) <= 59
    assert (hours, rest[:3]) == ("*/6", ["*", "*", "*"])
    assert "%" not in rest[3].replace(r"\%", "")
    assert shlex.split(rest[3].replace(r"\%", "%")) == WORDS


@pytest.mark.parametrize(("every", "hours"), [(1, "*"), (8, "*/8"), (24, "0")])
def test_hours_divide_the_day(every: int, hours: str) -> None:
    assert line_of(cron_block(WORDS, "host", every)).split()[1] == hours


def test_hours_that_do_not_are_refused() -> None:
    with pytest.raises(ValueError, match="every 5 h"):
        cron_block(WORDS, "host", 5)
    with pytest.raises(ValueError, match="every 5 h"):
        systemd_units(WORDS, 5)
    with pytest.raises(ValueError, match="line break"):
        crawl_words(Path("/opt/copydesk"), Path("/srv/a\nb"))


def test_the_minute_differs_between_machines() -> None:
    minutes = {line_of(cron_block(WORDS, f"host{number}", 6)).split()[0] for number in range(20)}
    assert len(minutes) > 10


def test_systemd_gets_a_gentle_service_and_a_patient_timer() -> None:
    units = systemd_units(WORDS, 12)
    service, timer = units["copydesk.service"], units["copydesk.timer"]
    for line in (
        "Type=oneshot",
        "Nice=10",
        "IOSchedulingClass=idle",
        "TimeoutStartSec=2h",
        "SuccessExitStatus=75",
        'ExecStart=/opt/copydesk crawl --quiet --db "/srv/100%% new/corpus.db"',
    ):
        assert line in service.splitlines()
    for line in ("OnCalendar=*-*-* 00/12:00:00", "RandomizedDelaySec=20m", "Persistent=true"):
        assert line in timer.splitlines()
    assert "OnCalendar=*-*-* 00:00:00" in systemd_units(WORDS, 24)["copydesk.timer"]


class Machine:
    """A home and a PATH with a fake `crontab`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.crontab = folder, folder / "crontab.txt"
        self.bin = folder / "bin"
        self.bin.mkdir()
        fake = self.bin / "crontab"
        fake.write_text(FAKE, "utf-8")
        fake.chmod(fake.stat().st_mode | stat.S_IXUSR)

    def run(self, *words: str, answer: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COPYDESK_", "XDG_"))}
        own = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.folder), "FAKE_CRONTAB": str(self.crontab)}
        code = "import sys; from pipelines.cli import cli, main; import pipelines.cli.schedule; main(cli, sys.argv[1:])"
        return subprocess.run(
            [sys.executable, "-c", code, "schedule", *words],
            env={**kept, **own, "PYTHONPATH": str(ROOT), **environment},
            cwd=self.folder,
            input=answer,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_crontab_is_shown_asked_about_written_and_restored(machine: Machine) -> None:
    machine.crontab.write_text(OWN, "utf-8")
    unanswered = machine.run("install")
    assert (unanswered.returncode, machine.crontab.read_text("utf-8")) == (2, OWN)
    assert "--yes" in unanswered.stderr
    assert "+# BEGIN copydesk" in unanswered.stdout
    assert machine.run("install", answer="n\n").returncode == 0
    assert machine.crontab.read_text("utf-8") == OWN
    assert machine.run("install", "--db", "here.db", answer="y\n").returncode == 0
    text = machine.crontab.read_text("utf-8")
    assert text.startswith(OWN)
    assert str(machine.folder / "here.db") in text
    assert "nothing to change" in machine.run("install", "--db", "here.db", "--yes").stderr
    assert machine.run("install", "--db", "here.db", "--every", "1h", "--log", "crawl.log", "--yes").returncode == 0
    assert f">> {machine.folder}/crawl.log 2>&1" in machine.crontab.read_text("utf-8")
    assert machine.run("remove", "--yes").returncode == 0
    assert machine.crontab.read_text("utf-8") == OWN
    assert "nothing to change" in machine.run("remove").stderr


def test_there_need_not_be_a_crontab_before(machine: Machine) -> None:
    assert machine.run("install", "--yes").returncode == 0
    assert machine.crontab.read_text("utf-8").startswith(BEGIN)


@pytest.mark.parametrize(
    ("arrange", "told"),
    [
        (lambda machine: (machine.bin / "crontab").unlink(), "not on this machine"),
        (lambda machine: machine.crontab.write_text(f"{BEGIN}\n1 1 * * * mine\n", "utf-8"), "stands alone"),
    ],
)
def test_trouble_is_one_line_and_changes_nothing(machine: Machine, arrange, told) -> None:
    arrange(machine)
    before = machine.crontab.read_text("utf-8") if machine.crontab.exists() else ""
    done = machine.run("install", "--yes", PATH=str(machine.bin) + ":/nowhere")
    if told == "stands alone":
        done = machine.run("install", "--yes")
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert (machine.crontab.read_text("utf-8") if machine.crontab.exists() else "") == before


def test_a_crontab_that_cannot_be_read_is_never_overwritten(machine: Machine) -> None:
    machine.crontab.write_text(OWN, "utf-8")
    done = machine.run("install", "--yes", FAKE_REFUSES="1")
    assert (done.returncode, machine.crontab.read_text("utf-8")) == (2, OWN)
    assert "not allowed" in done.stderr


def test_what_the_settings_say_here_holds_there_too(machine: Machine) -> None:
    (machine.folder / "copydesk.toml").write_text("[crawl]\ndelay_s = 3.0\n", "utf-8")
    done = machine.run("show", COPYDESK_SOURCES="mine.toml", COPYDESK_SHIPPED_SOURCES="false")
    assert f"--config {machine.folder}/copydesk.toml --sources {machine.folder}/mine.toml" in done.stdout
    assert "COPYDESK_SHIPPED_SOURCES will not be set there" in done.stderr
    assert not machine.crontab.exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
@pytest.mark.parametrize("folder", ["plain", "100% new \"$HOME\" 'x' \\n한"])
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    place.mkdir()
    program = place / "copydesk"
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    words = crawl_words(program, place / "corpus.db", place / "copydesk.toml", place / "sources.toml")
    for name, text in systemd_units(words, 6, place / "crawl.log").items():
        (tmp_path / name).write_text(text, "utf-8")
    # it also tells of the machine's own units: what it says of ours counts
    done = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            "--recursive-errors=no",
            tmp_path / "copydesk.timer",
            tmp_path / "copydesk.service",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "copydesk" not in done.stderr, done.stderr


def test_systemd_units_are_written_and_deleted(machine: Machine) -> None:
    folder = machine.folder / ".config" / "systemd" / "user"
    done = machine.run("install", "--format", "systemd", "--every", "3h", "--yes")
    assert done.returncode == 0, done.stderr
    assert "systemctl --user enable --now copydesk.timer" in done.stdout
    assert "OnCalendar=*-*-* 00/3:00:00" in (folder / "copydesk.timer").read_text("utf-8")
    assert (folder / "copydesk.service").read_text("utf-8").startswith(MARK)
    (folder / "copydesk.service").write_text("[Unit]\n", "utf-8")
    assert machine.run("remove", "--format", "systemd", "--yes").returncode == 0
    assert [path.name for path in folder.iterdir()] == ["copydesk.service"], "only what we wrote is ours to delete"
