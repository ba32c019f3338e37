"""Asks single questions, for the commands that look at a source without crawling it.

It goes through the same settings, guard, gate and robots.txt as a crawl: a look at a source is a visit too. What is
asked, and what becomes of the answers, is the work it is given; nothing here knows the corpus.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import scrapy
from scrapy import signals
from scrapy.http import Request, Response

from crawler.discover import MAX_SITEMAP_BYTES
from crawler.faults import classify, status_word, told
from crawler.politeness import host_key

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.robotstxt import RobotParser

    from crawler.ledger import Run

# as the spiders of these kinds allow
MAX_BYTES = {"feed": 10 * 2**20, "sitemap": MAX_SITEMAP_BYTES, "listing": 5 * 2**20}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one question: a body, or one word and one line of why not."""

    url: str  # where it came from in the end
    body: bytes = b""
    content_type: str = ""
    status: int = 0
    word: str = ""
    line: str = ""


class LookSpider(scrapy.Spider):
    """Does one piece of work that asks questions, then ends."""

    name = "look"

    def __init__(self, run: Run, work: Callable[[LookSpider], Awaitable[None]], **arguments: Any) -> None:
        super().__init__(name=self.name, **arguments)
        self.run = run
        self.work = work
        self.sitemaps: dict[str, list[str]] = {}  # host: what its robots.txt names

    @classmethod
    def from_crawler(cls, crawler: Crawler, *arguments: Any, **keywords: Any) -> Self:
        spider = super().from_crawler(crawler, *arguments, **keywords)
        crawler.signals.connect(spider.heard, signal=signals.robots_parsed)
        return spider

    def heard(self, robotparser: RobotParser, request: Request) -> None:
        """Keep the sitemaps a robots.txt names: it was fetched anyway."""
        rules = getattr(robotparser, "rp", None)  # Protego; another parser would have none
        self.sitemaps[host_key(request.url)] = list(getattr(rules, "sitemaps", ()))

    async def start(self) -> AsyncIterator[Any]:
        try:
            await self.work(self)
        except Exception as error:  # noqa: BLE001 - a bug must end in the exit code; Scrapy would only log it
            self.run.broke(error)
        left: tuple[Request, ...] = ()  # Scrapy wants an iterator of requests; ours were all asked and answered
        for request in left:
            yield request

    async def ask(self, url: str, source: str, kind: str) -> Answer:
        """Fetch one address as a crawl would."""
        engine = self.crawler.engine
        assert engine is not None
        meta = {"source": source, "download_slot": host_key(url), "download_maxsize": MAX_BYTES[kind]}
        try:
            response = await engine.download_async(Request(url, meta=meta, dont_filter=True))
        except Exception as error:  # noqa: BLE001 - `classify` knows them all
            word, detail = classify(error)
            return Answer(url=url, word=word, line=told(word, urlsplit(url).hostname or url, detail))
        return answer_of(response)


def answer_of(response: Response) -> Answer:
    """A response as an answer; only a success is a body."""
    host = urlsplit(response.url).hostname or ""
    word = "" if 200 <= response.status < 300 else status_word(response.status)
    return Answer(
        url=response.url,
        body=b"" if word else response.body,
        content_type=(response.headers.get(b"Content-Type") or b"").decode("latin-1"),
        status=response.status,
        word=word,
        line=told(word, host, f"status {response.status}") if word else "",
    )
