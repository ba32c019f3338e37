"""Whom a text names as its origin: "(Reuters)" in the dateline, "originally published at …" under it.

Why it matters: an aggregator often shows a story before we have read the publisher who wrote it, and time alone would name
the aggregator the original. The words are data, in origin.toml; what is found counts only where a cluster has an article of that publisher.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from pipelines.urls import site

HEAD_CHARS = 300  # a dateline stands at the start…
TAIL_CHARS = 500  # …and a credit at the end, sometimes above a note on the author
MAX_NAME_CHARS = 60
MAX_NOTE_CHARS = 400  # a block longer than this is no credit

_END = r"\s.,;:!?()<>|\[\]【】「」『』。、，；！？（）\"“”«»"
_NAME_AFTER = re.compile(
    rf"[\s\"“«「『《:]*((?:[\w-]+\.)+[a-z]{{2,}}|[^{_END}《》]+(?: [^{_END}《》]+){{0,5}})", re.IGNORECASE
)
_NAME_BEFORE = re.compile(rf"([^{_END}《》]+)[\"”»」』》]?\s*$")
_LATIN_DATELINE = re.compile(r"\((?P<name>[^\W\d_][\w.&' -]{1,38})\)\s*[-\u2013\u2014]")  # LONDON (Reuters) -
_KOREAN_DATELINE = re.compile(
    r"[(（\[][^()（）\[\]=\n]{1,24}=(?P<name>[^()（）\[\]=\n]{2,20})[)）\]]"
)  # (서울=연합뉴스)
_AFTER_NAME = re.compile(  # what follows a name in the same sentence
    r"\s+(?:on|under|and|with|as|at|is|was|by|in|here|am|unter|und|vom|mit|sous|le|et|el|bajo|y|il|sotto|기자|에서|을|를)\s.*$|\s+(?:\d|here$|hier$).*$",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:the|der|die|das|dem|den|le|la|les|el|il|lo|o|a|het|de)\s+|^l['’]", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")


def named_origin(text: str, notes: Iterable[str] = ()) -> str:
    """The publisher a text names as that of the original, in its dateline, its last lines or the notes around it; else ""."""
    head, tail = text[:HEAD_CHARS], text[-TAIL_CHARS:] if len(text) > HEAD_CHARS else ""
    parts = [*(note for note in notes if len(note) <= MAX_NOTE_CHARS), tail, head]
    together = " ".join(" ".join(parts).replace("：", ":").split()).casefold()
    if any(
        (before or after) in together for before, after in phrases()
    ):  # in few pages: then which of the parts says it
        for part in parts:
            if name := credited(part):
                return name
    return in_dateline(head) or in_last_line(text[-TAIL_CHARS:])


def credited(part: str) -> str:
    """The name in "originally published at …", in any of the languages."""
    line = " ".join(part.replace("：", ":").split())
    folded_line = line.casefold()
    if len(folded_line) != len(line):
        line = folded_line  # "ß" becomes two letters: places must agree
    for before, after in phrases():
        at = folded_line.find(before or after)
        if at < 0:
            continue
        found = _NAME_AFTER.match(line, at + len(before)) if before else _NAME_BEFORE.search(line[:at])
        name = _AFTER_NAME.sub("", found[1]).strip(" -–—'’") if found else ""
        if name and len(name) <= MAX_NAME_CHARS:
            return known_as(_ARTICLE.sub("", name))
    return ""


def in_dateline(head: str) -> str:
    for dateline in (_KOREAN_DATELINE, _LATIN_DATELINE):
        if found := dateline.search(head):
            return known_as(found["name"].split("/")[0].strip())
    found = agency_marks().search(head)  # 新华社北京11月21日电, 【ワシントン共同】
    return known_as(found[1] or found[2]) if found else ""


def in_last_line(tail: str) -> str:
    """An agency alone in brackets at the very end, as German and Japanese papers put it."""
    found = re.search(r"[(（]([^()（）\n]{2,38})[)）]\s*$", tail)
    return agencies().get(folded(found[1].split("/")[0]), "") if found else ""


def is_origin(name: str, publisher: str, url: str) -> bool:
    """True when this publisher is the one that is named, by its name, one of an agency's names, or its address."""
    names = [name, *also_known_as(name)]
    host = site(url)
    words = folded(publisher).split()
    for one in names:
        wanted = folded(one).split()
        if wanted and (words[: len(wanted)] == wanted or "".join(wanted) == host.split(".")[0]):
            return True
        if "." in one and site(f"https://{one.casefold()}/") == host:
            return True
    return False


def folded(name: str) -> str:
    """A name's words, without case, leading article and marks."""
    return " ".join(_WORD.findall(_ARTICLE.sub("", name.strip()).casefold()))


def known_as(name: str) -> str:
    """An agency's usual name, or the name as it is."""
    return agencies().get(folded(name), name)


def also_known_as(name: str) -> tuple[str, ...]:
    return next((tuple(names) for names in words()["agencies"]["names"] if names[0] == name), ())


@cache
def words() -> dict[str, Any]:
    """The file of phrases; read once a process, it is part of the program."""
    return tomllib.loads(files("pipelines.dedup").joinpath("origin.toml").read_text("utf-8"))


@cache
def agencies() -> dict[str, str]:
    return {folded(name): names[0] for names in words()["agencies"]["names"] for name in names}


@cache
def phrases() -> list[tuple[str, str]]:
    """Each phrase as what stands before the name and what after it (one of them is empty), the longest first."""
    known = [phrase.casefold().replace("：", ":") for language in words()["phrases"].values() for phrase in language]
    parts = [(before.strip(), after) for before, _, after in (phrase.partition("{name}") for phrase in known)]
    return sorted(parts, key=lambda part: (-len(part[0] or part[1]), part))


@cache
def agency_marks() -> re.Pattern[str]:
    names = sorted((name for names in words()["agencies"]["names"] for name in names if not name.isascii()), key=len)
    either = "|".join(map(re.escape, reversed(names)))
    return re.compile(rf"^\s*(?:[（(]?)({either})[^\n。]{{0,24}}[电電]|[【（(][^】）)\n]{{0,12}}?({either})[】）)]")
