"""A document laid out for judging: every block with what the passes ask of it, worked out once.

A pass is a function from a view to the fates it is sure of. It changes nothing, so passes can be read, tested and
reordered alone; the next pass sees the fates found before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pipelines.clean.cue_words import cues_for
from pipelines.decode import letters_of
from pipelines.reading.words import LINKED, PROSE_WORDS, count_words, ends_well
from pipelines.records import Block, Document, Record

TITLE_LETTERS = 8  # a shorter title may be any line
OPENED_WORDS = 40  # prose that a title must have after it to be where the text begins
BODY_SHARE = 0.2  # share of the kept prose a path must hold to count as a place of the body


class Fate(Record, frozen=True, gc=False):
    """What becomes of a block, why, and what was seen."""

    kind: str
    is_kept: bool
    reason: str
    evidence: str = ""


Fates = dict[int, Fate]
BODY = Fate("article", is_kept=True, reason="body")


@dataclass
class View:
    """A document and the fates found so far."""

    document: Document
    fates: Fates
    template: frozenset[int] = frozenset()  # hashes of blocks that this site repeats

    def with_fates(self, found: Fates, *, is_final: bool = False) -> View:
        """The same view with more fates; what was decided before stays, unless the new ones are final."""
        fates = {**self.fates, **found} if is_final else {**found, **self.fates}
        return View(self.document, fates, self.template).with_worked_out(self)

    def of_site(self, template: frozenset[int]) -> View:
        """The same view of a page whose site repeats these blocks."""
        return View(self.document, self.fates, template).with_worked_out(self)

    def with_worked_out(self, other: View) -> View:
        """This view with what another one of the same document worked out of its words."""
        for name in ("letters", "words", "cues", "is_text", "is_prose", "ends_well", "opening", "opened"):
            if name in other.__dict__:
                self.__dict__[name] = other.__dict__[name]
        return self

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        return self.document.blocks

    @cached_property
    def is_text(self) -> bool:
        """True for a page flattened to text: there is no path, no link, no form to go by."""
        return not any(block.path for block in self.blocks)

    @cached_property
    def letters(self) -> list[str]:
        return [letters_of(block.text) for block in self.blocks]

    @cached_property
    def words(self) -> list[int]:
        return [count_words(block.text) for block in self.blocks]

    @cached_property
    def cues(self) -> list[Mapping[str, str]]:
        """The kinds each block announces, with the phrase."""
        return cues_for(self.document.language).find_all([block.text for block in self.blocks])

    @cached_property
    def is_prose(self) -> list[bool]:
        """True for blocks that are whole sentences at length, not links and not cut off."""
        return [
            words >= PROSE_WORDS and block.link_density < LINKED and block.form != "table_row" and ends
            for block, words, ends in zip(self.blocks, self.words, self.ends_well, strict=True)
        ]

    @cached_property
    def ends_well(self) -> list[bool]:
        """True for blocks that end as a sentence does."""
        return [ends_well(block.text) for block in self.blocks]

    def is_open(self, index: int) -> bool:
        """True while no pass has decided the block."""
        return index not in self.fates

    def is_candidate(self, index: int) -> bool:
        """True when nothing is decided and the page's structure speaks for the block (in flattened text: always)."""
        return index not in self.fates and (self.is_text or self.blocks[index].is_main)

    @cached_property
    def opening(self) -> int:
        """Index of the title in the page's markup, where the text begins after it; -1 where nobody can say.

        It is the only main heading, says just what the title says, and prose stands after it in the element around both.
        """
        wanted = letters_of(self.document.title)
        found = [at for at, block in enumerate(self.blocks) if block.level == 1 and not block.is_hidden]
        if len(found) != 1 or len(wanted) < TITLE_LETTERS or self.letters[found[0]] != wanted:
            return -1
        title = found[0]
        after = sum(
            self.words[at] for at in range(title + 1, len(self.blocks)) if self.is_prose[at] and self.blocks[at].is_main
        )
        return title if after >= OPENED_WORDS else -1

    @cached_property
    def body(self) -> list[int]:
        """Indices of prose that is likely the article's."""
        return [
            index
            for index, is_prose in enumerate(self.is_prose)
            if is_prose and self.is_candidate(index) and not self.is_before(index)
        ]

    @cached_property
    def opened(self) -> str:
        """The path of the innermost element around the title and the text after it."""
        after = next(
            at for at in range(self.opening + 1, len(self.blocks)) if self.is_prose[at] and self.blocks[at].is_main
        )
        return common(self.blocks[self.opening].path, self.blocks[after].path)

    def is_before(self, index: int) -> bool:
        """True for what stands above the title, and not in the element that holds the title and the text after it."""
        return index < self.opening and not self.blocks[index].path.startswith(self.opened)

    @cached_property
    def start(self) -> int:
        """Index of the first prose of the body; the number of blocks when there is none."""
        return self.body[0] if self.body else len(self.blocks)

    @cached_property
    def body_paths(self) -> set[str]:
        """Paths at which a good share of the body stands."""
        return self.paths_of(self.body)

    def paths_of(self, indices: list[int]) -> set[str]:
        shares: Counter[str] = Counter()
        for index in indices:
            shares[self.blocks[index].path] += self.words[index]
        total = sum(shares.values())
        return {path for path, words in shares.items() if words >= BODY_SHARE * total}

    def all_fates(self) -> list[Fate]:
        """Every block's fate; what no pass decided is the article's."""
        return [self.fates.get(index, BODY) for index in range(len(self.blocks))]

    def decided(self) -> Document:
        """The document with every block's fate written on it."""
        blocks = [
            Block(  # written out: replace() takes four times as long, and a page has hundreds of blocks
                text=block.text,
                form=block.form,
                level=block.level,
                path=block.path,
                link_density=block.link_density,
                is_hidden=block.is_hidden,
                is_main=block.is_main,
                kind=fate.kind,
                is_kept=fate.is_kept,
                reason=fate.reason,
                evidence=fate.evidence[:200],
            )
            for block, fate in zip(self.blocks, self.all_fates(), strict=True)
        ]
        return replace(self.document, blocks=tuple(blocks))


def common(one: str, other: str) -> str:
    """The path of the innermost element around both."""
    steps = []
    for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if left != right:
            break
        steps.append(left)
    return "/".join(steps) + "/"
