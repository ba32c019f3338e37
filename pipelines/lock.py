"""One writing run at a time.

A lock file beside the corpus, held by the operating system's flock: a killed run lets go at once, and no pid is
ever compared. filelock is imported here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipelines.errors import LockedError, StorageError


def lock_path(database: Path) -> Path:
    return Path(f"{database}.lock")


@contextmanager
def run_lock(database: Path) -> Iterator[None]:
    """Hold `<database>.lock` for the length of the block; raise `LockedError` when another run has it."""
    path = lock_path(database)
    holder = Path(f"{database}.pid")
    lock = FileLock(path, timeout=0)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except (Timeout, NotImplementedError) as trouble:
        if not path.exists():  # /proc and the like: filelock tries for ever, or says that locks are not made there
            raise StorageError(
                str(path), "a folder that takes no files", "a folder we may write to", "choose another --db"
            ) from trouble
        pid = holder.read_text("utf-8").strip() if holder.exists() else "unknown"
        raise LockedError(
            str(database), f"another run is at work (process {pid})", "", "wait for it, or stop it, then start again"
        ) from None
    except OSError as error:
        is_file = isinstance(error, FileExistsError | NotADirectoryError)
        saw = "its folder is a file" if is_file else error.strerror or str(error)
        raise StorageError(str(path), saw, "a folder we may write to", "choose another --db") from error
    try:
        holder.write_text(f"{os.getpid()}\n", "utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def is_held(database: Path) -> bool:
    """True while a run is at work."""
    if not lock_path(database).exists():
        return False
    lock = FileLock(lock_path(database), timeout=0)
    try:
        lock.acquire()
    except (OSError, NotImplementedError):  # Timeout is an OSError: held; or we may not even look
        return True
    lock.release()
    return False
