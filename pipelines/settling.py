"""Write everything about one page, whichever door it came in by.

The crawl and `ingest` both end here, so a page leaves the same rows in the same tables however it arrived. One
transaction: a killed run has a page whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from pipelines.errors import StorageError
from pipelines.flow import NOTHING_KNOWN, settle
from pipelines.records import Article, Fetch, Page, Rejection, Settled
from pipelines.urls import site

if TYPE_CHECKING:
    from pipelines.store import Corpus

T = TypeVar("T")


def settle_page(
    corpus: Corpus,
    page: Page,
    outcome: Article | Rejection,
    learned: frozenset[int],
    now: datetime,
    run: int | None = None,
    fetch: Fetch | None = None,
    *,
    is_archived: bool = True,
) -> Settled | Rejection:
    """Keep the page as it came (unless it asks us not to), what became of it, what its site taught us and, for a fetched one, when to look again."""
    with corpus.transaction():
        if fetch is None and (later := corpus.seen_later(page.url, page.fetched)) is not None:
            return later  # files come in any order: an old one must not undo what a newer page said
        if is_archived:
            corpus.keep_raw(page)
        result = settle_outcome(corpus, page, outcome, learned, now, run)
        if fetch is not None:
            if page.final_url and page.final_url != page.url:
                corpus.redirected(page.url, page.final_url)
            corpus.fetched(fetch, run)  # after the article: when to look again depends on whether there is one
        return result


def one_by_one(
    corpus: Corpus, parcels: Iterable[bytes], settle_one: Callable[[bytes], T]
) -> Iterator[tuple[bytes, T | Exception]]:
    """Settle each parcel within the caller's transaction; one that cannot be settled is undone, and its error given instead."""
    for packed in parcels:
        try:
            with corpus.transaction():
                result = settle_one(packed)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a page makes a stage raise costs only that page
            yield packed, error
        else:
            yield packed, result


def settle_outcome(
    corpus: Corpus,
    page: Page,
    outcome: Article | Rejection,
    learned: frozenset[int],
    now: datetime,
    run: int | None = None,
) -> Settled | Rejection:
    """Keep what became of a page whose bytes are kept already."""
    with corpus.transaction():
        if isinstance(outcome, Rejection):
            corpus.reject(outcome, run, now)
            return outcome
        settled = settle(corpus, outcome, run)
        if settled.outcome == "new" and site(page.url):
            # once a text: the same story read again, or at a second address, must not look like the site's template
            corpus.remember(site(page.url), learned, now)
        return settled


def settle_again(
    corpus: Corpus, page: Page, outcome: Article | Rejection, learned: frozenset[int], run: int | None
) -> Settled | Rejection:
    """Keep what today's rules make of a stored page; a rejection that is recorded already is not recorded again."""
    if isinstance(outcome, Rejection):
        last = corpus.rejections(url=page.url, limit=1)
        if last and (last[0]["stage"], last[0]["reason"]) == (outcome.stage, outcome.reason):
            return outcome
    return settle_outcome(corpus, page, outcome, learned, page.fetched, run)


def template_of(corpus: Corpus, page: Page) -> frozenset[int]:
    """What is known to be template on the page's site; nothing for a page that came from no site."""
    name = site(page.url)
    return corpus.template(name, page.fetched) if name else NOTHING_KNOWN
