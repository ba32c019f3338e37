"""One story, one article, the page it came from, and two texts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipelines.serve.asked import Asked, Elsewhere, NotHereError, View
from pipelines.serve.difference import Pair, compare, folded
from pipelines.serve.fates import folded as folded_fates
from pipelines.serve.fates import in_place, tally
from pipelines.serve.portions import paragraphs, portions, weight
from pipelines.serve.views.timeline import events_of
from pipelines.urls import is_web, normal_form

if TYPE_CHECKING:
    from pipelines.store.room import Room

SUBHEAD_CHARS = 80
FOLD_ROOM = 300


def story(room: Room, asked: Asked) -> View:
    number = asked.place("story")
    head = room.story_head(number)
    if head is None:
        raise NotHereError(f"story {number}")
    told = room.told(number)
    events = events_of(room, told)
    return View(
        template="story.html",
        values={
            "story": head,
            "events": events,
            "concepts": room.chips("a.story", f"[{number}]")[number],
            "more": head["articles"] - len(told),
            "copies": sum(1 for event in events if event["link"]),
            "language": told[0]["language"] if told else "",
            "publishers": list(dict.fromkeys(row["publisher"] for row in told)),
        },
    )


def article(room: Room, asked: Asked) -> View:
    row = found(room, asked)
    parts = portions([Line(text) for text in paragraphs(row["text"])], lambda line: line.room)
    part = min(max(1, asked.number("part")), len(parts))
    cluster, count = room.cluster_of(row["cluster"])
    return View(
        template="article.html",
        values={
            "article": row,
            "lines": subheads(parts[part - 1]),
            "part": part,
            "parts": len(parts),
            "turn": pages(asked, part, len(parts)),
            "terms": room.terms(row["id"])[:40],
            "events": events_of(room, cluster) if count > 1 else [],
            "cluster_size": count,
            "versions": room.version_list(row["id"]),
            "removed": room.removed_count(row["id"]),
            "story": room.story_head(row["story"]) if row["story"] else None,
            "origin": room.origin_of(row["id"]),
        },
    )


class Line:
    """A paragraph, and whether it reads like a heading of what follows."""

    __slots__ = ("is_subhead", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_subhead = False

    @property
    def room(self) -> int:
        return 30 + weight(self.text)


def subheads(lines: Sequence[Line]) -> Sequence[Line]:
    """The lines, with short ones that end without a stop and stand before a longer one marked as headings.

    The corpus keeps words, not forms; this is a guess for the eye alone.
    """
    for line, following in pairwise(lines):
        is_short = len(line.text) <= SUBHEAD_CHARS and not line.text.rstrip().endswith(
            (".", "!", "?", ":", ",", ";", "。", "”", '"', "다")
        )
        line.is_subhead = is_short and len(following.text) > 2 * len(line.text)
    return lines


def pages(asked: Asked, part: int, parts: int) -> dict[str, str]:
    """Links to the portion before and after this one."""
    return {
        "before": asked.link(part=part - 1) if part > 1 else "",
        "after": asked.link(part=part + 1) if part < parts else "",
    }


def page(room: Room, asked: Asked) -> View:
    """What was left out and why: every block of the page at its place."""
    row = found(room, asked)
    fates = in_place(row["text"], room.removed(row["id"]))
    parts = portions(fates, lambda fate: fate.room)
    part = min(max(1, asked.number("part")), len(parts))
    return View(
        template="page.html",
        values={
            "article": row,
            "groups": folded_fates(parts[part - 1]),
            "is_whole": asked.text("whole") == "1",
            "other_way": asked.link(whole=None if asked.text("whole") == "1" else "1"),
            "kept": sum(fate.is_kept for fate in fates),
            "kinds": tally(fates),
            "part": part,
            "parts": len(parts),
            "turn": pages(asked, part, len(parts)),
        },
    )


def two_articles(room: Room, asked: Asked) -> View:
    left, right = (room.article(asked.place(name)) for name in ("left", "right"))
    if left is None or right is None:
        raise NotHereError("one of these two articles")
    sides = [
        {"title": row["title"], "path": f"/article/{row['id']}", "from": row["publisher"], "time": row["published"] or row["fetched"], "language": row["language"]}
        for row in (left, right)
    ]  # fmt: skip
    return comparison(asked, sides, (left["text"], right["text"]))


def two_versions(room: Room, asked: Asked) -> View:
    row = found(room, asked)
    version = room.version(row["id"], asked.place("version"))
    if version is None:
        raise NotHereError("this version")
    path = f"/article/{row['id']}"
    sides = [
        {"title": version["title"], "path": path, "from": "as it was", "time": version["seen"], "language": row["language"]},
        {"title": version["title_after"], "path": path, "from": "as it became", "time": version["replaced"], "language": row["language"]},
    ]  # fmt: skip
    return comparison(asked, sides, (version["text"], version["text_after"]))


def comparison(asked: Asked, sides: list[dict[str, Any]], texts: tuple[str, str]) -> View:
    """Two texts side by side, the same passages folded unless `whole` is asked for."""
    found = compare(*texts)
    is_whole = asked.text("whole") == "1"
    rows: list[Pair | int] = list(found.pairs) if is_whole else folded(found.pairs)
    parts = portions(rows, lambda row: FOLD_ROOM if isinstance(row, int) else row.room)
    part = min(max(1, asked.number("part")), len(parts))
    return View(
        template="compare.html",
        values={
            "sides": sides,
            "rows": parts[part - 1],
            "found": found,
            "is_whole": is_whole,
            "other_way": asked.link(whole=None if is_whole else "1", part=None),
            "part": part,
            "parts": len(parts),
            "turn": pages(asked, part, len(parts)),
        },
    )


def found(room: Room, asked: Asked) -> dict[str, Any]:
    number = asked.place("article")
    row = room.article(number)
    if row is None:
        raise NotHereError(f"article {number}")
    return row


def address(room: Room, asked: Asked) -> View | Elsewhere:
    """What is known of an address: the article, or why there is none."""
    url = normal_form(asked.text("url")) or asked.text("url")
    row = room.article(url) if url else None
    if row is not None:
        return Elsewhere(path=f"/article/{row['id']}")
    fetches, rejections = room.last_fetches(url), room.rejections(url=url, limit=8)
    return View(
        template="address.html",
        values={"url": url, "is_address": is_web(url), "fetches": fetches, "rejections": rejections},
    )
