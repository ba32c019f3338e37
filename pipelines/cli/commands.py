"""Put every corpus command on the group. Importing this is all that both entry points need to do."""

from __future__ import annotations

from pipelines.cli import filling, pages, reading, runs, schedule, upkeep, why

__all__ = ["filling", "pages", "reading", "runs", "schedule", "upkeep", "why"]
