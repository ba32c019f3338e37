"""Clean a page, or the pages of a site together, without a corpus: for scripts, notebooks and `copydesk clean`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from pipelines.clean import by_model, by_rules, by_words, clean
from pipelines.clean.memory import SiteMemory, learnable
from pipelines.clean.view import View
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
    """Clean extracted documents, those of one site with what the others hold; rejections pass through. Order kept."""
    documents = list(found)
    sites = Counter(site(document.url) for document in documents if isinstance(document, Document))
    views = [
        by_words(document) if isinstance(document, Document) and sites[site(document.url)] > 1 else None
        for document in documents
    ]
    learned = [learnable(by_rules(view).decided()) if view is not None else frozenset[int]() for view in views]
    seen: dict[str, Counter[int]] = defaultdict(Counter)
    pages: dict[str, set[str]] = defaultdict(set)
    for view, blocks in zip(views, learned, strict=True):
        if view is not None and view.document.url not in pages[site(view.document.url)]:
            pages[site(view.document.url)].add(view.document.url)
            seen[site(view.document.url)].update(blocks)
    memories = {
        name: SiteMemory({block: count for block, count in counts.items() if count > 1}, len(pages[name]))
        for name, counts in seen.items()
    }
    return [
        document if isinstance(document, Rejection) else cleaned(document, view, blocks, memories)
        for document, view, blocks in zip(documents, views, learned, strict=True)
    ]


def cleaned(document: Document, view: View | None, blocks: frozenset[int], memories: dict[str, SiteMemory]) -> Cleaned:
    """A document cleaned with what the other pages of its site hold; alone on its site it has nothing but itself."""
    if view is None:
        return clean(document)
    memory = memories[site(document.url)].without(blocks)
    return by_model(by_rules(view, memory.template), memory)
