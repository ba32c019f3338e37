"""Read one web archive: the unit of work of every engine. A function of module level, so that any of them can send it.

The pages are prepared in a process of their own, one at a time: a page that hangs costs itself, not the file of 20,000
it stands in. Nothing of a corpus is asked or changed, so a task may run twice, at once, or on another machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import metadata
from pathlib import Path

from pipelines.archive.parts import Report, report_of, write_part
from pipelines.archive.prefilter import may_be_topical
from pipelines.config import Config
from pipelines.errors import ConfigError, InputError
from pipelines.parcels import Parcel, version
from pipelines.records import Article, Fetch, Page, Rejection, Traits
from pipelines.relevance import VOCABULARY
from pipelines.warc import read_pages
from pipelines.workers import Prepared, Workers

PREPARERS: dict[str, Workers] = {}  # of this process, by their settings; they end with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One archive to read, as whose pages, and where what it gave goes."""

    path: Path
    part: Path
    digest: str
    version: str  # of what is written; readers of another one refuse
    source: str
    traits: Traits = field(default_factory=Traits)


def read_archive(task: Task, config: Config) -> Report:
    """Write the part of an archive, unless it is there; return what became of its pages."""
    if task.version != made_by():
        raise ConfigError(
            "copydesk here", made_by(), task.version, "install the same version on every machine that reads archives"
        )
    known = report_of(task.part)
    if known is not None and known.digest == task.digest:
        return known
    report = Report(task.digest)
    return write_part(task.part, report, parcels_of(task, config, report))


def parcels_of(task: Task, config: Config, report: Report) -> Iterator[Parcel]:
    """What becomes of each page, counted in the report; a page without a word of the topic is only counted."""
    for page in read_pages(task.path, config.extract.max_bytes):
        if isinstance(page, InputError):
            report.problem = str(page)
            continue
        report.pages += 1
        if task.traits.is_topical and not may_be_topical(page):
            report.unparsed += 1
            continue
        page = replace(page, source=task.source, traits=task.traits)  # noqa: PLW2901 - the same page, with its source
        yield parcel_of(page, preparer(config).prepare(page).result())


def parcel_of(page: Page, prepared: Prepared) -> Parcel:
    """A page as the writer wants it, but for its bytes: these stay in the archive."""
    outcome = prepared.outcome
    return Parcel(
        page=replace(page, body=b""),
        fetch=Fetch(url=page.url, source=page.source, kind="page", time=page.fetched, status=200, bytes=len(page.body)),
        article=outcome if isinstance(outcome, Article) else None,
        rejection=outcome if isinstance(outcome, Rejection) else None,
        learned=tuple(sorted(prepared.learned)),
        is_archived=False,
    )


def preparer(config: Config) -> Workers:
    """The process that prepares this process' pages; started once."""
    key = repr((config.extract, config.clean, config.relevance, config.crawl.page_seconds))
    if key not in PREPARERS:
        PREPARERS[key] = Workers(config, 1)
    return PREPARERS[key]


@cache
def made_by() -> str:
    """What must be the same for two machines to make the same part of the same file."""
    words = hashlib.blake2b(VOCABULARY.read_bytes(), digest_size=4).hexdigest()
    return f"{metadata.version('copydesk')} {version()} {words}"
