"""What one web archive gave, as a Parquet file beside the corpus: the step between many readers and the one writer.

A part is written under a passing name and then renamed, so it is whole or not there, and its head says what it was made
of: a part of another file, order, vocabulary or version is made anew. Anybody may read the columns; `parcel` is ours.
"""

from __future__ import annotations

import glob
import json
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import MissingExtraError, StorageError
from pipelines.export.parquet import library
from pipelines.parcels import Parcel, pack

HEAD = b"copydesk"
GROUP_ROWS = 500  # written together: some 3 MB
COLUMNS = {  # in the order of the file
    "url": "string",
    "fetched": "time",
    "published": "time",
    "stage": "string",
    "reason": "string",
    "detail": "string",
    "title": "string",
    "publisher": "string",
    "language": "string",
    "words": "int32",
    "relevance": "float32",
    "verdict": "string",
    "text_hash": "string",
    "parcel": "binary",
}


@dataclass(slots=True)
class Report:
    """What became of one archive; kept in the head of its part."""

    digest: str
    pages: int = 0  # HTML pages in it
    unparsed: int = 0  # of these, without a word of the topic
    rows: int = 0
    problem: str = ""  # one line: what could not be read


def parquet() -> tuple[Any, Any]:
    """Give pyarrow and its Parquet module; `MissingExtraError` where they are not installed."""
    try:
        return library()
    except MissingExtraError:
        raise MissingExtraError(
            "reading archives", "needs pyarrow, which is not installed", "", "pip install 'copydesk[parquet,warc]'"
        ) from None


def write_part(path: Path, report: Report, parcels: Iterable[Parcel]) -> Report:
    """Write what comes of an archive, whole or not at all; `report` is filled by whoever gives the parcels."""
    pa, pq = parquet()
    schema = schema_of(pa)
    passing = path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}.tmp")  # others may be at the same part
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tidy(path)
        with passing.open("wb") as out:
            with pq.ParquetWriter(out, schema, compression="zstd") as writer:
                for group in in_groups(parcels):
                    report.rows += len(group)
                    writer.write_batch(pa.RecordBatch.from_pylist([row_of(parcel) for parcel in group], schema=schema))
                writer.add_key_value_metadata({HEAD.decode(): json.dumps(asdict(report))})
            out.flush()
            os.fsync(out.fileno())
        passing.replace(path)
    except OSError as error:
        saw = error.strerror or str(error)
        raise StorageError(
            str(path), saw.lower(), "room for what was read", "free some, or choose another --parts"
        ) from None
    finally:
        passing.unlink(missing_ok=True)
    return report


def tidy(path: Path) -> None:
    """Remove what a reader left that was killed at this part on this machine."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.{glob.escape(socket.gethostname())}-*.tmp"):
        reader = left.stem.rpartition("-")[2]
        if not (reader.isdigit() and is_running(int(reader))):
            left.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True


def schema_of(pa: Any) -> Any:
    kinds = {
        "string": pa.string(),
        "time": pa.timestamp("us", tz="UTC"),
        "int32": pa.int32(),
        "float32": pa.float32(),
        "binary": pa.binary(),
    }
    return pa.schema([pa.field(name, kinds[kind]) for name, kind in COLUMNS.items()])


def in_groups(parcels: Iterable[Parcel]) -> Iterator[list[Parcel]]:
    group: list[Parcel] = []
    for parcel in parcels:
        group.append(parcel)
        if len(group) == GROUP_ROWS:
            yield group
            group = []
    if group:
        yield group


def row_of(parcel: Parcel) -> dict[str, Any]:
    """A parcel with what a person may want to know of it without us."""
    row: dict[str, Any] = {"url": parcel.page.url, "fetched": parcel.page.fetched, "parcel": pack(parcel)}
    if parcel.rejection is not None:
        found = parcel.rejection
        row |= {"stage": found.stage, "reason": found.reason, "detail": found.detail}
    if parcel.article is not None:
        article, document = parcel.article, parcel.article.document
        row |= {"title": document.title, "publisher": document.publisher, "language": document.language}
        row |= {"published": document.published, "words": article.words, "text_hash": article.text_hash}
        row |= {"relevance": article.relevance.score, "verdict": article.relevance.verdict}
    return {name: clean(value) for name, value in row.items()}


def clean(value: Any) -> Any:
    """Of a lone surrogate Arrow makes an error."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def report_of(path: Path) -> Report | None:
    """What the head of a part says; None when there is no part that can be read."""
    pa, pq = parquet()
    try:
        head = pq.read_metadata(path).metadata or {}
        return Report(**json.loads(head[HEAD]))
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError):
        return None


def packed_in_order(path: Path) -> Sequence[bytes]:
    """The parcels of a part in order of publication: an original is settled before its copies, whoever wrote the file."""
    pa, pq = parquet()
    table = pq.read_table(path, columns=["url", "fetched", "published", "parcel"], use_threads=False)
    times = pa.compute.coalesce(table["published"], table["fetched"])
    order = pa.compute.sort_indices(
        pa.table({"time": times, "url": table["url"], "fetched": table["fetched"]}),
        sort_keys=[("time", "ascending"), ("url", "ascending"), ("fetched", "ascending")],
    )
    return [parcel.as_py() for parcel in table["parcel"].take(order)]
