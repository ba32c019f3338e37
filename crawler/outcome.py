"""How a run went: what it says of each source, its exit code, and when each source is due again.

Scrapy's own exit code is 0 even when every page failed, so the verdict is made here, from what each source gave.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from crawler.politeness import host_key
from pipelines.errors import one_line
from pipelines.report import plural

if TYPE_CHECKING:
    from crawler.ledger import Run, Tally
    from pipelines.store import Corpus

EXIT_GOOD, EXIT_BUG, EXIT_SOME_FAILED, EXIT_NONE_SUCCEEDED, EXIT_STORAGE, EXIT_INTERRUPTED = 0, 1, 3, 4, 5, 130
# a daily source asked at 2:10 is due tomorrow at 2:00, or it would be skipped every other day
MAX_SLACK = timedelta(hours=1)
ONE_DAY = timedelta(days=1)
SILENT_GAPS = 3  # times the usual gap; publishers rest over holidays
LEAST_GAP = ONE_DAY  # who writes hourly may sleep for a weekend
DORMANT_FAILURES = 19  # in a row: 1, 2, 4, 8, 16 hours, then two weeks of days
DORMANT_WAIT = timedelta(days=7)


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
    silent: str = ""  # told once: it works, but has had nothing new for far longer than usual
    is_dormant: bool = False  # failed for weeks: asked once a week


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
        if not self.sources and not self.error:
            return "copydesk crawl: no source is in this shard"
        if not asked and not self.error:
            return f"copydesk crawl: none of {plural(len(self.sources), 'source')} is due; name one or use --force"
        parts = [f"{failed} of {len(asked)} sources failed" if failed else plural(len(asked), "source")]
        if skipped := len(self.having("skipped")):
            parts.append(f"{skipped} not due")
        if dormant := sum(source.is_dormant for source in self.sources):
            parts.append(f"{dormant} dormant")
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
        """One line for each source that failed or has fallen silent."""
        failed = [f"{source.id}: {source.error}" for source in self.having("failed")]
        return failed + [f"{source.id}: {source.silent}" for source in self.sources if source.silent]

    def as_plain(self) -> dict[str, Any]:
        return {"run": self.run, "exit_code": self.exit_code, "seconds": round(self.seconds, 1), "error": self.error,
                "summary": self.summary, "sources": [asdict(source) for source in self.sources]}  # fmt: skip


def source_report(run: Run, tally: Tally) -> SourceReport:
    """What a tally says, in the words of the report."""
    names = ["new", "copies", "unchanged", "updated", "rejected", "fetched", "requests", "not_modified"]
    names += ["failed", "gone", "waiting"]
    counts: dict[str, Any] = {name: tally.counts[name] for name in names}
    outcome = "ok"
    if not tally.has_begun or (run.stop_reason and (tally.is_unfinished or not tally.seen_indexes)):
        outcome = "unfinished"
    elif tally.has_failed:
        outcome = "failed"
    error = (tally.error or tally.note) if outcome == "failed" else ""
    return SourceReport(id=tally.source.id, outcome=outcome, error=error, note=tally.note or tally.error, **counts)


def numbers(report: SourceReport) -> dict[str, int]:
    """The counts of a report."""
    return {name: value for name, value in asdict(report).items() if type(value) is int}


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


def close_source(
    corpus: Corpus, run: Run, report: SourceReport, tally: Tally, now: datetime, ended: datetime
) -> SourceReport:
    """Finish a source's row and say when it is due again; return its report, with what the past adds to it."""
    if not tally.has_begun:
        return report
    counts = numbers(report)
    corpus.finish_source_run(run.number, report.id, ended, report.outcome, counts, report.error)
    closed_until = run.gate.closed_until(host_key(tally.source.url))
    if report.outcome == "unfinished":
        if closed_until is not None:  # still due, but not before the host wants us
            corpus.set_source_state(report.id, next_due=closed_until)
        return report
    if report.outcome == "failed":
        return close_failed(corpus, run, report, tally, now, closed_until)
    due = max(next_due(report, tally, now), closed_until or now)
    if report.new:
        corpus.set_source_state(report.id, last_new=ended)
    silence, is_news = silence_of(corpus, report.id, now)
    note = report.note or silence
    corpus.set_source_state(report.id, last_success=ended, failures=0, next_due=due, note=note)
    return replace(report, silent=silence if is_news else "")


def close_failed(
    corpus: Corpus, run: Run, report: SourceReport, tally: Tally, now: datetime, closed_until: datetime | None
) -> SourceReport:
    """Leave a source that failed alone for a while; when nobody could be reached it is asked again next time."""
    if run.is_offline():
        corpus.set_source_state(report.id, note=report.error)
        return report
    failures = int(corpus.source_state(report.id)["failures"]) + 1
    failures = max(failures, DORMANT_FAILURES) if tally.word == "gone" else failures  # nobody moves back after a 410
    wait = waits(failures) * random.uniform(0.9, 1.0)  # noqa: S311 - so that failed sources do not come back in step
    due = max(now + wait, closed_until or now)
    corpus.set_source_state(report.id, failures=failures, next_due=due, note=report.error)
    return replace(report, is_dormant=failures >= DORMANT_FAILURES)


def waits(failures: int) -> timedelta:
    """How long a source that failed so often in a row is left alone: 1, 2, 4… hours, then a day, after weeks a week."""
    if failures >= DORMANT_FAILURES:
        return DORMANT_WAIT
    return timedelta(hours=min(24, 1 << min(max(failures, 1) - 1, 10)))


def skipped_source(corpus: Corpus, source: str) -> SourceReport:
    """The report of a source whose time has not come; one that failed for weeks is named in every run."""
    state = corpus.source_state(source)
    is_dormant = int(state["failures"]) >= DORMANT_FAILURES
    note = f"dormant, asked once a week: {state['note']}" if is_dormant else ""
    return SourceReport(id=source, outcome="skipped", note=note, is_dormant=is_dormant)


def silence_of(corpus: Corpus, source: str, now: datetime) -> tuple[str, bool]:
    """A line when a source has had nothing new for three times its usual gap, and whether that is news."""
    rhythm, state = corpus.rhythm(source), corpus.source_state(source)
    if rhythm is None:
        return "", False
    newest, gap = max(rhythm[0], state["last_new"] or rhythm[0]), max(rhythm[1], LEAST_GAP)
    if now - newest <= SILENT_GAPS * gap:
        return "", False
    told = state["silence_told"]
    is_news = told is None or told < newest
    if is_news:
        corpus.set_source_state(source, silence_told=now)
    line = f"nothing new for {plural((now - newest).days, 'day')}, usually something every {plural(round(gap / ONE_DAY), 'day')}"
    return line, is_news


def next_due(report: SourceReport, tally: Tally, now: datetime) -> datetime:
    """One cadence after this run's start; at once when pages are waiting."""
    cadence = timedelta(hours=tally.source.cadence_hours)
    return now if report.waiting or tally.is_unfinished else now + cadence - min(cadence / 10, MAX_SLACK)
