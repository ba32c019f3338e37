"""How values are shown: times, names of languages and concepts, links that lead out, text that cannot turn a page round. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from pipelines.report import KIND_WORDS, RELATION_WORDS, UNSAFE, VERDICT_WORDS
from pipelines.report_why import REASON_WORDS
from pipelines.urls import is_web

# left-to-right and right-to-left marks stay: names in Hebrew and Arabic need them, and every foreign text stands in a `dir` of its own
HARMLESS = {0x061C, 0x200E, 0x200F}
_SHOWN = {code: "\ufffd" for code in UNSAFE if code not in HARMLESS} | {13: " "}
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish", "fa": "Persian",
    "fi": "Finnish", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
ORIGINS = {
    "feed": "from the feed",
    "json-ld": "from the page's metadata (JSON-LD)",
    "meta": "from the page's metadata",
    "visible": "as the page shows it",
    "url": "from the address",
}


def shown(value: Any) -> Any:
    """What Jinja prints of any value: text without control characters and without marks that turn letters round."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value.translate(_SHOWN)
    return value


def time_of(value: object) -> datetime | None:
    """A stored time; None for what is none (a corpus may have been written to by others)."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def when(value: object) -> str:
    """21 Nov 2026, 08:00."""
    found = time_of(value)
    return f"{found.day} {found:%b %Y, %H:%M}" if found else str(value or "")


def day_of(value: object) -> date | None:
    found = time_of(value)
    return found.astimezone(UTC).date() if found else None


def day_name(value: object, now: datetime) -> str:
    """Today, yesterday, or the day's name and date."""
    day = day_of(value)
    if day is None:
        return "no date"
    name = f"{day:%A}, {day.day} {day:%B %Y}"
    ago = (now.date() - day).days
    return {0: f"Today, {name}", 1: f"Yesterday, {name}"}.get(ago, name)


def ago(value: object, now: datetime) -> str:
    """5 minutes ago, 3 hours ago, 12 days ago."""
    found = time_of(value)
    if found is None:
        return "never"
    seconds = (now - found).total_seconds()
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= (2 * size if unit == "day" else size):
            count = int(seconds // size)
            return f"{count:,} {unit}{'' if count == 1 else 's'} ago"
    return "just now" if seconds >= 0 else when(value)


def language_name(code: str) -> str:
    return LANGUAGES.get(code, code)


def language_tag(code: str) -> str:
    """The code where a browser knows it for one, else ""."""
    return code if _LANGUAGE.fullmatch(code or "") else ""


def concept_name(concept: str) -> str:
    return concept.replace("_", " ")


def topic_option(concept: str) -> tuple[str, str]:
    return concept, concept_name(concept)


def same_option(value: str) -> tuple[str, str]:
    return value, value


def path_part(value: str) -> str:
    """A value as one part of a path, whatever slashes it has."""
    return quote(value, safe="")


def outward(url: str) -> str:
    """An address a browser may be led to; "" for javascript:, file: and their kin."""
    return url if is_web(url or "") else ""


def host_of(url: str) -> str:
    return (url or "").partition("//")[2].partition("/")[0]


def share(value: object) -> str:
    """0.934 as 93 %."""
    return f"{round(100 * float(str(value)))} %" if value is not None else ""


def count(value: Any, one: str, many: str = "") -> str:
    return f"{int(value):,} {one if int(value) == 1 else many or one + 's'}"


def took(row: Mapping[str, Any]) -> str:
    """How long a run took; "" while it has no end."""
    first, last = time_of(row.get("started")), time_of(row.get("finished"))
    if first is None or last is None:
        return ""
    seconds = (last - first).total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def kind_name(kind: str) -> str:
    return KIND_WORDS.get(kind, kind.replace("_", " "))


def relation_name(relation: str) -> str:
    return RELATION_WORDS.get(relation, relation)


def verdict_name(verdict: str) -> str:
    return VERDICT_WORDS.get(verdict, verdict.replace("_", " "))


def reason_name(reason: str) -> str:
    return REASON_WORDS.get(reason, reason.replace("_", " "))


def origin_name(origin: str) -> str:
    return ORIGINS.get(origin, origin)
