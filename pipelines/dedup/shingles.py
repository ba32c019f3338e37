"""Text to shingles: what every comparison of texts in this program counts.

Why it stands alone: a change in any line here (normal form, tokens, hash, sampling) makes stored shingles
incomparable with new ones, so the version below changes with it and the store refuses to mix. Words are hashed once and
cached; five of them are combined by arithmetic in numpy: no string is built for a shingle.
"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import xxhash
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

SHINGLE_VERSION = "w5v1"  # raise it with any change in this file
WORDS_A_SHINGLE = 5  # measured best of 1-5 words and 5-13 characters
MIN_WORDS = 5  # a shorter text is no evidence of anything
SAMPLE = 16  # one shingle of this many is a fingerprint: finds 99.7 % of true pairs at 24 rows an article
MIN_FINGERPRINTS = 8  # a short text gives its lowest hashes, so that it can be found too
FINGERPRINT_BITS = 35  # two chance meetings of two texts, which a look-up needs, are one in 10^15
MAX_ESCAPES = 2  # "&amp;quot;" is common where a feed was escaped twice
WORD_CACHE = 50_000  # entries; about 6 MB in each process, emptied when full

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]"
)
_QUOTES = re.compile(
    '[\u2018-\u201b\u2032\u2035\u00b4`\u201c-\u201f\u2033\u2036\u00ab\u00bb\u2039\u203a\u300c-\u300f\u301d-\u301f"]'
)
_DASHES = re.compile("[\u2010-\u2015\u2043\u2212\u2e3a\u2e3b\ufe58\ufe63\u30fb]")
# scripts written without spaces: every character is a word of its own
_IDEOGRAPHS = "\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
_HAS_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")
_ASCII_WORD = re.compile(r"[a-z_]+|[0-9]+")  # the same as the next one, in two thirds of the time
_WORD = re.compile(r"[^\W\d]+|\d+")  # figures apart from letters: "17일" is "17 일" in another paper
_WORD_OR_IDEOGRAPH = re.compile(rf"[{_IDEOGRAPHS}]|\d+|[^\W\d{_IDEOGRAPHS}]+")

_POLYNOMIAL = 0x9E3779B97F4A7C15  # odd, so that no word of the five loses bits
_LENGTH_SALT = 0xD6E8FEB86659FD93  # a text of three words is not the shingle of a longer one

_word_hashes: dict[str, int] = {}


def normalise(text: str) -> str:
    """Return the text without what copying changes: entities, widths, invisible marks, quotes, dashes, case, spacing."""
    for _ in range(MAX_ESCAPES):
        if "&" in text:
            text = html.unescape(text)
    if text.isascii():
        return " ".join(text.replace("`", "'").replace('"', "'").lower().split())
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    text = _DASHES.sub("-", _QUOTES.sub("'", text))
    return " ".join(text.casefold().split())


def tokens(normalised: str) -> list[str]:
    """The words of a normalised text; each Han or Kana character is a word, Korean is written with spaces."""
    if normalised.isascii():
        return _ASCII_WORD.findall(normalised)
    if not _HAS_IDEOGRAPH.search(normalised):
        return _WORD.findall(normalised)
    return _WORD_OR_IDEOGRAPH.findall(normalised)


def text_hash(text: str) -> str:
    """The hex digest of the normalised text: equal for exact copies only."""
    return hash_of_normalised(normalise(text))


def hash_of_normalised(normalised: str) -> str:
    return hashlib.blake2b(normalised.encode("utf-8", "replace"), digest_size=16).hexdigest()


def word_hashes(words: Sequence[str]) -> Hashes:
    """One 64-bit hash a word, looked up where the word was met before."""
    if len(_word_hashes) > WORD_CACHE:
        _word_hashes.clear()
    for word in set(words).difference(_word_hashes):
        _word_hashes[word] = xxhash.xxh3_64_intdigest(word.encode("utf-8", "replace"))
    return np.fromiter(map(_word_hashes.__getitem__, words), np.uint64, len(words))


def hash_of_word(word: str) -> int:
    found = _word_hashes.get(word)
    return xxhash.xxh3_64_intdigest(word.encode("utf-8", "replace")) if found is None else found


def combine(hashes: Hashes) -> Hashes:
    """Hashes of all runs of five words, in order; a shorter text is one run with its length mixed in."""
    width = WORDS_A_SHINGLE
    if not len(hashes):
        return hashes
    if len(hashes) < width:
        total = (len(hashes) * _LENGTH_SALT) % 2**64
        for value in hashes.tolist():
            total = (total * _POLYNOMIAL + value) % 2**64
        return finalise(np.array([total], np.uint64))
    factor = np.uint64(_POLYNOMIAL)
    total_of_runs = hashes[: len(hashes) - width + 1].copy()
    for offset in range(1, width):
        total_of_runs *= factor
        total_of_runs += hashes[offset : len(hashes) - width + 1 + offset]
    return finalise(total_of_runs)


def finalise(hashes: Hashes) -> Hashes:
    """MurmurHash3's last step, in place: every bit of the sum moves every bit of the result."""
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xC4CEB9FE1A85EC53)
    hashes ^= hashes >> np.uint64(33)
    return hashes


def shingles_of_words(words: Sequence[str]) -> Hashes:
    """The distinct shingles of a text given as words, sorted."""
    return distinct(combine(word_hashes(words)))


def distinct(hashes: Hashes) -> Hashes:
    """As numpy.unique, which since it counts with a hash table takes four times as long for the words of an article."""
    found = np.sort(hashes)
    is_first = np.ones(len(found), np.bool_)
    np.not_equal(found[1:], found[:-1], out=is_first[1:])
    return found[is_first]


def shingles_of(text: str) -> Hashes:
    """The distinct shingles of a text, sorted."""
    return shingles_of_words(tokens(normalise(text)))


def fingerprints(shingle_hashes: Hashes) -> tuple[int, ...]:
    """The sample of a text's shingles by which it is found: those with low hashes, at least eight if it has as many.

    Every text is sampled below the same bound, so two texts share the sampled part of what they share: a truncated
    copy is found as surely as a whole one. `shingle_hashes` must be sorted and distinct.
    """
    bound = np.uint64(2**64 // SAMPLE)
    count = max(int(np.searchsorted(shingle_hashes, bound)), MIN_FINGERPRINTS)
    return tuple(distinct(shingle_hashes[:count] & np.uint64(2**FINGERPRINT_BITS - 1)).tolist())
