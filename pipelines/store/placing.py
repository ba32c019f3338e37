"""The candidate index: which stored articles may be the same text as a new one.

A key is the week an article was published in and one of its fingerprints, in 47 bits. Copies travel in days, so a
look-up asks a few weeks only, and what a run writes lies close together: among a million articles that is the difference
between one changed page of the file for each fingerprint and one for a dozen.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.records import Article, Candidate, Signature
from pipelines.store.connection import Row
from pipelines.store.copies import Copies
from pipelines.store.filters import TIME
from pipelines.store.values import at, moment, moved, pack, to_time, unpack

WEEK_S = 604_800  # since 1970, as in the SQL of checks.py
FINGERPRINT_BITS = 35  # with 12 for the week it is 47: SQLite keeps such an integer in six bytes
LAST_WEEK = 2**12 - 1  # the year 2048; what claims to be later stands with it, what claims to be before 1970 in week 1
UNDATED = 0  # an article without a date may be of any time: it is looked for among all, and all look there
MAX_WEEKS = 64  # looked into, the latest: for an article without a date, or a window of years
RANKED_BEFORE_WINDOW = 200  # ranked look-ups taken before those outside the time window are left out
CANDIDATE = (
    "SELECT a.id, a.{key} AS key, a.url, a.publisher, a.title, a.text, a.text_hash, a.published, a.fetched, a.cluster,"
    " (SELECT c.published FROM articles AS c WHERE c.id = a.cluster) AS cluster_published FROM {articles} AS a"
)
POSTINGS = """
    SELECT value AS key, (
        SELECT json_group_array(article) FROM (SELECT article FROM {bands} WHERE fingerprint = value ORDER BY article DESC LIMIT ?)
    ) AS articles FROM json_each(?) WHERE EXISTS (SELECT 1 FROM {bands} WHERE fingerprint = value)
"""  # newest first, capped for each key, in one statement; asking first costs a fifth where most keys are in no article
# no INSERT OR REPLACE: where a table refers to another it takes five times as long
WRITE = """
    INSERT INTO signatures (article, recipe, minhash, fingerprints, shingles) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (article) DO UPDATE SET recipe = excluded.recipe, minhash = excluded.minhash,
        fingerprints = excluded.fingerprints, shingles = excluded.shingles
"""
WEEKS = f"""
    WITH RECURSIVE weeks(week) AS (
        SELECT max(fingerprint) >> {FINGERPRINT_BITS} FROM {{bands}} WHERE fingerprint < ?1
        UNION ALL
        SELECT (SELECT max(fingerprint) >> {FINGERPRINT_BITS} FROM {{bands}} WHERE fingerprint < week << {FINGERPRINT_BITS})
        FROM weeks WHERE week > ?2 LIMIT {MAX_WEEKS}
    )
    SELECT week FROM weeks WHERE week >= ?2
"""  # the weeks that have articles, latest first: one step in the index for each


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where candidates are looked for: a table of keys, and the table whose rows its column `article` numbers."""

    bands: str
    articles: str
    key: str

    def sql(self, text: str) -> str:
        return text.format(bands=self.bands, articles=self.articles, key=self.key)


STORED = Shelf("bands", "articles", "id")


class Placing(Copies):
    """The tables signatures and bands."""

    def candidates(self, article: Article, shelf: Shelf = STORED) -> tuple[Candidate, ...]:
        """Stored articles that may be the same text, as `pipelines.dedup.decide` wants them.

        Every one with the same text hash, whenever it came; then those of the time window that share fingerprints,
        most telling first.
        """
        if not article.signature.minhash:
            return ()
        limit = self.config.dedup.max_candidates
        sql = shelf.sql(f"{CANDIDATE} WHERE a.text_hash = ? ORDER BY {TIME}, a.fetched, a.url LIMIT ?")
        same = self._rows(sql, (article.text_hash, limit))
        found = {row["id"]: candidate_of(row, len(article.signature.fingerprints)) for row in same}
        for row, shared in self._near(article, limit, shelf):
            found.setdefault(row["id"], candidate_of(row, shared))
        return tuple(found.values())

    def _near(self, article: Article, limit: int, shelf: Shelf) -> list[tuple[Row, int]]:
        """Rows that share fingerprints with the article and were published within the window, with how many."""
        from pipelines.dedup.decide import rank_candidates  # numpy: only those who dedup pay for it

        published, window = article.document.published, timedelta(days=self.config.dedup.window_days)
        weeks = self._weeks(published, window, shelf)
        ranked = rank_candidates(self._postings(article.signature.fingerprints, weeks, shelf), RANKED_BEFORE_WINDOW)
        if not ranked:
            return []
        shared = dict(ranked)
        condition, values = window_condition(published, window)
        sql = "SELECT a.{key} AS key FROM {articles} AS a WHERE a.{key} IN (SELECT value FROM json_each(?)) AND "
        inside = {row["key"] for row in self._rows(shelf.sql(sql) + condition, (json.dumps(list(shared)), *values))}
        chosen = [key for key in shared if key in inside][:limit]
        sql = shelf.sql(f"{CANDIDATE} WHERE a.{{key}} IN (SELECT value FROM json_each(?))")
        rows = {row["key"]: row for row in self._rows(sql, (json.dumps(chosen),))}
        return [(rows[key], shared[key]) for key in chosen]

    def _postings(self, fingerprints: Iterable[int], weeks: Sequence[int], shelf: Shelf) -> list[tuple[int, list[int]]]:
        """For each fingerprint the articles of these weeks that have it, newest first."""
        from pipelines.dedup.decide import MAX_POSTINGS

        keys = [key for week in weeks for key in keys_of(week, fingerprints)]
        found: dict[int, list[int]] = defaultdict(list)
        for row in self._rows(shelf.sql(POSTINGS), (MAX_POSTINGS, json.dumps(keys))):
            found[row["key"] & (2**FINGERPRINT_BITS - 1)] += json.loads(row["articles"])
        return [(fingerprint, sorted(articles, reverse=True)) for fingerprint, articles in found.items()]

    def _weeks(self, published: datetime | None, window: timedelta, shelf: Shelf) -> list[int]:
        """The weeks in which copies of an article may stand, that of undated ones among them."""
        first, last = UNDATED, LAST_WEEK
        if published is not None:
            seconds, width = int(published.timestamp()), int(window.total_seconds()) + 1
            first, last = week_at(seconds - width), week_at(seconds + width)
        if last - first < MAX_WEEKS:
            return [*range(last, first - 1, -1), UNDATED]
        known = self._rows(shelf.sql(WEEKS), ((last + 1) << FINGERPRINT_BITS, first))
        return [*(row["week"] for row in known if row["week"]), UNDATED]

    def _write_signature(self, article: int, signature: Signature, published: datetime | None) -> None:
        """Make signature and candidate index of an article those of its text and date now."""
        before = self._row(
            "SELECT s.fingerprints, a.published FROM signatures AS s JOIN articles AS a ON a.id = s.article WHERE s.article = ?",
            (article,),
        )
        if before:
            earlier = keys_of(week_of(to_time(before["published"])), unpack(before["fingerprints"]))
            self._run(
                "DELETE FROM bands WHERE article = ? AND fingerprint IN (SELECT value FROM json_each(?))",
                (article, json.dumps(earlier)),
            )
        packed = pack(signature.fingerprints)
        self._run(
            WRITE,
            (article, signature.recipe, signature.minhash, packed, signature.shingles),
        )
        self._index_copies(article, week_of(published), unpack(packed))

    def _index_copies(self, article: int, week: int, fingerprints: Iterable[int], shelf: Shelf = STORED) -> None:
        """Add an article to the candidate index, in one statement."""
        sql = shelf.sql("INSERT INTO {bands} (fingerprint, article) SELECT value, ? FROM json_each(?)")
        self._run(sql, (article, json.dumps(keys_of(week, fingerprints))))


def keys_of(week: int, fingerprints: Iterable[int]) -> list[int]:
    """The keys of an article's fingerprints, sorted: neighbours in the index are written together."""
    return [week << FINGERPRINT_BITS | value for value in sorted(fingerprints)]


def week_of(published: datetime | None) -> int:
    return UNDATED if published is None else week_at(int(published.timestamp()))


def week_at(seconds: int) -> int:
    """The week of a time given as seconds since 1970, inside the bounds; order is kept, so a span of time is a span of weeks."""
    return max(1, min(LAST_WEEK, seconds // WEEK_S))


def candidate_of(row: Row, shared: int) -> Candidate:
    times = {name: to_time(row[name]) for name in ("published", "cluster_published")} | {"fetched": at(row["fetched"])}
    return Candidate(**({name: value for name, value in row.items() if name != "key"} | times), shared=shared)


def window_condition(published: datetime | None, window: timedelta) -> tuple[str, Sequence[str]]:
    """SQL for "published within the window"; an article without a date may be of any time."""
    if published is None:
        return "1", ()
    return "(a.published IS NULL OR a.published BETWEEN ? AND ?)", (
        moment(moved(published, -window)),
        moment(moved(published, window)),
    )
