"""The commands that look after the corpus file: doctor, recluster, prune, migrate, backup."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import answer, answer_json, cli, remark, with_config
from pipelines.cli.options import Age, json_option, reading, require_corpus, stopped_gently, utc_now, writing
from pipelines.errors import ConfigError, StorageError
from pipelines.report import moment, plural

if TYPE_CHECKING:
    from pipelines.config import Config
    from pipelines.store import Corpus

MIN_FREE_BYTES = 500 * 2**20  # a day of a hundred sources with raw pages is far below this
MAX_RUN_AGE = timedelta(days=3)  # cron runs every few hours; a long weekend without one is worth a word
MAX_CLOCK_LEAD = timedelta(hours=1)
BUILT = datetime(2026, 1, 1, tzinfo=UTC)  # no honest clock shows a time before this program was written
RUNS_LOOKED_AT = 1
MAX_RUNS = 8  # times the longest a crawl may take: an ingest of many pages takes longer than that


@cli.command()
@click.option("--mend", is_flag=True, help="Mend what can be mended without losing anything, then look again.")
@json_option
@with_config
def doctor(mend: bool, is_json: bool, config: Config) -> int:
    """Look for trouble and say how to mend it.

    Settings, database, index, clock, disk and the last run (its age, and whether it ended) are looked at. Exit 1 when something is wrong.

    Example: copydesk doctor --mend
    """
    require_corpus(config)
    if mend:
        with writing(config) as corpus:
            corpus.mend()
    problems = find_problems(config, utc_now())
    if is_json:
        answer_json(
            {
                "database": str(config.database_path),
                "problems": [{"what": what, "mend": cure} for what, cure in problems],
            }
        )
    else:
        for what, cure in problems:
            answer(f"{what}; {cure}")
        if not problems:
            answer(f"{config.database_path}: all well (settings, database, index, clock, disk, last run)")
    return 1 if problems else 0


def find_problems(config: Config, now: datetime) -> list[tuple[str, str]]:
    """Return what is wrong and how to mend it, a line each."""
    from pipelines.notify import PING_URL, unusable

    problems = []
    if now < BUILT:
        problems.append(
            (f"the clock says {moment(now.isoformat())}", "set the machine's clock: dates of articles depend on it")
        )
    asked = {f"watch.{name}.ping_url": watch.ping_url for name, watch in config.watches.items()}
    for setting, url in ({PING_URL: config.notify.ping_url} | asked).items():
        if problem := unusable(url, setting):
            problems.append((problem, "correct it in copydesk.toml: nobody is told"))
    free = shutil.disk_usage(config.database_path.parent).free
    if free < MIN_FREE_BYTES:
        problems.append(
            (f"{free // 2**20} MB free beside the corpus", "make room, or `copydesk prune --raw-older-than 90d`")
        )
    try:
        problems += file_problems(config, now)
    except StorageError as error:
        problems.append(told_apart(error))
    return problems


def told_apart(error: StorageError) -> tuple[str, str]:
    """An error as what is wrong and how to mend it."""
    subject, saw, _, hint = error.args
    is_known = hint and "doctor" not in hint  # what sends the user to us is no mend
    return (
        f"{subject}: {saw}",
        hint if is_known else "restore the last `copydesk backup`, or name another file with --db",
    )


def file_problems(config: Config, now: datetime) -> list[tuple[str, str]]:
    """Look into the file; the search index can only be compared where we may write."""
    from pipelines.store import Corpus

    path = config.database_path
    pending = Corpus.pending_migrations(path)
    if pending:
        return [
            (
                f"{path}: lacks {plural(len(pending), 'step')} of this version ({', '.join(pending)})",
                "`copydesk migrate`",
            )
        ]
    with Corpus.open(path, config, read_only=not os.access(path, os.W_OK)) as corpus:
        return [*((problem.what, problem.mend) for problem in corpus.check()), *run_problems(corpus, now)]


def run_problems(corpus: Corpus, now: datetime) -> list[tuple[str, str]]:
    """Say when the last run is long ago, in the future, or never ended."""
    runs = corpus.runs(limit=RUNS_LOOKED_AT)
    if not runs:
        return [("no run yet", "start with `copydesk crawl`")]
    last = runs[0]
    started = datetime.fromisoformat(str(last["started"]))
    if last["finished"] is None and (problem := open_problem(corpus, last, now - started)):
        return [problem]
    if started - now > MAX_CLOCK_LEAD:
        return [
            (
                f"the last run started in the future, {moment(last['started'])}",
                "set the machine's clock, then crawl again",
            )
        ]
    if now - started > MAX_RUN_AGE:
        return [(f"the last run was {plural((now - started).days, 'day')} ago", "see `copydesk schedule show`")]
    return []


def open_problem(corpus: Corpus, run: Mapping[str, Any], age: timedelta) -> tuple[str, str] | None:
    """What is wrong with a run that has no end: nothing while it is at work, and not for far too long."""
    from pipelines.lock import is_held, lock_path

    if not lock_path(Path(corpus.path)).exists():
        return None  # a backup, made while the run was at work elsewhere
    name = f"run {run['id']} ({run['command']}, {moment(run['started'])})"
    if not is_held(Path(corpus.path)):
        again = f"what it kept is safe; `copydesk {run['command']}` once more does the rest"
        return f"{name} never ended: it was killed, or the machine stopped", again
    is_endless = run["command"] == "write"  # it goes on until it is stopped
    if not is_endless and age > MAX_RUNS * timedelta(seconds=corpus.config.crawl.run_budget_s):
        return f"{name} is still at work", f"if it hangs, stop its process ({corpus.path}.pid names it)"
    return None


@cli.command()
@json_option
@with_config
def recluster(is_json: bool, config: Config) -> None:
    """Find all copies anew, in order of publication.

    A crawl compares each article with those that were there when it came, so a late original can leave two clusters where one belongs. This compares
    all of them again as if they had come in the order in which they were published. Articles stay as they are, and nothing is
    deleted: only who copies whom, and who is canonical, is written anew. For after an import of older articles or a
    change of the settings under [dedup].

    Example: copydesk recluster
    """
    from pipelines.cli.tables import Progress
    from pipelines.flow import recluster as run_recluster

    progress = Progress("articles")
    with stopped_gently(), writing(config) as corpus, progress:
        done = run_recluster(corpus, progress.show)
    if is_json:
        answer_json(done)
        return
    answer(
        f"{plural(done['articles'], 'article')}: {plural(done['clusters'], 'cluster')} of copies with"
        f" {plural(done['copies'], 'copy', 'copies')}; {plural(done['clusters_changed'], 'cluster')} changed,"
        f" {plural(done['canonicals_changed'], 'article')} became canonical"
    )
    if done["signed_again"]:
        answer(f"{plural(done['signed_again'], 'article')} signed again: the rules for it have changed")


@cli.command()
@click.option(
    "--raw-older-than", "age", type=Age(), default="180d", show_default=True, help="Age of the stored pages to delete."
)
@json_option
@with_config
def prune(age: timedelta, is_json: bool, config: Config) -> None:
    """Delete old raw pages to save room. Articles stay; they can no longer be reprocessed.

    Example: copydesk prune --raw-older-than 90d
    """
    with writing(config) as corpus:
        count = corpus.prune_raw(utc_now() - age)
    if is_json:
        answer_json({"pruned": count})
    else:
        answer(f"{plural(count, 'raw page')} deleted; every article is kept")


@cli.command()
@click.option("--list", "is_list", is_flag=True, help="Only name the steps this file lacks.")
@json_option
@with_config
def migrate(is_list: bool, is_json: bool, config: Config) -> None:
    """Bring the corpus file to this version's tables.

    Example: copydesk migrate --list
    """
    from pipelines.lock import run_lock
    from pipelines.store import Corpus

    require_corpus(config)
    steps = Corpus.pending_migrations(config.database_path)
    if not is_list and steps:
        with run_lock(config.database_path), Corpus.open(config.database_path, config) as corpus:
            corpus.migrate()
    if is_json:
        answer_json({"pending" if is_list else "applied": steps})
        return
    for step in steps:
        answer(f"{'lacks' if is_list else 'applied'} {step}")
    if not steps:
        answer(f"{config.database_path}: up to date")


@cli.command()
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@with_config
def backup(file: Path, force: bool, config: Config) -> None:
    """Copy the corpus to FILE, even while a crawl runs.

    FILE may be - for stdout.

    Example: copydesk backup corpus-2026-05-01.db
    """
    if str(file) == "-":
        pour(config)
        return
    if file.resolve() == config.database_path.resolve():
        raise ConfigError(str(file), "that is the corpus itself", "another file")
    if file.exists() and not force:
        raise ConfigError(str(file), "this file exists", "a new name", "or replace it with --force")
    if not file.resolve().parent.is_dir():
        raise ConfigError(str(file), "its folder does not exist", "a file in a folder that does")
    with reading(config) as corpus:
        corpus.backup(file)
    remark(f"copied to {file} ({file.stat().st_size / 1e6:.1f} MB)")


def pour(config: Config) -> None:
    """The copy on stdout: made beside the corpus first, where there is room for it."""
    with (
        reading(config) as corpus,
        TemporaryDirectory(prefix=".backup-", dir=config.database_path.parent) as folder,
    ):
        copy = Path(folder) / "corpus.db"
        corpus.backup(copy)
        with copy.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
