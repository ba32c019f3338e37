"""The command line's one group, what every command shares, and the door where errors become one line.

Commands live beside this file and in `crawler/`; each imports what it needs in its body, so that `copydesk --help`
reads nothing heavy. Answers go to stdout, remarks to stderr.
"""

from __future__ import annotations

import errno
import gc
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from pipelines.errors import CopydeskError, StorageError, one_line
from pipelines.report import JSON_ESCAPES, printable

if TYPE_CHECKING:
    from pipelines.config import Config

P = ParamSpec("P")
R = TypeVar("R")

EXIT_INTERRUPTED = 130
EXIT_UNEXPECTED = 1
COLLECT_EVERY = 20_000  # new objects between two looks for cycles; imports alone make Python look two hundred times
DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Command(click.Command):
    """A command whose help keeps the lines of its example."""

    def __init__(self, *arguments: Any, **values: Any) -> None:
        if values.get("help"):  # a paragraph that begins with \\b is not filled
            values["help"] = re.sub(r"^Example:", "\b\nExample:", cleandoc(values["help"]), flags=re.MULTILINE)
        super().__init__(*arguments, **values)


class CommandGroup(click.Group):
    """A group of such commands, and of such groups."""

    command_class = Command
    group_class = type


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="copydesk", prog_name="copydesk", message="%(prog)s %(version)s")
def cli() -> None:
    """Crawl AI-safety news into one SQLite file: every article once, nothing in it but the article.

    Try it on the bundled news site: `copydesk demo`.
    """


@cli.command("help")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of a command.

    Example: copydesk help sources add
    """
    found: click.Command = cli
    parent = context.parent or context
    for word in words:
        below = found.get_command(parent, word) if isinstance(found, click.Group) else None
        if below is None:
            raise click.UsageError(f"No such command {word!r}.", parent)
        found, parent = below, click.Context(below, info_name=word, parent=parent)
    click.echo(found.get_help(parent))


def with_config(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command `--db` and `--config`, and the settings they lead to as its argument `config`."""

    @click.option(
        "--db", "database", type=click.Path(dir_okay=False), help="The corpus file. [default: data/corpus.db]"
    )
    @click.option("--config", "config_path", type=click.Path(dir_okay=False, path_type=Path), help="A copydesk.toml.")
    @wraps(command)
    def wrapper(*args: Any, database: str | None, config_path: Path | None, **kwargs: Any) -> R:
        from pipelines.config import load

        config: Config = load(config_path, flags={"database": database})
        return command(*args, config=config, **kwargs)

    return wrapper


def main(group: click.Group = cli, arguments: list[str] | None = None) -> None:
    """Run the command line and exit with the code the contract names; a known error is one line."""
    gc.set_threshold(COLLECT_EVERY)
    for stream in (sys.stdout, sys.stderr):  # cron's LC_ALL=C must not cost us a Korean title
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = group.main(args=arguments, prog_name="copydesk", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except SystemExit:  # `copydesk export | head`: click makes 1 of it, and puts a wrapper round stdout
        if not hasattr(sys.stdout, "wrapped"):
            raise
        code = 0
    except Exception as error:
        known = told_as(error)
        if known is None:
            raise
        line, code = known
        remark(line)
    sys.exit(code if isinstance(code, int) else 0)


def told_as(error: BaseException) -> tuple[str, int] | None:
    """A known error as its line and its exit code; None for a bug."""
    match error:
        case click.exceptions.Abort() | KeyboardInterrupt():
            return "interrupted; what was done is kept", EXIT_INTERRUPTED
        case click.ClickException():
            return usage_line(error), error.exit_code
        case CopydeskError():
            return f"copydesk: {error}", error.exit_code
        case PermissionError():
            wanted = "a place we may write to; choose another with --db or --out"
            return f"copydesk: {error.filename}: no permission, expected {wanted}", StorageError.exit_code
        case OSError() if error.errno in DISK_ERRORS:
            return (
                f"copydesk: {error.filename or 'writing'}: {one_line(error)}; make room, then try again",
                StorageError.exit_code,
            )
    return None


def usage_line(error: click.ClickException) -> str:
    """One line for a wrong flag or argument, with the help to read."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else "copydesk"
    message = " ".join(error.format_message().split()).rstrip(".")
    message = re.sub(r"\. \(?Did you mean (one of: )?(.*?)\?\)?$", r" (did you mean \2?)", message)
    return f"{path}: {message[:1].lower()}{message[1:]}; see `{path} --help`"


def remark(message: str) -> None:
    """Say something to the person, not to the pipe."""
    click.echo(printable(message), err=True)


def answer(message: str) -> None:
    """Say what was asked for."""
    click.echo(printable(message))


def answer_json(rows: Iterable[Mapping[str, Any]] | Mapping[str, Any]) -> None:
    """One mapping: indented JSON; rows: one JSON object a line."""
    if isinstance(rows, Mapping):
        click.echo(as_json(rows, indent=1))
        return
    for row in rows:
        click.echo(as_json(row))


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON in UTF-8 that is one line for every reader and drives no terminal; datetimes as ISO 8601."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, default=str).translate(JSON_ESCAPES)
