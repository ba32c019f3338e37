"""What the reading room asks of a corpus: pages of few rows, quick however large the file is.

Why it is apart from the commands' questions: a command may take a second, a page may not. So every question here is bounded: it
follows an index from a place (a cursor) for a limited number of rows, and says where it stopped. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.config import Config
from pipelines.store import Corpus
from pipelines.store.room.counts import Counts
from pipelines.store.room.days import Days
from pipelines.store.room.finding import Finding
from pipelines.store.room.health import Health
from pipelines.store.room.pieces import Pieces

__all__ = ["Room"]


class Room(Corpus, Counts, Days, Finding, Health, Pieces):
    """A corpus opened for a reader. One thread, one `Room`."""

    @classmethod
    def enter(cls, path: Path, config: Config) -> Room:
        """Open the file for reading; raise `StorageError` as `Corpus.open` does."""
        corpus = cls.open(path, config, read_only=True)
        if not isinstance(corpus, Room):  # pragma: no cover - `open` makes what it is called on
            raise TypeError(corpus)
        return corpus

    @contextmanager
    def moment(self) -> Iterator[None]:
        """All questions of the block see the corpus as it is at the first of them, however a crawl writes meanwhile."""
        self._run("BEGIN")
        try:
            yield
        finally:
            self._run("COMMIT")
