"""Several crawlers at one work, over a Redis: a frontier they share, and pages sent to one writer.

An extra (`copydesk[cluster]`): nothing outside of this package imports redis or scrapy-redis, and its modules are
imported only by a crawl that was asked to use them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crawler.sharding import Shard

if TYPE_CHECKING:
    from crawler.cluster.sending import Outgoing

ALONE_SHARD = Shard(1, 1)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a crawl shares with others: addresses of a Redis, "" for nothing."""

    frontier: str = ""
    to: str = ""
    shard: Shard = ALONE_SHARD

    def settings(self) -> dict[str, Any]:
        """What Scrapy must be told."""
        found: dict[str, Any] = {}
        if self.frontier:
            found |= {
                "SCHEDULER": "crawler.cluster.frontier.Frontier",
                "REDIS_URL": self.frontier,
                "FRONTIER_SHARD": self.shard.number,
                "FRONTIER_SHARDS": self.shard.count,
            }
        if self.to:
            from crawler.settings import ITEM_PIPELINES

            found["ITEM_PIPELINES"] = ITEM_PIPELINES | {"crawler.cluster.sending.StreamPipeline": 150}  # before keeping
        return found

    @contextmanager
    def agreed(self) -> Iterator[Outgoing | None]:
        """Agree with the others on what is shared, before anything is asked; `CopydeskError` when that cannot be."""
        if self.frontier:
            from crawler.cluster.agreeing import agree

            agree(self.frontier, self.shard.count)
        if not self.to:
            yield None
            return
        from crawler.cluster.sending import Outgoing

        outgoing = Outgoing(self.to)
        try:
            outgoing.greet()
            yield outgoing
        finally:
            outgoing.close()


ALONE = Cluster()
