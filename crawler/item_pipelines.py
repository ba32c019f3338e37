"""Two thin adapters between Scrapy and the stages: prepare in a worker process, store with the one writer.

No rule of their own. All that is known of one page goes into the corpus in one transaction: a kill leaves all of
it or nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from scrapy.exceptions import CloseSpider, DropItem

from crawler.ledger import MAX_HUNG
from crawler.middlewares import run_of
from pipelines.records import Fetch, Page, Rejection
from pipelines.workers import LOST_REASONS

LEFT = "is_left"  # in a request's meta: not done, though Scrapy is done with it

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

    from crawler.ledger import Run
    from pipelines.store import Corpus
    from pipelines.workers import Prepared


@dataclass(slots=True)
class FetchedPage:
    """A page, the fetch that brought it, and what a worker made of it."""

    page: Page
    fetch: Fetch
    prepared: Prepared | None = None
    is_archived: bool = True  # False: the page asks that only what was made of it be kept
    meta: dict[str, Any] = field(default_factory=dict)  # of the request that brought it

    def leave(self) -> None:
        """Nothing of it is kept: a shared frontier gives its request to another run."""
        self.meta[LEFT] = True


class RunPipeline:
    """Knows the run it works for."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    @property
    def run(self) -> Run:
        return run_of(self.crawler)


class PreparePipeline(RunPipeline):
    """Extraction to signature, in a worker process, with what the site taught us so far."""

    async def process_item(self, item: FetchedPage) -> FetchedPage:
        run = self.run
        try:
            template = await run.ask(lambda corpus: known_template(corpus, item.page))
        except CloseSpider:
            raise DropItem("the corpus cannot be read", log_level="DEBUG") from None
        tally = run.tallies[item.page.source]
        async with run.preparing:
            # fetched before the others were known to hang; and who asks us to stop does not want to wait for more of them
            if tally.hung >= MAX_HUNG or (tally.hung and run.stop_reason):
                run.leave(item.page.source, "hanging")
                item.leave()
                raise DropItem("left for another run", log_level="DEBUG")
            item.prepared = await asyncio.wrap_future(run.workers.prepare(item.page, template))
            outcome = item.prepared.outcome
            tally.hung += isinstance(outcome, Rejection) and outcome.reason in LOST_REASONS
        return item


class StorePipeline(RunPipeline):
    """The page's one transaction, and its line in the tally."""

    async def process_item(self, item: FetchedPage) -> FetchedPage:
        run = self.run
        try:
            outcome = await run.do(lambda corpus: store(corpus, item, run.number))
        except CloseSpider:
            raise DropItem("the corpus cannot be written", log_level="DEBUG") from None
        run.count(item.fetch.source, outcome)
        if outcome == "rejected":
            raise DropItem(
                item.page.url, log_level="DEBUG"
            )  # the rejection is stored; the default level floods a cron mail
        return item


def known_template(corpus: Corpus, page: Page) -> frozenset[int]:
    """What is known to be template on the page's site."""
    from pipelines.settling import template_of  # brings numpy: in the writer's thread, and not in a run without a page

    return template_of(corpus, page)


def store(corpus: Corpus, item: FetchedPage, run: int) -> str:
    """Write all that is known of one page; return what became of it: new, copy, unchanged, updated, rejected."""
    from pipelines.settling import settle_page

    assert item.prepared is not None
    result = settle_page(
        corpus,
        item.page,
        item.prepared.outcome,
        item.prepared.learned,
        item.page.fetched,
        run,
        item.fetch,
        is_archived=item.is_archived,
    )
    return "rejected" if isinstance(result, Rejection) else result.outcome
