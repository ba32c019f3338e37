"""What every kind of source has in common: ask for its index, offer the entries to the frontier, fetch what is due.

A kind adds only how to read its index. All that was learnt is in the corpus before the next request is made, so a
spider may be killed at any line.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import scrapy
from scrapy.http import Request, Response

from crawler.faults import classify, status_word
from crawler.item_pipelines import FetchedPage
from crawler.politeness import host_key
from crawler.reading import apart
from pipelines.records import Due, Fetch, Page
from pipelines.urls import normal_form

if TYPE_CHECKING:
    from twisted.python.failure import Failure

    from crawler.discover import Found
    from crawler.ledger import Run
    from crawler.sources import Source

INDEX_PRIORITY = 10  # all indexes first: they say what else there is
NOT_MODIFIED = 304
REFUSED = (401, 403, 451)


class SourceSpider(scrapy.Spider):
    """Follows all sources of one kind."""

    kind: ClassVar[str] = ""
    max_index_bytes: ClassVar[int] = 10 * 2**20

    def __init__(self, run: Run, **arguments: Any) -> None:
        super().__init__(name=self.kind, **arguments)
        self.run = run
        self.asked: set[tuple[str, str]] = set()  # pages of indexes, by source

    def read(self, source: Source, response: Response) -> Found:
        """Read an index; runs in a thread."""
        raise NotImplementedError

    def follows(self, depth: int, new: int) -> bool:  # noqa: ARG002 - kinds that have several files need them
        """True when the files this index names are to be fetched too."""
        return False

    async def start(self) -> AsyncIterator[Any]:
        for source in self.run.of_kind(self.kind):
            await self.run.begin(source)
            for request in await self.index_requests(source):
                yield request

    async def index_requests(self, source: Source) -> list[Request]:
        """The source's index and what an earlier run left unread of it; all counted before the first is answered."""
        unread = await self.run.ask(lambda corpus: corpus.open_indexes(source.id))
        pages = {source.url: 0} | dict(unread)
        return [await self.index_request(source, url, depth) for url, depth in pages.items()]

    async def index_request(self, source: Source, url: str, depth: int) -> Request:
        key = self.run.index_key(source, url)
        etag, last_modified = await self.run.ask(lambda corpus: corpus.validators(key))
        tally = self.run.tallies[source.id]
        self.asked.add((source.id, url))
        tally.open_indexes += 1
        tally.seen_indexes += 1
        return Request(
            url,
            headers=conditional(etag, last_modified),
            callback=self.parse_index,
            errback=self.index_unanswered,
            cb_kwargs={"source": source, "url": url, "depth": depth},
            meta={"source": source.id, "download_slot": host_key(url), "download_maxsize": self.max_index_bytes},
            priority=INDEX_PRIORITY,
            dont_filter=True,
        )

    async def parse_index(self, response: Response, source: Source, url: str, depth: int) -> AsyncIterator[Any]:
        run, fetch = self.run, fetch_of(response, self.run.index_key(source, url), source.id, self.kind)
        if fetch.error:
            await run.index_failed(fetch, url, f"status {response.status}")
        elif fetch.status == NOT_MODIFIED:
            await run.indexed(fetch, url)
        else:
            found = await apart(lambda: self.read(source, response))
            if found.reason:
                await run.index_failed(replace(fetch, error=found.reason), url, found.detail)
            else:
                # children have validators of their own; what was cut off must not be "unchanged" next time
                if found.is_partial or (found.more and not found.entries):
                    fetch = replace(fetch, etag="", last_modified="")
                pages = [(more, depth + 1) for more in found.more]
                chosen = await run.indexed(
                    fetch, url, found.entries, lambda new: pages if self.follows(depth, new) else ()
                )
                self.remark(source, response, found)
                for more, level in chosen:
                    if (source.id, more) not in self.asked:
                        yield await self.index_request(source, more, level)
        async for request in self.index_done(source):
            yield request

    def remark(self, source: Source, response: Response, found: Found) -> None:
        """Note what a person should know of an index that worked."""
        tally = self.run.tallies[source.id]
        if found.is_partial:
            tally.note = tally.note or "the index is cut off; its whole entries were read"
        if 301 in response.meta.get("redirect_reasons", ()) or 308 in response.meta.get("redirect_reasons", ()):
            tally.note = tally.note or f"moved for good to {response.url}"

    async def index_unanswered(self, failure: Failure) -> AsyncIterator[Any]:
        kwargs = failure.request.cb_kwargs  # type: ignore[attr-defined]
        source: Source = kwargs["source"]
        word, detail = classify(error_of(failure))
        key = self.run.index_key(source, kwargs["url"])
        fetch = Fetch(url=key, source=source.id, kind=self.kind, time=self.run.now(), status=0, error=word)
        await self.run.index_failed(fetch, kwargs["url"], detail)
        async for request in self.index_done(source):
            yield request

    async def index_done(self, source: Source) -> AsyncIterator[Any]:
        """Fetch the pages that are due, once the last of the source's indexes is in and one of them was good."""
        tally = self.run.tallies[source.id]
        tally.open_indexes -= 1
        if tally.open_indexes or not tally.good_indexes:
            return
        for due in await self.run.due(source):
            yield self.page_request(source, due)

    def page_request(self, source: Source, due: Due) -> Request:
        return Request(
            due.url,
            headers=conditional(due.etag, due.last_modified) if due.is_revisit else {},
            callback=self.parse_page,
            errback=self.page_unanswered,
            cb_kwargs={"source": source, "due": due},
            meta={"source": source.id, "download_slot": host_key(due.url)},
            dont_filter=True,  # the frontier knows what was fetched
        )

    async def parse_page(self, response: Response, source: Source, due: Due) -> AsyncIterator[Any]:
        fetch = fetch_of(response, due.url, source.id, "page")
        if is_cut(response):
            fetch = replace(fetch, error="truncated")
        if fetch.error and source.text_from_feed and response.status in REFUSED:
            page = self.page_of_summary(due, source, fetch)
            if page is not None:
                yield FetchedPage(page, replace(fetch, error="", status=200, etag="", last_modified=""))
                return
        if fetch.error:
            await self.run.page_failed(fetch, f"status {response.status}")
        elif fetch.status == NOT_MODIFIED:
            await self.run.page_unchanged(fetch)
        else:
            yield FetchedPage(self.page_of(response, due, source, fetch), fetch)

    async def page_unanswered(self, failure: Failure) -> None:
        kwargs = failure.request.cb_kwargs  # type: ignore[attr-defined]
        word, detail = classify(error_of(failure))
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


def conditional(etag: str, last_modified: str) -> dict[str, str]:
    """The headers that ask "only if it changed"; validators go back byte for byte."""
    headers = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in headers.items() if value}


def fetch_of(response: Response, url: str, source: str, kind: str) -> Fetch:
    """The row of a fetch that got an answer."""
    final = normal_form(response.url)
    is_good = response.status == NOT_MODIFIED or 200 <= response.status < 300
    return Fetch(
        url=url,
        source=source,
        kind=kind,
        time=datetime.now(UTC),
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
