"""Full-text search in any language, and the index behind it.

FTS5's word index finds nothing in scripts without spaces, and its trigram index no word of two letters, which is most of
Chinese and Korean. So every Han, Kana and Hangul character is a word of its own in the index, and a searched word of
several is a phrase. The index keeps no text (contentless): a row is taken out with the very text it was put in with,
and snippets are cut here. What a user types is always quoted, so no query can be a syntax error.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

from pipelines.errors import ConfigError
from pipelines.report import width
from pipelines.store.connection import Connection, Row
from pipelines.store.filters import EVERYTHING, Filter
from pipelines.store.values import clean_text

MAX_QUERY_CHARS = 500
TITLE_WEIGHT = 5.0  # a word in the title says five times what it says in the text
SNIPPET_COLUMNS = 200  # three lines of 80 columns, less what indenting and whole words cost
SNIPPET_LEAD = 66  # of them before the hit
SNIPPET_SLACK = 20  # characters that a cut may move to fall between words
MOST_PER_SNIPPET = 400  # characters; marks that take no column of their own must not make it endless
SHORTEST_STEM = 4
LONGEST_ENDING = 3  # "-ing", "-ed", "-es": what the stemmer may have taken off either word
_CJK = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff])")
_PARTS = re.compile(r'"([^"]+)"|(\S+)')
RESULT = (
    "id, url, source, publisher, title, published, fetched, language, words, relevance, canonical, cluster, story, text"
)


class Search(Connection):
    """The table articles_fts."""

    def search(self, query: str, chosen: Filter = EVERYTHING) -> list[Row]:
        """Articles that hold all words of the query, best first, each with `snippet` and `rank` (lower is better).

        Text in double quotes is a phrase. Of a cluster the canonical article stands for its copies when it matches
        too. `ConfigError` for an empty query and for one above 500 characters; anything else is only not found.
        """
        words = words_of(query)
        if not words:
            return []
        condition, values = chosen.conditions()
        copies = "" if chosen.all_copies else "WHERE place = 1"
        sql = f"""
            WITH hits AS MATERIALIZED (
                SELECT rowid AS id, bm25(articles_fts, {TITLE_WEIGHT}, 1.0) AS rank FROM articles_fts WHERE articles_fts MATCH ?
            ), placed AS (
                SELECT hits.id, hits.rank,
                    row_number() OVER (PARTITION BY a.cluster ORDER BY a.canonical DESC, hits.rank, hits.id) AS place
                FROM hits JOIN articles AS a ON a.id = hits.id WHERE {condition}
            )
            SELECT id, rank FROM placed {copies} ORDER BY rank, id DESC LIMIT ?
        """
        phrases = phrases_of(words)
        ranks = {row["id"]: row["rank"] for row in self._rows(sql, (phrases, *values, chosen.rows))}
        rows = {
            row["id"]: row
            for row in self._rows(
                f"SELECT {RESULT} FROM articles WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ranks)),),
            )
        }
        return [as_result(rows[key], rank, words) for key, rank in ranks.items()]

    def _index(self, article: int, title: str, text: str) -> None:
        self._run(
            "INSERT INTO articles_fts (rowid, title, text) VALUES (?, ?, ?)", (article, spaced(title), spaced(text))
        )

    def _unindex(self, article: int, title: str, text: str) -> None:
        """Take a row out; title and text must be those it was put in with. Its counted terms go, too."""
        self._run("DELETE FROM story_terms WHERE article = ?", (article,))
        sql = "INSERT INTO articles_fts (articles_fts, rowid, title, text) VALUES ('delete', ?, ?, ?)"
        self._run(sql, (article, spaced(title), spaced(text)))

    def _reindex(self) -> None:
        """Build the whole index anew from the articles."""
        self._run("INSERT INTO articles_fts (articles_fts) VALUES ('delete-all')")
        for row in self._stream("SELECT id, title, text FROM articles"):
            self._index(row["id"], row["title"], row["text"])


def spaced(text: str) -> str:
    """The text as it is indexed: one spelling of each character, and Han, Kana, Hangul characters apart.

    A change here needs a migration that builds the index anew.
    """
    return _CJK.sub(r" \1 ", unicodedata.normalize("NFKC", text))


def phrases_of(words: Iterable[str]) -> str:
    """Words as the index is asked for them: every one quoted, so that none is an operator."""
    return " ".join(f'"{spaced(word)}"' for word in words)


def words_of(query: str) -> list[str]:
    """The words and quoted phrases of a query; what holds no letter or digit cannot be searched for."""
    if len(query) > MAX_QUERY_CHARS:
        raise ConfigError(
            "query", f"{len(query):,} characters", f"at most {MAX_QUERY_CHARS}", "search for a few words of it"
        )
    if not query.strip():
        raise ConfigError("query", "it is empty", "a word to look for")
    words = [quoted or word for quoted, word in _PARTS.findall(clean_text(query))]
    plain = [word.replace('"', " ").strip() for word in words]
    return [word for word in plain if any(is_searchable(char) for char in unicodedata.normalize("NFKC", word))]


def is_searchable(char: str) -> bool:
    """True for what the index takes as part of a word: letters, numbers, private use."""
    category = unicodedata.category(char)
    return category[0] in "LN" or category == "Co"


def as_result(row: Row, rank: float, words: list[str]) -> Row:
    text = row.pop("text")
    return row | {"snippet": snippet(text, words), "rank": rank}


def snippet(text: str, words: list[str]) -> str:
    """The part of a text around the first hit, in one line; its beginning when only the title matches."""
    hit = first_hit(text, words)
    start = hit - fitting(reversed(text[max(0, hit - SNIPPET_LEAD) : hit]), SNIPPET_LEAD)
    if start:
        space = text.find(" ", start, min(start + SNIPPET_SLACK, hit))
        start = space + 1 if space >= 0 else start
    end = start + fitting(text[start : start + MOST_PER_SNIPPET], SNIPPET_COLUMNS)
    if end < len(text):
        space = text.rfind(" ", max(start, end - SNIPPET_SLACK), end)
        end = space if space >= 0 else end
    cut = " ".join(text[start:end].split())
    return ("…" if start else "") + cut + ("…" if end < len(text) else "")


def fitting(chars: Iterable[str], columns: int) -> int:
    """How many of the characters have room in so many columns: those of Chinese, Japanese and Korean take two."""
    count = 0
    for char in chars:
        columns -= width(char)
        if columns < 0:
            break
        count += 1
    return count


def first_hit(text: str, words: list[str]) -> int:
    """Where the first of the words stands, else the first word that begins like one; 0 when none does."""
    for pattern in (whole_words(words), "|".join(begins_like(word) for word in words)):
        if found := re.search(pattern, text, re.IGNORECASE):
            return found.start()
    return 0


def whole_words(words: list[str]) -> str:
    return "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words)


def begins_like(word: str) -> str:
    """A pattern for words of the same stem; between Han, Kana, Hangul characters there is no border to look for."""
    stem = word[: max(SHORTEST_STEM, len(word) - LONGEST_ENDING)]
    return re.escape(word) if _CJK.search(word) else rf"(?<!\w){re.escape(stem)}"
