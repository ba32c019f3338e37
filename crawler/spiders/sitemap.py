"""Sources without a feed whose sitemap says what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy.http import Response

from crawler.discover import MAX_CHILD_SITEMAPS, MAX_SITEMAP_BYTES, Found, read_sitemap
from crawler.spiders.base import SourceSpider

if TYPE_CHECKING:
    from crawler.sources import Source

MAX_DEPTH = 2  # an index of indexes; deeper ones are traps


class SitemapSpider(SourceSpider):
    """Sitemaps, news sitemaps and indexes of them."""

    name = "sitemap"
    kind: ClassVar[str] = "sitemap"
    max_index_bytes: ClassVar[int] = MAX_SITEMAP_BYTES

    def read(self, source: Source, response: Response) -> Found:
        found = read_sitemap(response.body, response.url, pattern=source.url_pattern, timezone=source.timezone)
        room = MAX_CHILD_SITEMAPS + 1 - self.run.tallies[source.id].seen_indexes
        return Found(
            entries=found.entries,
            more=found.more[: max(room, 0)],
            reason=found.reason,
            is_partial=found.is_partial,
            skipped=found.skipped,
        )

    def follows(self, depth: int, new: int) -> bool:  # noqa: ARG002 - an index has no entries of its own
        return depth < MAX_DEPTH
