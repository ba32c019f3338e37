"""The page with every block in its place: what was kept, and what was left out with kind, reason and evidence. Pure.

It is put together from what is stored, without reading the page again: an article's text is its kept blocks joined by blank lines, and
a removed block has its position among all blocks. So it is there as long as the article, and no hostile page is parsed for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from pipelines.serve.portions import LEAST_ROOM, pieces, weight

FOLDED = 7  # so many in a row are folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """One block of a page."""

    text: str
    is_kept: bool = True
    kind: str = ""
    reason: str = ""
    evidence: str = ""

    @property
    def room(self) -> int:
        return LEAST_ROOM + weight(self.text) + weight(self.evidence) + weight(self.reason)


def in_place(text: str, removed: Sequence[Mapping[str, Any]]) -> list[Fate]:
    """All blocks in the order of the page; kept ones that have no place left come last."""
    kept = iter(part for part in text.split("\n\n") if part.strip())
    return [piece for fate in merged(kept, removed) for piece in in_pieces(fate)]


def merged(kept: Iterator[str], removed: Sequence[Mapping[str, Any]]) -> Iterator[Fate]:
    position = 0
    for row in removed:
        while position < row["position"] and (block := next(kept, None)) is not None:
            yield Fate(text=block)
            position += 1
        yield Fate(text=row["text"], is_kept=False, kind=row["kind"], reason=row["reason"], evidence=row["evidence"])
        position = row["position"] + 1
    yield from (Fate(text=block) for block in kept)


def in_pieces(fate: Fate) -> Iterator[Fate]:
    for piece in pieces(fate.text):
        yield replace(fate, text=piece)


@dataclass(frozen=True, slots=True)
class Fold:
    """Several blocks in a row that were left out: a menu is fifty, and the text begins below it."""

    fates: tuple[Fate, ...]

    @property
    def kinds(self) -> list[tuple[str, int]]:
        return tally(self.fates)


def folded(fates: Sequence[Fate], least: int = FOLDED) -> list[Fate | Fold]:
    """The blocks, with long runs of left out ones as one `Fold`."""
    answer: list[Fate | Fold] = []
    for is_kept, run in groupby(fates, lambda fate: fate.is_kept):
        found = tuple(run)
        answer += [Fold(found)] if not is_kept and len(found) >= least else found
    return answer


def tally(fates: Sequence[Fate]) -> list[tuple[str, int]]:
    """How many blocks of each kind were left out, the most frequent first."""
    return Counter(fate.kind for fate in fates if not fate.is_kept).most_common()
