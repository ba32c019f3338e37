"""Two texts beside each other: how much they share, and whether that makes them copies.

The one place with the rule, used for an article and its candidates and for the lines of a file. Containment (shared
shingles over the smaller set) is the measure, because a truncated copy is wholly contained but little alike. What half
the trade shares (templates, boilerplate, background) is left out of the count, and different figures veto.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipelines.dedup.numbers import Figures, agree, figures
from pipelines.dedup.shingles import Hashes, normalise, shingles_of_words, tokens

NEAR_JACCARD = 0.5  # from here on the whole text is alike, not only a part of it
MIN_SHARED = 5  # shingles: nine words in a row; less is a phrase
SHORT_WORDS = 50  # below this one edit moves everything, and a quotation is as long as the text
SHORT_WINDOW_DAYS = 3  # a notice of a few lines is copied at once; in the same words a week later it is the next notice
SHORT_SIZE_RATIO = 0.5  # two short items of about one length are compared by the usual measure…
SHORT_PART_CONTAINMENT = 0.85  # …a short text as a part of a long one must stand there nearly whole
SKETCH_CACHE = 512  # texts; an article's candidates come back with the next copy

NOTHING_COMMON: Hashes = np.empty(0, np.uint64)


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a comparison needs of a text."""

    shingles: Hashes
    figures: Figures
    words: int


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two sketches share."""

    shared: int
    smaller: int  # shingles of the smaller set
    larger: int
    rare_shared: int  # with common shingles left out
    rare_smaller: int
    figures_agree: bool

    @property
    def jaccard(self) -> float:
        return self.shared / (self.smaller + self.larger - self.shared) if self.larger else 0.0

    @property
    def containment(self) -> float:
        return self.shared / self.smaller if self.smaller else 0.0

    @property
    def rare_containment(self) -> float:
        return self.rare_shared / self.rare_smaller if self.rare_smaller else 0.0


@lru_cache(SKETCH_CACHE)
def sketch(text: str) -> Sketch:
    words = tokens(normalise(text))
    return Sketch(shingles_of_words(words), figures(words), len(words))


def likeness(one: Sketch, other: Sketch, common: Hashes = NOTHING_COMMON) -> Likeness:
    """Measure two sketches; `common` are shingles known to stand in many texts of different origin (sorted)."""
    smaller, larger = sorted((one.shingles, other.shingles), key=len)
    shared = np.intersect1d(smaller, larger, assume_unique=True)
    rare_shared, rare_smaller = len(shared), len(smaller)
    if len(common):
        rare_shared = count_rare(shared, common)
        rare_smaller = min(count_rare(smaller, common), count_rare(larger, common))
    return Likeness(
        shared=len(shared),
        smaller=len(smaller),
        larger=len(larger),
        rare_shared=rare_shared,
        rare_smaller=rare_smaller,
        figures_agree=agree(one.figures, other.figures),
    )


def count_rare(hashes: Hashes, common: Hashes) -> int:
    return len(hashes) - int(np.isin(hashes, common, assume_unique=True).sum())


def is_copy(found: Likeness, shorter_words: int, containment: float, *, is_same_site: bool = False) -> bool:
    """The rule: enough of the shorter text's own words stands in the other, and the figures agree.

    Two pages of one site share its boilerplate, so they must be alike as wholes.
    """
    if found.rare_shared < MIN_SHARED or not found.figures_agree:
        return False
    if shorter_words < SHORT_WORDS and found.smaller < SHORT_SIZE_RATIO * found.larger:
        containment = max(containment, SHORT_PART_CONTAINMENT)
    if found.rare_containment < containment:
        return False
    return not is_same_site or found.jaccard >= NEAR_JACCARD


def window_days(shorter_words: int, usual: int) -> int:
    """How many days may lie between a text and its copy."""
    return min(usual, SHORT_WINDOW_DAYS) if shorter_words < SHORT_WORDS else usual
