"""Clusters of copies among many texts known at once.

With all texts at hand more can be known than when they come one by one: which shingles are common property. Texts are
first joined where they are plainly the same; a shingle that then stands in more than four clusters (a footer, a
template's words) proves nothing and is left out when the rule is asked again. This is worth thirty points of F1.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray

from pipelines.config import DedupConfig
from pipelines.dedup.compare import NEAR_JACCARD, SHORT_WORDS, Likeness, is_copy, window_days
from pipelines.dedup.decide import COMMON_CLUSTERS
from pipelines.dedup.numbers import Figures, agree, figures
from pipelines.dedup.pairs import candidate_pairs
from pipelines.dedup.shingles import (
    MIN_WORDS,
    Hashes,
    fingerprints,
    hash_of_normalised,
    normalise,
    shingles_of_words,
    tokens,
)
from pipelines.dedup.spill import Spill
from pipelines.dedup.walls import is_wall

PROVISIONAL_CONTAINMENT = 0.8  # plainly the same: two false pairs in 1,700 on labelled news
JOINING_CONTAINMENT = 0.8  # two clusters are joined by a strong link only, or templates chain
DAY_S = 86_400.0
_COUNTER_BITS = 26  # 64 MB of counters; with 100,000 articles one shingle in 250 looks common by chance


@dataclass(slots=True)
class Texts:
    """Texts as they were read, in order; only numbers stay in memory."""

    window_days: int
    first_of: list[int] = field(default_factory=list)  # the earlier text with the same hash, or itself
    words: array[int] = field(default_factory=lambda: array("I"))
    times: array[float] = field(default_factory=lambda: array("d"))  # seconds since 1970; nan: unknown
    shingles: Spill = field(default_factory=Spill)
    places: Spill = field(default_factory=Spill)
    filled: Spill = field(default_factory=Spill)
    _by_hash: dict[int, int] = field(default_factory=dict)
    _prints: array[int] = field(default_factory=lambda: array("Q"))
    _owners: array[int] = field(default_factory=lambda: array("I"))

    def add(self, text: str, time: float = nan) -> None:
        """Read one text. A text too short to compare, or a wall, gets no shingles and matches nothing."""
        number = len(self.first_of)
        normalised = normalise(text)
        words = tokens(normalised)
        is_nothing = len(words) < MIN_WORDS or is_wall(text)
        first = number if is_nothing else self.earlier_copy(number, normalised, len(words), time)
        self.first_of.append(first)
        self.words.append(len(words))
        self.times.append(time)
        if first != number or is_nothing:
            words = []
        hashes, found = shingles_of_words(words), figures(words)
        self.shingles.append(hashes)
        self.places.append(found.places)
        self.filled.append(found.filled)
        prints = fingerprints(hashes)
        self._prints.extend(prints)
        self._owners.extend([number] * len(prints))

    def earlier_copy(self, number: int, normalised: str, words: int, time: float) -> int:
        """The earlier text with the same words, or `number` itself. Short ones come back: "rates unchanged" is news again."""
        key = int(hash_of_normalised(normalised)[:16], 16)
        first = self._by_hash.setdefault(key, number)
        if first != number and words < SHORT_WORDS and abs(self.times[first] - time) > self.span_s(words):
            self._by_hash[key] = first = number
        return first

    def span_s(self, shorter_words: int) -> float:
        return window_days(shorter_words, self.window_days) * DAY_S

    def is_within(self, one: int, other: int) -> bool:
        apart = abs(self.times[one] - self.times[other])
        return not apart > self.span_s(min(self.words[one], self.words[other]))  # nan compares false: within

    def finish(self) -> tuple[Hashes, NDArray[np.uint32]]:
        """End reading; return the fingerprint index."""
        for spill in (self.shingles, self.places, self.filled):
            spill.finish()
        return np.frombuffer(self._prints, np.uint64), np.frombuffer(self._owners, np.uint32)

    def figures_agree(self, one: int, other: int) -> bool:
        return agree(Figures(self.places[one], self.filled[one]), Figures(self.places[other], self.filled[other]))

    def likeness(self, one: int, other: int) -> Likeness:
        """What two texts share, common shingles and figures not looked at."""
        smaller, larger = sorted((self.shingles.length(one), self.shingles.length(other)))
        shared = len(shared_of(self.shingles[one], self.shingles[other])) if smaller else 0
        return Likeness(
            shared=shared, smaller=smaller, larger=larger, rare_shared=shared, rare_smaller=smaller, figures_agree=True
        )

    def close(self) -> None:
        for spill in (self.shingles, self.places, self.filled):
            spill.close()


@dataclass(frozen=True, slots=True)
class Link:
    """Two texts that are copies, and how strongly."""

    one: int
    other: int
    jaccard: float
    containment: float  # of rare shingles


def clusters_of(texts: Texts, config: DedupConfig) -> list[int]:
    """Return for each text the number of its cluster's first text."""
    prints, owners = texts.finish()
    pairs = [
        (one, other, texts.likeness(one, other))
        for one, other in zip(*(column.tolist() for column in candidate_pairs(prints, owners)), strict=True)
        if one != other and texts.is_within(one, other)
    ]
    floor = config.containment / 4  # common shingles may be three quarters of a text
    suspects = [
        (one, other, found)
        for one, other, found in pairs
        if found.containment >= floor and texts.figures_agree(one, other)
    ]
    plain = Groups(texts)
    for one, other, found in suspects:
        if found.containment >= PROVISIONAL_CONTAINMENT:
            plain.join(one, other)
    common = CommonShingles(texts, plain.labels(), {number for one, other, _ in pairs for number in (one, other)})
    groups = Groups(texts)
    links = sorted(
        verified(texts, suspects, common, config),
        key=lambda link: (-max(link.jaccard, link.containment), link.one, link.other),
    )
    for link in links:
        groups.join(
            link.one, link.other, is_strong=link.jaccard >= NEAR_JACCARD or link.containment >= JOINING_CONTAINMENT
        )
    labels = groups.labels()
    return [labels[first] for first in texts.first_of]


def verified(
    texts: Texts, suspects: Sequence[tuple[int, int, Likeness]], common: CommonShingles, config: DedupConfig
) -> Iterator[Link]:
    """Ask the rule with common shingles left out."""
    for one, other, plain in suspects:
        found = plain
        rare = min(common.rare(one), common.rare(other))
        if rare < plain.smaller:
            shared = shared_of(texts.shingles[one], texts.shingles[other])
            found = Likeness(
                shared=plain.shared,
                smaller=plain.smaller,
                larger=plain.larger,
                rare_shared=common.count_rare(shared),
                rare_smaller=rare,
                figures_agree=True,
            )
        if is_copy(found, min(texts.words[one], texts.words[other]), config.containment):
            yield Link(one, other, found.jaccard, found.rare_containment)


def shared_of(one: Hashes, other: Hashes) -> Hashes:
    """The hashes in both of two sorted sets."""
    smaller, larger = (one, other) if len(one) <= len(other) else (other, one)
    at = np.searchsorted(larger, smaller)
    at[at == len(larger)] = 0
    shared: Hashes = smaller[larger[at] == smaller]
    return shared


class CommonShingles:
    """In how many different clusters each shingle stands: a table of small counters, addressed by the hash."""

    def __init__(self, texts: Texts, labels: Sequence[int], involved: set[int]) -> None:
        self._texts = texts
        self._counters = np.zeros(2**_COUNTER_BITS if len(involved) > 10_000 else 2**20, np.uint8)
        self._rare: dict[int, int] = {}
        members: dict[int, list[int]] = {}
        for number in sorted(involved):
            members.setdefault(labels[number], []).append(number)
        for numbers in members.values():
            hashes = (
                texts.shingles[numbers[0]]
                if len(numbers) == 1
                else np.concatenate([texts.shingles[number] for number in numbers])
            )
            slots = np.unique(self._slots(hashes))
            self._counters[slots] = np.minimum(self._counters[slots], COMMON_CLUSTERS) + 1

    def _slots(self, hashes: Hashes) -> NDArray[np.int64]:
        return (hashes & np.uint64(len(self._counters) - 1)).astype(np.int64)

    def count_rare(self, hashes: Hashes) -> int:
        """How many of these shingles are no common property."""
        return int((self._counters[self._slots(hashes)] <= COMMON_CLUSTERS).sum())

    def rare(self, number: int) -> int:
        """How many shingles of its own a text has."""
        if number not in self._rare:
            self._rare[number] = self.count_rare(self._texts.shingles[number])
        return self._rare[number]


class Groups:
    """Disjoint sets of texts that know their size and the span of their times."""

    def __init__(self, texts: Texts) -> None:
        self._parent = list(range(len(texts.first_of)))
        self._size = [1] * len(self._parent)
        self._earliest, self._latest = list(texts.times), list(texts.times)
        self._texts = texts

    def find(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = number = self._parent[self._parent[number]]
        return number

    def join(self, one: int, other: int, *, is_strong: bool = True) -> None:
        """Join two sets; not two grown ones by a weak link, and nothing that would outlast the window."""
        first, second = sorted((self.find(one), self.find(other)))
        if first == second or (not is_strong and self._size[first] > 1 and self._size[second] > 1):
            return
        earliest = least(self._earliest[first], self._earliest[second])
        latest = -least(-self._latest[first], -self._latest[second])
        if latest - earliest > self._texts.span_s(min(self._texts.words[one], self._texts.words[other])):
            return
        self._parent[second] = first
        self._size[first] += self._size[second]
        self._earliest[first], self._latest[first] = earliest, latest

    def labels(self) -> list[int]:
        return [self.find(number) for number in range(len(self._parent))]


def least(one: float, other: float) -> float:
    """The smaller of two times, of which each may be unknown."""
    if isnan(one) or isnan(other):
        return other if isnan(one) else one
    return min(one, other)
