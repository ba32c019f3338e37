"""All clusters anew, as if the articles had come in order of publication: what `recluster` writes.

An article that came late was compared with what was there when it came, so clusters depend a little on the order of arrival. Here
the order is that of publication, and candidates are looked for among the articles before it. The work is done
beside the corpus, in tables that are gone afterwards; what changes is `copies`, `cluster`, `canonical` and the story of copies.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.records import Article, Candidate, Document, Placement, Relevance, Signature
from pipelines.store.connection import Row
from pipelines.store.filters import TIME
from pipelines.store.placing import Placing, Shelf, week_of
from pipelines.store.stories import Stories
from pipelines.store.values import at, clean_text, number, to_time, unpack

PLACED = Shelf("placed_bands", "placed", "place")
PLACES = """
CREATE TEMP TABLE placements (
    place INTEGER PRIMARY KEY, article INTEGER NOT NULL UNIQUE, cluster INTEGER NOT NULL, of INTEGER,
    relation TEXT, similarity REAL, containment REAL, evidence TEXT
);
CREATE TEMP TABLE placed_bands (
    fingerprint INTEGER NOT NULL, article INTEGER NOT NULL, PRIMARY KEY (fingerprint, article)
) WITHOUT ROWID;
CREATE TEMP VIEW placed AS
    SELECT a.id, p.place, a.url, a.publisher, a.title, a.text, a.text_hash, a.published, a.fetched, p.cluster
    FROM placements AS p JOIN articles AS a ON a.id = p.article;
CREATE TEMP TABLE former AS SELECT id, cluster, canonical, story FROM articles;
CREATE INDEX temp.former_by_cluster ON former(cluster);
CREATE UNIQUE INDEX temp.former_by_id ON former(id);
"""
IN_ORDER = f"""
    SELECT a.id, a.url, a.publisher, a.title, a.text, a.text_hash, a.words, a.published, a.fetched,
        s.recipe, s.minhash, s.fingerprints, s.shingles
    FROM articles AS a JOIN signatures AS s ON s.article = a.id
    ORDER BY {TIME}, a.fetched, a.url
"""
CHANGED_CLUSTERS = """
    SELECT count(*) FROM (
        SELECT 1 FROM articles AS a JOIN former AS b ON b.id = a.id GROUP BY a.cluster
        HAVING count(DISTINCT b.cluster) > 1 OR count(*) <> (SELECT count(*) FROM former WHERE cluster = min(b.cluster))
    )
"""  # clusters of today that had other members
COUNTS = f"""
    SELECT (SELECT count(*) FROM articles) AS articles,
        (SELECT count(*) FROM (SELECT 1 FROM articles GROUP BY cluster HAVING count(*) > 1)) AS clusters,
        (SELECT count(*) FROM articles WHERE canonical = 0) AS copies,
        ({CHANGED_CLUSTERS}) AS clusters_changed,
        (SELECT count(*) FROM articles AS a JOIN former AS b ON b.id = a.id WHERE a.canonical > b.canonical) AS canonicals_changed
"""
FOLLOW = """
    UPDATE articles SET story = (SELECT c.story FROM articles AS c WHERE c.id = articles.cluster)
    WHERE canonical = 0 AND story IS NOT (SELECT c.story FROM articles AS c WHERE c.id = articles.cluster)
        AND (SELECT c.story FROM articles AS c WHERE c.id = articles.cluster) IS NOT NULL
"""  # a copy is in the story of its canonical article


class Rebuild(Placing, Stories):
    """Rewrites copies and clusters; call its methods inside one transaction, in the order they stand here."""

    def of_other_recipe(self, recipe: str) -> Iterator[tuple[int, str]]:
        """Number and text of articles that were signed in another way, or never."""
        sql = """
            SELECT a.id, a.text FROM articles AS a LEFT JOIN signatures AS s ON s.article = a.id
            WHERE a.id > ? AND s.recipe IS NOT ? ORDER BY a.id LIMIT 200
        """
        last = 0
        while rows := self._rows(sql, (last, recipe)):
            yield from ((row["id"], row["text"]) for row in rows)
            last = rows[-1]["id"]

    def sign_again(self, article: int, signature: Signature, text_hash: str, words: int) -> None:
        published = self._value("SELECT published FROM articles WHERE id = ?", (article,))
        self._write_signature(article, signature, to_time(published))
        self._run("UPDATE articles SET text_hash = ?, words = ? WHERE id = ?", (text_hash, words, article))

    def begin_placing(self) -> None:
        for statement in PLACES.split(";\n"):
            if statement.strip():
                self._run(statement)

    def in_order(self) -> Iterator[tuple[int, Article]]:
        """Every article with what its place depends on, in order of publication."""
        for row in self._stream(IN_ORDER):
            yield row["id"], article_of(row)

    def candidates_before(self, article: Article) -> tuple[Candidate, ...]:
        """As `candidates`, among the articles placed so far."""
        return self.candidates(article, PLACED)

    def place(self, article: int, of: Article, placement: Placement) -> None:
        cluster = article if placement.cluster is None else placement.cluster
        link = (placement.of, placement.relation, number(placement.similarity), number(placement.containment))
        place = self._insert(
            "INSERT INTO placements (article, cluster, of, relation, similarity, containment, evidence)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (article, cluster, *link, clean_text(placement.evidence)),
        )
        self._index_copies(place, week_of(of.document.published), of.signature.fingerprints, PLACED)

    def adopt(self) -> Row:
        """Make the placements those of the corpus; return what changed.

        Keys: articles, clusters (of two and more), copies, clusters_changed, canonicals_changed.
        """
        new = "(SELECT p.cluster FROM placements AS p WHERE p.article = articles.id)"
        self._run(
            f"UPDATE articles SET cluster = {new}, canonical = (id = {new}) WHERE cluster <> {new} OR canonical <> (id = {new})"
        )
        self._run("DELETE FROM copies")
        self._run(
            "INSERT INTO copies (article, of, relation, similarity, containment, evidence)"
            " SELECT article, of, relation, similarity, containment, evidence FROM placements WHERE of IS NOT NULL"
        )
        named = "SELECT DISTINCT a.cluster FROM articles AS a JOIN origins AS o ON o.article = a.id"
        for row in self._rows(named):
            self._elect(row["cluster"])
        self._run(FOLLOW)
        moved = "SELECT b.story AS old, a.story AS new FROM former AS b JOIN articles AS a ON a.id = b.id WHERE b.story IS NOT a.story"
        stories = {story for row in self._rows(moved) for story in row.values() if story is not None}
        self._sum_up(stories)
        changed = self._row(COUNTS) or {}
        for name in ("VIEW placed", "TABLE placements", "TABLE placed_bands", "TABLE former"):
            self._run(f"DROP {name}")
        return changed


def article_of(row: Row) -> Article:
    """A stored article as the record that comparing wants; what comparing does not look at stays empty."""
    return Article(
        document=Document(
            url=row["url"],
            final_url=row["url"],
            canonical_url="",
            source="",
            publisher=row["publisher"],
            title=row["title"],
            byline="",
            published=to_time(row["published"]),
            published_origin="",
            language="",
            fetched=at(row["fetched"]),
            blocks=(),
        ),
        text=row["text"],
        text_hash=row["text_hash"],
        words=row["words"],
        relevance=Relevance(score=0.0, verdict="", terms=()),
        signature=Signature(
            recipe=row["recipe"],
            minhash=row["minhash"],
            fingerprints=unpack(row["fingerprints"]),
            shingles=row["shingles"],
        ),
    )
