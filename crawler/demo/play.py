"""The demo's acts: the site goes up, it is crawled twice as a user would, the tour is told.

The crawls are the program itself in processes of their own, with an environment that holds nothing of the user's, so
that what the demo shows is what `copydesk crawl` does.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crawler.demo import tour
from pipelines.cli import answer, remark
from pipelines.cli.options import stopped_gently
from pipelines.cli.tables import is_terminal, terminal_width
from pipelines.config import PREFIX, PROJECT_ROOT, read_toml
from pipelines.errors import ConfigError
from pipelines.report import printable

if TYPE_CHECKING:
    from crawler.demo.site import DemoSite
    from pipelines.store import Corpus

HOST = "127.0.0.1"
FIRST_PORT = 28410  # below the ports systems give out by themselves, and nobody's by name
PORTS = 9  # one a publisher
LAST_WORDS_S = 20.0  # an interrupted crawl commits what it has in hand; longer and it is ended
TONES = {"heading": "bold", "plain": "", "quiet": "dim"}
GOOD = 0
CRAWL_FAILED = 1


class CrawlFailedError(Exception):
    """A crawl ended with another exit code than 0; its lines were shown."""


def play(folder: Path, *, is_kept: bool, is_served: bool) -> int:
    """Run the whole demo with its corpus and its source list in `folder`; return the exit code."""
    from crawler.demo.site import DemoSite

    database, sources = folder / "corpus.db", folder / "sources.toml"
    folder.mkdir(parents=True, exist_ok=True)
    if not is_kept:
        clear(database)
    with stopped_gently(), DemoSite(first_port=free_ports(sources if is_kept else None)) as site:
        site.write_sources(sources)
        remark(f"{len(site.urls)} publishers are up on this machine; crawling them twice…\n")
        try:
            crawls = [crawl(site, database, sources) for _ in range(2)]
        except CrawlFailedError:
            return CRAWL_FAILED
        columns = terminal_width()
        found, page = findings(database, sources, crawls)
        show(tour.tour(found, columns))
        show(tour.next_lines(program(), shlex.quote(near(database)), shlex.quote(page) if page else "", columns))
        if is_served:
            serve(site, database, sources)
    return GOOD


def free_ports(kept_sources: Path | None) -> int:
    """The first of a row of free ports: the same ones each time, where they are free, so that addresses stay the same.

    With a corpus that is kept they must be its own ones, or every page would be another page.
    """
    if kept_sources is not None and kept_sources.exists():
        first = min(urlsplit(str(table["url"])).port or 0 for table in read_toml(kept_sources).values())
        if not are_free(first):
            raise ConfigError(
                f"ports {first}-{first + PORTS - 1}", "in use", "", "stop what uses them, or leave out --keep"
            )
        return first
    rows = range(FIRST_PORT, FIRST_PORT + 10 * PORTS, PORTS)
    return next((first for first in rows if are_free(first)), 0)


def are_free(first: int) -> bool:
    """True when nobody listens on this port and those after it."""
    try:
        for port in range(first, first + PORTS):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
                probe.bind((HOST, port))
    except OSError:
        return False
    return True


def clear(database: Path) -> None:
    """Begin with an empty corpus, unless a crawl is writing to this one."""
    from pipelines.lock import run_lock

    with run_lock(database):
        for name in (database.name, f"{database.name}-wal", f"{database.name}-shm"):
            database.with_name(name).unlink(missing_ok=True)


def environment(database: Path, sources: Path) -> dict[str, str]:
    """This process's environment with the demo's settings for the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    if (PROJECT_ROOT / "scrapy.cfg").exists():  # a checkout that may not be installed
        kept["PYTHONPATH"] = os.pathsep.join([str(PROJECT_ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {
        "COPYDESK_DATABASE": str(database.resolve()),
        "COPYDESK_SOURCES": str(sources.resolve()),
        "COPYDESK_SHIPPED_SOURCES": "false",
        "PYTHONUTF8": "1",
    }


def crawl(site: DemoSite, database: Path, sources: Path) -> tour.Crawl:
    """Crawl the site once; raise `CrawlFailedError` after showing what the crawl said."""
    seen, started = len(site.requests), time.monotonic()
    command = [sys.executable, "-m", "crawler", "crawl", "--force"]  # the second time no source would be due
    code, said, complaints = run_apart(command, environment(database, sources), folder=database.parent)
    seconds = time.monotonic() - started
    if code == 128 + signal.SIGINT:
        raise KeyboardInterrupt
    if code != 0:
        for line in (*complaints, *said):
            remark(line)
        remark(f"copydesk demo: the crawl ended with exit code {code}, expected 0")
        raise CrawlFailedError
    requests = [(request.path, request.status) for request in list(site.requests)[seen:]]
    return tour.Crawl(summary=said[-1] if said else "", seconds=seconds, run={}, requests=requests)


def run_apart(command: Sequence[str], env: dict[str, str], *, folder: Path) -> tuple[int, list[str], list[str]]:
    """Run a command in a session of its own; return exit code, lines of stdout, lines of stderr.

    Ctrl-C reaches us alone and is handed on once: a crawl that hears it twice stops without finishing.
    """
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        errors="backslashreplace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            said, complaints = process.communicate()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=LAST_WORDS_S)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                process.kill()
            raise
    return process.returncode, said.splitlines(), complaints.splitlines()


def findings(database: Path, sources: Path, crawls: Sequence[tour.Crawl]) -> tuple[tour.Findings, str]:
    """Read what the two crawls left in the corpus; and the address of the page with most comments."""
    from pipelines.store import Corpus, Filter

    names = {key: str(table.get("name", key)) for key, table in read_toml(sources).items()}
    with Corpus.open(database, read_only=True) as corpus:
        second, first = corpus.runs(limit=2)
        articles = list(corpus.articles(Filter(all_copies=True)))
        removed = [
            row for article in sorted(articles, key=lambda row: int(row["id"])) for row in corpus.removed(article["id"])
        ]
        commented = tour.most_commented(removed)
        page = next((str(row["url"]) for row in articles if row["id"] == commented), "")
        found = tour.Findings(
            first=with_rows(corpus, crawls[0], first),
            second=with_rows(corpus, crawls[1], second),
            names=names,
            removed=removed,
            clusters=corpus.clusters(limit=len(articles)),
            pairs=tour.alike([row for row in articles if row["canonical"]]),
            stories=corpus.stories(Filter(all_copies=True)),
        )
    return found, page


def with_rows(corpus: Corpus, crawl: tour.Crawl, run: tour.Row) -> tour.Crawl:
    """The crawl with its rows of the corpus."""
    return tour.Crawl(
        summary=crawl.summary,
        seconds=crawl.seconds,
        run=run,
        sources=corpus.source_runs(run["id"]),
        rejections=corpus.rejections(run=run["id"], limit=1000),
        requests=crawl.requests,
    )


def show(lines: Iterable[tour.Line]) -> None:
    """Print lines; on a terminal headings stand out and reasons step back."""
    if not is_terminal():
        for text, _ in lines:
            answer(text)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for text, tone in lines:
        console.print(Text(printable(text), style=TONES[tone]))


def serve(site: DemoSite, database: Path, sources: Path) -> None:
    """Leave the site up until Ctrl-C."""
    answer("\nThe site stays up until Ctrl-C:")
    for name, url in site.urls.items():
        answer(f"  {name:<12}{url}")
    answer(f"Its source list: {sources}")
    names = " ".join(list(site.urls)[:2])
    answer(
        f"Crawl some of it: {program()} crawl {names} --sources {shlex.quote(near(sources))} --db {shlex.quote(near(database))}"
    )
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        remark("\nthe site is closed")


def program() -> str:
    """What to type for `copydesk` here: its name where the shell finds it, else its path."""
    script = Path(sys.executable).with_name("copydesk")
    found = shutil.which("copydesk")
    if found and (not script.exists() or Path(found).resolve() == script.resolve()):
        return "copydesk"
    return shlex.quote(near(script)) if script.exists() else f"{shlex.quote(sys.executable)} -m crawler"


def near(path: Path) -> str:
    """The path as seen from the working folder when it lies in it, else whole."""
    whole, here = path.absolute(), Path.cwd()
    return str(whole.relative_to(here)) if whole.is_relative_to(here) else str(whole)
