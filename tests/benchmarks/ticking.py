"""How long an event loop is held: a call that wants to come every few milliseconds notes how late it came.

On a machine that does other things a late call says little; so what the loop's own thread worked meanwhile is noted, too: that
much of the delay is the program's.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import time
from pathlib import Path

EVERY_S = 0.01
FILE = "TICKING_FILE"  # the environment names what is written at the end
HELD_S = 0.05  # longer than this is "blocked"


class Ticker:
    """Runs in the event loop until the process ends."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.late: list[float] = []
        self.worked: list[float] = []
        self.expected, self.cpu = 0.0, 0.0
        self._next()

    def _next(self) -> None:
        self.expected, self.cpu = time.monotonic() + EVERY_S, time.thread_time()
        self.loop.call_later(EVERY_S, self._tick)

    def _tick(self) -> None:
        self.late.append(time.monotonic() - self.expected)
        self.worked.append(time.thread_time() - self.cpu)
        self._next()

    def plain(self) -> dict[str, float]:
        """Seconds: the latest call, the most work between two calls; how often either was too much."""
        return {
            "latest_s": max(self.late, default=0.0),
            "most_work_s": max(self.worked, default=0.0),
            "late": sum(seconds > HELD_S for seconds in self.late),
            "worked": sum(seconds > HELD_S for seconds in self.worked),
            "ticks": len(self.late),
        }


def start() -> None:
    """Begin to tick in the running loop; what was seen is written when the process ends."""
    path = os.environ.get(FILE)
    if path:
        ticker = Ticker(asyncio.get_event_loop())
        atexit.register(lambda: Path(path).write_text(json.dumps(ticker.plain()), "utf-8"))
