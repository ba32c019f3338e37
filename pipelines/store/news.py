"""What came in between two times, story by story: the material of a digest.

By arrival, not by publication: a post that a feed lists two days late would else be in no digest at all.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta

from pipelines.store.connection import Connection, Row
from pipelines.store.filters import TIME, Filter
from pipelines.store.values import moment

ARRIVED = "a.id, a.url, a.title, a.publisher, a.source, a.byline, a.published, a.fetched, a.language, a.words, a.relevance, a.cluster, a.story"
TOLD = "a.id, a.url, a.title, a.publisher, a.published, a.fetched, a.language, a.canonical, a.cluster, a.story"


class News(Connection):
    """Articles that arrived, grouped by story, else by cluster."""

    def news(self, since: datetime, until: datetime, late: timedelta, chosen: Filter) -> list[Row]:
        """Stories with a new text that arrived in this time, published (if that is known) at most `late` before it.

        Keys: story (None: a text of no story), `arrived` (its new articles, without their text), `told` (all its articles, copies too), both oldest
        first, and `concepts` (why it is relevant, the heaviest first).
        """
        condition, values = Filter(source=chosen.source, topic=chosen.topic, language=chosen.language).conditions()
        sql = f"""
            SELECT {ARRIVED} FROM articles AS a WHERE {TIME} >= ? AND a.fetched >= ? AND a.fetched <= ? AND a.canonical = 1 AND {condition}
            ORDER BY {TIME}, a.id
        """
        groups: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for row in self._rows(sql, (moment(since - late), moment(since), moment(until), *values)):
            groups[key_of(row)].append(row)
        told, concepts = self._told_of(groups), self._concepts_of(groups)
        return [
            {"story": rows[0]["story"], "arrived": rows, "told": told[key], "concepts": concepts.get(key, [])}
            for key, rows in groups.items()
        ]

    def _told_of(self, groups: dict[tuple[str, int], list[Row]]) -> dict[tuple[str, int], list[Row]]:
        stories, clusters = keys_of(groups)
        sql = f"SELECT {TOLD} FROM articles AS a WHERE a.{{}} IN (SELECT value FROM json_each(?))"
        rows = self._rows(sql.format("story"), (stories,))
        rows += self._rows(sql.format("cluster") + " AND a.story IS NULL", (clusters,))
        found: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (row["published"] or row["fetched"], -row["canonical"], row["id"])):
            found[key_of(row)].append(row)
        return found

    def _concepts_of(self, groups: dict[tuple[str, int], list[Row]]) -> dict[tuple[str, int], list[str]]:
        stories, clusters = keys_of(groups)
        sql = """
            SELECT a.story, a.cluster, t.concept, sum(t.weight) AS weight
            FROM articles AS a JOIN relevance_terms AS t ON t.article = a.id
            WHERE t.weight > 0 AND a.{} IN (SELECT value FROM json_each(?)) GROUP BY a.story, a.cluster, t.concept
        """
        rows = self._rows(sql.format("story"), (stories,))
        rows += self._rows(sql.format("story IS NULL AND a.cluster"), (clusters,))
        weights: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
        for row in rows:
            weights[key_of(row)][row["concept"]] += row["weight"]
        return {key: heaviest(found) for key, found in weights.items()}


def heaviest(weights: Counter[str]) -> list[str]:
    return sorted(weights, key=lambda concept: (-weights[concept], concept))


def key_of(row: Row) -> tuple[str, int]:
    return ("story", int(row["story"])) if row["story"] is not None else ("cluster", int(row["cluster"]))


def keys_of(groups: dict[tuple[str, int], list[Row]]) -> tuple[str, str]:
    """The stories, and the clusters of no story, as JSON."""
    return tuple(json.dumps([key for kind, key in groups if kind == wanted]) for wanted in ("story", "cluster"))  # type: ignore[return-value]
