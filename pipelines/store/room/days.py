"""Today: stories and lone articles in the order they were told, a page at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from pipelines.store.connection import Connection, Row
from pipelines.store.filters import TIME
from pipelines.store.room.wanted import SCANNED, Cursor, Wanted

STORY_BEFORE = "(s.last_seen, s.id) < (?, ?)"
LOOSE = "a.story IS NULL AND a.canonical = 1"  # as the partial index says it
LOOSE_BEFORE = f"({TIME}, a.id) < (?, ?)"
ITEM = "a.id, a.url, a.source, a.publisher, a.title, a.published, a.fetched, a.updated, a.language, a.words, a.verdict, a.canonical, a.cluster, a.story"
MOST_COUNTED_NEW = 1_000
TERMS_SHOWN = 4
ITEMS_SHOWN = 40  # canonical articles of one story on this page; it has at most 30 but where copies were promoted
LAST = 2**62


@dataclass(slots=True)
class Listed:
    """One page of Today."""

    units: list[Row] = field(default_factory=list)
    next: Cursor | None = None  # where the following page begins; None: that was all
    looked_back_to: str = ""  # set when the page is short because no more was looked at: the time it stopped


class Days(Connection):
    """Reads stories, articles, relevance_terms."""

    def listed(self, wanted: Wanted, before: Cursor, rows: int) -> Listed:
        """The next `rows` stories and lone articles that have an article which is wanted.

        A unit has: time, is_story, id, title, items (canonical articles, oldest first), copies (how many are collapsed), concepts
        (dicts of concept and terms, the heaviest first), first_seen, publishers, languages.
        """
        rare = self._rare(wanted)
        found: list[tuple[Cursor, int]] = []
        stops: list[Cursor] = []
        for is_story in (True, False):
            keys, stop = self._units(wanted, before, rows + 1, rare, is_story=is_story)
            found += [(Cursor(row["time"], is_story, row["id"]), row["id"]) for row in keys]
            stops += [stop] if stop else []
        found.sort(key=lambda one: one[0].place, reverse=True)
        page = Listed()
        if stops:  # of a kind no more was looked at: what is older than that place may lack some of it
            stop = max(stops, key=lambda one: one.place)
            known = [one for one in found if one[0].place >= stop.place]
            if len(known) <= rows:
                page.next, page.looked_back_to, found = stop, stop.time, known
        if len(found) > rows:
            page.next = found[rows - 1][0]
        page.units = self._filled([cursor for cursor, _ in found[:rows]])
        return page

    def _rare(self, wanted: Wanted) -> list[int] | None:
        """All articles that have one part of the wish, when these are few."""
        for sql, values in wanted.rare_questions():
            found = self._rows(sql, values)
            if len(found) < int(values[-1]):
                return [row["id"] for row in found]
        return None

    def _units(
        self, wanted: Wanted, before: Cursor, rows: int, rare: list[int] | None, *, is_story: bool
    ) -> tuple[list[Row], Cursor | None]:
        """Keys of units of one kind, newest first; and where looking stopped, when it stopped before the end."""
        place = place_of(before, is_story=is_story)
        if is_story:
            table, time, condition = "stories AS s", "s.last_seen", STORY_BEFORE
        else:
            table, time, condition = "articles AS a", TIME, f"{LOOSE} AND {LOOSE_BEFORE}"
        key = "s.id" if is_story else "a.id"
        since = [wanted.since] if wanted.since else []
        condition += f" AND {time} >= ?" if since else ""
        if wanted.is_any or (since and wanted == Wanted(since=wanted.since)):
            sql = f"SELECT {key} AS id, {time} AS time FROM {table} WHERE {condition} ORDER BY {time} DESC, {key} DESC LIMIT ?"
            return self._rows(sql, (*place, *since, rows)), None
        wish, values = wanted.conditions()
        if rare is not None:
            join = "JOIN articles AS a ON a.id = j.value" + (" JOIN stories AS s ON s.id = a.story" if is_story else "")
            sql = f"""
                SELECT DISTINCT {key} AS id, {time} AS time FROM json_each(?) AS j {join}
                WHERE {condition} AND {wish} ORDER BY 2 DESC, 1 DESC LIMIT ?
            """
            return self._rows(sql, (json.dumps(rare), *place, *since, *values, rows)), None
        inner = f"SELECT {key} AS id, {time} AS time FROM {table} WHERE {condition} ORDER BY {time} DESC, {key} DESC"
        link = "a.story = u.id" if is_story else "a.id = u.id"
        # without an order of its own, so that it ends with the last row it needs: rows come as the inner question gives them
        sql = f"""
            SELECT u.id, u.time FROM ({inner} LIMIT {SCANNED}) AS u
            WHERE EXISTS (SELECT 1 FROM articles AS a WHERE {link} AND {wish}) LIMIT ?
        """
        found = self._rows(sql, (*place, *since, *values, rows))
        if len(found) >= rows:
            return found, None
        last = self._row(f"{inner} LIMIT 1 OFFSET {SCANNED - 1}", (*place, *since))
        return found, Cursor(last["time"], is_story, last["id"]) if last else None

    def _filled(self, cursors: list[Cursor]) -> list[Row]:
        """The units with what a page says of them."""
        stories = json.dumps([one.id for one in cursors if one.is_story])
        loose = json.dumps([one.id for one in cursors if not one.is_story])
        heads = {
            row["id"]: row
            for row in self._rows("SELECT * FROM stories WHERE id IN (SELECT value FROM json_each(?))", (stories,))
        }
        items: dict[int, list[Row]] = defaultdict(list)
        sql = f"SELECT {ITEM} FROM articles AS a WHERE a.story IN (SELECT value FROM json_each(?)) AND a.canonical = 1 ORDER BY {TIME}, a.id"
        for row in self._rows(sql, (stories,)):
            items[row["story"]].append(row)
        lone = {
            row["id"]: row
            for row in self._rows(
                f"SELECT {ITEM} FROM articles AS a WHERE a.id IN (SELECT value FROM json_each(?))", (loose,)
            )
        }
        sql = "SELECT cluster, count(*) AS count FROM articles WHERE cluster IN (SELECT value FROM json_each(?)) GROUP BY 1"
        sizes = {row["cluster"]: row["count"] for row in self._rows(sql, (loose,))}
        concepts = self.chips("a.story", stories), self.chips("a.id", loose)
        units = []
        for one in cursors:
            if one.is_story:
                head, told = heads[one.id], items[one.id]
                copies = head["articles"] - len(told)
            else:
                told = [lone[one.id]]
                head = {"title": told[0]["title"], "first_seen": one.time, "last_seen": one.time}
                copies = sizes.get(one.id, 1) - 1
            shape = {"time": one.time, "is_story": one.is_story, "id": one.id, "copies": max(0, copies)}
            units.append(head | shape | {"items": told[:ITEMS_SHOWN], "concepts": concepts[not one.is_story][one.id]})
        return units

    def chips(self, column: str, keys: str) -> dict[int, list[Row]]:
        """Why each of these is relevant: its concepts with the strongest terms, the heaviest first."""
        sql = f"""
            SELECT {column} AS of, t.concept, t.term, sum(t.weight) AS weight
            FROM articles AS a JOIN relevance_terms AS t ON t.article = a.id
            WHERE {column} IN (SELECT value FROM json_each(?)) AND a.canonical = 1 AND t.weight > 0
            GROUP BY 1, 2, 3 ORDER BY 4 DESC, 3
        """
        grouped: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
        for row in self._rows(sql, (keys,)):
            chip = grouped[row["of"]].setdefault(
                row["concept"], {"concept": row["concept"], "terms": [], "weight": 0.0}
            )
            chip["weight"] += row["weight"]
            if len(chip["terms"]) < TERMS_SHOWN:
                chip["terms"].append(row["term"])
        ordered = {key: sorted(chips.values(), key=lambda chip: -chip["weight"]) for key, chips in grouped.items()}
        return defaultdict(list, ordered)

    def newest(self) -> int:
        """The number of the article that came last; 0 for an empty corpus."""
        return int(self._value("SELECT max(id) FROM articles") or 0)

    def came_after(self, article: int) -> int:
        """How many canonical articles came after this one, of the first thousand that came."""
        sql = "SELECT coalesce(sum(canonical), 0) FROM (SELECT canonical FROM articles WHERE id > ? LIMIT ?)"
        return int(self._value(sql, (article, MOST_COUNTED_NEW)))

    def latest(self, wanted: Wanted, rows: int) -> list[Row]:
        """Canonical articles with their text, the last that came first: what a feed gives. Few are looked at, as in `listed`."""
        rare = self._rare(wanted)
        wish, values = wanted.conditions()
        columns = f"{ITEM}, a.byline, a.text"
        if rare is not None:
            sql = f"""
                SELECT {columns} FROM json_each(?) AS j JOIN articles AS a ON a.id = j.value
                WHERE a.canonical = 1 AND {wish} ORDER BY a.id DESC LIMIT ?
            """
            return self._rows(sql, (json.dumps(rare), *values, rows))
        sql = f"""
            SELECT {columns} FROM (SELECT id FROM articles ORDER BY id DESC LIMIT {SCANNED}) AS k CROSS JOIN articles AS a ON a.id = k.id
            WHERE a.canonical = 1 AND {wish} ORDER BY k.id DESC LIMIT ?
        """
        return self._rows(sql, (*values, rows))


def place_of(before: Cursor, *, is_story: bool) -> tuple[str, int]:
    """The place in one kind's own order after which its next rows stand: at the same time stories come before lone articles."""
    if is_story:
        return before.time, before.id if before.is_story else 0
    return before.time, LAST if before.is_story else before.id
