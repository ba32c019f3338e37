"""Saved searches: how far each has looked, which stories it found, and who has not been told of them yet.

A story is told once: when one of its articles is known to the search, the others are noted and nobody hears of them.
Articles are remembered, not stories, because stories get other numbers when they are grouped again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from pipelines.store.connection import Row
from pipelines.store.filters import TIME, Filter
from pipelines.store.search import Search, phrases_of, words_of
from pipelines.store.values import clean_text, moment

TEXT_CHARS = 2_000  # of an article that is told of: what a feed shows
NEWS = f"""
    a.id, a.url, a.title, a.publisher, a.source, a.byline, a.published, a.fetched, a.updated, a.language, a.words,
    substr(a.text, 1, {TEXT_CHARS}) AS text, a.canonical,
    a.cluster, a.story
"""
# a story counts as one; what is in none, as its cluster
TOGETHER = "(SELECT id FROM articles WHERE cluster = ?2 UNION SELECT id FROM articles WHERE story = ?3)"


class Watches(Search):
    """The tables watches and watch_news."""

    def matching(self, query: str, chosen: Filter, after: int = 0) -> list[Row]:
        """Articles above a number that match, copies too, newest first; with an empty query the filter alone decides."""
        condition, values = chosen.conditions()
        found: list[Any] = [after]
        if query.strip():
            words = words_of(query)
            if not words:
                return []
            condition += " AND a.id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH ? AND rowid > ?)"
            values = [*values, phrases_of(words)]
            found = [after, after]
        sql = f"SELECT {NEWS} FROM articles AS a WHERE {condition} AND a.id > ? ORDER BY {TIME} DESC, a.id DESC LIMIT ?"
        return self._rows(sql, (*values, *found, chosen.rows))

    def look(
        self, name: str, query: str, chosen: Filter, *, now: datetime, run: int | None, actions: Sequence[str]
    ) -> None:
        """Note what came since the search looked last: for each new story one article, with the actions that wait for it.

        The first time it looks at what `run` brought, or at nothing that is there.
        """
        watch = clean_text(name)
        with self.transaction():
            seen = self._value("SELECT seen FROM watches WHERE name = ?", (watch,))
            if seen is None:
                first = self._value("SELECT min(id) FROM articles WHERE run = ?", (run,))
                seen = first - 1 if first else self._last_article()
            for row in reversed(self.matching(query, chosen, int(seen))):  # who was first tells it
                is_told = self._is_told(watch, row)
                self._run(
                    "INSERT OR IGNORE INTO watch_news (watch, article, found, waiting) VALUES (?, ?, ?, ?)",
                    (watch, row["id"], moment(now), "" if is_told else " ".join(actions)),
                )
            self._run("INSERT OR REPLACE INTO watches (name, seen) VALUES (?, ?)", (watch, self._last_article()))

    def _last_article(self) -> int:
        return int(self._value("SELECT coalesce(max(id), 0) FROM articles"))

    def _is_told(self, watch: str, row: Row) -> bool:
        sql = f"SELECT EXISTS (SELECT 1 FROM watch_news WHERE watch = ?1 AND article IN {TOGETHER})"
        return bool(self._value(sql, (watch, row["cluster"], row["story"])))

    def waiting_news(self, name: str, action: str) -> list[Row]:
        """What an action has not told yet, newest first: the article, and `articles` and `publishers` of its story."""
        sql = f"""
            SELECT {NEWS}, coalesce(s.articles, 1) AS articles, coalesce(s.publishers, 1) AS publishers, w.found
            FROM watch_news AS w JOIN articles AS a ON a.id = w.article LEFT JOIN stories AS s ON s.id = a.story
            WHERE w.watch = ? AND w.waiting <> '' AND instr(' ' || w.waiting || ' ', ?) ORDER BY {TIME} DESC, a.id DESC
        """
        return self._rows(sql, (clean_text(name), f" {action} "))

    def note_told(self, name: str, action: str, articles: Iterable[int]) -> None:
        """Note that an action has told of these."""
        sql = """
            UPDATE watch_news SET waiting = trim(replace(' ' || waiting || ' ', ?, ' '))
            WHERE watch = ? AND article IN (SELECT value FROM json_each(?))
        """
        with self.transaction():
            self._run(sql, (f" {action} ", clean_text(name), json.dumps(list(articles))))

    def watch_counts(self) -> dict[str, Row]:
        """Of each search that has looked: `articles` it found, `waiting` ones not told everywhere, `last` time it found one."""
        sql = """
            SELECT n.name, count(w.article) AS articles, count(nullif(w.waiting, '')) AS waiting, max(w.found) AS last
            FROM watches AS n LEFT JOIN watch_news AS w ON w.watch = n.name GROUP BY n.name
        """
        return {row["name"]: row for row in self._rows(sql)}
