"""The glance: which blocks look like the article, by their place and looks alone, and whether that leaves doubt.

On three pages of four the text stands where it must, and whatever is asked besides says the same. Only the fourth is
worth the price of a second opinion: trafilatura's, which costs more than all the rest of a page, and the block model's.
How much doubt is left is what the trees themselves say: the words they would not bet on.

The trees in glance.json are made from pages with gold text, as the block model's are. On pages of sites they had not
seen, asking for a second opinion above `DOUBT` found as much of the text as asking always (F1 .9655 and .9659, 1,134 pages).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pipelines.reading.layout import Layout, main_heading, of_looks, of_order, of_place, table
from pipelines.reading.trees import Column, Flags, Trees, likelihood, read_trees
from pipelines.records import Block

NAMES = (
    "words", "chars", "ends_well", "form", "links", "links_before", "links_after", "words_after", "prose_at_path", "prose_in_box",
    "prose_in_box_around", "prose_two_around", "box_to_best", "blocks_at_path", "blocks_in_box", "links_in_box", "path_in_common", "path_apart",
    "word_position", "from_best_first", "from_best_last", "from_title", "page_blocks", "page_words", "from_heading", "heading_words",
    "in_article", "tag", "from_article", "named_away", "named_towards", "away_names", "in_form", "in_aside", "links_previous", "words_next",
)  # fmt: skip
AMID = 0.25  # measured: as many pages right from .1 to .3, and lists stay whole
DOUBT = 0.11  # words in doubt to words likely the article's: a quarter of the pages have more


@dataclass(frozen=True, slots=True)
class Glance:
    """What was seen: a probability for each block, and how much of the page is in doubt."""

    likely: Column
    doubt: float
    is_main: Flags

    @property
    def is_sure(self) -> bool:
        return self.doubt < DOUBT


@lru_cache(maxsize=1)
def shipped() -> Trees:
    """The trees that ship with the program; read once a process."""
    return read_trees("pipelines.reading", "glance.json", NAMES)


def glance(blocks: Sequence[Block], trees: Trees | None = None) -> Glance:
    """Look at blocks that have places and links; without any there is nothing to be sure of."""
    if not blocks:
        return Glance(np.zeros(0), np.inf, np.zeros(0, dtype=np.bool_))
    page = Layout(blocks)
    return seen(page, rows_of(page), trees or shipped())


def rows_of(page: Layout) -> Column:
    """One row a block, one column a name of `NAMES`."""
    columns = {**of_looks(page), **of_place(page), **of_order(page, main_heading(page.blocks))}
    return table(columns, NAMES, page.count)


def seen(page: Layout, rows: Column, trees: Trees) -> Glance:
    likely = likelihood(trees.log_odds(rows))
    in_doubt = float((page.words * np.minimum(likely, 1 - likely)).sum())
    doubt = in_doubt / max(1.0, float((page.words * likely).sum()))
    return Glance(likely, doubt, taken(page, likely, trees.threshold))


def taken(page: Layout, likely: Column, threshold: float) -> Flags:
    """What looks like the text; amid it, at a place it has, a block must look far less like it to go: items of a list, sub-headings."""
    found: Flags = likely >= threshold
    places = np.flatnonzero(found)
    if len(places):
        at_place = np.isin(page.path, page.path[places])
        inside = (page.index > places[0]) & (page.index < places[-1])
        found = found | (inside & at_place & (likely >= AMID))
    return found
