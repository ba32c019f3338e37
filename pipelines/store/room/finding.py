"""Search for a page: the best of few hits or the newest of many, with what the hits have in common.

Ranking needs all hits of a word, and a word of the trade stands in half of the corpus. So hits are ranked when they are few, and else
the newest are shown and said to be that. FTS5 gives hits by number, newest first, without reading the rest.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from pipelines.store.connection import Connection, Row
from pipelines.store.filters import TIME
from pipelines.store.room.wanted import Wanted
from pipelines.store.search import RESULT, TITLE_WEIGHT, as_result, phrases_of, words_of

MOST_HITS = 2_000  # looked up one by one for the facets
FACET_ROWS = 12  # of each kind; the rest is rare


@dataclass(slots=True)
class Found:
    """Results of one page."""

    rows: list[Row] = field(default_factory=list)
    total: int = 0  # texts found, copies counted once, of the hits that were looked at
    is_ranked: bool = True  # False: the newest first
    is_cut: bool = False  # there are more hits than were looked at
    facets: dict[str, list[tuple[str, int]]] = field(default_factory=dict)  # topic, source, language


class Finding(Connection):
    """Reads articles_fts and articles."""

    def found(self, query: str, wanted: Wanted, *, by_rank: bool, skip: int, rows: int) -> Found:
        """One page of what a search gives; `ConfigError` as `Corpus.search` has it."""
        phrases = phrases_of(words_of(query))
        if not phrases:
            return Found()
        newest = (
            f"SELECT rowid AS id FROM articles_fts WHERE articles_fts MATCH ? ORDER BY rowid DESC LIMIT {MOST_HITS + 1}"
        )
        hits = [row["id"] for row in self._rows(newest, (phrases,))]
        is_cut = len(hits) > MOST_HITS
        texts = self._texts(hits[:MOST_HITS], wanted)
        if by_rank and not is_cut:
            sql = f"SELECT rowid AS id, bm25(articles_fts, {TITLE_WEIGHT}, 1.0) AS rank FROM articles_fts WHERE articles_fts MATCH ?"
            ranks = {row["id"]: row["rank"] for row in self._rows(sql, (phrases,))}
            texts.sort(key=lambda row: (ranks.get(row["id"], 0.0), -row["id"]))
        else:
            texts.sort(key=lambda row: (row["time"], row["id"]), reverse=True)
        page = Found(total=len(texts), is_ranked=by_rank and not is_cut, is_cut=is_cut, facets=self._facets(texts))
        chosen = [row["id"] for row in texts[skip : skip + rows]]
        sql = f"SELECT {RESULT}, byline, updated FROM articles WHERE id IN (SELECT value FROM json_each(?))"
        whole = {row["id"]: row for row in self._rows(sql, (json.dumps(chosen),))}
        page.rows = [as_result(whole[key], 0.0, words_of(query)) for key in chosen]
        return page

    def _texts(self, hits: list[int], wanted: Wanted) -> list[Row]:
        """One row a cluster: its canonical article when that is a hit, else the first hit."""
        wish, values = wanted.conditions()
        sql = f"""
            SELECT a.id, a.source, a.language, {TIME} AS time, a.canonical, a.cluster
            FROM json_each(?) AS j CROSS JOIN articles AS a ON a.id = j.value WHERE {wish}
        """
        best: dict[int, Row] = {}
        for row in self._rows(sql, (json.dumps(hits), *values)):
            if row["cluster"] not in best or row["canonical"]:
                best[row["cluster"]] = row
        return list(best.values())

    def _facets(self, texts: list[Row]) -> dict[str, list[tuple[str, int]]]:
        sql = """
            SELECT concept, count(*) AS count FROM (
                SELECT DISTINCT t.article, t.concept FROM json_each(?) AS j CROSS JOIN relevance_terms AS t ON t.article = j.value WHERE t.weight > 0
            ) GROUP BY 1
        """
        topics = Counter(
            {row["concept"]: row["count"] for row in self._rows(sql, (json.dumps([row["id"] for row in texts]),))}
        )
        counted = {
            "topic": topics,
            "source": Counter(row["source"] for row in texts),
            "language": Counter(row["language"] for row in texts if row["language"]),
        }
        return {name: counter.most_common(FACET_ROWS) for name, counter in counted.items()}

    def newest_found(self, query: str, wanted: Wanted, rows: int) -> list[Row]:
        """Canonical articles of the texts found, with their text, the last that came first: what a feed of a search gives."""
        phrases = phrases_of(words_of(query))
        if not phrases:
            return []
        wish, values = wanted.conditions()
        sql = f"""
            SELECT DISTINCT a.id FROM (
                SELECT rowid AS id FROM articles_fts WHERE articles_fts MATCH ? ORDER BY rowid DESC LIMIT {MOST_HITS}
            ) AS h CROSS JOIN articles AS hit ON hit.id = h.id CROSS JOIN articles AS a ON a.id = hit.cluster
            WHERE {wish} ORDER BY h.id DESC LIMIT ?
        """
        keys = [row["id"] for row in self._rows(sql, (phrases, *values, rows))]
        sql = f"SELECT {RESULT}, byline, updated FROM articles WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"
        return self._rows(sql, (json.dumps(keys),))
