"""Copies, versions and stories: what of the news is told twice.

The steps, each in its module: shingles (text to hashes of word runs), signature (to what the corpus stores), decide (an
article and its candidates to its place), batch (the same for a file of texts), stories (same event in other words).
This package owns datasketch, xxhash and numpy.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

from pipelines.dedup.batch import Report, dedup, dedup_lines
from pipelines.dedup.decide import decide
from pipelines.dedup.shingles import SHINGLE_VERSION, fingerprints, normalise, shingles_of, text_hash, tokens
from pipelines.dedup.signature import RECIPE, minhash, resemblance, sign, signature_of, similarity_of_signatures
from pipelines.dedup.walls import is_wall
from pipelines.records import Placement

__all__ = [
    "RECIPE",
    "SHINGLE_VERSION",
    "Report",
    "decide",
    "dedup",
    "dedup_lines",
    "fingerprints",
    "is_wall",
    "minhash",
    "normalise",
    "resemblance",
    "shingles_of",
    "sign",
    "signature_of",
    "similarity_of_signatures",
    "text_hash",
    "tokens",
]


class _CallablePackage(ModuleType):
    """`pipelines.dedup(records)` is the public function, and this package has its name: so the package can be called."""

    def __call__(self, records: Iterable[Mapping[str, Any]], **options: Any) -> Iterator[Placement]:
        return dedup(records, **options)


sys.modules[__name__].__class__ = _CallablePackage
