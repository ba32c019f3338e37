"""Small things tests share: a fixed time, pages and articles in one line, the shared data's place."""

from datetime import UTC, datetime
from pathlib import Path

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SHARED = Path(__file__).parents[2] / "shared"
