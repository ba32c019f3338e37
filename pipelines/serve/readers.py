"""A few threads, each with its own read-only corpus: a connection is one thread's, and a slow page must not hold up the others."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.config import Config

if TYPE_CHECKING:
    from pipelines.store.room import Room

T = TypeVar("T")

READERS = 4  # one person reads; a feed reader asks for several feeds at once


@dataclass(slots=True)
class Question:
    """What is asked, and where the answer goes."""

    work: Callable[[Room], Any]
    future: Future[Any]


class Readers:
    """Runs callables on a `Room`; errors of opening (`StorageError`) are raised by the constructor."""

    def __init__(self, path: Path, config: Config, count: int = READERS) -> None:
        self._questions: queue.SimpleQueue[Question | None] = queue.SimpleQueue()
        self._threads = []
        for number in range(count):
            opened: Future[None] = Future()
            thread = threading.Thread(
                target=self._run, args=(path, config, opened), name=f"copydesk-reader-{number}", daemon=True
            )
            thread.start()
            try:
                opened.result()
            except BaseException:
                self.close()
                raise
            self._threads.append(thread)

    def ask(self, work: Callable[[Room], T]) -> Future[T]:
        """Have `work` done on a snapshot of the corpus."""
        future: Future[T] = Future()
        self._questions.put(Question(work, future))
        return future

    def close(self) -> None:
        """Let what is asked be answered, then close the files."""
        for _ in self._threads:
            self._questions.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _run(self, path: Path, config: Config, opened: Future[None]) -> None:
        from pipelines.store.room import Room

        try:
            room = Room.enter(path, config)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            opened.set_exception(error)
            return
        opened.set_result(None)
        try:
            while (question := self._questions.get()) is not None:
                answer(room, question)
        finally:
            room.close()


def answer(room: Room, question: Question) -> None:
    """Do the work and keep its promise; whoever asked may have gone."""
    if not question.future.set_running_or_notify_cancel():
        return
    try:
        with room.moment():
            result = question.work(room)
    except BaseException as error:  # noqa: BLE001 - told to whoever asked
        question.future.set_exception(error)
    else:
        question.future.set_result(result)
