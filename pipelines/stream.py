"""The road from many workers to the one writer: a Redis stream, and what may go wrong with Redis.

SQLite has one writer, and keeps it when there are workers on ten machines: they append parcels here, and one process settles
them. A parcel leaves the stream only after the commit that holds it. redis is imported here and in crawler/cluster.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipelines.errors import ConfigError, LockedError, MissingExtraError, one_line

if TYPE_CHECKING:
    from redis import Redis

STREAM = "copydesk:pages"
REFUSED = "copydesk:pages:refused"  # parcels that nobody could settle: kept for a person to look at
PROTOCOL = "copydesk:pages:version"  # what the writer reads
WRITER = "copydesk:writer"  # who writes
GROUP = CONSUMER = "writer"
FIELD = b"parcel"
MOST_WAITING = 10_000  # parcels: 200 to 400 MB of Redis' memory; workers wait while there are more
CLAIM_S = 30  # a writer that was not heard of for so long is gone
ANSWER_S = 5.0  # Redis answers in a millisecond; longer is a network that is gone
REREAD, NEW = "0", ">"

SEND = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return redis.call('GET', KEYS[2]) or '' end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'parcel', ARGV[2])
return 1
"""  # 1: sent; 0: full; text: the version that is spoken here
GREET = """
local spoken = redis.call('GET', KEYS[1])
if spoken == ARGV[1] then return spoken end
if spoken and ARGV[2] == 'worker' then return spoken end
if spoken and redis.call('XLEN', KEYS[2]) > 0 then return spoken end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
"""  # a writer changes the version when nothing of another waits; a worker only where none was settled
CLAIM = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]
"""


class Away(Exception):  # noqa: N818 - no mistake: a state that passes
    """Redis does not answer now; it is worth asking again."""


class Link:
    """A connection to Redis that tells an outage from a mistake, and names the server without its password."""

    def __init__(self, url: str, answer_s: float = ANSWER_S) -> None:
        self.name = shown(url)
        self.client = connect(url, answer_s)

    def close(self) -> None:
        self.client.close()

    def ask(self, command: Callable[[Redis], Any]) -> Any:
        """What Redis answers; `Away` when it does not, `ConfigError` when it will not."""
        import redis

        try:
            return command(self.client)
        except redis.AuthenticationError as error:
            raise ConfigError(self.name, one_line(error), "a user and password it knows") from None
        except (redis.ConnectionError, redis.TimeoutError) as error:  # BusyLoadingError is one: it starts
            raise Away(one_line(error)) from None
        except redis.ResponseError as error:
            if (
                "OOM" in str(error) or "READONLY" in str(error) or "MISCONF" in str(error)
            ):  # passes when somebody makes room
                raise Away(one_line(error)) from None
            raise

    def greet(self, version: str, role: str) -> None:
        """Agree on what is sent; `ConfigError` when the other side speaks another version."""
        spoken = text(self.ask(lambda client: client.eval(GREET, 2, PROTOCOL, STREAM, version, role)))
        if spoken != version:
            raise other_version(self.name, spoken, version)

    def send(self, parcel: bytes, version: str) -> bool:
        """Append a parcel; False when there are too many waiting."""
        answer = self.ask(lambda client: client.eval(SEND, 2, STREAM, PROTOCOL, version, parcel, MOST_WAITING))
        if isinstance(answer, bytes):
            raise other_version(self.name, text(answer), version)
        return bool(answer)

    # the writer's side

    def claim(self, holder: str) -> None:
        """Be the one writer, or stay it; `LockedError` when another is."""
        found = text(self.ask(lambda client: client.eval(CLAIM, 1, WRITER, holder, CLAIM_S)))
        if found != holder:
            raise LockedError(
                self.name, f"{found} is writing", "one writer", f"stop it, or wait {CLAIM_S} s if it died"
            )

    def let_go(self, holder: str) -> None:
        """Let another be the writer at once."""
        with suppress(Away):
            if text(self.ask(lambda client: client.get(WRITER)) or b"") == holder:
                self.ask(lambda client: client.delete(WRITER))

    def prepare(self) -> None:
        """Make stream and group where they are missing."""
        import redis

        try:
            self.ask(lambda client: client.xgroup_create(STREAM, GROUP, id="0", mkstream=True))
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def read(self, since: str, most: int, wait_s: float) -> list[tuple[bytes, bytes]]:
        """The next parcels, each with its number: `REREAD` those that were read and never settled, `NEW` the others."""
        block = None if since == REREAD else max(1, int(wait_s * 1000))
        import redis

        try:
            found = self.ask(
                lambda client: client.xreadgroup(GROUP, CONSUMER, {STREAM: since}, count=most, block=block)
            )
        except redis.ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self.prepare()  # Redis came back without what it had
            return []
        entries = list(found.values()) if isinstance(found, dict) else [rows for _, rows in found or []]
        return [(number, values.get(FIELD, b"")) for rows in entries for number, values in flat(rows)]

    def settled(self, numbers: Sequence[bytes], refused: Sequence[bytes] = ()) -> None:
        """Take parcels out of the stream: they are committed, or put aside."""

        def work(client: Redis) -> None:
            with client.pipeline(transaction=True) as pipeline:
                for parcel in refused:
                    pipeline.xadd(REFUSED, {FIELD: parcel})
                pipeline.xack(STREAM, GROUP, *numbers)
                pipeline.xdel(STREAM, *numbers)
                pipeline.execute()

        if numbers:
            self.ask(work)

    def waiting(self) -> int:
        """How many parcels are in the stream."""
        return int(self.ask(lambda client: client.xlen(STREAM)))


def flat(rows: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Entries as pairs; an entry that is gone has no values, and some versions of the library nest them once more."""
    if rows and isinstance(rows[0], list):
        rows = [row for inner in rows for row in inner]
    return [(number, values or {}) for number, values in rows]


def connect(url: str, answer_s: float = ANSWER_S) -> Redis:
    """A client that never retries by itself: who asks decides whether to wait. `ConfigError` for what is no address of a Redis."""
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise MissingExtraError(
            shown(url),
            "working with Redis needs libraries that are not installed",
            "",
            "pip install 'copydesk[cluster]'",
        ) from None
    if urlsplit(url).scheme not in ("redis", "rediss", "unix"):
        raise ConfigError(shown(url), "no address of a Redis", "redis://host:6379/0 (rediss:// with TLS)")
    try:
        return Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), socket_timeout=answer_s, socket_connect_timeout=answer_s, protocol=2
        )
    except ValueError as error:
        raise ConfigError(shown(url), one_line(error), "redis://host:6379/0") from None


def shown(url: str) -> str:
    """The address without user name and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.scheme else url


def other_version(name: str, spoken: str, ours: str) -> ConfigError:
    saw = f"pages of another version are sent there ({spoken or 'nobody has said which'})"
    return ConfigError(
        name, saw, ours, "run the same copydesk on every machine; its own `copydesk write` empties the stream"
    )


def text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def identity(database: str) -> str:
    """Who a writer is: of one corpus there is but one, so after a kill its next run need not wait."""
    return f"{socket.gethostname()}:{os.path.realpath(database)}"
