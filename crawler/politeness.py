"""Never more than one request at a time to a host, and a pause between two, whoever asks.

Several spiders run in one process and two sources may share a host, so the pause belongs to the process, not to a
spider. The floors stand here as code: no file and no flag goes below them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from pipelines.urls import site

FLOOR_DELAY_S = 1.0  # between two requests to one public host
JITTER = 0.25  # a pause is up to a quarter longer, so that we do not knock in step with others
MAX_CRAWL_DELAY_S = 60.0  # longer ones would keep a run open for hours
REQUESTS_AT_A_LONG_DELAY = 2  # an index and one page: what such a host gets in a run
MAX_RETRY_AFTER = timedelta(hours=24)
DEFAULT_RETRY_AFTER = timedelta(hours=1)  # "too many requests" without a time


def host_key(url: str) -> str:
    """The unit of politeness: host and port, "www." left out."""
    return site(url)


def polite_delay(asked: float, default: float, *, is_local: bool) -> float:
    """The pause for a source: what it asks for, else the default; never below the floor unless it is local."""
    delay = asked or default
    return max(delay, 0.0) if is_local else max(delay, FLOOR_DELAY_S)


def retry_after(value: str, now: datetime) -> datetime:
    """The time a Retry-After header names (seconds or a date), at least a minute and at most a day ahead."""
    value = value.strip()
    until = now + DEFAULT_RETRY_AFTER
    if value.isascii() and value.isdigit():
        until = now + timedelta(seconds=min(float(value), MAX_RETRY_AFTER.total_seconds()))
    elif value:
        with suppress(ValueError, TypeError, OverflowError):
            until = parsedate_to_datetime(value)
            until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until, now + timedelta(minutes=1)), now + MAX_RETRY_AFTER)


class HostGate:
    """One lock and one clock for each host of the process."""

    def __init__(
        self,
        default_delay: float = FLOOR_DELAY_S,
        clock: Callable[[], float] = time.monotonic,
        most_requests: int = 1000,
    ) -> None:
        self._default = max(default_delay, FLOOR_DELAY_S)
        self._clock = clock
        self._delays: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._free_at: dict[str, float] = {}
        self._closed: dict[str, datetime] = {}
        self._most = most_requests
        self._allowances: dict[str, int] = {}
        self._asked = Counter[str]()
        self._stopped = asyncio.Event()

    def set_delay(self, host: str, delay: float) -> None:
        """Set a host's pause; when two sources share it, the longer one counts."""
        self._delays[host] = max(self._delays.get(host, 0.0), delay)

    def heed_crawl_delay(self, host: str, seconds: float) -> None:
        """Lengthen a host's pause to its robots.txt Crawl-delay, up to a minute; who wants more gets few requests."""
        self._delays[host] = max(self.delay(host), min(seconds, MAX_CRAWL_DELAY_S))
        if seconds > MAX_CRAWL_DELAY_S:
            self._allowances[host] = min(REQUESTS_AT_A_LONG_DELAY, self._most)

    def delay(self, host: str) -> float:
        return self._delays.get(host, self._default)

    def pause(self, host: str, took: float) -> float:
        """The pause after a request that took so long: a public host that answers slowly is not asked faster than it answers."""
        delay = self.delay(host)
        return delay if delay < FLOOR_DELAY_S else max(delay, min(took, MAX_CRAWL_DELAY_S))

    def asked(self, host: str) -> None:
        """Count a request."""
        self._asked[host] += 1

    def is_spent(self, host: str) -> bool:
        """True when a host was asked as often as one run may."""
        return self._asked[host] >= self._allowances.get(host, self._most)

    def close(self, host: str, until: datetime) -> None:
        """Leave a host alone for the rest of the run: it asked us to."""
        self._closed[host] = max(until, self._closed.get(host, until))

    def closed_until(self, host: str) -> datetime | None:
        return self._closed.get(host)

    def stop(self) -> None:
        """End all waiting: the run is over. Who waited must look whether to go on."""
        self._stopped.set()

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Hold the host for the length of one request, after its pause."""
        async with self._locks.setdefault(host, asyncio.Lock()):
            wait = self._free_at.get(host, 0.0) - self._clock()
            if wait > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), wait)
            begun = self._clock()
            try:
                yield
            finally:
                pause = self.pause(host, self._clock() - begun) * random.uniform(1.0, 1.0 + JITTER)  # noqa: S311 - no secret
                self._free_at[host] = self._clock() + pause
