"""Sources with neither feed nor sitemap: a section page and the links on it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from scrapy.http import Response

from crawler.discover import Found, read_listing
from crawler.spiders.base import SourceSpider, Visit

if TYPE_CHECKING:
    from crawler.sources import Source
    from pipelines.store import Corpus

MAX_DEPTH = 3  # pages of a listing in one run; older ones hold nothing new but on the first


class ListingSpider(SourceSpider):
    """Section pages."""

    name = "listing"
    kind: ClassVar[str] = "listing"
    max_index_bytes: ClassVar[int] = 5 * 2**20

    def reader(self, source: Source, response: Response) -> partial[Found]:
        content_type = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
        return partial(read_listing, response.body, response.url, pattern=source.url_pattern, content_type=content_type)

    def other_files(self, corpus: Corpus, visit: Visit, found: Found | None, new: int) -> list[str]:  # noqa: ARG002
        """Turn the page only while it brings something new."""
        return list(found.more) if found and new > 0 and visit.depth < MAX_DEPTH else []
