"""What the corpus holds, in numbers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipelines.store.connection import Connection, Row, pragma


class Stats(Connection):
    """Counts over all tables."""

    def known_sources(self) -> list[str]:
        """The ids of sources that were crawled, or whose pages came from files, kept or not."""
        sql = "SELECT source FROM articles UNION SELECT source FROM source_state UNION SELECT source FROM rejections ORDER BY 1"
        return [row["source"] for row in self._rows(sql) if row["source"]]

    def known_topics(self) -> list[str]:
        """The concepts that matched in an article."""
        return [row["concept"] for row in self._rows("SELECT DISTINCT concept FROM relevance_terms ORDER BY 1")]

    def stats(self) -> Row:
        """Numbers of the corpus.

        articles, canonical, copies, words (of canonical articles), clusters (of two and more), stories, versions,
        sources, publishers, first and last (time of the oldest and newest article), languages {code: articles},
        verdicts {verdict: articles}, relations {relation: copies}, removed {kind: blocks}, rejections {reason: pages},
        raw_pages, raw_bytes, frontier (addresses known), waiting (those with a time set), runs, database_bytes,
        log_bytes, sqlite (version).
        """
        totals = (
            self._row(
                """
            SELECT count(*) AS articles, coalesce(sum(canonical), 0) AS canonical, coalesce(sum(1 - canonical), 0) AS copies,
                coalesce(sum(words * canonical), 0) AS words, count(DISTINCT source) AS sources,
                count(DISTINCT publisher) AS publishers, min(coalesce(published, fetched)) AS first,
                max(coalesce(published, fetched)) AS last
            FROM articles
            """
            )
            or {}
        )
        others = (
            self._row(
                """
            SELECT (SELECT count(*) FROM (SELECT 1 FROM articles GROUP BY cluster HAVING count(*) > 1)) AS clusters,
                (SELECT count(*) FROM stories) AS stories, (SELECT count(*) FROM versions) AS versions,
                (SELECT count(*) FROM raw_pages) AS raw_pages, (SELECT coalesce(sum(length(zstd)), 0) FROM raw_pages) AS raw_bytes,
                (SELECT count(*) FROM frontier) AS frontier, (SELECT count(next_due) FROM frontier) AS waiting,
                (SELECT count(*) FROM runs) AS runs
            """
            )
            or {}
        )
        return totals | others | self._tallies() | self._sizes()

    def _tallies(self) -> Row:
        return {
            "languages": self._tally("SELECT language AS name, count(*) AS count FROM articles GROUP BY 1"),
            "verdicts": self._tally("SELECT verdict AS name, count(*) AS count FROM articles GROUP BY 1"),
            "relations": self._tally("SELECT relation AS name, count(*) AS count FROM copies GROUP BY 1"),
            "removed": self._tally(
                "SELECT kind AS name, count(*) AS count FROM removed_blocks AS r JOIN fates AS f ON f.hash = r.fate GROUP BY 1"
            ),
            "rejections": self._tally("SELECT reason AS name, count(DISTINCT url) AS count FROM rejections GROUP BY 1"),
        }

    def _tally(self, sql: str) -> dict[str, int]:
        """name: count, the largest first."""
        rows = self._rows(f"{sql} ORDER BY 2 DESC, 1")
        return {row["name"]: row["count"] for row in rows}

    def _sizes(self) -> Row:
        with self._told():
            size = pragma(self._connection, "page_count") * pragma(self._connection, "page_size")
        return {"database_bytes": size, "log_bytes": self._log_bytes(), "sqlite": sqlite3.sqlite_version}

    def _log_bytes(self) -> int:
        """Size of the write-ahead log."""
        log = Path(f"{self.path}-wal")
        return log.stat().st_size if log.exists() else 0
