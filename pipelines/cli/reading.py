"""The commands that read the corpus: search, show, duplicates, stories, stats."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import answer, answer_json, cli, remark, with_config
from pipelines.cli.options import (
    id_or_address,
    json_option,
    language_option,
    limit_option,
    reading,
    remark_unknown,
    since_option,
    source_option,
    topic_option,
)
from pipelines.cli.runs import RUNS, told
from pipelines.cli.tables import column, print_heading, print_lines, print_rows, terminal_width
from pipelines.errors import ConfigError
from pipelines.report import clip, cluster_lines, day, moment, paragraphs, stats_lines, story_lines

if TYPE_CHECKING:
    from pipelines.config import Config
    from pipelines.store import Corpus

HEALTH = (
    column("source"),
    column("outcome"),
    column("last run", "last_run", moment),
    column("last new", "last_new", day),
    column("fails", "failures"),
    column("articles"),
    column("error"),
)


@cli.command()
@click.argument("query", nargs=-1, required=True)
@since_option
@source_option
@language_option
@limit_option(20)
@json_option
@with_config
def search(
    *,
    query: tuple[str, ...],
    since: datetime | None,
    source: str,
    language: str,
    limit: int,
    is_json: bool,
    config: Config,
) -> None:
    """Find articles by their words, in any language.

    Example: copydesk search reward hacking --since 30d
             copydesk search 정렬 --json
    """
    from pipelines.store.filters import Filter

    words = " ".join(query).strip()
    if not words:
        raise click.UsageError("the query is empty")
    with reading(config) as corpus:
        rows = corpus.search(words, Filter(since=since, source=source, language=language, limit=limit))
        if not rows:
            remark_unknown(corpus, source)
    if is_json:
        answer_json(rows)
        return
    if not rows:
        remark(f"nothing found for “{words}”; try fewer words, or leave out --since, --source and --language")
        return
    for row in rows:
        print_heading(f"{row['id']:>5}  {clip(row['title'] or row['url'], terminal_width() - 7)}")
        answer(
            f"       {day(row['published'] or row['fetched'])} · {row['publisher']} · {row['language'] or 'language unknown'}"
        )
        print_lines(f"       {line}" for line in paragraphs(" ".join(row["snippet"].split()), terminal_width() - 7))
    remark(f"\nread one: copydesk show {rows[0]['id']} · why it is here: copydesk why {rows[0]['id']}")


@cli.command()
@click.argument("article", metavar="ID|URL")
@json_option
@with_config
def show(article: str, is_json: bool, config: Config) -> None:
    """Print an article.

    Example: copydesk show 12
             copydesk show https://example.org/story
    """
    with reading(config) as corpus:
        row = find_article(corpus, article)
    if is_json:
        answer_json(row)
        return
    print_heading(row["title"] or "(no title)")
    parts = [
        row["publisher"],
        row["byline"],
        moment(row["published"]) or "date unknown",
        row["language"],
        f"{row['words']:,} words",
    ]
    answer(" · ".join(part for part in parts if part))
    answer(f"{row['url']}\n")
    print_lines(paragraphs(row["text"], terminal_width()))


def find_article(corpus: Corpus, asked: str) -> dict[str, Any]:
    """Return the article, or say in one line that there is none and what is known of the address."""
    key = id_or_address(asked)
    row = corpus.article(key)
    if row is not None:
        return row
    rejected = corpus.rejections(url=key, limit=1) if isinstance(key, str) else []
    if rejected:
        raise ConfigError(
            asked, f"not kept ({rejected[0]['stage']}: {rejected[0]['reason']})", "", f"more: copydesk why {key}"
        )
    raise ConfigError(asked, "no such article", "an id or address in the corpus", "find one with `copydesk search`")


@cli.command()
@click.argument("article", metavar="[ID|URL]", default="")
@limit_option(20)
@json_option
@with_config
def duplicates(article: str, limit: int, is_json: bool, config: Config) -> None:
    """Show who was first and who copied.

    Each cluster of copies with how alike they are, and under which title; nothing of it is deleted.

    Example: copydesk duplicates
             copydesk duplicates 12
    """
    with reading(config) as corpus:
        if article:
            clusters = corpus.clusters(limit=1, article=find_article(corpus, article)["id"])
        else:
            clusters = corpus.clusters(limit=limit)
    if is_json:
        answer_json(clusters)
        return
    if not clusters:
        remark(f"{article}: no copies of it are known" if article else "no copies in this corpus yet")
        return
    for cluster in clusters:
        heading, *lines = cluster_lines(cluster, terminal_width())
        print_heading(heading)
        print_lines(lines)


@cli.command()
@since_option
@topic_option
@limit_option(20)
@json_option
@with_config
def stories(since: datetime | None, topic: str, limit: int, is_json: bool, config: Config) -> None:
    """Say what happened, articles on one event together.

    Example: copydesk stories --since 7d
             copydesk stories --topic alignment --json
    """
    from pipelines.store.filters import Filter

    with reading(config) as corpus:
        rows = corpus.stories(Filter(since=since, topic=topic, limit=limit))
        if not rows:
            remark_unknown(corpus, topic=topic)
    if is_json:
        answer_json([{**row, "copies": row["articles"] - len(row["items"])} for row in rows])
        return
    if not rows:
        remark("no stories here; try an earlier --since, or leave out --topic")
        return
    for story in rows:
        heading, *lines = story_lines(story, terminal_width())
        print_heading(heading)
        print_lines([*lines, ""])


@cli.command()
@json_option
@with_config
def stats(is_json: bool, config: Config) -> None:
    """Count what is in the corpus and what was left out of it.

    Languages, relevance and sources count articles, copies included.

    Example: copydesk stats
    """
    with reading(config) as corpus:
        found = corpus.stats()
        health = corpus.source_health()
        runs = corpus.runs(limit=5)
    if is_json:
        answer_json({**found, "sources": health, "runs": runs})
        return
    for heading, lines in stats_lines(found):
        print_heading(heading)
        print_lines([*lines, ""])
    if health:
        print_heading("sources")
        print_rows(health, HEALTH)
        answer("")
    if runs:
        print_heading("last runs")
        print_rows(told(runs, runs[0]["id"], config), RUNS)
