"""Cleans every page with a glance and a block model that saw no page of its site: what pages they were trained on say of them flatters them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.clean import model as block_model
from pipelines.clean.features import NAMES
from pipelines.config import Config
from pipelines.extract import extract
from pipelines.pages import page_of
from pipelines.reading import glance
from pipelines.reading.trees import Trees, trees_of
from pipelines.records import Document, Rejection
from tests.benchmarks.extractors import Run, together
from tests.benchmarks.scoring import Row, address_of
from tests.benchmarks.train_cleaning import FOLDS, folds, glance_of, glances, judged, plain, samples, trained

Pair = tuple[Trees, Trees]  # glance, block model
Models = dict[str, Pair]  # of each site ("set:site") those that did not see it


def models(paths: Sequence[Path]) -> Models:
    """A pair for each fold of sites, trained on the others as the shipped one is on all."""
    pages = samples(list(paths))
    pages = judged(pages, glances(pages))
    fold = folds(pages)
    made = []
    for number in range(FOLDS):
        others = [page for page in pages if fold[page.site] != number]
        block = plain(trained(others, list(range(len(NAMES)))))
        made.append((trees_of(glance_of(others), glance.NAMES), trees_of(block, NAMES)))
    return {site: made[number] for site, number in fold.items()}


@contextmanager
def in_place(pair: Pair) -> Iterator[None]:
    """The pair in place of the shipped one."""
    shipped = glance.shipped, block_model.shipped
    glance.shipped, block_model.shipped = (lambda: pair[0]), (lambda: pair[1])  # type: ignore[assignment]
    try:
        yield
    finally:
        glance.shipped, block_model.shipped = shipped


def cleaned(name: str, rows: Sequence[Row], known: Models) -> Run:
    """The pages extracted and cleaned site by site, each by the pair of its fold."""
    some = next(iter(known.values()))  # for a site that gave no sample any pair will do: none has learned from it
    pairs = [known.get(f"{name}:{row['site']}", some) for row in rows]
    groups: dict[int, list[int]] = {}
    for at, pair in enumerate(pairs):
        groups.setdefault(id(pair), []).append(at)
    parts: dict[int, tuple[str, float, Document | None]] = {}
    asked = 0
    for places in groups.values():
        with in_place(pairs[places[0]]):
            reading = Run()
            found: list[Document | Rejection] = []
            for at in places:
                page = page_of(rows[at]["html"], address_of(rows[at], name, at))
                document, seconds = reading.timed(lambda page=page: extract(page, Config().extract))
                found.append(document or Rejection(url=page.url, stage="extract", reason="raised"))
                reading.take("", seconds)
            asked += sum(isinstance(one, Document) and not one.is_sure for one in found)
            part = together(found, reading.seconds)
        parts.update(zip(places, zip(part.texts, part.seconds, part.documents, strict=True), strict=True))
    run = Run(second_opinions=asked)
    for at in range(len(rows)):
        text, seconds, document = parts[at]
        run.take(text, seconds)
        run.documents.append(document)
    return run
