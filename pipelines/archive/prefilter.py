"""Say from a page's bytes alone that it cannot be about the topic, so that most of an archive is never parsed.

A general archive has a page of ours in a few hundred; parsing one takes 30 ms, this look 2. It must not miss: markup and
punctuation between the words of a term do not matter, nor does their case, and a page whose letters cannot be seen as
they stand (UTF-16, escape sequences, character references throughout, no charset that fits) is let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from pipelines.decode import claimed_codecs
from pipelines.records import Page
from pipelines.relevance import Phrase, vocabulary

# ASCII letters and digits, small; everything else ends a word, the bytes of other letters too: what is left of
# "Künstliche" is the same in every charset and as a character reference
WORDS = bytes(ord(chr(byte).lower()) if chr(byte).isascii() and chr(byte).isalnum() else 32 for byte in range(256))
EAST_ASIAN = re.compile(r"[\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af]+")  # written without spaces: looked for as they are
ASCII_WORD = re.compile(r"[a-z0-9]+")
LEAST_LETTERS = 2  # of a piece of a word with other letters: one alone says nothing
MOST_REFERENCES = 300  # numeric references; more, and the text may be written in them
LEADS = bytes(
    range(0xE3, 0xEE)
)  # with one of these each East Asian letter begins in UTF-8, and no accent or quotation mark
FEWEST_LEADS = 2  # letters of the shortest term
SCRIPT = re.compile(rb"<(script|style)\b(?![^>]*ld\+json)[^>]*>.*?</\1", re.IGNORECASE | re.DOTALL)
TAG = re.compile(rb"<(?![Mm][Ee][Tt][Aa]\b)[^>]*>")  # what a meta element says is read
REFERENCE = re.compile(
    rb"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
)  # ends a word, as its letter would
ESCAPE = b"\x1b$"  # begins East Asian letters in ISO-2022
SOFT_HYPHENS = (b"&shy;", b"&#173;", b"&#xad;", b"&#xAD;")  # stand in a word


@dataclass(frozen=True, slots=True)
class Needle:
    """What must be in the bytes for a phrase to be in the text."""

    words: frozenset[bytes]
    phrase: bytes  # the words as they follow each other; empty where other letters may come between
    runs: tuple[str, ...]  # of East Asian letters
    exact: bytes  # an acronym, whose case counts


@dataclass(frozen=True, slots=True)
class Needles:
    """The phrases of one role: those of a Latin script under one of their words each, and the others."""

    by_word: dict[bytes, tuple[Needle, ...]]
    others: tuple[Needle, ...]


def may_be_topical(page: Page) -> bool:
    """False only where no stage could find the page relevant to the topic."""
    body = page.body
    if b"\0" in body[:1024] or ESCAPE in body or body.count(b"&#") > MOST_REFERENCES or is_of_unknown_letters(page):
        return True
    text = TAG.sub(b" ", SCRIPT.sub(b" ", body))
    for hyphen in SOFT_HYPHENS:
        text = text.replace(hyphen, b"")
    seen = Seen(REFERENCE.sub(b" ", text), page)
    needles = prepared()
    return seen.has(needles["positive"]) or (seen.has(needles["ambiguous"]) and seen.has(needles["context"]))


def is_of_unknown_letters(page: Page) -> bool:
    """True for a page whose bytes are not what it claims, so that its charset is guessed when it is parsed."""
    if page.body.isascii() or any(codec != "utf-8" for codec in claimed_codecs(page.body, page.content_type)):
        return False
    try:
        page.body.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end < len(page.body)  # not just a last letter that was cut off
    return False


class Seen:
    """A page's bytes, ready to be asked for needles."""

    def __init__(self, body: bytes, page: Page) -> None:
        words = body.translate(WORDS).split()
        self.words = frozenset(words)
        self._told = b" %b " % b" ".join(words)
        self._body = body
        claims = list(claimed_codecs(page.body, page.content_type))
        leads = len(body) - len(body.translate(None, LEADS))
        self._codecs = [name for name in claims if name not in ("utf-8", "cp1252")] + ["utf-8"] * (
            leads >= FEWEST_LEADS
        )
        self._known: dict[str, bool] = {}

    def has(self, needles: Needles) -> bool:
        """True when one of the needles is there."""
        some = (needle for word in needles.by_word.keys() & self.words for needle in needles.by_word[word])
        return any(map(self._is_there, some)) or (bool(self._codecs) and any(map(self._is_there, needles.others)))

    def _is_there(self, needle: Needle) -> bool:
        return (
            needle.words <= self.words
            and needle.phrase in self._told
            and needle.exact in self._body
            and all(map(self._has_run, needle.runs))
        )

    def _has_run(self, run: str) -> bool:
        if run not in self._known:
            self._known[run] = any(written in self._body for written in spellings(run, self._codecs))
        return self._known[run]


def spellings(run: str, codecs: Iterable[str]) -> Iterator[bytes]:
    """A run of letters as each of the charsets writes it."""
    for codec in codecs:
        if written := run.encode(codec, "ignore"):
            yield written


@cache
def prepared() -> dict[str, Needles]:
    """The needles of the vocabulary by role."""
    phrases = vocabulary()
    roles = {
        role: [phrase for phrase in phrases["scored"] if phrase.role == role] for role in ("positive", "ambiguous")
    }
    return {role: indexed(found) for role, found in (roles | {"context": phrases["context"]}).items()}


def indexed(phrases: Iterable[Phrase]) -> Needles:
    by_word: dict[bytes, tuple[Needle, ...]] = {}
    others = []
    for needle in dict.fromkeys(map(needle_of, phrases)):
        if needle.runs or not needle.words:
            others.append(needle)
        else:
            rarest = max(needle.words, key=len)  # a long word is a rare one
            by_word[rarest] = (*by_word.get(rarest, ()), needle)
    return Needles(by_word, tuple(others))


def needle_of(phrase: Phrase) -> Needle:
    """What a page must have in it to have the phrase."""
    text = phrase.text.lower()
    least = 1 if text.isascii() else LEAST_LETTERS
    words = [word.encode() for word in ASCII_WORD.findall(text) if len(word) >= least]
    return Needle(
        frozenset(words),
        b" %b " % b" ".join(words) if text.isascii() else b"",
        tuple(EAST_ASIAN.findall(text)),
        phrase.text.encode() if phrase.is_acronym else b"",
    )
