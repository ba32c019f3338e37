"""A page's blocks as numbers: what they look like, where they stand, what stands around them. Worked out for all at once.

Columns are built with numpy over all blocks, so that a page of a thousand blocks costs little more than one of fifty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.reading.trees import Column, Flags
from pipelines.reading.words import LINKED, PROSE_WORDS, container, count_words, ends_well
from pipelines.records import Block

Columns = dict[str, Any]  # arrays, lists or one number for all blocks

NEAR = 5  # blocks before and after that count as the neighbourhood
FAR = 999.0  # stands for "there is none"
NONE = -1
STEPS_KEPT = 8192  # of paths, in memory with what they say: pages of a site share theirs
FORMS = ("paragraph", "quote", "list_item", "heading", "table_row", "caption", "code", "other")  # from body to not
TAGS = (
    "p", "div", "span", "li", "td", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "blockquote", "figcaption", "body", "tr",
    "dd", "dt",
)  # fmt: skip

# what authors of pages call the parts of one, in classes and ids: the words that on many sites stand for nothing else
AWAY = frozenset((
    "ad", "ads", "advert", "advertisement", "banner", "bio", "bookmark", "breadcrumb", "breadcrumbs", "btn", "button", "buttons", "carousel", "cart",
    "comment", "commentform", "commentlist", "comments", "consent", "cookie", "cookies", "copyright", "disqus", "dropdown", "follow", "foot", "footer",
    "hamburger", "infobox", "latest", "legal", "links", "login", "logo", "masthead", "mega", "menu", "modal", "more", "most", "nav", "navbar",
    "navigation", "newsletter", "overlay", "pagination", "partners", "poll", "popular", "popup", "profile", "promo", "rating", "read", "recent",
    "recirc", "recommend", "recommended", "recommendations", "register", "related", "relatedposts", "replies", "reply", "respond", "rss", "search",
    "share", "sharing", "sidebar", "signup", "social", "sponsor", "sponsored", "subnav", "subscribe", "subscription", "suggested", "tabs", "tags",
    "teaser", "teasers", "thread", "ticker", "toolbar", "trending", "tweet", "vote", "weather", "widget",
))  # fmt: skip
TOWARDS = frozenset((
    "article", "articlebody", "articlecontent", "articletext", "body", "bodytext", "content", "copy", "entry", "intro", "lead", "main", "paragraph", "post",
    "prose", "rich", "story", "storybody", "text",
))  # fmt: skip
ASIDE = frozenset(("aside", "footer", "nav", "header"))
FORM = frozenset(("fieldset", "form", "label"))
PLACES = (  # what a path says: steps are counted from its end, `FAR` for none
    "depth", "in_article", "in_cell", "tag", "from_article",
    "named_away", "named_towards", "away_names",  # steps to an element with such a name, and how many
    "in_form", "in_aside",
)  # fmt: skip
ARTICLE, CELL, IN_FORM, IN_ASIDE, NAMED_AWAY, NAMED_TOWARDS = (1 << bit for bit in range(6))  # what a step may mean
TAG_MEANINGS = {
    "article": ARTICLE, "main": ARTICLE, "td": CELL, **dict.fromkeys(FORM, IN_FORM), **dict.fromkeys(ASIDE, IN_ASIDE),
}  # fmt: skip
_NAME = re.compile(r"[A-Z]?[a-z]+")


class Layout:
    """What is known of a page's blocks, one array a fact; the columns are worked out from these."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.texts = [block.text for block in blocks]
        self.count = len(blocks)
        self.index = np.arange(self.count, dtype=np.float64)
        self.words = np.array([count_words(text) for text in self.texts], dtype=np.float64)
        self.chars = np.array([len(text) for text in self.texts], dtype=np.float64)
        self.links = np.array([block.link_density for block in blocks], dtype=np.float64)
        self.ends_well = np.array([ends_well(text) for text in self.texts], dtype=np.bool_)
        self.page_words = max(1.0, float(self.words.sum()))
        self.words_so_far = running(self.words)

    @cached_property
    def prose(self) -> Flags:
        """Blocks that are whole sentences at length, not links and not cut off."""
        is_row = np.array([block.form == "table_row" for block in self.blocks], dtype=np.bool_)
        found: Flags = (self.words >= PROSE_WORDS) & (self.links < LINKED) & self.ends_well & ~is_row
        return found

    @cached_property
    def paths(self) -> list[str]:
        return [block.path for block in self.blocks]

    @cached_property
    def box_names(self) -> list[str]:
        return [container(path) for path in self.paths]

    @cached_property
    def path(self) -> NDArray[np.int64]:
        return codes(self.paths)

    @cached_property
    def box(self) -> NDArray[np.int64]:
        return codes(self.box_names)

    @cached_property
    def shown_words(self) -> Column:
        """Words of prose that a reader sees."""
        hidden = np.array([block.is_hidden for block in self.blocks], dtype=np.bool_)
        found: Column = self.words * (self.prose & ~hidden)
        return found

    @cached_property
    def in_box(self) -> Column:
        return sums(self.box, self.shown_words)

    @cached_property
    def in_best(self) -> float:
        return float(self.in_box.max(initial=0.0)) or 1.0

    @cached_property
    def headings(self) -> Flags:
        return np.array([block.form == "heading" for block in self.blocks], dtype=np.bool_)


def of_looks(page: Layout) -> Columns:
    """What a block looks like."""
    return {
        "words": page.words,
        "chars": page.chars,
        "ends_well": page.ends_well,
        "form": [FORMS.index(block.form) for block in page.blocks],
        "links": page.links,
    }


def of_place(page: Layout) -> Columns:
    """Where a block stands in the tree, and what else stands there."""
    outer = {box: container(box) for box in set(page.box_names)}
    outer |= {box: container(box) for box in set(outer.values()) - outer.keys()}
    boxes_around = [outer[box] for box in page.box_names]
    two_around = [outer[box] for box in boxes_around]
    all_prose = max(1.0, float(page.shown_words.sum()))
    best = page.box_names[int(np.argmax(page.in_box))]
    best_steps = depth(best)
    common = np.array(steps_in_common(page.paths, best), dtype=np.float64)
    places = np.array(places_of(page.paths), dtype=np.float64)
    ones = np.ones(page.count)
    return {
        "prose_at_path": sums(page.path, page.shown_words) / all_prose,
        "prose_in_box": page.in_box / all_prose,
        "prose_in_box_around": sums(codes(boxes_around), page.shown_words) / all_prose,
        "prose_two_around": sums(codes(two_around), page.shown_words) / all_prose,
        "box_to_best": page.in_box / page.in_best,
        "blocks_at_path": sums(page.path, ones),
        "blocks_in_box": sums(page.box, ones),
        "links_in_box": sums(page.box, page.links * page.words) / np.maximum(sums(page.box, page.words), 1.0),
        "path_in_common": common / max(1, best_steps),
        "path_apart": best_steps - common,
        **dict(zip(PLACES, places.T, strict=True)),
    }


def of_order(page: Layout, title: int) -> Columns:
    """How far down the page a block stands and what is around it; `title`: the title's index, -1 without one."""
    index, words = page.index, page.words
    at_best = (page.in_box == page.in_best) & page.prose
    first_best, last_best = ends(at_best, at_best)
    last_heading = np.maximum.accumulate(np.where(page.headings, index, -1.0))
    before, after = around(page.words_so_far)
    links_before, links_after = around(running(words * page.links))
    return {
        "links_before": links_before / np.maximum(before, 1.0),
        "links_after": links_after / np.maximum(after, 1.0),
        "words_before": before,
        "words_after": after,
        "position": index / page.count,
        "word_position": page.words_so_far[:-1] / page.page_words,
        "from_best_first": index - first_best,
        "from_best_last": index - last_best,
        "from_title": index - title if title >= 0 else FAR,
        "page_blocks": page.count,
        "page_words": page.page_words,
        "from_heading": np.where(last_heading >= 0, index - last_heading, FAR),
        "heading_words": np.where(last_heading >= 0, words[last_heading.astype(np.int64)], -1.0),
        "words_previous": shifted(words, -1),
        "links_previous": shifted(page.links, -1),
        "words_next": shifted(words, 1),
        "links_next": shifted(page.links, 1),
    }


def main_heading(blocks: Sequence[Block]) -> int:
    """Index of the first heading of the first rank; -1 without one."""
    return next((at for at, block in enumerate(blocks) if block.level == 1), -1)


def table(columns: Mapping[str, Any], names: Sequence[str], count: int) -> Column:
    """One row a block, one column a name."""
    found = np.empty((len(names), count))
    for number, name in enumerate(names):
        found[number] = columns[name]
    return np.ascontiguousarray(found.T)


@lru_cache(maxsize=4096)
def steps_of(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


class Place(NamedTuple):
    """What the steps of a path say, each at which step it was said last."""

    depth: int
    tag: str
    article: int = NONE
    in_cell: float = 0.0
    away: int = NONE
    names: int = 0
    towards: int = NONE
    form: int = NONE
    aside: int = NONE

    def as_numbers(self) -> tuple[float, ...]:
        """One for each of `PLACES`."""
        last = (self.article, self.away, self.towards, self.form, self.aside)
        article, away, towards, form, aside = (FAR if at == NONE else self.depth - 1.0 - at for at in last)
        tag = TAGS.index(self.tag) if self.tag in TAGS else len(TAGS)
        return self.depth, self.article != NONE, self.in_cell, tag, article, away, towards, self.names, form, aside


def places_of(paths: Sequence[str]) -> list[tuple[float, ...]]:
    """Where each path ends, by the place of the element around: nearly all of a page's paths share it."""
    known, found = {"": Place(1, "")}, dict[str, tuple[float, ...]]()
    for path in paths:
        if path not in found:
            new, around = [], path
            while around not in known:
                new.append(around)
                around = container(around)
            place = known[around]
            for inner in reversed(new):
                place = known[inner] = one_further(place, inner.rpartition("/")[2])
            found[path] = place.as_numbers()
    return [found[path] for path in paths]


def one_further(place: Place, step: str) -> Place:
    """The place one step further down."""
    at = place.depth
    tag, meaning = meaning_of(step)
    if not meaning:
        return Place(at + 1, tag, *place[2:])
    return Place(
        depth=at + 1,
        tag=tag,
        article=at if meaning & ARTICLE else place.article,
        in_cell=1.0 if meaning & CELL else place.in_cell,
        away=at if meaning & NAMED_AWAY else place.away,
        names=place.names + bool(meaning & NAMED_AWAY),
        towards=at if meaning & NAMED_TOWARDS else place.towards,
        form=at if meaning & IN_FORM else place.form,
        aside=at if meaning & IN_ASIDE else place.aside,
    )


@lru_cache(maxsize=STEPS_KEPT)
def meaning_of(step: str) -> tuple[str, int]:
    """An element's tag, and what its tag, class and id say of what is in it; most say nothing."""
    tag, _, names = step.replace("#", ".", 1).partition(".")
    meaning = TAG_MEANINGS.get(tag, 0)
    if names:
        words = words_in(names)
        meaning |= (0 if AWAY.isdisjoint(words) else NAMED_AWAY) | (0 if TOWARDS.isdisjoint(words) else NAMED_TOWARDS)
    return tag, meaning


def words_in(names: str) -> list[str]:
    """The words of a class and id: "siteMenu-top" has three."""
    return [word.lower() for word in _NAME.findall(names)]


@lru_cache(maxsize=STEPS_KEPT)
def names_in(step: str) -> frozenset[str]:
    """The words of an element's class and id."""
    return frozenset(words_in(step.replace("#", ".", 1).partition(".")[2]))


def codes(values: Sequence[str]) -> NDArray[np.int64]:
    """Number equal values alike."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def sums(numbers: NDArray[np.int64], weights: Column) -> Column:
    """For each block the sum over all blocks with its number."""
    return np.asarray(np.bincount(numbers, weights=weights)[numbers], dtype=np.float64)


def around(cumulated: Column) -> tuple[Column, Column]:
    """Sums over the blocks before and after each one, up to `NEAR`. `cumulated` begins with 0."""
    count = len(cumulated) - 1
    index = np.arange(count)
    before = cumulated[index] - cumulated[np.maximum(index - NEAR, 0)]
    after = cumulated[np.minimum(index + NEAR + 1, count)] - cumulated[index + 1]
    return before, after


def running(values: Column) -> Column:
    return np.concatenate((np.zeros(1), np.cumsum(values)))


def shifted(values: Column, by: int, fill: float = -1.0) -> Column:
    """The neighbour's value: `by` -1 is the block before."""
    found = np.full(len(values), fill)
    if abs(by) < len(values):
        if by < 0:
            found[-by:] = values[:by]
        else:
            found[:-by] = values[by:]
    return found


def ends(flags: Flags, fallback: Flags) -> tuple[float, float]:
    """First and last index of the flags, else of the fallback."""
    for found in (np.flatnonzero(flags), np.flatnonzero(fallback)):
        if len(found):
            return float(found[0]), float(found[-1])
    return -1.0, float(len(flags))


def steps_in_common(paths: Sequence[str], other: str) -> list[int]:
    """How many steps each path begins with in common with the other one."""
    known, part = {"": 1}, other
    while part:
        known[part] = depth(part)
        part = container(part)
    found = []
    for path in paths:
        new, part = [], path
        while part not in known:
            new.append(part)
            part = container(part)
        known.update(dict.fromkeys(new, known[part]))
        found.append(known[part])
    return found


def depth(path: str) -> int:
    return path.count("/") + 1
