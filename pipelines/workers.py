"""Worker processes that prepare pages, each of which may be lost without losing anything else.

Hostile pages hang parsers inside C code, where no exception reaches; the only cure is to end the process. So a
page is given to one process over a pipe, a thread waits for the answer, and when none comes in time (or the process
dies) the process is ended and replaced, the page is tried once more, and then stored as a rejection.
concurrent.futures' own pool cannot do this: it cannot end one task, and one dead process breaks them all.
"""

from __future__ import annotations

import multiprocessing
import queue
import signal
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from pipelines.config import Config
from pipelines.records import Article, Page, Rejection

TRIES = 2  # a worker can be killed for reasons that are not the page's: once more, then it is the page's
MEMORY_BYTES = 2 * 2**30  # address space of a worker; a page that needs more is hostile (largest real: 262 MB growth)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
START_SECONDS = 60.0  # a process that imports on a busy machine; only the first page waits for it


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a worker made of a page, and the block hashes the page teaches its site."""

    outcome: Article | Rejection
    learned: frozenset[int]


class Workers:
    """A fixed number of processes; `prepare` may be called from any thread."""

    def __init__(self, config: Config, count: int | None = None) -> None:
        count = count or config.worker_count
        self._seconds = config.crawl.page_seconds
        self._config = config
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        self._workers = [Worker(config) for _ in range(count)]
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="copydesk-worker")

    def prepare(self, page: Page, template: frozenset[int] = frozenset()) -> Future[Prepared]:
        """Prepare a page in a worker process; never raises for what the page does."""
        return self._threads.submit(self._prepare, page, template)

    def close(self) -> None:
        """Finish what was asked for, then end the processes."""
        self._threads.shutdown(wait=True, cancel_futures=False)
        for worker in self._workers:
            worker.stop()

    def _prepare(self, page: Page, template: frozenset[int]) -> Prepared:
        worker = self._idle.get()
        try:
            trouble = ""
            for _ in range(TRIES):
                answer = worker.ask(page, template, self._seconds)
                if isinstance(answer, Prepared):
                    return answer
                trouble = answer
            return Prepared(
                Rejection(
                    url=page.url, stage="extract", reason=trouble, detail=f"tried {TRIES} times", source=page.source
                ),
                frozenset(),
            )
        finally:
            self._idle.put(worker)


class Worker:
    """One process and the pipe to it; started at its first page, replaced when lost."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def ask(self, page: Page, template: frozenset[int], seconds: float) -> Prepared | str:
        """Return what became of the page, or one word: `parse_timeout`, `parser_killed`."""
        pipe = self._pipe or self._start()
        try:
            pipe.send((page, template))
            if not pipe.poll(seconds):
                self.stop()
                return "parse_timeout"
            answer = pipe.recv()
        except (EOFError, OSError):  # the process is gone
            self.stop()
            return "parser_killed"
        if isinstance(answer, Prepared):
            return answer
        return str(answer)

    def stop(self) -> None:
        """End the process, gently only in that nothing of ours is lost with it."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._pipe = self._process = None

    def _start(self) -> Connection:
        # forkserver: a fresh process without our threads and open files, and the heavy imports are made once
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["pipelines.flow"])
        ours, theirs = context.Pipe()
        start_forkserver()
        process = context.Process(target=serve, args=(theirs, self._config), daemon=True)
        process.start()
        theirs.close()
        if not ours.poll(START_SECONDS) or ours.recv() != "ready":
            msg = "a worker process did not start"
            raise RuntimeError(msg)
        self._process, self._pipe = process, ours
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


def serve(pipe: Connection, config: Config) -> None:
    """Answer pages until the pipe closes. Runs in the worker process."""
    for ours in SIGNALS:  # the parent decides when a page in hand is done
        signal.signal(ours, signal.SIG_IGN)
    limit_memory()
    from pipelines.clean.memory import learnable
    from pipelines.flow import prepare

    pipe.send("ready")
    while True:
        try:
            page, template = pipe.recv()
        except EOFError:
            return
        try:
            outcome = prepare(page, config, template)
            learned = learnable(outcome.document) if isinstance(outcome, Article) else frozenset()
            answer: Prepared | str = Prepared(outcome, learned)
        except MemoryError:
            answer = "parser_memory"
        except Exception as error:  # noqa: BLE001 - a page must not end the crawl: it becomes a rejection that names the fault
            answer = Prepared(
                Rejection(
                    url=page.url,
                    stage="extract",
                    reason="parse_error",
                    detail=f"{type(error).__name__}: {error}"[:300],
                    source=page.source,
                ),
                frozenset(),
            )
        try:
            pipe.send(answer)
        except OSError:  # nobody waits any more: the run was killed
            return


def limit_memory() -> None:
    """Cap the worker's address space, where the platform can."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    ceiling = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))
