"""`copydesk runs`: what ran, how it ended, and what never did."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import answer_json, cli, remark, with_config
from pipelines.cli.options import json_option, limit_option, reading
from pipelines.cli.tables import column, print_rows
from pipelines.errors import ConfigError
from pipelines.report import moment, span

if TYPE_CHECKING:
    from pipelines.config import Config

Row = Mapping[str, Any]
ENDED, AT_WORK, NEVER_ENDED = "ended", "at work", "never ended"
COUNTS = [column(name) for name in ("new", "copies", "rejected")]  # --json has all
RUNS = (
    column("run", "id"),
    column("command"),
    column("started", show=moment),
    column("took", "ended"),
    column("exit", "exit_code"),
    *COUNTS,
)
SOURCES = (column("source"), column("outcome", "ended"), *COUNTS, column("error"))


@cli.command()
@click.argument("run", type=click.IntRange(min=1), required=False)
@limit_option(20)
@json_option
@with_config
def runs(run: int | None, limit: int, is_json: bool, config: Config) -> None:
    """List the runs, or what each source gave in one.

    The newest is first. A run that was killed, or whose machine stopped, has never ended: what it kept is kept, and the next one goes on.

    Example: copydesk runs
             copydesk runs 12
    """
    with reading(config) as corpus:
        newest = next((int(row["id"]) for row in corpus.runs(limit=1)), 0)
        if run and run > newest:
            raise ConfigError(f"run {run}", "there is none of that number", "a number of `copydesk runs`")
        found = corpus.source_runs(run) if run else corpus.runs(limit)
    rows = [{**row, "state": state_of(row, newest, config)} for row in found]
    if is_json:
        answer_json(rows)
    elif rows:
        print_rows(told(found, newest, config), SOURCES if run else RUNS)
    else:
        remark("no source was asked in this run" if run else "no run yet; start with `copydesk crawl`")


def told(rows: Iterable[Row], newest: int, config: Config) -> list[Row]:
    """Rows of runs, or of sources in one, with `ended`: after how long, or how, or that it did not."""
    return [{**row, "ended": how_it_ended(row, state_of(row, newest, config))} for row in rows]


def state_of(row: Row, newest: int, config: Config) -> str:
    """Whether a run, or a source in one, has ended. Only the newest can still be at work, while somebody holds the lock."""
    if row["finished"] is not None:
        return ENDED
    from pipelines.lock import is_held

    return AT_WORK if row.get("run", row.get("id")) == newest and is_held(config.database_path) else NEVER_ENDED


def how_it_ended(row: Row, state: str) -> str:
    if state != ENDED:
        return state
    if "outcome" in row:
        return str(row["outcome"])
    return span(datetime.fromisoformat(row["finished"]) - datetime.fromisoformat(row["started"]))
