"""Sources that publish a feed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from scrapy.http import Response

from crawler.discover import Found, read_feed
from crawler.spiders.base import SourceSpider

if TYPE_CHECKING:
    from crawler.sources import Source


class FeedSpider(SourceSpider):
    """RSS, Atom and JSON feeds."""

    name = "feed"
    kind: ClassVar[str] = "feed"
    max_index_bytes: ClassVar[int] = 10 * 2**20  # Miniflux takes 15 MiB

    def reader(self, source: Source, response: Response) -> partial[Found]:
        content_type = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
        limit = self.run.config.crawl.max_feed_entries
        return partial(
            read_feed,
            response.body,
            response.url,
            content_type=content_type,
            timezone=source.timezone,
            limit=limit,
            pattern=source.url_pattern,
        )
