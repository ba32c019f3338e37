"""Articles: keep one, revise one, find one.

Everything about one article is written in one transaction: row, search index, signature, candidate index, evidence,
place in its cluster. Nothing is deleted: a copy is a row with `canonical` 0, an earlier text a row of `versions`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.records import Article, Placement, Settled
from pipelines.store.connection import Row
from pipelines.store.evidence import Evidence
from pipelines.store.filters import EVERYTHING, TIME, Filter
from pipelines.store.placing import Placing, week_of
from pipelines.store.search import Search
from pipelines.store.values import at, clean_text, moment, number, readable_diff, to_text, to_time, without_stamps

COLUMNS = (  # the contract's, in its order, then ours
    "id, url, final_url, source, publisher, title, byline, published, published_origin, fetched, updated, language, words, text,"
    " text_hash, relevance, canonical, cluster, story, verdict, canonical_url"
)
OF_ARTICLE = ", ".join(f"a.{column.strip()}" for column in COLUMNS.split(","))
BEFORE = """
    SELECT a.title, a.text, a.fetched, a.updated, a.published, s.recipe
    FROM articles AS a LEFT JOIN signatures AS s ON s.article = a.id WHERE a.id = ?
"""


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


class Articles(Search, Placing, Evidence):
    """The tables articles and versions."""

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
            self._write_signature(key, article.signature, article.document.published)
            self._set_origin(key, article.origin)
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
            is_changed = known.text_hash != article.text_hash and without_stamps(before["text"]) != without_stamps(
                row["text"]
            )
            if not is_changed:
                row["text"] = before["text"]  # other white space or another date under the headline is no other text
            if row["published"] is None:
                del row["published"], row["published_origin"]  # a page that lost its date was still published
            if is_changed:
                row |= {"updated": moment(article.document.fetched), "run": run}
                self._add_version(known.id, before, row)
            published = to_time(row.get("published", before["published"]))
            is_moved = week_of(published) != week_of(known.published)
            if is_changed or is_moved or before["recipe"] != article.signature.recipe:
                self._write_signature(known.id, article.signature, published)
            if (before["title"], before["text"]) != (row["title"], row["text"]):
                self._unindex(known.id, before["title"], before["text"])
                self._index(known.id, row["title"], row["text"])
            names = ", ".join(f"{name} = ?" for name in row)
            self._run(f"UPDATE articles SET {names} WHERE id = ?", (*row.values(), known.id))
            self._set_removed(known.id, article.document.blocks)
            self._set_terms(known.id, article.relevance.terms)
            is_other = self._set_origin(known.id, article.origin)
            if is_other or row.get("published", before["published"]) != before["published"]:
                self._elect(known.cluster)
        return seen_again(known, is_changed=is_changed)

    def _add_version(self, article: int, before: Row, row: dict[str, Any]) -> None:
        diff = readable_diff(f"{before['title']}\n{before['text']}", f"{row['title']}\n{row['text']}")
        self._run(
            "INSERT INTO versions (article, seen, text, diff, title, replaced) VALUES (?, ?, ?, ?, ?, ?)",
            (article, before["updated"] or before["fetched"], before["text"], diff, before["title"], row["updated"]),
        )

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
