"""Where one sentence ends and the next begins, in English, German, Korean, Chinese and Japanese, without a model.

A full stop ends a sentence seldom enough: after "Dr.", "z. B.", "U.S.", an initial, "3." before a month it does not. What
is unsure stays together: a sentence too long is easier to read than half of one.
"""

from __future__ import annotations

import re

_CLOSERS = "\"'”’“‘»«)\\]」』】）〉》"  # “ and « close in German, and open nowhere without a space before them
_END = re.compile(rf"[.!?…。！？｡．]+[{_CLOSERS}]*")
_WIDE_MARKS = frozenset("。！？｡")
_OPENERS = frozenset("「『【（〈《")
_SHUTTERS = frozenset("」』】）〉》")
_LAST_WORD = re.compile(r"[^\W\d_]+(?:\.[^\W\d_]+)*\Z")
_DATE = re.compile(r"\b\d{4}\. ?\d{1,2}\.(?: ?\d{1,2}\.)?")  # as Korean has it
_NUMBER = re.compile(r"(?<![\d.,])\d{1,2}\Z")
_FIRST_WORD = re.compile(r"[\"'“‘«„(\[]*([^\W\d_]+)")
_HIRAGANA = re.compile("[\u3041-\u3096]")
_NO_SPACE_SCRIPT = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
# never the last word of a sentence
_TITLES_TEXT = """
mr mrs ms mx dr drs prof st gen sen rep gov lt col capt sgt rev hon pres hr fr frl dipl ing mt ft vs cf viz ca
approx al bzw evtl ggf inkl exkl vgl sog geb gest mio mrd tsd str zzgl bspw insb mme mlle sr sra srta dra e.g
i.e z.b d.h u.a o.ä s.o s.u v.a i.d.r u.u z.t m.e
"""
# before a number only
_NUMBERED_TEXT = """
no nos nr nrn fig figs vol vols p pp s abs art bd sec ch kap ziff abb tab jan feb mar apr jun jul aug sep sept
oct okt nov dec dez
"""
# either: a new sentence when a word follows that often begins one
_EITHER_TEXT = """
u.s u.k u.n e.u d.c a.m p.m etc inc ltd corp co jr sr bros usw uvm u.s.a ph.d
"""
_BEGINNERS_TEXT = """
the a an it he she they we i this that these those in on at but and however there when while if as for after
before its their his her what who how why now last next some many most one two der die das ein eine es er sie
wir ich dies diese dieser dieses im in am auf aber und doch wenn als nach vor damit dort hier so auch
"""
_MONTHS_TEXT = """
januar jänner februar märz april mai juni juli august september oktober november dezember jahrhundert
jahrhunderts klasse stock platz rang mal tag jahrestag geburtstag auflage bundesliga weltkrieg
"""

_TITLES, _NUMBERED, _EITHER, _BEGINNERS, _MONTHS = (
    frozenset(words.split()) for words in (_TITLES_TEXT, _NUMBERED_TEXT, _EITHER_TEXT, _BEGINNERS_TEXT, _MONTHS_TEXT)
)


def sentences(text: str, language: str = "") -> list[str]:
    """The sentences of a text; a paragraph's end is one, too. Only white space is lost.

    `language` (ISO 639-1) settles what German does otherwise: "am 3. Oktober".
    """
    found: list[str] = []
    for paragraph in text.splitlines():
        start = 0
        for end in ends(paragraph, language):
            found.append(paragraph[start:end].strip())
            start = end
        found.append(paragraph[start:].strip())
    return [sentence for sentence in found if sentence]


def ends(paragraph: str, language: str) -> list[int]:
    """Where sentences end within a paragraph."""
    found: list[int] = []
    has_brackets = sum(map(paragraph.count, _OPENERS)) == sum(map(paragraph.count, _SHUTTERS))
    dates = [found_date.span() for found_date in _DATE.finditer(paragraph)]
    depth, done = 0, 0
    for match in _END.finditer(paragraph):
        for char in paragraph[done : match.end()]:
            depth += (char in _OPENERS) - (char in _SHUTTERS)
        done = match.end()
        if depth > 0 and has_brackets:  # a sentence within a quotation of Japanese or Chinese
            continue
        if any(start < match.end() <= end for start, end in dates):
            continue
        if is_end(paragraph, match, language):
            found.append(match.end())
    return found


def is_end(paragraph: str, match: re.Match[str], language: str) -> bool:
    marks, rest = match.group(), paragraph[match.end() :]
    following = rest.lstrip()
    if not following:
        return False
    if any(mark in _WIDE_MARKS for mark in marks):
        # 「…。」と述べた: the quotation is a part of the sentence
        return not (marks[-1] in _SHUTTERS and _HIRAGANA.match(rest))
    if rest == following:  # no white space: 3.5, example.org; but scripts without spaces have none after "!" either
        return marks[0] in "!?…" and bool(_NO_SPACE_SCRIPT.match(following))
    if following[0].islower() or following[0] in ".…":  # ". . ." is one mark
        return False
    if marks[0] != "." or marks.startswith(".."):
        return True
    return not is_abbreviation(paragraph[: match.start()], following, language)


def is_abbreviation(before: str, following: str, language: str) -> bool:
    """True when the full stop after `before` belongs to its last word."""
    number = _NUMBER.search(before)
    next_word = _FIRST_WORD.match(following)
    opening = next_word.group(1).casefold() if next_word else ""
    if number:
        # "1. What we did"; "am 3. Oktober"; German has no other way to write an ordinal
        return not before[: number.start()].strip() or opening in _MONTHS or language == "de"
    word = _LAST_WORD.search(before)
    if word is None:
        return False
    last = word.group().casefold()
    if last in _EITHER:
        return opening not in _BEGINNERS
    if len(last) == 1 and last.isascii():  # an initial; z. B.
        return True
    return last in _TITLES or (last in _NUMBERED and following[0].isdigit())
