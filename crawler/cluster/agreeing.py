"""What workers must agree on before they share a frontier; told in words, before anything is fetched."""

from __future__ import annotations

import hashlib

from crawler.cluster import scripts
from pipelines.errors import ConfigError, MissingExtraError
from pipelines.parcels import describe
from pipelines.records import Due
from pipelines.stream import Away, Link, shown, text

AGREED = "copydesk:frontier"
FORMAT = "1"  # of keys and scripts; the requests' own follows from the records in them


def version() -> str:
    told = "\n".join([FORMAT, *sorted(describe(Due, set()))])
    return hashlib.blake2b(told.encode(), digest_size=4).hexdigest()


def agree(url: str, shards: int) -> None:
    """See that all workers cut the frontier into as many parts and speak one version; `ConfigError` when they do not."""
    try:
        import scrapy_redis  # noqa: F401 - only whether it is there
    except ImportError:
        raise MissingExtraError(
            shown(url),
            "sharing a frontier needs libraries that are not installed",
            "",
            "pip install 'copydesk[cluster]'",
        ) from None
    link, ours = Link(url), f"version {version()}, {shards} shards"
    try:
        known = text(link.ask(lambda client: client.eval(scripts.AGREE, 1, AGREED, ours)))
    except Away as away:
        raise ConfigError(link.name, f"away ({away})", "a Redis that answers", "start it, then this") from None
    if known != ours:
        hint = (
            "give every worker a --shard with the same count and the same copydesk; another count needs an empty Redis"
        )
        raise ConfigError(link.name, f"the frontier there is of {known}", ours, hint)
    link.close()
