"""What is left when everything announced is gone: the body itself, what belongs to it and what only stands near it.

The first reading's choice (the glance's or trafilatura's) is the base. Blocks it left out between blocks it kept come back when they stand at the body's
own place; what comes after the end and never turns to prose again goes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import lru_cache

from pipelines.clean.view import Fate, Fates, View
from pipelines.reading.layout import names_in, steps_of
from pipelines.reading.words import LINKED, PROSE_WORDS, container
from pipelines.records import Block

LITTLE_WORDS = 40  # less body than this and the choice was wrong: look for the densest container
GAP = 4  # blocks between two kept ones that may come back
CLOSING_WORDS = 12
HEADLINE_WORDS = 6  # fewer are a label or a button
HEADLINE_MOST = 30
TOLD, TOLD_WORDS = 3, 8  # so many texts make a list of stories, each of so many words or more
LED_SHARE = 0.8
COMMENTS = frozenset(("comments", "commentlist", "commentthread", "disqus", "livefyre"))
_IDENTITY = re.compile(r"#[\w-]+")  # every item of a list may have one of its own


def teasers(view: View) -> Fates:
    """Lists of other stories that nothing announces: at one place, one text after another, each under a link of its own.

    Only where the page has prose besides. A list of things under headings is an article's, also where these are links.
    """
    if view.is_text:
        return {}
    places: dict[str, list[int]] = defaultdict(list)
    for index, block in enumerate(view.blocks):
        is_told = view.is_candidate(index) and block.form != "heading" and block.link_density < LINKED
        if is_told and view.words[index] >= TOLD_WORDS:
            places[_IDENTITY.sub("", block.path)].append(index)
    lists = [
        indices
        for indices in places.values()
        if len(indices) >= TOLD and sum(is_led(view, index) for index in indices) >= LED_SHARE * len(indices)
    ]
    inside = {index for indices in lists for index in indices}
    if sum(view.words[index] for index in view.body if index not in inside) < PROSE_WORDS:
        return {}
    reason = "one of several texts under links"
    return {
        index: Fate("related", is_kept=False, reason=reason, evidence=view.blocks[index - 1].text[:60])
        for index in inside
    }


def is_led(view: View, index: int) -> bool:
    """True for a text directly under a short link that is no heading."""
    if not index:
        return False
    title = view.blocks[index - 1]
    return title.link_density >= LINKED and title.form != "heading" and 2 <= view.words[index - 1] <= HEADLINE_MOST


def above(view: View) -> Fates:
    """What stands above the title belongs to the site: menus of flattened text, the name of the section."""
    if not view.body:
        return {}
    title = next((index for index, fate in view.fates.items() if fate.kind == "title"), -1)
    return {
        index: Fate("navigation", is_kept=False, reason="above the title", evidence=view.blocks[index].text[:60])
        for index in range(min(title, view.start))
        if view.is_candidate(index) and not view.is_prose[index]
    } | {
        index: Fate("related", is_kept=False, reason="text above the title", evidence=view.document.title[:60])
        for index in range(view.opening)
        if view.is_open(index) and view.is_prose[index] and view.is_before(index)
    }


def body(view: View) -> Fates:
    """Keep what the first reading took for the text and what belongs between; drop the rest of the page."""
    if view.is_text:
        return {}
    kept = {index for index in range(len(view.blocks)) if view.is_candidate(index)}
    if all(view.blocks[index].link_density >= LINKED for index in kept if view.words[index] >= HEADLINE_WORDS):
        kept = set()  # headlines that lead elsewhere and lone words: an archive, a login page
    brought = brought_back(view, kept)
    brought |= brought_back(view, kept | brought)  # a heading over what has just come back
    found = {
        index: Fate("article", is_kept=True, reason="stands between kept blocks of the same place") for index in brought
    }
    for index in kept:
        found[index] = Fate("article", is_kept=True, reason="body")
    for index, block in enumerate(view.blocks):
        if index not in found and view.is_open(index):
            found[index] = outside(block, is_below=index > view.start)
    return found


def outside(block: Block, *, is_below: bool) -> Fate:
    """The fate of what the first reading did not take; `is_below`: the text has begun, so comments are possible."""
    if is_below and (name := comments_in(block.path)):
        return Fate("comment", is_kept=False, reason="in an element called comments", evidence=name)
    kind = "caption" if block.form == "caption" else "navigation" if block.link_density >= LINKED else "other"
    return Fate(kind, is_kept=False, reason="outside the main text", evidence=block.path[-80:])


@lru_cache(maxsize=4096)
def comments_in(path: str) -> str:
    """The element on a path that is called comments; "" for none."""
    return next((step for step in steps_of(path)[2:] if names_in(step) & COMMENTS), "")


def brought_back(view: View, kept: set[int]) -> set[int]:
    """Sub-headings, lists, quotes and paragraphs that stand at the body's place between kept blocks."""
    prose = [index for index in sorted(kept) if view.is_prose[index]]
    if not prose:
        return set()
    paths = view.paths_of(prose)
    containers = {container(path) for path in paths}
    found: set[int] = set()
    for index in range(max(0, prose[0] - GAP), min(len(view.blocks), prose[-1] + GAP)):
        block = view.blocks[index]
        if (
            index in kept
            or not view.is_open(index)
            or block.is_hidden
            or block.link_density >= LINKED
            or view.cues[index]
        ):
            continue
        is_between = prose[0] < index < prose[-1]
        if block.form == "heading":
            around = container(block.path)
            is_at_place = around in containers or container(around) in containers  # often in a box of its own
            is_wanted = is_at_place and (index + 1 in kept or index + 2 in kept) and index < prose[-1]
        elif block.form == "list_item":
            is_wanted = is_between and container(container(block.path)) in containers and has_near(kept, index)
        elif block.form == "quote":
            is_wanted = (
                is_between and any(block.path.startswith(place + "/") for place in containers) and has_near(kept, index)
            )
        else:
            is_wanted = (
                block.form == "paragraph"
                and block.path in paths
                and (view.is_prose[index] or (is_between and view.words[index] >= 4))
            )
        if is_wanted:
            found.add(index)
    return found


def has_near(kept: set[int], index: int) -> bool:
    return any(index + step in kept for step in range(-8, 9))


def closing(view: View) -> Fates:
    """Headings and lone short lines after the last prose: nothing follows them, so they head nothing."""
    kept = [index for index in range(len(view.blocks)) if index not in view.fates or view.fates[index].is_kept]
    found: Fates = {}
    prose = sum(view.is_prose[index] for index in kept)
    for index in reversed(kept):
        block = view.blocks[index]
        is_short = view.words[index] <= CLOSING_WORDS and not block.text.rstrip("\"'”’)").endswith(
            (".", "!", "?", "。", "！", "？")
        )
        is_heading = block.form == "heading" or (view.is_text and block.form == "paragraph" and is_short and prose >= 2)
        if not is_heading or view.is_prose[index]:
            break
        found[index] = Fate("other", is_kept=False, reason="a heading with nothing after it", evidence=block.text[:60])
    return found if len(found) < len(kept) else {}


def rescue(view: View) -> Fates:
    """Never lose the whole body: when hardly anything is kept, keep the densest container that no cue spoke against."""
    if view.is_text:
        return {}
    kept_words = sum(view.words[index] for index, fate in view.fates.items() if fate.is_kept)
    free = [
        index
        for index, fate in view.fates.items()
        if not fate.is_kept
        and fate.kind in ("other", "navigation")
        and fate.reason == "outside the main text"
        and view.blocks[index].link_density < LINKED
    ]
    weights: Counter[str] = Counter()
    for index in free:
        if view.is_prose[index]:
            weights[container(view.blocks[index].path)] += view.words[index]
    if not weights:
        return {}
    place, words = weights.most_common(1)[0]
    if kept_words >= LITTLE_WORDS or words < max(LITTLE_WORDS, kept_words):
        return {}
    reason = "the densest container; nothing else was found"
    return {
        index: Fate("article", is_kept=True, reason=reason, evidence=place[-80:])
        for index in free
        if view.blocks[index].path.startswith(place + "/") and not view.cues[index]
    }
