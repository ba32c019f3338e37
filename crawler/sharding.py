"""Which of several crawlers follows which source, without asking anybody.

By the host, because politeness is a promise to hosts: all sources of one are asked by one process. The hash is the same
on every machine and in every version, or a source would change its corpus overnight.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from crawler.politeness import host_key

if TYPE_CHECKING:
    from crawler.sources import Source

MOST_SHARDS = 1000  # more crawlers than anybody's list has hosts
_SHARD = re.compile(r"(\d{1,4})/(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`th of `count` parts of the sources, counted from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def has(self, url: str) -> bool:
        return shard_of(url, self.count) == self.number

    def of(self, sources: Iterable[Source]) -> tuple[Source, ...]:
        """The sources whose host is in this shard."""
        return tuple(source for source in sources if self.has(source.url))


def shard_of(url: str, count: int) -> int:
    """The shard the address's host is in, from 1 to `count`."""
    return crc32(host_key(url).encode("utf-8", "replace")) % count + 1


def parsed(text: str) -> Shard | None:
    """The shard that is written as 2/5; None for what is none."""
    found = _SHARD.fullmatch(text.strip())
    if not found:
        return None
    number, count = int(found[1]), int(found[2])
    return Shard(number, count) if 1 <= number <= count <= MOST_SHARDS else None
