"""Stories: articles about one event. Which belong together is said elsewhere; here they get numbers that last.

A story that is grouped again keeps its number as long as most of its articles stay together, so a link to it holds.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.store.connection import Connection, Row
from pipelines.store.copies import COUNT_AGAIN
from pipelines.store.filters import EVERYTHING, TIME, Filter
from pipelines.store.values import at, moment, moved, to_time

if TYPE_CHECKING:
    from pipelines.dedup.stories import StoryItem

ITEM = "a.id, a.url, a.source, a.publisher, a.title, a.published, a.fetched, a.language, a.words, a.relevance, a.verdict, a.canonical, a.cluster, a.story"
TEXTS_AT_ONCE = 200

Span = tuple[str, str]  # from one time to another, as the file holds them


class Stories(Connection):
    """The tables stories and story_terms, and the column story of articles."""

    def spans_around(self, run: int, width: timedelta) -> list[Span]:
        """The times within `width` of an article that a run brought (published, else fetched), oldest first, apart from each other.

        One article of years ago must not have all that came since looked at again.
        """
        days = f"SELECT min({TIME}) AS first, max({TIME}) AS last FROM articles AS a WHERE run = ? GROUP BY substr({TIME}, 1, 10) ORDER BY 1"
        spans: list[Span] = []
        for row in self._rows(days, (run,)):
            since, until = moment(moved(at(row["first"]), -width)), moment(moved(at(row["last"]), width))
            if spans and since <= spans[-1][1]:
                since, _ = spans.pop()
            spans.append((since, until))
        return spans

    def story_items(self, since: datetime, most: int = -1, skip: int = 0) -> Iterator[StoryItem]:
        """Canonical articles since then (the newest `most` after `skip`), oldest first, for `pipelines.dedup.stories.group`.

        Read by the hundred: a month of texts needs more room than all that is made of them.
        """
        from pipelines.dedup.stories import StoryItem

        keys = self._canonical(since, most, skip)
        texts = (
            "SELECT a.id, title, text, language, published, fetched FROM json_each(?) AS wanted"
            " CROSS JOIN articles AS a ON a.id = wanted.value ORDER BY wanted.key"
        )
        for first in range(0, len(keys), TEXTS_AT_ONCE):
            for row in self._rows(texts, (json.dumps(keys[first : first + TEXTS_AT_ONCE]),)):
                yield StoryItem(
                    id=row["id"],
                    title=row["title"],
                    text=row["text"],
                    language=row["language"],
                    published=to_time(row["published"] or row["fetched"]),
                )

    def counted_items(self, spans: Sequence[Span], most: int = -1) -> Iterator[StoryItem]:
        """As `story_items`, of these times, with the terms of each text counted once and kept, for as long as runs look at it. In a transaction.

        Every run looks at a fortnight again; reading its texts and counting their words was most of that work.
        """
        from pipelines.dedup.stories import TERMS_VERSION, StoryItem, unpacked_terms

        keys = self._within(spans, most)
        self._run("DELETE FROM story_terms WHERE article NOT IN (SELECT value FROM json_each(?))", (json.dumps(keys),))
        sql = (
            "SELECT a.id, a.language, coalesce(a.published, a.fetched) AS time, t.terms FROM json_each(?) AS wanted"
            " CROSS JOIN articles AS a ON a.id = wanted.value"
            " LEFT JOIN story_terms AS t ON t.article = a.id AND t.version = ? ORDER BY wanted.key"
        )
        for first in range(0, len(keys), TEXTS_AT_ONCE):
            rows = self._rows(sql, (json.dumps(keys[first : first + TEXTS_AT_ONCE]), TERMS_VERSION))
            counted = self._count_terms([row["id"] for row in rows if row["terms"] is None])
            for row in rows:
                published, terms = to_time(row["time"]), unpacked_terms(row["terms"] or counted[row["id"]])
                yield StoryItem(id=row["id"], language=row["language"], published=published, terms=terms)

    def _count_terms(self, articles: Sequence[int]) -> dict[int, bytes]:
        """Count the terms of these articles, and keep them."""
        from pipelines.dedup.stories import TERMS_VERSION, StoryItem, packed_terms

        texts = "SELECT id, title, text FROM articles WHERE id IN (SELECT value FROM json_each(?))"
        counted = {row["id"]: packed_terms(StoryItem(**row)) for row in self._rows(texts, (json.dumps(articles),))}
        sql = (
            "INSERT INTO story_terms (article, version, terms) VALUES (?, ?, ?)"
            " ON CONFLICT (article) DO UPDATE SET version = excluded.version, terms = excluded.terms"
        )
        self._run_many(sql, [(article, TERMS_VERSION, packed) for article, packed in counted.items()])
        return counted

    def _canonical(self, since: datetime, most: int, skip: int = 0) -> list[int]:
        """The newest canonical articles since then, the oldest first."""
        newest = f"SELECT id FROM articles AS a WHERE canonical = 1 AND {TIME} >= ? ORDER BY {TIME} DESC, id DESC LIMIT ? OFFSET ?"
        return self._column(newest, (moment(since), most, skip))[::-1]

    def _within(self, spans: Sequence[Span], most: int) -> list[int]:
        """The newest canonical articles of these times, the oldest first."""
        newest = f"SELECT id FROM articles AS a WHERE canonical = 1 AND {TIME} BETWEEN ? AND ? ORDER BY {TIME} DESC, id DESC LIMIT ?"
        found: list[int] = []
        for span in reversed(spans):
            found += self._column(newest, (*span, most if most < 0 else most - len(found)))
        return found[::-1]

    def assign_stories(self, mapping: Mapping[int | str, int | str], now: datetime) -> None:
        """Give articles (by id; their copies follow) the stories named by `mapping`; return nothing, delete no article."""
        groups: dict[int | str, list[int]] = defaultdict(list)
        for article, story in mapping.items():
            groups[story].append(int(article))
        with self.transaction():
            before = self._story_of(list(map(int, mapping)))
            touched = {story for story in before.values() if story is not None}
            taken: set[int] = set()
            changes: list[tuple[int, int]] = []
            for members in sorted(groups.values(), key=lambda members: (-len(members), members)):
                story = lasting(members, before, taken) or self._new_story(now)
                taken.add(story)
                touched.add(story)
                changes += [(story, article) for article in members if before.get(article) != story]
            self._run_many(
                "UPDATE articles SET story = ?1 WHERE cluster = (SELECT cluster FROM articles WHERE id = ?2)", changes
            )
            self._sum_up(touched)

    def _story_of(self, articles: list[int]) -> dict[int, int | None]:
        sql = "SELECT id, story FROM articles WHERE id IN (SELECT value FROM json_each(?))"
        return {row["id"]: row["story"] for row in self._rows(sql, (json.dumps(articles),))}

    def _new_story(self, now: datetime) -> int:
        return self._insert("INSERT INTO stories (first_seen, last_seen) VALUES (?1, ?1)", (moment(now),))

    def _sum_up(self, stories: set[int]) -> None:
        """Count stories again and delete empty ones; a story is named as its first article."""
        keys = json.dumps(sorted(stories))
        self._run(
            "DELETE FROM stories WHERE id IN (SELECT value FROM json_each(?)) AND NOT EXISTS (SELECT 1 FROM articles WHERE story = stories.id)",
            (keys,),
        )
        self._run(f"{COUNT_AGAIN} WHERE id IN (SELECT value FROM json_each(?))", (keys,))

    def stories(self, chosen: Filter = EVERYTHING) -> list[Row]:
        """What happened, newest first.

        Keys: id, title, first_seen, last_seen, articles and publishers (how many), `items` (its articles without text,
        oldest first; copies only with `all_copies`), `concepts` (why it is relevant, the heaviest first).
        """
        values: list[object] = []
        parts = ["1"]
        if chosen.since:
            parts.append("s.last_seen >= ?")
            values.append(moment(chosen.since))
        if chosen.until:
            parts.append("s.first_seen <= ?")
            values.append(moment(chosen.until))
        if chosen.source or chosen.topic or chosen.language:
            condition, more = Filter(source=chosen.source, topic=chosen.topic, language=chosen.language).conditions()
            parts.append(f"EXISTS (SELECT 1 FROM articles AS a WHERE a.story = s.id AND {condition})")
            values += more
        sql = f"SELECT s.* FROM stories AS s WHERE {' AND '.join(parts)} ORDER BY s.last_seen DESC, s.id DESC LIMIT ?"
        rows = self._rows(sql, (*values, chosen.rows))
        keys = json.dumps([row["id"] for row in rows])
        items, concepts = self._items(keys, all_copies=chosen.all_copies), self._concepts(keys)
        return [row | {"items": items[row["id"]], "concepts": concepts[row["id"]]} for row in rows]

    def story(self, story: int) -> Row | None:
        """One story as `stories` gives it, with all its articles, copies too; None when there is none."""
        row = self._row("SELECT * FROM stories WHERE id = ?", (story,))
        if row is None:
            return None
        keys = json.dumps([story])
        return row | {"items": self._items(keys, all_copies=True)[story], "concepts": self._concepts(keys)[story]}

    def _items(self, stories: str, *, all_copies: bool) -> dict[int, list[Row]]:
        grouped: dict[int, list[Row]] = defaultdict(list)
        copies = "" if all_copies else "AND a.canonical = 1"
        sql = f"SELECT {ITEM} FROM articles AS a WHERE a.story IN (SELECT value FROM json_each(?)) {copies} ORDER BY {TIME}, a.id"
        for row in self._rows(sql, (stories,)):
            grouped[row["story"]].append(row)
        return grouped

    def _concepts(self, stories: str) -> dict[int, list[str]]:
        grouped: dict[int, list[str]] = defaultdict(list)
        sql = """
            SELECT a.story, t.concept FROM articles AS a JOIN relevance_terms AS t ON t.article = a.id
            WHERE a.story IN (SELECT value FROM json_each(?)) AND t.weight > 0 GROUP BY a.story, t.concept
            ORDER BY sum(t.weight) DESC, t.concept
        """
        for row in self._rows(sql, (stories,)):
            grouped[row["story"]].append(row["concept"])
        return grouped


def lasting(members: list[int], before: dict[int, int | None], taken: set[int]) -> int | None:
    """The story most of these articles had, unless a larger group has it."""
    known = Counter(story for member in members if (story := before.get(member)) is not None and story not in taken)
    return min(known, key=lambda story: (-known[story], story)) if known else None
