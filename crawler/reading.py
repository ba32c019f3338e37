"""Read an index apart from the event loop, with an end.

Why it stands alone: the crawl and the commands that look at a source meet the same hostile files, and in both a file
that cannot be read must cost its own source only. A thread would not do: a parser that hangs cannot be ended in one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from crawler.discover import Found
from pipelines.workers import LostTaskError, Workers

MODULES = ("crawler.discover", "feedparser")  # what a worker that reads indexes imports before its first one


async def apart(workers: Workers, reader: Callable[..., Found], *arguments: Any) -> Found:
    """What a reader (a function of a module, or a `partial` of one) found; no answer in time is the file's reason."""
    try:
        return await asyncio.wrap_future(workers.call(reader, *arguments))
    except LostTaskError as error:
        return Found(reason=error.lost.reason, detail=error.lost.detail)
