"""The text that makes cron or systemd run the crawl, and its place in a crontab.

Why it stands alone: it is text in, text out, so that what would be installed can be shown and tested first. cron must
see the crawl's own exit code and mail what it prints: so there is no pipe, and nothing is redirected unasked.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import Path

BEGIN, END = "# BEGIN copydesk", "# END copydesk"
HOURS = (1, 2, 3, 4, 6, 8, 12, 24)  # those that divide a day: cron knows no others
SERVICE, TIMER = "copydesk.service", "copydesk.timer"
THROUGH_SHELL = ("/bin/sh", "-c", 'exec "$0" "$@"')
MARK = "# Written by `copydesk schedule install`, taken out by `copydesk schedule remove`.\n"
_BLOCK = re.compile(rf"^{BEGIN}\n(?:(?!{BEGIN}$|{END}$).*\n)*?{END}(?:\n|\Z)", re.MULTILINE)
_MARKER = re.compile(rf"^(?:{BEGIN}|{END})$", re.MULTILINE)


def crawl_words(program: Path, database: Path, config: Path | None = None, sources: Path | None = None) -> list[str]:
    """The command, with absolute paths: cron and systemd start it in another folder."""
    words = [str(program.absolute()), "crawl", "--quiet", "--db", str(database.absolute())]
    for flag, path in (("--config", config), ("--sources", sources)):
        words += [flag, str(path.absolute())] if path else []
    if any("\n" in word for word in words):
        raise ValueError("a path with a line break in it")
    return words


def cron_block(words: list[str], host: str, every_hours: int, log: Path | None = None) -> str:
    """Return the crontab lines between their markers; raise `ValueError` when the hours do not divide a day."""
    if every_hours not in HOURS:
        raise ValueError(f"every {every_hours} h: expected one of {HOURS}")
    digest = hashlib.sha256("\n".join([host, *words]).encode()).digest()
    minute = 1 + digest[0] % 59  # never :00, when everybody's cron runs
    hours = "0" if every_hours == 24 else "*" if every_hours == 1 else f"*/{every_hours}"
    command = shlex.join(words)
    if log is not None:
        command += f" >> {shlex.quote(str(log.absolute()))} 2>&1"
        note = f"# what goes wrong is written to {log.absolute()}"
    else:
        note = "# nothing is printed when all went well; cron mails the rest to you, or to MAILTO=you@example.org"
    command = command.replace("%", r"\%")  # to cron a bare one is a line break
    return f"{BEGIN}\n{note}\n{minute} {hours} * * * {command}\n{END}\n"


def removed(crontab: str) -> str:
    """Return the crontab without our lines; raise `ValueError` when a marker has lost its partner."""
    rest = _BLOCK.sub("", crontab)
    if found := _MARKER.search(rest):
        raise ValueError(f"{found[0]!r} stands alone")
    return rest


def installed(crontab: str, block: str) -> str:
    """Return the crontab with our lines once: where they stood, else at its end. Each other line keeps its place."""
    rest = removed(crontab)
    if old := _BLOCK.search(crontab):
        return crontab[: old.start()] + block + _BLOCK.sub("", crontab[old.end() :])
    return rest + ("\n" if rest and not rest.endswith("\n") else "") + block


def systemd_units(words: list[str], every_hours: int, log: Path | None = None) -> dict[str, str]:
    """Return a service and a timer for a user's systemd, by file name; missed runs are made up for once."""
    if every_hours not in HOURS:
        raise ValueError(f"every {every_hours} h: expected one of {HOURS}")
    hours = "00" if every_hours == 24 else f"00/{every_hours}"
    if re.search(r"[\"'\\$]", words[0]):  # which systemd takes in no name of a program
        words = [*THROUGH_SHELL, *words]
    output = f"StandardOutput=append:{percent(log)}\nStandardError=append:{percent(log)}\n" if log else ""
    service = (
        f"{MARK}[Unit]\nDescription=Crawl AI-safety news\n\n"
        f"[Service]\nType=oneshot\nExecStart={' '.join(map(unit_word, words))}\n{output}"
        "# 75: another crawl is at work, which is no fault\nSuccessExitStatus=75\n"
        "# four times the longest a run may take by default\nTimeoutStartSec=2h\n"
        "Nice=10\nIOSchedulingClass=idle\n"
    )
    timer = (
        f"{MARK}[Unit]\nDescription=Crawl AI-safety news again and again\n\n"
        f"[Timer]\nOnCalendar=*-*-* {hours}:00:00\nRandomizedDelaySec=20m\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return {SERVICE: service, TIMER: timer}


def unit_word(word: str) -> str:
    """A word of ExecStart: quoted where it must be, "%" and "$" doubled, for systemd reads something into them."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{word}"' if re.search(r"[\s'\"\\;]", word) else word


def percent(path: Path) -> str:
    return str(path.absolute()).replace("%", "%%")
