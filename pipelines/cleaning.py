"""Clean many saved pages at once, in order: what `copydesk clean` does between reading and writing.

Pages of one site are given to the cleaner together, so that they inform each other. A site is the unit of work:
with many pages the sites are spread over the processors, with few it does not pay.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.clean.model import shipped
from pipelines.config import Config
from pipelines.errors import ConfigError, CopydeskError, InputError
from pipelines.extract import extract, load
from pipelines.inputs import MARKUP, claimed_address, unusable
from pipelines.pages import Cleaned, clean_together
from pipelines.records import Document, Page, Rejection
from pipelines.urls import normal_form, site
from pipelines.workers import SIGNALS, limit_memory

PAGES_WORTH_PROCESSES = 20  # with fewer a second process is not worth its start
HEARTBEAT_S = 0.2  # how often a process that says nothing is looked at
NO_PAGE = -1
PAGES_A_TASK = 16  # small sites share a task; more would leave processors idle at the end

Outcome = Cleaned | Rejection
Task = list[list[int]]  # numbers of pages, those of one site together


@dataclass(frozen=True, slots=True)
class Job:
    """One page to clean: what the user called it, the stem of its output file, the page."""

    name: str
    stem: str
    page: Page


def read_addresses(path: Path, stdin: BinaryIO) -> dict[str, str]:
    """Read JSON Lines {"path", "url"}, from stdin when the file is called "-"; a wrong line is an error that names its number."""
    found: dict[str, str] = {}
    try:
        lines = (stdin.read() if str(path) == "-" else path.read_bytes()).decode("utf-8").splitlines()
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
        path.suffix.lower() not in {".html", ".htm", ".xhtml"} and not MARKUP.search(body[:4096])
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
    count = 1 if len(jobs) < PAGES_WORTH_PROCESSES else min(config.worker_count, len(tasks))
    found: dict[int, Outcome] = {}
    for done in run_tasks([job.page for job in jobs], tasks, config, count):
        found.update(done)
    for number, job in enumerate(jobs):
        yield job, found[number]


def tasks_of(jobs: Sequence[Job], *, is_remembering: bool) -> list[Task]:
    """Job numbers grouped by site (each alone when nothing is to be remembered), small groups together in one task."""
    groups: dict[str, list[int]] = {}
    for number, job in enumerate(jobs):
        name = site(job.page.url) if is_remembering else ""
        groups.setdefault(name or f"#{number}", []).append(number)
    tasks: list[Task] = []
    size = PAGES_A_TASK
    for group in groups.values():
        if size + len(group) > PAGES_A_TASK:
            tasks.append([])
            size = 0
        tasks[-1].append(group)
        size += len(group)
    return tasks


class Cleaner:
    """A process that cleans tasks and says before each page that it is at it, so that one that hangs can be ended."""

    def __init__(self, pages: Sequence[Page], config: Config, lost: Mapping[int, Rejection]) -> None:
        # forked where that is safe: the child has the pages and our imports already
        is_forked = sys.platform == "linux"
        context = multiprocessing.get_context("fork") if is_forked else multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        inherited = self.pipe if is_forked else None
        arguments = (theirs, inherited, pages, config, dict(lost))
        self.process = context.Process(target=clean_tasks, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        self.task: Task = []
        self.page = NO_PAGE
        self.since = time.monotonic()

    def give(self, task: Task) -> None:
        self.task, self.page, self.since = task, NO_PAGE, time.monotonic()
        with suppress(OSError):  # it is gone: waiting for its answer will tell
            self.pipe.send(task)

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


def run_tasks(pages: Sequence[Page], tasks: Sequence[Task], config: Config, count: int) -> Iterator[dict[int, Outcome]]:
    """Run every task in one of `count` processes; a page that hangs or kills its process costs only itself."""
    if count > 1:
        load()
        shipped()
    waiting, lost = list(reversed(tasks)), dict[int, Rejection]()
    busy: list[Cleaner] = []
    try:
        for _ in range(min(count, len(tasks))):
            busy.append(Cleaner(pages, config, lost))
            busy[-1].give(waiting.pop())
        while busy:
            ready = wait([cleaner.pipe for cleaner in busy], timeout=HEARTBEAT_S)
            for cleaner in list(busy):
                answer, trouble = heard(cleaner, config.crawl.page_seconds, is_ready=cleaner.pipe in ready)
                if isinstance(answer, int):
                    cleaner.page, cleaner.since = answer, time.monotonic()
                elif trouble:
                    busy.remove(cleaner)
                    cleaner.end()
                    lost[cleaner.page] = lost_page(pages, cleaner.page, trouble)
                    busy.append(Cleaner(pages, config, lost))
                    busy[-1].give(cleaner.task)
                elif answer is not None:
                    yield answer
                    if waiting:
                        cleaner.give(waiting.pop())
                    else:
                        busy.remove(cleaner)
                        cleaner.end()
    finally:
        for cleaner in busy:
            cleaner.end()


def heard(cleaner: Cleaner, seconds: float, *, is_ready: bool) -> tuple[Any, str]:
    """What a process said, or why it will say nothing more."""
    if is_ready:
        try:
            return cleaner.pipe.recv(), ""
        except (EOFError, OSError):
            return None, "parser_killed"
    is_late = cleaner.page != NO_PAGE and time.monotonic() - cleaner.since > seconds
    return None, "parse_timeout" if is_late else ""


def lost_page(pages: Sequence[Page], number: int, trouble: str) -> Rejection:
    """The rejection of a page that cost a process; `CopydeskError` when none of the pages is to blame."""
    if number == NO_PAGE:
        raise CopydeskError("worker process", "was ended", "one that cleans", "is there memory left?")
    return Rejection(url=pages[number].url, stage="extract", reason=trouble, detail="its process was ended")


def clean_tasks(
    pipe: Connection,
    inherited: Connection | None,
    pages: Sequence[Page],
    config: Config,
    lost: Mapping[int, Rejection],
) -> None:
    """Clean task after task until the pipe closes. Runs in a process of its own."""
    if inherited is not None:
        inherited.close()  # a forked process holds the other end, too, and would never see it closed
    for ours in SIGNALS:  # the parent decides
        signal.signal(ours, signal.SIG_IGN)
    limit_memory()
    with suppress(EOFError, OSError):
        while True:
            pipe.send(dict(cleaned_task(pipe, pages, config, lost, pipe.recv())))


def cleaned_task(
    pipe: Connection, pages: Sequence[Page], config: Config, lost: Mapping[int, Rejection], task: Task
) -> Iterator[tuple[int, Outcome]]:
    """Each page's number and outcome; the pages of a group inform each other."""
    for group in task:
        found: list[Document | Rejection] = []
        for number in group:
            pipe.send(number)
            found.append(lost[number] if number in lost else extracted(pages[number], config))
        pipe.send(NO_PAGE)  # what follows is our own code, and takes the longer the more pages a site has
        yield from zip(group, clean_together(found), strict=True)


def extracted(page: Page, config: Config) -> Document | Rejection:
    try:
        return extract(page, config.extract)
    except MemoryError:
        return Rejection(url=page.url, stage="extract", reason="parser_memory", detail="more than a page may need")
