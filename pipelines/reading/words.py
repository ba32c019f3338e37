"""What a single text looks like: how many words it has, and whether it ends as a sentence does."""

from __future__ import annotations

import re
from functools import lru_cache

PROSE_WORDS = 20  # a sentence or two: what bodies are made of and menus are not
LINKED = 0.5  # share of link characters above which a block leads elsewhere
WIDE_PER_WORD = 1.7  # Chinese, Japanese, Korean characters that say what one English word says
TEXTS_KEPT = 1024  # a page's blocks are asked for three times: by the glance, when judged, by the site's memory

_WORD = re.compile(r"\w+")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\u0e00-\u0eff]")
_ENDS = tuple(".!?。！？؟।")
_AFTER_END = " \t\r\n\f\v\xa0\u2002\u2003\u2009\u202f\u3000\"'”’»」』）)]*"
_LAST = tuple('"”」』:：')
_CUT = re.compile(r"(?:\.\.\.|…|\[…\]|\[\.\.\.\])\W*$")
# Windows-1252, which has the letters and marks of western Europe: "a" for what stands in a word, a space for all else
_IN_WORD = bytes(ord("a" if _WORD.match(bytes((byte,)).decode("cp1252", "replace")) else " ") for byte in range(256))


@lru_cache(maxsize=TEXTS_KEPT)
def count_words(text: str) -> int:
    """Words as a reader of English would feel them: two East Asian characters are about one."""
    try:
        return (b" " + text.encode("cp1252").translate(_IN_WORD)).count(b" a")  # a quarter of the pattern's time
    except UnicodeEncodeError:
        wide = len(_WIDE.findall(text))
        return len(_WORD.findall(_WIDE.sub(" ", text) if wide else text)) + round(wide / WIDE_PER_WORD)


@lru_cache(maxsize=TEXTS_KEPT)
def ends_well(text: str) -> bool:
    """True when the text ends as a sentence does, not cut off."""
    if not (text.endswith(_LAST) or text.rstrip(_AFTER_END).endswith(_ENDS)):
        return False
    return not (("..." in text or "…" in text) and _CUT.search(text))


def container(path: str) -> str:
    """The path of the element around."""
    return path.rpartition("/")[0]
