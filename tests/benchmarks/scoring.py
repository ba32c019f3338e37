"""How the text of a page is scored against gold text: shared by the trainer, the table of extractors and the test of our floor.

Multisets of 4-grams of words; a Chinese, Japanese, Thai or Burmese character is a word.
Precision and recall are means over pages, F1 is theirs. The title is not scored: sets differ on whether it belongs to the text.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import pathlib
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]  # a page of a set: id, site, url, lang, gold, extra, html
Grams = Counter[tuple[str, ...]]

GRAM_WORDS = 4
TITLE_LINES = 4  # among so many first lines of a text a title is not scored
HEAD_CHARS = 400_000  # where a page names its title
BAD = 0.5  # F1 below which a page is lost
_WIDE = r"\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
TOKEN = re.compile(rf"[{_WIDE}]|[^\W{_WIDE}]+")
_TITLES = re.compile(r"<title[^>]*>(.*?)</title>|<h1[^>]*>(.*?)</h1>|og:title[\"'][^>]*content=[\"'](.*?)[\"']\s*/?>", re.DOTALL | re.IGNORECASE)  # fmt: skip


def read_set(path: pathlib.Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def name_of(path: pathlib.Path) -> str:
    return path.name.split(".")[0]


def address_of(row: Row, name: str, number: int) -> str:
    """The page's address; where a set knows the site only, one of its own on that site."""
    address = str(row["url"] or "")
    is_whole = "/" in address.removeprefix("http://").removeprefix("https://")
    return address if is_whole else f"http://{row['site'] or name + '.test'}/{number}"


def digest(rows: Sequence[Row]) -> str:
    """A short name for exactly these pages and this gold."""
    made = hashlib.sha256()
    for row in sorted(rows, key=lambda row: str(row["id"])):
        made.update("\0".join((row["id"], row["url"], row["html"], row["gold"], "")).encode("utf-8", "replace"))
    return made.hexdigest()[:16]


def tokens(text: str) -> list[str]:
    return TOKEN.findall(text)


def grams(words: Sequence[str]) -> Grams:
    return (
        Counter(tuple(words[at : at + GRAM_WORDS]) for at in range(max(1, len(words) - GRAM_WORDS + 1)))
        if words
        else Counter()
    )


def titles_of(row: Row) -> set[str]:
    """The page's title as its head, its first heading and the set give it, whole and in parts."""
    found = [text for match in _TITLES.findall(row["html"][:HEAD_CHARS]) for text in match if text]
    raw = [re.sub(r"<[^>]+>", " ", text) for text in found]
    raw += [text if isinstance(text, str) else " ".join(text) for key in ("title", "headline") if (text := row["extra"].get(key))]  # fmt: skip
    raw = [html.unescape(text) for text in raw]
    raw += [part for text in raw for part in re.split(r"\s[|\-–—_:»«]\s|[|_]", text)]
    return {" ".join(tokens(text.lower())) for text in raw if len(tokens(text)) >= 3}


def untitled(text: str, titles: set[str]) -> str:
    lines = text.splitlines()
    return "\n".join(line for at, line in enumerate(lines) if at >= TITLE_LINES or " ".join(tokens(line.lower())) not in titles)  # fmt: skip


def apart(texts: object) -> str:
    """What a set has as a text or as a list of texts."""
    return (
        texts if isinstance(texts, str) else "\n".join(str(text) for text in texts) if isinstance(texts, list) else ""
    )


@dataclass(frozen=True)
class Gold:
    """What is right for one page, worked out once for all extractors."""

    words: list[str]
    grams: Grams
    titles: set[str]
    foreign: Grams  # of comments and related blocks, where the set has them

    @classmethod
    def of(cls, row: Row) -> Gold:
        titles = titles_of(row)
        words = tokens(untitled(row["gold"], titles))
        foreign = "\n".join(text for key in ("comments", "related") if (text := apart(row["extra"].get(key))))
        return cls(words, grams(words), titles, grams(tokens(foreign)) - grams(tokens(row["gold"])))


@dataclass(frozen=True)
class Score:
    """One extractor on one page, in 4-grams."""

    right: int
    wrong: int  # kept, and not in the gold
    missed: int
    is_exact: bool
    leaked: int  # of comments and related blocks
    foreign: int  # of them in the gold

    @property
    def f1(self) -> float:
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else 1.0


def score(gold: Gold, text: str) -> Score:
    words = tokens(untitled(text, gold.titles))
    given = grams(words)
    right = sum((gold.grams & given).values())
    leaked = sum((gold.foreign & given).values())
    wrong, missed = sum(given.values()) - right, sum(gold.grams.values()) - right
    return Score(right, wrong, missed, words == gold.words, leaked, sum(gold.foreign.values()))


@dataclass(frozen=True)
class Summary:
    """One extractor on many pages."""

    pages: int
    f1: float
    precision: float
    recall: float
    page_f1: float  # mean of the pages' own
    exact: float  # share of pages whose words are all right
    leak: float | None  # share of foreign 4-grams that were kept; None: the set marks none
    bad: int  # pages below BAD

    @classmethod
    def of(cls, scores: Sequence[Score]) -> Summary:
        precision = mean([one.right / (one.right + one.wrong) for one in scores if one.right + one.wrong])
        recall = mean([one.right / (one.right + one.missed) for one in scores if one.right + one.missed])
        foreign = sum(one.foreign for one in scores)
        return cls(
            pages=len(scores),
            f1=harmonic(precision, recall),
            precision=precision,
            recall=recall,
            page_f1=mean([one.f1 for one in scores]),
            exact=mean([one.is_exact for one in scores]),
            leak=sum(one.leaked for one in scores) / foreign if foreign else None,
            bad=sum(one.f1 < BAD for one in scores),
        )


def mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
