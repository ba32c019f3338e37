"""`copydesk write`: settle what workers send, one after another, and let go of it after the commit.

Killed at any moment, every page is settled once: what was committed and not let go of is read again and recognised by
its fetch. While Redis is away it waits and says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pipelines.batch import Clock, Tally, recorded
from pipelines.config import Config
from pipelines.errors import CopydeskError, one_line
from pipelines.flow import regroup_stories
from pipelines.lock import run_lock
from pipelines.parcels import Parcel, unpack, version
from pipelines.records import Rejection, Settled
from pipelines.settling import one_by_one, settle_page
from pipelines.store import Corpus
from pipelines.stream import NEW, REFUSED, REREAD, Away, Link, identity
from pipelines.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

BATCH = 200  # parcels in a transaction: at most a second's work, which is what a kill repeats
WAIT_S = 1.0  # for the next parcel; then there is time for other things
AGAIN_S = 1.0  # between two questions whether Redis is back
STORIES_EVERY = timedelta(minutes=10)  # stories are grouped again while it runs


@dataclass(slots=True)
class Batch:
    """What became of the parcels that were read together."""

    results: list[Settled | Rejection] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)  # of the refused


class Patience:
    """Asks Redis until it answers; tells once when it is away, and when it is back."""

    def __init__(self, link: Link, tell: Callable[[str], None]) -> None:
        self.link, self._tell = link, tell
        self._is_away = False

    def ask(self, question: Callable[[], T]) -> T:
        while True:
            try:
                found = question()
            except Away as away:
                if not self._is_away:
                    self._tell(f"copydesk: {self.link.name}: away ({away}); waiting, nothing is lost")
                self._is_away = True
                time.sleep(AGAIN_S)
            else:
                if self._is_away:
                    self._tell(f"copydesk: {self.link.name}: back")
                self._is_away = False
                return found


class Settling:
    """The writer's loop."""

    def __init__(self, patience: Patience, writer: Writer, tally: Tally, run: int, tell: Callable[[str], None]) -> None:
        self._ask, self._link = patience.ask, patience.link
        self._writer, self._tally, self._run, self._tell = writer, tally, run, tell

    def go(self, name: str, clock: Clock, *, is_draining: bool, count: Callable[[int], None]) -> None:
        """Settle until told to stop; `is_draining`: until the stream is empty."""
        since, grouped, settled = REREAD, clock(), 0  # first what an earlier run read and never let go of
        while True:
            self._ask(partial(self._link.claim, name))
            entries = self._ask(partial(self._link.read, since, BATCH, WAIT_S))
            if entries:
                self._settle(entries)
                count(self._tally.pages)
            elif since == REREAD:
                since = NEW
            elif is_draining:
                return
            if self._tally.pages > settled and clock() - grouped > STORIES_EVERY:
                grouped, settled = clock(), self._tally.pages
                self._writer.do(partial(regroup_stories, run=self._run, now=grouped)).result()

    def _settle(self, entries: Sequence[tuple[bytes, bytes]]) -> None:
        batch = self._writer.do(
            partial(settle_batch, parcels=[packed for _, packed in entries], run=self._run)
        ).result()
        self._ask(lambda: self._link.settled([number for number, _ in entries], batch.refused))
        for result in batch.results:
            self._tally.take(result)
        self._tally.failed += len(batch.refused)
        for reason in batch.reasons:
            self._tell(f"copydesk: {reason}; put aside in the stream {REFUSED}")


def settle_batch(corpus: Corpus, parcels: Sequence[bytes], run: int) -> Batch:
    """Settle parcels in one transaction; one that cannot be settled costs only itself."""
    batch = Batch()
    for packed, result in one_by_one(corpus, parcels, lambda packed: settle_parcel(corpus, unpack(packed), run)):
        if isinstance(result, Exception):
            batch.refused.append(packed)
            batch.reasons.append(
                one_line(result) if isinstance(result, CopydeskError) else f"stream: not settled ({one_line(result)})"
            )
        elif result is not None:
            batch.results.append(result)
    return batch


def settle_parcel(corpus: Corpus, parcel: Parcel, run: int) -> Settled | Rejection | None:
    """Settle one page; None when this very fetch is settled already."""
    page, fetch = parcel.page, parcel.fetch
    if any(datetime.fromisoformat(row["time"]) == fetch.time for row in corpus.fetches(fetch.url)):
        return None
    if (later := corpus.seen_later(page.url, page.fetched)) is not None:
        corpus.fetched(fetch, run)  # workers overtake each other: an older page must not undo what a newer one said
        return later
    learned = frozenset(parcel.learned)
    return settle_page(corpus, page, parcel.outcome, learned, page.fetched, run, fetch, is_archived=parcel.is_archived)


def write(
    config: Config,
    url: str,
    clock: Clock,
    tell: Callable[[str], None],
    *,
    is_draining: bool,
    count: Callable[[int], None],
) -> Tally:
    """Settle what comes until interrupted, or until the stream is empty; return what became of it."""
    tally, link = Tally(), Link(url)
    patience, name = Patience(link, tell), identity(str(config.database_path))
    with run_lock(config.database_path), closing(Writer(config.database_path, config)) as writer:
        patience.ask(partial(link.claim, name))
        try:
            patience.ask(partial(link.greet, version(), "writer"))
            patience.ask(link.prepare)
            with recorded(writer, "write", tally, clock) as run:
                Settling(patience, writer, tally, run, tell).go(name, clock, is_draining=is_draining, count=count)
        finally:
            link.let_go(name)
            link.close()
    return tally
