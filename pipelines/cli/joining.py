"""The commands for more than one machine: merge and write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli import answer, answer_json, cli, with_config
from pipelines.cli.filling import tell_tally
from pipelines.cli.options import json_option, stopped_gently, utc_now
from pipelines.cli.tables import Progress
from pipelines.report import plural

if TYPE_CHECKING:
    from pipelines.config import Config


@cli.command()
@click.argument("corpora", metavar="CORPUS…", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@with_config
def merge(corpora: tuple[Path, ...], is_json: bool, config: Config) -> None:
    """Pour other corpora into this one.

    Articles with their versions and evidence, fetches, rejections, runs, what sites and hosts taught, what is due: each once, in whatever order and however often.
    An address that several have is one article with one history. Copies across the corpora are found, and stories grouped, as if one crawl had read everything.
    The corpora poured in are only read.

    Example: copydesk merge shard-1.db shard-2.db --db all.db
    """
    from pipelines.merge import merge as run_merge

    progress = Progress("articles placed")
    with stopped_gently(), progress:
        done = run_merge(config, corpora, utc_now(), progress.show)
    if is_json:
        answer_json(done)
        return
    answer(
        f"{plural(done['corpora'], 'corpus', 'corpora')}: {plural(done['articles'], 'new article')}, {done['joined']} known ones joined,"
        f" {plural(done['fetches'], 'fetch', 'fetches')}, {plural(done['rejections'], 'rejection')}"
    )
    answer(
        f"now {plural(done['total'], 'article')}: {plural(done['copies'], 'copy', 'copies')} of {plural(done['clusters'], 'text')},"
        f" {plural(done['stories'], 'story', 'stories')}"
    )


@cli.command()
@click.option("--from", "url", required=True, metavar="URL", help="The Redis that workers send to: redis://host:6379/0")
@click.option("--drain", "is_draining", is_flag=True, help="End when nothing is waiting any more.")
@click.option("--quiet", is_flag=True, help="Say nothing when all went well.")
@json_option
@with_config
def write(url: str, is_draining: bool, quiet: bool, is_json: bool, config: Config) -> int:
    """Settle the pages that workers on other machines send.

    They are sent by `copydesk crawl --to`. This is the one writer of a corpus: a page leaves the stream when it is on disk, and a second writer is refused.
    It goes on until it is interrupted; while Redis is away it waits. Needs copydesk[cluster].

    Example: copydesk write --from redis://10.0.0.5:6379/0
    """
    from pipelines.writing import write as run_write

    progress = Progress("pages")
    with stopped_gently(), progress:
        tally = run_write(config, url, utc_now, progress.tell, is_draining=is_draining, count=progress.show)
    return tell_tally(tally, "settled", is_json=is_json, is_quiet=quiet)
