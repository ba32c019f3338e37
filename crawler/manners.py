"""What a run remembers of hosts for the next one: their robots.txt, when they want us back, where they moved.

A look at a source goes by the same rules but has no corpus: it remembers nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import CloseSpider

if TYPE_CHECKING:
    from scrapy.http import Response

    from crawler.ledger import Run

PERMANENT = (301, 308)


class Manners:
    """The memory of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def has_memory(self) -> bool:
        return self._run.writer is not None

    def recall(self) -> None:
        """Close the hosts that asked for peace in an earlier run."""
        now = self._run.now()
        self._run.writer.do(lambda corpus: corpus.forget_hosts(now)).result()
        for host, until in self._run.writer.ask(lambda corpus: corpus.closed_hosts(now)).result().items():
            self._run.gate.close(host, until)

    async def close(self, host: str, until: datetime) -> None:
        """Leave a host alone, in the runs to come, too."""
        self._run.gate.close(host, until)
        if self.has_memory:
            await self._run.do(lambda corpus: corpus.close_host(host, until))

    async def robots_copy(self, netloc: str) -> bytes | None:
        """A robots.txt of today, read by an earlier run or another spider."""
        if not self.has_memory:
            return None
        try:
            return await self._run.ask(lambda corpus: corpus.robots_copy(netloc, self._run.now()))
        except CloseSpider:  # the run is ending: nothing will be asked
            return None

    async def keep_robots(self, netloc: str, body: bytes) -> None:
        if self.has_memory:
            await self._run.do(lambda corpus: corpus.keep_robots(netloc, body, self._run.now()))

    async def place_of(self, url: str) -> str:
        """Where to ask for an address: where it moved to for good, else there."""
        return await self._run.ask(lambda corpus: corpus.moved_to(url)) or url

    async def learn(self, url: str, response: Response) -> str:
        """Learn from a good answer where an address moved for good; return the new place when that is news."""
        reasons = response.meta.get("redirect_reasons", ())
        is_safe = urlsplit(response.url).scheme == "https" or urlsplit(url).scheme == "http"
        if not reasons or not is_safe or any(reason not in PERMANENT for reason in reasons):
            return ""
        target = response.url
        await self._run.do(lambda corpus: corpus.moved(url, target, self._run.now()))
        return target

    async def unlearn(self, url: str) -> None:
        """Ask at the old place again next time: at the new one nothing useful answered."""
        if await self._run.ask(lambda corpus: corpus.moved_to(url)):
            await self._run.do(lambda corpus: corpus.not_moved(url))
