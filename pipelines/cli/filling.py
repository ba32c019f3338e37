"""The commands that fill the corpus: ingest, reprocess."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from pipelines.cli import answer_json, cli, remark, with_config
from pipelines.cli.options import (
    json_option,
    reading,
    require_corpus,
    since_option,
    source_option,
    stopped_gently,
    utc_now,
)
from pipelines.cli.tables import Progress, print_lines
from pipelines.errors import ConfigError
from pipelines.report import tally_lines

if TYPE_CHECKING:
    from pipelines.batch import Order, Tally
    from pipelines.config import Config
    from pipelines.records import Traits

STDIN = Path("-")
LIST_ENDS = (".paths", ".paths.gz")  # as in pipelines.archive.lists, which only those who read archives import
TraitsFinder = Callable[["Config", str], "Traits | None"]


@cli.command()
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", default="", help="Whose pages these are: the id of a source. [default: ingest]")
@click.option("--topical", is_flag=True, help="Keep only pages about AI safety, as a crawl of a general source does.")
@click.option("--url-prefix", default="", help="The address of the folder the files were saved from.")
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    help="Read web archives side by side: on this machine's processors, or with Spark. [default for lists: local]",
)
@click.option("--jobs", metavar="N", type=click.IntRange(1, 1000), help="Archives read at once. [default: one a core]")
@click.option(
    "--parts",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where what archives gave waits to be settled. [default: beside the corpus]",
)
@click.option("--quiet", is_flag=True, help="Say nothing when all went well.")
@json_option
@with_config
@click.pass_context
def ingest(
    context: click.Context,
    *,
    paths: tuple[Path, ...],
    source: str,
    topical: bool,
    url_prefix: str,
    engine: str | None,
    jobs: int | None,
    parts: Path | None,
    quiet: bool,
    is_json: bool,
    config: Config,
) -> int:
    """Read saved pages into the corpus.

    They go through the same stages as pages of a crawl. PATH is a web archive (.warc, .warc.gz), a saved page (.html), flattened text (.txt), JSON Lines of
    {"url", "html", "fetched"} or a folder of these; "-" is any of them on stdin. A finished file is not read twice, and an interrupted one goes
    on where it stopped. The address of a saved page is --url-prefix and its path in the folder, else the address
    the page claims (canonical link, og:url), else file:// and its place on this machine.

    Archives are read side by side with --engine, or when PATH is a list of them as Common Crawl has it (warc.paths.gz, in the tree it was
    published in): what each gave becomes a Parquet file (--parts), then one writer settles all. The pages stay in the
    archives; with --topical, those without a word of the topic are not parsed.

    Example: copydesk ingest crawl.warc.gz saved-pages/ --topical
             copydesk ingest CC-NEWS/2026/10/warc.paths.gz --topical --jobs 8
             zcat pages.jsonl.gz | copydesk ingest -
    """
    from pipelines.batch import DEFAULT_SOURCE, Order

    traits = traits_of(context.obj, config, source, is_topical=topical)
    order = Order(tuple(dict.fromkeys(paths)), source or DEFAULT_SOURCE, traits, checked_prefix(url_prefix))
    if engine is not None or any(path.name.lower().endswith(LIST_ENDS) for path in paths):
        tally = read_archives(config, order, engine, jobs, parts)
    elif jobs or parts:
        raise click.UsageError("--jobs and --parts are for --engine, or for lists of archives")
    else:
        tally = read_files(config, order)
    return tell_tally(tally, "read", is_json=is_json, is_quiet=quiet)


def read_files(config: Config, order: Order) -> Tally:
    """Read files one after another; "-" is what comes on stdin."""
    from pipelines.batch import Listener
    from pipelines.batch import ingest as run_ingest
    from pipelines.inputs import spooled

    progress = Progress("pages")
    with TemporaryDirectory(prefix="copydesk-") as folder, stopped_gently(), progress:
        passing = spooled(sys.stdin.buffer, Path(folder), order.url_prefix) if STDIN in order.paths else None
        read = tuple(passing if passing and path == STDIN else path for path in order.paths)
        spool = str(passing or STDIN)
        listener = Listener(lambda said: progress.tell(said.replace(spool, "-")), progress.show)
        return run_ingest(config, replace(order, paths=read, passing=passing), utc_now, listener)


def read_archives(config: Config, order: Order, engine: str | None, jobs: int | None, parts: Path | None) -> Tally:
    """Read web archives side by side."""
    from pipelines.archive.settle import Plan, ingest_archives
    from pipelines.batch import Listener

    if STDIN in order.paths:
        raise click.UsageError("an engine reads files, not stdin")
    progress = Progress("pages")
    with stopped_gently(), progress:
        plan = Plan(order, engine or "local", jobs or 0, parts)
        return ingest_archives(config, plan, utc_now, Listener(progress.tell, progress.show))


def traits_of(find: TraitsFinder | None, config: Config, source: str, *, is_topical: bool) -> Traits:
    """What the source list says of these pages; where there is no list, or no such source, nothing. `is_topical` is added."""
    from pipelines.records import Traits

    found = find(config, source) if callable(find) and source else None
    if callable(find) and source and found is None:
        remark(f"no source is called {source}: its pages get neither language nor time zone from the list")
    found = found or Traits()
    return replace(found, is_topical=True) if is_topical else found


def checked_prefix(prefix: str) -> str:
    """The prefix, when it is an address or empty."""
    from pipelines.urls import normal_form

    if prefix and not normal_form(prefix):
        raise click.BadParameter(f"{prefix!r} is no http(s) address", param_hint="--url-prefix")
    return prefix


def tell_tally(tally: Tally, verb: str, *, is_json: bool, is_quiet: bool) -> int:
    """Print what became of the pages; return the exit code."""
    if is_json:
        answer_json(tally.as_dict())
    elif not is_quiet or tally.exit_code:
        print_lines(tally_lines(tally.as_dict(), verb))
    return tally.exit_code


@cli.command()
@since_option
@source_option
@click.option("--quiet", is_flag=True, help="Say nothing when all went well.")
@json_option
@with_config
def reprocess(since: datetime | None, source: str, quiet: bool, is_json: bool, config: Config) -> int:
    """Run the stages again over the stored pages.

    For when rules or libraries have changed; nothing is fetched. A changed text becomes a new version of its article. An article that the rules of today would reject stays, and
    its page's rejection is recorded beside it (see `copydesk why`).

    Example: copydesk reprocess --since 30d
    """
    from pipelines.batch import Listener
    from pipelines.batch import reprocess as run_reprocess

    if source:
        check_source(config, source)
    require_corpus(config)
    progress = Progress("pages")
    with stopped_gently(), progress:
        tally = run_reprocess(config, source, since, utc_now, Listener(progress.tell, progress.show))
    return tell_tally(tally, "processed again", is_json=is_json, is_quiet=quiet)


def check_source(config: Config, source: str) -> None:
    """Refuse the name of a source that nothing came from: most likely it is mistyped."""
    with reading(config) as corpus:
        known = corpus.known_sources()
    if source in known:
        return
    near = get_close_matches(source, known, 3)
    hint = f"did you mean {', '.join(near)}?" if near else "`copydesk stats` names them"
    raise ConfigError(f"--source {source}", "nothing of it is in this corpus", "a source whose pages are stored", hint)
