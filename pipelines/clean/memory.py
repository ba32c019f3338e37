"""Blocks seen on other pages of the same site: what many pages share belongs to the site, not to a story.

What a site taught is an argument of `clean`, kept by the corpus. A page teaches only its dropped blocks and short kept
ones; the long prose of an article never becomes template because three sites' front pages carry it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from pipelines.clean.view import Fate, Fates, View
from pipelines.decode import letters_of
from pipelines.reading.words import count_words
from pipelines.records import Document

HASH_MASK = 2**63 - 1  # SQLite's integers are signed
MIN_LETTERS = 4
MAX_WORDS = 120  # what a site repeats on every page is short
MOST_OF_BODY = 0.5  # no site's furniture is half of a story; a story that stands at three addresses is all of it
MAX_LEARNED = 400  # of one page; endless lists teach nothing
ONE_STORY = (
    3000  # a page with more kept words than this may hold several stories, and would make them look like template
)


TEMPLATE_OTHERS = 2  # on so many other pages of its site a block is template, whatever else speaks for it
ASSUMED_PAGES = 5  # of a site whose template is known without the counts


@dataclass(frozen=True, slots=True)
class SiteMemory:
    """What other pages of a site hold: on how many of them a block hash stands, and how many there are."""

    seen: Mapping[int, int] = field(default_factory=dict)
    pages: int = 0

    @classmethod
    def of_template(cls, template: frozenset[int]) -> SiteMemory:
        """A memory of template alone, as a corpus keeps it."""
        return cls(dict.fromkeys(template, ASSUMED_PAGES - 1), ASSUMED_PAGES) if template else cls()

    @property
    def template(self) -> frozenset[int]:
        return frozenset(block for block, count in self.seen.items() if count >= TEMPLATE_OTHERS)

    def without(self, blocks: frozenset[int]) -> SiteMemory:
        """The same memory as one of its own pages has to see it: the others'."""
        seen = {block: count - (block in blocks) for block, count in self.seen.items()}
        return SiteMemory({block: count for block, count in seen.items() if count}, max(0, self.pages - 1))


def block_hash(text: str) -> int:
    """63-bit hash of the letters and digits: the same for every spelling of a line, every run and machine."""
    return int.from_bytes(blake2b(letters_of(text).encode(), digest_size=8).digest(), "big") & HASH_MASK


def learnable(document: Document) -> frozenset[int]:
    """Hashes of the blocks this page teaches its site."""
    kept_words = sum(count_words(block.text) for block in document.blocks if block.is_kept)
    found: dict[int, None] = {}
    for block in document.blocks:
        if (
            block.kind in ("repeat", "title")
            or len(letters_of(block.text)) < MIN_LETTERS
            or count_words(block.text) > MAX_WORDS
        ):
            continue
        if block.is_kept and (kept_words > ONE_STORY or block.form == "table_row"):
            continue
        found[block_hash(block.text)] = None
        if len(found) >= MAX_LEARNED:
            break
    return frozenset(found)


def site_template(view: View) -> Fates:
    """Blocks that stand on many pages of the site; sub-headings and one-word lines of a text are left alone."""
    if not view.template:
        return {}
    found: Fates = {}
    for index, block in enumerate(view.blocks):
        if not view.is_open(index) or len(view.letters[index]) < MIN_LETTERS or view.words[index] > MAX_WORDS:
            continue
        if block_hash(block.text) in view.template:
            found[index] = Fate(
                "site_template", is_kept=False, reason="stands on many pages of this site", evidence=block.text[:80]
            )
    own = [index for index in range(len(view.blocks)) if view.is_candidate(index)]
    if is_story(view, found, own):
        return {index: fate for index, fate in found.items() if index not in own}
    return found


def is_story(view: View, found: Fates, own: list[int]) -> bool:
    """Tell whether what the site repeats is this page's story: a site may tell it at several addresses."""
    repeated = sum(view.words[index] for index in own if index in found)
    return repeated > MOST_OF_BODY * sum(view.words[index] for index in own)
