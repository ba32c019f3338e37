"""`copydesk crawl` without the command line: start the spiders, watch over them, say how it went.

Scrapy's own exit code is 0 even when every page failed, so the verdict is made here, from what each source gave.
The reactor starts once in a process: call `crawl` once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.errors import StorageError, one_line
from pipelines.report import plural

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.settings import Settings

    from crawler.ledger import Run, Tally
    from crawler.sources import Source
    from pipelines.config import Config
    from pipelines.store import Corpus
    from pipelines.writer import Writer

EXIT_GOOD, EXIT_BUG, EXIT_SOME_FAILED, EXIT_NONE_SUCCEEDED, EXIT_STORAGE, EXIT_INTERRUPTED = 0, 1, 3, 4, 5, 130
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Scrapy logs these with a traceback; the report tells each of them in one line
TOLD_ELSEWHERE = (
    "scrapy.downloadermiddlewares.robotstxt",
    "scrapy.downloadermiddlewares.retry",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.utils._download_handlers",
)
OPENING_S = 0.05  # a spider is opened in less; then it can be stopped
# a daily source asked at 2:10 is due tomorrow at 2:00, or it would be skipped every other day
MAX_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """How one source did: outcome is ok, failed, skipped or unfinished."""

    id: str
    outcome: str
    new: int = 0
    copies: int = 0
    unchanged: int = 0
    updated: int = 0
    rejected: int = 0
    fetched: int = 0
    requests: int = 0
    not_modified: int = 0
    failed: int = 0
    gone: int = 0
    waiting: int = 0
    error: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a run went."""

    run: int
    exit_code: int
    sources: list[SourceReport]
    seconds: float
    error: str = ""
    stories: int = 0

    def total(self, name: str) -> int:
        return sum(getattr(source, name) for source in self.sources)

    def having(self, outcome: str) -> list[SourceReport]:
        return [source for source in self.sources if source.outcome == outcome]

    @property
    def summary(self) -> str:
        """One line; on trouble it can be the subject of a mail."""
        asked = [source for source in self.sources if source.outcome != "skipped"]
        failed = len(self.having("failed"))
        if not asked and not self.error:
            return f"copydesk crawl: none of {plural(len(self.sources), 'source')} is due; name one or use --force"
        parts = [f"{failed} of {len(asked)} sources failed" if failed else plural(len(asked), "source")]
        if skipped := len(self.having("skipped")):
            parts.append(f"{skipped} not due")
        parts.append(plural(self.total("new"), "new article"))
        if copies := self.total("copies"):
            parts.append(plural(copies, "copy", "copies"))
        parts += [f"{self.total(name)} {name}" for name in ("updated", "unchanged", "rejected") if self.total(name)]
        if unread := self.total("failed") + self.total("gone"):
            parts.append(f"{plural(unread, 'page')} not readable")
        parts.append(f"{self.seconds:.0f} s")
        return "copydesk crawl: " + (f"{self.error}; " if self.error else "") + ", ".join(parts)

    @property
    def trouble(self) -> list[str]:
        """One line for each source that failed."""
        return [f"{source.id}: {source.error}" for source in self.having("failed")]

    def as_plain(self) -> dict[str, Any]:
        return {"run": self.run, "exit_code": self.exit_code, "seconds": round(self.seconds, 1), "error": self.error,
                "summary": self.summary, "sources": [asdict(source) for source in self.sources]}  # fmt: skip


def crawl(
    config: Config,
    sources: Sequence[Source],
    *,
    limit: int | None = None,
    since: datetime | None = None,
    force: bool = False,
    now: datetime | None = None,
) -> Report:
    """Crawl the sources that are due (all of them with `force`); return how it went.

    Raises `LockedError` when another run is at work and `StorageError` when the corpus cannot be opened.
    """
    from pipelines.lock import run_lock
    from pipelines.writer import Writer

    started, now = time.monotonic(), now or datetime.now(UTC)
    with run_lock(config.database_path):
        writer = Writer(config.database_path, config)
        try:
            return crawl_with(writer, config, sources, limit=limit, since=since, force=force, now=now, started=started)
        finally:
            writer.close()


def crawl_with(
    writer: Writer,
    config: Config,
    sources: Sequence[Source],
    *,
    limit: int | None,
    since: datetime | None,
    force: bool,
    now: datetime,
    started: float,
) -> Report:
    """The crawl itself, with the corpus open."""
    from crawler.ledger import Run
    from crawler.sources import load_sources, traits
    from pipelines.workers import Workers

    ids = [source.id for source in sources]
    due = set(ids if force else writer.ask(lambda corpus: corpus.sources_due(ids, now)).result())
    chosen = [source for source in sources if source.id in due]
    number = writer.do(lambda corpus: corpus.start_run("crawl", now)).result()
    workers = Workers(config)
    try:
        run = Run(config, chosen, {source.id: traits(source) for source in chosen}, writer, workers, number)
        run.limit, run.since = limit, since
        run.shared = shared_indexes([*load_sources(config), *sources])
        if chosen:
            start_spiders(run)
    finally:
        workers.close()
    skipped = [SourceReport(id=source.id, outcome="skipped") for source in sources if source.id not in due]
    return finish(run, skipped, now, started)


def shared_indexes(sources: Sequence[Source]) -> frozenset[str]:
    """The addresses that more than one source reads."""
    readers = Counter(url for url, _ in {(source.url, source.id) for source in sources})
    return frozenset(url for url, count in readers.items() if count > 1)


def start_spiders(run: Run) -> None:
    """Run one spider for each kind of source in use."""
    from crawler.spiders.feed import FeedSpider
    from crawler.spiders.listing import ListingSpider
    from crawler.spiders.sitemap import SitemapSpider

    start(run, [spider for spider in (FeedSpider, SitemapSpider, ListingSpider) if run.of_kind(spider.kind)])


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
    with guarded(reactor, run.local_addresses), limited_headers():
        process.start(install_signal_handlers=False)


def scrapy_settings(run: Run) -> Settings:
    """Our settings with the user's on top, none of them below the floor. Works from any folder."""
    from scrapy.settings import Settings

    from crawler.politeness import FLOOR_DELAY_S

    config = run.config.crawl
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    contact = f"+{config.contact}" if config.contact else "no contact given"
    user_agent = f"{settings['USER_AGENT']} ({' '.join(contact.split())})"
    changes = {
        "USER_AGENT": user_agent,
        "DOWNLOAD_DELAY": max(FLOOR_DELAY_S, config.delay_s),
        "DOWNLOAD_TIMEOUT": config.timeout_s,
        "DOWNLOAD_MAXSIZE": run.config.extract.max_bytes,
        "DOWNLOAD_SLOTS": {
            host: {"delay": run.gate.delay(host), "concurrency": 1, "jitter": 0} for host in run.local_hosts
        },
    }
    settings.setdict(changes, priority="cmdline")
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
    reports = [source_report(run, tally) for tally in run.tallies.values()]
    code, error = verdict(run, reports)
    ended = datetime.now(UTC)

    def work(corpus: Corpus) -> int:
        for report, tally in zip(reports, run.tallies.values(), strict=True):
            close_source(corpus, run, report, tally, now, ended)
        counts = Counter[str]()
        for report in reports:
            counts.update({name: value for name, value in asdict(report).items() if isinstance(value, int)})
        corpus.finish_run(run.number, ended, code, counts)
        return 0

    stories = 0
    if code != EXIT_STORAGE:
        try:
            run.writer.do(work).result()
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


def source_report(run: Run, tally: Tally) -> SourceReport:
    """What a tally says, in the words of the report."""
    names = ["new", "copies", "unchanged", "updated", "rejected", "fetched", "requests", "not_modified"]
    names += ["failed", "gone", "waiting"]
    counts = {name: tally.counts[name] for name in names}
    outcome = "ok"
    if not tally.has_begun or (run.stop_reason and (tally.is_unfinished or not tally.seen_indexes)):
        outcome = "unfinished"
    elif tally.has_failed:
        outcome = "failed"
    error = (tally.error or tally.note) if outcome == "failed" else ""
    return SourceReport(id=tally.source.id, outcome=outcome, error=error, note=tally.note or tally.error, **counts)


def verdict(run: Run, reports: list[SourceReport]) -> tuple[int, str]:
    """The exit code and, when the run as a whole went wrong, one line."""
    failed = [report for report in reports if report.outcome == "failed"]
    if run.storage_error is not None:
        return EXIT_STORAGE, one_line(run.storage_error)
    if run.stop_reason == "interrupted":
        return EXIT_INTERRUPTED, "interrupted, what was done is kept"
    if run.bugs:
        return EXIT_BUG, run.bugs[0]
    if run.stop_reason:
        return EXIT_SOME_FAILED, f"stopped after {run.config.crawl.run_budget_s:g} s, the rest stays due"
    if failed:
        return (EXIT_NONE_SUCCEEDED if len(failed) == len(reports) else EXIT_SOME_FAILED), ""
    return EXIT_GOOD, ""


def close_source(corpus: Corpus, run: Run, report: SourceReport, tally: Tally, now: datetime, ended: datetime) -> None:
    """Finish a source's row and say when it is due again."""
    from crawler.ledger import waits
    from crawler.politeness import host_key

    if not tally.has_begun:
        return
    counts = {name: value for name, value in asdict(report).items() if isinstance(value, int)}
    corpus.finish_source_run(run.number, report.id, ended, report.outcome, counts, report.error)
    closed_until = run.gate.closed_until(host_key(tally.source.url))
    if report.outcome == "unfinished":
        if closed_until is not None:  # still due, but not before the host wants us
            corpus.set_source_state(report.id, next_due=closed_until)
        return
    if report.outcome == "failed" and run.is_offline():
        corpus.set_source_state(report.id, note=report.error)  # asked again next time
        return
    if report.outcome == "failed":
        failures = int(corpus.source_state(report.id)["failures"]) + 1
        wait = waits(failures) * random.uniform(0.9, 1.0)  # noqa: S311 - so that failed sources do not come back in step
        due = max(now + wait, closed_until or now)
        corpus.set_source_state(report.id, failures=failures, next_due=due, note=report.error)
        return
    due = max(next_due(report, tally, now), closed_until or now)
    corpus.set_source_state(report.id, last_success=ended, failures=0, next_due=due, note=report.note)
    if report.new:
        corpus.set_source_state(report.id, last_new=ended)


def next_due(report: SourceReport, tally: Tally, now: datetime) -> datetime:
    """One cadence after this run's start; at once when pages are waiting."""
    cadence = timedelta(hours=tally.source.cadence_hours)
    return now if report.waiting or tally.is_unfinished else now + cadence - min(cadence / 10, MAX_SLACK)


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
        due = set(ids if force else corpus.sources_due(ids, now))
        for source in sources:
            if source.id in due:
                rows.append({"source": source.id, "kind": source.kind, "url": source.url})
                rows += [
                    {"source": source.id, "kind": "page", "url": page.url} for page in corpus.due(source.id, now, most)
                ]
    return rows
