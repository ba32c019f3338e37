"""Articles as Parquet: one schema for every export, whatever the first rows lack. pyarrow is imported here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, BinaryIO

from pipelines.errors import MissingExtraError

Row = Mapping[str, Any]

GROUP_ROWS = 1_000  # read and decompressed together: some megabytes of text
TYPES = {  # column: type, in the order of the file; anything may be missing but id and url
    "id": "int64",
    "url": "string",
    "final_url": "string",
    "source": "string",
    "publisher": "string",
    "title": "string",
    "byline": "string",
    "published": "time",
    "published_origin": "string",
    "fetched": "time",
    "updated": "time",
    "language": "string",
    "words": "int64",
    "text": "string",
    "text_hash": "string",
    "relevance": "float64",
    "canonical": "bool",
    "cluster": "int64",
    "story": "int64",
    "verdict": "string",
    "canonical_url": "string",
}


class Stream:
    """A file that only goes forward, and knows where it is: a pipe cannot be asked."""

    closed = False

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._position = 0

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        """The file belongs to whoever opened it."""


def write_parquet(rows: Iterable[Row], out: BinaryIO) -> int:
    """Write a Parquet file, zstd inside; return how many articles it has."""
    pa, pq = library()
    schema = schema_of(pa)
    count = 0
    with pq.ParquetWriter(Stream(out), schema, compression="zstd") as writer:
        for group in in_groups(rows):
            count += len(group)
            writer.write_batch(pa.RecordBatch.from_pylist([as_values(row) for row in group], schema=schema))
    return count


def library() -> tuple[Any, Any]:
    """Return pyarrow and its Parquet module; raise `MissingExtraError` where they are not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise MissingExtraError(
            "--format parquet", "needs pyarrow, which is not installed", "", "pip install 'copydesk[parquet]'"
        ) from None
    return pa, pq


def schema_of(pa: Any) -> Any:
    kinds = {
        "int64": pa.int64(),
        "string": pa.string(),
        "float64": pa.float64(),
        "bool": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    return pa.schema([pa.field(name, kinds[kind], nullable=name not in {"id", "url"}) for name, kind in TYPES.items()])


def in_groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while group := list(islice(left, GROUP_ROWS)):
        yield group


def as_values(row: Row) -> dict[str, Any]:
    """An article's values in the types of the schema."""
    return {name: as_value(row.get(name), kind) for name, kind in TYPES.items()}


def as_value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    match kind:
        case "time":
            found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        case "string":
            return str(value).encode("utf-8", "replace").decode()  # of a lone surrogate Arrow makes an error
        case "bool":
            return bool(value)
    return value
