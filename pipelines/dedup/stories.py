"""Same event in other words: which articles tell one story.

A story is not a cluster of copies. People graded pairs of articles as the same event; of those only one in a hundred shares
most of its wording. So texts are compared by their telling terms: words cut to a stem, pairs of characters where no
spaces are written, numbers, each weighed by how few of the texts have it. What every article of a topic says weighs
nothing, and that needs no model and no word list. Nothing is ever dropped because of a story.
"""

from __future__ import annotations

import math
import re
import sys
import unicodedata
from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from pipelines.dedup.shingles import SHINGLE_VERSION, normalise, tokens

EXCESS = (
    0.09  # cosine above what chance gives, from which two texts tell one event; tuned on graded pairs of ten languages
)
COHESION = 1.0  # two groups join when their texts are as alike as that on average: no chains
CHANCE = (
    0.1  # a usual likeness of unrelated texts of one language (.03 Chinese, .16 French), until enough texts are seen
)
CHANCE_TEXTS = 20  # so many texts of a language weigh as much as that guess
CHANCE_PERCENTILE = 90
CHANCE_SAMPLE = 200  # texts of a language compared with all others of it to learn its chance
MAX_TEXTS = 30  # a "story" larger than this is a topic
WINDOW = timedelta(days=7)  # the same words a fortnight later are the next event
STEM_CHARS = 5  # a poor man's stemmer that works in every alphabet; 4-6 measure alike
KOREAN_STEM_CHARS = 3  # a noun without its particle
TEXT_CHARS = 6000  # the event is told at the start; what follows is background
MAX_POSTINGS = 3000  # a term in more texts than this cannot bring two together, only count once they met

TERMS_VERSION = (
    f"t1 {SHINGLE_VERSION}"  # raise it with any change in `terms_of` or `stem`: stored terms are then counted anew
)
COUNT_MAX = 2**16 - 1

_IDEOGRAPH = re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")

Key = str | int
Weights = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryItem:
    """What grouping needs of an article."""

    id: Key
    title: str = ""
    text: str = ""
    language: str = ""
    published: datetime | None = None  # aware
    terms: Mapping[int, int] | None = None  # as `packed_terms` kept them; then title and text are not looked at


@dataclass(frozen=True, slots=True)
class Vectors:
    """The weighed terms of many texts: row i is `terms[starts[i]:starts[i + 1]]`; every row has length one.

    Small numbers (32 bits): a busy month has ten million terms.
    """

    starts: Numbers
    terms: NDArray[np.int32]
    weights: NDArray[np.float32]
    names: Sequence[Hashable]

    @property
    def owners(self) -> NDArray[np.int32]:
        """The row of each term."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))


def group(items: Iterable[StoryItem]) -> dict[Key, str]:
    """Return each item's story: the id (as text) of the story's earliest item, else of its first. A lone text is a story of one."""
    keys: list[Key] = []
    languages: list[str] = []
    times: list[float] = []

    def noted() -> Iterator[Mapping[Any, int]]:  # a text is let go once its terms are counted
        for item in items:
            keys.append(item.id)
            languages.append(sys.intern(item.language))
            times.append(item.published.timestamp() if item.published else math.nan)
            yield terms_of(item) if item.terms is None else item.terms

    story = join(similarities(weigh(noted()), languages, np.array(times, np.float64)), len(keys))
    first: dict[int, int] = {}
    for number, label in enumerate(story):
        best = first.setdefault(label, number)
        first[label] = min(best, number, key=lambda one: (math.isnan(times[one]), times[one], one))
    return {key: str(keys[first[label]]) for key, label in zip(keys, story, strict=True)}


def explain(items: Sequence[StoryItem], one: Key, other: Key, limit: int = 8) -> list[str]:
    """The terms that bring two of these texts together, the most telling first."""
    vectors = weigh(terms_of(item) for item in items)
    position = {item.id: number for number, item in enumerate(items)}
    first, second = row(vectors, position[one]), row(vectors, position[other])
    shares = {term: weight * second[term] for term, weight in first.items() if term in second}
    return [str(vectors.names[term]) for term in sorted(shares, key=lambda term: -shares[term])[:limit]]


def row(vectors: Vectors, number: int) -> dict[int, float]:
    part = slice(vectors.starts[number], vectors.starts[number + 1])
    return dict(zip(vectors.terms[part].tolist(), vectors.weights[part].tolist(), strict=True))


def terms_of(item: StoryItem) -> Counter[str]:
    """The terms of a text and how often each stands in it."""
    told = normalise(f"{item.title}\n{item.text}"[:TEXT_CHARS])
    words = tokens(told)
    found = Counter[str]()
    for word, count in Counter(words).items():  # in the order of their first places, as stems are then
        if len(word) > 1:
            term = stem(word)
            found[term] = found.get(term, 0) + count
    if _IDEOGRAPH.search(told):
        found.update(one + other for one, other in pairwise(words) if _IDEOGRAPH.match(one) and _IDEOGRAPH.match(other))
    return found


def packed_terms(item: StoryItem) -> bytes:
    """The terms of a text and their counts, each term as a hash of eight bytes: what is kept of an article for the next run."""
    found = terms_of(item)
    hashes = np.array([xxhash.xxh3_64_intdigest(term.encode("utf-8", "replace")) for term in found], "<u8")
    counts = np.minimum(np.array(list(found.values()), np.int64), COUNT_MAX).astype("<u2")
    return hashes.tobytes() + counts.tobytes()


def unpacked_terms(packed: bytes) -> dict[int, int]:
    """What `packed_terms` kept, in its order, so that the same sums come out to the last bit."""
    count = len(packed) // 10
    hashes, counts = np.frombuffer(packed, "<u8", count), np.frombuffer(packed, "<u2", count, 8 * count)
    return dict(zip(hashes.tolist(), counts.tolist(), strict=True))


def stem(word: str) -> str:
    """The start of a word without its accents: "wahlen" and "wahl" meet, as do "москве" and "москва"."""
    if word.isdigit():
        return word
    return word[:STEM_CHARS] if word.isascii() else stem_with_marks(word)


@lru_cache(200_000)
def stem_with_marks(word: str) -> str:
    """`stem` of a word that may have accents: what they are is looked up letter by letter."""
    if _HANGUL.match(word):
        return word[:KOREAN_STEM_CHARS]
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
    return plain[:STEM_CHARS]


def weigh(texts: Iterable[Mapping[Any, int]]) -> Vectors:
    """Weigh each term by its count (logarithm) and by how few texts have it."""
    numbers: dict[Hashable, int] = {}
    starts = [0]
    found, counts = array("i"), array("i")
    for text in texts:
        found.extend(numbers.setdefault(term, len(numbers)) for term in text)
        counts.extend(text.values())
        starts.append(len(found))
    terms = np.array(found, np.int32)
    rarity = np.log(len(starts) / np.maximum(np.bincount(terms, minlength=len(numbers)), 1))
    weights = (1 + np.log(np.array(counts, np.float32))) * rarity.astype(np.float32)[terms]
    vectors = Vectors(np.array(starts, np.int64), terms, weights, tuple(numbers))
    owners = vectors.owners
    lengths = np.sqrt(np.bincount(owners, weights * weights, len(starts) - 1))
    weights /= np.where(lengths > 0, lengths, 1.0).astype(np.float32)[owners]
    return vectors


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of texts with their likeness, in arrays: of thousands of texts there are too many for a dict.

    A pair's key is `one * count + other`, the lower number first; keys are sorted.
    """

    count: int
    keys: Numbers
    values: Weights

    def best_first(self, least: float) -> Iterator[tuple[int, int]]:
        """The pairs that are at least so much alike."""
        chosen = np.flatnonzero(self.values >= least)
        for place in chosen[np.argsort(-self.values[chosen], kind="stable")].tolist():
            yield divmod(int(self.keys[place]), self.count)

    def total(self, ones: Sequence[int], others: Sequence[int]) -> float:
        """The sum over all pairs of one of these with one of those; a pair that was not kept counts nothing."""
        rows, columns = np.array(ones, np.int64)[:, None], np.array(others, np.int64)[None, :]
        wanted = (np.minimum(rows, columns) * self.count + np.maximum(rows, columns)).ravel()
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return float(self.values[places][self.keys[places] == wanted].sum())


class Postings:
    """The same terms turned round: for each term its texts, so that one text is compared with many at once."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self.count = len(vectors.starts) - 1
        order = np.argsort(vectors.terms, kind="stable")
        self._owners = vectors.owners[order]
        self._weights = vectors.weights[order]
        sizes = np.bincount(vectors.terms, minlength=len(vectors.names))
        self._bounds = np.concatenate(([0], np.cumsum(sizes)))
        self._is_searched = (sizes > 1) & (sizes <= MAX_POSTINGS)

    def cosines(self, number: int) -> Weights:
        """The cosine of one text with every text."""
        terms, _ = self._row(number)
        return self._compared(number, self._bounds[terms], self._bounds[terms + 1])

    def following(self, ends: Sequence[int]) -> Iterator[Weights]:
        """For each text in turn its cosines with the texts after it, up to `ends` of it (never falling); others are 0.

        A posting is in order of texts, so what a term still has to offer lies between two marks that only move on.
        """
        first, last = self._bounds[:-1].copy(), self._bounds[:-1].copy()
        reached = 0
        for number, end in enumerate(ends):
            for entered in range(reached, end):
                last[self._row(entered)[0]] += 1
            reached = max(reached, end)
            terms, _ = self._row(number)
            first[terms] += 1
            yield self._compared(number, first[terms], last[terms])

    def _row(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        part = slice(self._vectors.starts[number], self._vectors.starts[number + 1])
        return self._vectors.terms[part], self._vectors.weights[part]

    def _compared(self, number: int, first: Numbers, last: Numbers) -> Weights:
        terms, weights = self._row(number)
        is_searched = self._is_searched[terms] & (last > first)
        rows, factors = gather(first[is_searched], last[is_searched], weights[is_searched])
        return np.bincount(self._owners[rows], self._weights[rows] * factors, self.count).astype(np.float64, copy=False)


def similarities(vectors: Vectors, languages: Sequence[str], times: Weights) -> Pairs:
    """How much more alike than by chance each pair of texts is, where that is worth keeping.

    `times`: seconds, NaN where unknown. Texts in order of time are compared within `WINDOW` only, which is faster.
    """
    postings = Postings(vectors)
    names = sorted(set(languages))
    group_of = np.array([names.index(language) for language in languages], np.int64)
    chance = np.array([chance_of(postings, np.flatnonzero(group_of == group)) for group in range(len(names))])
    scale = few(postings.count)
    floor = EXCESS * scale / 3  # below this a pair adds next to nothing to a mean
    window = WINDOW.total_seconds()
    is_ordered = bool((np.diff(times) >= 0).all())  # never true of NaN
    ends = np.searchsorted(times, times + window, "right") if is_ordered else np.full(postings.count, postings.count)
    keys, values = [np.empty(0, np.int64)], [np.empty(0)]
    for number, cosines in enumerate(postings.following(ends.tolist())):
        later = slice(number + 1, ends[number])
        excess = cosines[later] - scale * np.minimum(chance[group_of[number]], chance[group_of[later]])
        is_apart = np.abs(times[later] - times[number]) > window  # never true of NaN
        near = np.flatnonzero((excess >= floor) & ~is_apart)
        keys.append(number * postings.count + number + 1 + near)
        values.append(excess[near])
    return Pairs(postings.count, np.concatenate(keys), np.concatenate(values))


def chance_of(postings: Postings, members: Numbers) -> float:
    """How alike texts of one language are that tell of different events: its function words and stems decide that."""
    sample = members[:: max(1, len(members) // CHANCE_SAMPLE)]
    cosines = [postings.cosines(number)[members[members != number]] for number in sample.tolist()]
    seen = np.concatenate(cosines) if cosines else np.empty(0)
    if not len(seen):
        return CHANCE
    return float(
        (np.percentile(seen, CHANCE_PERCENTILE) * len(members) + CHANCE * CHANCE_TEXTS) / (len(members) + CHANCE_TEXTS)
    )


def few(count: int) -> float:
    """Among few texts rarity tells less and all cosines are lower, by about this."""
    return count / (count + 1)


def gather(first: Numbers, last: Numbers, weights: NDArray[np.float32]) -> tuple[Numbers, NDArray[np.float32]]:
    """The row numbers of several postings in one array, and for each row its term's weight."""
    sizes = last - first
    total = int(sizes.sum())
    offsets = np.repeat(first - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes) if total else np.empty(0, np.int64)
    return np.arange(total) + offsets, np.repeat(weights, sizes)


def join(found: Pairs, count: int) -> list[int]:
    """Join the most alike first; two groups only when they are alike as wholes and stay a story in size."""
    least = EXCESS * few(count)
    label = list(range(count))
    members = {number: [number] for number in range(count)}
    for one, other in found.best_first(least):
        first, second = label[one], label[other]
        if first == second or len(members[first]) + len(members[second]) > MAX_TEXTS:
            continue
        pairs = len(members[first]) * len(members[second])
        if pairs > 1 and found.total(members[first], members[second]) < COHESION * least * pairs:
            continue
        for number in members[second]:
            label[number] = first
        members[first] += members.pop(second)
    return label
