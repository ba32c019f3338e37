"""`copydesk sources`: the list and its health, a look at what answers, and changes to the user's own file."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from pipelines.cli import CommandGroup, answer, answer_json, cli, remark, with_config
from pipelines.cli.options import json_option
from pipelines.cli.tables import column, print_rows
from pipelines.errors import ConfigError, InputError, StorageError
from pipelines.report import day, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crawler.finding import Finding
    from crawler.opml import Outline
    from crawler.probing import Health
    from crawler.sources import Source
    from pipelines.config import Config

HEALTH = ("last_success", "last_new", "failures", "error")
STANDARD = Path("-")  # stdin or stdout


class ListFirst(CommandGroup):
    """A group that lists when no other command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing and (
            not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        ):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@cli.group(cls=ListFirst)
def sources() -> None:
    """Show the source list and its health; change your own. Alone: the list.

    Example: copydesk sources
    """


@sources.command("list")
@click.option("--enabled", "is_enabled_only", is_flag=True, help="Only those a crawl visits.")
@click.option(
    "--shards",
    metavar="N",
    type=click.IntRange(1, 1000),
    help="Name the part each is in when N crawlers share the list (`crawl --shard`).",
)
@json_option
@with_config
def list_sources(config: Config, is_json: bool, is_enabled_only: bool, shards: int | None) -> int:
    """List every source and how it did.

    Last success, last new article and failures in a row, from the corpus.

    Example: copydesk sources list --enabled
    """
    from crawler.sharding import shard_of
    from crawler.sources import load_sources

    health = health_of(config)
    rows = [
        row_of(source)
        | {name: health.get(source.id, {}).get(name) for name in HEALTH}
        | ({"shard": f"{shard_of(source.url, shards)}/{shards}"} if shards else {})
        for source in load_sources(config)
        if source.enabled or not is_enabled_only
    ]
    if is_json:
        answer_json(rows)
        return 0
    shown = [
        *([column("shard")] if shards else []),
        column("is", "enabled", lambda on: "on" if on else "off"),
        column("id"),
        column("kind"),
        column("lang", "language"),
    ]
    if health:
        shown += [column("success", "last_success", day), column("last new", "last_new", day)]
        shown += [column("fails", "failures", lambda count: str(count or ""))]
    print_rows(rows, [*shown, column("url")])
    on = sum(bool(row["enabled"]) for row in rows)
    remark(f"{plural(len(rows), 'source')}, {on} on; your own changes are in {config.sources_path}")
    return 0


def row_of(source: Source) -> dict[str, Any]:
    names = ("id", "name", "enabled", "kind", "language", "topical_filter", "group", "url", "url_pattern", "home")
    return {name: getattr(source, name) for name in names}


def health_of(config: Config) -> dict[str, dict[str, Any]]:
    """How each source did, from the corpus; nothing where there is none, or none we can read."""
    if not config.database_path.exists():
        return {}
    from pipelines.store import Corpus

    try:
        with Corpus.open(config.database_path, config, read_only=True) as corpus:
            return {row["source"]: row for row in corpus.source_health()}
    except StorageError as error:  # the list is worth showing all the same
        remark(f"copydesk: no health, {error}")
        return {}


@sources.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@json_option
@with_config
def check(config: Config, names: tuple[str, ...], is_json: bool) -> int:
    """Ask each source once and tell what it offers.

    The enabled sources, or those named; the corpus is left alone. Exit codes: 0 all good, 3 some failed, 4 all failed.

    Example: copydesk sources check
    """
    from crawler.sources import load_sources, pick

    chosen = pick(load_sources(config), names)
    if not chosen:
        raise ConfigError("sources", "none is enabled", "at least one", "see `copydesk sources list`")
    from crawler.probing import check as look_at

    rows, code = look_at(config, chosen)
    if is_json:
        answer_json([{**asdict(row), "newest": row.newest.isoformat() if row.newest else None} for row in rows])
    else:
        print_rows([{"id": row.id, "outcome": row.outcome, "told": told(row)} for row in rows], CHECK_COLUMNS)
    return code


CHECK_COLUMNS = [column("source", "id"), column("is", "outcome"), column("offers", "told")]


def told(row: Health) -> str:
    """What a source offers, or what is wrong with it."""
    if row.outcome != "ok":
        return row.error
    parts = [entries_of(row.entries, is_more=row.is_more), f"newest {day(row.newest)}" if row.newest else "no dates"]
    return ", ".join([*parts, row.error] if row.error else parts)


def entries_of(count: int, *, is_more: bool) -> str:
    return ("at least " if is_more else "") + plural(count, "entry", "entries")


@sources.command()
@click.argument("url")
@click.option("--id", "name_id", default="", help="Its id in the list. [default: from the host]")
@click.option("--name", default="", help="Its name. [default: what the site calls itself]")
@click.option("--language", default="", help="ISO 639-1: en, ko. [default: what the site says]")
@click.option(
    "--topical/--dedicated",
    default=False,
    help="A general site, keep only what is about AI safety; or keep all.  [default: dedicated]",
)
@click.option("--local", "is_local", is_flag=True, help="It stands on this machine or in your own network.")
@click.option("--dry-run", is_flag=True, help="Say what would be added; write nothing.")
@with_config
def add(config: Config, url: str, **options: Any) -> int:
    """Find out how to follow a site, and add it to your own list.

    By its feed, else its sitemap, else the links of a page.

    Exit codes: 0 added or already there, 2 no usable URL, 3 nothing to follow, 4 not reachable.

    Example: copydesk sources add https://paper.example/blog
    """
    from crawler.sources import check_id, load_sources
    from pipelines.urls import normal_form

    address = normal_form(url)
    if not address:
        raise ConfigError("URL", repr(url), "an http or https address", "for example https://paper.example/")
    known = load_sources(config, must_exist=False)
    check_id(options["name_id"], known)
    if followed := already(known, address):
        answer(followed)
        return 0
    from crawler.finding import Miss, find

    say = remark if sys.stderr.isatty() else lambda _: None
    is_local = options["is_local"] and is_private(address)
    found = find(config, address, is_local=is_local, say=say)
    if isinstance(found, Miss):
        remark(f"copydesk: {found.line}")
        return found.exit_code
    if followed := already(known, found.url, found.url_pattern):
        answer(followed)
        return 0
    return write_found(config, found, known, {**options, "is_local": is_local})


def already(known: Sequence[Source], url: str, pattern: str = "") -> str:
    """The line that says a source with this address is in the list; "" when none is."""
    for source in known:
        if plain(url) == plain(source.url) and (not pattern or pattern == source.url_pattern):
            break
        if source.home and plain(url) == plain(source.home):
            break
    else:
        return ""
    if source.enabled:
        return f"{source.id} is already followed: {source.kind} {source.url}"
    return f"{source.id} is already in the list, but off; `copydesk sources enable {source.id}` switches it on"


def plain(url: str) -> str:
    """An address without scheme, "www." and a slash at its end: how people compare them."""
    from pipelines.urls import normal_form, site

    parts = urlsplit(normal_form(url))
    return site(url) + parts.path.rstrip("/") + ("?" + parts.query if parts.query else "")


def is_private(url: str) -> bool:
    """True when the address leads to what the guard would refuse: only there --local means anything."""
    from crawler.guard import WEB_PORTS, dialled, is_public

    return any(not is_public(address) or port not in WEB_PORTS for address, port in dialled([url]))


def write_found(config: Config, found: Finding, known: Sequence[Source], options: dict[str, Any]) -> int:
    """Write what was found into the user's own list and say so in one line."""
    from crawler.guessing import id_for
    from crawler.sources import add as write

    name_id = options["name_id"] or id_for(found.home or found.url, {source.id for source in known})
    table: dict[str, Any] = {
        "name": options["name"] or found.name or urlsplit(found.url).hostname or name_id,
        "kind": found.kind,
        "url": found.url,
        "home": found.home,
        "url_pattern": found.url_pattern,
        "language": options["language"] or found.language,
    }
    table = {key: value for key, value in table.items() if value}
    table |= {"topical_filter": True} if options["topical"] else {}
    table |= {"local": True} if options["is_local"] else {}
    table["enabled"] = True
    verb, where = "would add", ""
    if not options["dry_run"]:
        verb, where = "added", f" → {write(config, {name_id: table})}"
    newest = found.newest.hint.title or found.newest.url
    counted = entries_of(len(found.entries), is_more=found.is_more)
    answer(f"{verb} {name_id}: {found.kind} {found.url}, {counted}, newest “{newest}”{where}")
    return 0


@sources.command("import")
@click.argument("opml", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--local", "is_local", is_flag=True, help="Feeds in your own network, too; only from a file of yours.")
@click.option("--dry-run", is_flag=True, help="Say what would be added; write nothing.")
@with_config
def import_opml(config: Config, opml: Path, is_local: bool, dry_run: bool) -> int:
    """Add the feeds of an OPML file to your own list.

    OPML may be - for stdin. Nobody is asked.

    Exit codes: 0 added or already known, 3 the file has no feed that can be followed.

    Example: copydesk sources import feeds.opml
    """
    from crawler.opml import read_opml
    from crawler.sources import add as write
    from crawler.sources import load_sources

    listed = load_sources(config, must_exist=False)
    found = read_opml(read_file(opml), str(opml), is_local=is_local)
    tables = new_tables([outline for outline in found if not outline.skipped], listed)
    skipped = [outline for outline in found if outline.skipped]
    where = f" → {write(config, tables)}" if tables and not dry_run else ""
    for outline in skipped:
        remark(f"skipped {outline.name}: {outline.skipped}")
    verb = "would be added" if dry_run else "added"
    old = len(found) - len(tables) - len(skipped)
    if len(skipped) == len(found):
        saw = f"none of its {plural(len(found), 'feed')} can be followed" if found else "no feed in it"
        raise InputError(str(opml), saw, 'an outline with type="rss" and xmlUrl')
    answer(f"{plural(len(tables), 'feed')} {verb}, {old} already known, {len(skipped)} skipped{where}")
    return 0


def new_tables(outlines: Sequence[Outline], listed: Sequence[Source]) -> dict[str, dict[str, Any]]:
    """A table for each feed that is not in the list yet."""
    from crawler.guessing import id_for

    known, ids = {plain(source.url) for source in listed}, {source.id for source in listed}
    tables: dict[str, dict[str, Any]] = {}
    for outline in outlines:
        if plain(outline.url) in known:
            continue
        name_id = id_for(outline.home or outline.url, ids)
        known.add(plain(outline.url))
        ids.add(name_id)
        values = {"name": outline.name, "kind": "feed", "url": outline.url, "home": outline.home}
        values |= {"language": outline.language, "group": outline.group}
        marks = {"topical_filter": outline.is_topical, "local": outline.is_local}
        table = {key: value for key, value in {**values, **marks}.items() if value}
        tables[name_id] = {**table, "enabled": outline.is_enabled}
    return tables


def read_file(path: Path) -> bytes:
    if path == STANDARD:
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(str(path), (error.strerror or str(error)).lower(), "an OPML file") from None


@sources.command("export")
@click.argument("opml", type=click.Path(path_type=Path, allow_dash=True), default="-")
@click.option("--all", "is_all", is_flag=True, help="Those that are switched off, too.")
@with_config
def export_opml(config: Config, opml: Path, is_all: bool) -> int:
    """Write the feeds you follow as OPML, for a feed reader.

    OPML is a file, or - for stdout.

    Example: copydesk sources export feeds.opml
    """
    from crawler.opml import write_opml
    from crawler.sources import load_sources

    listed = [source for source in load_sources(config) if source.enabled or is_all]
    feeds = [source for source in listed if source.kind == "feed"]
    data = write_opml(feeds)
    if opml == STANDARD:
        answer(data.decode().rstrip("\n"))
    else:
        try:
            opml.write_bytes(data)
        except OSError as error:
            raise StorageError(str(opml), (error.strerror or str(error)).lower(), "a file we may write") from None
    rest = len(listed) - len(feeds)
    told_rest = f"; {plural(rest, 'source')} without a feed left out" if rest else ""
    remark(f"{plural(len(feeds), 'feed')} exported{told_rest}")
    return 0


@sources.command()
@click.argument("names", nargs=-1, required=True, metavar="SOURCE...")
@with_config
def enable(config: Config, names: tuple[str, ...]) -> int:
    """Switch sources on.

    Example: copydesk sources enable metr
    """
    return write_switch(config, names, is_enabled=True)


@sources.command()
@click.argument("names", nargs=-1, required=True, metavar="SOURCE...")
@with_config
def disable(config: Config, names: tuple[str, ...]) -> int:
    """Switch sources off.

    Example: copydesk sources disable metr
    """
    return write_switch(config, names, is_enabled=False)


def write_switch(config: Config, names: tuple[str, ...], *, is_enabled: bool) -> int:
    """Write the change and say where it went."""
    from crawler.sources import switch

    path = switch(config, names, is_enabled=is_enabled)
    remark(f"{', '.join(names)}: {'enabled' if is_enabled else 'disabled'} in {path}")
    return 0
