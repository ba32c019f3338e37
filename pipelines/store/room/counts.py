"""Counts over the whole corpus, or months of it: not a matter of milliseconds, so whoever asks keeps the answer."""

from __future__ import annotations

from collections import defaultdict

from pipelines.store.connection import Connection
from pipelines.store.filters import TIME

WEEK_SECONDS = 604_800
MONDAY_SECONDS = 345_600  # 1 January 1970 was a Thursday; the first Monday came four days later
LANGUAGE_ARTICLES = 3_000  # the newest; a language none of them has is not offered as a filter

Weeks = dict[str, dict[int, int]]  # name: {week: articles}


class Counts(Connection):
    """Reads articles and relevance_terms."""

    def stamp(self) -> tuple[int, int]:
        """Changes whenever a run has brought or ended something."""
        return (
            int(self._value("SELECT max(id) FROM articles") or 0),
            int(self._value("SELECT count(finished) FROM (SELECT finished FROM runs ORDER BY id DESC LIMIT 100)") or 0)
            + 1_000 * int(self._value("SELECT max(id) FROM runs") or 0),
        )

    def topics(self) -> list[str]:
        """The concepts that speak for an article, by steps through the index; the first term of a concept tells its sign."""
        step = "SELECT min(concept) FROM relevance_terms WHERE concept > {}"
        sql = f"""
            WITH RECURSIVE w(name) AS ({step.format("''")} UNION ALL SELECT ({step.format("w.name")}) FROM w WHERE w.name IS NOT NULL)
            SELECT name FROM w WHERE (SELECT weight FROM relevance_terms WHERE concept = w.name LIMIT 1) > 0
        """
        return [row["name"] for row in self._rows(sql)]

    def languages(self) -> list[str]:
        """Languages of the newest articles, the most frequent first."""
        newest = f"SELECT language FROM articles ORDER BY id DESC LIMIT {LANGUAGE_ARTICLES}"
        sql = f"SELECT language FROM ({newest}) WHERE language <> '' GROUP BY 1 ORDER BY count(*) DESC, 1"
        return [row["language"] for row in self._rows(sql)]

    def weekly(self, since: str) -> dict[str, Weeks]:
        """Canonical articles a week since then, by "topic" and by "source"; a week is its number since 1970, Monday first."""
        week = f"(CAST(strftime('%s', {TIME}) AS INTEGER) - {MONDAY_SECONDS}) / {WEEK_SECONDS}"
        chosen = f"FROM articles AS a WHERE {TIME} >= ? AND a.canonical = 1"
        questions = {
            "source": f"SELECT a.source AS name, {week} AS week, count(*) AS count {chosen} GROUP BY 1, 2",
            "topic": f"""
                SELECT concept AS name, week, count(*) AS count FROM (
                    SELECT DISTINCT t.concept, t.article, k.week
                    FROM (SELECT a.id, {week} AS week {chosen}) AS k CROSS JOIN relevance_terms AS t ON t.article = k.id WHERE t.weight > 0
                ) GROUP BY 1, 2
            """,
        }
        answer: dict[str, Weeks] = {}
        for name, sql in questions.items():
            weeks: Weeks = defaultdict(dict)
            for row in self._rows(sql, (since,)):
                weeks[row["name"]][row["week"]] = row["count"]
            answer[name] = dict(weeks)
        return answer
