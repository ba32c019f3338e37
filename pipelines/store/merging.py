"""Another corpus poured into this one: each table has a rule that gives the same rows whatever came first, and however often.

A key that only one of the two has is taken over; where both have it, the greater row by the rule's order wins, which is
the later one. Counts are not added up (twice merged must be once merged) but the larger is kept. Rows without a key of
their own (fetches, rejections) are the same when all they say is the same. Articles are in merging_articles.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.store.connection import Row, address_of, open_checked
from pipelines.store.merging_articles import MergedArticles

OTHER = "other"  # the name the corpus being read has while it is attached
GOOD_FETCH = "error = '' AND (status = 304 OR status BETWEEN 200 AND 299)"
RUN_COLUMNS = "finished, exit_code, fetched, new, copies, unchanged, updated, rejected, failed, counts"
RANKED_RUNS = "SELECT *, row_number() OVER (PARTITION BY command, started ORDER BY id) AS place FROM {}.runs"
FETCH = "url, time, status, bytes, etag, last_modified, error, source, kind, final_url"
REJECTION = "url, stage, reason, detail, source, time"


@dataclass(frozen=True, slots=True)
class Rule:
    """How the rows of a table that has a key are joined: `order` names what makes one the later; `apart` is joined by itself."""

    table: str
    key: str
    order: str
    apart: tuple[str, ...] = ()  # "column = expression" of `mine.column` and `excluded.column`

    def sql(self, columns: list[str], chosen: str = "") -> str:
        """One statement that takes the table over; `chosen`: the SELECT of its rows, with a WHERE, where it is not the whole table."""
        whole = [name for name in columns if name not in self.key.split(", ")]
        alone = {one.partition(" = ")[0]: one.partition(" = ")[2] for one in self.apart}
        is_later = f"({coalesced('excluded', self.order)}) > ({coalesced('mine', self.order)})"
        changes = [
            f"{name} = {alone.get(name) or f'CASE WHEN {is_later} THEN excluded.{name} ELSE mine.{name} END'}"
            for name in whole
        ]
        names = ", ".join(columns)
        return (
            f"INSERT INTO main.{self.table} AS mine ({names}) {chosen or f'SELECT {names} FROM {OTHER}.{self.table} WHERE 1'}"
            f" ON CONFLICT ({self.key}) DO UPDATE SET {', '.join(changes)}"
        )


def coalesced(table: str, columns: str) -> str:
    return ", ".join(f"coalesce({table}.{name}, '')" for name in columns.split(", "))


def larger(name: str) -> str:
    """The larger of two values that may be missing."""
    return f"{name} = nullif(max(coalesce(mine.{name}, ''), coalesce(excluded.{name}, '')), '')"


RULES = (
    Rule(
        "block_memory",
        "site, block_hash",
        "last_seen",
        (
            "pages = max(mine.pages, excluded.pages)",
            "first_seen = min(mine.first_seen, excluded.first_seen)",
            "last_seen = max(mine.last_seen, excluded.last_seen)",
        ),
    ),
    Rule(
        "frontier",
        "url",
        "last_fetch, next_due, failures, ended, redirected_to, published, hint, source",
        ("first_seen = min(mine.first_seen, excluded.first_seen)",),
    ),
    Rule("raw_pages", "url", "fetched, meta, zstd, source"),
    Rule("hosts", "host", "robots_fetched, robots", (larger("closed_until"),)),
    Rule("moved", "url", "since, target"),
    Rule("open_indexes", "source, url", "depth"),
    Rule("index_pages", "source, parent, url", "read, done, modified, position"),
    Rule("inputs", "path", "whole, pages, digest"),
    Rule(
        "source_state",
        "source",
        "last_success, next_due, failures, note, selection",
        (larger("last_new"), larger("silence_told")),
    ),
)


class Merging(MergedArticles):
    """Takes another corpus in; one transaction, so it is in whole or not at all."""

    def take_in(self, path: Path) -> Row:
        """Add what another corpus holds; return what was new: articles, joined (known ones that changed), fetches, rejections.

        `StorageError` when it is no corpus of this schema. It is only read, and may be in use. Clusters are those of a corpus
        without copies until `recluster` has run.
        """
        open_checked(path, read_only=True).close()
        with self._attached(path), self.transaction():
            self._take_runs()
            taken = self._take_articles()  # first: which text is the later one is told by the fetches of each side
            self._take_validators()
            for rule in RULES:
                columns = [row["name"] for row in self._rows(f"PRAGMA main.table_info({rule.table})")]
                self._run(rule.sql(columns))
            taken["fetches"] = self._take_rows("fetches", FETCH)
            taken["rejections"] = self._take_rows("rejections", REJECTION)
            for name in ("taken", "their_runs"):
                self._run(f"DROP TABLE temp.{name}")
        return taken

    @contextmanager
    def _attached(self, path: Path) -> Iterator[None]:
        self._run(f"ATTACH ? AS {OTHER}", (address_of(path, read_only=True),))
        try:
            yield
        finally:
            self._run(f"DETACH {OTHER}")

    def _take_runs(self) -> None:
        """Take runs over under new numbers: a run is known by its command and the moment it started.

        One that was at work when its corpus was merged last may have ended since.
        """
        is_same = "m.command = o.command AND m.started = o.started AND m.place = o.place"
        mine, theirs = RANKED_RUNS.format("main"), RANKED_RUNS.format(OTHER)
        self._run(
            f"INSERT INTO main.runs (command, started, {RUN_COLUMNS}) SELECT command, started, {RUN_COLUMNS} FROM ({theirs}) AS o"
            f" WHERE NOT EXISTS (SELECT 1 FROM ({mine}) AS m WHERE {is_same}) ORDER BY started, id"
        )
        self._run("CREATE TEMP TABLE their_runs (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL)")
        self._run(
            f"INSERT INTO their_runs SELECT o.id, m.id FROM ({theirs}) AS o JOIN ({mine}) AS m ON {is_same}",
        )
        later = f"({coalesced('o', RUN_COLUMNS)}) > ({coalesced('r', RUN_COLUMNS)})"
        values = ", ".join(f"o.{name}" for name in RUN_COLUMNS.split(", "))
        self._run(
            f"UPDATE main.runs AS r SET ({RUN_COLUMNS}) = ({values}) FROM their_runs AS t JOIN {OTHER}.runs AS o ON o.id = t.theirs"
            f" WHERE t.ours = r.id AND {later}"
        )
        columns = [row["name"] for row in self._rows("PRAGMA main.table_info(source_runs)")]
        mapped = ", ".join("t.ours" if name == "run" else name for name in columns)
        chosen = f"SELECT {mapped} FROM {OTHER}.source_runs JOIN their_runs AS t ON t.theirs = run WHERE 1"
        self._run(Rule("source_runs", "run, source", "finished, started, outcome, counts").sql(columns, chosen))

    def _take_validators(self) -> None:
        """Of two validators for an address those of the later good answer count."""

        def answered(schema: str) -> str:
            return f"coalesce((SELECT max(time) FROM {schema}.fetches AS f WHERE f.url = v.url AND f.{GOOD_FETCH}), '')"

        self._run(
            f"""
            INSERT INTO main.validators (url, etag, last_modified)
            SELECT v.url, v.etag, v.last_modified FROM {OTHER}.validators AS v LEFT JOIN main.validators AS m USING (url)
            WHERE m.url IS NULL OR ({answered(OTHER)}, v.etag, v.last_modified) > ({answered("main")}, m.etag, m.last_modified)
            ON CONFLICT (url) DO UPDATE SET etag = excluded.etag, last_modified = excluded.last_modified
            """
        )

    def _take_rows(self, table: str, columns: str) -> int:
        """Take over the rows that say something new, in the order of their time."""
        is_same = " AND ".join(f"m.{name} = o.{name}" for name in columns.split(", "))
        names = ", ".join(f"o.{name}" for name in columns.split(", "))
        return self._run(
            f"INSERT INTO main.{table} ({columns}, run) SELECT {names}, min(t.ours) FROM {OTHER}.{table} AS o"
            f" LEFT JOIN their_runs AS t ON t.theirs = o.run"
            f" WHERE NOT EXISTS (SELECT 1 FROM main.{table} AS m WHERE {is_same}) GROUP BY {names} ORDER BY o.time, min(o.id)"
        )

    def content_key(self) -> tuple[object, ...]:
        """What tells two corpora apart by what they hold: files given in any order are read in the order of these."""
        row = self._row(
            "SELECT coalesce(min(fetched), '') AS first, coalesce(max(fetched), '') AS last, count(*) AS articles,"
            " coalesce(group_concat(text_hash, ''), '') AS texts FROM (SELECT fetched, text_hash FROM articles ORDER BY url)"
        )
        return tuple((row or {}).values())
