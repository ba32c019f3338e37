"""Names and kinds of sources, out of the source list as data: the crawler, whose list it is, need not be there.

A list that cannot be read costs names, not pages: the ids stand in, and the page of sources says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.config import PROJECT_ROOT, Config, read_toml
from pipelines.errors import ConfigError

SHIPPED = PROJECT_ROOT / "crawler" / "sources.toml"
UNGROUPED = "other"


@dataclass(frozen=True, slots=True)
class SourceList:
    """What the list says of each source."""

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trouble: str = ""

    def name(self, source: str) -> str:
        return str(self.tables.get(source, {}).get("name") or source)

    def group(self, source: str) -> str:
        """What kind of publisher it is: press, lab, government and so on."""
        return str(self.tables.get(source, {}).get("group") or UNGROUPED)

    def groups(self, sources: list[str]) -> list[str]:
        """The kinds these sources have."""
        return sorted({self.group(source) for source in sources})

    def of_group(self, group: str) -> tuple[str, ...]:
        """The listed sources of a kind."""
        return tuple(sorted(source for source in self.tables if self.group(source) == group))

    def with_unlisted(self, sources: list[str]) -> SourceList:
        """The same list, in which sources that only the corpus knows stand too."""
        return SourceList({**{source: {} for source in sources}, **self.tables}, self.trouble)


class Lists:
    """Reads the list again when a file of it has changed."""

    def __init__(self, config: Config) -> None:
        self._files = [SHIPPED] if config.shipped_sources else []
        self._files.append(config.sources_path)
        self._seen: tuple[object, ...] | None = None
        self._list = SourceList()

    def now(self) -> SourceList:
        seen = tuple(changed_at(path) for path in self._files)
        if seen != self._seen:
            self._list, self._seen = read_lists([path for path in self._files if path.exists()]), seen
        return self._list


def changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # there is none
        return 0


def read_lists(files: list[Path]) -> SourceList:
    """One list of several files, the later laid over the earlier."""
    tables: dict[str, dict[str, Any]] = {}
    trouble = ""
    for path in files:
        try:
            found = read_toml(path)
        except ConfigError as error:
            trouble = str(error)
            continue
        for key, table in found.items():
            if isinstance(table, Mapping):
                tables[key] = {**tables.get(key, {}), **table}
    return SourceList(tables, trouble)
