"""`copydesk schedule`: show, install or remove what makes cron or systemd run the crawl. Nothing is changed unasked."""

from __future__ import annotations

import difflib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.cli import answer, cli, remark, with_config
from pipelines.cli.options import Age
from pipelines.errors import ConfigError
from pipelines.schedule import HOURS, MARK, SERVICE, TIMER, crawl_words, cron_block, installed, removed, systemd_units

if TYPE_CHECKING:
    from datetime import timedelta

    from pipelines.config import Config

F = TypeVar("F", bound=Callable[..., Any])

SHOWN = frozenset({"COPYDESK_DATABASE", "COPYDESK_SOURCES"})  # these two become flags of the line


def every_option(command: F) -> F:
    return click.option(
        "--every", type=Age(), default="6h", show_default=True, help="How often: 1h, 2h, 3h, 4h, 6h, 8h, 12h or 24h."
    )(command)


def format_option(command: F) -> F:
    kinds = click.Choice(["cron", "systemd"])
    return click.option("--format", "form", type=kinds, default="cron", show_default=True, help="For which timer.")(
        command
    )


def log_option(command: F) -> F:
    kind = click.Path(dir_okay=False, path_type=Path)
    return click.option("--log", type=kind, help="Append what is printed to this file, instead of a mail.")(command)


def yes_option(command: F) -> F:
    return click.option("--yes", "-y", "is_agreed", is_flag=True, help="Do not ask.")(command)


@cli.group()
def schedule() -> None:
    """Run the crawl again and again, by cron or systemd."""


@schedule.command()
@every_option
@format_option
@log_option
@with_config
def show(config: Config, every: timedelta, form: str, log: Path | None) -> None:
    """Print what would be installed; change nothing.

    Example: copydesk schedule show --every 6h
    """
    if form == "cron":
        answer(block(config, every, log).rstrip())
        return
    texts = [f"# {path}\n{text}" for path, text in units(config, every, log).items()]
    answer("\n".join(texts).rstrip())


@schedule.command()
@every_option
@format_option
@log_option
@yes_option
@with_config
def install(config: Config, every: timedelta, form: str, log: Path | None, is_agreed: bool) -> int:
    """Put the crawl into your crontab or your systemd.

    Into the crontab between markers; each other line stays as it is. Shows what would change, and asks first.

    Example: copydesk schedule install --every 12h
    """
    if form == "systemd":
        return write_units(units(config, every, log), is_agreed=is_agreed)
    before = read_crontab()
    return write_crontab(before, edited(lambda: installed(before, block(config, every, log))), is_agreed=is_agreed)


@schedule.command()
@format_option
@yes_option
def remove(form: str, is_agreed: bool) -> int:
    """Take the crawl out of your crontab or systemd again.

    Example: copydesk schedule remove
    """
    if form == "systemd":
        ours = {path: "" for path in unit_paths() if path.exists() and path.read_text("utf-8").startswith(MARK)}
        return write_units(ours, is_agreed=is_agreed)
    before = read_crontab()
    return write_crontab(before, edited(lambda: removed(before)), is_agreed=is_agreed)


def edited(edit: Callable[[], str]) -> str:
    """The crontab as it would be; an error when its markers were torn apart by hand."""
    try:
        return edit()
    except ValueError as error:
        raise ConfigError("crontab", str(error), "our two markers, or neither", "mend it with `crontab -e`") from None


def block(config: Config, every: timedelta, log: Path | None) -> str:
    return cron_block(words_of(config), socket.gethostname(), hours_of(every), log_of(log))


def units(config: Config, every: timedelta, log: Path | None) -> dict[Path, str]:
    """The two files of systemd, by path."""
    texts = systemd_units(words_of(config), hours_of(every), log_of(log))
    return {path: texts[path.name] for path in unit_paths()}


def unit_paths() -> list[Path]:
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
    return [folder / SERVICE, folder / TIMER]


def log_of(log: Path | None) -> Path | None:
    if log is not None and not log.absolute().parent.is_dir():
        raise ConfigError("--log", f"{log.absolute().parent}: no such folder", "a file in a folder that exists")
    if log is not None and "\n" in str(log):
        raise ConfigError("--log", repr(str(log)), "a path of one line")
    return log


def words_of(config: Config) -> list[str]:
    """The command to run: settings that hold here must hold there, where folder and environment are others."""
    from pipelines.config import CONFIG_NAME, PREFIX

    given = click.get_current_context().params.get("config_path")
    settings = given or (Path(CONFIG_NAME) if Path(CONFIG_NAME).exists() else None)
    lost = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in SHOWN)
    if lost:
        remark(
            f"copydesk: {', '.join(lost)} will not be set there; write it into a copydesk.toml and give it by --config"
        )
    sources = config.sources_path if config.sources else None
    try:
        return crawl_words(program(), config.database_path, settings, sources)
    except ValueError as error:
        raise ConfigError("schedule", str(error), "paths of one line") from None


def hours_of(every: timedelta) -> int:
    hours = int(every.total_seconds() // 3600)
    if hours not in HOURS:
        allowed = ", ".join(f"{hour}h" for hour in HOURS)
        raise ConfigError("--every", f"{hours}h", f"one of {allowed}", "cron only knows hours that divide a day")
    return hours


def program() -> Path:
    """The `copydesk` that runs now: cron has another PATH."""
    beside = Path(sys.executable).with_name("copydesk")
    return beside if beside.exists() else Path(shutil.which("copydesk") or "copydesk")


def agrees(changes: Mapping[str, tuple[str, str]], *, is_agreed: bool) -> bool:
    """Show what would change, file by file; True when it may be done."""
    for name, (before, after) in changes.items():
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), name, name, "as it is", "as it would be", 1
        )
        for line in lines:
            answer(line.rstrip("\n"))
    if is_agreed:
        return True
    try:
        if click.confirm("Change it so?", err=True):
            return True
    except click.Abort:
        if sys.stdin.isatty():
            raise  # Ctrl-C
        raise ConfigError("schedule", "nobody is here to ask", "--yes", "nothing was changed") from None
    remark("nothing was changed")
    return False


def write_crontab(before: str, after: str, *, is_agreed: bool) -> int:
    """Write the crontab as it is to be, once that was agreed to."""
    if before == after:
        remark("nothing to change in your crontab")
        return 0
    if not agrees({"crontab": (before, after)}, is_agreed=is_agreed):
        return 0
    done = run_crontab("-", after)
    if done.returncode:
        saw = " ".join(done.stderr.split()) or "refused"
        raise ConfigError("crontab", saw, "a crontab we may write", "`copydesk schedule show` prints the lines")
    is_there = after != removed(after)
    remark("installed; `copydesk schedule remove` takes it out" if is_there else "removed; the rest is as it was")
    return 0


def write_units(files: Mapping[Path, str], *, is_agreed: bool) -> int:
    """Write systemd's files, or delete those whose text is empty; say what makes systemd notice."""
    old = {path: path.read_text("utf-8") if path.exists() else "" for path in files}
    changed = {path: text for path, text in files.items() if old[path] != text}
    if not changed:
        remark("nothing to change in your systemd units")
        return 0
    if not agrees({str(path): (old[path], text) for path, text in changed.items()}, is_agreed=is_agreed):
        return 0
    for path, text in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if text:
            path.write_text(text, "utf-8")
        else:
            path.unlink()
            (path.parent / "timers.target.wants" / path.name).unlink(missing_ok=True)  # what "enable" made
    if any(changed.values()):
        answer("systemctl --user daemon-reload\nsystemctl --user enable --now copydesk.timer")
        remark("written; the two commands above switch it on (`loginctl enable-linger` lets it run while you are away)")
    else:
        answer("systemctl --user stop copydesk.timer\nsystemctl --user daemon-reload")
        remark("deleted; the two commands above make systemd forget it")
    return 0


def read_crontab() -> str:
    """The user's crontab, "" when there is none; an error when it cannot be read, lest it be overwritten."""
    done = run_crontab("-l")
    if done.returncode and "no crontab" not in done.stderr.lower():
        saw = " ".join(done.stderr.split()) or "cannot be read"
        raise ConfigError("crontab", saw, "a crontab we may read", "`copydesk schedule show` prints the lines")
    return "" if done.returncode else done.stdout


def run_crontab(argument: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    path = shutil.which("crontab")
    if path is None:
        hint = "install cron, or `copydesk schedule install --format systemd`"
        raise ConfigError("crontab", "not on this machine", "cron's own program", hint)
    return subprocess.run(  # noqa: S603 - fixed words
        [path, argument],
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",  # the rest of the crontab goes back byte for byte
        check=False,
    )
