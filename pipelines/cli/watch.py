"""The command of saved searches: which there are, what one finds now, and telling what is new outside a crawl."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import answer, answer_json, cli, remark, with_config
from pipelines.cli.options import json_option, limit_option, reading, utc_now, writing
from pipelines.cli.tables import column, print_heading, print_lines, print_rows, terminal_width
from pipelines.errors import ConfigError, CopydeskError
from pipelines.report import clip, day, flat, moment

if TYPE_CHECKING:
    from pipelines.config import Config, WatchConfig

WATCHES = (
    column("name"),
    column("query"),
    column("only"),
    column("tells"),
    column("found", "articles"),
    column("waiting"),
    column("last", "last", moment),
)


@cli.command()
@click.option("--test", "name", metavar="NAME", default="", help="Show what this search finds now; tell nobody.")
@click.option("--tell", is_flag=True, help="Tell what is new since the last look, as the end of a crawl does.")
@limit_option(20)
@json_option
@with_config
def watch(*, name: str, tell: bool, limit: int, is_json: bool, config: Config) -> int:
    """List the saved searches of copydesk.toml.

    A crawl tells of each new story that one finds, once: it shows it, posts it to an address, puts it into a feed.
    --tell does the same without a crawl: after an ingest, or behind a quiet crawl in cron.

    Example: copydesk watch
             copydesk watch --test korea
    """
    if name and tell:
        raise click.UsageError("--test tells nobody; give one of --test and --tell")
    if tell:
        return tell_now(config)
    if name:
        test(config, name, limit, is_json=is_json)
    else:
        list_watches(config, is_json=is_json)
    return 0


def tell_now(config: Config) -> int:
    """Tell what is new; exit 3 when somebody could not be told."""
    from pipelines.watch import tell_news

    with writing(config) as corpus:
        troubles = tell_news(corpus, config, utc_now(), None, answer)
    for line in troubles:
        remark(f"copydesk: {line}")
    return 3 if troubles else 0


def test(config: Config, name: str, limit: int, *, is_json: bool) -> None:
    """Print what one search finds."""
    from pipelines.watch import as_story, matches

    found = config.watches.get(name)
    if found is None:
        near = get_close_matches(name, config.watches, 1)
        hint = f"did you mean {near[0]}?" if near else "`copydesk watch` lists them"
        raise ConfigError(f"--test {name}", "no such saved search", "one of [watch] in copydesk.toml", hint)
    with reading(config) as corpus:
        rows = matches(corpus, found, limit)
    if is_json:
        answer_json([as_story(row) for row in rows])
        return
    if not rows:
        remark(f"{name}: nothing matches; `copydesk search` finds which words do")
    for row in rows:
        print_heading(f"{row['id']:>5}  {clip(flat(row['title'] or row['url']), terminal_width() - 7)}")
        print_lines(
            [f"       {day(row['published'] or row['fetched'])} · {flat(row['publisher'])} · {row['language']}"]
        )


def list_watches(config: Config, *, is_json: bool) -> None:
    """Print the searches with what they found so far."""
    counts: dict[str, Any] = {}
    if config.database_path.exists():
        with reading(config) as corpus:
            counts = corpus.watch_counts()
    rows = [
        {"name": name, "articles": 0, "waiting": 0, "last": None} | counts.get(name, {}) | described(found)
        for name, found in config.watches.items()
    ]
    if is_json:
        answer_json(rows)
    elif rows:
        print_rows(rows, WATCHES)
    else:
        remark('no saved searches; write [watch] and a line like korea = "정렬" into copydesk.toml')


def described(watch: WatchConfig) -> dict[str, str]:
    """A search in the words of the table; addresses are secrets, so it is only said that there is one."""
    only = (f"{name} {value}" for name in ("topic", "source", "language") if (value := getattr(watch, name)))
    tells = ("show" if watch.show else "", "address" if watch.ping_url else "", watch.feed)
    return {"query": watch.query, "only": ", ".join(only), "tells": ", ".join(filter(None, tells))}


def news_of_run(config: Config, run: int, *, is_quiet: bool) -> list[str]:
    """What a crawl tells when it is over; return what went wrong. Nothing here can fail the run."""
    if not config.watches:
        return []
    from pipelines.watch import tell_news

    try:
        with writing(config) as corpus:
            return tell_news(corpus, config, utc_now(), run, remark, is_quiet=is_quiet)
    except CopydeskError as error:  # another run has begun: it tells, too
        return [f"watch: {error}"]
