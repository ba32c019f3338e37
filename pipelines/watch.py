"""Saved searches: a new story that matches is shown, sent to an address of the user's, put into a feed, once.

Why it stands alone: it runs when a crawl is over and must never cost it anything. What an action has not done waits in the
corpus for the next time, so a service that was away misses nothing; every way in which telling can fail is a line of text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipelines.errors import CopydeskError, one_line
from pipelines.report import JSON_ESCAPES, day, flat, plural
from pipelines.store.filters import Filter
from pipelines.store.news import key_of

if TYPE_CHECKING:
    from pipelines.config import Config, WatchConfig
    from pipelines.notify import Errand
    from pipelines.store import Corpus

Row = Mapping[str, Any]
Show = Callable[[str], None]

SHOW, PING, FEED = "show", "ping", "feed"
NEWS_DAYS = 14  # an article published longer ago is an archive's, not news; many a feed lists a week
MAX_SHOWN = 20  # stories of one search at the end of a run
MAX_SENT = 50  # stories in one request; the rest is counted in it
SNIPPET_CHARS = 300
PER_STORY = 50  # articles looked at for each story to be listed


def filter_of(watch: WatchConfig, since: datetime | None = None, limit: int = 0) -> Filter:
    return Filter(
        since=since, source=watch.source, topic=watch.topic, language=watch.language, all_copies=True, limit=limit
    )


def actions_of(watch: WatchConfig, *, is_quiet: bool) -> list[str]:
    """Who is to hear. A quiet run shows nothing, and shows it later only when nobody else hears of it."""
    found = [action for action, wanted in ((PING, watch.ping_url), (FEED, watch.feed)) if wanted]
    return found if is_quiet and found else [*found, *([SHOW] if watch.show else [])]


def matches(corpus: Corpus, watch: WatchConfig, limit: int) -> list[Row]:
    """What a search finds now, one article a story, the newest first."""
    seen: set[tuple[str, int]] = set()
    found: list[Row] = []
    for row in corpus.matching(watch.query, filter_of(watch, limit=limit * PER_STORY)):
        key = key_of(row)
        if key not in seen:
            seen.add(key)
            found.append(row)
        if len(found) >= limit:
            break
    return found


def tell_news(
    corpus: Corpus, config: Config, now: datetime, run: int | None, show: Show, *, is_quiet: bool = False
) -> list[str]:
    """Look for what is new to each saved search, and tell it; return what went wrong, a line each. Raises nothing.

    Addresses are asked side by side, so that all of them together take no longer than one may.
    """
    troubles: list[str] = []
    asked: list[tuple[str, list[int], Errand]] = []
    for name, watch in config.watches.items():
        with lines_of_trouble(name, troubles):
            chosen = filter_of(watch, since=now - timedelta(days=NEWS_DAYS))
            corpus.look(name, watch.query, chosen, now=now, run=run, actions=actions_of(watch, is_quiet=is_quiet))
            if not is_quiet:
                show_news(corpus, name, show)
            if rows := corpus.waiting_news(name, PING):
                asked.append((name, ids(rows), send(config, name, watch, rows, now)))
            grow(corpus, name, watch, now)  # while they are asked
    for name, told, errand in asked:
        with lines_of_trouble(name, troubles):
            trouble = errand.wait()
            troubles += trouble
            if not trouble:
                corpus.note_told(name, PING, told)
    return troubles


@contextmanager
def lines_of_trouble(name: str, troubles: list[str]) -> Iterator[None]:
    """Whatever goes wrong with one search becomes a line: the others are told, and the run is not failed."""
    try:
        yield
    except CopydeskError as error:
        troubles.append(f"watch.{name}: {one_line(error)}")
    except Exception as error:  # noqa: BLE001 - a bug here is told, and costs the run nothing
        troubles.append(f"watch.{name}: {type(error).__name__}: {one_line(error)}")


def ids(rows: Sequence[Row]) -> list[int]:
    return [int(row["id"]) for row in rows]


def show_news(corpus: Corpus, name: str, show: Show) -> None:
    rows = corpus.waiting_news(name, SHOW)
    if rows:
        for line in lines(name, rows):
            show(line)
        corpus.note_told(name, SHOW, ids(rows))


def grow(corpus: Corpus, name: str, watch: WatchConfig, now: datetime) -> None:
    """Put what is new into the search's feed."""
    rows = corpus.waiting_news(name, FEED)
    if rows and watch.feed:
        from pipelines.export import grow_feed

        grow_feed(Path(watch.feed).expanduser(), reversed(rows), now, f"copydesk: {name}", identity_of(name))
    corpus.note_told(name, FEED, ids(rows))  # where the setting is gone, nobody waits for it


def send(config: Config, name: str, watch: WatchConfig, rows: Sequence[Row], now: datetime) -> Errand:
    """Post the stories as JSON."""
    from pipelines.notify import Errand, bounded, post

    setting, seconds = f"watch.{name}.ping_url", bounded(config.notify.ping_timeout_s)
    body = json.dumps(payload(name, watch, rows, now), ensure_ascii=False, default=str).translate(JSON_ESCAPES)
    data = body.encode("utf-8", "replace")

    def work() -> str:
        return post(watch.ping_url, data, "application/json", seconds, setting) if watch.ping_url else ""

    return Errand(work, seconds, setting)


def payload(name: str, watch: WatchConfig, rows: Sequence[Row], now: datetime) -> dict[str, Any]:
    """What an address is sent: the stories, and the same in `text`, which chat services show."""
    return {
        "watch": name,
        "query": watch.query,
        "time": now.isoformat(),
        "text": "\n".join(lines(name, rows)),
        "more": max(0, len(rows) - MAX_SENT),
        "stories": [as_story(row) for row in rows[:MAX_SENT]],
    }


def as_story(row: Row) -> dict[str, Any]:
    told = ("title", "url", "publisher", "published", "fetched", "language", "story", "articles", "publishers")
    text = " ".join(str(row["text"]).split())
    return {name: row.get(name) for name in told} | {
        "article": row["id"],
        "snippet": text[:SNIPPET_CHARS] + ("…" if len(text) > SNIPPET_CHARS else ""),
    }


def lines(name: str, rows: Sequence[Row]) -> Iterable[str]:
    """The stories for a person: a heading, two lines each."""
    yield f"{flat(name)}: {plural(len(rows), 'new story', 'new stories')}"
    for row in rows[:MAX_SHOWN]:
        others = int(row.get("publishers") or 1) - 1
        who = flat(row["publisher"]) + (f" and {plural(others, 'other')}" if others > 0 else "")
        yield f"  {flat(row['title']) or flat(row['url'])}"
        yield f"    {day(row['published'] or row['fetched'])} · {who} · {flat(row['url'])}"
    if len(rows) > MAX_SHOWN:
        yield f"  and {len(rows) - MAX_SHOWN:,} more: copydesk watch --test {flat(name)}"


def identity_of(name: str) -> str:
    """The id of a search's feed."""
    return f"urn:copydesk:watch:{quote(name)}"
