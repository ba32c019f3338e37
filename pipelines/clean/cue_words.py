"""The words that announce what is not the article, read from cues/<language>.toml.

They are data so that a language is added or a phrase corrected without touching code, and so that a diff shows
exactly what changed. Lines are compared without case, with "#" for numbers and without the punctuation around.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

LONGEST_LINE = 320  # a line that announces something is short; longer ones are text that happens to use the words
LINES_KEPT = 4096  # a megabyte a language
LONGEST_TITLE = 70  # of a whole-line phrase
_NUMBER = re.compile(r"\d[\d.,\u00a0]*")
_EDGES = " \t:：.。!！?？…*•·|»›>→-–—»«\"'“”‘’▼▶►■◆●"
_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "–": "-", "—": "-"})


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
        self._starts: dict[str, list[tuple[tuple[str, ...], str]]] = {}  # first character: parts, kind
        self._open: list[tuple[tuple[str, ...], str]] = []
        self._needles: list[str] = []  # what a line must hold for one of those
        self.find = lru_cache(maxsize=LINES_KEPT)(self.kinds_in)  # menus say the same on every page

    def add(self, kind: str, phrase: str) -> None:
        parts = tuple(phrase.casefold().translate(_QUOTES).split("*"))
        if len(parts) == 1:
            self._whole.setdefault(parts[0].strip(_EDGES), []).append(kind)
        elif parts[0]:
            self._starts.setdefault(parts[0][:1], []).append((parts, kind))
        else:
            self._open.append((parts, kind))
            self._needles.append(parts[1])

    def kinds_in(self, text: str) -> Mapping[str, str]:
        """Return kind: phrase for every kind the line announces."""
        if len(text) > LONGEST_LINE:
            return {}
        line = text.casefold()
        line = _NUMBER.sub("#", line if line.isascii() else line.translate(_QUOTES)).strip(" \t*•·|»›>→-▼■◆●")
        bare = line.strip(_EDGES)
        found = {}
        if len(bare) <= LONGEST_TITLE:
            found = dict.fromkeys(self._whole.get(bare, ()), bare)
        for parts, kind in self._starts.get(line[:1], ()):
            if line.startswith(parts[0]) and kind not in found and has_parts(line, parts):
                found[kind] = " … ".join(part for part in parts if part)
        if not any(
            map(line.__contains__, self._needles)
        ):  # a quarter of the time of the loop below, and hardly ever true
            return found
        for parts, kind in self._open:
            if parts[1] in line and kind not in found and has_parts(line, parts):
                found[kind] = " … ".join(part for part in parts if part)
        return found


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
