"""The same text twice on one page: hidden copies, mobile copies, copies for a "copy" button, doubled comments.

Exact means equal letters and digits (quotes, dashes, spaces may differ). Near means nearly all neighbouring word
pairs shared, and no differing number: two match reports differ in the score. A refrain, a short line, a table's cell
and a deliberate quotation may stand twice; a run of repeats may not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import pairwise

from pipelines.clean.view import Fate, Fates, View

Pair = tuple[str, str]  # of neighbouring words

ALONE_WORDS = 25  # a repeat that stands alone must be a paragraph: shorter ones are refrains and pulled quotes
NEAR_WORDS = 15  # below this one changed word changes too much to call two texts the same
NEAR_SHARE = 0.8  # of word pairs; one word changed in 30 leaves 0.87
STEP = 4  # blocks from one repeated block to the next of the same stretch; between them stand buttons and pictures
PREFERRED = (
    0.5  # share of the words the first reading took of another copy; with less of them the first one is not the text
)
COMMON = 8  # word pairs in more blocks than this find no pair worth comparing
_ASCII_TOKEN = re.compile(r"\w+")  # the same as the next one, in two thirds of the time
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")


def repeats(view: View) -> Fates:
    """Decide the second and later copies; of several copies the visible one that the first reading took for the text stays."""
    original = originals(view)
    strong = {
        index: first
        for index, first in original.items()
        if view.is_prose[index] and view.blocks[index].form not in ("code", "list_item")
    }
    found: Fates = {}
    for index, first in original.items():
        is_run = is_beside(index, first, strong, original)
        is_alone = view.words[index] >= ALONE_WORDS and view.blocks[index].form not in ("quote", "list_item")
        if (index in strong and (is_run or is_alone)) or (is_run and view.blocks[index].form != "table_row"):
            found[index] = Fate(
                "repeat",
                is_kept=False,
                reason="stands on the page already",
                evidence=f"block {first}: {view.blocks[first].text[:80]}",
            )
    return found


def is_beside(index: int, first: int, strong: dict[int, int], original: dict[int, int]) -> bool:
    """True when the neighbours repeat too, in the same order: then it is a copy of a stretch, not a refrain."""
    for step in (-2, -1, 1, 2):
        other = original.get(index + step)
        if other is not None and (index + step in strong) and (other - first) * step > 0 and abs(other - first) <= 4:
            return True
    return False


def originals(view: View) -> dict[int, int]:
    """Map each copy to the block it repeats."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, letters in enumerate(view.letters):
        if letters and view.fates.get(index) is None:
            groups[letters].append(index)
    found: dict[int, int] = {}
    for stretch in stretches([group for group in groups.values() if len(group) > 1]):
        chosen = best_copy(view, stretch)
        for group in stretch:
            found.update({index: group[chosen] for index in group if index != group[chosen]})
    near = [
        index
        for index in range(len(view.blocks))
        if index not in found and view.words[index] >= NEAR_WORDS and view.is_open(index)
    ]
    found.update(near_copies(view, near))
    return found


def stretches(groups: list[list[int]]) -> list[list[list[int]]]:
    """Equal blocks whose copies follow each other in the same order belong together: copies of one stretch of the page."""
    found: list[list[list[int]]] = []
    for group in groups:
        last = found[-1][-1] if found else []
        if len(last) == len(group) and all(0 < here - there <= STEP for here, there in zip(group, last, strict=True)):
            found[-1].append(group)
        else:
            found.append([group])
    return found


def best_copy(view: View, stretch: list[list[int]]) -> int:
    """Which copy of a stretch stays, all of it: one that is seen, and the first unless the first reading preferred another."""

    def weight(copy: int) -> tuple[int, int]:
        hidden = sum(view.blocks[group[copy]].is_hidden for group in stretch)
        return hidden, sum(view.words[group[copy]] for group in stretch if view.blocks[group[copy]].is_main)

    weights = [weight(copy) for copy in range(len(stretch[0]))]
    fewest = min(hidden for hidden, _ in weights)
    most = max(main for hidden, main in weights if hidden == fewest)
    return next(copy for copy, (hidden, main) in enumerate(weights) if hidden == fewest and main >= PREFERRED * most)


def near_copies(view: View, indices: list[int]) -> dict[int, int]:
    """Pairs of blocks that share nearly all word pairs; only blocks of which nearly all pairs stand in others are compared."""
    pairs = {index: word_pairs(view.blocks[index].text) for index in indices}
    seen: set[Pair] = set()
    twice: set[Pair] = set()
    for mine in pairs.values():
        twice |= mine & seen
        seen |= mine
    found: dict[int, int] = {}
    owners: dict[Pair, list[int]] = {}
    for index, mine in pairs.items():
        elsewhere = mine & twice
        if len(elsewhere) < NEAR_SHARE * len(mine):
            continue
        shared: dict[int, int] = {}
        for pair in elsewhere:
            others = owners.setdefault(pair, [])
            if len(others) < COMMON:
                for other in others:
                    shared[other] = shared.get(other, 0) + 1
            others.append(index)
        for other, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:3]:
            if other not in found and is_near(mine, pairs[other]):
                found[index] = other
                break
    return found


def word_pairs(text: str) -> set[Pair]:
    folded = text.casefold()
    words = (_ASCII_TOKEN if folded.isascii() else _TOKEN).findall(folded)
    return set(pairwise(words))


def is_near(one: set[Pair], other: set[Pair]) -> bool:
    """True when two sets of word pairs are nearly equal, and no number is among what differs."""
    if not one or not other or len(one & other) < NEAR_SHARE * len(one | other):
        return False
    return not any(word.isdigit() for pair in one ^ other for word in pair)
