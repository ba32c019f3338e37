"""What the block model is told of each block: numbers, worked out for the whole page at once.

Most of them say where a block stands among what the rules kept: how much of the kept text has the same place, how far
the first and the last of it are, what the neighbours became. Words alone decide little; place, links and company do.
Columns are built with numpy over all blocks, so that a page of a thousand blocks costs little more than one of fifty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.clean.memory import MIN_LETTERS, MOST_OF_BODY, block_hash
from pipelines.clean.view import Fate, View, container
from pipelines.decode import letters_of

Column = NDArray[np.float64]
Flags = NDArray[np.bool_]
Columns = dict[str, Any]  # arrays, lists or one number for all blocks

NEAR = 5  # blocks before and after that count as the neighbourhood
FAR = 999.0  # stands for "there is none"
SAMPLE_CHARS = 120  # of a block, for the share of capitals
NO_CAPITALS = dict.fromkeys(range(ord("A"), ord("Z") + 1))
MOST_PAGES = 5  # seen on more other pages of the site says no more
FORMS = ("paragraph", "quote", "list_item", "heading", "table_row", "caption", "code", "other")  # from body to not
KINDS = (  # of the rules, from body to not: a tree cuts the row in two
    "article", "title", "byline", "caption", "author_bio", "summary", "legal", "paywall", "other", "newsletter", "related",
    "site_template", "repeat", "navigation", "share", "comment", "comment_form",
)  # fmt: skip
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "el", "zh", "ja", "ko")
TAGS = (
    "p", "div", "span", "li", "td", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "blockquote", "figcaption", "body", "tr",
    "dd", "dt",
)  # fmt: skip
NAMES = (
    "words", "chars", "ends_well", "is_prose", "capitals", "chars_a_word", "commas", "sentences", "form", "level", "links",
    "is_main", "main_before", "main_after", "main_share", "links_before", "links_after", "words_before", "words_after",
    "prose_at_path", "prose_in_box", "prose_in_box_around", "prose_two_around", "box_to_best", "blocks_at_path", "blocks_in_box",
    "links_in_box", "path_in_common", "path_apart", "position", "word_position", "from_first_main", "from_last_main",
    "from_first_kept", "from_last_kept", "from_best_first", "from_best_last", "from_title", "page_blocks", "page_words",
    "kept_before_share", "kept_before", "kept_after", "main_words_before", "main_words_after", "kept_words", "to_average",
    "kept_at_path", "kept_in_box", "rule_kind", "rule_keeps", "is_outside", "from_heading", "heading_words", "same_text",
    "in_title", "seen", "seen_share", "pages", "language", "depth", "in_article", "in_cell", "tag", "from_article",
    "words_previous", "links_previous", "kind_previous", "kept_previous", "seen_previous", "kind_before_previous",
    "words_next", "links_next", "kind_next", "kept_next", "seen_next", "kind_after_next",
)  # fmt: skip


@lru_cache(maxsize=4096)
def steps_of(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


@lru_cache(maxsize=4096)
def place_of(path: str) -> tuple[float, float, float, float, float]:
    """Depth, is in an article or main element, in a table's cell, code of the last tag, steps below the article."""
    tags = [step.partition(".")[0].partition("#")[0] for step in steps_of(path)]
    last = max((index for index, tag in enumerate(tags) if tag in ("article", "main")), default=-1)
    code = TAGS.index(tags[-1]) if tags[-1] in TAGS else len(TAGS)
    return len(tags), float(last >= 0), float("td" in tags), code, len(tags) - last if last >= 0 else FAR


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


@dataclass
class Facts:
    """What is known of a page's blocks, one array a fact; the groups of columns are worked out from these."""

    view: View
    fates: Sequence[Fate]
    seen: Mapping[int, int]
    pages: int

    def __post_init__(self) -> None:
        blocks = self.view.blocks
        self.count = len(blocks)
        self.index = np.arange(self.count, dtype=np.float64)
        self.words = np.array(self.view.words, dtype=np.float64)
        self.links = np.array([block.link_density for block in blocks])
        self.main = np.array([block.is_main for block in blocks])
        self.prose = np.array(self.view.is_prose)
        self.kept = np.array([fate.is_kept for fate in self.fates])
        self.kind = np.array([KINDS.index(fate.kind) for fate in self.fates], dtype=np.float64)
        self.paths = [block.path for block in blocks]
        self.box_names = [container(path) for path in self.paths]
        self.path, self.box = codes(self.paths), codes(self.box_names)
        self.page_words = max(1.0, float(self.words.sum()))
        self.kept_words = max(1.0, float((self.words * self.kept).sum()))
        self.shown_words = self.words * (self.prose & ~np.array([block.is_hidden for block in blocks]))
        self.in_box = sums(self.box, self.shown_words)
        self.in_best = float(self.in_box.max(initial=0.0)) or 1.0
        self.best_box = self.box_names[int(np.argmax(self.in_box))]

    def times_seen(self) -> Column:
        """On how many other pages of the site each block stands."""
        if not self.seen:
            return np.zeros(self.count)
        pairs = zip(self.view.blocks, self.view.letters, strict=True)
        hashes = [block_hash(block.text) if len(letters) >= MIN_LETTERS else 0 for block, letters in pairs]
        times = np.array([float(min(self.seen.get(one, 0), MOST_PAGES)) for one in hashes])
        told_elsewhere = float((self.words * self.kept * (times > 0)).sum())
        # a site may tell one story at several addresses: then what they share is the story
        return times if told_elsewhere <= MOST_OF_BODY * self.kept_words else np.zeros(self.count)


def features(view: View, fates: Sequence[Fate], seen: Mapping[int, int], pages: int) -> Column:
    """Return one row a block, one column a name of `NAMES`.

    `fates` are those of the rules; `seen` says on how many other pages of the site a block hash stands, `pages` how
    many of them are known.
    """
    facts = Facts(view, fates, seen, pages)
    columns = {**of_text(facts), **of_place(facts), **of_order(facts), **of_kept(facts), **of_neighbours(facts)}
    table = np.empty((len(NAMES), facts.count))
    for number, name in enumerate(NAMES):
        table[number] = columns[name]
    return np.ascontiguousarray(table.T)


def of_text(facts: Facts) -> Columns:
    """What a block says and how it looks."""
    blocks, letters, language = facts.view.blocks, facts.view.letters, facts.view.document.language
    texts = [block.text for block in blocks]
    chars = np.array([len(text) for text in texts], dtype=np.float64)
    title = letters_of(facts.view.document.title)
    return {
        "words": facts.words,
        "chars": chars,
        "ends_well": [float(ends) for ends in facts.view.ends_well],
        "is_prose": facts.prose,
        "capitals": [capitals(text[:SAMPLE_CHARS]) for text in texts],
        "chars_a_word": chars / np.maximum(facts.words, 1.0),
        "commas": np.array([commas(text) for text in texts]) / np.maximum(chars, 1.0),
        "sentences": [sentences(text) for text in texts],
        "form": [FORMS.index(block.form) for block in blocks],
        "level": [block.level for block in blocks],
        "links": facts.links,
        "same_text": sums(codes(letters), np.ones(facts.count)),
        "in_title": [float(bool(title and one) and (one in title or title in one)) for one in letters],
        "language": LANGUAGES.index(language) if language in LANGUAGES else len(LANGUAGES),
    }


def of_place(facts: Facts) -> Columns:
    """Where a block stands in the tree, and what else stands there."""
    outer = {box: container(box) for box in set(facts.box_names)}
    outer |= {box: container(box) for box in set(outer.values()) - outer.keys()}
    boxes_around = [outer[box] for box in facts.box_names]
    two_around = [outer[box] for box in boxes_around]
    all_prose = max(1.0, float(facts.shown_words.sum()))
    best_steps = steps_of(facts.best_box)
    in_common = {path: shared(steps_of(path), best_steps) for path in set(facts.paths)}
    common = np.array([in_common[path] for path in facts.paths], dtype=np.float64)
    places = np.array([place_of(path) for path in facts.paths], dtype=np.float64)
    ones = np.ones(facts.count)
    return {
        "prose_at_path": sums(facts.path, facts.shown_words) / all_prose,
        "prose_in_box": facts.in_box / all_prose,
        "prose_in_box_around": sums(codes(boxes_around), facts.shown_words) / all_prose,
        "prose_two_around": sums(codes(two_around), facts.shown_words) / all_prose,
        "box_to_best": facts.in_box / facts.in_best,
        "blocks_at_path": sums(facts.path, ones),
        "blocks_in_box": sums(facts.box, ones),
        "links_in_box": sums(facts.box, facts.links * facts.words) / np.maximum(sums(facts.box, facts.words), 1.0),
        "path_in_common": common / max(1, len(best_steps)),
        "path_apart": len(best_steps) - common,
        "depth": places[:, 0],
        "in_article": places[:, 1],
        "in_cell": places[:, 2],
        "tag": places[:, 3],
        "from_article": places[:, 4],
    }


def of_order(facts: Facts) -> Columns:
    """How far down the page a block stands, and what trafilatura kept around it."""
    index, words = facts.index, facts.words
    at_best = (facts.in_box == facts.in_best) & facts.prose
    first_main, last_main = ends(facts.main & facts.prose, facts.main)
    first_best, last_best = ends(at_best, at_best)
    title = title_at(facts)
    heading = np.array([block.form == "heading" for block in facts.view.blocks])
    last_heading = np.maximum.accumulate(np.where(heading, index, -1.0))
    so_far, main_so_far, links_so_far = running(words), running(words * facts.main), running(words * facts.links)
    (before, after), (main_before, main_after), (links_before, links_after) = map(
        around, (so_far, main_so_far, links_so_far)
    )
    return {
        "is_main": facts.main,
        "main_before": main_before / np.maximum(before, 1.0),
        "main_after": main_after / np.maximum(after, 1.0),
        "main_share": main_so_far[-1] / facts.page_words,
        "links_before": links_before / np.maximum(before, 1.0),
        "links_after": links_after / np.maximum(after, 1.0),
        "words_before": before,
        "words_after": after,
        "position": index / facts.count,
        "word_position": so_far[:-1] / facts.page_words,
        "from_first_main": index - first_main,
        "from_last_main": index - last_main,
        "from_best_first": index - first_best,
        "from_best_last": index - last_best,
        "from_title": index - title if title >= 0 else FAR,
        "page_blocks": facts.count,
        "page_words": facts.page_words,
        "main_words_before": main_so_far[:-1],
        "main_words_after": main_so_far[-1] - main_so_far[1:],
        "from_heading": np.where(last_heading >= 0, index - last_heading, FAR),
        "heading_words": np.where(last_heading >= 0, words[last_heading.astype(np.int64)], -1.0),
    }


def of_kept(facts: Facts) -> Columns:
    """What the rules made of the block and of the page, and what the site's other pages say."""
    words, kept = facts.words, facts.kept
    first_kept, last_kept = ends(kept & facts.prose, kept)
    so_far = running(words * kept)
    kept_prose = words * (kept & facts.prose if (kept & facts.prose).any() else kept)
    times = facts.times_seen()
    return {
        "from_first_kept": facts.index - first_kept,
        "from_last_kept": facts.index - last_kept,
        "kept_before_share": so_far[:-1] / facts.kept_words,
        "kept_before": so_far[:-1],
        "kept_after": so_far[-1] - so_far[1:],
        "kept_words": facts.kept_words,
        "to_average": words / (facts.kept_words / max(1, int(kept.sum()))),
        "kept_at_path": sums(facts.path, kept_prose) / facts.kept_words,
        "kept_in_box": sums(facts.box, kept_prose) / facts.kept_words,
        "rule_kind": facts.kind,
        "rule_keeps": kept,
        "is_outside": [float(fate.reason.startswith("outside")) for fate in facts.fates],
        "seen": times,
        "seen_share": times / facts.pages if facts.pages else -1.0,
        "pages": facts.pages,
        "seen_previous": shifted(times, -1),
        "seen_next": shifted(times, 1),
    }


def of_neighbours(facts: Facts) -> Columns:
    """The blocks before and after."""
    kept = facts.kept.astype(np.float64)
    return {
        "words_previous": shifted(facts.words, -1),
        "links_previous": shifted(facts.links, -1),
        "kind_previous": shifted(facts.kind, -1),
        "kept_previous": shifted(kept, -1),
        "kind_before_previous": shifted(facts.kind, -2),
        "words_next": shifted(facts.words, 1),
        "links_next": shifted(facts.links, 1),
        "kind_next": shifted(facts.kind, 1),
        "kept_next": shifted(kept, 1),
        "kind_after_next": shifted(facts.kind, 2),
    }


def title_at(facts: Facts) -> int:
    """Index of the title, else of the first main heading; -1 without one."""
    title = next((number for number, fate in enumerate(facts.fates) if fate.kind == "title"), -1)
    return title if title >= 0 else next((at for at, block in enumerate(facts.view.blocks) if block.level == 1), -1)


def shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many steps two paths begin with in common."""
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))


def capitals(text: str) -> float:
    """Their share of all characters."""
    count = len(text) - len(text.translate(NO_CAPITALS)) if text.isascii() else sum(map(str.isupper, text))
    return count / max(1, len(text))


def commas(text: str) -> int:
    return text.count(",") + text.count("，") + text.count("、")


def sentences(text: str) -> int:
    return (
        text.count(". ") + text.count("? ") + text.count("! ") + text.count("。") + text.count(".”") + text.count('."')
    )
