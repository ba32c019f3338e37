"""Which publishers we follow: the shipped list, overlaid by the user's own.

Why it stands alone: a source list is edited by hand, so every mistake in it must be told by file, table and key,
and all at once. The shipped list is never written to; what a user switches on or adds lives in their own file.
"""

from __future__ import annotations

import difflib
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pipelines.config import Config, Section, decode, read_toml
from pipelines.errors import ConfigError
from pipelines.records import Traits
from pipelines.urls import is_web

SHIPPED = Path(__file__).with_name("sources.toml")
ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]*")
REQUIRED = ("kind", "url")
KINDS = ("feed", "sitemap", "listing")
ALLOWED = {
    "kind": "one of " + ", ".join(f'"{kind}"' for kind in KINDS),
    "url": "an http or https address without user name or password",
}
LEAST = {  # key: the least it may be
    "cadence_hours": 0.1,  # six minutes: more often is no news site's pace
    "max_items_first_run": 1,
    "delay_s": 0,
}


class Source(Section, frozen=True):
    """One publisher and how to look at it."""

    id: str
    name: str
    kind: Literal["feed", "sitemap", "listing"]
    url: str
    home: str = ""
    language: str = ""
    timezone: str = "UTC"
    topical_filter: bool = False
    enabled: bool = True
    cadence_hours: float = 24.0
    max_items_first_run: int = 50
    url_pattern: str = ""  # searched in the article's URL: sitemap path, listing link
    local: bool = False  # may live on loopback
    delay_s: float = 0.0  # 0: the default; below the floor only for local ones
    group: str = ""
    perspective: str = ""
    notes: str = ""
    text_from_feed: bool = False


def load_sources(config: Config, *, must_exist: bool = True) -> tuple[Source, ...]:
    """Return every source, enabled or not; raise one `ConfigError` that names all mistakes.

    `must_exist` False: a list the settings name may be yet to be written, by the commands that write it.
    """
    tables: dict[str, dict[str, Any]] = {}
    origin: dict[str, Path] = {}
    files = [SHIPPED] if config.shipped_sources else []
    if config.sources_path.exists():
        files.append(config.sources_path)
    elif config.sources and must_exist:
        raise ConfigError(str(config.sources_path), "no such file", "a source list")
    mistakes: list[str] = []
    for path in files:
        for key, table in read_toml(path).items():
            if not isinstance(table, Mapping):
                hint = f"write it under a line [{key}] or take it out"
                mistakes.append(str(ConfigError(f"{path}: {key}", repr(table), "a table, one a source", hint)))
                continue
            tables[key] = {**tables.get(key, {}), **table}
            origin[key] = path
    sources: list[Source] = []
    for key, table in tables.items():
        found, wrong = tried(key, table, f"{origin[key]}: [{key}]")
        sources += found
        mistakes += wrong
    mistakes += doubles(sources, origin)
    if mistakes:
        raise mistaken(mistakes, config.sources_path)
    return tuple(sources)


def mistaken(mistakes: Sequence[str], path: Path) -> ConfigError:
    """One mistake as it is; several with their number first and a line each."""
    if len(mistakes) == 1:
        return ConfigError(*mistakes[0].split(": ", 1))
    return ConfigError(str(path), "\n  ".join([f"{len(mistakes)} mistakes", *mistakes]))


def tried(key: str, table: Mapping[str, Any], where: str) -> tuple[list[Source], list[str]]:
    """The source of a table, or every mistake in it: a wrong key is set aside and the rest looked at again."""
    rest, mistakes = dict(table), []
    while True:
        try:
            found = source_of(key, rest, where)
        except ConfigError as error:
            mistakes.append(str(error))
            wrong = str(error.args[0]).removeprefix(f"{where}: ")
            if wrong in REQUIRED or wrong not in rest:
                return [], mistakes
            del rest[wrong]
        else:
            return ([], mistakes) if mistakes else ([found], [])


def source_of(key: str, table: Mapping[str, Any], where: str) -> Source:
    """Turn one table into a source; raise `ConfigError` that names the key and what is allowed."""
    if not ID_PATTERN.fullmatch(key):
        raise ConfigError(where, "unusable id", "lower-case letters, digits, '-', '_', '.'")
    if "id" in table:
        raise ConfigError(f"{where}: id", "key not allowed", "the table's name to be the id")
    for name in REQUIRED:
        if name not in table:
            raise ConfigError(f"{where}: {name}", "missing", ALLOWED[name])
    if table["kind"] not in KINDS:
        raise ConfigError(f"{where}: kind", repr(table["kind"]), ALLOWED["kind"])
    source = decode(Source, {"name": key, **table, "id": key}, where)
    for name in ("url", "home"):
        if (name in REQUIRED or getattr(source, name)) and not is_web(getattr(source, name)):
            raise ConfigError(f"{where}: {name}", repr(getattr(source, name)), ALLOWED["url"])
    try:
        re.compile(source.url_pattern)
    except re.error as error:
        saw = f"{source.url_pattern!r} ({error})"
        raise ConfigError(f"{where}: url_pattern", saw, "a regular expression") from None
    try:
        ZoneInfo(source.timezone)
    except (OSError, ValueError, KeyError, RecursionError):  # each part of a name is a package to be imported
        raise ConfigError(f"{where}: timezone", repr(source.timezone), "an IANA name such as Asia/Seoul") from None
    for name, least in LEAST.items():
        if not least <= getattr(source, name) < float("inf"):
            raise ConfigError(f"{where}: {name}", repr(getattr(source, name)), f"a number not below {least}")
    return source


def doubles(sources: Iterable[Source], origin: Mapping[str, Path]) -> list[str]:
    """Name sources that would read the same address with the same pattern."""
    seen: dict[tuple[str, str], str] = {}
    found: list[str] = []
    for source in sources:
        first = seen.setdefault((source.url, source.url_pattern), source.id)
        if first != source.id:
            found.append(f"{origin[source.id]}: [{source.id}]: url: same url and url_pattern as [{first}]")
    return found


def pick(sources: Iterable[Source], ids: Iterable[str]) -> tuple[Source, ...]:
    """Return the named sources, or the enabled ones when none is named."""
    known = {source.id: source for source in sources}
    wanted = list(dict.fromkeys(ids))
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=3)
            hint = f"did you mean {', '.join(close)}?" if close else "see `copydesk sources list`"
            raise ConfigError(name, "unknown source", "", hint)
    return tuple(known[name] for name in wanted) if wanted else tuple(s for s in known.values() if s.enabled)


def traits(source: Source) -> Traits:
    """Return what a stage needs to know of the source."""
    return Traits(
        publisher=source.name, language=source.language, timezone=source.timezone, is_topical=source.topical_filter
    )


def switch(config: Config, ids: Iterable[str], *, is_enabled: bool) -> Path:
    """Switch sources on or off in the user's own file, keeping its comments; return the file's path."""
    chosen = pick(load_sources(config, must_exist=False), ids)
    return write_own(config, {source.id: {"enabled": is_enabled} for source in chosen})


def check_id(wanted: str, known: Iterable[Source]) -> None:
    """Refuse an id that cannot be one or is another source's; "" is fine, one will be found."""
    if wanted and not ID_PATTERN.fullmatch(wanted):
        raise ConfigError("--id", repr(wanted), "lower-case letters, digits, '-', '_', '.'")
    if wanted in {source.id for source in known}:
        raise ConfigError("--id", f"{wanted} is taken", "an id no source has", "leave --id out and one is found")


def add(config: Config, tables: Mapping[str, Mapping[str, Any]]) -> Path:
    """Write new sources into the user's own file, keeping its comments; return the file's path."""
    for key, table in tables.items():
        source_of(key, table, f"{config.sources_path}: [{key}]")  # what we write must be what we accept
    return write_own(config, tables)


def write_own(config: Config, changes: Mapping[str, Mapping[str, Any]]) -> Path:
    """Lay keys over the tables of the user's own file."""
    import tomlkit  # only the commands that write need it

    path = config.sources_path.resolve()  # the file itself, where a link leads to it
    text = path.read_text("utf-8").rstrip() if path.exists() else ""
    document = tomlkit.parse(text + "\n" if text else "")
    for key, table in changes.items():
        if key not in document:
            if text:
                document.add(tomlkit.ws("\n"))
            document[key], text = tomlkit.table(), key
        for name, value in table.items():
            document[key][name] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")  # a broken write must not cost the user's list
    part.write_text(tomlkit.dumps(document), "utf-8")
    if path.exists():
        shutil.copymode(path, part)
    part.replace(path)
    return config.sources_path
