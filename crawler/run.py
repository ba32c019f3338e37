"""`copydesk crawl` without the command line: start the spiders, watch over them, write down how it went.

The reactor starts once in a process: call `crawl` once.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from crawler.cluster import ALONE, Cluster
from crawler.outcome import (
    EXIT_STORAGE,
    Report,
    SourceReport,
    close_source,
    numbers,
    skipped_source,
    source_report,
    verdict,
)
from pipelines.errors import StorageError, one_line

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.settings import Settings

    from crawler.cluster.sending import Outgoing
    from crawler.ledger import Run
    from crawler.sources import Source
    from pipelines.config import Config
    from pipelines.store import Corpus
    from pipelines.workers import Workers
    from pipelines.writer import Writer

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Scrapy logs these with a traceback; the report tells each of them in one line
TOLD_ELSEWHERE = (
    "scrapy.downloadermiddlewares.robotstxt",
    "scrapy.downloadermiddlewares.retry",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.utils._download_handlers",
)
OPENING_S = 0.05  # a spider is opened in less; then it can be stopped


def crawl(
    config: Config,
    sources: Sequence[Source],
    *,
    limit: int | None = None,
    since: datetime | None = None,
    force: bool = False,
    now: datetime | None = None,
    cluster: Cluster = ALONE,
) -> Report:
    """Crawl the sources that are due (all of them with `force`); return how it went.

    `now`: the time at which the run starts, as it believes; its clock goes on from there. None: the machine's.
    Raises `LockedError` when another run is at work and `StorageError` when the corpus cannot be opened.
    """
    from pipelines.lock import run_lock
    from pipelines.writer import Writer

    started, began = time.monotonic(), datetime.now(UTC)
    now = now or began
    with (
        cluster.agreed() as outgoing,
        run_lock(config.database_path),
        closing(Writer(config.database_path, config)) as writer,
    ):
        return crawl_with(
            writer,
            config,
            sources,
            limit=limit,
            since=since,
            force=force,
            now=now,
            ahead=now - began,
            started=started,
            cluster=cluster,
            outgoing=outgoing,
        )


def crawl_with(
    writer: Writer,
    config: Config,
    sources: Sequence[Source],
    *,
    limit: int | None,
    since: datetime | None,
    force: bool,
    now: datetime,
    ahead: timedelta,
    started: float,
    cluster: Cluster,
    outgoing: Outgoing | None,
) -> Report:
    """The crawl itself, with the corpus open."""
    from crawler.reading import MODULES
    from crawler.sources import load_sources
    from pipelines.workers import STAGES, Workers

    ids = [source.id for source in sources]
    due = set(ids if force else writer.ask(lambda corpus: sources_due(corpus, sources, now)).result())
    chosen = [source for source in sources if source.id in due]
    number = writer.do(lambda corpus: corpus.start_run("crawl", now)).result()
    listed = load_sources(config)
    workers = Workers(config, modules=(*STAGES, *MODULES))
    try:
        if not writer.ask(lambda corpus: corpus.were_all_read(due)).result():
            workers.expect()  # a source that was never read has pages for us; most others have none
        run = new_run(config, chosen, listed, writer, workers, number, cluster)
        run.limit, run.since, run.outgoing = limit, since, outgoing
        run.clock = lambda: datetime.now(UTC) + ahead
        run.shared = shared_indexes([*listed, *sources])
        run.manners.recall()
        if run.tallies:
            start_spiders(run)
    finally:
        workers.close()
    passed_by = [source.id for source in sources if source.id not in due]
    skipped = writer.ask(lambda corpus: [skipped_source(corpus, source) for source in passed_by]).result()
    return finish(run, skipped, now, started)


def new_run(
    config: Config,
    chosen: Sequence[Source],
    listed: Sequence[Source],
    writer: Writer,
    workers: Workers,
    number: int,
    cluster: Cluster,
) -> Run:
    """The run, with the sources it begins; where the frontier is shared, pages of any other may come to it, too."""
    from crawler.ledger import Run
    from crawler.sources import traits

    begun = {source.id for source in chosen}
    others = [source for source in listed if source.enabled and source.id not in begun]
    known = [*chosen, *others] if cluster.frontier else chosen
    run = Run(config, known, {source.id: traits(source) for source in known}, writer, workers, number)
    run.guests = frozenset(source.id for source in known if source.id not in begun)
    run.cluster = cluster
    return run


def sources_due(corpus: Corpus, sources: Sequence[Source], now: datetime) -> list[str]:
    """The sources whose time has come and whose host does not want to be left alone."""
    from crawler.politeness import host_key

    closed = corpus.closed_hosts(now)
    return corpus.sources_due([source.id for source in sources if host_key(source.url) not in closed], now)


def shared_indexes(sources: Sequence[Source]) -> frozenset[str]:
    """The addresses that more than one source reads."""
    readers = Counter(url for url, _ in {(source.url, source.id) for source in sources})
    return frozenset(url for url, count in readers.items() if count > 1)


def start_spiders(run: Run) -> None:
    """Run one spider for each kind of source in use."""
    from crawler.imports import import_downloader

    import_downloader()
    from crawler.spiders.feed import FeedSpider
    from crawler.spiders.listing import ListingSpider
    from crawler.spiders.sitemap import SitemapSpider

    start(run, [spider for spider in (FeedSpider, SitemapSpider, ListingSpider) if run.has_kind(spider.kind)])


def start(run: Run, spiders: Sequence[type[Spider]], **arguments: Any) -> None:
    """Run these spiders behind the guard until all are done or the run is stopped."""
    from scrapy.crawler import AsyncCrawlerProcess

    from crawler.guard import guarded, limited_headers

    process = AsyncCrawlerProcess(scrapy_settings(run))
    for name in TOLD_ELSEWHERE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    from twisted.internet import reactor

    for spider in spiders:
        process.crawl(spider, run=run, **arguments)
    reactor.callWhenRunning(watch, run, process)
    gc.freeze()  # what is imported stays: pages leave garbage, and each look for it would go through all modules again
    with guarded(reactor, run.local_addresses), limited_headers():
        process.start(install_signal_handlers=False)


def scrapy_settings(run: Run) -> Settings:
    """Our settings with the user's on top, none of them below the floor. Works from any folder."""
    from scrapy.settings import Settings

    from crawler.politeness import FLOOR_DELAY_S
    from crawler.resolving import PLACES_SETTING

    config = run.config.crawl
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    contact = f"+{config.contact}" if config.contact else "no contact given"
    user_agent = f"{settings['USER_AGENT']} ({' '.join(contact.split())})"
    changes = {
        "USER_AGENT": user_agent,
        PLACES_SETTING: run.local_places,
        "DOWNLOAD_DELAY": max(FLOOR_DELAY_S, config.delay_s),
        "DOWNLOAD_TIMEOUT": config.timeout_s,
        "DOWNLOAD_MAXSIZE": run.config.extract.max_bytes,
        "DOWNLOAD_SLOTS": {
            host: {"delay": run.gate.delay(host), "concurrency": 1, "jitter": 0} for host in run.local_hosts
        },
    }
    settings.setdict(changes | run.cluster.settings(), priority="cmdline")
    return settings


def watch(run: Run, process: AsyncCrawlerProcess) -> None:
    """Once the event loop runs: signals and the run's budget lead to an orderly end."""
    loop = asyncio.get_running_loop() if is_running() else asyncio.get_event_loop()
    tasks: set[asyncio.Task[None]] = set()

    def stop_all() -> None:
        for crawler in process.crawlers:
            if crawler.engine:  # what queues for a host is refused at once, not after its pause
                for slot in crawler.engine.downloader.slots.values():
                    slot.delay = 0
        task = loop.create_task(stop_engines(process))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def interrupted(number: int) -> None:
        if run.stop_reason == "interrupted":  # asked twice: what is committed is kept
            os._exit(128 + number)
        run.stop_reason = ""  # a signal outranks a budget
        run.stop("interrupted")

    run.on_stop = stop_all
    for number in SIGNALS:
        loop.add_signal_handler(number, interrupted, number)
    loop.call_later(run.config.crawl.run_budget_s, run.stop, "run_budget")


async def stop_engines(process: AsyncCrawlerProcess) -> None:
    """Stop every spider, also those that are only being opened: Scrapy's own stop passes them by, and they never end."""
    waiting = set(process.crawlers)
    while waiting & process.crawlers:
        ready = [crawler for crawler in waiting if crawler.engine and crawler.engine.running]
        waiting.difference_update(ready)
        await asyncio.gather(*(crawler.engine.stop_async() for crawler in ready if crawler.engine))
        await asyncio.sleep(OPENING_S if waiting else 0)


def is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def finish(run: Run, skipped: list[SourceReport], now: datetime, started: float) -> Report:
    """Write the run's end into the corpus and return its report."""
    tallies = run.told_of()
    reports = [source_report(run, tally) for tally in tallies]
    code, error = verdict(run, reports)
    ended = run.now()

    def work(corpus: Corpus) -> list[SourceReport]:
        closed = [
            close_source(corpus, run, report, tally, now, ended) for report, tally in zip(reports, tallies, strict=True)
        ]
        counts = Counter[str]()
        for report in reports:
            counts.update(numbers(report))
        corpus.finish_run(run.number, ended, code, counts)
        return closed

    stories = 0
    if code != EXIT_STORAGE:
        try:
            reports = run.writer.do(work).result()
            if any(report.new or report.updated or report.copies for report in reports):
                stories = regroup(run, ended)
        except (StorageError, OSError) as trouble:
            code, error = EXIT_STORAGE, one_line(trouble)
    return Report(
        run=run.number,
        exit_code=code,
        sources=reports + skipped,
        seconds=time.monotonic() - started,
        error=error,
        stories=stories,
    )


def regroup(run: Run, now: datetime) -> int:
    from pipelines.flow import regroup_stories

    return run.writer.do(lambda corpus: regroup_stories(corpus, run.number, now)).result()


def planned(
    config: Config, sources: Sequence[Source], *, limit: int | None, force: bool, now: datetime
) -> list[dict[str, Any]]:
    """What a crawl would fetch now, as far as it can be known without asking anybody. Writes nothing."""
    from pipelines.store import Corpus

    ids = [source.id for source in sources]
    most = config.crawl.max_pages_per_source if limit is None else limit
    if not config.database_path.exists():
        return [{"source": source.id, "kind": source.kind, "url": source.url} for source in sources]
    rows: list[dict[str, Any]] = []
    with Corpus.open(config.database_path, config, read_only=True) as corpus:
        due = set(ids if force else sources_due(corpus, sources, now))
        for source in sources:
            if source.id in due:
                rows.append({"source": source.id, "kind": source.kind, "url": source.url})
                rows += [
                    {"source": source.id, "kind": "page", "url": page.url} for page in corpus.due(source.id, now, most)
                ]
    return rows
