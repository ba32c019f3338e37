"""The one object a crawl's spiders share: what to fetch, with what, and how each source is doing.

Scrapy copies settings deeply, so live objects travel as a spider argument instead. Everything that must be counted
or decided for the whole run (stop, budgets, politeness, the corpus) is here and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from scrapy.exceptions import CloseSpider

from crawler.cluster import ALONE
from crawler.faults import POSTPONED, RUN_ENDED, Refused, told
from crawler.guard import dialled, host_and_port
from crawler.manners import Manners
from crawler.politeness import HostGate, host_key, polite_delay
from pipelines.errors import StorageError, one_line
from pipelines.records import Due, Entry, Fetch, Rejection, Traits

if TYPE_CHECKING:
    from crawler.cluster.sending import Outgoing
    from crawler.sources import Source
    from crawler.spiders.base import Visit
    from pipelines.config import Config
    from pipelines.store import Corpus
    from pipelines.workers import Workers
    from pipelines.writer import Writer

T = TypeVar("T")

STORAGE_TROUBLE = (StorageError, OSError)
GONE = (404, 410)
MAX_HUNG = 5  # pages of one source that may hang or kill a worker in a run; the workers are everybody's
OUTCOMES = {"new": "new", "copy": "copies", "unchanged": "unchanged", "updated": "updated", "rejected": "rejected"}


@dataclass(slots=True)
class Tally:
    """What one source gave in this run."""

    source: Source
    counts: Counter[str] = field(default_factory=Counter)
    open_indexes: int = 0  # feeds, sitemaps, listings asked for and not yet answered
    good_indexes: int = 0
    seen_indexes: int = 0
    named_indexes: int = 0  # files of an index that were named by another
    page_answers: int = 0
    left_out: int = 0  # entries too old for a first visit
    asked: int = 0  # pages to fetch in this run
    done: int = 0  # those that came to an end, good or bad
    word: str = ""  # of the error
    error: str = ""
    note: str = ""
    started: float | None = None  # monotonic; the source's budget counts from its first request
    has_begun: bool = False
    hung: int = 0  # pages that hung or killed their worker
    is_postponed: bool = False  # pages were left for another run

    @property
    def is_unfinished(self) -> bool:
        """True when a page or an index of this source is left for another run."""
        return self.is_postponed or bool(self.open_indexes) or self.done < self.asked

    @property
    def has_failed(self) -> bool:
        pages_failed = self.counts["failed"]
        return bool(self.seen_indexes and not self.good_indexes) or (pages_failed >= 3 and not self.page_answers)

    def fail(self, word: str, line: str) -> None:
        """Keep the first trouble: the later ones follow from it."""
        self.word, self.error = (self.word, self.error) if self.error else (word, line)


class OtherFiles(Protocol):
    """Chooses the files of an index to be read now."""

    def __call__(self, corpus: Corpus, *, new: int) -> list[str]: ...


class Run:
    """One crawl."""

    def __init__(
        self,
        config: Config,
        sources: Iterable[Source],
        traits: dict[str, Traits],
        writer: Writer,
        workers: Workers,
        number: int,
    ) -> None:
        self.config = config
        self.tallies = {source.id: Tally(source) for source in sources}
        self.traits = traits
        self.writer = writer
        self.workers = workers
        self.number = number
        self.clock: Callable[[], datetime] = partial(datetime.now, UTC)  # the run's only one
        self.limit: int | None = None
        self.since: datetime | None = None
        self.stop_reason = ""
        self.bugs: list[str] = []
        self.storage_error: BaseException | None = None
        self.on_stop: Callable[[], None] = lambda: None
        self.shared: frozenset[str] = frozenset()  # addresses of indexes that several sources read
        self.guests: frozenset[str] = frozenset()  # sources that other workers begin; their pages may come to this one
        self.cluster = ALONE
        self.outgoing: Outgoing | None = None  # where pages are sent before they are kept here
        self.gate = HostGate(config.crawl.delay_s, most_requests=config.crawl.max_requests_per_host)
        self.manners = Manners(self)
        self.preparing = asyncio.Semaphore(config.worker_count)  # pages handed to workers, no more than there are
        self._local_hosts: set[str] = set()
        self._prepare_hosts()

    def _prepare_hosts(self) -> None:
        urls = []
        for tally in self.tallies.values():
            source = tally.source
            delay = polite_delay(source.delay_s, self.config.crawl.delay_s, is_local=source.local)
            self.gate.set_delay(host_key(source.url), delay)
            if source.local:
                urls += [url for url in (source.url, source.home) if url]
        self._local_hosts = {host_key(url) for url in urls}
        self.local_places = frozenset(host_and_port(url) for url in urls)  # names as written
        self.local_names = frozenset(host for host, _ in self.local_places)
        self.local_addresses = dialled(urls)  # what they lead to

    @property
    def local_hosts(self) -> set[str]:
        return self._local_hosts

    def now(self) -> datetime:
        return self.clock()

    def is_local(self, source: str) -> bool:
        tally = self.tallies.get(source)
        return tally is not None and tally.source.local

    def of_kind(self, kind: str) -> list[Source]:
        """The sources of a kind that this run begins."""
        return [source for source in self._all_of(kind) if source.id not in self.guests]

    def guests_of(self, kind: str) -> list[Source]:
        return [source for source in self._all_of(kind) if source.id in self.guests]

    def has_kind(self, kind: str) -> bool:
        return bool(self._all_of(kind))

    def _all_of(self, kind: str) -> list[Source]:
        return [tally.source for tally in self.tallies.values() if tally.source.kind == kind]

    def told_of(self) -> list[Tally]:
        """What the report speaks of: not of guests that never came."""
        return [tally for tally in self.tallies.values() if tally.has_begun or tally.source.id not in self.guests]

    def index_key(self, source: Source, url: str) -> str:
        """The name an index's validators are kept under: its address, and the source's id when several share it.

        One that reads only half of a sitemap must not be told "unchanged" because another has read the other half.
        """
        return f"{url}#{source.id}" if source.url in self.shared else url

    # the corpus

    async def do(self, work: Callable[[Corpus], T]) -> T:
        """Run a writing work; trouble with the storage ends the run."""
        return await self._told(lambda: self.writer.do(work))

    async def ask(self, work: Callable[[Corpus], T]) -> T:
        """Run a reading work."""
        return await self._told(lambda: self.writer.ask(work))

    async def _told(self, start: Callable[[], Future[T]]) -> T:
        try:
            waiting: Awaitable[T] = asyncio.wrap_future(start())
            return await waiting
        except STORAGE_TROUBLE as error:
            self.storage_error = self.storage_error or error
            self.stop("storage")
            raise CloseSpider("storage") from error

    # deciding

    def stop(self, reason: str) -> None:
        """End the run: requests in flight are finished, nothing new is asked."""
        if not self.stop_reason:
            self.stop_reason = reason
            self.gate.stop()
            self.on_stop()

    def broke(self, error: BaseException) -> None:
        """Note a bug: the run goes on, its exit code tells."""
        if not isinstance(error, CloseSpider):
            self.bugs.append(f"{type(error).__name__}: {one_line(error)}")

    def refuse(self, url: str, source: str) -> None:
        """Raise `Refused` when the run does not want this request any more."""
        if self.stop_reason:
            raise Refused(self.stop_reason)
        until = self.gate.closed_until(host_key(url))
        if until is not None:
            raise Refused("retry_later", f"until {until:%Y-%m-%d %H:%M} UTC")
        if self.gate.is_spent(host_key(url)):
            raise Refused("host_budget")
        tally = self.tallies.get(source)
        if tally and tally.hung >= MAX_HUNG:
            raise Refused("hanging")
        if tally and tally.started is not None and time.monotonic() - tally.started > self.config.crawl.source_budget_s:
            raise Refused("budget", f"more than {self.config.crawl.source_budget_s:g} s")

    def clock_started(self, source: str) -> None:
        """Start the source's budget at its first request on the wire."""
        tally = self.tallies.get(source)
        if tally and tally.started is None:
            tally.started = time.monotonic()

    # writing down

    async def begin(self, source: Source) -> None:
        await self.do(self._beginning(source))

    def begin_soon(self, source: Source) -> None:
        """Begin a source whose first request came from another worker; the writer takes works in their order."""
        if not self.tallies[source.id].has_begun:
            self.writer.do(self._beginning(source))

    def _beginning(self, source: Source) -> Callable[[Corpus], None]:
        self.tallies[source.id].has_begun = True
        chosen_by = [source.kind, source.url, source.url_pattern, source.timezone, self.config.crawl.max_feed_entries]

        def work(corpus: Corpus) -> None:
            corpus.start_source_run(self.number, source.id, self.now())
            corpus.select(source.id, json.dumps(chosen_by))

        return work

    async def indexed(self, fetch: Fetch, visit: Visit, entries: Sequence[Entry], others: OtherFiles) -> list[str]:
        """Keep an index's entries and validators in one transaction; return its other files that are to be read now.

        `others` chooses them by the number of new entries. They are kept too, until each is read: the next run is told
        "unchanged" of this file and would never hear of them.
        """
        tally = self.tallies[fetch.source]
        now = self.now()

        def work(corpus: Corpus) -> list[str]:
            chosen = others(corpus, new=corpus.offer(fetch.source, entries, now))
            for url in chosen:
                corpus.open_index(fetch.source, url, visit.depth + 1)
            corpus.close_index(fetch.source, visit.url, now)
            corpus.fetched(fetch, self.number)
            return chosen

        chosen = await self.do(work)
        tally.good_indexes += 1
        tally.counts["requests"] += 1
        tally.counts["not_modified"] += fetch.status == 304
        return chosen

    async def index_failed(self, fetch: Fetch, url: str, detail: str = "") -> None:
        """Keep that a feed, sitemap or listing could not be used, and the line that says so."""
        tally = self.tallies[fetch.source]
        tally.counts["requests"] += fetch.status != 0
        if fetch.error in POSTPONED:
            tally.is_postponed = True
            if fetch.error in RUN_ENDED:
                return
        else:
            await self.manners.unlearn(url)
        tally.fail(fetch.error, told(fetch.error, host_of(fetch), detail))

        def work(corpus: Corpus) -> None:
            if fetch.status in GONE:
                corpus.close_index(fetch.source, url, fetch.time)
            corpus.fetched(fetch, self.number)

        await self.do(work)

    async def page_failed(self, fetch: Fetch, detail: str = "") -> None:
        """Keep why a page is not here: its fetch, which schedules the next try, and a rejection."""
        tally = self.tallies[fetch.source]
        if fetch.error in POSTPONED and fetch.status == 0:
            tally.is_postponed = True
            if fetch.error not in RUN_ENDED:
                tally.note = tally.note or told(fetch.error, host_of(fetch), detail)
            return
        await self.manners.unlearn(fetch.url)
        tally.done += 1
        is_answer = fetch.status in GONE
        tally.counts["requests"] += fetch.status != 0
        tally.counts["gone" if is_answer else "failed"] += 1
        tally.page_answers += is_answer
        line = told(fetch.error, host_of(fetch), detail)
        if not is_answer:
            tally.note = tally.note or line
        rejection = Rejection(url=fetch.url, stage="fetch", reason=fetch.error, detail=line, source=fetch.source)

        def work(corpus: Corpus) -> None:
            corpus.reject(rejection, self.number, fetch.time)
            corpus.fetched(fetch, self.number)

        await self.do(work)

    def leave(self, source: str, reason: str) -> None:
        """Leave a page that was fetched for another run."""
        tally = self.tallies[source]
        tally.is_postponed = True
        tally.note = tally.note or told(reason, host_and_port(tally.source.url)[0])

    async def page_refused(self, fetch: Fetch, reason: str) -> None:
        """Keep that a page came and asks not to be kept."""
        line = told(reason, host_of(fetch))
        rejection = Rejection(url=fetch.url, stage="fetch", reason=reason, detail=line, source=fetch.source)

        def work(corpus: Corpus) -> None:
            corpus.reject(rejection, self.number, fetch.time)
            corpus.fetched(fetch, self.number)

        await self.do(work)
        self.count(fetch.source, "rejected")

    async def page_unchanged(self, fetch: Fetch) -> None:
        await self.do(lambda corpus: corpus.fetched(fetch, self.number))
        tally = self.tallies[fetch.source]
        tally.counts.update(requests=1, not_modified=1, unchanged=1)
        tally.done += 1
        tally.page_answers += 1

    def count(self, source: str, outcome: str) -> None:
        """Count what became of a fetched page."""
        tally = self.tallies[source]
        tally.counts.update({"requests": 1, "fetched": 1, OUTCOMES[outcome]: 1})
        tally.done += 1
        tally.page_answers += 1

    async def due(self, source: Source) -> list[Due]:
        """The source's pages to fetch now, within the run's, the source's and the first visit's limits."""
        crawl, now = self.config.crawl, self.now()
        limit = crawl.max_pages_per_source if self.limit is None else min(self.limit, crawl.max_pages_per_source)

        tally = self.tallies[source.id]

        def work(corpus: Corpus) -> tuple[list[Due], int]:
            if corpus.source_state(source.id)["last_success"] is None:
                tally.left_out = corpus.cap(source.id, source.max_items_first_run)
            reach = limit if self.since is None else max(limit, crawl.max_feed_entries)
            found = [due for due in corpus.due(source.id, now, reach) if self.is_recent(due)]
            return found[:limit], corpus.waiting(source.id, now)

        found, waiting = await self.do(work)
        if tally.left_out:
            tally.note = tally.note or f"first visit: {tally.left_out} older entries left out"
        tally.counts["waiting"] = waiting - len(found)
        tally.asked += len(found)
        return found

    def is_offline(self) -> bool:
        """True when not one of several hosts could be reached: the fault is on our side, and nobody is put off for it."""
        asked = [tally for tally in self.tallies.values() if tally.has_begun]
        hosts = {host_key(tally.source.url) for tally in asked}
        return len(hosts) > 1 and all(tally.has_failed and tally.word in ("dns", "connection") for tally in asked)

    def is_recent(self, due: Due) -> bool:
        return self.since is None or due.hint.published is None or due.hint.published >= self.since


def host_of(fetch: Fetch) -> str:
    return host_and_port(fetch.url)[0]
