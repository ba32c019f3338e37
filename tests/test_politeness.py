"""One request at a time to a host, with its pause; floors no setting lowers."""

import asyncio
import itertools
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protego import Protego
from scrapy.http import Response

import crawler.settings as shipped
from crawler.ledger import Tally
from crawler.marks import marks_of
from crawler.middlewares import ROBOTS_BYTES, ROBOTS_LINES, rules_of
from crawler.outcome import SourceReport, close_source
from crawler.politeness import FLOOR_DELAY_S, MAX_CRAWL_DELAY_S, HostGate, host_key, polite_delay, retry_after
from crawler.sources import Source
from pipelines.store import Corpus

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


async def visits(gate, hosts, seconds=0.01):
    """Ask for all hosts at once; return (host, start, end) of each visit."""
    seen = []

    async def visit(host):
        async with gate.turn(host):
            start = time.monotonic()
            await asyncio.sleep(seconds)
            seen.append((host, start, time.monotonic()))

    await asyncio.gather(*map(visit, hosts))
    return sorted(seen, key=lambda one: one[1])


def gate_with(**delays):
    gate = HostGate()
    for host, delay in delays.items():
        gate.set_delay(host, delay)
    return gate


def test_visits_of_one_host_never_overlap_and_keep_its_pause():
    seen = asyncio.run(visits(gate_with(a=0.05), ["a"] * 5))
    for one, other in itertools.pairwise(seen):
        assert other[1] - one[2] >= 0.049


def test_hosts_do_not_wait_for_each_other():
    start = time.monotonic()
    asyncio.run(visits(gate_with(a=5.0, b=5.0, c=5.0), ["a", "b", "c"]))
    assert time.monotonic() - start < 1


def test_a_host_shared_by_two_sources_has_the_longer_pause():
    gate = gate_with(a=3.0)
    gate.set_delay("a", 1.0)
    assert gate.delay("a") == 3.0


def test_a_host_nobody_spoke_for_has_the_floor():
    assert HostGate(0.0).delay("somewhere.test") == FLOOR_DELAY_S


@pytest.mark.fault("R11")
def test_crawl_delay_lengthens_up_to_a_minute_and_never_shortens():
    gate = gate_with(a=2.0)
    gate.heed_crawl_delay("a", 0.1)
    assert gate.delay("a") == 2.0
    gate.heed_crawl_delay("a", 86400)
    assert gate.delay("a") == MAX_CRAWL_DELAY_S
    gate.asked("a")  # the index
    assert not gate.is_spent("a")
    gate.asked("a")  # one page: who wants a day between two gets no more in a run
    assert gate.is_spent("a")


def test_a_slow_host_is_not_asked_faster_than_it_answers():
    gate = gate_with(public=2.0, own=0.01)
    assert [gate.pause("public", took) for took in (0.1, 7.0, 900.0)] == [2.0, 7.0, MAX_CRAWL_DELAY_S]
    assert gate.pause("own", 7.0) == 0.01


def test_a_host_has_a_budget_for_each_run():
    gate = HostGate(most_requests=3)
    for _ in range(3):
        assert not gate.is_spent("a")
        gate.asked("a")
    assert gate.is_spent("a")
    assert not gate.is_spent("b")


def test_a_stopped_gate_keeps_nobody_waiting():
    async def run():
        gate = gate_with(a=30.0)
        await visits(gate, ["a"])
        asyncio.get_running_loop().call_later(0.05, gate.stop)
        await asyncio.wait_for(visits(gate, ["a"]), 5)

    asyncio.run(run())


@given(st.floats(0, 100), st.floats(0, 100))
def test_no_setting_goes_below_the_floor_for_a_public_host(asked, default):
    assert polite_delay(asked, default, is_local=False) >= FLOOR_DELAY_S
    assert polite_delay(asked, default, is_local=True) >= 0


def test_a_local_source_may_be_asked_without_pause():
    assert polite_delay(0.01, 2.0, is_local=True) == 0.01
    assert polite_delay(0.01, 2.0, is_local=False) == FLOOR_DELAY_S


@pytest.mark.parametrize(
    ("value", "minutes"),
    [
        ("120", 2),
        ("0", 1),
        ("5", 1),
        ("999999999999", 24 * 60),
        ("9" * 5000, 24 * 60),
        ("Fri, 31 Dec 99999999999 23:59:59 GMT", 60),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 60),
        ("Sat, 21 Nov 2020 09:00:00 GMT", 1),
        ("", 60),
        ("soon", 60),
        ("-5", 60),
    ],
)
@pytest.mark.fault("R13")
def test_retry_after_in_both_forms(value, minutes):
    assert retry_after(value, NOW) - NOW == timedelta(minutes=minutes)


@given(st.text(max_size=40))
def test_retry_after_is_always_within_a_day(value):
    assert timedelta(minutes=1) <= retry_after(value, NOW) - NOW <= timedelta(hours=24)


def test_a_source_that_was_interrupted_waits_as_its_host_asked():
    source = Source(id="a", name="A", kind="feed", url="https://a.example/feed")
    tally, gate = Tally(source, has_begun=True), HostGate()
    gate.close("a.example", NOW + timedelta(hours=3))
    report = SourceReport(id="a", outcome="unfinished")
    with Corpus.open(":memory:", create=True) as corpus:
        run = SimpleNamespace(gate=gate, number=corpus.start_run("crawl", NOW))
        close_source(corpus, run, report, tally, NOW, NOW)
        assert corpus.sources_due(["a"], NOW + timedelta(hours=2)) == []
        assert corpus.sources_due(["a"], NOW + timedelta(hours=4)) == ["a"]


def test_hosts_are_told_apart_by_port():
    assert host_key("http://127.0.0.1:8001/a") != host_key("http://127.0.0.1:8002/a")
    assert host_key("https://www.lab.test/a") == host_key("http://lab.test:80/b") == "lab.test"


@pytest.mark.fault("S04", "S07")
def test_what_scrapy_is_told_is_polite_and_closed():
    assert shipped.ROBOTSTXT_OBEY
    assert shipped.DOWNLOAD_DELAY >= 1
    assert shipped.CONCURRENT_REQUESTS_PER_DOMAIN == 1
    assert shipped.DOWNLOAD_VERIFY_CERTIFICATES
    assert not any((shipped.TELNETCONSOLE_ENABLED, shipped.REMOTE_CONTROL_ENABLED, shipped.COOKIES_ENABLED))
    assert {scheme for scheme, handler in shipped.DOWNLOAD_HANDLERS.items() if handler} == {"http", "https"}
    assert shipped.USER_AGENT.startswith("copydesk/")


@pytest.mark.fault("R05", "R10")
@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"]), st.integers(0, 3000))
def test_any_bytes_may_be_a_robots_txt(body, start, times):
    rules = rules_of(start + body * times)
    assert len(rules) <= 2 * ROBOTS_BYTES
    assert len(rules.splitlines()) <= ROBOTS_LINES
    Protego.parse(rules.decode("utf-8", "replace")).can_fetch("https://a.example/b", "copydesk")


@pytest.mark.parametrize(
    ("headers", "head", "said"),
    [
        ({}, "<meta name=robots content=noindex>", {"noindex"}),
        ({}, '<META CONTENT="noarchive,nofollow" NAME="Robots">', {"noarchive", "nofollow"}),
        ({}, "<meta name=googlebot content=noindex><meta name=description content=noindex>", set()),
        ({"X-Robots-Tag": ["noindex", "otherbot: noarchive"]}, "", {"noindex"}),
        ({"X-Robots-Tag": "COPYDESK: none"}, "", {"none", "noindex"}),
        ({}, "", set()),
    ],
)
def test_what_a_page_asks_of_those_who_keep_copies(headers, head, said):
    response = Response("https://a.example/", headers=headers, body=f"<html><head>{head}</head>".encode())
    assert marks_of(response) == said
