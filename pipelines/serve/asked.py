"""What a view gets and what it gives: plain values, so that it needs neither a server nor a browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pipelines.store.room.wanted import Wanted

if TYPE_CHECKING:
    from pipelines.serve.kept import Trends
    from pipelines.serve.source_list import SourceList

MAX_VALUE_CHARS = 600  # of one value of an address; a query has 500 at most
MAX_NUMBER = 2**62  # SQLite's integers end at 2**63
SPANS = {"1d": "the last day", "7d": "a week", "30d": "a month", "90d": "three months"}
_SPAN = re.compile(r"(\d{1,4})d")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class NotHereError(Exception):
    """There is no such page; the text says what was looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request, as far as a view needs it."""

    path: str = "/"
    query: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, Any] = field(default_factory=dict)  # what the path names: {"article": 12}
    visit: str = ""  # the cookie of that name
    now: datetime
    base: str = ""  # scheme and host, for the links of a feed
    sources: SourceList
    trends: Trends

    def text(self, name: str) -> str:
        """A value of the address, shortened; "" when it is not there."""
        return self.query.get(name, "").strip()[:MAX_VALUE_CHARS]

    def number(self, name: str, most: int = MAX_NUMBER) -> int:
        """A count of the address; 0 for what is none."""
        text = self.text(name)
        return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 19 else 0

    def place(self, name: str) -> int:
        """A number of the path; raises `NotHereError` for one no row can have."""
        value = int(self.places[name])
        if value > MAX_NUMBER:
            raise NotHereError(f"number {value}")
        return value

    def link(self, **changes: object) -> str:
        """This page with other values; None and "" take one away."""
        values = {**self.query, **{name: str(value) for name, value in changes.items() if value is not None}}
        kept = {name: value for name, value in values.items() if value and changes.get(name, "") is not None}
        return self.path + (f"?{urlencode(kept)}" if kept else "")

    @property
    def since(self) -> str:
        """`since` of the address as a stored time: a span back from now (7d) or a day; "" for neither."""
        text = self.text("since")
        if span := _SPAN.fullmatch(text):
            return (self.now - timedelta(days=int(span[1]))).astimezone(UTC).isoformat()
        return text if _DAY.fullmatch(text) else ""

    def wanted(self, after: int = 0) -> Wanted:
        """The filters all lists and feeds share."""
        group, source = self.text("kind"), self.text("source")
        sources: tuple[str, ...] | None = None
        if group:
            sources = self.sources.of_group(group)
        if source:
            sources = (source,) if sources is None or source in sources else ()
        return Wanted(
            topic=self.text("topic"), sources=sources, language=self.text("language"), since=self.since, after=after
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A template and what it is filled with."""

    template: str
    values: dict[str, Any] = field(default_factory=dict)
    visit: str = ""  # what the cookie becomes; "" leaves it


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A whole answer that is no page."""

    body: bytes
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """The page has another address in the room."""

    path: str
