"""The whole command line: the corpus commands of `pipelines`, and those that need Scrapy.

`main` is the console script. Scrapy is imported only when a crawl starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import answer, answer_json, cli, remark, with_config
from pipelines.cli import main as run_group
from pipelines.cli.options import Moment
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from crawler.outcome import Report
    from crawler.sources import Source
    from pipelines.config import Config
    from pipelines.records import Traits

COMMAND_MODULES = ("pipelines.cli.commands", "crawler.source_commands", "crawler.demo.command")


@cli.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many pages of each source.")
@click.option("--since", type=Moment(), help="Only pages published since: 7d, 12h, 2w or a day. Undated ones too.")
@click.option("--force", is_flag=True, help="Sources that are not due, too. Named ones always are.")
@click.option("--dry-run", is_flag=True, help="List what would be fetched; ask nobody, write nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing when all went well: for cron.")
@click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--sources",
    "sources_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A source list of your own, laid over the shipped one; COPYDESK_SHIPPED_SOURCES=false leaves that out.",
)
@with_config
def crawl(
    config: Config,
    names: tuple[str, ...],
    limit: int | None,
    since: datetime | None,
    force: bool,
    dry_run: bool,
    quiet: bool,
    is_json: bool,
    sources_path: Path | None,
) -> int:
    """Crawl the sources that are due, or those named.

    Exit codes: 0 good, 2 usage, 3 some sources failed, 4 none succeeded, 5 database, 75 another run, 130 interrupted.

    Example: copydesk crawl --since 7d --quiet
    """
    config, chosen = chosen_sources(config, names, sources_path)
    now, force = datetime.now(UTC), force or bool(names)
    from crawler.run import crawl as start
    from crawler.run import planned

    if dry_run:
        tell_plan(planned(config, chosen, limit=limit, force=force, now=now), is_json=is_json)
        return 0
    report = start(config, chosen, limit=limit, since=since, force=force, now=now)
    tell(report, is_quiet=quiet, is_json=is_json)
    return report.exit_code


def chosen_sources(config: Config, names: Sequence[str], sources_path: Path | None) -> tuple[Config, Sequence[Source]]:
    """The sources named, else all enabled ones; and the settings with the list they come from."""
    from crawler.sources import load_sources, pick
    from pipelines.config import changed

    if sources_path is not None:
        if not sources_path.exists():
            raise click.BadParameter(f"{sources_path}: no such file", param_hint="--sources")
        config = changed(config, sources=str(sources_path))
    listed = load_sources(config)
    chosen = pick(listed, names) if names else tuple(source for source in listed if source.enabled)
    if not chosen:
        raise ConfigError("sources", "none is enabled", "at least one", "see `copydesk sources list`")
    return config, chosen


def tell_plan(rows: list[dict[str, Any]], *, is_json: bool) -> None:
    """Say what would be fetched, one address a line."""
    if is_json:
        answer_json(rows)
        return
    for row in rows:
        answer(f"{row['source']}\t{row['kind']}\t{row['url']}")


def tell(report: Report, *, is_quiet: bool, is_json: bool) -> None:
    """Say how it went: the summary last, or first when it is to be the subject of a mail."""
    if is_quiet and report.exit_code == 0:
        return
    if is_json:
        answer_json(report.as_plain())
    elif is_quiet:
        for line in (report.summary, *report.trouble):
            remark(line)
    else:
        for line in report.trouble:
            remark(line)
        answer(report.summary)


def traits_of(config: Config, name: str) -> Traits | None:
    """What the source list says of a publisher; `ingest --source` gives it to saved pages, as a crawl would."""
    from crawler.sources import load_sources, traits

    return next((traits(source) for source in load_sources(config) if source.id == name), None)


cli.context_settings["obj"] = traits_of  # `pipelines` cannot import us: it finds the function in click's context


def load_commands() -> click.Group:
    """Import the modules that register commands; return the whole group."""
    for module in COMMAND_MODULES:
        import_module(module)
    return cli


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the console script."""
    run_group(load_commands(), arguments)
