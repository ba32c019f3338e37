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
    from pipelines.batch import Tally
    from pipelines.config import Config
    from pipelines.records import Traits

STDIN = Path("-")
TraitsFinder = Callable[["Config", str], "Traits | None"]


@cli.command()
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--source", default="", help="Whose pages these are: the id of a source. [default: ingest]")
@click.option("--topical", is_flag=True, help="Keep only pages about AI safety, as a crawl of a general source does.")
@click.option("--url-prefix", default="", help="The address of the folder the files were saved from.")
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
    quiet: bool,
    is_json: bool,
    config: Config,
) -> int:
    """Read saved pages into the corpus.

    They go through the same stages as pages of a crawl. PATH is a web archive (.warc, .warc.gz), a saved page (.html), flattened text (.txt), JSON Lines of
    {"url", "html", "fetched"} or a folder of these; "-" is any of them on stdin. A finished file is not read twice, and an interrupted one goes
    on where it stopped. The address of a saved page is --url-prefix and its path in the folder, else the address
    the page claims (canonical link, og:url), else file:// and its place on this machine.

    Example: copydesk ingest crawl.warc.gz saved-pages/ --topical
             zcat pages.jsonl.gz | copydesk ingest -
    """
    from pipelines.batch import DEFAULT_SOURCE, Listener, Order
    from pipelines.batch import ingest as run_ingest
    from pipelines.inputs import spooled

    if url_prefix:
        check_prefix(url_prefix)
    traits = traits_of(context.obj, config, source)
    if topical:
        traits = replace(traits, is_topical=True)
    progress = Progress("pages")
    with TemporaryDirectory(prefix="copydesk-") as folder, stopped_gently(), progress:
        passing = spooled(sys.stdin.buffer, Path(folder), url_prefix) if STDIN in paths else None
        read = tuple(passing if passing and path == STDIN else path for path in dict.fromkeys(paths))
        order = Order(read, source or DEFAULT_SOURCE, traits, url_prefix, passing)
        spool = str(passing or STDIN)
        listener = Listener(lambda said: progress.tell(said.replace(spool, "-")), progress.show)
        tally = run_ingest(config, order, utc_now, listener)
    return tell_tally(tally, "read", is_json=is_json, is_quiet=quiet)


def traits_of(find: TraitsFinder | None, config: Config, source: str) -> Traits:
    """What the source list says of these pages; where there is no list, or no such source, nothing."""
    from pipelines.records import Traits

    found = find(config, source) if callable(find) and source else None
    if callable(find) and source and found is None:
        remark(f"no source is called {source}: its pages get neither language nor time zone from the list")
    return found or Traits()


def check_prefix(prefix: str) -> None:
    from pipelines.urls import normal_form

    if not normal_form(prefix):
        raise click.BadParameter(f"{prefix!r} is no http(s) address", param_hint="--url-prefix")


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
