"""What a destination has got already, so that `--since last` gives what is new or changed and nothing twice.

Kept beside what it tells of, in a file of lines: who deletes an export, or moves it to another machine, deletes or moves
its memory with it, and the corpus is only read. A line says of an article that it is in a file up to a size; it counts
only while the file has that size, so an export that was killed goes on where it stopped, and what is lost comes again.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.errors import ConfigError, StorageError
from pipelines.export.files import size_of, whole_file

Row = Mapping[str, Any]

ENDING = ".copydesk-export"  # of the file of lines
HEAD = "copydesk export 1 "  # then the form
TOLD = (
    "title",
    "byline",
    "publisher",
    "published",
    "language",
    "text_hash",
    "source",
    "final_url",
)  # a change in these counts
DIGEST_BYTES = 8
KEY_CHARS = 2 * DIGEST_BYTES


class Receipt(NamedTuple):
    """In which words an article is in which file, when that had so many bytes."""

    version: str
    size: int
    name: str


@dataclass(slots=True)
class Seen:
    """What was there to choose from, delivered earlier or not: for the dataset's card."""

    articles: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    publishers: set[str] = field(default_factory=set)
    earliest: str = ""
    latest: str = ""

    def add(self, row: Row) -> None:
        told = str(row.get("published") or row.get("fetched") or "")
        self.articles += 1
        self.languages[str(row.get("language") or "")] += 1
        self.publishers.add(str(row.get("publisher") or ""))
        self.earliest = min(filter(None, (self.earliest, told)), default="")
        self.latest = max(self.latest, told)


class Delivered:
    """The receipts of one destination, a file or a folder."""

    def __init__(self, out: Path, form: str) -> None:
        self.seen = Seen()
        self._is_folder = out.is_dir()
        self._folder = out if self._is_folder else out.parent
        self._path = memory_of(out)
        self._form = form
        self._receipts = self._read()

    def news(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Those of the articles that are not there yet, or in other words."""
        for row in rows:
            self.seen.add(row)
            receipt = self._receipts.get(key_of(row))
            if receipt is None or receipt.version != version_of(row):
                yield row

    @property
    def names(self) -> set[str]:
        """The files that hold what was delivered."""
        return {receipt.name for receipt in self._receipts.values()}

    def note(self, entries: Iterable[tuple[str, Receipt]]) -> None:
        """Keep that articles are in files once these have their sizes: call it before a file takes its name."""
        found = list(entries)
        self._receipts.update(found)
        lines = [line_of(*entry) for entry in found]
        try:
            is_new = not self._path.exists()
            with self._path.open("a", encoding="utf-8") as file:
                file.write((HEAD + self._form + "\n" if is_new else "") + "".join(lines))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StorageError(
                str(self._path), (error.strerror or str(error)).lower(), "a file we may write"
            ) from error

    def forget(self) -> None:
        """Begin anew: what is there is to be replaced."""
        self._receipts.clear()
        self._path.unlink(missing_ok=True)

    def _read(self) -> dict[str, Receipt]:
        """The receipts that still hold; the others are taken out of the file, or they could come true again."""
        if not self._path.exists():
            return {}
        head, *lines = self._path.read_text("utf-8", "replace").splitlines() or [""]
        if head != HEAD + self._form:
            made = head.removeprefix(HEAD)[:20] if head.startswith(HEAD) else "something else"
            raise ConfigError(
                str(self._path.parent if self._is_folder else self._path),
                f"an export as {made} goes there",
                f"--format {made}, or another place",
            )
        found = dict(filter(None, map(parsed, lines)))
        sizes: dict[str, int] = {}
        for receipt in found.values():
            if receipt.name not in sizes:
                sizes[receipt.name] = size_of(self._folder / receipt.name)
        holding = {key: receipt for key, receipt in found.items() if 0 < receipt.size <= sizes[receipt.name]}
        if len(holding) < len(lines):
            with whole_file(self._path) as file:
                file.write("".join([head + "\n", *(line_of(*item) for item in holding.items())]).encode())
        return holding


def memory_of(out: Path) -> Path:
    """Where the receipts of a file or folder are."""
    return out / ENDING if out.is_dir() else out.with_name(f".{out.name}{ENDING}")


def key_of(row: Row) -> str:
    """An article's key: its address, because numbers begin anew in another corpus."""
    return digest(str(row.get("url") or row["id"]))


def version_of(row: Row) -> str:
    return digest("\0".join(str(row.get(name) or "") for name in TOLD))


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=DIGEST_BYTES).hexdigest()


def line_of(key: str, receipt: Receipt) -> str:
    return f"{key} {receipt.version} {receipt.size} {receipt.name}\n"


def parsed(line: str) -> tuple[str, Receipt] | None:
    """A line's receipt; None for one that was cut off."""
    parts = line.split(" ", 3)
    if len(parts) < 4 or len(parts[0]) != KEY_CHARS or not parts[2].isdigit():
        return None
    return parts[0], Receipt(parts[1], int(parts[2]), parts[3])
