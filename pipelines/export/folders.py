"""One file an article, text or Markdown: for Obsidian, static sites, and whoever likes files.

A folder of fifty thousand is listed once, not once an article, and nothing is synced to the disk file by file: a file
that a power loss emptied is shorter than its receipt says, so it comes again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipelines.export.delivered import Delivered, Receipt, key_of, version_of
from pipelines.export.files import file_name, make_folder, whole_file
from pipelines.export.lines import Shape, as_markdown, as_text

Row = Mapping[str, Any]

NOTED_TOGETHER = 200  # articles; an export that is killed writes so many again


def write_folder(
    rows: Iterable[Row], folder: Path, form: str, shape: Shape | None = None, *, is_since_last: bool = False
) -> int:
    """One file an article, `<id>-<slug>.txt` or `.md`, each whole or not at all; return how many were written."""
    usual, ending = (as_markdown, ".md") if form == "markdown" else (as_text, ".txt")
    make_folder(folder)
    former = files_by_article(folder, ending)
    delivered = Delivered(folder, form) if is_since_last else None
    entries: list[tuple[str, Receipt]] = []
    count = 0
    for row in delivered.news(rows) if delivered else rows:
        count += 1
        name = file_name(row, ending)
        data = (shape or usual)(row).encode("utf-8", "replace")
        for old in former.pop(int(row["id"]), []):
            if old != name:
                (folder / old).unlink()  # the article has another title now
        with whole_file(folder / name, is_synced=False) as file:
            file.write(data)
        if delivered:
            entries.append((key_of(row), Receipt(version_of(row), len(data), name)))
            if len(entries) >= NOTED_TOGETHER:
                delivered.note(entries)
                entries = []
    if delivered and entries:
        delivered.note(entries)
    return count


def files_by_article(folder: Path, ending: str) -> dict[int, list[str]]:
    """The names of article files that are there, by the number they begin with."""
    found: dict[int, list[str]] = defaultdict(list)
    for path in folder.iterdir():
        number, dash, _ = path.name.partition("-")
        if dash and number.isascii() and number.isdigit() and path.name.endswith(ending):
            found[int(number)].append(path.name)
    return found
