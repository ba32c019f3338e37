"""What trafilatura keeps of a page, marked on the page's own blocks: the second opinion, asked where the glance leaves doubt.

trafilatura is called here and nowhere else, so its next release touches this file and the golden pages, no more. Its text has lost
the tie to the elements; the marks bring it back, and cleaning decides.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lxml import etree

from pipelines.decode import letters_of
from pipelines.reading.words import LINKED
from pipelines.records import Block

COVERED = 0.6  # share of a block's letters that trafilatura must have kept for the block to count as kept
COPY_STEP = 4  # blocks from one repeated block to the next within one copy of the text
SENTENCE_CHARS = 30  # shorter text may stand in many places by chance, so it must be a whole line to match
PARAGRAPH_CHARS = 80
PAGE_CHARS = 600  # a page with less text than this has nothing to look for
LITTLE = 0.3  # share of the page's paragraphs; below it the fast way missed the body more often than not

UNREAD = (  # what trafilatura deletes sooner or later
    "nav", "button", "svg", "style", "template", "aside", "footer", "menu", "select", "dialog", "img", "picture", "source", "iframe", "canvas", "link", "meta",
    "input", "embed", "object", "map", "area", "audio", "video", "track", "param", "fencedframe", "applet", "use",
)  # fmt: skip

# 256 elements deep: no real page of 1,100 is, and where 500 links are nested in one another trafilatura needs minutes
_TOO_DEEP = etree.XPath("boolean(" + "/*" * 257 + ")")


def load_trafilatura() -> None:
    """Import it, a fifth of a second, for a process that is about to be copied."""
    import trafilatura  # noqa: F401


def kept_by_trafilatura(blocks: list[Block], root: Any, url: str, glimpsed: Sequence[bool]) -> list[Block]:
    """Mark what trafilatura's fast way keeps, and where that is too little, what was glimpsed, too: for each block, whether the glance took it.

    trafilatura's own fallbacks would be next. They find no more than the glance did, and took a fourth of all the time of a page.
    """
    etree.strip_elements(root, *UNREAD, with_tail=False)
    found = marked(blocks, main_text(root, url))
    if not keeps_too_little(found):
        return found
    marks = zip(found, glimpsed, strict=True)
    return [block.changed(is_main=True) if took and not block.is_main else block for block, took in marks]


def keeps_too_little(blocks: Sequence[Block]) -> bool:
    """True when most whole paragraphs of the page were left out."""
    whole = [block for block in blocks if len(block.text) >= PARAGRAPH_CHARS and block.link_density < LINKED]
    shown = [block for block in whole if not block.is_hidden]
    # with hardly a paragraph to be seen, a script shows the hidden ones
    counted = shown if sum(len(block.text) for block in shown) > PAGE_CHARS else whole
    paragraphs = [(len(block.text), block.is_main) for block in counted]
    total = sum(size for size, _ in paragraphs)
    return total > PAGE_CHARS and sum(size for size, is_main in paragraphs if is_main) < LITTLE * total


def main_text(root: Any, url: str) -> str:
    """What trafilatura keeps of the page; "" when it finds nothing or fails on it (then cleaning looks for itself)."""
    import trafilatura

    if _TOO_DEEP(root):
        return ""
    try:
        found = trafilatura.bare_extraction(root, url=url, include_comments=False, with_metadata=False, fast=True)
    except Exception:  # noqa: BLE001 - a foreign parser on hostile markup raises anything; the blocks are ours already
        return ""
    return found.text or "" if found is not None and not isinstance(found, dict) else ""


def marked(blocks: Sequence[Block], main: str) -> list[Block]:
    """Mark the blocks whose text trafilatura kept.

    Its text has lost the tie to the elements, so text is matched by letters and digits alone: a block is kept when
    its text holds the block, or the block holds lines that make up most of it. Where the same words stand in
    several blocks, the visible ones beside other kept blocks are meant.
    """
    lines = [letters_of(line) for line in main.splitlines()]
    whole_lines = Counter(lines)
    sentences = [line for line in whole_lines if len(line) >= SENTENCE_CHARS]
    run = "".join(lines)
    keys = [letters_of(block.text) for block in blocks]
    places: dict[str, list[int]] = defaultdict(list)
    for index, letters in enumerate(keys):
        if letters and (is_in_main(letters, whole_lines, sentences, run) or is_amid(keys, index, run)):
            places[letters].append(index)
    sure = {index for found in places.values() if len(found) == 1 for index in found}
    kept: set[int] = set(sure)
    last = -COPY_STEP
    for letters, found in places.items():
        if len(found) > 1:
            count = max(whole_lines[letters], run.count(letters) if len(letters) >= SENTENCE_CHARS else 0, 1)
            chosen = sorted(found, key=partial(preference, blocks=blocks, sure=sure, last=last))[:count]
            kept.update(chosen)
            last = chosen[0]
    return [block.changed(is_main=True) if index in kept else block for index, block in enumerate(blocks)]


def preference(index: int, blocks: Sequence[Block], sure: set[int], last: int) -> tuple[bool, bool, int, int]:
    """Of several blocks with the same words: one that is seen, goes on where the last choice stood, is beside kept ones."""
    return blocks[index].is_hidden, not 0 < index - last <= COPY_STEP, distance(index, sure), index


def is_amid(keys: Sequence[str], index: int, run: str) -> bool:
    """True for short text that stands in trafilatura's text directly beside its neighbour of the page."""
    letters = keys[index]
    if not 2 <= len(letters) < SENTENCE_CHARS:
        return False
    after = keys[index + 1][:SENTENCE_CHARS] if index + 1 < len(keys) else ""
    before = keys[index - 1][-SENTENCE_CHARS:] if index else ""
    return (len(after) >= 8 and letters + after in run) or (len(before) >= 8 and before + letters in run)


def distance(index: int, sure: set[int]) -> int:
    """Steps to the nearest block that is surely kept, up to 12."""
    return next((step for step in range(1, 12) if index - step in sure or index + step in sure), 12)


def is_in_main(letters: str, whole_lines: Mapping[str, int], sentences: Sequence[str], run: str) -> bool:
    if letters in whole_lines:
        return True
    if len(letters) < SENTENCE_CHARS:
        return False
    if letters in run:
        return True
    inside = sum(len(line) for line in sentences if line in letters)
    return inside >= COVERED * len(letters)
