"""scrapy-redis' scheduler with leases: whatever is killed, no address is lost, and no host is asked by two at once.

Stock scrapy-redis takes a request out of Redis before it is fetched; a worker that is killed takes along what it had in
hand, and all that was to be found behind it. Here a request is leased, and done when Scrapy is done with it: its callback ran, its
items went through the pipelines, its links are queued. A lease is renewed by a timer of its own, because a busy engine does
not call its scheduler; one that runs out goes back. Each host has a queue and a time when it may be asked next, so
politeness holds across workers, and a slow host keeps nobody waiting.

Nothing here waits for Redis longer than one answer may take (`ANSWER_S`), and nothing asks again at once: while it is away, what is to be queued waits in `_outbox`, and what is done is not said to
be done before that is empty.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.request import request_from_dict
from scrapy_redis.queue import PriorityQueue
from scrapy_redis.scheduler import Scheduler

from crawler.cluster import letters, scripts
from crawler.item_pipelines import LEFT
from crawler.politeness import host_key
from crawler.sharding import shard_of
from pipelines.errors import one_line
from pipelines.stream import Away, Link

if TYPE_CHECKING:
    from scrapy import Request, Spider
    from scrapy.crawler import Crawler

    from pipelines.store import Corpus

LEASE_S = 60.0  # a worker not heard of for so long is gone; a page takes half of it at most
TICK_S = 0.2  # between two looks whether a host may be asked: the engine by itself looks every five seconds
BEATS = 6  # in a lease: five may fail before it runs out
ANSWER_S = 2.0  # all stands still while Redis does not answer
AGAIN_S = 1.0  # between two tries while it is away
LAST_TRIES_S = 3.0  # at the end of a run
PATIENCE_S = 60.0  # a host that wants to be left alone for longer is for another run
MOST_TRIES = 5  # a request that was taken back so often kills its workers
BUSY = "copydesk:busy"


class Frontier(Scheduler):  # type: ignore[misc]
    """One spider's part of the frontier that several workers share."""

    def __init__(self, link: Link, crawler: Crawler) -> None:
        super().__init__(server=link.client, persist=True, serializer=letters)
        settings = crawler.settings
        self.link, self.crawler, self.stats = link, crawler, crawler.stats
        self.lease_s = settings.getfloat("FRONTIER_LEASE_S", LEASE_S)
        self.shard, self.shards = settings.getint("FRONTIER_SHARD", 1), settings.getint("FRONTIER_SHARDS", 1)
        self.pause_s = settings.getfloat("DOWNLOAD_DELAY")
        self.leased: dict[Request, bytes] = {}
        self._outbox: deque[tuple[Request, tuple[Any, ...]]] = deque()
        self._asked_again = self._beaten = 0.0
        self._is_away = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(Link(crawler.settings["REDIS_URL"], ANSWER_S), crawler)

    def open(self, spider: Spider) -> None:
        self.spider, self.run = spider, getattr(spider, "run", None)
        self.prefix = f"copydesk:{spider.name}"
        self.queue = PriorityQueue(self.server, spider, self.prefix, letters)
        engine = self.crawler.engine
        assert engine is not None
        self._slot = engine._slot  # noqa: SLF001 - fails here, and at once, when a release drops it
        self._in_progress = self._slot.inprogress  # type: ignore[union-attr]
        self._ticking = create_looping_call(self._tick)
        # workers that look at one rhythm would keep their order: the same one would find every host free
        self._ticking.start(TICK_S * random.uniform(0.7, 1.3), now=False)  # noqa: S311 - no secret

    def __len__(self) -> int:
        return int(self._ask(scripts.PENDING, self.shard, PATIENCE_S, BUSY))

    def has_pending_requests(self) -> bool:
        """True while anything is waiting, or in anybody's hands: it may bring more."""
        if self._outbox or self.leased:
            return True
        try:
            return len(self) > 0
        except Away:
            return True

    def enqueue_request(self, request: Request) -> bool:
        url = request.url
        host = host_key(url) or "none"
        letter = self.queue._encode_request(request)  # noqa: SLF001 - scrapy-redis' own way
        count(self.run, request, -1)
        arguments = (shard_of(url, self.shards), host, letter, request.priority, self._once(request))
        self._outbox.append((request, arguments))
        self._try(self._flush)
        return True

    def next_request(self) -> Request | None:
        found: Request | None = self._try(self._pop)
        return found

    def close(self, reason: str) -> None:  # noqa: ARG002 - Scrapy gives it
        """Give back at once what was not finished; what cannot be given back comes back by itself."""
        if self._ticking.running:
            self._ticking.stop()
        end = time.monotonic() + LAST_TRIES_S
        while True:
            self._asked_again = 0.0
            if self._try(self._last) or time.monotonic() > end:
                break
            time.sleep(TICK_S)
        if self._outbox or self.leased:
            self._tell(f"{len(self.leased)} requests in hand come back when their leases run out")
        self.link.close()

    # steps; each may raise Away, and is then done again

    def _flush(self) -> None:
        while self._outbox:
            request, arguments = self._outbox[0]
            is_new = self._ask(scripts.PUSH, *arguments)
            self._outbox.popleft()
            self._count("enqueued" if is_new else "known")
            if not is_new:
                known(self.run, request)

    def _settle(self) -> None:
        """Say what is done, once all that it brought is queued."""
        self._flush()
        done = [request for request in self.leased if request not in self._in_progress]
        for request in done:
            member = self.leased[request]
            if is_left(self.run, request):
                self._ask(scripts.GIVE_BACK, member, self._wait_s(request), BUSY)
                self._count("given_back")
            else:
                self._ask(scripts.DONE, member, self._pause_s(request), BUSY)
            del self.leased[request]  # not before Redis has taken it

    def _pop(self) -> Request | None:
        self._settle()
        member: bytes | None = self._ask(scripts.POP, self.shard, self.lease_s, BUSY)
        if not member:
            return None
        letter = member.split(b"\n", 2)[2]
        try:
            sources = {name: tally.source for name, tally in self.run.tallies.items()} if self.run else {}
            request = request_from_dict(letters.opened(letters.loads(letter), sources), spider=self.spider)
        except letters.UnknownSourceError as error:
            self._ask(scripts.GIVE_BACK, member, PATIENCE_S * 2, BUSY)
            self._tell(f"a request for the source {error} is left to others: it is not in the list here")
            return None
        except (letters.UnreadableError, ValueError, TypeError, KeyError) as error:
            self._ask(scripts.SET_ASIDE, member, BUSY)
            self._tell(f"a request that cannot be read ({one_line(error)}) was put aside in {self.prefix}:given_up")
            return None
        request.meta.pop(LEFT, None)
        self.leased[request] = member
        count(self.run, request, 1)
        self._count("dequeued")
        return request

    def _beat(self) -> None:
        back, lost = self._ask(scripts.BEAT, self.lease_s, MOST_TRIES, BUSY, *self.leased.values())
        self._beaten = time.monotonic()
        if back:
            self._count("taken_back", back)
        if lost:
            self._tell(
                f"{lost} requests ended their workers {MOST_TRIES} times and were put aside in {self.prefix}:given_up"
            )

    def _last(self) -> bool:
        self._settle()
        for request, member in list(self.leased.items()):
            self._ask(scripts.GIVE_BACK, member, self._pause_s(request), BUSY)
            del self.leased[request]
        return True

    def _tick(self) -> None:
        """Renew, take back, say what is done, and wake the engine: a host's pause may be over."""
        if time.monotonic() - self._beaten > self.lease_s / BEATS:
            self._try(self._beat)
        self._try(self._settle)
        if self._slot is not None and self._slot.closing is None:
            self._slot.nextcall.schedule()

    # Redis

    def _ask(self, script: str, *arguments: Any) -> Any:
        if time.monotonic() < self._asked_again:
            raise Away("away")
        try:
            answer = self.link.ask(lambda client: client.eval(script, 0, self.prefix, *arguments))
        except Away as away:
            self._asked_again = time.monotonic() + AGAIN_S
            if not self._is_away:
                self._tell(f"away ({away}); waiting, nothing is lost")
            self._is_away = True
            raise
        if self._is_away:
            self._tell("back")
        self._is_away = False
        return answer

    def _try(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except Away:
            return None

    def _tell(self, what: str) -> None:
        sys.stderr.write(f"copydesk: {self.link.name}: {what}\n")

    def _count(self, what: str, by: int = 1) -> None:
        if self.stats:
            self.stats.inc_value(f"frontier/{what}", by)

    # what is asked of a request

    def _once(self, request: Request) -> str:
        """What is queued once and never again; "" for what may come as often as it likes."""
        due = request.cb_kwargs.get("due")
        if due is not None:
            is_again = due.is_revisit or "redirect_times" in request.meta or "retry_times" in request.meta
            return "" if is_again else hashlib.blake2b(due.url.encode("utf-8", "replace"), digest_size=16).hexdigest()
        if request.dont_filter:
            return ""
        fingerprinter = self.crawler.request_fingerprinter
        assert fingerprinter is not None
        return fingerprinter.fingerprint(request).hex()

    def _pause_s(self, request: Request) -> float:
        return float(self.run.gate.delay(host_key(request.url)) if self.run else self.pause_s)

    def _wait_s(self, request: Request) -> float:
        """How long nobody should take up what is given back."""
        if self.run is None or self.run.stop_reason:
            return self._pause_s(request)
        until = self.run.gate.closed_until(host_key(request.url))
        return max(PATIENCE_S * 2, (until - self.run.now()).total_seconds()) if until else PATIENCE_S * 2


def count(run: Any, request: Request, by: int) -> None:
    """Who has a request in hand answers for it: the tallies follow it in and out of Redis."""
    if run is None:
        return
    if visit := request.cb_kwargs.get("visit"):
        tally = run.tallies[visit.source.id]
        tally.open_indexes += by
        tally.seen_indexes += by
    elif source := request.cb_kwargs.get("source"):
        tally = run.tallies[source.id]
        tally.asked += by
    else:
        return
    if by > 0:
        run.begin_soon(tally.source)


def known(run: Any, request: Request) -> None:
    """A page that some worker has taken on before is that worker's."""
    if run is not None and (due := request.cb_kwargs.get("due")) is not None:

        def work(corpus: Corpus) -> None:
            row = corpus.frontier_row(due.url)
            if row is not None and row["last_fetch"] is None:  # else it was ours
                corpus.ended(due.url, "elsewhere")

        run.writer.do(work)


def is_left(run: Any, request: Request) -> bool:
    """True when Scrapy is done with a request and nothing came of it that is kept."""
    return bool(request.meta.get(LEFT)) or (run is not None and run.storage_error is not None)
