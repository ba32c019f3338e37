"""Where an export goes: files that get their name when they are whole, and names no title can spoil.

Until a file is whole, the one of yesterday stays. A pipe or a device is written to, never replaced.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.errors import ConfigError, StorageError

Row = Mapping[str, Any]

MAX_SLUG_CHARS = 60
NAME_LIMIT = 40  # of a file's name that a half file's name repeats
STDOUT = "-"
_HALF = re.compile(r"\.(.+)\.[a-z0-9_]{8}")  # what tempfile makes of a prefix
_GIVEN = re.compile(r"\d+-|articles-\d{5}|README\.md$|\.copydesk-export$")


def is_folder(out: Path) -> bool:
    """True for a folder that is there, and for a new name without an ending."""
    return str(out) != STDOUT and (out.is_dir() or (not out.exists() and not out.suffix))


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(str(folder), (error.strerror or str(error)).lower(), "a folder we may write to") from error


def file_name(row: Row, ending: str) -> str:
    """A name that is short, plain ASCII, inside the folder and the article's own, whatever its title."""
    slug = ascii_slug(str(row.get("title") or "")) or "article"
    return f"{int(row['id'])}-{slug}{ending}"


def ascii_slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:MAX_SLUG_CHARS].strip("-")


def size_of(path: Path) -> int:
    """How many bytes a file has; 0 when it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise StorageError(str(path), (error.strerror or str(error)).lower(), "a file we may read") from error


def sweep(out: Path) -> None:
    """Remove the half files of exports that were killed; call it while no other writes to the place."""
    for folder in (out, out / "data") if out.is_dir() else (out.parent,):
        for path in folder.iterdir() if folder.is_dir() else ():
            half = _HALF.fullmatch(path.name)
            if half and (_GIVEN.match(half[1]) if out.is_dir() else half[1] == out.name[:NAME_LIMIT]):
                path.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path, *, is_longer: bool = False, is_synced: bool = True) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends well; "-" is stdout.

    `is_longer`: what the file holds now comes first; what is written goes behind it. `is_synced`: on the disk before it
    has its name, which costs milliseconds.
    """
    if str(path) == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.is_dir():
        raise ConfigError(str(path), "a folder", "a file")
    if not path.resolve().parent.is_dir():
        raise ConfigError(str(path), "its folder does not exist", "a file in a folder that does")
    half = None
    try:
        if path.exists() and not path.is_file():  # a pipe or a device is written to, never replaced
            with path.open("wb") as file:
                yield file
            return
        with tempfile.NamedTemporaryFile(
            dir=path.resolve().parent, prefix=f".{path.name[:NAME_LIMIT]}.", delete=False
        ) as file:
            half = Path(file.name)
            if is_longer and path.exists():
                with path.open("rb") as before:
                    shutil.copyfileobj(before, file)
            yield file.file  # type: ignore[misc]
            file.flush()
            if is_synced:
                os.fsync(file.fileno())
        half.chmod(usual_mode())
        half.replace(path)
    except OSError as error:
        raise StorageError(str(path), (error.strerror or str(error)).lower(), "a file we may write") from error
    finally:
        if half is not None:
            half.unlink(missing_ok=True)


def usual_mode() -> int:
    """Temporary files are private; the finished one is like any other of this user."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
