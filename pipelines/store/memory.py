"""What stands on many pages of a site: hashes of blocks, with how many pages they were seen on.

Bounded twice: what was not seen for `clean.memory_days` no longer counts, and a site keeps at most so many hashes.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta

from pipelines.store.connection import Connection
from pipelines.store.values import clean_text, moment

MAX_HASHES_PER_SITE = 20_000  # a page teaches a few dozen; a site's template is a few hundred
TRIM_SLACK = 2_000  # above the limit before the oldest go, so that trimming is rare


class Memory(Connection):
    """The table block_memory."""

    def template(self, site: str, now: datetime) -> frozenset[int]:
        """Hashes of blocks that stand on enough pages of the site and were seen lately."""
        sql = "SELECT block_hash FROM block_memory WHERE site = ? AND pages >= ? AND last_seen >= ?"
        oldest = moment(now - timedelta(days=self.config.clean.memory_days))
        return frozenset(self._column(sql, (clean_text(site), self.config.clean.memory_min_pages, oldest)))

    def remember(self, site: str, hashes: Collection[int], now: datetime) -> None:
        """Count one more page of the site that has these blocks."""
        if not hashes:
            return
        name, time = clean_text(site), moment(now)
        with self.transaction():
            self._run(
                """
                INSERT INTO block_memory (site, block_hash, pages, first_seen, last_seen)
                SELECT ?1, value, 1, ?3, ?3 FROM json_each(?2) WHERE true
                ON CONFLICT (site, block_hash) DO UPDATE SET pages = pages + 1, last_seen = max(last_seen, excluded.last_seen)
                """,
                (name, json.dumps(sorted(map(int, hashes))), time),
            )
            self._trim(name, len(hashes), now)

    def _trim(self, site: str, added: int, now: datetime) -> None:
        """Let the oldest hashes go when a site has too many: first those seen on one page, longest ago."""
        most = self._most_hashes.get(site)
        if most is not None and most + added <= MAX_HASHES_PER_SITE + TRIM_SLACK:
            self._most_hashes[site] = most + added
            return
        sql = f"SELECT count(*) FROM (SELECT 1 FROM block_memory WHERE site = ? LIMIT {MAX_HASHES_PER_SITE + TRIM_SLACK + 1})"
        count = self._most_hashes[site] = int(self._value(sql, (site,)))
        if count <= MAX_HASHES_PER_SITE + TRIM_SLACK:
            return
        oldest = moment(now - timedelta(days=self.config.clean.memory_days))
        count -= self._run("DELETE FROM block_memory WHERE site = ? AND last_seen < ?", (site, oldest))
        self._run(
            """
            DELETE FROM block_memory WHERE site = ?1 AND block_hash IN (
                SELECT block_hash FROM block_memory WHERE site = ?1 ORDER BY last_seen, pages, block_hash LIMIT ?2
            )
            """,
            (site, max(0, count - MAX_HASHES_PER_SITE)),
        )
        self._most_hashes[site] = min(count, MAX_HASHES_PER_SITE)
