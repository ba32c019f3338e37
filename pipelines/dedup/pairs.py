"""Which of many texts to compare: those that share at least two fingerprints. No loop over texts or shingles.

All (fingerprint, text) rows are sorted; texts that share a fingerprint then stand side by side, and comparing the column
with itself shifted by one, two, three… rows gives the pairs. Where more texts share a fingerprint than is worth pairing
(a wire story in a hundred papers, a site's footer) each is paired with its next few only: joining does the rest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipelines.dedup.shingles import Hashes

Numbers = NDArray[np.int64]

FULL_POSTINGS = 32  # up to this many texts on one fingerprint, all their pairs
NEIGHBOURS = 6  # beyond that, each text with so many that follow
MIN_SHARED_FINGERPRINTS = 2
_MERGE_ROWS = 8_000_000  # pairs kept before they are counted: 64 MB


def candidate_pairs(fingerprints: Hashes, texts: NDArray[np.uint32]) -> tuple[Numbers, Numbers]:
    """Return the pairs (earlier, later) of texts that share fingerprints; `texts[i]` has `fingerprints[i]`."""
    hashes, owners = repeated(fingerprints, texts)
    starts = (
        np.flatnonzero(np.concatenate(([True], hashes[1:] != hashes[:-1]))) if len(hashes) else np.empty(0, np.int64)
    )
    sizes = np.diff(np.append(starts, len(hashes)))
    size_of_row = np.repeat(sizes, sizes)
    left_in_group = np.repeat(starts + sizes, sizes) - np.arange(len(hashes)) - 1
    reach = np.minimum(left_in_group, np.where(size_of_row <= FULL_POSTINGS, FULL_POSTINGS, NEIGHBOURS))
    count = int(owners.max()) + 1 if len(owners) else 1
    keys, shared = count_pairs(owners, reach, count)
    keys = keys[shared >= MIN_SHARED_FINGERPRINTS]
    return keys // count, keys % count


def repeated(fingerprints: Hashes, texts: NDArray[np.uint32]) -> tuple[Hashes, Numbers]:
    """The rows whose fingerprint stands in more than one, sorted by it: most of them go here, and their memory with them."""
    order = np.argsort(fingerprints, kind="stable")
    hashes = fingerprints[order]
    is_repeated = np.zeros(len(hashes), np.bool_)
    np.equal(hashes[1:], hashes[:-1], out=is_repeated[1:])
    is_repeated[:-1] |= is_repeated[1:]
    return hashes[is_repeated], texts[order[is_repeated]].astype(np.int64)


def count_pairs(owners: Numbers, reach: Numbers, count: int) -> tuple[Numbers, Numbers]:
    """Pair every row with the `reach` rows after it; return each pair's key (earlier x count + later) and how often it came."""
    keys, times = np.empty(0, np.int64), np.empty(0, np.int64)
    waiting: list[Numbers] = []
    rows = np.arange(len(owners))
    for shift in range(1, FULL_POSTINGS + 1):
        rows = rows[reach[rows] >= shift]
        if not len(rows):
            break
        waiting.append(owners[rows] * count + owners[rows + shift])
        if sum(map(len, waiting)) > _MERGE_ROWS:
            keys, times = merged(keys, times, waiting)
            waiting = []
    return merged(keys, times, waiting)


def merged(keys: Numbers, times: Numbers, waiting: list[Numbers]) -> tuple[Numbers, Numbers]:
    """Add pairs to those already counted."""
    new, new_times = np.unique(np.concatenate([*waiting, np.empty(0, np.int64)]), return_counts=True)
    both, position = np.unique(np.concatenate([keys, new]), return_inverse=True)
    return both, np.bincount(position, np.concatenate([times, new_times]), len(both)).astype(np.int64)
