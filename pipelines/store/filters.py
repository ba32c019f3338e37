"""Which articles a reader wants: one frozen record, and the SQL it stands for.

Shared by search, export, stories and the reading commands, so that `--since` means the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipelines.store.values import clean_text, moment

TIME = "coalesce(a.published, a.fetched)"  # when an article counts as told; indexed


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What to take. Empty values mean "any"; `limit` 0 means all."""

    since: datetime | None = None  # published (else fetched) at this time or later
    until: datetime | None = None  # … or at this time at the latest
    source: str = ""
    topic: str = ""  # a concept of the relevance vocabulary
    language: str = ""
    all_copies: bool = False  # False: one article a cluster
    limit: int = 0

    def conditions(self) -> tuple[str, list[str]]:
        """SQL over `articles AS a` and its parameters; copies are the caller's matter."""
        parts, values = ["1"], []
        for condition, value in (
            (f"{TIME} >= ?", moment(self.since) if self.since else ""),
            (f"{TIME} <= ?", moment(self.until) if self.until else ""),
            ("a.source = ?", self.source),
            ("a.language = ?", self.language),
            ("EXISTS (SELECT 1 FROM relevance_terms AS t WHERE t.article = a.id AND t.concept = ?)", self.topic),
        ):
            if value:
                parts.append(condition)
                values.append(clean_text(value))
        return " AND ".join(parts), values

    @property
    def rows(self) -> int:
        """The limit as SQLite takes it: -1 for all."""
        return self.limit if self.limit > 0 else -1


EVERYTHING = Filter()
