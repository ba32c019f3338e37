"""What every kind of source has in common: ask for its index, offer the entries to the frontier, fetch what is due.

A kind adds only how to read its index. All that was learnt is in the corpus before the next request is made, so a
spider may be killed at any line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import scrapy
from scrapy.http import Request, Response

from crawler.faults import POSTPONED, classify, status_word
from crawler.item_pipelines import LEFT, FetchedPage
from crawler.marks import marks_of
from crawler.politeness import host_key
from crawler.reading import apart
from pipelines.records import Due, Fetch, Page
from pipelines.urls import normal_form

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from crawler.discover import Found
    from crawler.ledger import Run
    from crawler.sources import Source
    from pipelines.store import Corpus

INDEX_PRIORITY = 10  # all indexes first: they say what else there is
NOT_MODIFIED = 304
REFUSED = (401, 403, 451)


@dataclass(frozen=True, slots=True)
class Visit:
    """One file of a source's index: its address as named, and how many files lead to it."""

    source: Source
    url: str
    depth: int


class SourceSpider(scrapy.Spider):
    """Follows all sources of one kind."""

    kind: ClassVar[str] = ""
    max_index_bytes: ClassVar[int] = 10 * 2**20

    def __init__(self, run: Run, **arguments: Any) -> None:
        super().__init__(name=self.kind, **arguments)
        self.run = run
        self.asked: set[tuple[str, str]] = set()  # pages of indexes, by source
        self.wanted: set[str] = set()  # pages

    def reader(self, source: Source, response: Response) -> partial[Found]:
        """The call that reads an index; a worker process makes it."""
        raise NotImplementedError

    def other_files(self, corpus: Corpus, visit: Visit, found: Found | None, new: int) -> list[str]:  # noqa: ARG002
        """Of the files an index names, those to be read now; `found` None: it is unchanged. Runs in a transaction."""
        return []

    async def start(self) -> AsyncIterator[Any]:
        for source in self.run.of_kind(self.kind):
            await self.run.begin(source)
            for request in await self.index_requests(source):
                yield request
        for source in self.run.guests_of(self.kind):
            async for request in self.pages_due(source):
                yield request

    async def index_requests(self, source: Source) -> list[Request]:
        """The source's index and what an earlier run left unread of it; all counted before the first is answered."""
        unread = await self.run.ask(lambda corpus: corpus.open_indexes(source.id))
        pages = {source.url: 0} | dict(unread)
        self.run.tallies[source.id].named_indexes = len(pages) - 1
        return [await self.index_request(source, url, depth) for url, depth in pages.items()]

    async def index_request(self, source: Source, url: str, depth: int) -> Request:
        key = self.run.index_key(source, url)
        etag, last_modified = await self.run.ask(lambda corpus: corpus.validators(key))
        place = await self.run.manners.place_of(url)
        tally = self.run.tallies[source.id]
        self.asked.add((source.id, url))
        tally.open_indexes += 1
        tally.seen_indexes += 1
        return Request(
            place,
            headers=conditional(etag, last_modified),
            callback=self.parse_index,
            errback=self.index_unanswered,
            cb_kwargs={"visit": Visit(source, url, depth)},
            meta={"source": source.id, "download_slot": host_key(place), "download_maxsize": self.max_index_bytes},
            priority=INDEX_PRIORITY,
            dont_filter=True,
        )

    async def parse_index(self, response: Response, visit: Visit) -> AsyncIterator[Any]:
        run, source, url = self.run, visit.source, visit.url
        fetch = fetch_of(response, run.index_key(source, url), source.id, self.kind, run.now())
        found = None
        if not fetch.error and fetch.status != NOT_MODIFIED:
            found = await apart(run.workers, self.reader(source, response))
            if found.reason:
                fetch = replace(fetch, error=found.reason)
            elif found.is_partial:  # what was cut off must not be "unchanged" next time
                fetch = replace(fetch, etag="", last_modified="")
        if fetch.error:
            await run.index_failed(fetch, url, found.detail if found else f"status {response.status}")
        else:
            files = await run.indexed(
                fetch, visit, found.entries if found else (), partial(self.other_files, visit=visit, found=found)
            )
            await self.remark(visit, response, found)
            for more in files:
                if (source.id, more) not in self.asked:
                    yield await self.index_request(source, more, visit.depth + 1)
        async for request in self.index_done(source):
            yield request

    async def remark(self, visit: Visit, response: Response, found: Found | None) -> None:
        """Note what a person should know of an index that worked."""
        tally = self.run.tallies[visit.source.id]
        if found and found.is_partial:
            tally.note = tally.note or "the index is cut off; its whole entries were read"
        if place := await self.run.manners.learn(visit.url, response):
            tally.note = tally.note or f"moved for good to {place}"

    async def index_unanswered(self, failure: Failure) -> AsyncIterator[Any]:
        visit: Visit = failure.request.cb_kwargs["visit"]  # type: ignore[attr-defined]
        word, detail = classify(error_of(failure))
        mark_left(failure, word)
        key = self.run.index_key(visit.source, visit.url)
        fetch = Fetch(url=key, source=visit.source.id, kind=self.kind, time=self.run.now(), status=0, error=word)
        await self.run.index_failed(fetch, visit.url, detail)
        async for request in self.index_done(visit.source):
            yield request

    async def index_done(self, source: Source) -> AsyncIterator[Any]:
        """Fetch the pages that are due, once the last of the source's indexes is in and one of them was good."""
        tally = self.run.tallies[source.id]
        tally.open_indexes -= 1
        if tally.open_indexes or not tally.good_indexes:
            return
        async for request in self.pages_due(source):
            yield request

    async def pages_due(self, source: Source) -> AsyncIterator[Request]:
        """The source's pages whose time has come, each once a run: indexes have parts in common, and a guest's index may come here after its pages."""
        for due in await self.run.due(source):
            if due.url not in self.wanted:
                self.wanted.add(due.url)
                yield await self.page_request(source, due)
            else:
                self.run.tallies[source.id].asked -= 1

    async def page_request(self, source: Source, due: Due) -> Request:
        place = await self.run.manners.place_of(due.url) if due.is_revisit else due.url
        return Request(
            place,
            headers=conditional(due.etag, due.last_modified) if due.is_revisit else {},
            callback=self.parse_page,
            errback=self.page_unanswered,
            cb_kwargs={"source": source, "due": due},
            meta={"source": source.id, "download_slot": host_key(place)},
            dont_filter=True,  # the frontier knows what was fetched
        )

    async def parse_page(self, response: Response, source: Source, due: Due) -> AsyncIterator[Any]:
        fetch = fetch_of(response, due.url, source.id, "page", self.run.now())
        if is_cut(response):
            fetch = replace(fetch, error="truncated")
        if fetch.error and source.text_from_feed and response.status in REFUSED:
            page = self.page_of_summary(due, source, fetch)
            if page is not None:
                yield FetchedPage(
                    page, replace(fetch, error="", status=200, etag="", last_modified=""), meta=response.meta
                )
                return
        if fetch.error:
            await self.run.page_failed(fetch, f"status {response.status}")
        elif fetch.status == NOT_MODIFIED:
            await self.run.page_unchanged(fetch)
        else:
            await self.run.manners.learn(due.url, response)
            marks, crawl = marks_of(response), self.run.config.crawl
            if "noindex" in marks and crawl.heed_noindex:
                await self.run.page_refused(fetch, "noindex")
                return
            is_archived = not ("noarchive" in marks and crawl.heed_noarchive)
            page = self.page_of(response, due, source, fetch)
            yield FetchedPage(page, fetch, is_archived=is_archived, meta=response.meta)

    async def page_unanswered(self, failure: Failure) -> None:
        kwargs = failure.request.cb_kwargs  # type: ignore[attr-defined]
        word, detail = classify(error_of(failure))
        mark_left(failure, word)
        fetch = Fetch(
            url=kwargs["due"].url, source=kwargs["source"].id, kind="page", time=self.run.now(), status=0, error=word
        )
        await self.run.page_failed(fetch, detail)

    def page_of(self, response: Response, due: Due, source: Source, fetch: Fetch) -> Page:
        content_type = (response.headers.get(b"Content-Type") or b"text/html").decode("latin-1")
        return Page(
            url=due.url,
            body=response.body,
            fetched=fetch.time,
            final_url=fetch.final_url,
            content_type=content_type,
            source=source.id,
            traits=self.run.traits[source.id],
            hint=due.hint,
        )

    def page_of_summary(self, due: Due, source: Source, fetch: Fetch) -> Page | None:
        """The feed's own text as a page, when it is long enough to be an article."""
        if len(due.hint.summary) < self.run.config.clean.min_chars:
            return None
        text = f"{due.hint.title}\n{due.hint.summary}" if due.hint.title else due.hint.summary
        return Page(
            url=due.url,
            body=text.encode(),
            fetched=fetch.time,
            content_type="text/plain; charset=utf-8",
            source=source.id,
            traits=self.run.traits[source.id],
            hint=due.hint,
        )


def error_of(failure: Failure) -> BaseException:
    """The exception a failure carries."""
    return failure.value or RuntimeError("no reason given")


def mark_left(failure: Failure, word: str) -> None:
    """Note on a request that was never made that it is still to be: a shared frontier takes it back."""
    if word in POSTPONED:
        failure.request.meta[LEFT] = True  # type: ignore[attr-defined]


def conditional(etag: str, last_modified: str) -> dict[str, str]:
    """The headers that ask "only if it changed"; validators go back byte for byte."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value}


def fetch_of(response: Response, url: str, source: str, kind: str, time: datetime) -> Fetch:
    """The row of a fetch that got an answer."""
    final = normal_form(response.url)
    is_good = response.status == NOT_MODIFIED or 200 <= response.status < 300
    return Fetch(
        url=url,
        source=source,
        kind=kind,
        time=time,
        status=response.status,
        bytes=len(response.body),
        etag=(response.headers.get(b"ETag") or b"").decode("latin-1"),
        last_modified=(response.headers.get(b"Last-Modified") or b"").decode("latin-1"),
        error="" if is_good else status_word(response.status),
        final_url=final if final != normal_form(url) else "",
    )


def is_cut(response: Response) -> bool:
    """True for a page whose end nobody announced and that does not end as pages do."""
    return "partial" in response.flags and b"</html" not in response.body[-2048:].lower()
