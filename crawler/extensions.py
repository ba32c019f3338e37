"""Ears on Scrapy's signals: a bug in a callback ends in the exit code, a Crawl-delay in the gate.

Scrapy logs an exception and exits 0; a crawl from cron must not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from scrapy import signals

from crawler.middlewares import run_of
from crawler.politeness import host_key

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.robotstxt import RobotParser
    from twisted.python.failure import Failure


class Watch:
    """Tells the run what Scrapy would only log."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        watch = cls(crawler)
        crawler.signals.connect(watch.broke, signal=signals.spider_error)
        crawler.signals.connect(watch.broke, signal=signals.item_error)
        crawler.signals.connect(watch.robots_parsed, signal=signals.robots_parsed)
        return watch

    def broke(self, failure: Failure, **_: Any) -> None:
        run_of(self.crawler).broke(failure.value or RuntimeError("no reason given"))

    def robots_parsed(self, robotparser: RobotParser, request: Request) -> None:
        run = run_of(self.crawler)
        delay = robotparser.crawl_delay(self.crawler.settings["ROBOTSTXT_USER_AGENT"])
        if delay:
            run.gate.heed_crawl_delay(host_key(request.url), float(delay))
