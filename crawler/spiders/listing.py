"""Sources with neither feed nor sitemap: a section page and the links on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from scrapy.http import Response

from crawler.discover import Found, read_listing
from crawler.spiders.base import SourceSpider

if TYPE_CHECKING:
    from crawler.sources import Source

MAX_DEPTH = 3  # pages of a listing in one run; older ones hold nothing new but on the first


class ListingSpider(SourceSpider):
    """Section pages."""

    name = "listing"
    kind: ClassVar[str] = "listing"
    max_index_bytes: ClassVar[int] = 5 * 2**20

    def read(self, source: Source, response: Response) -> Found:
        content_type = (response.headers.get(b"Content-Type") or b"").decode("latin-1")
        return read_listing(response.body, response.url, pattern=source.url_pattern, content_type=content_type)

    def follows(self, depth: int, new: int) -> bool:
        """Turn the page only while it brings something new."""
        return new > 0 and depth < MAX_DEPTH
