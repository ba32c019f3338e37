"""Clean a page, or the pages of a site together, without a corpus: for scripts, notebooks and `copydesk clean`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from pipelines.clean import clean
from pipelines.clean.memory import SiteMemory, learnable
from pipelines.config import Config
from pipelines.errors import InputError
from pipelines.extract import extract
from pipelines.records import Document, Page, Rejection
from pipelines.urls import site

Cleaned = Document  # a document after cleaning: every block carries its fate

NO_URL = "http://localhost/"
_TAG = re.compile(r"<[a-zA-Z!/][^<>]*>")


class Given(NamedTuple):
    """One page as a script has it."""

    html_or_text: str | bytes
    url: str | None = None


def page_of(html_or_text: str | bytes, url: str | None = None) -> Page:
    """A page from what a script has; text without any tag is plain text, one block a line."""
    sample = html_or_text if isinstance(html_or_text, str) else html_or_text[:100_000].decode("latin-1")
    kind = "text/html" if _TAG.search(sample) else "text/plain"
    if isinstance(html_or_text, str):
        return Page(
            url=url or NO_URL,
            body=html_or_text.encode("utf-8", "replace"),
            fetched=datetime.now(UTC),
            content_type=f"{kind}; charset=utf-8",
        )
    return Page(url=url or NO_URL, body=html_or_text, fetched=datetime.now(UTC), content_type=kind)


def clean_page(html_or_text: str | bytes, url: str | None = None) -> Cleaned:
    """Return the cleaned document; raise `InputError` when there is no page in what was given."""
    document = extract(page_of(html_or_text, url), Config().extract)
    if isinstance(document, Rejection):
        raise InputError(url or "page", f"{document.reason} ({document.detail})", "an HTML page or text")
    return clean(document)


def clean_pages(pages: Iterable[tuple[str | bytes, str | None]]) -> list[Cleaned | Rejection]:
    """Clean pages that inform each other: what stands on several pages of one site is template. Order kept."""
    config = Config()
    return clean_together([extract(page_of(content, url), config.extract) for content, url in pages])


def clean_together(found: Iterable[Document | Rejection]) -> list[Cleaned | Rejection]:
    """Clean extracted documents, those of one site with what they share as template; rejections pass through."""
    documents = list(found)
    first = [clean(document) if isinstance(document, Document) else document for document in documents]
    seen: dict[str, Counter[int]] = defaultdict(Counter)
    pages: dict[str, set[str]] = defaultdict(set)
    for document in first:
        if isinstance(document, Document) and document.url not in pages[site(document.url)]:
            pages[site(document.url)].add(document.url)
            seen[site(document.url)].update(learnable(document))
    memories = {
        name: SiteMemory({block: count for block, count in counts.items() if count > 1}, len(pages[name]))
        for name, counts in seen.items()
    }
    return [again(document, cleaned, memories) for document, cleaned in zip(documents, first, strict=True)]


def again(
    document: Document | Rejection, cleaned: Document | Rejection, memories: dict[str, SiteMemory]
) -> Cleaned | Rejection:
    """Clean once more with what the other pages of the site hold; alone on its site a page stays as it is."""
    if isinstance(document, Rejection) or isinstance(cleaned, Rejection):
        return cleaned
    memory = memories[site(document.url)]
    return clean(document, memory.without(learnable(cleaned))) if memory.pages > 1 else cleaned
