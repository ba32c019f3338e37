"""Search: results with the words marked, and what they have in common to narrow them by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.serve.asked import Asked, Elsewhere, View
from pipelines.serve.views.today import filters
from pipelines.serve.words import concept_name, language_name, path_part
from pipelines.store.search import LONGEST_ENDING, SHORTEST_STEM, begins_like, whole_words, words_of
from pipelines.urls import is_web

if TYPE_CHECKING:
    from pipelines.store.room import Room

ROWS = 20
LAST_PAGE = 100


def search(room: Room, asked: Asked) -> View | Elsewhere:
    query = asked.text("q")
    if is_web(query):
        return Elsewhere(path=f"/address?url={path_part(query)}")
    page = min(max(1, asked.number("page")), LAST_PAGE)
    by_rank = asked.text("order") != "newest"
    values = {
        "query": query, "page": page, "by_rank": by_rank, "trouble": "", "found": None, "rows": [], "turn": {}, "facets": [],
        "filters": filters(room, asked), "other_order": asked.link(order="newest" if by_rank else None, page=None),
    }  # fmt: skip
    if not query:
        return View(template="search.html", values=values)
    try:
        found = room.found(query, asked.wanted(), by_rank=by_rank, skip=(page - 1) * ROWS, rows=ROWS)
    except ConfigError as error:
        return View(template="search.html", values=values | {"trouble": str(error)})
    words = words_of(query)
    values |= {
        "found": found,
        "rows": [row | {"parts": marked(row["snippet"], words)} for row in found.rows],
        "turn": {
            "before": asked.link(page=page - 1) if page > 1 else "",
            "after": asked.link(page=page + 1) if found.total > page * ROWS and page < LAST_PAGE else "",
        },
        "facets": [
            (title, [(label(name), count, asked.link(**{key: name}, page=None), asked.text(key) == name) for name, count in found.facets.get(key, [])],
             asked.link(**{key: None}, page=None) if asked.text(key) else "")
            for title, key, label in (("Topic", "topic", concept_name), ("Source", "source", asked.sources.name), ("Language", "language", language_name))
        ],
    }  # fmt: skip
    return View(template="search.html", values=values)


def like(word: str) -> str:
    """A pattern for other forms of a word."""
    return begins_like(word) + (rf"\w{{0,{LONGEST_ENDING}}}(?!\w)" if word.isascii() else "")


def marked(snippet: str, words: list[str]) -> list[tuple[str, bool]]:
    """The snippet in parts, with True for those that are words of the query."""
    pattern = "|".join(
        [whole_words(words), *(like(word) for word in words if not word.isascii() or len(word) >= SHORTEST_STEM)]
    )
    parts: list[tuple[str, bool]] = []
    at = 0
    for hit in re.finditer(pattern, snippet, re.IGNORECASE):
        if hit.end() == hit.start():
            continue
        parts += [(snippet[at : hit.start()], False), (hit[0], True)]
        at = hit.end()
    return [part for part in (*parts, (snippet[at:], False)) if part[0]]
