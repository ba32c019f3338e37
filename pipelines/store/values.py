"""The door between Python values and what the file holds: text without what SQLite cannot keep, times as text.

A lone surrogate or a NUL from a hostile page must cost neither its article nor the others of the batch, so every text
goes through `clean_text` on its way in, and nothing else changes it.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
import struct
from collections.abc import Sequence
from datetime import UTC, datetime

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")
HASH_BYTES = 8
MAX_INTEGER = 2**63 - 1  # SQLite's largest
DIFF_CONTEXT_LINES = 1


def clean_text(text: str) -> str:
    """The text without NUL (SQLite's functions stop there) and with lone surrogates replaced (UTF-8 has none)."""
    if _UNSTORABLE.search(text):
        return _UNSTORABLE.sub(lambda found: "" if found.group() == "\0" else "\ufffd", text)
    return text


def to_text(time: datetime | None) -> str | None:
    """A time as the file holds it: UTC, ISO 8601. A naive one is taken as UTC."""
    if time is None:
        return None
    return (time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)).isoformat()


def moment(time: datetime) -> str:
    """`to_text` for a time that is there."""
    return to_text(time) or ""


def to_time(text: str | None) -> datetime | None:
    """A stored time as an aware datetime."""
    if not text:
        return None
    return at(text)


def at(text: str) -> datetime:
    """`to_time` for a time that is there."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def number(value: float) -> float:
    """The number, or 0 for what SQLite would turn into NULL or text (NaN, infinity)."""
    return value if math.isfinite(value) else 0.0


def hash_of(text: str) -> int:
    """63 bits of a text: the key under which a block is stored once."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=HASH_BYTES).digest(), "big") & MAX_INTEGER


def pack(fingerprints: Sequence[int]) -> bytes:
    """Fingerprints as little-endian 64-bit integers, so that the index can be rebuilt without the text."""
    return struct.pack(f"<{len(fingerprints)}Q", *fingerprints)


def unpack(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 8}Q", packed)


def readable_diff(before: str, after: str) -> str:
    """A unified diff by sentences: a changed word shows as one changed line, not as a whole paragraph."""
    lines = difflib.unified_diff(
        sentences(before), sentences(after), "before", "after", lineterm="", n=DIFF_CONTEXT_LINES
    )
    return "\n".join(lines)


def sentences(text: str) -> list[str]:
    return [sentence for line in text.split("\n") for sentence in _SENTENCE_END.split(line.strip()) if sentence]
