"""What the block model is told of each block: numbers, worked out for the whole page at once.

Most of them say where a block stands among what the rules kept: how much of the kept text has the same place, how far
the first and the last of it are, what the neighbours became. Words alone decide little; place, links and company do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.clean.memory import MIN_LETTERS, MOST_OF_BODY, block_hash
from pipelines.clean.view import Fate, View
from pipelines.decode import letters_of
from pipelines.reading.layout import (
    Columns,
    Layout,
    around,
    codes,
    ends,
    main_heading,
    of_looks,
    of_order,
    of_place,
    running,
    shifted,
    sums,
    table,
)
from pipelines.reading.trees import Column

SAMPLE_CHARS = 120  # of a block, for the share of capitals
NO_CAPITALS = dict.fromkeys(range(ord("A"), ord("Z") + 1))
MOST_PAGES = 5  # seen on more other pages of the site says no more
KINDS = (  # of the rules, from body to not: a tree cuts the row in two
    "article", "title", "byline", "caption", "author_bio", "summary", "legal", "paywall", "other", "newsletter", "related",
    "site_template", "repeat", "navigation", "share", "comment", "comment_form",
)  # fmt: skip
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "ru", "el", "zh", "ja", "ko")
NAMES = (
    "words", "chars", "ends_well", "is_prose", "capitals", "chars_a_word", "commas", "sentences", "form", "level", "links",
    "is_main", "main_before", "main_after", "main_share", "links_before", "links_after", "words_before", "words_after",
    "prose_at_path", "prose_in_box", "prose_in_box_around", "prose_two_around", "box_to_best", "blocks_at_path", "blocks_in_box",
    "links_in_box", "path_in_common", "path_apart", "position", "word_position", "from_first_main", "from_last_main",
    "from_first_kept", "from_last_kept", "from_best_first", "from_best_last", "from_title", "page_blocks", "page_words",
    "kept_before_share", "kept_before", "kept_after", "main_words_before", "main_words_after", "kept_words", "to_average",
    "kept_at_path", "kept_in_box", "rule_kind", "rule_keeps", "is_outside", "from_heading", "heading_words", "same_text",
    "in_title", "seen", "seen_share", "pages", "language", "depth", "in_article", "in_cell", "tag", "from_article",
    "named_away", "named_towards", "away_names", "in_form", "in_aside",
    "words_previous", "links_previous", "kind_previous", "kept_previous", "seen_previous", "kind_before_previous",
    "words_next", "links_next", "kind_next", "kept_next", "seen_next", "kind_after_next",
)  # fmt: skip


@dataclass
class Facts:
    """The layout of a page, and what the rules and the site's other pages say of its blocks."""

    view: View
    fates: Sequence[Fate]
    seen: Mapping[int, int]
    pages: int

    def __post_init__(self) -> None:
        self.page = Layout(self.view.blocks)
        self.words = self.page.words
        self.main = np.array([block.is_main for block in self.view.blocks])
        self.kept = np.array([fate.is_kept for fate in self.fates])
        self.kind = np.array([KINDS.index(fate.kind) for fate in self.fates], dtype=np.float64)
        self.kept_words = max(1.0, float((self.words * self.kept).sum()))

    def times_seen(self) -> Column:
        """On how many other pages of the site each block stands."""
        if not self.seen:
            return np.zeros(self.page.count)
        pairs = zip(self.view.blocks, self.view.letters, strict=True)
        hashes = [block_hash(block.text) if len(letters) >= MIN_LETTERS else 0 for block, letters in pairs]
        times = np.array([float(min(self.seen.get(one, 0), MOST_PAGES)) for one in hashes])
        told_elsewhere = float((self.words * self.kept * (times > 0)).sum())
        # a site may tell one story at several addresses: then what they share is the story
        return times if told_elsewhere <= MOST_OF_BODY * self.kept_words else np.zeros(self.page.count)


def features(view: View, fates: Sequence[Fate], seen: Mapping[int, int], pages: int) -> Column:
    """Return one row a block, one column a name of `NAMES`.

    `fates` are those of the rules; `seen` says on how many other pages of the site a block hash stands, `pages` how
    many of them are known.
    """
    facts = Facts(view, fates, seen, pages)
    page = facts.page
    columns = {
        **of_looks(page),
        **of_text(facts),
        **of_place(page),
        **of_order(page, title_at(facts)),
        **of_main(facts),
        **of_kept(facts),
        **of_neighbours(facts),
    }
    return table(columns, NAMES, page.count)


def of_text(facts: Facts) -> Columns:
    """What a block says."""
    page, letters, language = facts.page, facts.view.letters, facts.view.document.language
    title = letters_of(facts.view.document.title)
    return {
        "is_prose": page.prose,
        "capitals": [capitals(text[:SAMPLE_CHARS]) for text in page.texts],
        "chars_a_word": page.chars / np.maximum(page.words, 1.0),
        "commas": np.array([commas(text) for text in page.texts]) / np.maximum(page.chars, 1.0),
        "sentences": [sentences(text) for text in page.texts],
        "level": [block.level for block in page.blocks],
        "same_text": sums(codes(letters), np.ones(page.count)),
        "in_title": [float(bool(title and one) and (one in title or title in one)) for one in letters],
        "language": LANGUAGES.index(language) if language in LANGUAGES else len(LANGUAGES),
    }


def of_main(facts: Facts) -> Columns:
    """What the first reading took around a block."""
    page, words = facts.page, facts.words
    first_main, last_main = ends(facts.main & page.prose, facts.main)
    main_so_far = running(words * facts.main)
    (before, after), (main_before, main_after) = around(page.words_so_far), around(main_so_far)
    return {
        "is_main": facts.main,
        "main_before": main_before / np.maximum(before, 1.0),
        "main_after": main_after / np.maximum(after, 1.0),
        "main_share": main_so_far[-1] / page.page_words,
        "from_first_main": page.index - first_main,
        "from_last_main": page.index - last_main,
        "main_words_before": main_so_far[:-1],
        "main_words_after": main_so_far[-1] - main_so_far[1:],
    }


def of_kept(facts: Facts) -> Columns:
    """What the rules made of the block and of the page, and what the site's other pages say."""
    page, words, kept = facts.page, facts.words, facts.kept
    first_kept, last_kept = ends(kept & page.prose, kept)
    so_far = running(words * kept)
    kept_prose = words * (kept & page.prose if (kept & page.prose).any() else kept)
    times = facts.times_seen()
    return {
        "from_first_kept": page.index - first_kept,
        "from_last_kept": page.index - last_kept,
        "kept_before_share": so_far[:-1] / facts.kept_words,
        "kept_before": so_far[:-1],
        "kept_after": so_far[-1] - so_far[1:],
        "kept_words": facts.kept_words,
        "to_average": words / (facts.kept_words / max(1, int(kept.sum()))),
        "kept_at_path": sums(page.path, kept_prose) / facts.kept_words,
        "kept_in_box": sums(page.box, kept_prose) / facts.kept_words,
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
    """What the rules made of the blocks before and after."""
    kept = facts.kept.astype(np.float64)
    return {
        "kind_previous": shifted(facts.kind, -1),
        "kept_previous": shifted(kept, -1),
        "kind_before_previous": shifted(facts.kind, -2),
        "kind_next": shifted(facts.kind, 1),
        "kept_next": shifted(kept, 1),
        "kind_after_next": shifted(facts.kind, 2),
    }


def title_at(facts: Facts) -> int:
    """Index of the title, else of the first main heading; -1 without one."""
    title = next((number for number, fate in enumerate(facts.fates) if fate.kind == "title"), -1)
    return title if title >= 0 else main_heading(facts.view.blocks)


def commas(text: str) -> int:
    return text.count(",") + text.count("，") + text.count("、")


def sentences(text: str) -> int:
    return (
        text.count(". ") + text.count("? ") + text.count("! ") + text.count("。") + text.count(".”") + text.count('."')
    )


def capitals(text: str) -> float:
    """Their share of all characters."""
    count = len(text) - len(text.translate(NO_CAPITALS)) if text.isascii() else sum(map(str.isupper, text))
    return count / max(1, len(text))
