"""Pages as they came, compressed, so that better rules can be tried on them without a second fetch.

One page an address: the last one fetched. All that is needed to make the `Page` again stands beside it as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any

from pipelines.errors import StorageError
from pipelines.records import Hint, Page, Traits
from pipelines.store.connection import Connection, Row
from pipelines.store.values import at, clean_text, moment, to_text, to_time

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in (Hint, Traits)}
PAGES_IN_HAND = 20  # addresses read in one step: the bodies of twenty pages are a few megabytes at most


class RawPages(Connection):
    """The table raw_pages."""

    def keep_raw(self, page: Page) -> None:
        """Store the page in place of an earlier one of its address."""
        meta = {
            "final_url": page.final_url,
            "content_type": page.content_type,
            "traits": plain(page.traits),
            "hint": hint_to_plain(page.hint),
        }
        with self.transaction():
            self._run(
                "INSERT OR REPLACE INTO raw_pages (url, fetched, zstd, source, meta) VALUES (?, ?, ?, ?, ?)",
                (
                    clean_text(page.url),
                    moment(page.fetched),
                    zstd.compress(page.body),
                    clean_text(page.source),
                    json.dumps(meta),
                ),
            )

    def raw_page(self, url: str) -> Page | None:
        """The page as it was fetched last, or None when it was never kept or is pruned."""
        row = self._row("SELECT * FROM raw_pages WHERE url = ?", (clean_text(url),))
        return self._page_of(row) if row else None

    def raw_pages(self, source: str = "", since: datetime | None = None) -> Iterator[Page]:
        """Stored pages in the order they were fetched; no read transaction is held while the caller works."""
        name = clean_text(source)
        sql = f"""
            SELECT rowid AS place, * FROM raw_pages WHERE {{}} AND (?3 = '' OR source = ?3)
            ORDER BY fetched, rowid LIMIT {PAGES_IN_HAND}
        """
        # two questions, each one step in the index: all pages of a file of JSON Lines may have the same time
        same, later = sql.format("fetched = ?1 AND rowid > ?2"), sql.format("fetched > ?1 AND ?2 >= 0")
        last = (to_text(since) or "", 0)
        while rows := self._rows(same, (*last, name)) or self._rows(later, (*last, name)):
            for row in rows:
                yield self._page_of(row)
            last = (rows[-1]["fetched"], rows[-1]["place"])

    def prune_raw(self, before: datetime) -> int:
        """Delete pages fetched before this time, give their room back; return how many. Articles stay."""
        with self.transaction():
            count = self._run("DELETE FROM raw_pages WHERE fetched < ?", (moment(before),))
        self._rows("PRAGMA incremental_vacuum")
        return count

    def _page_of(self, row: Row) -> Page:
        try:
            body = zstd.decompress(row["zstd"])
        except zstd.ZstdError as error:
            raise StorageError(
                str(self.path), f"the stored page of {row['url']} is damaged", "", "crawl it again"
            ) from error
        meta = json.loads(row["meta"])
        return Page(
            url=row["url"],
            body=body,
            fetched=at(row["fetched"]),
            source=row["source"],
            final_url=meta["final_url"],
            content_type=meta["content_type"],
            traits=Traits(**meta["traits"]),
            hint=hint_of_plain(meta["hint"]),
        )


def plain(record: Hint | Traits) -> dict[str, Any]:
    """The fields of a flat record; `asdict`, which looks into each and copies it, takes ten times as long."""
    return {name: getattr(record, name) for name in NAMES[type(record)]}


def hint_to_plain(hint: Hint) -> dict[str, Any]:
    """A hint as JSON takes it; JSON's escapes carry even a lone surrogate through."""
    return plain(hint) | {"published": to_text(hint.published)}


def hint_of_plain(plain: dict[str, Any]) -> Hint:
    return Hint(**(plain | {"published": to_time(plain.get("published"))}))
