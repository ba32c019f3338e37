"""What happens to a page once it is fetched; nothing here knows Scrapy.

These names are public, typed and usable from any engine:

    import pipelines

    cleaned = pipelines.clean_page(html, url="https://example.org/story")
    print(cleaned.title, cleaned.text)
    for placement in pipelines.dedup(records):  # {"id": …, "text": …}
        print(placement.relation)

Names are looked up when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.config import Config as Config
    from pipelines.dedup import dedup as dedup
    from pipelines.flow import prepare as prepare
    from pipelines.flow import settle as settle
    from pipelines.pages import Cleaned as Cleaned
    from pipelines.pages import clean_page as clean_page
    from pipelines.pages import clean_pages as clean_pages
    from pipelines.records import Article as Article
    from pipelines.records import Block as Block
    from pipelines.records import Document as Document
    from pipelines.records import Page as Page
    from pipelines.records import Placement as Placement
    from pipelines.records import Rejection as Rejection
    from pipelines.store import Corpus as Corpus

_HOMES = {
    "Article": "records",
    "Block": "records",
    "Cleaned": "pages",
    "Config": "config",
    "Corpus": "store",
    "Document": "records",
    "Page": "records",
    "Placement": "records",
    "Rejection": "records",
    "clean_page": "pages",
    "clean_pages": "pages",
    "dedup": "dedup",
    "prepare": "flow",
    "settle": "flow",
}

__all__ = [  # noqa: PLE0604 - the names are strings; the list is the table's
    *_HOMES
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
