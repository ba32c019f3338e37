"""Articles out of the corpus as files, folders and feeds.

Whatever a page's title says, a file has a safe name, a cell is no formula, a line is one line for every reader and a
feed can be parsed. A file gets its name when it is whole; until then the one of yesterday stays. Rows are the dicts of
`Corpus.articles`, in its order.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pipelines.errors import ConfigError
from pipelines.export.atom import add_entry, grow_feed, iso, write_atom, xml_text
from pipelines.export.delivered import Delivered, Receipt, key_of, memory_of, version_of
from pipelines.export.files import STDOUT, file_name, is_folder, make_folder, size_of, sweep, usual_mode, whole_file
from pipelines.export.folders import write_folder
from pipelines.export.lines import (
    COLUMNS,
    Shape,
    as_markdown,
    as_text,
    one_line,
    with_topics,
    write_csv,
    write_jsonl,
    write_markdown,
    write_text,
    writer_of,
)
from pipelines.lock import run_lock

if TYPE_CHECKING:
    from pipelines.records import Page

__all__ = [
    "ALL_FORMATS", "COLUMNS", "FORMATS", "Extras", "add_entry", "as_markdown", "as_text", "export_articles", "file_name", "grow_feed",
    "is_folder", "iso", "one_line", "usual_mode", "whole_file", "write_atom", "write_csv", "write_folder", "write_jsonl",
    "write_markdown", "write_text", "xml_text",
]  # fmt: skip

Row = Mapping[str, Any]

FORMATS = ("jsonl", "csv", "text", "markdown", "atom", "parquet")  # one file of them is an export
ALL_FORMATS = (*FORMATS, "warc", "dataset")  # the pages as they came; a folder of shards with a card


@dataclass(frozen=True, slots=True)
class Extras:
    """What only some exports need."""

    is_since_last: bool = False  # only what the destination has not got yet
    page_of: Callable[[str], Page | None] = lambda _: None  # the stored page of an address: for warc
    topics_of: Callable[[int], list[str]] | None = None  # an article's topics: Markdown gets `date` and `tags`
    tell: Callable[[str], None] = lambda _: None  # hears, in a line, what could not be given


PLAIN = Extras()


def export_articles(rows: Iterable[Row], form: str, out: Path, now: datetime, extras: Extras = PLAIN) -> int:
    """Write articles in one of ALL_FORMATS to a file, a folder or "-" for stdout; return how many."""
    if form not in ALL_FORMATS:
        raise ConfigError("--format", repr(form), "one of " + ", ".join(ALL_FORMATS))
    check_place(form, out, is_since_last=extras.is_since_last)
    if not extras.is_since_last:
        return give(rows, form, out, now, extras)
    if is_sharded(form, out) or is_folder_of_files(form, out):
        make_folder(out)
    elif not out.resolve().parent.is_dir():
        raise ConfigError(str(out), "its folder does not exist", "a file in a folder that does")
    with run_lock(memory_of(out)):  # or two from cron would each write what the other has noted
        sweep(out)
        return give(rows, form, out, now, extras)


def give(rows: Iterable[Row], form: str, out: Path, now: datetime, extras: Extras) -> int:
    """Write to a place that was looked at."""
    shape = with_topics(extras.topics_of) if extras.topics_of and form == "markdown" else None
    if is_sharded(form, out):
        from pipelines.export.dataset import write_dataset

        return write_dataset(rows, out, kind_of(form), is_since_last=extras.is_since_last)
    if is_folder_of_files(form, out):
        return write_folder(rows, out, form, shape, is_since_last=extras.is_since_last)
    if extras.is_since_last:
        return write_on(rows, form, out, now, extras, shape)
    with whole_file(out) as file:
        count = write_file(rows, form, file, now, extras, shape, is_packed=not out.name.endswith(".warc"))
    if str(out) != STDOUT:
        memory_of(out).unlink(missing_ok=True)  # it told of the file that was there before
    return count


def check_place(form: str, out: Path, *, is_since_last: bool) -> None:
    """Refuse a place this cannot go to."""
    if form == "dataset" and not is_folder(out):
        raise ConfigError(str(out), "no folder", "a folder, for its shards and their card")
    if not is_since_last:
        return
    if str(out) == STDOUT or (out.exists() and not out.is_file() and not out.is_dir()):
        raise ConfigError(str(out), "nothing is known of what it got last", "a file or a folder for --since last")
    if form == "parquet" and not is_folder(out):
        raise ConfigError(str(out), "no more can be added to a Parquet file", "a folder for --since last")
    if out.is_file() and form != "atom" and size_of(out) and not memory_of(out).exists():
        raise ConfigError(str(out), "not made by --since last", "a new file", "or delete this one, and all comes again")


def is_sharded(form: str, out: Path) -> bool:
    return form == "dataset" or (form == "parquet" and is_folder(out))


def kind_of(form: str) -> str:
    """What the shards are, once it is known that they can be written."""
    if form != "parquet":
        return "jsonl"
    from pipelines.export.parquet import library

    library()
    return "parquet"


def is_folder_of_files(form: str, out: Path) -> bool:
    return form in {"text", "markdown"} and is_folder(out)


def write_file(
    rows: Iterable[Row],
    form: str,
    file: BinaryIO,
    now: datetime,
    extras: Extras,
    shape: Shape | None,
    *,
    is_packed: bool = True,
    is_longer: bool = False,
) -> int:
    """Write articles into an open file."""
    if form == "atom":
        return write_atom(rows, file, now)
    if form == "parquet":
        from pipelines.export.parquet import write_parquet

        return write_parquet(rows, file)
    if form == "warc":
        from pipelines.warc import write_pages

        return write_pages(stored(rows, extras), file, now, is_packed=is_packed)
    stream = io.TextIOWrapper(file, "utf-8", errors="replace", newline="", write_through=True)
    try:
        return writer_of(form, is_longer=is_longer, shape=shape)(rows, stream)
    finally:
        stream.detach()


def stored(rows: Iterable[Row], extras: Extras) -> Iterator[Page]:
    """The pages of articles as they were fetched; how many are not stored any more is told."""
    missing = 0
    for row in rows:
        page = extras.page_of(str(row["url"]))
        if page is None:
            missing += 1
        else:
            yield page
    if missing:
        were = "articles have" if missing > 1 else "article has"
        extras.tell(f"{missing:,} {were} no stored page: it was pruned, or asked not to be archived")


def write_on(rows: Iterable[Row], form: str, out: Path, now: datetime, extras: Extras, shape: Shape | None) -> int:
    """Put behind what a file holds (in a feed: before it) what it has not got yet; return how many articles."""
    delivered = Delivered(out, form)
    entries: list[tuple[str, str]] = []

    def fresh() -> Iterator[Row]:
        for row in delivered.news(rows):
            entries.append((key_of(row), version_of(row)))
            yield row

    if form == "atom":  # its older entries go at last, so its size says nothing
        count = grow_feed(out, fresh(), now)
        delivered.note((key, Receipt(version, 1, out.name)) for key, version in entries)
        return count
    is_longer = size_of(out) > 0
    with whole_file(out, is_longer=True) as file:
        packed = not out.name.endswith(".warc")
        count = write_file(fresh(), form, file, now, extras, shape, is_packed=packed, is_longer=is_longer)
        file.flush()
        size = file.tell()
        delivered.note((key, Receipt(version, size, out.name)) for key, version in entries)
    return count
