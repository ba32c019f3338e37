"""Print rows: a drawn table on a terminal, plain straight columns into a pipe, never a control character from a page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import click

from pipelines.cli import answer, printable, remark
from pipelines.report import aligned, flat, width

Row = Mapping[str, Any]
Column = tuple[str, str, Callable[[Any], str]]  # heading, key, how to show the value
MAX_COLUMNS = 100  # longer lines are hard to read, however wide the window
MIN_COLUMNS = 40
NAMES = 2  # the first columns say what the row is about
NAME_COLUMNS = 16
SHORT_COLUMNS = 6


def is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()  # None: `>&-`


def terminal_width() -> int:
    return max(MIN_COLUMNS, min(MAX_COLUMNS, shutil.get_terminal_size().columns))


def column(heading: str, key: str = "", show: Callable[[Any], str] = flat) -> Column:
    return heading, key or heading, show


def print_rows(rows: Iterable[Row], columns: Sequence[Column]) -> None:
    """Print rows under headings; the last column takes what is left of a terminal's width."""
    cells = [[printable(show(row.get(key))) for _, key, show in columns] for row in rows]
    headings = [heading for heading, _, _ in columns]
    if not is_terminal():
        for line in aligned([headings, *cells]):
            answer(line)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for index, heading in enumerate(headings):
        is_last = index == len(headings) - 1
        wide = max(width(row[index]) for row in [headings, *cells])
        # in a narrow window the long columns give way: a name cut to one letter says nothing
        least = min(wide, NAME_COLUMNS if index < NAMES else SHORT_COLUMNS)
        table.add_column(heading, overflow="ellipsis", no_wrap=True, ratio=1 if is_last else None, min_width=least)
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(table)


def print_heading(text: str) -> None:
    """A line that stands out on a terminal and is plain in a pipe."""
    click.echo(click.style(printable(text), bold=True))


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        answer(line)


class Progress:
    """A count on the terminal's last line, out of the way of remarks, and nothing at all in a log."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._is_shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def show(self, count: int) -> None:
        if self._is_shown:
            click.echo(f"\r{count:,} {self._noun}", nl=False, err=True)

    def tell(self, message: str) -> None:
        self._clear()
        remark(message)

    def _clear(self) -> None:
        if self._is_shown:
            click.echo("\r" + " " * 40 + "\r", nl=False, err=True)
