"""A timeline: who was first, who copied whom, and what each copy added or left out.

The corpus keeps which stored article a newcomer was found to copy, and a wire service is often read after the papers that print it. So the
direction is taken from what is known now: the canonical article is the origin, else the one that was published first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.serve.difference import additions

if TYPE_CHECKING:
    from pipelines.store.room import Room

Row = Mapping[str, Any]
MAX_COMPARED = 12  # copies on one page that are read to say what they add
ADDED_SHOWN, ADDED_CHARS = 2, 240


def events_of(room: Room, told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The articles, each with `link` (None for what is told in own words) and `added`, which only the first copies have.

    A link has origin (a row), relation, containment. `added` has count, first (sentences) and left (how many are left out).
    """
    links = links_of(room, told)
    compared = [key for key in (row["id"] for row in told) if key in links][:MAX_COMPARED]
    texts = room.texts([*compared, *(links[key]["origin"]["id"] for key in compared)])
    events = []
    for row in told:
        link = links.get(row["id"])
        event: dict[str, Any] = {**row, "link": link, "added": None}
        if link and row["id"] in compared and {row["id"], link["origin"]["id"]} <= texts.keys():
            added, left = additions(texts[link["origin"]["id"]], texts[row["id"]])
            event["added"] = {"count": len(added), "first": [clipped(one) for one in added[:ADDED_SHOWN]], "left": left}
        events.append(event)
    return events


def links_of(room: Room, told: Sequence[Row]) -> dict[int, dict[str, Any]]:
    """What each copy copies, by the copy's number."""
    known: dict[int, Row] = {row["id"]: row for row in told}
    for key in list(dict.fromkeys(row["of"] for row in told if row["of"] and row["of"] not in known))[:MAX_COMPARED]:
        if (elsewhere := room.article(key)) is not None:
            known[key] = elsewhere
    links: dict[int, dict[str, Any]] = {}
    for row in told:
        other = known.get(row["of"])
        if other is None:
            continue
        copy, origin = (other, row) if is_before(row, other) else (row, other)
        links.setdefault(copy["id"], {"origin": origin, "relation": row["relation"], "containment": row["containment"]})
    return links


def is_before(one: Row, other: Row) -> bool:
    """True when `one` is where the words come from."""
    if one["canonical"] != other["canonical"]:
        return bool(one["canonical"])
    return when(one) < when(other)


def when(row: Row) -> tuple[str, int]:
    return row["published"] or row["fetched"], row["id"]


def clipped(text: str) -> str:
    return text if len(text) <= ADDED_CHARS else text[:ADDED_CHARS].rstrip() + "…"
