"""Clean many saved pages at once, in order: what `copydesk clean` does between reading and writing.

Pages of one site are given to the cleaner together, so that they inform each other. A site is the unit of work:
with many pages the sites are spread over the processors, with few it does not pay.
"""

from __future__ import annotations

import json
import multiprocessing
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pipelines.config import Config
from pipelines.errors import ConfigError, InputError
from pipelines.extract import extract
from pipelines.inputs import claimed_address, unusable
from pipelines.pages import Cleaned, clean_together
from pipelines.records import Document, Page, Rejection
from pipelines.urls import normal_form, site
from pipelines.workers import LostTaskError, Worker, checked

PAGES_WORTH_PROCESSES = 60  # starting processes takes as long as cleaning about this many pages
PAGES_A_TASK = 16  # small sites share a task; more would leave processors idle at the end
_MARKUP = re.compile(rb"<(?:!doctype|html|head|body|article|div|p|h1|meta)\b", re.IGNORECASE)

Outcome = Cleaned | Rejection


@dataclass(frozen=True, slots=True)
class Job:
    """One page to clean: what the user called it, the stem of its output file, the page."""

    name: str
    stem: str
    page: Page


def read_addresses(path: Path) -> dict[str, str]:
    """Read JSON Lines {"path", "url"}; a wrong line is an error that names its number."""
    found: dict[str, str] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            str(path), getattr(error, "strerror", None) or "not UTF-8", 'JSON Lines of {"path", "url"}'
        ) from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found[str(row["path"])] = str(row["url"] or "")
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"{path}:{number}", line[:60], 'an object with "path" and "url"') from None
    return found


def read_job(name: str, url: str, config: Config, stdin: BinaryIO) -> Job | InputError:
    """Read one page from a file, or from stdin when it is called "-"."""
    path = Path(name)
    try:
        if name == "-":
            body, changed = stdin.read(config.extract.max_bytes + 1), datetime.now(UTC)
        else:
            with path.open("rb") as stream:
                body = stream.read(config.extract.max_bytes + 1)
            changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        return InputError(name, error.strerror.lower() if error.strerror else str(error), "a file we may read")
    problem = unusable(body)
    if problem:
        return InputError(name, problem, "HTML or plain text")
    is_text = path.suffix.lower() == ".txt" or (
        path.suffix.lower() not in {".html", ".htm", ".xhtml"} and not _MARKUP.search(body[:4096])
    )
    address = (
        normal_form(url)
        or ("" if is_text else claimed_address(body))
        or ("" if name == "-" else path.resolve().as_uri())
    )
    kind = "text/plain" if is_text else "text/html"
    return Job(
        name,
        "stdin" if name == "-" else path.stem or path.name,
        Page(url=address, body=body, fetched=changed, content_type=kind),
    )


def clean_jobs(jobs: Sequence[Job], config: Config, *, is_remembering: bool) -> Iterator[tuple[Job, Outcome]]:
    """Give each job's outcome, in the order of the jobs."""
    tasks = tasks_of(jobs, is_remembering=is_remembering)
    if len(jobs) < PAGES_WORTH_PROCESSES or config.worker_count == 1 or len(tasks) == 1:
        outcomes = [clean_task(task, config) for task in by_pages(tasks, jobs)]
    else:
        context = multiprocessing.get_context("spawn")  # children of ours, so that `time` counts what they cost
        with ProcessPoolExecutor(config.worker_count, mp_context=context) as pool:
            outcomes = list(pool.map(clean_task, by_pages(tasks, jobs), [config] * len(tasks)))
    by_number = dict(
        zip(
            (number for task in tasks for group in task for number in group),
            (one for done in outcomes for one in done),
            strict=True,
        )
    )
    for number, job in enumerate(jobs):
        yield job, by_number[number]


def by_pages(tasks: Sequence[list[list[int]]], jobs: Sequence[Job]) -> list[list[list[Page]]]:
    return [[[jobs[number].page for number in group] for group in task] for task in tasks]


def tasks_of(jobs: Sequence[Job], *, is_remembering: bool) -> list[list[list[int]]]:
    """Job numbers grouped by site (each alone when nothing is to be remembered), small groups together in one task."""
    groups: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        name = site(job.page.url) if is_remembering else ""
        groups.setdefault(name or f"#{number}", []).append(number)
    tasks: list[list[list[int]]] = []
    size = PAGES_A_TASK
    for group in groups.values():
        if size + len(group) > PAGES_A_TASK:
            tasks.append([])
            size = 0
        tasks[-1].append(group)
        size += len(group)
    return tasks


def clean_task(groups: Sequence[Sequence[Page]], config: Config) -> list[Outcome]:
    """Clean groups of pages, each group of one site. Runs in a worker process when there are many."""
    worker = Worker(is_forked=True)  # a page may hang its parser, and costs only itself
    try:
        found = [[extracted(worker, page, config) for page in group] for group in groups]
    finally:
        worker.stop()
    return [outcome for group in found for outcome in clean_together(group)]


def extracted(worker: Worker, page: Page, config: Config) -> Document | Rejection:
    """What a page says, or the one word of why its parser did not get to the end."""
    try:
        found: Document | Rejection = checked(worker.ask(extract, (page, config.extract), config.crawl.page_seconds))
    except LostTaskError as error:
        return Rejection(url=page.url, stage="extract", reason=error.lost.reason, detail=error.lost.detail)
    return found
