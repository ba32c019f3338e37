"""Counts that take seconds in a large corpus, kept until it changes.

Whoever asks gets the last answer at once; when the corpus has changed since, it is counted anew behind their back. Only the very first
one waits, and the room counts once when it opens.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.store.room import Room
    from pipelines.store.room.counts import Weeks

WEEKS = (13, 26, 52)


@dataclass(slots=True)
class Counted:
    """Articles a week in the most weeks a page shows, and the state of the corpus that was counted."""

    stamp: tuple[int, int]
    at: datetime
    weeks: dict[str, Weeks]


@dataclass(slots=True)
class Trends:
    """`weekly` of a corpus."""

    ask: Callable[[Callable[[Room], Any]], Future[Any]]
    clock: Callable[[], datetime]
    _kept: Counted | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_at_work: bool = False

    def weekly(self, room: Room) -> tuple[Counted, bool]:
        """The counts, and whether newer ones are on their way."""
        found = self._kept
        if found is None:
            return self.count(room), False
        is_old = not self.is_current(found, room)
        if is_old and not self._is_at_work:
            self._is_at_work = True
            self.ask(self.count)
        return found, is_old

    def count(self, room: Room) -> Counted:
        """Count now, unless somebody else has just done so."""
        with self._lock:
            try:
                if self._kept is None or not self.is_current(self._kept, room):
                    stamp, now = room.stamp(), self.clock()
                    self._kept = Counted(stamp, now, room.weekly(first_monday(now, max(WEEKS)).isoformat()))
                return self._kept
            finally:
                self._is_at_work = False

    def is_current(self, counted: Counted, room: Room) -> bool:
        return counted.stamp == room.stamp() and counted.at.date() == self.clock().date()


def first_monday(now: datetime, weeks: int) -> datetime:
    """The Monday with which the last so many weeks begin, this one included."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=today.weekday(), weeks=weeks - 1)
