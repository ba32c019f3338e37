"""One story, one article, one cluster: the rows a page of it shows, of large ones only the first."""

from __future__ import annotations

import json

from pipelines.store.connection import Connection, Row
from pipelines.store.filters import TIME
from pipelines.store.values import clean_text

TOLD = "a.id, a.url, a.source, a.publisher, a.title, a.published, a.fetched, a.language, a.words, a.canonical, a.cluster, a.story"
LINK = "c.of, c.relation, c.similarity, c.containment, c.evidence"
MOST_TOLD = 200  # articles of one story or cluster on one page


class Pieces(Connection):
    """Reads articles, copies, versions, removed, fetches, rejections."""

    def story_head(self, story: int) -> Row | None:
        """The row of a story."""
        return self._row("SELECT * FROM stories WHERE id = ?", (story,))

    def told(self, story: int) -> list[Row]:
        """Articles of a story in order of time, each with what it copies, if it does."""
        sql = f"""
            SELECT {TOLD}, {LINK} FROM articles AS a LEFT JOIN copies AS c ON c.article = a.id
            WHERE a.story = ? ORDER BY {TIME}, a.id LIMIT {MOST_TOLD}
        """
        return self._rows(sql, (story,))

    def cluster_of(self, cluster: int) -> tuple[list[Row], int]:
        """Articles with one text in order of time, and how many there are."""
        sql = f"""
            SELECT {TOLD}, {LINK} FROM articles AS a LEFT JOIN copies AS c ON c.article = a.id
            WHERE a.cluster = ? ORDER BY {TIME}, a.id LIMIT {MOST_TOLD}
        """
        count = self._value("SELECT count(*) FROM articles WHERE cluster = ?", (cluster,))
        return self._rows(sql, (cluster,)), int(count or 0)

    def texts(self, articles: list[int]) -> dict[int, str]:
        """The texts of some articles."""
        sql = "SELECT id, text FROM articles WHERE id IN (SELECT value FROM json_each(?))"
        return {row["id"]: row["text"] for row in self._rows(sql, (json.dumps(articles),))}

    def version_list(self, article: int) -> list[Row]:
        """Earlier texts, newest first, without the texts: id, seen, replaced, title."""
        sql = f"SELECT id, seen, replaced, title FROM versions WHERE article = ? ORDER BY id DESC LIMIT {MOST_TOLD}"
        return self._rows(sql, (article,))

    def version(self, article: int, version: int) -> Row | None:
        """One earlier text and the one that came after it: id, seen, replaced, title, text, title_after, text_after."""
        sql = """
            SELECT v.id, v.seen, v.replaced, v.title, v.text, coalesce(n.title, a.title) AS title_after, coalesce(n.text, a.text) AS text_after
            FROM versions AS v JOIN articles AS a ON a.id = v.article LEFT JOIN versions AS n
            ON n.id = (SELECT min(id) FROM versions WHERE article = v.article AND id > v.id)
            WHERE v.id = ? AND v.article = ?
        """
        return self._row(sql, (version, article))

    def removed_count(self, article: int) -> int:
        """How many blocks of its page were left out."""
        return int(self._value("SELECT json_array_length(blocks) FROM left_out WHERE article = ?", (article,)) or 0)

    def origin_of(self, article: int) -> str:
        """Whom its text names as where it comes from."""
        return str(self._value("SELECT name FROM origins WHERE article = ?", (article,)) or "")

    def last_fetches(self, url: str, rows: int = 8) -> list[Row]:
        """When an address was asked for, newest first."""
        return self._rows("SELECT * FROM fetches WHERE url = ? ORDER BY id DESC LIMIT ?", (clean_text(url), rows))
