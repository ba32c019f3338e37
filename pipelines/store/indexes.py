"""Feeds, sitemaps and listings that have several files: which are still to be read, and which need not be.

A run may end between two of them, and a server that says "unchanged" does not say again what it named last time. So
what an index named is kept until it was read, and for a sitemap index for as long as that stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pipelines.store.connection import Connection
from pipelines.store.values import clean_text, moment

LASTMOD_BELIEVED = timedelta(hours=23)  # a source asked daily is then asked for all of its files


class Indexes(Connection):
    """The tables open_indexes and index_pages, and what source_state says of how a source selects."""

    def open_indexes(self, source: str) -> list[tuple[str, int]]:
        """Pages of this source's index still to be read, each with its depth: a run ended before they were."""
        rows = self._rows(
            "SELECT url, depth FROM open_indexes WHERE source = ? ORDER BY depth, url", (clean_text(source),)
        )
        return [(row["url"], row["depth"]) for row in rows]

    def open_index(self, source: str, url: str, depth: int) -> None:
        """Note a page of an index in the transaction that stores the page which names it."""
        self._run("INSERT OR REPLACE INTO open_indexes VALUES (?, ?, ?)", (clean_text(source), clean_text(url), depth))

    def close_index(self, source: str, url: str, now: datetime) -> None:
        """Note that a page of an index was read, or that there is none."""
        values = (clean_text(source), clean_text(url))
        self._run("DELETE FROM open_indexes WHERE source = ? AND url = ?", values)
        self._run(
            "UPDATE index_pages SET done = modified, read = ? WHERE source = ? AND url = ?", (moment(now), *values)
        )

    def keep_index_pages(self, source: str, parent: str, pages: Sequence[tuple[str, str]]) -> None:
        """Keep the files an index names, each with the `lastmod` it gives them, in its order."""
        key = (clean_text(source), clean_text(parent))
        before = {
            row["url"]: (row["done"], row["read"])
            for row in self._rows("SELECT url, done, read FROM index_pages WHERE source = ? AND parent = ?", key)
        }
        with self.transaction():
            self._run("DELETE FROM index_pages WHERE source = ? AND parent = ?", key)
            rows = [
                (*key, position, clean_text(url), clean_text(modified), *before.get(clean_text(url), ("", "")))
                for position, (url, modified) in enumerate(dict(pages).items())
            ]
            self._run_many("INSERT INTO index_pages VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def index_pages(self, source: str, parent: str, now: datetime) -> list[str]:
        """Of the files an index names: the first (the newest), those without `lastmod`, those changed since they were read.

        Once a day all of them: there are sites whose `lastmod` never changes.
        """
        rows = self._rows(
            "SELECT url FROM index_pages WHERE source = ? AND parent = ? AND (position = 0 OR modified = '' OR modified <> done OR read < ?)"
            " ORDER BY position",
            (clean_text(source), clean_text(parent), moment(now - LASTMOD_BELIEVED)),
        )
        return [row["url"] for row in rows]

    def select(self, source: str, selection: str) -> None:
        """Note how a source chooses its entries; when that changed, its indexes are asked for whole again.

        They would answer "unchanged", and what was left out then would stay out for ever.
        """
        name, wanted = clean_text(source), clean_text(selection)
        known = str(self._value("SELECT selection FROM source_state WHERE source = ?", (name,)) or "")
        if known == wanted:
            return
        with self.transaction():
            self._run("INSERT OR IGNORE INTO source_state (source) VALUES (?)", (name,))
            self._run("UPDATE source_state SET selection = ? WHERE source = ?", (wanted, name))
            if known:
                self._run("UPDATE index_pages SET done = '' WHERE source = ?", (name,))
                self._run(
                    "DELETE FROM validators WHERE url IN (SELECT url FROM fetches WHERE source = ? AND kind <> 'page')",
                    (name,),
                )
