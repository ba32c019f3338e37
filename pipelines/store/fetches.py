"""Every request and its answer, and the validators that make the next one cheap."""

from __future__ import annotations

from datetime import datetime

from pipelines.records import Fetch
from pipelines.store.connection import Row
from pipelines.store.frontier import Frontier
from pipelines.store.values import clean_text, moment

NOT_MODIFIED = 304
GOOD = range(200, 300)


class Fetches(Frontier):
    """The tables fetches and validators."""

    def fetched(self, fetch: Fetch, run: int | None = None) -> None:
        """Write down a fetch and, for a page, when to look again.

        Call it in the transaction that stores what the fetch brought: from then on the address is settled, and the
        server is asked only for what is newer.
        """
        with self.transaction():
            url = clean_text(fetch.url)
            self._run(
                "INSERT INTO fetches (url, run, time, status, bytes, etag, last_modified, error, source, kind, final_url)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    url,
                    run,
                    moment(fetch.time),
                    fetch.status,
                    fetch.bytes,
                    clean_text(fetch.etag),
                    clean_text(fetch.last_modified),
                    clean_text(fetch.error),
                    clean_text(fetch.source),
                    fetch.kind,
                    clean_text(fetch.final_url),
                ),
            )
            if is_good(fetch) and fetch.status != NOT_MODIFIED:
                self._set_validators(url, clean_text(fetch.etag), clean_text(fetch.last_modified))
            if fetch.kind == "page":
                self._schedule(fetch, is_good=is_good(fetch))

    def validators(self, url: str) -> tuple[str, str]:
        """ETag and Last-Modified of the last good answer, byte for byte; empty when there were none."""
        row = self._row("SELECT etag, last_modified FROM validators WHERE url = ?", (clean_text(url),))
        return (row["etag"], row["last_modified"]) if row else ("", "")

    def forget_validators(self, url: str) -> None:
        """Ask for the whole answer next time: what the last one brought could not be stored."""
        with self.transaction():
            self._run("DELETE FROM validators WHERE url = ?", (clean_text(url),))

    def fetches(self, url: str, limit: int = 100) -> list[Row]:
        """Requests for this address, newest first."""
        return self._rows(
            "SELECT * FROM fetches WHERE url = ? ORDER BY time DESC, id DESC LIMIT ?", (clean_text(url), limit)
        )

    def last_fetch(self, url: str) -> datetime | None:
        """When this address was asked for last."""
        found = self.fetches(url, limit=1)
        return datetime.fromisoformat(found[0]["time"]) if found else None

    def _set_validators(self, url: str, etag: str, last_modified: str) -> None:
        if etag or last_modified:
            self._run(
                "INSERT OR REPLACE INTO validators (url, etag, last_modified) VALUES (?, ?, ?)",
                (url, etag, last_modified),
            )
        else:
            self._run("DELETE FROM validators WHERE url = ?", (url,))


def is_good(fetch: Fetch) -> bool:
    """True when the answer can be used: whole, and a 2xx or a 304."""
    return not fetch.error and (fetch.status in GOOD or fetch.status == NOT_MODIFIED)
