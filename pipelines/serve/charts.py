"""Bars of articles a week, as numbers an SVG can be written with: no picture, no script, a table beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

BAR, GAP = 10, 2  # units of the view box
HEIGHT = 60
LEAST_HEIGHT = 1.5  # a week with one article must show beside one with a thousand


@dataclass(frozen=True, slots=True)
class Bar:
    """One week."""

    week: date  # its Monday
    count: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One row of bars."""

    name: str
    bars: tuple[Bar, ...]
    total: int
    most: int
    width: int

    @property
    def last(self) -> Bar:
        return self.bars[-1]


def monday(week: int) -> date:
    """The Monday of a week numbered since the first one of 1970."""
    return (datetime(1970, 1, 5, tzinfo=UTC) + timedelta(weeks=week)).date()


def week_of(day: date) -> int:
    return (day - date(1970, 1, 5)).days // 7


def chart(name: str, counts: Mapping[int, int], last: date, weeks: int, scale: int = 0) -> Chart:
    """The last so many weeks; `scale`: how many articles the highest bar stands for (0: its own most)."""
    first = week_of(last) - weeks + 1
    numbers = [counts.get(first + place, 0) for place in range(weeks)]
    top = max(1, scale, *numbers)
    bars = []
    for place, number in enumerate(numbers):
        height = max(LEAST_HEIGHT, round(HEIGHT * number / top, 1)) if number else 0.0
        bars.append(Bar(monday(first + place), number, place * (BAR + GAP), round(HEIGHT - height, 1), height))
    return Chart(name, tuple(bars), sum(numbers), max(numbers), weeks * (BAR + GAP) - GAP)
