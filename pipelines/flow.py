"""The corridor every page walks, top to bottom. If you read one file, read this one.

    extract -> clean -> relevance -> signature     prepare(): pure, any number of processes
    candidates -> decide -> keep                   settle(): one writer, one transaction

Two doors lead in, Scrapy's item pipelines and `ingest`; a test sends the same pages through both and compares
the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.config import Config
from pipelines.dedup import RECIPE, decide, is_wall, normalise, sign, signature_of, text_hash, tokens
from pipelines.dedup.stories import group
from pipelines.records import Article, Document, Page, Rejection, Settled

if TYPE_CHECKING:
    from pipelines.store import Corpus

STORY_WINDOW_DAYS = 14  # twice what two texts of one event may lie apart: their neighbours, and those of these
MAX_REGROUPED = 20_000  # articles looked at again, the newest: a month of a very large corpus
NOTHING_KNOWN: frozenset[int] = frozenset()  # hashes of blocks that are template on this site


def prepare(page: Page, config: Config, template: frozenset[int] = NOTHING_KNOWN) -> Article | Rejection:
    """Turn a page into an article, or into the stage and one-word reason that kept it out. Pure."""
    from pipelines.clean import clean  # here, because the process that settles needs none of these
    from pipelines.extract import extract
    from pipelines.relevance import rate

    document = extract(page, config.extract)
    if isinstance(document, Rejection):
        return document
    document = clean(document, template)
    text = document.text
    if trouble := no_article(document, text, config.clean.min_chars):
        return rejection(page, "clean", *trouble)
    relevance = rate(document, config.relevance, is_topical=page.traits.is_topical)
    if relevance.verdict == "off_topic" and page.traits.is_topical:
        return rejection(page, "relevance", "off_topic", f"score {relevance.score:g}")
    return sign(document, text, relevance)


def settle(corpus: Corpus, article: Article, run: int | None = None) -> Settled:
    """Find the article's place among those already known and keep it, in one transaction."""
    with corpus.transaction():
        known = corpus.known(article.url)
        if known is not None:
            return corpus.revise(known, article, run)
        candidates = corpus.candidates(article)
        return corpus.keep(article, decide(article, candidates, corpus.config.dedup), run)


def regroup_stories(corpus: Corpus, run: int, now: datetime) -> int:
    """Group the articles around what a run brought into stories again; return how many there are. Drops nothing."""
    spans = corpus.spans_around(run, timedelta(days=STORY_WINDOW_DAYS))
    if not spans:
        return 0
    with corpus.transaction():
        stories = group(corpus.counted_items(spans, MAX_REGROUPED))
        corpus.assign_stories(stories, now)
    return len(set(stories.values()))


def recluster(corpus: Corpus, tell: Callable[[int], None] = lambda _: None) -> dict[str, int]:
    """Place every stored article anew, in order of publication: the reference for what arrival by arrival comes close to.

    One transaction; no article is touched but for its place. `tell` hears how many are placed. Returns articles, clusters,
    copies, clusters_changed, canonicals_changed, and signed_again: articles whose signature was of another recipe.
    """
    again = 0
    with corpus.transaction():
        for again, (key, text) in enumerate(corpus.of_other_recipe(RECIPE), 1):  # noqa: B007 - counted
            corpus.sign_again(key, signature_of(text), text_hash(text), len(tokens(normalise(text))))
        corpus.begin_placing()
        for count, (key, article) in enumerate(corpus.in_order(), 1):
            corpus.place(key, article, decide(article, corpus.candidates_before(article), corpus.config.dedup))
            tell(count)
        return corpus.adopt() | {"signed_again": again}


def no_article(document: Document, text: str, min_chars: int) -> tuple[str, str] | None:
    """Return why what was kept of a page is no article, reason and detail; None when it is one."""
    if not text:
        return "no_article", f"none of its {len(document.blocks)} blocks is an article's"
    if is_wall(text):
        return "wall", text[:120]
    if len(text) < min_chars:
        return "too_short", f"{len(text)} characters of body"
    if document.unlinked_chars < min_chars:
        return "no_article", f"all but {document.unlinked_chars} characters are links"
    return None


def rejection(page: Page, stage: str, reason: str, detail: str) -> Rejection:
    return Rejection(url=page.url, stage=stage, reason=reason, detail=detail, source=page.source)
