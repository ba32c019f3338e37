"""The command line's one group, what every command shares, and the door where errors become one line.

Commands live beside this file and in `crawler/`; each imports what it needs in its body, so that `copydesk --help`
reads nothing heavy. Answers go to stdout, remarks to stderr.
"""

from __future__ import annotations

import errno
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from pipelines.errors import CopydeskError, StorageError, one_line

if TYPE_CHECKING:
    from pipelines.config import Config

P = ParamSpec("P")
R = TypeVar("R")

EXIT_INTERRUPTED = 130
EXIT_UNEXPECTED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
    for stream in (sys.stdout, sys.stderr):  # cron's LC_ALL=C must not cost us a Korean title
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = group.main(args=arguments, prog_name="copydesk", standalone_mode=False)
    except click.exceptions.Abort:
        remark("interrupted; what was done is kept")
        code = EXIT_INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except click.ClickException as error:
        remark(usage_line(error))
        code = error.exit_code
    except CopydeskError as error:
        remark(f"copydesk: {error}")
        code = error.exit_code
    except SystemExit:  # `copydesk export | head`: click makes 1 of it, and puts a wrapper round stdout
        if not hasattr(sys.stdout, "wrapped"):
            raise
        code = 0
    except PermissionError as error:
        remark(
            f"copydesk: {error.filename}: no permission, expected a place we may write to; choose another with --db or --out"
        )
        code = StorageError.exit_code
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        remark(f"copydesk: {error.filename or 'writing'}: {one_line(error)}; make room, then try again")
        code = StorageError.exit_code
    sys.exit(code if isinstance(code, int) else 0)


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


# what some readers take for a line end inside JSON Lines
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def as_json(value: Any, indent: int | None = None) -> str:
    """JSON in UTF-8 that is one line for every reader; datetimes as ISO 8601."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent, default=str).translate(_LINE_ENDS)


# C0 and C1 but line end and tab, and the marks that turn text round: a title must not drive the terminal
_UNSAFE = dict.fromkeys(
    [
        *(code for code in range(32) if code not in (9, 10)),
        *range(127, 160),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        0x200E,
        0x200F,
    ],
    "�",
)


def printable(text: str) -> str:
    """The text without what would move the cursor, colour the screen or turn letters round."""
    return text.translate(_UNSAFE)
