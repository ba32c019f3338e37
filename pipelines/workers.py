"""Worker processes for whatever strangers wrote, each of which may be lost without losing anything else.

Hostile pages hang parsers inside C code, where no exception reaches; the only cure is to end the process. So a
task is given to one process over a pipe, a thread waits for the answer, and when none comes in time (or the process
dies) the process is ended and replaced. A task whose process died is tried once more: the reason need not be its own.
concurrent.futures' own pool cannot do this: it cannot end one task, and one dead process breaks them all.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from pipelines.config import Config
from pipelines.errors import CopydeskError, one_line
from pipelines.records import Article, Page, Rejection

T = TypeVar("T")

TRIES = 2  # a worker can be killed for reasons that are not the page's: once more, then it is the page's
MEMORY_BYTES = 2 * 2**30  # address space of a worker; a page that needs more is hostile (largest real: 262 MB growth)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_SECONDS = 60.0  # a process that imports on a busy machine; only the first page waits for it
ORPHAN_SECONDS = 5.0  # beyond its time a worker ends itself: whoever should have ended it was killed
START_WORTH_S = 0.6  # tasks have waited so long together: with fewer pages another process costs more than it brings
COLLECT_EVERY = (
    20_000  # new objects between two looks for cycles; at Python's 700 they take two hundredths of a page's time
)
# what a worker for pages has imported before its first one; trafilatura, too, or each would import it for itself
STAGES = (
    "pipelines.flow", "pipelines.extract", "pipelines.clean", "pipelines.clean.memory", "pipelines.relevance", "pipelines.parcels", "trafilatura", "htmldate", "numpy.random",
)  # fmt: skip
LOST_REASONS = frozenset({"parse_timeout", "parser_killed", "parser_memory"})
NOT_STARTED = "not_started"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a worker made of a page, and the block hashes the page teaches its site."""

    outcome: Article | Rejection
    learned: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sent:
    """An article and what it teaches its site on their way here; as bytes because objects take three times as long."""

    article: bytes
    learned: frozenset[int]


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a task gave nothing: parse_timeout, parser_killed, parser_memory or parse_error."""

    reason: str
    detail: str = ""


class LostTaskError(Exception):
    """A task that hung, killed or broke its worker; `lost` says how."""

    def __init__(self, lost: Lost) -> None:
        super().__init__(lost.reason, lost.detail)
        self.lost = lost


class Workers:
    """A number of processes at most; `prepare` and `call` may be used from any thread.

    The one that works already is asked first. Another is started when tasks have waited for as long as its start takes: an
    hourly run with twenty pages needs no second one.
    """

    def __init__(
        self,
        config: Config,
        count: int | None = None,
        modules: Sequence[str] = STAGES,
        *,
        seconds: float | None = None,
        is_parent: bool = False,
    ) -> None:
        """`seconds`: what a task may take; None: what a page may. `is_parent`: tasks start workers of their own."""
        count = count or config.worker_count
        self._seconds = seconds or config.crawl.page_seconds
        self._config = config
        self._workers = [Worker(modules, is_parent=is_parent) for _ in range(count)]
        self._idle = list(self._workers)
        self._returned = threading.Condition()
        self._waited_s = 0.0  # for a process, since the last one was started
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="copydesk-worker")

    def expect(self) -> None:
        """Begin with what starting takes, half a second, beside what the caller has to do before its first task; that one tells what goes wrong."""
        self._threads.submit(self._workers[0].begin)

    def prepare(self, page: Page, template: frozenset[int] = frozenset()) -> Future[Prepared]:
        """Prepare a page in a worker process; never raises for what the page does."""
        return self._threads.submit(self._prepare, page, template)

    def call(self, function: Callable[..., T], *arguments: Any) -> Future[T]:
        """Run a function of a module in a worker process; `LostTaskError` when that gives nothing."""
        return self._threads.submit(self._call, function, *arguments)

    def close(self) -> None:
        """Finish what was asked for, then end the processes."""
        self._threads.shutdown(wait=True, cancel_futures=False)
        for worker in self._workers:
            worker.stop()

    def abandon(self) -> None:
        """End the processes with what they have in hand, and begin nothing new; `close` does not wait long after this."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.give_up()

    def _prepare(self, page: Page, template: frozenset[int]) -> Prepared:
        try:
            return received(self._call(prepare_and_send, page, self._config, template))
        except LostTaskError as error:
            return Prepared(
                Rejection(
                    url=page.url,
                    stage="extract",
                    reason=error.lost.reason,
                    detail=error.lost.detail,
                    source=page.source,
                ),
                frozenset(),
            )

    def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        worker = self._taken()
        try:
            answer = worker.ask(function, arguments, self._seconds)
            for _ in range(TRIES - 1):
                if isinstance(answer, Lost) and answer.reason in ("parser_killed", NOT_STARTED):
                    answer = worker.ask(function, arguments, self._seconds)
        finally:
            with self._returned:
                self._idle.append(worker)
                self._returned.notify()
        value: T = checked(answer)
        return value

    def _taken(self) -> Worker:
        """An idle worker that runs, or one that is worth its start."""
        with self._returned:
            while True:
                found = next((worker for worker in self._idle if worker.is_running), None)
                is_first = len(self._idle) == len(self._workers)
                if found is None and self._idle and (is_first or self._waited_s >= START_WORTH_S):
                    found, self._waited_s = self._idle[0], 0.0
                if found is not None:
                    self._idle.remove(found)
                    return found
                is_starting = any(not worker.is_running for worker in self._workers if worker not in self._idle)
                began = time.monotonic()
                self._returned.wait(START_WORTH_S - self._waited_s if self._idle else None)
                self._waited_s += 0.0 if is_starting else time.monotonic() - began  # another would not be here sooner


def checked(answer: Any) -> Any:
    """A worker's answer; raise `LostTaskError` when there is none, `CopydeskError` when there was no worker."""
    if not isinstance(answer, Lost):
        return answer
    if answer.reason == NOT_STARTED:  # no fault of the page: it must stay due
        raise CopydeskError("worker process", answer.detail, "one that starts", "is there memory left?")
    raise LostTaskError(answer)


class Worker:
    """One process and the pipe to it; started at its first task, replaced when lost."""

    def __init__(self, modules: Sequence[str] = STAGES, *, is_parent: bool = False) -> None:
        self._modules = tuple(modules)
        self._is_parent = is_parent
        self._is_over = False
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_running = False

    @property
    def is_running(self) -> bool:
        """True when it has answered that it is there."""
        return self._is_running

    def ask(self, function: Callable[..., Any], arguments: Sequence[Any], seconds: float) -> Any:
        """Return what the function returns, or a `Lost`."""
        if self._is_over:
            return Lost(NOT_STARTED, "was stopped")
        try:
            pipe = self._pipe or self._start()
        except (EOFError, OSError) as error:
            self.stop()
            return Lost(NOT_STARTED, f"did not start ({one_line(error)})")
        try:
            pipe.send((function, arguments, seconds))
            if not pipe.poll(seconds):
                self.stop()
                return Lost("parse_timeout", f"more than {seconds:g} s")
            answer = pipe.recv()
        except (EOFError, OSError):  # the process is gone
            self.stop()
            return Lost("parser_killed", "its worker process died")
        if isinstance(answer, Lost) and answer.reason == "parser_memory":
            self.stop()  # what is left of its memory is in pieces
        return answer

    def stop(self) -> None:
        """End the process, gently only in that nothing of ours is lost with it."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._pipe = self._process = None
        self._is_running = False

    def give_up(self) -> None:
        """End the process while another thread may wait for it: that thread hears that it died, and tidies up."""
        self._is_over = True
        if (process := self._process) is not None:
            process.kill()

    def begin(self) -> None:
        """Have the process running that workers are copied from."""
        # forkserver: a fresh process without our threads and open files, and the heavy imports are made once
        multiprocessing.get_context("forkserver").set_forkserver_preload(list(self._modules))
        start_forkserver()

    def _start(self) -> Connection:
        self.begin()
        context = multiprocessing.get_context("forkserver")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=serve, args=(theirs, self._modules, self._is_parent), daemon=not self._is_parent
        )
        process.start()
        theirs.close()
        self._process, self._pipe = process, ours
        if not ours.poll(START_SECONDS):
            raise TimeoutError(f"silent for {START_SECONDS:g} s")
        ours.recv()  # an end of the pipe: it died while it was being made
        if self._is_over:
            raise EOFError("was stopped")
        self._is_running = True
        return ours


def start_forkserver() -> None:
    """Start the process that workers are forked from, deaf from its first moment: a terminal sends Ctrl-C to it, too.

    It sets its handlers only after its imports, and a Ctrl-C before that would cost every page in hand.
    """
    resource_tracker.ensure_running()  # first: it would lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # inherited by the new process and its workers
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(pipe: Connection, modules: Sequence[str], is_parent: bool = False) -> None:
    """Carry out tasks until the pipe closes. Runs in the worker process."""
    for ours in SIGNALS:  # the parent decides when a page in hand is done
        signal.signal(ours, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, also inside C code
    if not is_parent:  # the pages of a parent are parsed by its own workers, each with its limit
        limit_memory()
    for name in modules:
        importlib.import_module(name)
    gc.freeze()  # what is imported stays: to look at it again would also copy it from the process we were forked from
    gc.set_threshold(COLLECT_EVERY)
    try:
        pipe.send("ready")
        while True:
            function, arguments, seconds = pipe.recv()
            signal.setitimer(signal.ITIMER_REAL, seconds + ORPHAN_SECONDS)
            answer = attempt(function, arguments)
            signal.setitimer(signal.ITIMER_REAL, 0)
            pipe.send(answer)
    except (EOFError, OSError):  # nobody asks or waits any more
        return


def attempt(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
    """What the function returns, or a `Lost` that names the fault: a page must not end the crawl."""
    try:
        return function(*arguments)
    except MemoryError:
        return Lost("parser_memory")
    except Exception as error:  # noqa: BLE001 - whatever a hostile page makes a parser raise
        return Lost("parse_error", f"{type(error).__name__}: {one_line(error)}")


def prepare_page(page: Page, config: Config, template: frozenset[int]) -> Prepared:
    """Walk a page down the corridor, and note what it teaches its site. Runs in the worker process."""
    from pipelines.clean.memory import learnable
    from pipelines.flow import prepare

    outcome = prepare(page, config, template)
    return Prepared(outcome, learnable(outcome.document) if isinstance(outcome, Article) else frozenset())


def prepare_and_send(page: Page, config: Config, template: frozenset[int]) -> Prepared | Sent:
    """`prepare_page` with an article as bytes, where it can be. Runs in the worker process."""
    from pipelines.parcels import article_bytes

    prepared = prepare_page(page, config, template)
    if isinstance(prepared.outcome, Rejection):
        return prepared
    encoded = article_bytes(prepared.outcome)
    return prepared if encoded is None else Sent(encoded, prepared.learned)


def received(sent: Prepared | Sent) -> Prepared:
    if isinstance(sent, Prepared):
        return sent
    from pipelines.parcels import article_of  # not in a run without an article

    return Prepared(article_of(sent.article), sent.learned)


def limit_memory() -> None:
    """Cap the worker's address space, where the platform can."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))
