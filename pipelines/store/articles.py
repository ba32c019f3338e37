"""Articles: keep one, revise one, find one, and find what it may be a copy of.

Everything about one article is written in one transaction: row, search index, signature, candidate index, evidence,
place in its cluster. Nothing is deleted: a copy is a row with `canonical` 0, an earlier text a row of `versions`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipelines.records import Article, Candidate, Placement, Settled
from pipelines.store.connection import Row
from pipelines.store.copies import Copies
from pipelines.store.evidence import Evidence
from pipelines.store.filters import EVERYTHING, TIME, Filter
from pipelines.store.search import Search
from pipelines.store.values import at, clean_text, moment, number, pack, readable_diff, to_text, to_time

RANKED_BEFORE_WINDOW = 200  # ranked look-ups taken before those outside the time window are left out
COLUMNS = (  # the contract's, in its order, then ours
    "id, url, final_url, source, publisher, title, byline, published, published_origin, fetched, updated, language, words, text,"
    " text_hash, relevance, canonical, cluster, story, verdict, canonical_url"
)
OF_ARTICLE = ", ".join(f"a.{column.strip()}" for column in COLUMNS.split(","))
CANDIDATE = "SELECT a.id, a.url, a.publisher, a.title, a.text, a.text_hash, a.published, a.fetched, a.cluster FROM articles AS a"
BEFORE = """
    SELECT a.title, a.text, a.fetched, a.updated, a.published, s.recipe
    FROM articles AS a LEFT JOIN signatures AS s ON s.article = a.id WHERE a.id = ?
"""
POSTINGS = """
    SELECT value AS fingerprint, (
        SELECT json_group_array(article) FROM (
            SELECT article FROM bands WHERE fingerprint = value ORDER BY article DESC LIMIT ?
        )
    ) AS articles FROM json_each(?)
"""  # newest first, capped for each fingerprint, in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is stored of an address that has an article."""

    id: int
    url: str
    title: str
    text_hash: str
    published: datetime | None
    fetched: datetime
    updated: datetime | None
    cluster: int


class Articles(Search, Copies, Evidence):
    """The tables articles, signatures, bands, versions."""

    def known(self, url: str) -> Known | None:
        """The article at this address, if there is one."""
        sql = "SELECT id, url, title, text_hash, published, fetched, updated, cluster FROM articles WHERE url = ?"
        row = self._row(sql, (clean_text(url),))
        if row is None:
            return None
        row |= {
            "published": to_time(row["published"]),
            "fetched": at(row["fetched"]),
            "updated": to_time(row["updated"]),
        }
        return Known(**row)

    def seen_later(self, url: str, fetched: datetime) -> Settled | None:
        """What is known of an address from a later time than this; None when nothing is."""
        known = self.known(url)
        if known is None:
            return None
        raw = self._value("SELECT fetched FROM raw_pages WHERE url = ?", (clean_text(url),))
        latest = max(known.updated or known.fetched, to_time(raw) or known.fetched)
        return seen_again(known, is_changed=False) if latest > fetched else None

    def candidates(self, article: Article) -> tuple[Candidate, ...]:
        """Stored articles that may be the same text, as `pipelines.dedup.decide` wants them.

        Every one with the same text hash, whenever it came; then those of the time window that share fingerprints,
        most telling first.
        """
        if not article.signature.minhash:
            return ()
        limit = self.config.dedup.max_candidates
        same = self._rows(
            f"{CANDIDATE} WHERE a.text_hash = ? ORDER BY {TIME}, a.id LIMIT ?", (article.text_hash, limit)
        )
        found = {row["id"]: candidate_of(row, len(article.signature.fingerprints)) for row in same}
        for row, shared in self._near(article, limit):
            found.setdefault(row["id"], candidate_of(row, shared))
        return tuple(found.values())

    def _near(self, article: Article, limit: int) -> list[tuple[Row, int]]:
        """Rows that share fingerprints with the article and were published within the window, with how many."""
        from pipelines.dedup.decide import MAX_POSTINGS, rank_candidates  # numpy: only those who dedup pay for it

        prints = json.dumps([int(value) for value in article.signature.fingerprints])
        postings = [
            (row["fingerprint"], json.loads(row["articles"])) for row in self._rows(POSTINGS, (MAX_POSTINGS, prints))
        ]
        ranked = rank_candidates(postings, RANKED_BEFORE_WINDOW)
        if not ranked:
            return []
        shared = dict(ranked)
        condition, values = window_condition(article.document.published, timedelta(days=self.config.dedup.window_days))
        sql = f"SELECT a.id FROM articles AS a WHERE a.id IN (SELECT value FROM json_each(?)) AND {condition}"
        inside = {row["id"] for row in self._rows(sql, (json.dumps(list(shared)), *values))}
        chosen = [key for key in shared if key in inside][:limit]
        sql = f"{CANDIDATE} WHERE a.id IN (SELECT value FROM json_each(?))"
        rows = {row["id"]: row for row in self._rows(sql, (json.dumps(chosen),))}
        return [(rows[key], shared[key]) for key in chosen]

    def keep(self, article: Article, placement: Placement, run: int | None = None) -> Settled:
        """Store a new article where `placement` puts it; the outcome is "new" or "copy"."""
        with self.transaction():
            key = int(self._value("SELECT coalesce(max(id), 0) + 1 FROM articles"))
            row = row_of(article)
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            self._run(
                f"INSERT INTO articles (id, cluster, fetched, run, {names}) VALUES (?, ?, ?, ?, {marks})",
                (key, key, moment(article.document.fetched), run, *row.values()),
            )
            self._index(key, row["title"], row["text"])
            self._write_signature(key, article)
            self._set_removed(key, article.document.blocks)
            self._set_terms(key, article.relevance.terms)
            if placement.of is not None:
                self._join(key, placement)
        return Settled(id=key, outcome="new" if placement.of is None else "copy", placement=placement)

    def revise(self, known: Known, article: Article, run: int | None = None) -> Settled:
        """Store what a known address says now: "unchanged" (metadata and evidence are still refreshed) or "updated".

        An updated article keeps its id; its earlier text becomes a row of `versions` with a readable difference.
        """
        with self.transaction():
            before = self._row(BEFORE, (known.id,)) or {}
            row = row_of(article)
            is_changed = known.text_hash != article.text_hash and before["text"].split() != row["text"].split()
            if not is_changed:
                row["text"] = before["text"]  # other white space is no other text
            if row["published"] is None:
                del row["published"], row["published_origin"]  # a page that lost its date was still published
            if is_changed:
                row |= {"updated": moment(article.document.fetched), "run": run}
                self._add_version(known.id, before, row)
            if is_changed or before["recipe"] != article.signature.recipe:
                self._write_signature(known.id, article)
            if (before["title"], before["text"]) != (row["title"], row["text"]):
                self._unindex(known.id, before["title"], before["text"])
                self._index(known.id, row["title"], row["text"])
            names = ", ".join(f"{name} = ?" for name in row)
            self._run(f"UPDATE articles SET {names} WHERE id = ?", (*row.values(), known.id))
            self._set_removed(known.id, article.document.blocks)
            self._set_terms(known.id, article.relevance.terms)
            if row.get("published", before["published"]) != before["published"]:
                self._elect(known.cluster)
        return seen_again(known, is_changed=is_changed)

    def _add_version(self, article: int, before: Row, row: dict[str, Any]) -> None:
        diff = readable_diff(f"{before['title']}\n{before['text']}", f"{row['title']}\n{row['text']}")
        self._run(
            "INSERT INTO versions (article, seen, text, diff, title, replaced) VALUES (?, ?, ?, ?, ?, ?)",
            (article, before["updated"] or before["fetched"], before["text"], diff, before["title"], row["updated"]),
        )

    def _write_signature(self, article: int, of: Article) -> None:
        """Make signature and candidate index of an article those of its text now."""
        self._run(
            "DELETE FROM bands WHERE article = ? AND fingerprint IN (SELECT value FROM json_each(?))",
            (article, json.dumps(self._fingerprints(article))),
        )
        self._run(
            "INSERT OR REPLACE INTO signatures (article, recipe, minhash, fingerprints, shingles) VALUES (?, ?, ?, ?, ?)",
            (
                article,
                of.signature.recipe,
                of.signature.minhash,
                pack(of.signature.fingerprints),
                of.signature.shingles,
            ),
        )
        rows = [(int(value), article) for value in sorted(of.signature.fingerprints)]
        self._run_many("INSERT OR IGNORE INTO bands (fingerprint, article) VALUES (?, ?)", rows)

    def article(self, id_or_url: int | str) -> Row | None:
        """One article by its number or any address it is known under; keys are the columns of `articles`."""
        if isinstance(id_or_url, int):
            return self._row(f"SELECT {COLUMNS} FROM articles WHERE id = ?", (id_or_url,))
        url = clean_text(id_or_url)
        by_url = self._row(f"SELECT {COLUMNS} FROM articles WHERE url = ?", (url,))
        return by_url or self._row(f"SELECT {COLUMNS} FROM articles WHERE final_url = ? ORDER BY id LIMIT 1", (url,))

    def articles(self, chosen: Filter = EVERYTHING) -> Iterator[Row]:
        """Articles in order of time (published, else fetched), then number; one a cluster unless `all_copies`."""
        condition, values = chosen.conditions()
        if not chosen.all_copies:
            condition += " AND a.canonical = 1"
        sql = f"SELECT {OF_ARTICLE} FROM articles AS a WHERE {condition} ORDER BY {TIME}, a.id LIMIT ?"
        yield from self._stream(sql, (*values, chosen.rows))


def seen_again(known: Known, *, is_changed: bool) -> Settled:
    """What became of an article whose address was known: its place stays, its text may not."""
    if is_changed:
        evidence = "the same address with another text"
        placement = Placement(relation="version", of=known.id, cluster=known.cluster, evidence=evidence)
        return Settled(id=known.id, outcome="updated", placement=placement)
    placement = Placement(
        relation="exact", of=known.id, cluster=known.cluster, similarity=1.0, containment=1.0, evidence="same text"
    )
    return Settled(id=known.id, outcome="unchanged", placement=placement)


def row_of(article: Article) -> dict[str, Any]:
    """The columns that come from the page; `text_hash`, `relevance` and `words` from what was found out of it."""
    document = article.document
    texts = {
        "url": document.url,
        "final_url": document.final_url or document.url,
        "source": document.source,
        "publisher": document.publisher,
        "title": document.title,
        "byline": document.byline,
        "published_origin": document.published_origin,
        "language": document.language,
        "text": article.text,
        "text_hash": article.text_hash,
        "verdict": article.relevance.verdict,
        "canonical_url": document.canonical_url,
    }
    row: dict[str, Any] = {name: clean_text(text) for name, text in texts.items()}
    return row | {
        "published": to_text(document.published),
        "words": article.words,
        "relevance": number(article.relevance.score),
    }


def candidate_of(row: Row, shared: int) -> Candidate:
    return Candidate(
        **(row | {"published": to_time(row["published"]), "fetched": at(row["fetched"]), "shared": shared})
    )


def window_condition(published: datetime | None, window: timedelta) -> tuple[str, Sequence[str]]:
    """SQL for "published within the window"; an article without a date may be of any time."""
    if published is None:
        return "1", ()
    try:
        return "(a.published IS NULL OR a.published BETWEEN ? AND ?)", (
            moment(published - window),
            moment(published + window),
        )
    except OverflowError:  # a page that claims the year 1 or 9999
        return "1", ()
