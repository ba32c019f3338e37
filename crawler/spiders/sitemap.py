"""Sources without a feed whose sitemap says what there is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from scrapy.http import Response

from crawler.discover import MAX_CHILD_SITEMAPS, MAX_SITEMAP_BYTES, Found, read_sitemap
from crawler.spiders.base import SourceSpider, Visit

if TYPE_CHECKING:
    from crawler.sources import Source
    from pipelines.store import Corpus

MAX_DEPTH = 2  # an index of indexes; deeper ones are traps


class SitemapSpider(SourceSpider):
    """Sitemaps, news sitemaps and indexes of them."""

    name = "sitemap"
    kind: ClassVar[str] = "sitemap"
    max_index_bytes: ClassVar[int] = MAX_SITEMAP_BYTES

    def reader(self, source: Source, response: Response) -> partial[Found]:
        return partial(read_sitemap, response.body, response.url, pattern=source.url_pattern, timezone=source.timezone)

    def other_files(self, corpus: Corpus, visit: Visit, found: Found | None, new: int) -> list[str]:  # noqa: ARG002
        """Files that changed since they were read; an index that is unchanged need not name them again."""
        if found is not None:
            corpus.keep_index_pages(visit.source.id, visit.url, list(zip(found.more, found.modified, strict=True)))
        if visit.depth >= MAX_DEPTH:
            return []
        # counted here, where one index comes after another, and not where many are asked for at once
        tally = self.run.tallies[visit.source.id]
        wanted = corpus.index_pages(visit.source.id, visit.url, self.run.now())
        files = wanted[: max(MAX_CHILD_SITEMAPS - tally.named_indexes, 0)]
        tally.named_indexes += len(files)
        return files
