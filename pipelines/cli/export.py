"""The command that brings articles out of the corpus into files, folders and feeds."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import cli, remark, with_config
from pipelines.cli.options import (
    Moment,
    language_option,
    reading,
    remark_unknown,
    source_option,
    topic_option,
    until_option,
    utc_now,
)
from pipelines.report import plural

if TYPE_CHECKING:
    from pipelines.config import Config

FORMATS = ("jsonl", "text", "markdown", "csv", "parquet", "dataset", "atom", "warc")
LAST = datetime.min.replace(tzinfo=UTC)  # stands for "since the last export to this place"


class MomentOrLast(Moment):
    """A time, or the word "last"."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, str) and value.strip().lower() == "last":
            return LAST
        return super().convert(value, param, ctx)


@cli.command()
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="jsonl", show_default=True, help="How to write articles."
)
@click.option(
    "--since",
    type=MomentOrLast(),
    help="From this day on (2026-05-01), this long ago (7d, 12h), or `last`: only what OUT has not got yet.",
)
@until_option
@source_option
@topic_option
@language_option
@click.option("--all-copies", is_flag=True, help="Copies too, not only the first article of each cluster.")
@click.option("--tags", is_flag=True, help="Markdown: `date` and `tags` (topics) in the front matter, too.")
@click.argument("out", type=click.Path(path_type=Path), default="-")
@with_config
def export(
    *,
    form: str,
    since: datetime | None,
    until: datetime | None,
    source: str,
    topic: str,
    language: str,
    all_copies: bool,
    tags: bool,
    out: Path,
    config: Config,
) -> None:
    """Write the cleaned articles to a file or folder.

    OUT is a file, a folder or - for stdout. In a folder, text and markdown are one file an article, dataset and parquet
    are shards with a card that Hugging Face datasets loads. warc gives the pages as they came. With --since last, a file
    grows, a feed too, and a folder gets what is new or changed: for cron.

    Example: copydesk export --format markdown --since 7d week/
             copydesk export --format dataset --since last corpus/
    """
    from pipelines.export import Extras, export_articles
    from pipelines.store.filters import Filter

    if tags and form != "markdown":
        raise click.UsageError("--tags is for --format markdown")
    is_last = since is LAST
    first = None if is_last else since
    chosen = Filter(since=first, until=until, source=source, topic=topic, language=language, all_copies=all_copies)
    with reading(config) as corpus:
        extras = Extras(is_last, corpus.raw_page, corpus.topics_of if tags else None, remark)
        count = export_articles(corpus.articles(chosen), form, out, utc_now(), extras)
        if not count and not is_last:
            remark_unknown(corpus, source, topic)
    remark(f"{plural(count, 'article')} written" + ("" if str(out) == "-" else f" to {out}"))
