"""Two texts side by side: sentence by sentence, and word by word where a sentence was changed. Pure.

Sentences are matched first, so that a long text costs no more than its sentences; words are compared only within what stands at the
same place. Both have limits: what is larger shows as taken out and put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pipelines.serve.portions import LEAST_ROOM, pieces, weight
from pipelines.store.values import sentences

MAX_SENTENCES = 3_000  # of one text; the longest real article has a tenth of that
MAX_WORDS = 600  # in two sentences together, spaces counted, to be compared word by word
WORD_PAIRS = (
    2_000_000  # compared in all for one page; then sentences are shown whole. A made-up text could ask for hours
)
ALIKE = 0.4  # share of words two sentences must have in common to be one that was changed
MAX_TRIED = 20  # sentences on the other side among which one looks for itself
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]|\w+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Run:
    """Some words in a row, which both texts have or only this one."""

    text: str
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """What stands at the same place of both texts; an empty side has nothing there."""

    left: tuple[Run, ...]
    right: tuple[Run, ...]
    is_same: bool

    @property
    def room(self) -> int:
        return LEAST_ROOM + sum(weight(run.text) + 11 for run in (*self.left, *self.right))


@dataclass(frozen=True, slots=True)
class Comparison:
    """All pairs in order, and what they sum up to."""

    pairs: tuple[Pair, ...]
    same: int = 0  # sentences in both
    only_left: int = 0
    only_right: int = 0
    is_cut: bool = False


def compare(before: str, after: str) -> Comparison:
    """Put two texts side by side."""
    left, right = split(before), split(after)
    is_cut = len(left) > MAX_SENTENCES or len(right) > MAX_SENTENCES
    left, right = left[:MAX_SENTENCES], right[:MAX_SENTENCES]
    pairs: list[Pair] = []
    counts, budget = [0, 0, 0], Budget()
    matcher = SequenceMatcher(None, [key(one) for one in left], [key(one) for one in right])
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            counts[0] += end - start
            pairs += [
                Pair((Run(one, is_changed=False),), (Run(other, is_changed=False),), is_same=True)
                for one, other in zip(left[start:end], right[first:last], strict=True)
            ]
        else:
            counts[1] += end - start
            counts[2] += last - first
            pairs += changed(left[start:end], right[first:last], budget)
    return Comparison(tuple(pairs), counts[0], counts[1], counts[2], is_cut)


def split(text: str) -> list[str]:
    """Sentences, none longer than a page holds."""
    return [piece for sentence in sentences(text) for piece in pieces(sentence)]


def key(sentence: str) -> str:
    """Two sentences that differ in white space, in case or in their quotation marks are one."""
    return " ".join(sentence.casefold().translate(QUOTES).split())


QUOTES = dict.fromkeys(map(ord, "“”„«»〝〞＂"), '"') | dict.fromkeys(map(ord, "‘’‚‹›＇"), "'")


@dataclass(slots=True)
class Budget:
    """How much may still be compared word by word."""

    left: int = WORD_PAIRS

    def takes(self, ours: int, theirs: int) -> bool:
        if ours + theirs > MAX_WORDS or ours * theirs > self.left:
            return False
        self.left -= ours * theirs
        return True


def changed(left: Sequence[str], right: Sequence[str], budget: Budget) -> Iterator[Pair]:
    """A passage that differs: sentences alike enough stand side by side in words, the others alone."""
    at, terms = 0, [terms_of(other) for other in right]
    for one in left:
        match = best_match(terms_of(one), terms, at)
        if match is None:
            yield Pair((Run(one, True),), (), False)
            continue
        yield from (Pair((), (Run(other, True),), False) for other in right[at:match])
        yield in_words(one, right[match], budget)
        at = match + 1
    yield from (Pair((), (Run(other, True),), False) for other in right[at:])


def terms_of(sentence: str) -> frozenset[str]:
    """Its words; of Chinese and Japanese, which write no spaces, its pairs of characters."""
    plain = key(sentence)
    if plain.count(" ") * 12 < len(plain):
        return frozenset(plain[place : place + 2] for place in range(len(plain) - 1))
    return frozenset(plain.split())


def best_match(terms: frozenset[str], others: Sequence[frozenset[str]], start: int) -> int | None:
    """Where a sentence stands on the other side, changed; None when it does not."""
    best, place = ALIKE, None
    for number in range(start, min(len(others), start + MAX_TRIED)):
        common = len(terms & others[number]) / max(1, len(terms | others[number]))
        if common > best:
            best, place = common, number
    return place


def in_words(one: str, other: str, budget: Budget) -> Pair:
    """Two sentences, word by word."""
    left, right = _WORD.findall(one), _WORD.findall(other)
    if not budget.takes(len(left), len(right)):
        return Pair((Run(one, True),), (Run(other, True),), False)
    ours: list[Run] = []
    theirs: list[Run] = []
    for tag, start, end, first, last in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        is_changed = tag != "equal"
        if end > start:
            ours.append(Run("".join(left[start:end]), is_changed))
        if last > first:
            theirs.append(Run("".join(right[first:last]), is_changed))
    return Pair(tuple(ours), tuple(theirs), False)


def additions(original: str, copy: str) -> tuple[list[str], int]:
    """What a copy says that its original does not, and how many sentences of the original it leaves out."""
    known = {key(sentence) for sentence in sentences(original)}
    said = {key(sentence) for sentence in sentences(copy)}
    added = [sentence for sentence in sentences(copy) if key(sentence) not in known]
    return added, len(known - said)


def folded(pairs: Sequence[Pair], context: int = 1) -> list[Pair | int]:
    """The pairs with long runs of same ones as their number, but for `context` at each end."""
    answer: list[Pair | int] = []
    run: list[Pair] = []
    for pair in (*pairs, None):
        if pair is not None and pair.is_same:
            run.append(pair)
            continue
        if len(run) > 2 * context + 1:
            head, tail = run[:context] if answer else [], run[-context:] if pair is not None else []
            answer += [*head, len(run) - len(head) - len(tail), *tail]
        else:
            answer += run
        run = []
        if pair is not None:
            answer.append(pair)
    return answer
