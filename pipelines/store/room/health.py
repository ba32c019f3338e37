"""How sources do, what ran, what was turned away: the newest rows, a page at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import median

from pipelines.store.connection import Connection, Row
from pipelines.store.filters import TIME
from pipelines.store.runs import LEAST_ARTICLES, RHYTHM_ARTICLES, with_counts
from pipelines.store.stories import ITEM
from pipelines.store.values import at, clean_text

STRIP_RUNS = 14
RECENT, EARLIER = 15, 60  # articles: the latest against those before them; an extractor that breaks shows in the latest
SCANNED_REJECTIONS = 10_000  # the newest that are counted by reason, and looked through for one
BEFORE_ALL = 2**62


class Health(Connection):
    """Reads source_state, source_runs, runs, rejections; of articles the latest of a source."""

    def source_names(self) -> list[str]:
        """Every source with articles, runs or a state, by steps through the indexes: no row is read for it."""
        step = "SELECT min({0}) FROM {1} WHERE {0} > {2}"
        walk = " UNION ALL ".join(
            f"SELECT * FROM (WITH RECURSIVE w(name) AS ({step.format('source', table, repr(''))} UNION ALL"
            f" SELECT ({step.format('source', table, 'w.name')}) FROM w WHERE w.name IS NOT NULL) SELECT name FROM w)"
            for table in ("articles", "source_runs")
        )
        sql = f"SELECT DISTINCT name FROM ({walk} UNION ALL SELECT source FROM source_state) WHERE name IS NOT NULL ORDER BY 1"
        return [row["name"] for row in self._rows(sql)]

    def states(self) -> dict[str, Row]:
        """What is remembered of each source."""
        return {row["source"]: row for row in self._rows("SELECT * FROM source_state")}

    def strip(self, source: str, runs: int = STRIP_RUNS) -> list[Row]:
        """Its last runs, oldest first."""
        sql = "SELECT * FROM source_runs WHERE source = ? ORDER BY run DESC LIMIT ?"
        return [with_counts(row) for row in reversed(self._rows(sql, (clean_text(source), runs)))]

    def yields(self, source: str) -> Row:
        """What its pages give of late and gave before: words (medians) and removed (share of a page's blocks left out).

        Keys words, words_before, removed, removed_before (None where there is nothing to say), articles (how many were looked at),
        newest (when the last was fetched) and gap (how long it usually is from one to the next).
        """
        sql = f"SELECT a.id, a.words, a.fetched, {TIME} AS time FROM articles AS a WHERE a.source = ? ORDER BY a.id DESC LIMIT ?"
        found = self._rows(sql, (clean_text(source), RECENT + EARLIER))
        late, before = found[:RECENT], found[RECENT:]
        times = sorted(at(row["time"]) for row in found[:RHYTHM_ARTICLES])
        gap = (times[-1] - times[0]) / (len(times) - 1) if len(times) >= LEAST_ARTICLES else None
        answer: Row = {"articles": len(found), "newest": found[0]["fetched"] if found else None, "gap": gap}
        for ending, rows in (("", late), ("_before", before)):
            answer[f"words{ending}"] = round(median(row["words"] for row in rows)) if rows else None
            answer[f"removed{ending}"] = self._share_removed([row["id"] for row in rows[:RECENT]])
        return answer

    def _share_removed(self, articles: list[int]) -> float | None:
        """Of all blocks of these pages, the share that was left out; a page ends with its last removed block, or a little later."""
        sql = """
            SELECT count(*) AS removed, max(position) + 1 AS blocks
            FROM removed_blocks WHERE article IN (SELECT value FROM json_each(?)) GROUP BY article
        """
        rows = self._rows(sql, (json.dumps(articles),))
        blocks = sum(row["blocks"] for row in rows)
        return sum(row["removed"] for row in rows) / blocks if blocks else None

    def latest_of(self, source: str, rows: int) -> list[Row]:
        """Its last articles, copies too."""
        sql = f"SELECT {ITEM} FROM articles AS a WHERE a.source = ? ORDER BY a.id DESC LIMIT ?"
        return self._rows(sql, (clean_text(source), rows))

    def borderline(self, before: tuple[str, int], rows: int) -> list[Row]:
        """Articles kept on the border, newest first, each with its terms."""
        sql = f"""
            SELECT {ITEM}, {TIME} AS time FROM articles AS a
            WHERE a.verdict = 'borderline' AND a.canonical = 1 AND ({TIME}, a.id) < (?, ?) ORDER BY {TIME} DESC, a.id DESC LIMIT ?
        """
        found = self._rows(sql, (*before, rows))
        terms: dict[int, list[Row]] = defaultdict(list)
        sql = """
            SELECT article, concept, term, weight FROM relevance_terms
            WHERE article IN (SELECT value FROM json_each(?)) ORDER BY abs(weight) DESC, term
        """
        for row in self._rows(sql, (json.dumps([row["id"] for row in found]),)):
            terms[row["article"]].append(row)
        return [row | {"terms": terms[row["id"]]} for row in found]

    def turned_away(self, reason: str, source: str, before: int, rows: int) -> tuple[list[Row], int]:
        """Rejections newest first, and before which number looking stopped (0: there are no older ones)."""
        last = before or BEFORE_ALL
        scan = f"SELECT * FROM rejections WHERE id < ? ORDER BY id DESC LIMIT {SCANNED_REJECTIONS}"
        sql = f"SELECT * FROM ({scan}) WHERE (?2 = '' OR reason = ?2) AND (?3 = '' OR source = ?3) LIMIT ?4"
        found = self._rows(sql.replace("id < ?", "id < ?1"), (last, clean_text(reason), clean_text(source), rows))
        if len(found) == rows:
            return found, int(found[-1]["id"])
        stop = self._value(
            f"SELECT id FROM rejections WHERE id < ? ORDER BY id DESC LIMIT 1 OFFSET {SCANNED_REJECTIONS - 1}", (last,)
        )
        return found, int(stop or 0)

    def reasons(self) -> tuple[list[tuple[str, int]], bool]:
        """Of the newest rejections how many each reason has, and whether there are older ones that were not counted."""
        newest = f"SELECT reason FROM rejections ORDER BY id DESC LIMIT {SCANNED_REJECTIONS}"
        rows = self._rows(f"SELECT reason, count(*) AS count FROM ({newest}) GROUP BY 1 ORDER BY 2 DESC, 1")
        return [(row["reason"], row["count"]) for row in rows], sum(row["count"] for row in rows) == SCANNED_REJECTIONS

    def runs_before(self, run: int, rows: int) -> list[Row]:
        """Runs older than this one (0: all), newest first."""
        sql = "SELECT * FROM runs WHERE id < ? ORDER BY id DESC LIMIT ?"
        return [with_counts(row) for row in self._rows(sql, (run or BEFORE_ALL, rows))]

    def brought(self, run: int, rows: int) -> list[Row]:
        """Articles a run brought or changed."""
        return self._rows(f"SELECT {ITEM} FROM articles AS a WHERE a.run = ? ORDER BY a.id DESC LIMIT ?", (run, rows))
