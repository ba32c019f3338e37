"""Runs, what each source gave in them, what was rejected, which input files are finished, and when sources are due."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pipelines.records import Rejection
from pipelines.store.connection import Connection, Row
from pipelines.store.values import at, clean_text, moment, to_time

COUNTS = ("fetched", "new", "copies", "unchanged", "updated", "rejected", "failed")  # have a column each
OTHER_NAMES = {"copy": "copies"}
LONGEST_WAIT = timedelta(days=32)  # sources come monthly at the rarest; a later due time was set by a wrong clock
STATE: dict[str, Any] = {
    "last_success": None,
    "last_new": None,
    "failures": 0,
    "next_due": None,
    "note": "",
    "silence_told": None,
}
NEVER_CRAWLED: dict[str, Any] = {
    "source": "",
    "outcome": None,
    "last_run": None,
    "last_success": None,
    "last_new": None,
    "failures": 0,
    "next_due": None,
    "articles": 0,
    "error": "",
    "note": "",
}
STATE_TIMES = ("last_success", "last_new", "next_due", "silence_told")
RHYTHM_ARTICLES = 20  # the latest ones, that say how often a source has something new
LEAST_ARTICLES = 5  # fewer say nothing


class Runs(Connection):
    """The tables runs, source_runs, source_state, rejections, inputs; the view source_health."""

    def start_run(self, command: str, now: datetime) -> int:
        """Open the row of a run; return its number."""
        with self.transaction():
            return self._insert("INSERT INTO runs (command, started) VALUES (?, ?)", (clean_text(command), moment(now)))

    def finish_run(self, run: int, now: datetime, exit_code: int, counts: Mapping[str, Any]) -> None:
        """Close a run's row. All of `counts` is kept as JSON, the usual ones as columns too."""
        names, values = count_columns(counts)
        with self.transaction():
            self._run(
                f"UPDATE runs SET finished = ?, exit_code = ?, {names} WHERE id = ?",
                (moment(now), exit_code, *values, run),
            )

    def start_source_run(self, run: int, source: str, now: datetime) -> None:
        with self.transaction():
            sql = "INSERT OR REPLACE INTO source_runs (run, source, started) VALUES (?, ?, ?)"
            self._run(sql, (run, clean_text(source), moment(now)))

    def finish_source_run(
        self, run: int, source: str, now: datetime, outcome: str, counts: Mapping[str, Any], error: str = ""
    ) -> None:
        """Close a source's row in a run; `outcome` is one word, `error` one line."""
        names, values = count_columns(counts)
        with self.transaction():
            self._run(
                f"UPDATE source_runs SET finished = ?, outcome = ?, error = ?, {names} WHERE run = ? AND source = ?",
                (moment(now), clean_text(outcome), clean_text(error), *values, run, clean_text(source)),
            )

    def runs(self, limit: int = 20) -> list[Row]:
        """The last runs, newest first; `counts` holds what the columns do not."""
        return [with_counts(row) for row in self._rows("SELECT * FROM runs ORDER BY id DESC LIMIT ?", (limit,))]

    def source_runs(self, run: int) -> list[Row]:
        """What each source gave in a run."""
        return [
            with_counts(row) for row in self._rows("SELECT * FROM source_runs WHERE run = ? ORDER BY source", (run,))
        ]

    def source_health(self) -> list[Row]:
        """How each source does: its last run, success and new article, failures in a row, when it is due, articles.

        A source that was never crawled, but whose articles came from files, has only these.
        """
        sql = "SELECT source, count(*) AS articles FROM articles WHERE source NOT IN (SELECT source FROM source_health) GROUP BY 1"
        found = self._rows("SELECT * FROM source_health") + [NEVER_CRAWLED | row for row in self._rows(sql)]
        return sorted(found, key=lambda row: str(row["source"]))

    def source_state(self, source: str) -> Row:
        """What is remembered of a source, its times as datetimes; of an unknown one the defaults."""
        row = self._row("SELECT * FROM source_state WHERE source = ?", (clean_text(source),))
        if row is None:
            return {"source": source} | STATE
        return row | {name: to_time(row[name]) for name in STATE_TIMES}

    def set_source_state(self, source: str, **values: Any) -> None:
        """Change what is remembered of a source: last_success, last_new, failures, next_due, note, silence_told."""
        if unknown := set(values) - set(STATE):
            raise TypeError(f"no such columns of source_state: {', '.join(sorted(unknown))}")
        name = clean_text(source)
        stored = [value_of(value) for value in values.values()]
        with self.transaction():
            self._run("INSERT OR IGNORE INTO source_state (source) VALUES (?)", (name,))
            if values:
                changes = ", ".join(f"{column} = ?" for column in values)
                self._run(f"UPDATE source_state SET {changes} WHERE source = ?", (*stored, name))

    def rhythm(self, source: str) -> tuple[datetime, timedelta] | None:
        """When the source's newest article is from, and how long it is from one to the next; None when nobody can say."""
        rows = self._rows(
            "SELECT coalesce(published, fetched) AS time FROM articles WHERE source = ? ORDER BY time DESC LIMIT ?",
            (clean_text(source), RHYTHM_ARTICLES),
        )
        if len(rows) < LEAST_ARTICLES:
            return None
        newest, oldest = at(rows[0]["time"]), at(rows[-1]["time"])
        return newest, (newest - oldest) / (len(rows) - 1)

    def sources_due(self, ids: Iterable[str], now: datetime) -> list[str]:
        """Those of the sources whose time has come, in the order given; never asked ones are due."""
        rows = self._rows("SELECT source, next_due FROM source_state WHERE next_due > ?", (moment(now),))
        latest = now + LONGEST_WAIT
        waiting = {row["source"] for row in rows if row["next_due"] <= moment(latest)}
        return [name for name in ids if name not in waiting]

    def were_all_read(self, ids: Iterable[str]) -> bool:
        """True when each of the sources has answered at least once."""
        known = set(self._column("SELECT source FROM source_state WHERE last_success IS NOT NULL"))
        return known.issuperset(ids)

    def reject(self, rejection: Rejection, run: int | None, time: datetime) -> None:
        """Keep why a page is not here."""
        texts = (rejection.url, rejection.stage, rejection.reason, rejection.detail, rejection.source)
        with self.transaction():
            self._run(
                "INSERT INTO rejections (url, stage, reason, detail, source, run, time) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*map(clean_text, texts), run, moment(time)),
            )

    def rejections(self, run: int | None = None, url: str = "", limit: int = 100) -> list[Row]:
        """Pages not kept, newest first: url, run, stage, reason, detail, source, time."""
        parts, values = ["1"], list[Any]()
        if run is not None:
            parts.append("run = ?")
            values.append(run)
        if url:
            parts.append("url = ?")
            values.append(clean_text(url))
        sql = f"SELECT * FROM rejections WHERE {' AND '.join(parts)} ORDER BY id DESC LIMIT ?"
        return self._rows(sql, (*values, limit))

    def finish_input(self, path: str, digest: str, pages: int, *, is_whole: bool) -> None:
        """Remember how far an input file is read; in the transaction that stores its last page."""
        with self.transaction():
            sql = "INSERT OR REPLACE INTO inputs (path, digest, pages, whole) VALUES (?, ?, ?, ?)"
            self._run(sql, (clean_text(path), clean_text(digest), pages, int(is_whole)))

    def finished_input(self, path: str) -> tuple[str, int, bool] | None:
        """How far a file is read: its digest, the pages read, whether nothing of it is missing. None: not at all."""
        row = self._row("SELECT digest, pages, whole FROM inputs WHERE path = ?", (clean_text(path),))
        return (row["digest"], row["pages"], bool(row["whole"])) if row else None


def count_columns(counts: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """SQL and values that store counts."""
    named = {OTHER_NAMES.get(name, name): value for name, value in counts.items()}
    columns: dict[str, Any] = {name: int(named[name]) for name in COUNTS if name in named}
    columns["counts"] = json.dumps(dict(counts), default=str)
    return ", ".join(f"{name} = ?" for name in columns), list(columns.values())


def with_counts(row: Row) -> Row:
    return row | {"counts": json.loads(row["counts"])}


def value_of(value: object) -> object:
    if isinstance(value, datetime):
        return moment(value)
    return clean_text(value) if isinstance(value, str) else value
