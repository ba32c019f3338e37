"""Text to signature: the MinHash of record and the fingerprints by which copies are found.

datasketch's MinHash (scheme affine32, 128 permutations) is what the corpus stores, so that anyone can compare signatures
with the library they know. Importing it costs 1.3 s and 102 MB, so the values themselves come from the few lines of numpy
below, and a test holds them equal to datasketch's; the library is loaded only where stored signatures are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipelines.dedup.origin import named_origin
from pipelines.dedup.shingles import (
    MIN_WORDS,
    SHINGLE_VERSION,
    Hashes,
    fingerprints,
    hash_of_normalised,
    normalise,
    shingles_of,
    shingles_of_words,
    tokens,
)
from pipelines.dedup.walls import is_wall
from pipelines.records import Article, Document, Relevance, Signature

SCHEME = "affine32"  # datasketch's default since 2.0; older ones cannot be compared with it
SEED = 1  # datasketch's default
PERMUTATIONS = 128  # standard error of a similarity: 0.04
RECIPE = f"{SCHEME}-{SEED}-{PERMUTATIONS}-{SHINGLE_VERSION}"
EMPTY = Signature(recipe=RECIPE, minhash=b"", fingerprints=(), shingles=0)

NO_NOTES = ("comment", "comment_form", "related", "newsletter", "share", "navigation", "repeat", "caption")  # of others
_HASHES_A_STEP = 2048  # 128 x 2,048 values of four bytes stay in the processor's cache


def sign(document: Document, text: str, relevance: Relevance) -> Article:
    """Join what was found out of a document into an article, with its text hash, word count and signature."""
    normalised = normalise(text)
    words = tokens(normalised)
    return Article(
        document=document,
        text=text,
        text_hash=hash_of_normalised(normalised),
        words=len(words),
        relevance=relevance,
        signature=signature_of_words(words, is_nothing=is_wall(text)),
        origin=named_origin(text, notes_of(document)),
    )


def notes_of(document: Document) -> list[str]:
    """What a page says around its text that may name the original's publisher: cleaning takes such lines out of the text."""
    return [block.text for block in document.blocks if not block.is_kept and block.kind not in NO_NOTES]


def signature_of(text: str) -> Signature:
    """The signature of a text; empty when the text is too short or a wall, so that it matches nothing."""
    return signature_of_words(tokens(normalise(text)), is_nothing=is_wall(text))


def signature_of_words(words: Sequence[str], *, is_nothing: bool = False) -> Signature:
    if is_nothing or len(words) < MIN_WORDS:
        return EMPTY  # not the MinHash of an empty set: two of those are 1.0 alike
    hashes = shingles_of_words(words)
    return Signature(
        recipe=RECIPE,
        minhash=minhash(hashes).astype("<u4").tobytes(),
        fingerprints=fingerprints(hashes),
        shingles=len(hashes),
    )


def minhash(shingle_hashes: Hashes) -> NDArray[np.uint32]:
    """The hash values datasketch's MinHash has after being given these shingles' low 32 bits."""
    factors, terms = permutations()
    values = np.full(PERMUTATIONS, np.iinfo(np.uint32).max, np.uint32)
    mixed = premix(shingle_hashes.astype(np.uint32))
    for start in range(0, len(mixed), _HASHES_A_STEP):
        step = factors * mixed[start : start + _HASHES_A_STEP] + terms
        np.minimum(values, step.min(axis=1), out=values)
    return values


@cache
def permutations() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The permutations datasketch draws for our seed, h -> a * h + b with a odd, as two columns."""
    generator = np.random.RandomState(SEED)  # datasketch's sequence
    factors = generator.randint(0, 2**31, PERMUTATIONS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    terms = generator.randint(0, 2**32, PERMUTATIONS, dtype=np.uint32)
    return factors.reshape(-1, 1), terms.reshape(-1, 1)


def premix(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's 32-bit finaliser, as datasketch applies it before the permutations."""
    hashes = hashes ^ (hashes >> np.uint32(16))
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    hashes *= np.uint32(0xC2B2AE35)
    hashes ^= hashes >> np.uint32(16)
    return hashes


def similarity_of_signatures(one: Signature, other: Signature) -> float:
    """The estimated Jaccard similarity of two stored signatures; 0 when one is empty, ValueError when recipes differ."""
    if one.recipe != other.recipe:
        raise ValueError(f"signatures of different recipes cannot be compared: {one.recipe} and {other.recipe}")
    if not one.minhash or not other.minhash:
        return 0.0
    from datasketch import MinHash

    def restored(values: bytes) -> MinHash:
        return MinHash(hashvalues=np.frombuffer(values, "<u4"), seed=SEED, scheme=SCHEME)

    return float(restored(one.minhash).jaccard(restored(other.minhash)))


def resemblance(one: str, other: str) -> float:
    """The Jaccard similarity of two texts' shingles, measured, for blocks of a page; 0 when one has no words."""
    first, second = shingles_of(one), shingles_of(other)
    if not len(first) or not len(second):
        return 0.0
    shared = len(np.intersect1d(first, second, assume_unique=True))
    return shared / (len(first) + len(second) - shared)
