"""Put every corpus command on the group. Importing this is all that both entry points need to do."""

from __future__ import annotations

from pipelines.cli import (
    digest,
    explore,
    export,
    filling,
    joining,
    pages,
    reading,
    runs,
    schedule,
    serve,
    upkeep,
    watch,
    why,
)

__all__ = [
    "digest",
    "explore",
    "export",
    "filling",
    "joining",
    "pages",
    "reading",
    "runs",
    "schedule",
    "serve",
    "upkeep",
    "watch",
    "why",
]
