"""The whole command line: the corpus commands of `pipelines`, and those that need Scrapy.

`main` is the console script. Scrapy is imported only when a crawl starts.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from logging import ERROR, INFO, WARNING
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import click

from pipelines.cli import EXIT_INTERRUPTED, EXIT_UNEXPECTED, answer, answer_json, cli, remark, told_as, with_config
from pipelines.cli import main as run_group
from pipelines.cli.options import Moment, stopped_gently
from pipelines.cli.watch import news_of_run
from pipelines.errors import ConfigError, one_line
from pipelines.report import printable

if TYPE_CHECKING:
    from crawler.outcome import Report
    from crawler.sharding import Shard
    from crawler.sources import Source
    from pipelines.config import Config
    from pipelines.records import Traits

    ParamType = click.ParamType[Shard]
else:
    ParamType = click.ParamType  # click's older versions cannot be subscripted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# says in each run that no Referer is sent, which is how we want it
EXPECTED = ("scrapy.downloadermiddlewares.redirect",)
LOGGED = ("new", "copies", "updated", "unchanged", "rejected", "failed", "gone", "requests", "not_modified", "waiting")
COMMAND_MODULES = ("pipelines.cli.commands", "crawler.source_commands", "crawler.demo.command")


class ShardType(ParamType):
    """A part of the source list: 2/5."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        from crawler.sharding import MOST_SHARDS, parsed

        found = parsed(value) if isinstance(value, str) else value
        if found is None:
            self.fail(f"{value!r} is no shard like 2/5, from 1/1 to {MOST_SHARDS}/{MOST_SHARDS}", param, ctx)
        return cast("Shard", found)


@cli.command()
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="At most this many pages of each source.")
@click.option("--since", type=Moment(), help="Only pages published since: 7d, 12h, 2w or a day. Undated ones too.")
@click.option("--force", is_flag=True, help="Sources that are not due, too. Named ones always are.")
@click.option("--dry-run", is_flag=True, help="List what would be fetched; ask nobody, write nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing when all went well: for cron.")
@click.option("--json", "is_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--sources",
    "sources_path",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="A source list of your own (-: stdin). The shipped sources that are enabled are crawled too,"
    " unless COPYDESK_SHIPPED_SOURCES=false (or shipped_sources in copydesk.toml) leaves them out.",
)
@click.option("--shard", type=ShardType(), help="Only sources whose host is in this part of the list: 2/5.")
@click.option("--frontier", metavar="URL", default="", help="Share what is to be fetched through this Redis: redis://…")
@click.option("--to", metavar="URL", default="", help="Send each page to the `copydesk write` of this Redis, too.")
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
    shard: Shard | None,
    frontier: str,
    to: str,
) -> int:
    """Crawl the sources that are due, or those named.

    Exit codes: 0 good, 2 usage, 3 some sources failed, 4 none succeeded, 5 database, 75 another run, 130 interrupted.

    Example: copydesk crawl --since 7d --quiet
             copydesk crawl --shard 2/5 --db shard-2.db
    """
    now, force = datetime.now(UTC), force or bool(names)
    if dry_run:
        from crawler.run import planned

        settled, chosen = chosen_sources(config, names, sources_path, shard)
        tell_plan(planned(settled, chosen, limit=limit, force=force, now=now), is_json=is_json)
        return 0

    def run() -> Report:
        from crawler.cluster import ALONE_SHARD, Cluster
        from crawler.run import crawl as start

        settled, chosen = chosen_sources(config, names, sources_path, shard)
        shared = Cluster(frontier, to, shard or ALONE_SHARD)
        return start(settled, chosen, limit=limit, since=since, force=force, now=now, cluster=shared)

    return attended(config, run, is_quiet=quiet, is_json=is_json)


def attended(config: Config, run: Callable[[], Report], *, is_quiet: bool, is_json: bool) -> int:
    """Crawl and say how it went: here, in the log, to the watchdog and to the user's command; these can fail nothing."""
    from pipelines.logs import LOG, log_file
    from pipelines.notify import Notice

    before = {number: signal.getsignal(number) for number in SIGNALS}
    notice, troubles = Notice(config.notify), list[str]()
    failure: BaseException | None = None
    report: Report | None = None
    with log_file(config.log, troubles, unheard=EXPECTED):
        LOG.info("a crawl begins, into %s", config.database_path)
        notice.started()
        try:
            report = run()
            code, summary, lines = report.exit_code, report.summary, report.trouble
            tell(report, is_quiet=is_quiet, is_json=is_json)
            write_down(report)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a bug is raised again below, once it was told
            line, code = told_as(error) or (f"copydesk crawl: unexpected error: {one_line(error)}", EXIT_UNEXPECTED)
            failure = error if code == EXIT_UNEXPECTED else None
            remark(line)  # first: it is the subject of a mail
            LOG.log(ERROR, line, exc_info=failure)
            summary, lines = line, []
        hear_again(before)
        with stopped_gently():  # or what the command has started would outlive us
            if report is not None and code != EXIT_INTERRUPTED:
                troubles += news_of_run(config, report.run, is_quiet=is_quiet)
            troubles += notice.ended(code, printable(summary), [printable(line) for line in lines])
        for line in troubles:
            LOG.warning(line)
    if code or not is_quiet:
        for line in troubles:
            remark(f"copydesk: {line}")
    if failure is not None:
        raise failure
    return code


def hear_again(handlers: Mapping[signal.Signals, Any]) -> None:
    """Undo what the event loop did to signals: it has ended, and would swallow them."""
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        if handler is not None:
            signal.signal(number, handler)


def write_down(report: Report) -> None:
    """The run into the log: a line for each source that was asked, and the summary."""
    from pipelines.logs import LOG

    for source in report.sources:
        if source.outcome != "skipped":
            counts = [f"{getattr(source, name)} {name}" for name in LOGGED if getattr(source, name)]
            said = source.error or source.silent or source.note
            is_well = source.outcome == "ok" and not source.silent
            told = ", ".join([source.outcome, *counts]) + (f"; {said}" if said else "")
            LOG.log(INFO if is_well else WARNING, "%s: %s", source.id, told)
    LOG.log(ERROR if report.exit_code else INFO, "%s, exit code %d", report.summary, report.exit_code)


def chosen_sources(
    config: Config, names: Sequence[str], sources_path: Path | None, shard: Shard | None = None
) -> tuple[Config, Sequence[Source]]:
    """The sources named, else all enabled ones, as far as they are in the shard; and the settings with the list they come from."""
    from crawler.sources import load_sources, pick
    from pipelines.config import changed

    if str(sources_path) == "-":
        sources_path = spooled_list()
    if sources_path is not None:
        if not sources_path.exists():
            raise click.BadParameter(f"{sources_path}: no such file", param_hint="--sources")
        config = changed(config, sources=str(sources_path))
    listed = load_sources(config)
    chosen = pick(listed, names) if names else tuple(source for source in listed if source.enabled)
    if not chosen:
        raise ConfigError("sources", "none is enabled", "at least one", "see `copydesk sources list`")
    return config, shard.of(chosen) if shard else chosen


def spooled_list() -> Path:
    """The list that comes on stdin, as a file: it is read more than once. The file is gone when the command ends."""
    folder = click.get_current_context().with_resource(TemporaryDirectory(prefix="copydesk-"))
    path = Path(folder) / "stdin.toml"
    path.write_bytes(sys.stdin.buffer.read())
    return path


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
