"""What SQLite says when it cannot, as one line that tells a person what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType

from pipelines.errors import StorageError, one_line

# mistakes of the caller, not of the disk
NOT_OURS = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError)

TROUBLES = (  # (what SQLite says, what we say, what to do)
    ("locked", "another program holds it", "stop that program, or wait, then try again"),
    ("busy", "another program holds it", "stop that program, or wait, then try again"),
    ("full", "no room on the disk", "make room, then try again; what was kept is safe"),
    ("readonly", "it may not be written to", "check the permissions of the file and its folder"),
    ("unable to open", "it cannot be opened", "check the permissions of the file and its folder"),
    ("malformed", "the file is damaged", "`copydesk doctor` tells whether it can be mended"),
    ("not a database", "no SQLite file", "name another file with --db"),
    ("disk i/o", "the disk does not answer", "check the disk, then `copydesk doctor`"),
    ("utf-8", "the file is damaged (text that is no UTF-8)", "restore the last `copydesk backup`"),
    ("no such table", "a table is missing", "restore the last `copydesk backup`, or name another file with --db"),
)


def as_storage_error(path: Path | str, error: Exception) -> StorageError:
    """What SQLite says, in one line with what to do."""
    said = one_line(error)
    for word, saw, hint in TROUBLES:
        if word in said.lower():
            return StorageError(str(path), saw, "", hint)
    return StorageError(str(path), said, "", "see `copydesk doctor`")


class Telling:
    """SQLite's trouble as a `StorageError`; a caller's mistake stays what it is.

    A class, because every statement of every article goes through it: a generator takes five times as long.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, NOT_OURS):
            raise as_storage_error(self._path, error) from error
