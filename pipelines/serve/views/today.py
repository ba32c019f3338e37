"""Today: what happened, newest first, and what of it is new since the reader was here last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pipelines.serve.asked import SPANS, Asked, NotHereError, View
from pipelines.serve.words import day_name, language_name
from pipelines.store.room.days import MOST_COUNTED_NEW
from pipelines.store.room.wanted import Cursor

if TYPE_CHECKING:
    from pipelines.store.room import Room

UNITS = 30  # on one page; some 45 kB
PUBLISHERS_SHOWN = 4
VISIT_SECONDS = 30 * 60  # a reader who was away for so long comes for a new visit


@dataclass(frozen=True, slots=True)
class Visit:
    """Where the reader stood: at the end of the visit before this one, and at the last look at this page."""

    before: int  # the newest article then
    before_at: int  # seconds since 1970; 0: there was no visit before
    latest: int
    latest_at: int

    def __str__(self) -> str:
        return f"{self.before}.{self.before_at}.{self.latest}.{self.latest_at}"


def visited(cookie: str, newest: int, now: datetime) -> Visit:
    """The visit this look belongs to. Nothing is new to a first reader: everything would be."""
    seconds = int(now.timestamp())
    parts = cookie.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        return Visit(newest, 0, newest, seconds)
    known = Visit(*map(int, parts))
    if known.latest > newest:  # another corpus, or an older copy of this one
        return Visit(newest, 0, newest, seconds)
    if seconds - known.latest_at > VISIT_SECONDS:
        return Visit(known.latest, known.latest_at, newest, seconds)
    return Visit(known.before, known.before_at, newest, seconds)


def today(room: Room, asked: Asked) -> View:
    visit = visited(asked.visit, room.newest(), asked.now)
    is_new_only = asked.text("new") == "1"
    after = visit.before if is_new_only else 0
    before = Cursor()
    if asked.text("before"):
        read = Cursor.read(asked.text("before"))
        if read is None:
            raise NotHereError("this place in the list")
        before = read
    wanted = asked.wanted(after)
    listed = room.listed(wanted, before, UNITS)
    shown = [told(unit, visit.before if visit.before_at else room.newest(), asked) for unit in listed.units]
    return View(
        template="today.html",
        values={
            "days": list(by_day(shown, asked.now)),
            "fresh": room.came_after(visit.before) if visit.before_at else 0,
            "fresh_most": MOST_COUNTED_NEW,
            "visit": datetime.fromtimestamp(visit.before_at, UTC).isoformat() if visit.before_at else "",
            "is_new_only": is_new_only,
            "is_later": bool(asked.text("before")),
            "older": asked.link(before=listed.next) if listed.next else "",
            "looked_back_to": listed.looked_back_to,
            "filters": filters(room, asked),
            "is_filtered": not wanted.is_any,
            "is_empty": not room.newest(),
        },
        visit=str(visit),
    )


def told(unit: Mapping[str, Any], seen: int, asked: Asked) -> dict[str, Any]:
    """A unit with what its card says."""
    items = unit["items"]
    first = items[0] if items else {}
    publishers = list(dict.fromkeys(item["publisher"] or asked.sources.name(item["source"]) for item in items))
    return {
        **unit,
        "path": f"/story/{unit['id']}"
        if unit["is_story"] and len(items) + unit["copies"] > 1
        else f"/article/{first.get('id', 0)}",
        "language": first.get("language", ""),
        "languages": [language_name(code) for code in dict.fromkeys(item["language"] for item in items) if code],
        "publishers": publishers[:PUBLISHERS_SHOWN],
        "more_publishers": len(publishers) - PUBLISHERS_SHOWN,
        "others": items[1:4],
        "more_others": len(items) - 4,
        "is_new": any(item["id"] > seen for item in items),
        "is_borderline": bool(items) and all(item["verdict"] == "borderline" for item in items),
    }


def by_day(units: list[dict[str, Any]], now: datetime) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for name, group in groupby(units, lambda unit: day_name(unit["time"], now)):
        yield name, list(group)


def filters(room: Room, asked: Asked) -> dict[str, Any]:
    """What the selects offer, and what is chosen."""
    return {
        "topics": room.topics(),
        "kinds": asked.sources.groups(room.source_names()),
        "languages": [(code, language_name(code)) for code in room.languages()],
        "spans": list(SPANS.items()),
        "source_name": asked.sources.name(asked.text("source")),
        "chosen": {name: asked.text(name) for name in ("topic", "kind", "source", "language", "since")},
    }
