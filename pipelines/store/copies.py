"""Clusters of copies: who stands for them, who copied whom.

The canonical article of a cluster is that of the publisher its texts name as their origin, else the earliest published, else the
first fetched, and its id is the cluster's name.
It is elected again when an earlier copy turns up later, so clusters do not depend on the order of arrival.
"""

from __future__ import annotations

import json

from pipelines.records import Placement
from pipelines.store.connection import Connection, Row
from pipelines.store.values import clean_text, number

MEMBER = "id, url, source, publisher, title, byline, published, fetched, language, words, canonical, cluster"
OF_MEMBER = ", ".join(f"a.{column.strip()}" for column in MEMBER.split(","))
LINK = ("of", "relation", "similarity", "containment", "evidence")
COUNT_AGAIN = """
    UPDATE stories SET
        title = (SELECT title FROM articles WHERE story = stories.id
            ORDER BY canonical DESC, coalesce(published, fetched), id LIMIT 1),
        first_seen = (SELECT min(coalesce(published, fetched)) FROM articles WHERE story = stories.id),
        last_seen = (SELECT max(coalesce(published, fetched)) FROM articles WHERE story = stories.id),
        articles = (SELECT count(*) FROM articles WHERE story = stories.id),
        publishers = (SELECT count(DISTINCT publisher) FROM articles WHERE story = stories.id)
"""  # a story is named as its first article


class Copies(Connection):
    """The table copies, and the columns canonical and cluster of articles."""

    def copies(self, article: int) -> list[Row]:
        """Direct links of an article, either way, most alike first.

        Keys: article (the copy), of (what it copies), relation, similarity, containment, evidence; then id, url, title,
        publisher, published, fetched of the other one of the two.
        """
        sql = """
            SELECT c.article, c.of, c.relation, c.similarity, c.containment, c.evidence, a.id, a.url, a.title, a.publisher,
                a.published, a.fetched
            FROM copies AS c JOIN articles AS a ON a.id = CASE WHEN c.article = ?1 THEN c.of ELSE c.article END
            WHERE c.article = ?1 OR c.of = ?1 ORDER BY c.similarity DESC, a.id
        """
        return self._rows(sql, (article,))

    def clusters(self, limit: int = 50, article: int | None = None) -> list[Row]:
        """Clusters of two and more, newest first: `canonical` (its article) and `members` (the other articles).

        Members have relation, similarity, containment, of and evidence besides. `article`: only this one's cluster.
        """
        of_article = (
            "AND cluster = (SELECT cluster FROM articles WHERE id = ?1)" if article is not None else "AND ?1 IS NULL"
        )
        sql = f"""
            SELECT cluster FROM articles WHERE 1 {of_article}
            GROUP BY cluster HAVING count(*) > 1 ORDER BY max(fetched) DESC, cluster DESC LIMIT ?2
        """
        keys = [row["cluster"] for row in self._rows(sql, (article, limit))]
        sql = f"""
            SELECT {OF_MEMBER}, c.of, c.relation, c.similarity, c.containment, c.evidence
            FROM articles AS a LEFT JOIN copies AS c ON c.article = a.id
            WHERE a.cluster IN (SELECT value FROM json_each(?)) ORDER BY coalesce(a.published, a.fetched), a.id
        """
        grouped: dict[int, list[Row]] = {key: [] for key in keys}
        for row in self._rows(sql, (json.dumps(keys),)):
            grouped[row["cluster"]].append(row)
        return [as_cluster(members) for members in grouped.values()]

    def _join(self, article: int, placement: Placement) -> None:
        """Put an article into the cluster of what it copies."""
        cluster = self._value("SELECT cluster FROM articles WHERE id = ?", (placement.of,))
        self._run(
            "INSERT OR REPLACE INTO copies (article, of, relation, similarity, containment, evidence) VALUES (?, ?, ?, ?, ?, ?)",
            (
                article,
                placement.of,
                placement.relation,
                number(placement.similarity),
                number(placement.containment),
                clean_text(placement.evidence),
            ),
        )
        self._run("UPDATE articles SET cluster = ?, canonical = 0 WHERE id = ?", (cluster, article))
        self._elect(cluster)
        story = self._value("SELECT story FROM articles WHERE id = ?", (placement.of,))
        if story is not None:
            self._run("UPDATE articles SET story = ? WHERE id = ?", (story, article))
            self._run(f"{COUNT_AGAIN} WHERE id = ?", (story,))

    def _elect(self, cluster: int) -> None:
        """Name the canonical article of a cluster again."""
        sql = "SELECT id FROM articles WHERE cluster = ? ORDER BY coalesce(published, fetched), fetched, url LIMIT 1"
        first = self._origin_in(cluster) or self._value(sql, (cluster,))
        # only the rows that change: the thousandth copy of a text must not write the other 999 anew
        self._run(
            "UPDATE articles SET canonical = (id = ?1), cluster = ?1"
            " WHERE cluster = ?2 AND (canonical <> (id = ?1) OR cluster <> ?1)",
            (first, cluster),
        )

    def _origin_in(self, cluster: int) -> int | None:
        """The earliest article of the publisher that a text of the cluster names as its origin."""
        sql = "SELECT DISTINCT o.name FROM articles AS a JOIN origins AS o ON o.article = a.id WHERE a.cluster = ?"
        names = [row["name"] for row in self._rows(sql, (cluster,))]
        if not names:
            return None
        from pipelines.dedup.origin import is_origin

        sql = "SELECT id, publisher, url FROM articles WHERE cluster = ? ORDER BY coalesce(published, fetched), fetched, url"
        return next(
            (
                int(row["id"])
                for row in self._rows(sql, (cluster,))
                if any(is_origin(name, row["publisher"], row["url"]) for name in names)
            ),
            None,
        )


def as_cluster(rows: list[Row]) -> Row:
    """Rows of one cluster as its canonical article and the others, each with how it is linked to the cluster."""
    canonical = next((row for row in rows if row["canonical"]), rows[0])
    links: dict[int, Row] = {}
    for row in rows:
        if row["of"] is not None and (row["of"] not in links or row["id"] == canonical["id"]):
            links[row["of"]] = (
                row  # the first article has no link of its own: show the one to it, from the canonical if any
            )
    members: list[Row] = []
    for row in rows:
        link = links.get(row["id"]) if row["of"] is None else None
        if row["id"] != canonical["id"]:
            members.append(row | {key: link[key] for key in LINK} | {"of": link["id"]} if link else row)
    return {"canonical": {key: value for key, value in canonical.items() if key not in LINK}, "members": members}
