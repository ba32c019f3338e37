"""The open file: what may be opened, one kind of transaction, and errors of SQLite as one line.

Why it stands alone: a damaged, foreign, newer or empty file must never be written to, and every write must begin with
BEGIN IMMEDIATE (a deferred transaction that upgrades fails at once when another program holds the lock, whatever the
busy timeout says). WAL with synchronous=FULL: with NORMAL a power loss takes acknowledged commits.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from pipelines.config import Config
from pipelines.errors import CopydeskError, StorageError
from pipelines.store.trouble import Telling, as_storage_error

APPLICATION_ID = 0x636F7079  # "copy": tells our file from any other SQLite file
SCHEMA_VERSION = 10  # how many steps migrations.py has; kept in user_version, so that opening reads one page
BUSY_SECONDS = 30.0  # another writer's transaction is seconds at most; thirty means that it hangs (a merge takes longer, behind the run lock)
# of the file in memory: a fourth, within bounds. Among 100,000 articles 64 MB gain nothing and 16 make adding four times as slow; a small
# file gains nothing from more than 8, and the other processes of a crawl need the room
CACHE_SHARE = 4
CACHE_KIB = (8_192, 32_768)
# of the log before it is written back, 16 MB: at SQLite's own 1,000 the same pages go back four times as often
LOG_PAGES = 4_000
FETCH_ROWS = 200  # read in one step when many rows are streamed
HEADER_BYTES = 100
MEMORY = ":memory:"
MAGIC = b"SQLite format 3\x00"

Values = Sequence[Any]
Row = dict[str, Any]


class Connection:
    """One connection to a corpus file, used by one thread."""

    def __init__(self, path: Path | str, config: Config, connection: sqlite3.Connection, *, read_only: bool) -> None:
        self.path = path
        self.config = config
        self.is_read_only = read_only
        self._connection = connection
        self._depth = 0
        self._telling = Telling(path)
        self._kept: dict[str, set[int]] = {}  # keys this connection knows a table to have: not offered again
        self._most_hashes: dict[str, int] = {}  # of a site's block memory, at most: counting them takes a millisecond

    def close(self) -> None:
        """Let go of the file; what was not committed is undone."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes of the block or none; inside another one, a savepoint."""
        depth = self._depth
        if depth == 0 and self.is_read_only:
            raise StorageError(str(self.path), "opened for reading only", "a corpus opened for writing")
        if depth and not self._connection.in_transaction:  # a savepoint would begin, and commit, one of its own
            raise StorageError(str(self.path), "the disk failed earlier in this transaction, so nothing of it was kept")
        if depth == 0:
            with self._told():
                fit_cache(self._connection)
        self._run(f"SAVEPOINT s{depth}" if depth else "BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._undo(depth)
            raise
        else:
            try:
                self._run(f"RELEASE s{depth}" if depth else "COMMIT")
            except BaseException:
                self._undo(depth)
                raise
        finally:
            self._depth -= 1

    def _undo(self, depth: int) -> None:
        self._kept.clear()
        self._most_hashes.clear()
        if not self._connection.in_transaction:
            return  # a full disk or an I/O error has rolled everything back already
        with suppress(sqlite3.OperationalError):  # "no such savepoint": the same, then work was begun anew
            self._connection.execute(f"ROLLBACK TO s{depth}" if depth else "ROLLBACK")
            if depth:
                self._connection.execute(f"RELEASE s{depth}")

    def _run(self, sql: str, values: Values = ()) -> int:
        """Carry out a statement; return how many rows it changed."""
        with self._told():
            return self._connection.execute(sql, values).rowcount

    def _run_many(self, sql: str, rows: Iterable[Values]) -> int:
        with self._told():
            return self._connection.executemany(sql, rows).rowcount

    def _insert(self, sql: str, values: Values) -> int:
        """Carry out an INSERT; return the new row's id."""
        with self._told():
            return self._connection.execute(sql, values).lastrowid or 0

    def _rows(self, sql: str, values: Values = ()) -> list[Row]:
        with self._told():
            cursor = self._bare(sql, values)
            names = named(cursor)
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _column(self, sql: str, values: Values = ()) -> list[Any]:
        """The first column of every row."""
        with self._told():
            return [value for value, *_ in self._bare(sql, values).fetchall()]

    def _row(self, sql: str, values: Values = ()) -> Row | None:
        with self._told():
            cursor = self._bare(sql, values)
            row = cursor.fetchone()
            return None if row is None else dict(zip(named(cursor), row, strict=True))

    def _value(self, sql: str, values: Values = ()) -> Any:
        """The first column of the first row, or None."""
        row = self._row(sql, values)
        return next(iter(row.values())) if row else None

    def _stream(self, sql: str, values: Values = ()) -> Iterator[Row]:
        """Rows one after another, for answers too large to hold."""
        with self._told():
            cursor = self._bare(sql, values)
            names = named(cursor)
        while True:
            with self._told():
                rows = cursor.fetchmany(FETCH_ROWS)
            if not rows:
                return
            for row in rows:
                yield dict(zip(names, row, strict=True))

    def _bare(self, sql: str, values: Values) -> sqlite3.Cursor:
        """Carry out a question whose rows come as tuples: making a dict of each by a call of ours takes four times as long."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, values)

    def _told(self) -> Telling:
        return self._telling


def named(cursor: sqlite3.Cursor) -> list[str]:
    return [column[0] for column in cursor.description or ()]


def as_row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, values, strict=True)}


def connect(path: Path | str, *, read_only: bool) -> sqlite3.Connection:
    """Connect without looking at anything; a missing file is not made.

    SQLite cannot read a WAL file where it may not make the log. Without a log nobody is writing, so it is read as it stands.
    """
    if str(path) == MEMORY:
        connection = sqlite3.connect(MEMORY, isolation_level=None)
    else:
        connection = sqlite3.connect(
            address_of(path, read_only=read_only), uri=True, isolation_level=None, timeout=BUSY_SECONDS
        )
    connection.row_factory = as_row
    return connection


def address_of(path: Path | str, *, read_only: bool) -> str:
    """The file as SQLite is told of it; a missing one is not made."""
    mode = "ro" if read_only else "rw"
    is_still = read_only and not os.access(Path(path).resolve().parent, os.W_OK) and not Path(f"{path}-wal").exists()
    return f"{Path(path).resolve().as_uri()}?mode={mode}{'&immutable=1' if is_still else ''}"


def prepare(connection: sqlite3.Connection, path: Path | str, *, read_only: bool) -> None:
    """Settle how this connection works; refuse a file of a newer program, and to write without a WAL."""
    connection.execute("PRAGMA foreign_keys = ON")
    fit_cache(connection)
    version = pragma(connection, "user_version")
    refuse_newer(path, version)
    if read_only and version < SCHEMA_VERSION:
        raise StorageError(str(path), "made by an older version", "", "bring it up to date with `copydesk migrate`")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # a damaged schema shows here, not half-way
    if read_only:
        connection.execute("PRAGMA query_only = ON")
        return
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
    if str(path) != MEMORY and connection.execute("PRAGMA journal_mode = WAL").fetchone()["journal_mode"] != "wal":
        raise StorageError(str(path), "no write-ahead log is possible here", "a local disk")


def fit_cache(connection: sqlite3.Connection) -> None:
    """Keep as much of the file in memory as its size asks for; it grows."""
    size_kib = pragma(connection, "page_count") * pragma(connection, "page_size") // 1024
    least, most = CACHE_KIB
    connection.execute(f"PRAGMA cache_size = -{min(max(size_kib // CACHE_SHARE, least), most)}")


def pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(next(iter(connection.execute(f"PRAGMA {name}").fetchone().values())))


def open_checked(path: Path | str, *, read_only: bool) -> sqlite3.Connection:
    """Open a file that is there, after a look at its first bytes; raise `StorageError` and touch nothing otherwise."""
    if str(path) != MEMORY:
        check_header(Path(path))
    try:
        connection = connect(path, read_only=read_only)
    except sqlite3.Error as error:
        raise as_storage_error(path, error) from error
    try:
        prepare(connection, path, read_only=read_only)
    except sqlite3.Error as error:
        connection.close()
        raise as_storage_error(path, error) from error
    except CopydeskError:
        connection.close()
        raise
    return connection


def check_header(path: Path) -> None:
    """Refuse by the first hundred bytes what is no corpus, so that SQLite never gets to write beside it."""
    header, size = read_header(path)
    if not header:
        raise StorageError(
            str(path), "an empty file", "a corpus", "delete it to start anew, or restore the last `copydesk backup`"
        )
    if not header.startswith(MAGIC):
        raise StorageError(str(path), "no SQLite file", "a corpus", "name another file with --db")
    if len(header) < HEADER_BYTES or is_cut_short(path, header, size):
        raise StorageError(str(path), "the file is cut short", "a whole corpus", "restore the last `copydesk backup`")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StorageError(str(path), "a database of another program", "a corpus", "name another file with --db")
    refuse_newer(path, int.from_bytes(header[60:64], "big"))


def read_header(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            return file.read(HEADER_BYTES), path.stat().st_size
    except FileNotFoundError:
        raise StorageError(
            str(path),
            "no corpus here",
            "",
            "make one with `copydesk demo` or `copydesk crawl`, or name yours with --db",
        ) from None
    except IsADirectoryError:
        raise StorageError(str(path), "a folder", "a corpus file", "name a file with --db") from None
    except OSError as error:
        saw = error.strerror or str(error)
        raise StorageError(
            str(path), saw.lower(), "a file we may read", "check the permissions of the file and its folder"
        ) from error


def is_cut_short(path: Path, header: bytes, size: int) -> bool:
    """True when pages are missing at the end; while a log waits to be written back, the sizes may differ."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size:
        return False
    page_size = int.from_bytes(header[16:18], "big")
    return size < (65536 if page_size == 1 else page_size) * int.from_bytes(header[28:32], "big")


def refuse_newer(path: Path | str, version: int) -> None:
    if version > SCHEMA_VERSION:
        raise StorageError(
            str(path),
            f"made by a newer version (schema {version})",
            f"schema {SCHEMA_VERSION} or older",
            "update copydesk; nothing was changed",
        )


def create(path: Path) -> None:
    """Make a new corpus whole, then give it its name: a killed start leaves no half file. An existing one stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            fresh = Path(folder) / "corpus.db"
            with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # pruned raw pages give their room back
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute("PRAGMA journal_mode = WAL")
                apply_migrations(connection)
            give_name(fresh, path)
    except sqlite3.Error as error:
        raise as_storage_error(path, error) from error
    except OSError as error:
        saw = (error.strerror or str(error)).lower()
        raise StorageError(
            str(path), f"cannot be made ({saw})", "a folder we may write to", "choose another file with --db"
        ) from error


def give_name(fresh: Path, path: Path) -> None:
    """Put a finished file at its place, unless another program was quicker: then its file counts."""
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            fresh.rename(path)


def apply_migrations(connection: sqlite3.Connection) -> list[str]:
    """Bring the schema up to date, each step whole or not at all; return the steps' names."""
    from sqlite_utils import Database

    from pipelines.store.migrations import migrations

    factory, connection.row_factory = connection.row_factory, None
    database = Database(connection)
    names = [step.name for step in migrations.pending(database)]
    try:
        migrations.apply(database)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    finally:
        connection.row_factory = factory
    return names


def pending(path: Path) -> list[str]:
    """The steps a file lacks; nothing is written."""
    from sqlite_utils import Database

    from pipelines.store.migrations import migrations

    check_header(path)
    with closing(connect(path, read_only=True)) as connection:
        connection.row_factory = None
        try:
            return [step.name for step in migrations.pending(Database(connection))]
        except sqlite3.Error as error:
            raise as_storage_error(path, error) from error


def copy_whole(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the database to a file through SQLite's backup: consistent while others write; whole or not at all."""
    half = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with closing(sqlite3.connect(half)) as copy:
            connection.backup(copy)
            if (
                copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok"
            ):  # a copy of damage must replace no sound one
                raise StorageError(
                    str(target), "not written: the corpus itself is damaged", "", "see `copydesk doctor`"
                )
        with half.open("rb+") as file:
            os.fsync(file.fileno())
        half.replace(target)
    except sqlite3.Error as error:
        raise as_storage_error(target, error) from error
    except OSError as error:
        raise StorageError(str(target), (error.strerror or str(error)).lower(), "a folder we may write to") from error
    finally:
        half.unlink(missing_ok=True)
        for ending in ("-wal", "-shm", "-journal"):
            half.with_name(half.name + ending).unlink(missing_ok=True)
