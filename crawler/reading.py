"""Read an index apart from the event loop, with an end.

Why it stands alone: the crawl and the commands that look at a source meet the same hostile files, and in both a file
that cannot be read must cost its own source only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crawler.discover import Found
from pipelines.errors import one_line

PARSE_SECONDS = 30.0  # an index that takes longer to read is hostile


async def apart(reader: Callable[[], Found]) -> Found:
    """What a reader found, in a thread; too long a time or an exception is the file's reason."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(reader), PARSE_SECONDS)
    except TimeoutError:
        return Found(reason="parse_timeout")
    except Exception as error:  # noqa: BLE001 - a file that breaks its reader must not break the run
        return Found(reason="parse_error", detail=f"{type(error).__name__}: {one_line(error)}")
