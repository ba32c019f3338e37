"""A long text in portions, so that a page stays light whatever it is about. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

MAX_BYTES = 80_000  # of text on one page; with all that stands round it stays below 100 kB
LEAST_ROOM = 200  # a block's tags and label


def portions(items: Sequence[T], size: Callable[[T], int], most: int = MAX_BYTES) -> list[Sequence[T]]:
    """The items in order, as many together as have room; an item never stands in two. At least one portion."""
    cuts, used = [0], 0
    for number, item in enumerate(items):
        weight = size(item)
        if used and used + weight > most:
            cuts.append(number)
            used = 0
        used += weight
    return [items[start:end] for start, end in zip(cuts, [*cuts[1:], len(items)], strict=True)]


def pieces(text: str, most: int = MAX_BYTES // 4) -> list[str]:
    """A text in pieces of so much weight at most: one alone may be as long as a book."""
    if weight(text) <= most:
        return [text]
    step = most // 5  # a character has five bytes at most, when it is escaped
    return [text[start : start + step] for start in range(0, len(text), step)]


def weight(text: str) -> int:
    """Bytes of a text on a page; escaping makes four more of some characters."""
    return len(text.encode("utf-8", "replace")) + 4 * sum(text.count(char) for char in "<>&\"'")


def paragraphs(text: str) -> list[str]:
    """The paragraphs of an article's text, none longer than a page holds."""
    return [piece for part in text.split("\n\n") if part.strip() for piece in pieces(part)]
