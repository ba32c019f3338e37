"""Which language a page is in: what it says, then its script, then what we were told, then a guess.

py3langid takes a second and 136 MB to load, so it is asked last and only for pages that left us no other way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SAMPLE_CHARS = 2000  # what the guess reads; more changes nothing
SCRIPT_SHARE = 0.2  # of letters; a Japanese page may be half kanji, a Korean one quotes English
MIN_GUESS_CHARS = 40  # below this a guess is a coin toss

_CODE = re.compile(r"^([a-z]{2})(?:$|[-_])", re.IGNORECASE)
_SCRIPTS = (
    ("ko", re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u3400-\u9fff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
_LETTER = re.compile(r"[^\W\d_]")
_OTHER_SCRIPT = re.compile(r"[\u0370-\u1fff\u3040-\ud7a3]")
_IN_LATIN = {"ko", "ja", "zh", "el", "he", "th", "ru", "uk", "bg", "ar", "fa"}  # languages not written in Latin letters


def code(claim: str) -> str:
    """`en-GB` as `en`; "" for what is no language code."""
    match = _CODE.match(claim.strip())
    return match.group(1).lower() if match else ""


def by_script(text: str) -> str:
    """The language whose script a fifth of the letters is in; "" for Latin, Cyrillic, Arabic and other shared scripts."""
    sample = text[:SAMPLE_CHARS]
    letters = len(_LETTER.findall(sample))
    for name, script in _SCRIPTS:
        if letters and len(script.findall(sample)) >= SCRIPT_SHARE * letters:
            return name
    return ""


def language_of(text: str, claims: Iterable[str]) -> str:
    """ISO 639-1 code. `claims`: the page's own first, then the source's; a claim the script contradicts is passed over."""
    script = by_script(text)
    if script:
        return script
    is_latin = len(_OTHER_SCRIPT.findall(text[:SAMPLE_CHARS])) < 0.05 * len(text[:SAMPLE_CHARS])
    for claim in claims:
        found = code(claim)
        if found and not (is_latin and text and found in _IN_LATIN):
            return found
    return guessed(text)


def guessed(text: str) -> str:
    """Ask the model."""
    sample = text[:SAMPLE_CHARS]
    if len(sample) < MIN_GUESS_CHARS:
        return ""
    import py3langid

    name, _ = py3langid.classify(sample)
    return str(name)
