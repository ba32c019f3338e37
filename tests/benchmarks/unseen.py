"""Cleans every page with a block model that saw no page of its site: what pages the model was trained on say of it flatters it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.clean import model as block_model
from pipelines.clean.features import NAMES
from pipelines.clean.model import Model, model_of
from pipelines.records import Document
from tests.benchmarks.extractors import Run, together
from tests.benchmarks.scoring import Row
from tests.benchmarks.train_cleaning import FOLDS, folds, plain, samples, trained

Models = dict[str, Model]  # of each site ("set:site") the one that did not see it


def models(paths: Sequence[Path]) -> Models:
    """One model a fold of sites, trained on the others as the shipped one is on all."""
    pages = samples(list(paths))
    fold = folds(pages)
    made = [
        model_of(plain(trained([page for page in pages if fold[page.site] != number], list(range(len(NAMES))))))
        for number in range(FOLDS)
    ]
    return {site: made[number] for site, number in fold.items()}


@contextmanager
def in_place(model: Model) -> Iterator[None]:
    """The model in place of the shipped one."""
    shipped: Callable[[], Model] = block_model.shipped
    block_model.shipped = lambda: model  # type: ignore[assignment]
    try:
        yield
    finally:
        block_model.shipped = shipped  # type: ignore[assignment]


def cleaned(name: str, rows: Sequence[Row], ours: Run, known: Models) -> Run:
    """What `ours` extracted, cleaned again site by site, each by the model of its fold."""
    groups: dict[int, list[int]] = {}
    by_key = {id(model): model for model in known.values()}
    sites = [known.get(f"{name}:{row['site']}") for row in rows]
    for at, model in enumerate(sites):
        groups.setdefault(id(model), []).append(at)
    parts: dict[int, tuple[str, float, Document | None]] = {}
    for key, places in groups.items():
        if key not in by_key:  # no page of the site gave a sample: nothing the model could have learned from it
            part = together([ours.extracted[at] for at in places], [ours.extraction[at] for at in places])
        else:
            with in_place(by_key[key]):
                part = together([ours.extracted[at] for at in places], [ours.extraction[at] for at in places])
        parts.update(zip(places, zip(part.texts, part.seconds, part.documents, strict=True), strict=True))
    run = Run()
    for at in range(len(rows)):
        text, seconds, document = parts[at]
        run.take(text, seconds)
        run.documents.append(document)
    return run
