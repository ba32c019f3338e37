"""How the corpus comes to be: sources, runs, what is on the border and what was turned away, and the trends of it all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.serve.asked import Asked, NotHereError, View
from pipelines.serve.charts import chart, week_of
from pipelines.serve.kept import WEEKS
from pipelines.serve.words import concept_name, language_name, time_of

if TYPE_CHECKING:
    from pipelines.store.room import Room

ROWS = 50
SOURCES_A_PAGE = 40
SILENT_AFTER_GAPS = 3  # as the crawl counts it
LEAST_SILENCE = timedelta(days=2)
AT_WORK = timedelta(hours=2)  # a run has half an hour; one that began earlier and has no end never ended
DROP = 0.6  # of the usual words of an article: fewer, and the extractor may have broken
CHARTS = 16
BAD, GOOD_CELL, NEW, NONE = "bad", "good", "new", "none"


def sources(room: Room, asked: Asked) -> View:
    names, states = room.source_names(), room.states()
    page = max(1, asked.number("page", most=1000))

    def place(name: str) -> tuple[int, str]:
        return -int(states.get(name, {}).get("failures") or 0), asked.sources.name(name).casefold()

    names = sorted(names, key=place)
    chosen = names[(page - 1) * SOURCES_A_PAGE : page * SOURCES_A_PAGE]
    return View(
        template="sources.html",
        values={
            "rows": [health(room, name, states.get(name, {}), asked) for name in chosen],
            "total": len(names),
            "failing": sum(1 for state in states.values() if state["failures"]),
            "never": len(
                [
                    name
                    for name, table in asked.sources.tables.items()
                    if table.get("enabled", True) and name not in names
                ]
            ),
            "turn": {
                "before": asked.link(page=page - 1) if page > 1 else "",
                "after": asked.link(page=page + 1) if len(names) > page * SOURCES_A_PAGE else "",
            },
        },
    )


def health(room: Room, name: str, state: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """One line of the list."""
    strip, yields = room.strip(name), room.yields(name)
    last_new, gap = time_of(state.get("last_new") or yields["newest"]), yields["gap"]
    silence = asked.now - last_new if last_new else None
    is_silent = bool(silence and gap is not None and silence > max(SILENT_AFTER_GAPS * gap, LEAST_SILENCE) and strip)
    words, before = yields["words"], yields["words_before"]
    return {
        "id": name,
        "name": asked.sources.name(name),
        "group": asked.sources.group(name),
        "cells": [cell(run) for run in strip],
        "last": strip[-1] if strip else None,
        "failures": state.get("failures") or 0,
        "error": (strip[-1]["error"] if strip else "") or state.get("note") or "",
        "last_new": last_new,
        "is_silent": is_silent,
        "is_shrunk": bool(words is not None and before and words < DROP * before),
        "next_due": state.get("next_due"),
        **yields,
    }


def cell(run: Mapping[str, Any]) -> tuple[str, str]:
    """The class and the sign of one run in a strip."""
    if run["outcome"] == "failed" or run["outcome"] == "unfinished" or not run["finished"]:
        return BAD, "✕"
    if run["new"]:
        return NEW, "●"
    return (NONE, "–") if run["outcome"] == "skipped" else (GOOD_CELL, "·")


def source(room: Room, asked: Asked) -> View:
    name = str(asked.places["source"])
    if name not in room.source_names() and name not in asked.sources.tables:
        raise NotHereError(f"source {name}")
    rejected, _ = room.turned_away("", name, 0, 20)
    return View(
        template="source.html",
        values={
            "row": health(room, name, room.states().get(name, {}), asked),
            "table": asked.sources.tables.get(name, {}),
            "runs": list(reversed(room.strip(name, 30))),
            "articles": room.latest_of(name, 30),
            "rejected": rejected,
        },
    )


def borderline(room: Room, asked: Asked) -> View:
    time, _, number = asked.text("before").rpartition("_")
    before = (
        (time, int(number)) if time and number.isascii() and number.isdigit() and len(number) < 19 else ("9999", 2**62)
    )
    rows = room.borderline(before, ROWS)
    older = asked.link(before=f"{rows[-1]['time']}_{rows[-1]['id']}") if len(rows) == ROWS else ""
    return View(template="borderline.html", values={"rows": rows, "older": older, "is_later": bool(time)})


def rejected(room: Room, asked: Asked) -> View:
    reason, source_name = asked.text("reason"), asked.text("source")
    rows, stop = room.turned_away(reason, source_name, asked.number("before"), ROWS)
    reasons, is_partial = room.reasons()
    return View(
        template="rejected.html",
        values={
            "rows": rows,
            "reason": reason,
            "source": source_name,
            "reasons": [(name, count, asked.link(reason=name, before=None)) for name, count in reasons],
            "is_partial": is_partial,
            "everything": asked.link(reason=None, source=None, before=None),
            "older": asked.link(before=stop) if stop else "",
        },
    )


def runs(room: Room, asked: Asked) -> View:
    rows = room.runs_before(asked.number("before"), ROWS)
    newest = next((row["id"] for row in room.runs_before(0, 1)), 0)
    older = asked.link(before=rows[-1]["id"]) if len(rows) == ROWS else ""
    return View(
        template="runs.html",
        values={"rows": [row | {"state": state_of(row, newest, asked)} for row in rows], "older": older},
    )


def run(room: Room, asked: Asked) -> View:
    number = asked.place("run")
    row = next((row for row in room.runs_before(number + 1, 1) if row["id"] == number), None)
    if row is None:
        raise NotHereError(f"run {number}")
    newest = room.runs_before(0, 1)[0]["id"]
    return View(
        template="run.html",
        values={
            "run": row | {"state": state_of(row, newest, asked)},
            "sources_rows": room.source_runs(number),
            "articles": room.brought(number, ROWS),
            "rejected": room.rejections(run=number, limit=ROWS),
            "most": ROWS,
        },
    )


def state_of(row: Mapping[str, Any], newest: int, asked: Asked) -> str:
    """How a run stands. The lock would say for sure, but to try it could cost a run that starts at that moment its turn."""
    if row["finished"]:
        return "ended"
    started = time_of(row["started"])
    is_recent = started is not None and asked.now - started < AT_WORK
    return "at work" if row["id"] == newest and is_recent else "never ended"


def trends(room: Room, asked: Asked) -> View:
    weeks = asked.number("weeks") if asked.number("weeks") in WEEKS else 26
    by = "source" if asked.text("by") == "source" else "topic"
    counted, is_old = asked.trends.weekly(room)
    last = counted.at.astimezone(UTC).date()
    label = concept_name if by == "topic" else asked.sources.name
    shown = range(week_of(last) - weeks + 1, week_of(last) + 1)
    told = {
        name: {week: numbers[week] for week in shown if week in numbers} for name, numbers in counted.weeks[by].items()
    }
    rows = sorted(
        ((name, numbers) for name, numbers in told.items() if numbers),
        key=lambda item: (-sum(item[1].values()), item[0]),
    )
    scale = max((max(numbers.values()) for _, numbers in rows), default=0)
    total = {week: sum(numbers.get(week, 0) for numbers in counted.weeks["source"].values()) for week in shown}
    return View(
        template="trends.html",
        values={
            "all": chart("all articles", total, last, weeks),
            "charts": [
                (key, chart(label(key) or "no name", numbers, last, weeks, scale)) for key, numbers in rows[:CHARTS]
            ],
            "more": max(0, len(rows) - CHARTS),
            "by": by,
            "weeks": weeks,
            "choices": [(count, asked.link(weeks=count)) for count in WEEKS],
            "ways": [(way, asked.link(by=way)) for way in ("topic", "source")],
            "at": counted.at,
            "is_old": is_old,
            "language_name": language_name,
        },
    )
