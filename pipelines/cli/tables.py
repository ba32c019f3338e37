"""Print rows: fitted to the window on a terminal, whole into a pipe, never a control character from a page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import click

from pipelines.cli import answer, remark
from pipelines.report import aligned, clip, flat, printable, width

Row = Mapping[str, Any]
Column = tuple[str, str, Callable[[Any], str]]  # heading, key, how to show the value
MAX_COLUMNS = 100  # longer lines are hard to read, however wide the window
MIN_COLUMNS = 40
GAP = 2  # between two columns
WHOLE_COLUMNS = 16  # what a date and minute take, and most names
LAST_COLUMNS = 6


def is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()  # None: `>&-`


def terminal_width() -> int:
    return max(MIN_COLUMNS, min(MAX_COLUMNS, shutil.get_terminal_size().columns))


def column(heading: str, key: str = "", show: Callable[[Any], str] = flat) -> Column:
    return heading, key or heading, show


def print_rows(rows: Iterable[Row], columns: Sequence[Column]) -> None:
    """Print rows under headings: whole into a pipe, fitted to the window on a terminal."""
    headings = [heading for heading, _, _ in columns]
    lines = [headings, *([printable(show(row.get(key))) for _, key, show in columns] for row in rows)]
    if not is_terminal():
        print_lines(aligned(lines))
        return
    room = terminal_width()
    wide = [max(width(line[index]) for line in lines) for index in range(len(columns))]
    fitting = fitted(wide, room - GAP * (len(columns) - 1))
    cut = [[clip(cell, most) for cell, most in zip(line, fitting, strict=True)] for line in lines]
    heading, *rest = (clip(line, room) for line in aligned(cut, " " * GAP))
    click.echo(click.style(heading, dim=True))
    print_lines(rest)


def fitted(wide: Sequence[int], room: int) -> list[int]:
    """Widths that fit into the room, if that can be: the widest column gives first, and none more than it can."""
    widths, last = list(wide), len(wide) - 1
    # a name cut to one letter says nothing, and neither does half a date; the last column is the one to read on elsewhere
    least = [min(most, LAST_COLUMNS if index == last else WHOLE_COLUMNS) for index, most in enumerate(wide)]
    while sum(widths) > room:
        index = max(range(len(widths)), key=lambda number: widths[number] - least[number])
        if widths[index] == least[index]:
            break
        widths[index] -= 1
    return widths


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
