"""Many pages through the same corridor as a crawl: a pool of workers prepares, one writer keeps.

Pages are settled in the order they came, and what a site taught us is read at a fixed distance behind, so the same
files give the same corpus however many processors there are. What was finished is remembered in the corpus itself,
in the transaction that keeps the last page: a killed run goes on where it stopped.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.config import Config
from pipelines.errors import CopydeskError, InputError, StorageError, one_line
from pipelines.flow import regroup_stories
from pipelines.inputs import Rules, expand, read_file
from pipelines.lock import run_lock
from pipelines.records import Page, Rejection, Settled, Traits
from pipelines.settling import settle_again, settle_page, template_of
from pipelines.workers import Prepared, Workers
from pipelines.writer import Writer

if TYPE_CHECKING:
    from pipelines.store import Corpus

PAGES_IN_HAND = 32  # prepared ahead of the writer; fixed, so that results do not depend on the number of workers
DEFAULT_SOURCE = "ingest"
Tell = Callable[[str], None]
Count = Callable[[int], None]
Clock = Callable[[], datetime]
Progress = tuple[str, int, bool]  # of a file: its digest, the pages kept, whether that is all of it
Finished = Callable[[str], Progress | None]  # how far the file at a path is read


@dataclass(frozen=True, slots=True)
class Order:
    """What to read, and as whose pages."""

    paths: tuple[Path, ...]
    source: str = DEFAULT_SOURCE
    traits: Traits = field(default_factory=Traits)
    url_prefix: str = ""
    passing: Path | None = None  # one of the paths that is gone afterwards: how far it was read is not kept


def unheard(_: int) -> None:
    """Nobody watches the count."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears, in one line each, what could not be used, and how many pages are done."""

    tell: Tell
    count: Count = unheard


@dataclass(slots=True)
class Tally:
    """What became of the pages of one run."""

    pages: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)  # new, copy, unchanged, updated, rejected
    reasons: Counter[str] = field(default_factory=Counter)  # of the rejected
    failed: int = 0  # inputs or pages that could not be used
    skipped: int = 0  # files finished in an earlier run
    contested: list[str] = field(default_factory=list)  # articles that today's rules would reject; they stay

    def take(self, result: Settled | Rejection) -> None:
        """Count what became of one page."""
        self.pages += 1
        if isinstance(result, Rejection):
            self.outcomes["rejected"] += 1
            self.reasons[result.reason] += 1
        else:
            self.outcomes[result.outcome] += 1

    @property
    def exit_code(self) -> int:
        return InputError.exit_code if self.failed else 0

    def as_dict(self) -> dict[str, Any]:
        counted = {word: self.outcomes[word] for word in ("new", "unchanged", "updated", "rejected")}
        return {
            "pages": self.pages,
            **counted,
            "copies": self.outcomes["copy"],
            "reasons": dict(self.reasons),
            "failed": self.failed,
            "skipped": self.skipped,
            "contested": self.contested,
        }


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file is read: after this many pages; `is_whole` when nothing of it is missing."""

    path: Path
    digest: str
    pages: int
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A page with the mark to set when it is kept; or a mark alone."""

    page: Page | None
    mark: Mark | None = None


Settle = Callable[["Corpus", Page, Prepared], Settled | Rejection]


class Corridor:
    """Steps in, rows out, in order; what went wrong is told and counted."""

    def __init__(self, writer: Writer, workers: Workers, settle: Settle, tally: Tally, listener: Listener) -> None:
        self._writer, self._workers, self._settle, self._tally, self._listener = (
            writer,
            workers,
            settle,
            tally,
            listener,
        )
        self._preparing: deque[tuple[Step, Future[Prepared] | None]] = deque()
        self._settling: deque[tuple[Step, Future[Any]]] = deque()
        self._broken: set[Path] = set()  # files with a page that could not be kept; read again next time

    def run(self, steps: Iterable[Step]) -> None:
        """Walk every step through; what was begun is finished and committed even when reading the steps fails."""
        try:
            for step in steps:
                if len(self._preparing) >= PAGES_IN_HAND:
                    self._settle_oldest()
                self._prepare(step)
        finally:
            while self._preparing:
                self._settle_oldest()
            while self._settling:
                self._count(*self._settling.popleft())

    def _prepare(self, step: Step) -> None:
        if step.page is None:
            self._preparing.append((step, None))
            return
        template = self._writer.ask(partial(_template, page=step.page)).result()
        self._preparing.append((step, self._workers.prepare(step.page, template)))

    def _settle_oldest(self) -> None:
        step, preparing = self._preparing[0]
        prepared = preparing.result() if preparing else None
        self._settling.append((step, self._writer.do(partial(self._keep, step=step, prepared=prepared))))
        self._preparing.popleft()  # last: an interrupt while we wait must not lose the page, whose mark the next would pass
        while self._settling and self._settling[0][1].done():
            self._count(*self._settling.popleft())

    def _keep(self, corpus: Corpus, step: Step, prepared: Prepared | None) -> Settled | Rejection | None:
        mark = step.mark
        try:
            result = (
                self._settle(corpus, step.page, prepared) if step.page is not None and prepared is not None else None
            )
        except Exception:
            if mark is not None:
                self._broken.add(mark.path)
            raise
        if mark is not None and mark.path not in self._broken:
            corpus.finish_input(str(mark.path.resolve()), mark.digest, mark.pages, is_whole=mark.is_whole)
        return result

    def _count(self, step: Step, settling: Future[Any]) -> None:
        try:
            result = settling.result()
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - one page that cannot be kept is told and counted; the others go on
            self._tally.failed += 1
            self._listener.tell(
                f"copydesk: {step.page.url if step.page else 'store'}: not kept ({type(error).__name__}: {one_line(error)})"
            )
            return
        if step.page is None:
            return
        self._tally.take(result)
        self._listener.count(self._tally.pages)


def _template(corpus: Corpus, page: Page) -> frozenset[int]:
    return template_of(corpus, page)


def ingest(config: Config, order: Order, clock: Clock, listener: Listener) -> Tally:
    """Read the files of `order` into the corpus; `listener` hears one line of each thing that could not be used."""
    tally = Tally()
    with run_lock(config.database_path), closing(Writer(config.database_path, config)) as writer:

        def finished(path: str) -> Progress | None:
            return writer.ask(lambda corpus: corpus.finished_input(path)).result()

        steps = Reading(config, order, finished, tally, listener.tell).steps()
        with recorded(writer, "ingest", tally, clock) as run, closing(Workers(config)) as workers:

            def settle(corpus: Corpus, page: Page, prepared: Prepared) -> Settled | Rejection:
                return settle_page(corpus, page, prepared.outcome, prepared.learned, page.fetched, run)

            Corridor(writer, workers, settle, tally, listener).run(steps)
    return tally


def reprocess(config: Config, source: str, since: datetime | None, clock: Clock, listener: Listener) -> Tally:
    """Run the stages again over the stored raw pages; nothing is fetched, nothing is deleted."""
    from pipelines.store import Corpus

    tally = Tally()
    with (
        run_lock(config.database_path),
        closing(Writer(config.database_path, config, create=False)) as writer,
        Corpus.open(config.database_path, config, read_only=True) as reader,
        recorded(writer, "reprocess", tally, clock) as run,
        closing(Workers(config)) as workers,
    ):

        def settle(corpus: Corpus, page: Page, prepared: Prepared) -> Settled | Rejection:
            result = settle_again(corpus, page, prepared.outcome, prepared.learned, run)
            if isinstance(result, Rejection) and corpus.known(page.url):
                tally.contested.append(page.url)
            return result

        Corridor(writer, workers, settle, tally, listener).run(Step(page) for page in reader.raw_pages(source, since))
    return tally


@contextmanager
def recorded(writer: Writer, command: str, tally: Tally, clock: Clock) -> Iterator[int]:
    """Give the run its row, its stories at the end and, however it ends, its exit code."""
    started = clock()
    run = writer.do(lambda corpus: corpus.start_run(command, started)).result()
    exit_code = 130  # until we know better: interrupted
    try:
        yield run
        writer.do(lambda corpus: regroup_stories(corpus, run, started)).result()
        exit_code = tally.exit_code
    except CopydeskError as error:
        exit_code = error.exit_code
        raise
    finally:
        writer.do(lambda corpus: corpus.finish_run(run, clock(), exit_code, numbers(tally))).result()


def numbers(tally: Tally) -> dict[str, int]:
    """The counts as a run keeps them."""
    return {key: value for key, value in tally.as_dict().items() if isinstance(value, int)}


class Reading:
    """Steps from files: which are finished, how far the others are read, what could not be used."""

    def __init__(self, config: Config, order: Order, finished: Finished, tally: Tally, tell: Tell) -> None:
        self._rules = Rules(config.extract.max_bytes, order.url_prefix)
        self._order, self._finished, self._tally, self._tell = order, finished, tally, tell

    def steps(self) -> Iterator[Step]:
        """Give the pages of all files that are not finished, each with the mark that says how far its file is read."""
        for root in self._order.paths:
            for path in expand([root]):
                if isinstance(path, InputError):
                    self._fail(path)
                    continue
                digest = digest_of(path, self._order)
                known, done, is_whole = self._finished(str(path.resolve())) or (digest, 0, False)
                if known == digest and is_whole:
                    self._tally.skipped += 1
                elif root == self._order.passing:
                    yield from (Step(step.page) for step in self._steps_of(path, root, digest, 0))
                else:
                    yield from self._steps_of(path, root, digest, done if known == digest else 0)

    def _steps_of(self, path: Path, root: Path, digest: str, done: int) -> Iterator[Step]:
        """The pages of one file behind the `done` an earlier run has kept, then the mark of its end."""
        count, is_whole = 0, True
        for page in read_file(path, root, self._rules):
            if isinstance(page, InputError):
                is_whole = False  # read again next time, so that the trouble is told again
                self._fail(page)
                continue
            count += 1
            if count > done:
                yield Step(
                    replace(page, source=self._order.source, traits=self._order.traits), Mark(path, digest, count)
                )
        yield Step(None, Mark(path, digest, count, is_whole))

    def _fail(self, problem: InputError) -> None:
        self._tally.failed += 1
        self._tell(f"copydesk: {problem}")


def digest_of(path: Path, order: Order) -> str:
    """What must be the same for a file to count as read: its size, its time and what was asked of it."""
    seen = path.stat()
    return f"{seen.st_size}-{seen.st_mtime_ns}-{order.source}-{int(order.traits.is_topical)}-{order.url_prefix}"
