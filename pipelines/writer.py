"""The one writer: a thread that owns the open corpus and takes work from everybody else.

Why a thread: SQLite has one writer, fsync is slow, and the event loop must not wait for it. Works that arrive
together share one transaction (a savepoint each), and whoever asked hears of success only after the commit, so
"kept" always means "on disk".
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.config import Config

if TYPE_CHECKING:
    from pipelines.store import Corpus

T = TypeVar("T")

MAX_BATCH = 100  # works in one transaction: at 100 a commit costs 0.01 ms an article, and under a second is at risk
GATHER_SECONDS = 0.05  # how long a batch waits for one more
MAX_BATCH_SECONDS = 0.5  # how long it is open at most: works that trickle in must not keep the first one waiting


@dataclass(slots=True)
class Job:
    """One piece of work and the promise made to whoever asked for it."""

    work: Callable[[Corpus], Any]
    future: Future[Any]
    is_writing: bool


class Writer:
    """Runs callables on the corpus, one after another, in one thread.

    Opening errors (`StorageError`) are raised by the constructor. A work that raises loses only its own
    savepoint; a commit that fails is told to every work of its batch.
    """

    def __init__(self, path: Path, config: Config, *, create: bool = True) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(path, config, create, opened), name="copydesk-writer", daemon=True
        )
        self._thread.start()
        opened.result()

    def do(self, work: Callable[[Corpus], T]) -> Future[T]:
        """Run `work` in a transaction; the future resolves after the commit."""
        return self._add(work, is_writing=True)

    def ask(self, work: Callable[[Corpus], T]) -> Future[T]:
        """Run a reading `work`; the future resolves at once, and sees what earlier works wrote."""
        return self._add(work, is_writing=False)

    def close(self) -> None:
        """Finish what was asked for, then close the corpus."""
        self._jobs.put(None)
        self._thread.join()

    def _add(self, work: Callable[[Corpus], T], *, is_writing: bool) -> Future[T]:
        future: Future[T] = Future()
        if not self._thread.is_alive():
            msg = "the writer is closed"
            raise RuntimeError(msg)
        # from here on it cannot be cancelled: a stopped crawl cancels who waits, and the work must be done all the same
        future.set_running_or_notify_cancel()
        self._jobs.put(Job(work, future, is_writing))
        return future

    def _run(self, path: Path, config: Config, create: bool, opened: Future[None]) -> None:
        try:
            # in here: a failed import must be told, or the constructor waits for ever
            from pipelines.store import Corpus

            corpus = Corpus.open(path, config, create=create)
        except BaseException as error:  # noqa: BLE001 - told to whoever asked for the writer
            opened.set_exception(error)
            return
        opened.set_result(None)
        with corpus:
            is_open = True
            while is_open:
                is_open = self._batch(corpus, self._jobs.get())

    def _batch(self, corpus: Corpus, first: Job | None) -> bool:
        """Run works until the queue is quiet, commit once, keep the promises; False at the end of all work."""
        job: Job | None = first
        if job is not None and not job.is_writing:
            attempt(job, corpus)
            return True
        done: list[tuple[Job, Any]] = []
        end = time.monotonic() + MAX_BATCH_SECONDS
        try:
            with corpus.transaction():
                while job is not None:
                    if job.is_writing:
                        self._in_savepoint(corpus, job, done)
                    else:
                        attempt(job, corpus)
                    if len(done) >= MAX_BATCH or time.monotonic() > end:
                        break
                    try:
                        job = self._jobs.get(timeout=GATHER_SECONDS)
                    except queue.Empty:
                        break
        except Exception as error:  # noqa: BLE001 - a failed commit is told to every work of the batch
            for promised, _ in done:
                promised.future.set_exception(error)
            if job is not None and not job.future.done():
                job.future.set_exception(error)
        else:
            for promised, result in done:
                promised.future.set_result(result)
        return job is not None

    @staticmethod
    def _in_savepoint(corpus: Corpus, job: Job, done: list[tuple[Job, Any]]) -> None:
        try:
            with corpus.transaction():
                result = job.work(corpus)
        except Exception as error:  # noqa: BLE001 - told to whoever asked; the others of the batch go on
            job.future.set_exception(error)
        else:
            done.append((job, result))


def attempt(job: Job, corpus: Corpus) -> None:
    """Run a reading work and keep its promise."""
    try:
        job.future.set_result(job.work(corpus))
    except Exception as error:  # noqa: BLE001 - told to whoever asked
        job.future.set_exception(error)
