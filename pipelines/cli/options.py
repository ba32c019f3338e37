"""What the corpus commands share: the clock, dates as people write them, the open corpus, one reading of "12 or URL"."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.cli import remark
from pipelines.errors import StorageError

if TYPE_CHECKING:
    from types import FrameType

    from pipelines.config import Config
    from pipelines.store import Corpus

    DateType = click.ParamType[datetime]
    SpanType = click.ParamType[timedelta]
else:
    DateType = SpanType = click.ParamType  # click's older versions cannot be subscripted

F = TypeVar("F", bound=Callable[..., Any])

_SPAN = re.compile(r"(\d{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


def utc_now() -> datetime:
    """The only look at the clock of these commands."""
    return datetime.now(UTC)


class Moment(DateType):
    """A day (2026-05-01, in UTC), a time in ISO 8601, or a span back from now (12h, 7d, 2w)."""

    name = "date"

    def __init__(self, *, is_end: bool = False) -> None:
        self.is_end = is_end  # a day given as an end is in it to its last moment

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            span = _SPAN.fullmatch(value.strip().lower())
            if span:
                return utc_now() - timedelta(hours=int(span[1]) * _HOURS[span[2]])
            found = datetime.fromisoformat(value.strip())
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither a day like 2026-05-01 nor a span like 7d or 12h", param, ctx)
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        if self.is_end and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
            found += timedelta(days=1, microseconds=-1)
        return found


class Age(SpanType):
    """A span of time: 180d, 12h, 4w."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        span = _SPAN.fullmatch(value.strip().lower())
        if not span:
            self.fail(f"{value!r} is no span like 180d, 4w or 12h", param, ctx)
        return timedelta(hours=int(span[1]) * _HOURS[span[2]])


def since_option(command: F) -> F:
    return click.option("--since", type=Moment(), help="From this day on (2026-05-01), or this long ago (7d, 12h).")(
        command
    )


def until_option(command: F) -> F:
    return click.option("--until", type=Moment(is_end=True), help="Up to this day, the day included.")(command)


def source_option(command: F) -> F:
    return click.option("--source", default="", help="Only this source (its id).")(command)


def topic_option(command: F) -> F:
    return click.option(
        "--topic", default="", help="Only what matched this concept of the vocabulary, e.g. alignment."
    )(command)


def language_option(command: F) -> F:
    return click.option("--language", default="", help="Only this language (ISO 639-1: en, ko, de).")(command)


def limit_option(default: int) -> Callable[[F], F]:
    return click.option(
        "--limit",
        metavar="N",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        help="At most this many.",
    )


def json_option(command: F) -> F:
    return click.option("--json", "is_json", is_flag=True, help="JSON instead of text.")(command)


@contextmanager
def reading(config: Config) -> Iterator[Corpus]:
    """The corpus, to read from while a crawl may be writing; one line with what to do when there is none."""
    from pipelines.store import Corpus

    require_corpus(config)
    with Corpus.open(config.database_path, config, read_only=True) as corpus:
        yield corpus


def remark_unknown(corpus: Corpus, source: str = "", topic: str = "") -> None:
    """After an empty answer: a name this corpus has never seen is likely a typo."""
    for flag, asked, known in (("--source", source, corpus.known_sources), ("--topic", topic, corpus.known_topics)):
        names = known() if asked else []
        if asked and asked not in names:
            near = get_close_matches(asked, names, 1)
            remark(f"{flag}: nothing of {asked} is in this corpus" + (f"; did you mean {near[0]}?" if near else ""))


@contextmanager
def writing(config: Config) -> Iterator[Corpus]:
    """The corpus, to write to, with no other run at work."""
    from pipelines.lock import run_lock
    from pipelines.store import Corpus

    require_corpus(config)
    with run_lock(config.database_path), Corpus.open(config.database_path, config) as corpus:
        yield corpus


def require_corpus(config: Config) -> None:
    if not config.database_path.exists():
        raise StorageError(
            str(config.database_path),
            "no corpus here",
            "",
            "make one with `copydesk demo` or `copydesk crawl`, or name yours with --db",
        )


def id_or_address(text: str) -> int | str:
    """What a person typed for an article: its number, or its address in normal form."""
    from pipelines.urls import normal_form

    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) < 19:  # SQLite's integers end at 19 digits
        return int(stripped)
    return normal_form(stripped) or stripped


@contextmanager
def stopped_gently() -> Iterator[None]:
    """Let TERM and HUP end the work like Ctrl-C does: what is in hand is finished and committed."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
