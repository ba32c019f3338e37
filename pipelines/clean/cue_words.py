"""The words that announce what is not the article, read from cues/<language>.toml.

They are data so that a language is added or a phrase corrected without touching code, and so that a diff shows
exactly what changed. Lines are compared without case, with "#" for numbers and without the punctuation around.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from itertools import count

LONGEST_LINE = 320  # a line that announces something is short; longer ones are text that happens to use the words
LINES_KEPT = 4096  # a megabyte a language
LENGTHS = (1, 2, 3, 4)  # of the beginnings by which phrases are looked up: as a line's first character begin forty
AFTER_STARTS = 1_000_000  # phrases that begin with anything are tried after all that do not
LONGEST_TITLE = 70  # of a whole-line phrase
NOTHING: Mapping[str, str] = {}
Phrase = tuple[int, tuple[str, ...], str]  # its number in the order of the files, its parts, its kind
_NUMBER = re.compile(r"\d[\d.,\u00a0]*")
_EDGES = " \t:：.。!！?？…*•·|»›>→-–—»«\"'“”‘’▼▶►■◆●"
_SPELLINGS = {"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "–": "-", "—": "-"}


def folded(text: str) -> str:
    """Without case, in one spelling of quotes and dashes (by `replace`: `translate` takes ten times as long)."""
    text = text.casefold()
    if not text.isascii():
        for one, other in _SPELLINGS.items():
            text = text.replace(one, other)
    return text


def has_parts(line: str, parts: tuple[str, ...]) -> bool:
    """True when the line holds the parts in order; a non-empty first or last part must be its beginning or end."""
    if parts[0] and not line.startswith(parts[0]):
        return False
    if parts[-1] and not line.rstrip(_EDGES).endswith(parts[-1]):
        return False
    at = 0
    for part in parts:
        at = line.find(part, at) if part else at
        if at < 0:
            return False
        at += len(part)
    return True


class Cues:
    """The phrases of one page's languages, laid out so that a line is compared with few of them."""

    def __init__(self) -> None:
        self._whole: dict[str, list[str]] = {}  # phrase: kinds
        self._number = count()  # of phrases, in the order of the files
        self._starts: dict[str, list[Phrase]] = {}  # first characters: phrases
        self._open: dict[str, list[Phrase]] = {}  # what a line must hold: phrases that begin with anything before it
        self._known: dict[str, Mapping[str, str]] = {}  # lines and what they announce: menus say the same on every page

    def add(self, kind: str, phrase: str) -> None:
        parts, number = tuple(folded(phrase).split("*")), next(self._number)
        if len(parts) == 1:
            self._whole.setdefault(parts[0].strip(_EDGES), []).append(kind)
        elif parts[0]:
            self._starts.setdefault(parts[0][: LENGTHS[-1]], []).append((number, parts, kind))
        else:
            self._open.setdefault(parts[1], []).append((number + AFTER_STARTS, parts, kind))

    def find(self, text: str) -> Mapping[str, str]:
        """Return kind: phrase for every kind the line announces."""
        return self.find_all([text])[0]

    def find_all(self, texts: Sequence[str]) -> list[Mapping[str, str]]:
        """The same for every line of a page; what needs no look at a single line is done for all of them together."""
        if len(self._known) > LINES_KEPT:
            self._known.clear()
        new = [text for text in dict.fromkeys(texts) if len(text) <= LONGEST_LINE and text not in self._known]
        page = _NUMBER.sub("#", folded("\n".join(new)))
        needles = {needle for needle in self._open if needle in page}
        for text, line in zip(new, page.split("\n"), strict=False):
            self._known[text] = self._kinds_in(line.strip(" \t*•·|»›>→-▼■◆●"), needles)
        return [self._known.get(text, NOTHING) for text in texts]

    def _kinds_in(self, line: str, needles: set[str]) -> Mapping[str, str]:
        """`needles`: those that stand in one of the page's lines, few."""
        bare = line.strip(_EDGES)
        found = {}
        if len(bare) <= LONGEST_TITLE:
            found = dict.fromkeys(self._whole.get(bare, ()), bare)
        possible = [phrase for length in LENGTHS for phrase in self._starts.get(line[:length], ())]
        for needle in needles:
            if needle in line:
                possible += self._open[needle]
        for _, parts, kind in sorted(possible):
            if kind not in found and has_parts(line, parts):
                found[kind] = " … ".join(part for part in parts if part)
        return found or NOTHING


@lru_cache(maxsize=1)
def tables() -> dict[str, dict[str, list[str]]]:
    """Every language's file; read once a process, it is part of the program."""
    found = {}
    for resource in files("pipelines.clean").joinpath("cues").iterdir():
        if resource.name.endswith(".toml"):
            found[resource.name.removesuffix(".toml")] = tomllib.loads(resource.read_text("utf-8"))
    return found


@lru_cache(maxsize=64)
def cues_for(language: str) -> Cues:
    """The page's language and English, which every site uses somewhere; all of them when we do not know."""
    languages = {language, "en"} if language in tables() else set(tables())
    cues = Cues()
    for name in sorted(languages):
        for kind, phrases in tables()[name].items():
            for phrase in phrases:
                cues.add(kind, phrase)
    return cues
