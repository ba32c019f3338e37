"""What hosts told us that must outlive a run: their robots.txt, when to come back, where they moved.

A run from cron is short and knows nothing of the last one. Without this a host that said "not before tomorrow" would
be asked again in an hour, and a hundred unchanged feeds would cost a hundred robots.txt as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pipelines.store.connection import Connection
from pipelines.store.values import at, clean_text, moment

ROBOTS_KEPT = timedelta(hours=24)  # RFC 9309: a copy should not be used for longer
LONGEST_CLOSED = timedelta(hours=25)  # nobody is left alone for longer; a later time was set by a wrong clock


class Hosts(Connection):
    """The tables hosts and moved."""

    def robots_copy(self, host: str, now: datetime) -> bytes | None:
        """The host's robots.txt when it was read less than a day ago (b"": it has none), else None."""
        row = self._row("SELECT robots, robots_fetched FROM hosts WHERE host = ?", (clean_text(host),))
        if row is None or row["robots"] is None or not row["robots_fetched"]:
            return None
        age = now - at(row["robots_fetched"])
        return bytes(row["robots"]) if timedelta(0) <= age < ROBOTS_KEPT else None

    def keep_robots(self, host: str, body: bytes, now: datetime) -> None:
        """Keep a robots.txt that could be read; b"" for a host that has none."""
        with self.transaction():
            self._run(
                "INSERT INTO hosts (host, robots, robots_fetched) VALUES (?1, ?2, ?3)"
                " ON CONFLICT (host) DO UPDATE SET robots = ?2, robots_fetched = ?3",
                (clean_text(host), body, moment(now)),
            )

    def close_host(self, host: str, until: datetime) -> None:
        """Remember that a host asked to be left alone."""
        with self.transaction():
            self._run(
                "INSERT INTO hosts (host, closed_until) VALUES (?1, ?2) ON CONFLICT (host) DO UPDATE SET closed_until = ?2",
                (clean_text(host), moment(until)),
            )

    def forget_hosts(self, now: datetime) -> None:
        """Drop what is of no use any more: feeds link to many hosts, and each has a robots.txt."""
        with self.transaction():
            self._run(
                "DELETE FROM hosts WHERE coalesce(closed_until, '') < ?1 AND coalesce(robots_fetched, '') < ?2",
                (moment(now), moment(now - ROBOTS_KEPT)),
            )

    def closed_hosts(self, now: datetime) -> dict[str, datetime]:
        """The hosts to leave alone, each with the time until when."""
        rows = self._rows(
            "SELECT host, closed_until FROM hosts WHERE closed_until > ? AND closed_until < ?",
            (moment(now), moment(now + LONGEST_CLOSED)),
        )
        return {row["host"]: at(row["closed_until"]) for row in rows}

    def moved_to(self, url: str) -> str:
        """Where an address moved for good; "" when it did not."""
        return str(self._value("SELECT target FROM moved WHERE url = ?", (clean_text(url),)) or "")

    def moved(self, url: str, target: str, now: datetime) -> None:
        """Learn that an address moved for good."""
        with self.transaction():
            self._run(
                "INSERT OR REPLACE INTO moved VALUES (?, ?, ?)", (clean_text(url), clean_text(target), moment(now))
            )

    def not_moved(self, url: str) -> None:
        """Unlearn it: what answered there is no use."""
        with self.transaction():
            self._run("DELETE FROM moved WHERE url = ?", (clean_text(url),))
