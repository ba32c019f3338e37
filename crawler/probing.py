"""Look at sources without crawling them: does each address answer, and with how many entries.

Why it stands alone: it asks the web as a crawl does, but has no ledger, so a look never changes what a crawl will do.
The reactor starts once in a process: call `look` once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from crawler.discover import Found, read_feed, read_listing, read_sitemap
from crawler.outcome import EXIT_BUG, EXIT_GOOD, EXIT_INTERRUPTED, EXIT_NONE_SUCCEEDED, EXIT_SOME_FAILED
from crawler.reading import MODULES, apart
from crawler.run import start

if TYPE_CHECKING:
    from crawler.ledger import Run
    from crawler.sources import Source
    from crawler.spiders.look import Answer, LookSpider
    from pipelines.config import Config
    from pipelines.records import Entry
    from pipelines.writer import Writer

MAX_CHILDREN_LOOKED_AT = 6  # of a sitemap index: a look is no crawl


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a source's address answered: outcome is ok, empty or failed."""

    id: str
    outcome: str
    status: int = 0
    entries: int = 0
    is_more: bool = False  # a sitemap with further files, not looked at
    newest: datetime | None = None
    title: str = ""
    error: str = ""
    url: str = ""


def look(config: Config, sources: Sequence[Source], work: Callable[[LookSpider], Awaitable[None]]) -> Run:
    """Let one spider do a piece of work behind the crawl's guard; return the run it shared."""
    from crawler.ledger import Run
    from crawler.spiders.look import LookSpider
    from pipelines.workers import Workers

    # no writer: a look neither reads nor writes the corpus
    with closing(Workers(config, modules=MODULES)) as workers:
        run = Run(config, sources, {}, cast("Writer", None), workers, 0)
        start(run, [LookSpider], work=work)
    return run


def check(config: Config, sources: Sequence[Source]) -> tuple[list[Health], int]:
    """Ask every source's address once; return how each did, in order, and the exit code."""
    found: dict[str, Health] = {}

    async def one(spider: LookSpider, source: Source) -> None:
        found[source.id] = await health(spider, source)

    async def work(spider: LookSpider) -> None:
        await asyncio.gather(*(one(spider, source) for source in sources))

    run = look(config, sources, work)
    missed = "not asked, the time for the whole check was up" if run.stop_reason == "run_budget" else "not asked"
    rows = [found.get(source.id, Health(id=source.id, outcome="failed", error=missed)) for source in sources]
    return rows, exit_code(run, [row.outcome == "ok" for row in rows])


def exit_code(run: Run, good: Sequence[bool]) -> int:
    if run.bugs:
        return EXIT_BUG
    if run.stop_reason == "interrupted":
        return EXIT_INTERRUPTED
    if all(good):
        return EXIT_GOOD
    return EXIT_SOME_FAILED if any(good) else EXIT_NONE_SUCCEEDED


async def health(spider: LookSpider, source: Source) -> Health:
    """Ask a source's address, and the newest files of a sitemap index until one has entries."""
    from crawler.faults import told

    answer = await spider.ask(source.url, source.id, source.kind)
    row = Health(id=source.id, outcome="failed", status=answer.status, error=answer.line, url=answer.url)
    if answer.word:
        return row
    found = await read(spider, source, answer)
    if found.reason:
        return replace(row, error=told(found.reason, urlsplit(answer.url).hostname or source.url, found.detail))
    found, is_more = await with_children(spider, source, found)
    if not found.entries:
        why = f" that matches url_pattern {source.url_pattern!r}" if source.url_pattern else ""
        return replace(row, outcome="empty", error=f"the {source.kind} has no entry{why}")
    newest = newest_of(found.entries)
    note = "cut off; its whole entries were read" if found.is_partial else ""
    return replace(
        row,
        outcome="ok",
        entries=len(found.entries),
        is_more=is_more,
        newest=moment_of(newest),
        title=newest.hint.title,
        error=note,
    )


async def with_children(spider: LookSpider, source: Source, found: Found) -> tuple[Found, bool]:
    """A sitemap index with the entries of its first files; True when more files remain."""
    waiting, looked = list(found.more) if source.kind == "sitemap" else [], 0
    entries = list(found.entries)
    while waiting and not entries and looked < MAX_CHILDREN_LOOKED_AT:
        looked += 1
        answer = await spider.ask(waiting.pop(0), source.id, "sitemap")
        child = Found() if answer.word else await read(spider, source, answer)
        entries += child.entries
        waiting = [*child.more, *waiting]
    return replace(found, entries=tuple(entries)), bool(waiting)


async def read(spider: LookSpider, source: Source, answer: Answer, limit: int = 1000) -> Found:
    """Read an answer as an index of the source's kind, in a worker: a hostile one must not stop the others."""
    kind, zone, pattern = answer.content_type, source.timezone, source.url_pattern
    readers: dict[str, partial[Found]] = {
        "feed": partial(read_feed, content_type=kind, timezone=zone, pattern=pattern, limit=limit),
        "sitemap": partial(read_sitemap, pattern=pattern, timezone=zone),
        "listing": partial(read_listing, pattern=pattern, content_type=kind),
    }
    return await apart(spider.run.workers, readers[source.kind], answer.body, answer.url)


def moment_of(entry: Entry) -> datetime | None:
    return entry.hint.published or entry.modified


def newest_of(entries: Sequence[Entry]) -> Entry:
    """The entry with the latest date; the first one where none has a date."""
    dated = [entry for entry in entries if moment_of(entry) is not None]
    return max(dated, key=lambda entry: moment_of(entry) or datetime.min) if dated else entries[0]  # noqa: DTZ901 - never used
