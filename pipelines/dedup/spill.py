"""Arrays of many texts on disk, so that a million texts need no more memory than a thousand.

The shingles of a file of news are as large as the file. They are written to a temporary file once, in order, and
read back by position where two texts are compared; the system's file cache does the rest.
"""

from __future__ import annotations

import os
import tempfile
from array import array

import numpy as np

from pipelines.dedup.shingles import Hashes

_BUFFER_BYTES = 4 * 2**20
HASH_BYTES = 8
NOTHING: Hashes = np.empty(0, np.uint64)


class Spill:
    """Append arrays of hashes; read any of them by its number once `finish` was called."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=_BUFFER_BYTES)  # noqa: SIM115 - closed by close()
        self._ends = array("q", [0])

    def append(self, hashes: Hashes) -> None:
        self._file.write(hashes.tobytes())
        self._ends.append(self._ends[-1] + len(hashes))

    def finish(self) -> None:
        self._file.flush()

    def length(self, number: int) -> int:
        return self._ends[number + 1] - self._ends[number]

    def __getitem__(self, number: int) -> Hashes:
        """Read, not mapped: mapped pages count as this process's memory, and grow with the file."""
        start, length = self._ends[number], self.length(number)
        if not length:
            return NOTHING
        return np.frombuffer(os.pread(self._file.fileno(), length * HASH_BYTES, start * HASH_BYTES), np.uint64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def close(self) -> None:
        self._file.close()
