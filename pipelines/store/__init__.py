"""The corpus: one SQLite file, and everything that reads or writes it.

`Corpus` is the whole interface, put together from one class a subject. A dict a method returns has the columns of its
table as keys and times as ISO 8601 text; records (`Candidate`, `Due`, `Page`, …) hold times as aware datetimes. Every
writing method is a transaction of its own, and a savepoint inside `transaction()`. sqlite3 and sqlite-utils are
imported in this package and nowhere else.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.config import Config
from pipelines.store import connection as file
from pipelines.store.articles import Articles, Known
from pipelines.store.checks import Checks, Problem
from pipelines.store.copies import Copies
from pipelines.store.evidence import Evidence
from pipelines.store.fetches import Fetches
from pipelines.store.filters import Filter
from pipelines.store.frontier import Frontier
from pipelines.store.hosts import Hosts
from pipelines.store.indexes import Indexes
from pipelines.store.memory import Memory
from pipelines.store.merging import Merging
from pipelines.store.news import News
from pipelines.store.pages import RawPages
from pipelines.store.rebuild import Rebuild
from pipelines.store.runs import Runs
from pipelines.store.search import Search
from pipelines.store.stats import Stats
from pipelines.store.stories import Stories
from pipelines.store.watches import Watches

__all__ = ["Corpus", "Filter", "Known", "Problem"]

DEFAULTS = Config()


class Corpus(
    Merging,
    Articles,
    Checks,
    Rebuild,
    Fetches,
    Frontier,
    Hosts,
    Indexes,
    Memory,
    News,
    RawPages,
    Runs,
    Watches,
    Search,
    Copies,
    Evidence,
    Stats,
    Stories,
):
    """An open corpus file. One thread, one `Corpus`; many may read while one writes."""

    applied: tuple[str, ...] = ()  # migrations carried out when this corpus was opened

    @classmethod
    def open(
        cls, path: Path | str, config: Config = DEFAULTS, *, create: bool = False, read_only: bool = False
    ) -> Corpus:
        """Open the file; raise `StorageError` (and write nothing) when it is missing, foreign, newer, damaged or locked.

        `create`: make a missing file, and its folder. An older file is brought up to date, after a copy of it.
        ":memory:" is a corpus that is gone when closed.
        """
        is_memory = str(path) == file.MEMORY
        if not is_memory:
            path = Path(path)
            if create and not read_only and not path.exists():
                file.create(path)
        connection = file.open_checked(path, read_only=read_only and not is_memory)
        corpus = cls(path, config, connection, read_only=read_only and not is_memory)
        try:
            if not corpus.is_read_only:
                corpus._bring_up_to_date()
        except BaseException:
            corpus.close()
            raise
        return corpus

    def _bring_up_to_date(self) -> None:
        with self._told():
            version = file.pragma(self._connection, "user_version")
            if version >= file.SCHEMA_VERSION:
                return
            if isinstance(self.path, Path):
                file.copy_whole(self._connection, self.path.with_name(f"{self.path.name}.schema{version}.bak"))
            self.applied = tuple(file.apply_migrations(self._connection))

    def migrate(self) -> list[str]:
        """The steps this file lacked when it was opened; opening for writing has carried them out."""
        return list(self.applied)

    @staticmethod
    def pending_migrations(path: Path | str) -> list[str]:
        """The steps a file lacks; nothing is written."""
        return file.pending(Path(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
