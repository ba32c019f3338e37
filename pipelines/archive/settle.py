"""Bring what was read of many archives into the corpus: one writer, in an order that nobody's speed changes.

Files are settled in the order of their names (CC-NEWS names are times), the articles of one in order of publication. Every
article keeps its row, its place and its index rows, copies too, so the next crawl recognises a copy of any of them. What
is settled is remembered with it in one transaction: a run that was killed goes on behind it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.archive.engines import ENGINES, Outcome
from pipelines.archive.lists import archives
from pipelines.archive.parts import Report, packed_in_order, parquet
from pipelines.archive.task import Task, made_by
from pipelines.batch import Clock, Listener, Order, Tally, digest_of, recorded
from pipelines.config import Config
from pipelines.errors import CopydeskError, InputError, one_line
from pipelines.lock import run_lock
from pipelines.parcels import unpack
from pipelines.records import Rejection, Settled
from pipelines.settling import one_by_one, settle_page
from pipelines.writer import Writer

if TYPE_CHECKING:
    from pipelines.store import Corpus

BATCH = 200  # pages in a transaction: under a second's work, which is what a kill repeats
UNPARSED = "no_topic_word"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read archives."""

    order: Order
    engine: str = "local"
    jobs: int = 0  # 0: as many as there are workers for pages
    parts: Path | None = None  # None: a folder beside the corpus


@dataclass(slots=True)
class Batch:
    """What became of the pages that were settled together."""

    results: list[Settled | Rejection] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)  # of those that could not be


def ingest_archives(config: Config, plan: Plan, clock: Clock, listener: Listener) -> Tally:
    """Read the archives of a plan and settle what they gave; what is finished is not read again."""
    parquet()  # told before anything is read
    tally = Tally()
    with run_lock(config.database_path), closing(Writer(config.database_path, config)) as writer:
        settling = Settling(writer, tally, listener)
        tasks = list(settling.tasks(plan, config))
        with recorded(writer, "ingest", tally, clock) as run:
            engine = ENGINES[plan.engine](tasks, config, plan.jobs or config.worker_count) if tasks else iter(())
            for task, outcome in in_order(tasks, engine):
                settling.settle(task, outcome, run)
    return tally


def in_order(tasks: Sequence[Task], outcomes: Iterator[tuple[Task, Outcome]]) -> Iterator[tuple[Task, Outcome]]:
    """Give outcomes in the order of the tasks, each as soon as those before it are there."""
    early: dict[Path, Outcome] = {}
    left = iter(tasks)
    following = next(left, None)
    for task, outcome in outcomes:
        early[task.part] = outcome
        while following is not None and following.part in early:
            yield following, early.pop(following.part)
            following = next(left, None)


class Settling:
    """Which files are to be read, and what they gave into the corpus."""

    def __init__(self, writer: Writer, tally: Tally, listener: Listener) -> None:
        self._writer, self._tally, self._listener = writer, tally, listener

    def tasks(self, plan: Plan, config: Config) -> Iterator[Task]:
        """A task for each archive that is not finished."""
        parts = plan.parts or Path(f"{config.database_path}.parts")
        for path in archives(plan.order.paths):
            if isinstance(path, InputError):
                self._fail(path)
                continue
            digest = f"archive-{digest_of(path, plan.order)}"
            known = self._progress(path)
            if known is not None and (known[0], known[2]) == (digest, True):
                self._tally.skipped += 1
                continue
            name = hashlib.blake2b(str(path).encode(), digest_size=4).hexdigest()
            rules = (config.extract, config.clean, config.relevance)
            made = hashlib.blake2b(f"{digest} {made_by()} {rules!r}".encode(), digest_size=8).hexdigest()
            yield Task(
                path=path,
                part=(parts / f"{path.name}.{name}.parquet").resolve(),
                digest=f"{digest}-{made}",
                version=made_by(),
                source=plan.order.source,
                traits=plan.order.traits,
            )

    def settle(self, task: Task, outcome: Outcome, run: int) -> None:
        """Bring one part into the corpus; one that could not be made is told."""
        if isinstance(outcome, CopydeskError):
            self._fail(outcome)
            return
        if outcome.problem:
            self._fail(outcome.problem)
        mark = task.digest.rpartition("-")[0]
        known = self._progress(task.path)
        done = known[1] if known is not None and known[0] == mark else 0
        parcels = packed_in_order(task.part)
        is_whole = not outcome.problem
        if not done:
            self._count_unparsed(outcome)
        for start in range(done, max(len(parcels), done + 1), BATCH):
            batch = parcels[start : start + BATCH]
            end = start + len(batch)
            works = partial(
                settle_batch,
                parcels=batch,
                run=run,
                mark=(str(task.path), mark, end, is_whole and end >= len(parcels)),
            )
            self._count(self._writer.do(works).result())

    def _progress(self, path: Path) -> tuple[str, int, bool] | None:
        return self._writer.ask(lambda corpus: corpus.finished_input(str(path))).result()

    def _count_unparsed(self, report: Report) -> None:
        if report.unparsed:
            self._tally.pages += report.unparsed
            self._tally.outcomes["rejected"] += report.unparsed
            self._tally.reasons[UNPARSED] += report.unparsed

    def _count(self, batch: Batch) -> None:
        for result in batch.results:
            self._tally.take(result)
        for reason in batch.reasons:
            self._fail(reason)
        self._listener.count(self._tally.pages)

    def _fail(self, problem: CopydeskError | str) -> None:
        self._tally.failed += 1
        self._listener.tell(f"copydesk: {problem}")


def settle_batch(corpus: Corpus, parcels: Sequence[bytes], run: int, mark: tuple[str, str, int, bool]) -> Batch:
    """Settle pages and remember how far their file is, in one transaction; a page that cannot be settled costs itself."""
    batch = Batch()
    for _, result in one_by_one(corpus, parcels, partial(settle_parcel, corpus, run)):
        if isinstance(result, Exception):
            batch.reasons.append(f"{mark[0]}: a page not kept ({type(result).__name__}: {one_line(result)})")
        else:
            batch.results.append(result)
    path, digest, count, is_whole = mark
    corpus.finish_input(path, digest, count, is_whole=is_whole)
    return batch


def settle_parcel(corpus: Corpus, run: int, packed: bytes) -> Settled | Rejection:
    """Settle one page; its bytes stay in the archive."""
    parcel = unpack(packed)
    page, learned = parcel.page, frozenset(parcel.learned)
    return settle_page(corpus, page, parcel.outcome, learned, page.fetched, run, is_archived=False)
