"""Scrapy's downloader imported without what it looks up on the way and nobody needs.

For each of its three deprecated names Scrapy asks `inspect.stack()` which module is being imported. That finds and reads the source of
every frame below, among them fifty of the import system: a quarter of a second of a run that takes two.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType

SLOW = ("scrapy.core.downloader.tls", "scrapy.core.downloader.contextfactory")
# what Scrapy looks up by name when a spider opens: then the event loop would wait for it
SOON = (
    "scrapy.core.engine", "scrapy.core.scheduler", "scrapy.core.scraper", "scrapy.dupefilters", "scrapy.pqueues", "scrapy.squeues",
    "scrapy.logformatter", "scrapy.statscollectors", "scrapy.robotstxt", "scrapy.extensions.corestats", "scrapy.extensions.logcount",
    "scrapy.downloadermiddlewares.httpcompression", "scrapy.downloadermiddlewares.redirect", "scrapy.downloadermiddlewares.stats",
    "scrapy.spidermiddlewares.httperror", "scrapy.spidermiddlewares.depth", "crawler.extensions",
)  # fmt: skip


def frames(context: int = 1) -> list[tuple[FrameType]]:  # noqa: ARG001 - the signature of inspect.stack
    """The callers' frames, and nothing about them."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - what inspect.stack uses
    found = []
    while frame is not None:
        found.append((frame,))
        frame = frame.f_back
    return found


@contextmanager
def bare_stacks() -> Iterator[None]:
    """`inspect.stack` gives frames alone inside the block."""
    usual = inspect.stack
    inspect.stack = frames  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.stack = usual


def import_downloader() -> None:
    """Import the slow modules and those needed in a moment; they are as they would be otherwise."""
    with bare_stacks():
        for name in (*SLOW, *SOON):
            import_module(name)
