"""The frontier: addresses known, and when each is due.

It lives in the corpus and not in memory, and an address leaves it only in the transaction that stores its page, so a
killed run loses nothing. Feeds and sitemaps are not in it: their sources say when they are due.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from pipelines.records import Due, Entry, Fetch
from pipelines.store.connection import Connection, Row
from pipelines.store.pages import hint_of_plain, hint_to_plain
from pipelines.store.values import at, clean_text, moment, to_text, to_time

REVISIT_AFTER = (  # of an article's publication: corrections and updates come early, then hardly ever
    timedelta(hours=6),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7),
)
REVISIT_REJECTED_AFTER = timedelta(days=1)  # once: "breaking, more to come" may be an article tomorrow
MIN_REVISIT_GAP = timedelta(hours=1)
BACK_OFF = timedelta(hours=1)  # doubled with every failure in a row
MAX_BACK_OFF = timedelta(hours=24)
MAX_FAILURES = 10  # about six days; after that the address is given up
GONE = {404: "not_found", 410: "gone"}
LOOK_AGAIN_DAYS = 30  # a new lastmod of an older address is a site's rebuild more often than news
DUE = "url, source, last_fetch, hint"


class Frontier(Connection):
    """The table frontier."""

    def offer(self, source_id: str, entries: Iterable[Entry], now: datetime) -> int:
        """Add addresses not known yet, due at once; return how many were new.

        A known one is due again when its entry says it changed after our last fetch, unless it is old or ended.
        """
        time, source = moment(now), clean_text(source_id)
        new = 0
        with self.transaction():
            for entry in entries:
                plain = hint_to_plain(entry.hint)
                values = (clean_text(entry.url), source, time, time, plain["published"], json.dumps(plain))
                sql = "INSERT OR IGNORE INTO frontier (url, source, first_seen, next_due, published, hint) VALUES (?, ?, ?, ?, ?, ?)"
                is_new = self._run(sql, values) > 0
                new += is_new
                if not is_new and entry.modified is not None:
                    self._look_again(values[0], entry.modified, now)
        return new

    def _look_again(self, url: str, modified: datetime, now: datetime) -> None:
        self._run(
            "UPDATE frontier SET next_due = min(coalesce(next_due, ?1), ?1), ended = '' WHERE url = ?2 AND ended IN ('', 'revisited')"
            " AND failures = 0 AND last_fetch < ?3 AND last_fetch < ?4 AND first_seen >= ?5",
            (
                moment(now),
                url,
                moment(modified),
                moment(now - MIN_REVISIT_GAP),
                moment(now - timedelta(days=LOOK_AGAIN_DAYS)),
            ),
        )

    def due(self, source_id: str, now: datetime, limit: int) -> list[Due]:
        """Addresses of a source to fetch now: new ones first, the latest published first, then revisits."""
        sql = f"""
            SELECT {DUE}, coalesce(v.etag, '') AS etag, coalesce(v.last_modified, '') AS last_modified FROM (
                SELECT * FROM frontier WHERE source = ? AND next_due <= ?
                ORDER BY last_fetch IS NOT NULL, published IS NULL, published DESC, first_seen, rowid LIMIT ?
            ) LEFT JOIN validators AS v USING (url)
            ORDER BY last_fetch IS NOT NULL, published IS NULL, published DESC, first_seen
        """
        return [as_due(row) for row in self._rows(sql, (clean_text(source_id), moment(now), limit))]

    def waiting(self, source_id: str, now: datetime) -> int:
        """How many addresses of a source are due."""
        return int(
            self._value(
                "SELECT count(*) FROM frontier WHERE source = ? AND next_due <= ?", (clean_text(source_id), moment(now))
            )
        )

    def cap(self, source_id: str, most: int) -> int:
        """On a source's first visit: leave out all but its newest addresses; return how many are left out."""
        newest = "SELECT rowid FROM frontier WHERE source = ?1 AND next_due IS NOT NULL AND last_fetch IS NULL"
        order = "ORDER BY published IS NULL, published DESC, first_seen, rowid LIMIT -1 OFFSET ?2"
        with self.transaction():
            return self._run(
                f"UPDATE frontier SET next_due = NULL, ended = 'before_first_visit' WHERE rowid IN ({newest} {order})",
                (clean_text(source_id), most),
            )

    def redirected(self, url: str, to: str) -> None:
        """Note that an address led to another, so that the other one is not fetched for itself as well."""
        if not to or to == url:
            return
        with self.transaction():
            one, other = clean_text(url), clean_text(to)
            self._run("UPDATE frontier SET redirected_to = ? WHERE url = ?", (other, one))
            known = self._row("SELECT source, first_seen FROM frontier WHERE url = ?", (one,))
            if known is None:
                return
            self._run(
                "INSERT INTO frontier (url, source, first_seen, ended) VALUES (?, ?, ?, 'redirect_target')"
                " ON CONFLICT (url) DO UPDATE SET next_due = NULL, ended = 'redirect_target' WHERE last_fetch IS NULL",
                (other, known["source"], known["first_seen"]),
            )

    def ended(self, url: str, reason: str) -> None:
        """Never fetch this address again, for this one-word reason."""
        with self.transaction():
            self._run(
                "UPDATE frontier SET next_due = NULL, ended = ? WHERE url = ?", (clean_text(reason), clean_text(url))
            )

    def frontier_row(self, url: str) -> Row | None:
        """What the frontier knows of an address, for `why`."""
        return self._row("SELECT * FROM frontier WHERE url = ?", (clean_text(url),))

    def _schedule(self, fetch: Fetch, *, is_good: bool) -> None:
        """Say when a page is to be fetched again, from how this fetch went and from what became of the page."""
        url, time = clean_text(fetch.url), moment(fetch.time)
        self._run(
            "INSERT OR IGNORE INTO frontier (url, source, first_seen, next_due) VALUES (?, ?, ?, NULL)",
            (url, clean_text(fetch.source), time),
        )
        row = self._row("SELECT first_seen, last_fetch, failures FROM frontier WHERE url = ?", (url,)) or {}
        if is_good:
            next_due, failures, ended = self._next_visit(url, row, fetch.time), 0, ""
            ended = "" if next_due else "revisited"
        elif fetch.status in GONE:
            next_due, failures, ended = None, row["failures"] + 1, GONE[fetch.status]
        else:
            failures = row["failures"] + 1
            is_over = failures >= MAX_FAILURES
            next_due, ended = (None, "gave_up") if is_over else (fetch.time + back_off(failures), "")
        self._run(
            "UPDATE frontier SET next_due = ?, failures = ?, ended = ?, last_fetch = ? WHERE url = ?",
            (to_text(next_due), failures, ended, time, url),
        )

    def _next_visit(self, url: str, row: Row, now: datetime) -> datetime | None:
        article = self._row("SELECT published, fetched FROM articles WHERE url = ?", (url,))
        if article is None:  # not kept
            again = at(row["first_seen"]) + REVISIT_REJECTED_AFTER
            return again if row["last_fetch"] is None and again > now else None
        return next_revisit(min(to_time(article["published"]) or at(article["fetched"]), at(article["fetched"])), now)


def next_revisit(published: datetime, now: datetime) -> datetime | None:
    """The next time of the table that is still to come, None when the article is too old to change."""
    for age in REVISIT_AFTER:
        if published + age > now:
            return max(published + age, now + MIN_REVISIT_GAP)
    return None


def back_off(failures: int) -> timedelta:
    """How long to leave an address alone after so many failures in a row."""
    return min(MAX_BACK_OFF, BACK_OFF * (1 << min(failures - 1, MAX_FAILURES)))


def as_due(row: Row) -> Due:
    plain: dict[str, Any] = json.loads(row["hint"])
    return Due(
        url=row["url"],
        source=row["source"],
        hint=hint_of_plain(plain),
        is_revisit=row["last_fetch"] is not None,
        etag=row["etag"],
        last_modified=row["last_modified"],
    )
