"""Workers that share a frontier: no address lost, no host asked twice at once, whoever is killed when."""

import signal
import time

import pytest

from tests.frontier_site import Crew, Hosts
from tests.redis_server import needs_redis

pytestmark = needs_redis
kills = pytest.mark.cluster  # minutes of crawls that are killed

LEASE_S = 3  # so that a test need not wait a minute for a lease to run out


@pytest.fixture
def crew(redis, tmp_path):
    """Two workers among 200 pages behind four lists on five hosts."""
    with Hosts() as hosts:
        crew = Crew("ours", redis, hosts, tmp_path, lease_s=LEASE_S)
        crew.start("one")
        crew.start("two")
        try:
            yield crew
        finally:
            crew.end()


def left(redis):
    """What is in nobody's hands and still to be done, after the last worker has ended."""
    client = redis.client()
    return [
        key
        for key in client.keys("copydesk:lists:*")
        if key.split(b":")[2] in (b"queue", b"ready", b"leases", b"given_up", b"tries")
    ]


@kills
def test_nobody_is_killed(crew, redis):
    assert crew.finish() == (set(), 0)
    assert left(redis) == []
    assert crew.told == []


@kills
def test_a_worker_is_killed_and_comes_back(crew, redis):
    crew.until_items(60)
    crew.send("two", signal.SIGKILL)
    crew.start("two")
    lost, twice = crew.finish()
    assert lost == set()
    assert twice <= 5  # what it had in hand: one request a host
    assert left(redis) == []


def test_a_worker_is_killed_and_the_other_does_its_work(crew, redis):
    crew.until_items(60)
    crew.send("two", signal.SIGKILL)
    assert crew.finish()[0] == set()
    assert left(redis) == []


@kills
def test_the_only_worker_is_killed_while_the_lists_are_in_its_hands(redis, tmp_path):
    with Hosts(list_delay_s=1.0) as hosts:
        crew = Crew("ours", redis, hosts, tmp_path, lease_s=LEASE_S)
        crew.start("one")
        crew.until(lambda: redis.client().zcard("copydesk:lists:leases") == 4)
        crew.send("one", signal.SIGKILL)
        crew.start("one")
        assert crew.finish() == (set(), 0)


@kills
def test_a_worker_is_asked_to_stop(crew, redis):
    crew.until_items(60)
    crew.send("two", signal.SIGTERM)
    assert crew.finish() == (set(), 0)
    assert left(redis) == []


@kills
def test_all_are_asked_to_stop_and_later_go_on(crew, redis):
    crew.until_items(60)
    for name in ("one", "two"):
        crew.send(name, signal.SIGTERM)
    lost, _ = crew.finish()
    assert lost
    assert not redis.client().exists("copydesk:lists:leases")  # given back at once
    crew.start("three")
    assert crew.finish() == (set(), 0)


@kills
def test_a_worker_stops_longer_than_its_lease_and_goes_on(crew, redis):
    crew.until_items(60)
    crew.send("two", signal.SIGSTOP)
    time.sleep(LEASE_S + 1.5)
    crew.send("two", signal.SIGCONT)
    lost, twice = crew.finish()
    assert lost == set()
    assert twice <= 5
    assert left(redis) == []


@kills
@pytest.mark.parametrize("count", [5, 80])
def test_redis_is_killed_and_comes_back(crew, redis, count):
    """While the first pages come, so that lists are in hand; and in the middle."""
    crew.until_items(count)
    redis.kill()
    time.sleep(2)
    redis.start()
    lost, twice = crew.finish()
    assert lost == set()
    assert twice <= 10
    assert left(redis) == []
    assert any("waiting, nothing is lost" in line for line in crew.told)
    assert not any("Traceback" in line for line in crew.told)


@kills
def test_redis_and_a_worker_are_killed_together(crew, redis):
    crew.until_items(60)
    redis.kill()
    crew.send("one", signal.SIGKILL)
    time.sleep(1)
    redis.start()
    crew.start("one")
    assert crew.finish()[0] == set()
    assert left(redis) == []


@kills
def test_a_worker_can_be_stopped_while_redis_is_away(crew, redis):
    crew.until_items(60)
    redis.kill()
    began = time.monotonic()
    crew.send("two", signal.SIGTERM)
    crew.workers["two"].wait(timeout=20)
    assert time.monotonic() - began < 15
    redis.start()
    assert crew.finish()[0] == set()


@kills
def test_a_host_is_asked_one_thing_at_a_time_whoever_asks(redis, tmp_path):
    """Two workers, half a second between two requests to a host: neither comes in the other's pause."""
    with Hosts(hosts=3, lists=1, pages=24, delay_s=0.02) as hosts:
        crew = Crew("ours", redis, hosts, tmp_path, delay_s=0.5)
        crew.start("one")
        crew.start("two")
        assert crew.finish() == (set(), 0)
    for host, gaps in hosts.gaps().items():
        assert len(gaps) >= 7
        assert gaps[0] >= 0.45, host


@kills
def test_a_slow_host_keeps_no_other_waiting(redis, tmp_path):
    with Hosts(hosts=4, lists=1, pages=40, delay_s=0.02) as hosts:
        slow, (port,) = "127.0.0.1", {server.server_address[1] for server in hosts.servers}
        redis.client().zadd("copydesk:busy", {f"{slow}:{port}": time.time() + 8})  # it wants to be left alone
        hosts.lists = [f"{hosts.bases[1]}/list/0"]
        crew = Crew("ours", redis, hosts, tmp_path)
        crew.start("one")
        crew.until_items(30)  # the others' pages
        assert not any(host.startswith(f"{slow}:") for host, *_ in hosts.asked)
        assert crew.finish() == (set(), 0)


@kills
def test_each_shard_is_done_by_its_worker_and_another_gets_none_of_it(redis, tmp_path):
    with Hosts() as hosts:
        crew = Crew("ours", redis, hosts, tmp_path, lease_s=LEASE_S, shards=2)
        crew.start("one", shard=1)
        crew.start("two", shard=2)
        crew.until_items(60)
        crew.send("two", signal.SIGKILL)
        crew.start("two", shard=2)
        assert crew.finish()[0] == set()
        assert left(redis) == []
