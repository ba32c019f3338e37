"""The item pipeline that sends prepared pages to the one writer, before they are kept here.

The worker's own corpus stays its memory: what sites say, what is due, what was read. A page is sent first and kept
second, so a kill between the two sends it again, and the writer knows it by its fetch.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from scrapy.exceptions import DropItem

from crawler.item_pipelines import FetchedPage, RunPipeline
from pipelines.errors import ConfigError
from pipelines.parcels import Parcel, pack, version
from pipelines.records import Article
from pipelines.stream import Away, Link

if TYPE_CHECKING:
    from crawler.ledger import Run

AGAIN_S = 0.5  # between two tries while Redis is away, or the stream full


class StreamPipeline(RunPipeline):
    """Sends a page to the stream; waits while there is no room or no Redis."""

    async def process_item(self, item: FetchedPage) -> FetchedPage:
        run = self.run
        assert run.outgoing is not None
        try:
            packed = await asyncio.to_thread(pack, parcel_of(item))
            await run.outgoing.send(run, packed)
        except Unsent:
            run.leave(item.page.source, "unsent")
            item.leave()
            raise DropItem("left for another run", log_level="DEBUG") from None
        return item


class Unsent(Exception):  # noqa: N818 - no mistake: the run ended before Redis was back
    """A page could not be sent before the run came to its end."""


class Outgoing:
    """The road to the writer, with its outages."""

    def __init__(self, url: str) -> None:
        self._link = Link(url)
        self._told = ""

    def greet(self) -> None:
        """Agree with the writer on what is sent, before anything is fetched; `ConfigError` when that cannot be."""
        try:
            self._link.greet(version(), "worker")
        except Away as away:
            raise ConfigError(
                self._link.name, f"away ({away})", "a Redis that answers", "start it, then this"
            ) from None

    def close(self) -> None:
        self._link.close()

    async def send(self, run: Run, packed: bytes) -> None:
        """Send a page, however long it takes, but for the run's end; `Unsent` then."""
        while True:
            try:
                is_sent = await asyncio.to_thread(self._link.send, packed, version())
            except Away as away:
                self._tell(f"away ({away}); waiting, nothing is lost")
            except ConfigError as error:
                run.storage_error = run.storage_error or error
                run.stop("storage")
                raise Unsent from error
            else:
                if is_sent:
                    self._tell("")
                    return
                self._tell("full; is `copydesk write` at work?")
            if run.stop_reason:
                raise Unsent
            await asyncio.sleep(AGAIN_S)

    def _tell(self, what: str) -> None:
        """Say what is the matter when that changes."""
        if what != self._told:
            sys.stderr.write(f"copydesk: {self._link.name}: {what or 'back'}\n")
        self._told = what


def parcel_of(item: FetchedPage) -> Parcel:
    assert item.prepared is not None
    outcome = item.prepared.outcome
    article, rejection = (outcome, None) if isinstance(outcome, Article) else (None, outcome)
    return Parcel(
        page=item.page,
        fetch=item.fetch,
        article=article,
        rejection=rejection,
        learned=tuple(sorted(item.prepared.learned)),
        is_archived=item.is_archived,
    )
