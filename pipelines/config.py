"""Every setting with its default and its reason, and the only reader of copydesk.toml and the environment.

Code < copydesk.toml < COPYDESK_… < command line. Unknown keys are errors that name the file, the key and what
is allowed. Sections are frozen; a command-line flag makes a changed copy.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipelines.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
CONFIG_NAME = "copydesk.toml"
PREFIX = "COPYDESK_"


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of settings; a key that is not a field is an error."""


class ExtractConfig(Section, frozen=True):
    """Limits of one page."""

    max_bytes: int = 5 * 2**20  # decoded body; largest of 181 real news pages: 1.5 MB
    max_text_chars: int = 1_000_000  # longest real article text seen: 52,991
    max_title_chars: int = 500
    max_byline_chars: int = 200


class CleanConfig(Section, frozen=True):
    """When a block is boilerplate."""

    min_chars: int = 200  # less body than this is no article ("page not found" with status 200 has 55)
    memory_min_pages: int = 3  # a block must stand on this many other pages of the site to be template
    memory_days: int = 180  # a site's template is forgotten after this long without being seen


class RelevanceConfig(Section, frozen=True):
    """What a general source's page must score to be kept; dedicated sources are only ranked."""

    keep: float = 5.0  # at 5 unrelated tech blogs keep 0-2 % of their posts
    borderline: float = 3.0  # between the two: kept and marked


class DedupConfig(Section, frozen=True):
    """What makes two texts copies."""

    containment: float = 0.7  # shared shingles / the smaller set: the one rule that held on texts it was not tuned on
    window_days: int = 14  # copies travel in days; later repeats of the same words are templates
    max_candidates: int = 20


class CrawlConfig(Section, frozen=True):
    """Politeness and limits of a crawl. Floors are in crawler.settings: no file can go below them."""

    contact: str = ""  # mail address or page that goes into the user agent
    delay_s: float = 2.0  # between two requests to one host; floor 1 s
    timeout_s: float = 30.0  # one request
    source_budget_s: float = 120.0  # one source in one run
    run_budget_s: float = 1800.0  # the whole run
    max_pages_per_source: int = 200
    max_requests_per_host: int = 400  # in one run, whatever the number of its sources
    max_feed_entries: int = 1000
    heed_noindex: bool = True  # a page that asks not to be indexed is not kept
    heed_noarchive: bool = True  # of a page that asks not to be archived the text is kept, not the page
    workers: int = 0  # extraction processes; 0: one per core, at most 4
    page_seconds: float = 10.0  # a page that needs longer is cut off in its worker


class NotifyConfig(Section, frozen=True):
    """Who hears of a crawl. Nothing here can fail a run, or hold it up for longer than it says."""

    ping_url: str = ""  # told of start (/start), success and failure (/fail), as healthchecks and its kin want it
    ping_timeout_s: float = 10.0  # one of these requests
    on_failure: str = ""  # a shell command for a run that did not end well; gets the report on stdin
    on_failure_timeout_s: float = 60.0  # then it is ended


class WatchConfig(Section, frozen=True):
    """A saved search, and who hears of a new story that it finds. A search written as a text is its query."""

    query: str = ""  # words as in `copydesk search`; empty: the filters alone decide
    topic: str = ""  # only what matched this concept of the vocabulary
    source: str = ""  # only this source (its id)
    language: str = ""  # only this language (ISO 639-1)
    show: bool = True  # a line at the end of a run that is not quiet
    ping_url: str = ""  # told by POST, as JSON
    feed: str = ""  # an Atom file that grows

    def __post_init__(self) -> None:
        if not (self.query.strip() or self.topic or self.source or self.language):
            raise ValueError("a search without query, topic, source and language")


class LogConfig(Section, frozen=True):
    """What a crawl writes into a file of its own, beside what it prints."""

    file: str = ""  # empty: none
    max_bytes: int = 5_000_000  # a run of a hundred sources writes about 20 kB: some two months of every six hours
    keep: int = 3  # older files, named .1, .2, …


class Config(Section, frozen=True):
    """All settings. `database` empty: data/corpus.db in a checkout, else the user's data folder."""

    database: str = ""
    sources: str = ""  # the user's own source list; empty: sources.toml beside the database
    shipped_sources: bool = True  # False: only the user's list counts
    extract: ExtractConfig = ExtractConfig()
    clean: CleanConfig = CleanConfig()
    relevance: RelevanceConfig = RelevanceConfig()
    dedup: DedupConfig = DedupConfig()
    crawl: CrawlConfig = CrawlConfig()
    notify: NotifyConfig = NotifyConfig()
    log: LogConfig = LogConfig()
    watch: dict[str, WatchConfig | str] = {}

    @property
    def watches(self) -> dict[str, WatchConfig]:
        """The saved searches by name."""
        return {
            name: WatchConfig(query=found) if isinstance(found, str) else found for name, found in self.watch.items()
        }

    @property
    def database_path(self) -> Path:
        return Path(self.database).expanduser() if self.database else default_folder() / "corpus.db"

    @property
    def sources_path(self) -> Path:
        return Path(self.sources).expanduser() if self.sources else self.database_path.parent / "sources.toml"

    @property
    def worker_count(self) -> int:
        return self.crawl.workers or min(4, os.cpu_count() or 1)


S = TypeVar("S", bound=Section)


def default_folder() -> Path:
    """`data/` in a checkout of the project, else the platform's user data folder."""
    if (PROJECT_ROOT / "scrapy.cfg").exists():
        return PROJECT_ROOT / "data"
    import platformdirs  # outside a checkout only

    return Path(platformdirs.user_data_dir("copydesk"))


def load(
    path: Path | None = None, env: Mapping[str, str] | None = None, flags: Mapping[str, Any] | None = None
) -> Config:
    """Return the settings; raise `ConfigError` that names file, key and what is allowed.

    `path` None: `copydesk.toml` in the working folder, if there is one. Relative paths in the file are relative
    to it, so that cron finds them from any folder. `flags` are the command line's, None meaning "not given".
    """
    merged: dict[str, Any] = {}
    if path is None and Path(CONFIG_NAME).exists():
        path = Path(CONFIG_NAME)
    if path is not None:
        from_file = read_toml(path)
        decode(Config, from_file, str(path))
        feeds = [(table, "feed") for table in from_file.get("watch", {}).values() if isinstance(table, dict)]
        for table, key in ((from_file, "database"), (from_file, "sources"), (from_file.get("log", {}), "file"), *feeds):
            if isinstance(table.get(key), str) and table[key]:
                table[key] = str(path.resolve().parent / Path(table[key]).expanduser())
        merge(merged, from_file)
    from_env = read_environment(os.environ if env is None else env)
    decode(Config, from_env, "environment", is_strict=False)
    merge(merged, from_env)
    merge(merged, {key: value for key, value in (flags or {}).items() if value is not None})
    return decode(Config, merged, "settings", is_strict=False)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the file's tables; raise `ConfigError` with the line at which TOML breaks."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(str(path), "no such file", "a TOML file") from None
    except RecursionError:
        raise ConfigError(str(path), "tables in tables without end", "valid TOML in UTF-8") from None
    except (OSError, ValueError) as error:  # of a number with 5,000 digits tomllib raises a plain ValueError
        raise ConfigError(str(path), str(error).rstrip("."), "valid TOML in UTF-8", "correct that line") from error


def read_environment(env: Mapping[str, str]) -> dict[str, Any]:
    """COPYDESK_DEDUP__CONTAINMENT=0.8 becomes {"dedup": {"containment": "0.8"}}."""
    found: dict[str, Any] = {}
    for name, value in env.items():
        if not name.startswith(PREFIX):
            continue
        table, keys = found, name.removeprefix(PREFIX).lower().split("__")
        for key in keys[:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = value
    return found


def merge(target: dict[str, Any], layer: Mapping[str, Any]) -> None:
    """Lay `layer` over `target`, table by table."""
    for key, value in layer.items():
        if isinstance(value, Mapping) and isinstance(target.get(key), dict):
            merge(target[key], value)
        else:
            target[key] = dict(value) if isinstance(value, Mapping) else value


def decode(kind: type[S], values: Mapping[str, Any], where: str, *, is_strict: bool = True) -> S:
    """Turn plain values into a section; raise `ConfigError` naming `where`, the key and what is allowed."""
    check_keys(kind, values, where)
    try:
        return msgspec.convert(values, kind, strict=is_strict)
    except msgspec.ValidationError as error:
        message = str(error)
        at = message.rpartition(" - at `$.")[2].rstrip("`") if " - at `$." in message else ""
        raise ConfigError(f"{where}: {at}" if at else where, message.partition(" - at `")[0]) from None


def check_keys(kind: type[Section], values: Mapping[str, Any], where: str) -> None:
    """Refuse unknown keys by name, with the keys that exist."""
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in values.items():
        if key not in fields:
            raise ConfigError(f"{where}: {key}", "unknown key", "one of " + ", ".join(sorted(fields)))
        section = fields[key]
        if isinstance(section, type) and issubclass(section, Section):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{where}: {key}", f"{value!r}", "a table")
            check_keys(section, value, f"{where}: {key}")
        elif key == "watch" and isinstance(value, Mapping):
            check_watches(value, f"{where}: {key}")


def check_watches(watches: Mapping[str, Any], where: str) -> None:
    """Refuse what is no saved search: neither a text with words nor a table of ours."""
    for name, value in watches.items():
        if isinstance(value, Mapping):
            check_keys(WatchConfig, value, f"{where}: {name}")
        elif not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{where}: {name}", f"{value!r}", "a query or a table")


def changed(section: S, **changes: object) -> S:
    """Return a copy of a section with some values changed."""
    return msgspec.structs.replace(section, **changes)
