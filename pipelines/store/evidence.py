"""Why an article is as it is: blocks left out, terms matched, earlier versions.

A block's text is stored once under its hash, and so is its fate (kind, reason, evidence): a site's footer is one row however
many articles it was taken from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pipelines.records import Block, Term
from pipelines.store.connection import Connection, Row
from pipelines.store.values import are_storable, clean_text, hash_of, number

MAX_KEPT = 50_000  # keys remembered of a table: some 5 MB


@lru_cache(5_000)
def hash_of_fate(*parts: str) -> int:
    """The key of a fate; a crawl meets the same few thousand again and again."""
    return hash_of("\0".join(parts))


hash_of_block = lru_cache(5_000)(hash_of)  # menus say the same on every page


class Evidence(Connection):
    """The tables left_out, blocks and fates (views: removed_blocks, removed, repeated_blocks), relevance_terms, versions, origins."""

    def removed(self, article: int) -> list[Row]:
        """Blocks left out, in page order: article, position, kind, reason, evidence, text."""
        return self._rows("SELECT * FROM removed WHERE article = ? ORDER BY position", (article,))

    def repeated_blocks(self, limit: int = 50) -> list[Row]:
        """Blocks left out of several pages: hash, pages (how many), kind, reason, text; the most frequent first."""
        return self._rows("SELECT * FROM repeated_blocks LIMIT ?", (limit,))

    def terms(self, article: int) -> list[Row]:
        """Why it is relevant: article, concept, term, weight; the heaviest first."""
        return self._rows(
            "SELECT * FROM relevance_terms WHERE article = ? ORDER BY weight DESC, concept, term", (article,)
        )

    def topics_of(self, article: int) -> list[str]:
        """The concepts an article matched, the heaviest first."""
        sql = "SELECT concept FROM relevance_terms WHERE article = ? AND weight > 0 GROUP BY concept ORDER BY sum(weight) DESC, concept"
        return [row["concept"] for row in self._rows(sql, (article,))]

    def versions(self, article: int) -> list[Row]:
        """Earlier texts, newest first: article, seen, text, diff (to the text that came after), title, replaced."""
        sql = "SELECT article, seen, text, diff, title, replaced FROM versions WHERE article = ? ORDER BY id DESC"
        return self._rows(sql, (article,))

    def _set_removed(self, article: int, blocks: tuple[Block, ...]) -> None:
        """Make the removed blocks of an article these; nothing is written when they are the same already."""
        removed = [(position, block) for position, block in enumerate(blocks) if not block.is_kept]
        told = [(block.text, block.kind, block.reason, block.evidence) for _, block in removed]
        if not are_storable(text for texts in told for text in texts):
            told = [
                (clean_text(text), clean_text(kind), clean_text(reason), clean_text(evidence))
                for text, kind, reason, evidence in told
            ]
        wanted, texts, fates = [], {}, {}
        for (position, _), (text, *fate) in zip(removed, told, strict=True):
            key, of_fate = hash_of_block(text), hash_of_fate(*fate)
            texts[key], fates[of_fate] = text, fate
            wanted.append((position, of_fate, key))
        told_as = json.dumps(wanted, separators=(",", ":"))
        before = self._value("SELECT blocks FROM left_out WHERE article = ?", (article,))
        if before == told_as:
            return
        # one statement a table: row by row, each would let other threads in and wait for its turn again
        self._add_once("blocks", "hash, text", "CAST(key AS INTEGER), value", texts)
        self._add_once(
            "fates",
            "hash, kind, reason, evidence",
            "CAST(key AS INTEGER), value ->> 0, value ->> 1, value ->> 2",
            fates,
        )
        if wanted or before:
            self._run(
                "INSERT INTO left_out (article, blocks) VALUES (?, ?) ON CONFLICT (article) DO UPDATE SET blocks = excluded.blocks",
                (article, told_as),
            )

    def _add_once(self, table: str, columns: str, values: str, rows: Mapping[int, Any]) -> None:
        """Add what a table of hashed rows does not have; what this connection has added already is not even offered."""
        kept = self._kept.setdefault(table, set())
        fresh = sorted(rows.keys() - kept)
        if fresh:
            told = json.dumps({key: rows[key] for key in fresh}, ensure_ascii=False)
            self._run(f"INSERT OR IGNORE INTO {table} ({columns}) SELECT {values} FROM json_each(?)", (told,))
        if len(kept) > MAX_KEPT:
            kept.clear()
        kept.update(fresh)

    def _set_origin(self, article: int, name: str) -> bool:
        """Note whom the text names as its origin; True when that is another than before."""
        wanted = clean_text(name)
        before = self._value("SELECT name FROM origins WHERE article = ?", (article,)) or ""
        if wanted == before:
            return False
        if wanted:
            self._run("INSERT OR REPLACE INTO origins (article, name) VALUES (?, ?)", (article, wanted))
        else:
            self._run("DELETE FROM origins WHERE article = ?", (article,))
        return True

    def _set_terms(self, article: int, terms: tuple[Term, ...]) -> None:
        """Make the matched terms of an article these; a term named twice counts once, with its weights added."""
        wanted: dict[tuple[str, str], float] = {}
        for term in terms:
            key = (clean_text(term.concept), clean_text(term.term))
            wanted[key] = wanted.get(key, 0.0) + number(term.weight)
        known = {(row["concept"], row["term"]): row["weight"] for row in self.terms(article)}
        if known == wanted:
            return
        self._run("DELETE FROM relevance_terms WHERE article = ?", (article,))
        self._run_many(
            "INSERT INTO relevance_terms (article, concept, term, weight) VALUES (?, ?, ?, ?)",
            [(article, concept, term, weight) for (concept, term), weight in wanted.items()],
        )
