"""What a reader wants to see, and how far a question may look for it.

A filter that few articles pass would make SQLite read the whole corpus for one page. So there are two ways: what is rare is asked for by
itself (all its articles are few), and of what is frequent only so many of the newest are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.store.filters import TIME
from pipelines.store.values import clean_text

RARE = 1_000  # articles that can be looked up one by one in some 5 ms
SCANNED = 3_000  # stories or articles looked at for one page; some 15 ms, and enough for what is not rare among 300,000
FAR_FUTURE = "9999"  # sorts after every time


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last thing a page showed, in the order of Today: time, then stories before lone articles, then number."""

    time: str = FAR_FUTURE
    is_story: bool = True
    id: int = 2**62

    @property
    def place(self) -> tuple[str, bool, int]:
        """Sorts as the pages do, newest last."""
        return self.time, self.is_story, self.id

    def __str__(self) -> str:
        return f"{self.time}_{'s' if self.is_story else 'a'}{self.id}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """The cursor that was written so; None when it is none of ours."""
        time, _, rest = text.rpartition("_")
        if not time or rest[:1] not in {"s", "a"} or not rest[1:].isascii() or not rest[1:].isdigit() or len(rest) > 18:
            return None
        return cls(clean_text(time)[:40], rest[0] == "s", int(rest[1:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which articles a page is about. Empty values mean "any"."""

    topic: str = ""
    sources: tuple[str, ...] | None = None  # of these sources; () is none at all
    language: str = ""
    since: str = ""  # told at this time or later, ISO 8601
    after: int = 0  # came into the corpus after the article of this number

    @property
    def is_any(self) -> bool:
        return self == Wanted()

    def conditions(self) -> tuple[str, list[str | int]]:
        """SQL over `articles AS a` and its parameters."""
        parts, values = ["1"], list[str | int]()
        if self.after:
            parts.append("a.id > ?")
            values.append(self.after)
        if self.since:
            parts.append(f"{TIME} >= ?")
            values.append(self.since)
        if self.language:
            parts.append("a.language = ?")
            values.append(clean_text(self.language))
        if self.sources is not None:
            parts.append(f"a.source IN ({', '.join('?' * len(self.sources))})")
            values += map(clean_text, self.sources)
        if self.topic:
            parts.append(
                "EXISTS (SELECT 1 FROM relevance_terms AS t WHERE t.article = a.id AND t.concept = ? AND t.weight > 0)"
            )
            values.append(clean_text(self.topic))
        return " AND ".join(parts), values

    def rare_questions(self) -> list[tuple[str, list[str | int]]]:
        """For each part of the wish that an index can answer alone: which articles have it, so many that "too many" shows."""
        questions: list[tuple[str, list[str | int]]] = []
        if self.after:
            questions.append(("SELECT id FROM articles WHERE id > ? LIMIT ?", [self.after]))
        if self.sources is not None and len(self.sources) == 1:
            questions.append(("SELECT id FROM articles WHERE source = ? LIMIT ?", [clean_text(self.sources[0])]))
        if self.topic:
            sql = "SELECT DISTINCT article AS id FROM relevance_terms WHERE concept = ? LIMIT ?"
            questions.append((sql, [clean_text(self.topic)]))
        return [(sql, [*values, RARE + 1]) for sql, values in questions]
