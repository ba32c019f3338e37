"""Runs our cleaning and trafilatura's settings over a set of pages, side by side, and times both.

One process, page by page in turn, the first of the two changing with every page, CPU time alone: what the machine does besides then
falls on both. What is loaded on first use is loaded before the clock runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import trafilatura

from pipelines.clean import clean
from pipelines.config import Config
from pipelines.extract import extract
from pipelines.pages import clean_together, page_of
from pipelines.records import Document, Page, Rejection
from tests.benchmarks import own_pages
from tests.benchmarks.peers import PeerError, texts_of
from tests.benchmarks.scoring import Row, address_of

OURS, ALONE, UNSEEN, BASE = "copydesk", "copydesk, one by one", "copydesk, unseen sites", "trafilatura"
SETTINGS: dict[str, dict[str, Any]] = {
    "trafilatura, precision": {"favor_precision": True},
    "trafilatura, recall": {"favor_recall": True},
    "trafilatura, fast": {"fast": True},
}


@dataclass
class Run:
    """What one extractor made of the pages of a set."""

    texts: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of CPU, a page
    raised: dict[int, str] = field(default_factory=dict)  # page: the exception's name
    documents: list[Document | None] = field(default_factory=list)  # ours alone: cleaned
    extracted: list[Document | Rejection] = field(default_factory=list)  # ours alone: before cleaning
    extraction: list[float] = field(default_factory=list)  # its seconds of CPU
    second_opinions: int = 0  # ours alone: pages about which trafilatura was asked
    why_not: str = ""  # no figures: the reason

    def take(self, text: str, seconds: float) -> None:
        self.texts.append(text)
        self.seconds.append(seconds)

    def timed(self, work: Callable[[], Any]) -> tuple[Any, float]:
        """The result (None when it raises, which is noted for the page at hand) and its CPU seconds."""
        started = time.process_time()
        try:
            made = work()
        except Exception as problem:  # noqa: BLE001 - whatever an extractor raises is its result for this page
            self.raised[len(self.texts)] = type(problem).__name__
            made = None
        return made, time.process_time() - started


def text_of(found: object) -> str:
    return found.text if isinstance(found, Document) else found if isinstance(found, str) else ""


def measured(name: str, rows: Sequence[Row]) -> dict[str, Run]:
    """Ours (pages of a site together, and one by one) and bare trafilatura, in turn."""
    config = Config().extract
    warm_up()
    runs = {OURS: Run(), ALONE: Run(), BASE: Run()}
    extracted: list[Document | Rejection] = []
    seconds: list[float] = []

    def theirs(row: Row) -> None:
        found, cost = runs[BASE].timed(lambda: trafilatura.extract(row["html"], include_comments=False))
        runs[BASE].take(text_of(found), cost)

    def ours(page: Page) -> None:
        document, cost = runs[ALONE].timed(lambda: extract(page, config))
        cleaned, more = runs[ALONE].timed(lambda: clean(document) if isinstance(document, Document) else None)
        runs[ALONE].take(text_of(cleaned), cost + more)
        extracted.append(document or Rejection(url=page.url, stage="extract", reason="raised"))
        seconds.append(cost)

    for number, row in enumerate(rows):
        page = page_of(row["html"], address_of(row, name, number))
        for turn in (0, 1):
            if (turn + number) % 2:
                theirs(row)
            else:
                ours(page)
    runs[OURS] = together(extracted, seconds)
    return runs


def together(extracted: list[Document | Rejection], seconds: list[float]) -> Run:
    """Clean what was extracted, pages of one site informing each other; the cost of that is shared out evenly."""
    asked = sum(isinstance(document, Document) and not document.is_sure for document in extracted)
    run = Run(extracted=extracted, extraction=seconds, second_opinions=asked)
    cleaned, cost = run.timed(lambda: clean_together(extracted))
    share = cost / max(1, len(extracted))
    for document, extraction in zip(cleaned or [None] * len(extracted), seconds, strict=True):
        run.documents.append(document if isinstance(document, Document) else None)
        run.take(text_of(document), extraction + share)
    return run


@cache
def warm_up() -> None:
    """Load every model and compile every pattern, before any clock runs: pages of ours in five languages, in every style."""
    config = Config().extract
    for rows in own_pages.SETS.values():
        found = []
        for row in rows():
            found.append(extract(page_of(row["html"], row["url"]), config))
            trafilatura.extract(row["html"], include_comments=False)
        clean_together(found)


def with_setting(rows: Sequence[Row], options: dict[str, Any]) -> Run:
    run = Run()
    for row in rows:
        found, cost = run.timed(partial(trafilatura.extract, row["html"], include_comments=False, **options))
        run.take(text_of(found), cost)
    return run


def with_peer(name: str, rows: Sequence[Row]) -> Run:
    """An extractor from elsewhere in its own environment; a reason where there is none."""
    try:
        answers = texts_of(name, rows)
    except PeerError as problem:
        return Run(why_not=str(problem))
    run = Run()
    for number, answer in enumerate(answers):
        if answer["error"]:
            run.raised[number] = str(answer["error"])
        run.take(str(answer["text"]), float(str(answer["seconds"])))
    return run
