"""Articles of another corpus: new ones taken over with all that belongs to them, known ones joined into one history.

An address both corpora have is one article. Its text is what was read there last; what either of them read before is in
`versions`, in order of time, a text that was read twice in a row once. So it does not matter which of them is poured
into which.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipelines.records import Signature
from pipelines.store.articles import Articles
from pipelines.store.connection import Row
from pipelines.store.values import readable_diff, to_time, unpack

CONTENT = (  # of an article, beside what merging works out: number, place, times
    "url, final_url, source, publisher, title, byline, published, published_origin, language, words, text, text_hash,"
    " relevance, verdict, canonical_url"
)
EVIDENCE = (  # table, its columns without the article's number
    ("left_out", "blocks"),
    ("relevance_terms", "concept, term, weight"),
    ("origins", "name"),
)
CONFIRMED = """
    max(coalesce(a.updated, a.fetched), coalesce((SELECT fetched FROM {0}.raw_pages AS p WHERE p.url = a.url), ''),
        coalesce((SELECT max(time) FROM {0}.fetches AS f WHERE f.url = a.url AND f.kind = 'page' AND f.error = ''
            AND (f.status = 304 OR f.status BETWEEN 200 AND 299)), ''))
"""  # when the text was read there last
SIDE = f"""
    SELECT a.id, {CONTENT}, a.fetched, a.updated, {CONFIRMED} AS confirmed, s.recipe, s.minhash, s.fingerprints, s.shingles,
        {{1}} AS run
    FROM {{0}}.articles AS a LEFT JOIN {{0}}.signatures AS s ON s.article = a.id WHERE a.id = ?
"""
SHARED = """
    SELECT o.id AS theirs, m.id AS ours FROM other.articles AS o JOIN main.articles AS m ON m.url = o.url
    WHERE (SELECT count(*) FROM other.versions AS v WHERE v.article = o.id)
            <> (SELECT count(*) FROM main.versions AS v WHERE v.article = m.id)
        OR {}
    ORDER BY o.url
"""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From when on an address had a text, as one of the corpora saw it."""

    seen: str
    text: str
    title: str


class MergedArticles(Articles):
    """The tables of articles: articles, versions, signatures, bands, left_out, blocks, fates, relevance_terms, origins."""

    def _take_articles(self) -> Row:
        """Take over new articles, join known ones; leaves the table `taken` of their and our numbers."""
        for table in ("blocks", "fates"):
            self._run(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM other.{table}")
        # before anything is added: afterwards every address is known
        shared = self._rows(SHARED.format(self._differs()))
        new = self._take_new()
        for pair in shared:
            self._join_histories(pair["theirs"], pair["ours"])
        return {"articles": new, "joined": len(shared)}

    @staticmethod
    def _differs() -> str:
        """True for two rows that say different things; hash and count follow from the text, each by its corpus' rules."""
        derived = ("text_hash", "words")
        names = [name.strip() for name in CONTENT.split(",") if name.strip() not in derived] + ["fetched", "updated"]
        return " OR ".join(f"m.{name} IS NOT o.{name}" for name in names)

    def _take_new(self) -> int:
        """Take over the articles of unknown addresses, each in a cluster of its own."""
        self._run("CREATE TEMP TABLE taken (theirs INTEGER PRIMARY KEY, ours INTEGER NOT NULL UNIQUE)")
        count = self._run(
            "INSERT INTO taken SELECT o.id, (SELECT coalesce(max(id), 0) FROM main.articles) + row_number() OVER (ORDER BY o.fetched, o.url)"
            " FROM other.articles AS o WHERE NOT EXISTS (SELECT 1 FROM main.articles AS m WHERE m.url = o.url)"
        )
        self._run(
            f"INSERT INTO main.articles (id, cluster, canonical, run, fetched, updated, {CONTENT})"
            f" SELECT t.ours, t.ours, 1, (SELECT ours FROM their_runs WHERE theirs = o.run), o.fetched, o.updated, {CONTENT}"
            " FROM taken AS t JOIN other.articles AS o ON o.id = t.theirs ORDER BY t.ours"
        )
        for row in self._stream(
            "SELECT a.id, a.title, a.text FROM taken AS t JOIN main.articles AS a ON a.id = t.ours"
        ):
            self._index(row["id"], row["title"], row["text"])
        tables = (
            *EVIDENCE,
            ("versions", "seen, text, diff, title, replaced"),
            ("signatures", "recipe, minhash, fingerprints, shingles"),
            ("bands", "fingerprint"),
        )
        for table, columns in tables:
            self._run(
                f"INSERT INTO main.{table} (article, {columns}) SELECT t.ours, {columns} FROM other.{table} AS o"
                f" JOIN taken AS t ON t.theirs = o.article ORDER BY {'fingerprint' if table == 'bands' else 'o.rowid' if table == 'versions' else 't.ours'}"
            )
        return count

    def _join_histories(self, theirs: int, ours: int) -> None:
        """Make one article of what both corpora know of an address."""
        sides = [
            self._side("main", "a.run", ours),
            self._side("other", "(SELECT ours FROM their_runs WHERE theirs = a.run)", theirs),
        ]
        before, winner = sides[0], max(sides, key=age_of)
        loser = sides[1] if winner is before else before
        spans = history(
            [*self._spans("main", ours), *self._spans("other", theirs), *(span_of(side) for side in sides)], winner
        )
        row = {name.strip(): winner[name.strip()] for name in CONTENT.split(",")} | {"run": winner["run"]}
        if row["published"] is None:  # a page that lost its date was still published
            row |= {name: loser[name] for name in ("published", "published_origin")}
        row |= {
            "fetched": min(side["fetched"] for side in sides),
            "updated": spans[-1].seen if len(spans) > 1 else None,
        }
        if (before["title"], before["text"]) != (row["title"], row["text"]):
            self._unindex(ours, before["title"], before["text"])
            self._index(ours, row["title"], row["text"])
        if winner["recipe"] is not None:
            signature = Signature(
                recipe=winner["recipe"],
                minhash=winner["minhash"],
                fingerprints=unpack(winner["fingerprints"]),
                shingles=winner["shingles"],
            )
            self._write_signature(ours, signature, to_time(row["published"]))
        self._run(
            f"UPDATE main.articles SET {', '.join(f'{name} = ?' for name in row)} WHERE id = ?", (*row.values(), ours)
        )
        self._write_versions(ours, spans)
        if winner is not before:
            self._take_evidence(theirs, ours)

    def _side(self, schema: str, run: str, article: int) -> dict[str, Any]:
        return self._row(SIDE.format(schema, run), (article,)) or {}

    def _spans(self, schema: str, article: int) -> list[Span]:
        rows = self._rows(f"SELECT seen, text, title FROM {schema}.versions WHERE article = ?", (article,))
        return [Span(**row) for row in rows]

    def _write_versions(self, article: int, spans: list[Span]) -> None:
        """All texts but the last as versions, each with the difference to the one after it."""
        self._run("DELETE FROM main.versions WHERE article = ?", (article,))
        rows = []
        for span, after in pairwise(spans):
            diff = readable_diff(f"{span.title}\n{span.text}", f"{after.title}\n{after.text}")
            rows.append((article, span.seen, span.text, diff, span.title, after.seen))
        self._run_many(
            "INSERT INTO main.versions (article, seen, text, diff, title, replaced) VALUES (?, ?, ?, ?, ?, ?)", rows
        )

    def _take_evidence(self, theirs: int, ours: int) -> None:
        for table, columns in EVIDENCE:
            self._run(f"DELETE FROM main.{table} WHERE article = ?", (ours,))
            self._run(
                f"INSERT INTO main.{table} (article, {columns}) SELECT ?, {columns} FROM other.{table} WHERE article = ?",
                (ours, theirs),
            )


def age_of(side: dict[str, Any]) -> tuple[str, ...]:
    """What makes one of two states of an article the later; the rest only breaks ties, the same way each time."""
    start = side["updated"] or side["fetched"]
    return side["confirmed"], start, side["text"], side["title"], side["source"], side["recipe"] or ""


def span_of(side: dict[str, Any]) -> Span:
    return Span(side["updated"] or side["fetched"], side["text"], side["title"])


def history(spans: list[Span], winner: dict[str, Any]) -> list[Span]:
    """The texts of an address in order of time, the winner's last; one that was read twice in a row stands once."""
    kept: list[Span] = []
    for span in sorted(spans):
        if not kept or kept[-1].text != span.text:
            kept.append(span)
    if kept[-1].text != winner["text"]:  # it came back after another corpus had seen a different one
        kept.append(Span(winner["confirmed"], winner["text"], winner["title"]))
    kept[-1] = Span(kept[-1].seen, winner["text"], winner["title"])
    return kept
