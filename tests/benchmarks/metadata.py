"""How often title, authors and date are right, ours beside trafilatura's, where a set says what is right.

A title is right when its words are the gold's or those of one of its lines (some gold has the kicker too); authors when the names are the gold's, "named" when all of them are there with other
words besides ("and", an agency); a date when the day is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import trafilatura

from pipelines.records import Document
from tests.benchmarks.scoring import Row, mean, tokens

Claim = tuple[str, str, str]  # title, authors, day


def of_ours(document: Document | None) -> Claim:
    if document is None:
        return "", "", ""
    return document.title, document.byline, document.published.date().isoformat() if document.published else ""


def of_trafilatura(row: Row) -> Claim:
    try:
        found: Any = trafilatura.extract_metadata(row["html"])
    except Exception:  # noqa: BLE001 - what it raises on is a page without metadata
        return "", "", ""
    return (found.title or "", found.author or "", found.date or "") if found else ("", "", "")


def words(text: object) -> list[str]:
    return tokens(
        (text if isinstance(text, str) else " ".join(map(str, text)) if isinstance(text, list) else "").lower()
    )


def lines(value: object) -> list[list[str]]:
    """The gold's words, and those of each of its lines."""
    parts = value.splitlines() if isinstance(value, str) else []
    return [found for part in (value, *parts) if (found := words(part))]


def is_same(gold: list[str], got: list[str]) -> bool:
    return gold == got


def is_byline(gold: list[str], got: list[str]) -> bool:
    return set(gold) == set(got)


def is_named(gold: list[str], got: list[str]) -> bool:
    return set(gold) <= set(got)


MEASURES: list[tuple[str, tuple[str, ...], int, Callable[[list[str], list[str]], bool]]] = [
    ("title", ("title", "headline"), 0, is_same),
    ("authors", ("authors", "author", "byline"), 1, is_byline),
    ("authors named", ("authors", "author", "byline"), 1, is_named),
    ("date", ("date", "published"), 2, is_same),
]


def show(name: str, rows: Sequence[Row], documents: Sequence[Document | None]) -> None:
    """Print the share that is right, and the share of those that say nothing."""
    claims = {"copydesk": [of_ours(document) for document in documents], "trafilatura": [of_trafilatura(row) for row in rows]}  # fmt: skip
    for label, keys, place, is_right in MEASURES:
        gold = [next((found for key in keys if (found := lines(row["extra"].get(key)))), []) for row in rows]
        known = [at for at, found in enumerate(gold) if found]
        if not known:
            continue
        parts = []
        for tool, claimed in claims.items():
            got = {at: words(claimed[at][place]) for at in known}
            right, silent = (
                mean([any(is_right(one, got[at]) for one in gold[at]) for at in known]),
                mean([not got[at] for at in known]),
            )
            parts.append(f"{tool} right {right:.3f}, silent {silent:.3f}")
        print(f"{name} {label} ({len(known)} pages): {'; '.join(parts)}")
