"""The door between Python values and what the file holds: text without what SQLite cannot keep, times as text.

A lone surrogate or a NUL from a hostile page must cost neither its article nor the others of the batch, so every text
goes through `clean_text` on its way in, and nothing else changes it.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")
_WORD = re.compile(r"[^\W\d_]+")
_DATE = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}|\d{1,2}:\d{2}")
MAX_STAMP_WORDS = 16
_STAMPS = """
updated update published posted modified last first on at by of the ago min mins minute minutes hour hours day
days am pm a p m gmt utc bst est edt et pt pst pdt cet cest kst jst z t th st nd rd january february march
april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov
dec monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun stand aktualisiert
veröffentlicht zuletzt am um uhr januar februar märz mai juni juli oktober dezember montag dienstag mittwoch
donnerstag freitag samstag sonntag publié modifié mis à jour le h janvier février mars avril juin juillet août
septembre octobre novembre décembre publicado actualizado el las de enero febrero marzo abril mayo junio julio
agosto septiembre octubre noviembre diciembre 입력 수정 등록 업데이트 최종 기사입력 최종수정 년 월 일 시 분 초 오전 오후 송고 发布 更新 时间 发布时间
更新时间 發布 時間 發佈 年 月 日 时 分 秒 時 公開 最終更新 午前 午後 配信
"""
STAMP_WORDS = frozenset(_STAMPS.split())
HASH_BYTES = 8
PRINT_BYTES = 5  # a stored fingerprint: five articles' signatures fit into a page of the file
MAX_PRINT = 2**35 - 1  # what is above goes; the candidate index needs the rest of its key for the week
MAX_INTEGER = 2**63 - 1  # SQLite's largest
DIFF_CONTEXT_LINES = 1


def clean_text(text: str) -> str:
    """The text without NUL (SQLite's functions stop there) and with lone surrogates replaced (UTF-8 has none)."""
    if _UNSTORABLE.search(text):
        return _UNSTORABLE.sub(lambda found: "" if found.group() == "\0" else "\ufffd", text)
    return text


def are_storable(texts: Iterable[str]) -> bool:
    """True when `clean_text` would leave all of these as they are: asked once of a page's hundreds."""
    try:
        return b"\0" not in "".join(texts).encode()
    except UnicodeEncodeError:
        return False


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


def moved(time: datetime, by: timedelta) -> datetime:
    """The time moved, as far as there are years: a page may claim the year 1 or 9999."""
    try:
        return time + by
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if by < timedelta(0) else datetime.max.replace(tzinfo=UTC)


def number(value: float) -> float:
    """The number, or 0 for what SQLite would turn into NULL or text (NaN, infinity)."""
    return value if math.isfinite(value) else 0.0


def hash_of(text: str) -> int:
    """63 bits of a text: the key under which a block is stored once."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=HASH_BYTES).digest(), "big") & MAX_INTEGER


def pack(fingerprints: Iterable[int]) -> bytes:
    """Distinct fingerprints in order, five bytes each, so that the index can be rebuilt without the text."""
    return b"".join(
        value.to_bytes(PRINT_BYTES, "little") for value in sorted({int(one) & MAX_PRINT for one in fingerprints})
    )


def unpack(packed: bytes) -> tuple[int, ...]:
    return tuple(
        int.from_bytes(packed[start : start + PRINT_BYTES], "little") for start in range(0, len(packed), PRINT_BYTES)
    )


def readable_diff(before: str, after: str) -> str:
    """A unified diff by sentences: a changed word shows as one changed line, not as a whole paragraph."""
    lines = difflib.unified_diff(
        sentences(before), sentences(after), "before", "after", lineterm="", n=DIFF_CONTEXT_LINES
    )
    return "\n".join(lines)


def without_stamps(text: str) -> list[str]:
    """The words of a text without lines that only say when it was published or changed: a new one is no new text."""
    return [word for line in text.split("\n") if not is_stamp(line) for word in line.split()]


def is_stamp(line: str) -> bool:
    """True for "Updated 3 March 2026, 14:05 GMT" and its like: a date, or a number with nothing but words of dates."""
    words = _WORD.findall(line.casefold())
    if len(words) > MAX_STAMP_WORDS or not all(word in STAMP_WORDS for word in words):
        return False
    return bool(_DATE.search(line)) or (
        bool(words) and any(map(str.isdigit, line))
    )  # a bare number is a cell of a table


def sentences(text: str) -> list[str]:
    return [sentence for line in text.split("\n") for sentence in _SENTENCE_END.split(line.strip()) if sentence]
