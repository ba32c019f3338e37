"""What travels between machines and processes: a fetched page with all that was made of it, as bytes.

MessagePack by the records' own types. Between machines because whoever may write to the queue must not be able to run code in us; the
version is worked out from the records themselves, so that two programs that would misread each other never talk. Between our own
processes because pickling the two hundred blocks of a page takes three times as long.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

import msgspec

from pipelines.dedup import RECIPE
from pipelines.errors import InputError
from pipelines.records import Article, Fetch, Page, Rejection

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One page on its way to the writer; it has either an article or a rejection."""

    page: Page
    fetch: Fetch
    article: Article | None = None
    rejection: Rejection | None = None
    learned: tuple[int, ...] = ()
    is_archived: bool = True

    @property
    def outcome(self) -> Article | Rejection:
        if self.article is not None:
            return self.article
        if self.rejection is not None:
            return self.rejection
        raise InputError(self.page.url, "a parcel without article and rejection", "one of them")


def article_bytes(article: Article) -> bytes | None:
    """The article for another process of ours; None when a text has half a character (a lone surrogate) in it."""
    try:
        return msgspec.msgpack.encode(article)
    except UnicodeEncodeError:
        return None


def article_of(encoded: bytes) -> Article:
    return msgspec.msgpack.decode(encoded, type=Article)


def pack(parcel: Parcel) -> bytes:
    return zstd.compress(msgspec.msgpack.encode(parcel))


def unpack(packed: bytes) -> Parcel:
    """The parcel again; `InputError` for bytes that are none."""
    try:
        return msgspec.msgpack.decode(zstd.decompress(packed), type=Parcel)
    except (zstd.ZstdError, msgspec.MsgspecError, ValueError) as error:
        raise InputError(
            "stream", f"{len(packed)} bytes that are no parcel ({error})", "a page of this version"
        ) from None


@cache
def version() -> str:
    """What must be the same on both ends: every record's fields with their types, and how texts are signed."""
    told = "\n".join(sorted(describe(Parcel, set())))
    return f"{hashlib.blake2b(told.encode(), digest_size=4).hexdigest()} {RECIPE}"


def describe(kind: Any, seen: set[Any]) -> list[str]:
    """A line for each field of a record and of the records in it."""
    if not (is_dataclass(kind) or (isinstance(kind, type) and issubclass(kind, msgspec.Struct))):
        return [line for part in get_args(kind) for line in describe(part, seen)]
    if kind in seen:
        return []
    seen.add(kind)
    hints = get_type_hints(kind)
    own = [f"{getattr(kind, '__name__', '')}.{name}: {hint}" for name, hint in hints.items()]
    return own + [line for hint in hints.values() for line in describe(hint, seen)]
