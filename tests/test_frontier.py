"""The frontier that several workers share: no address lost, no host asked twice at once, whoever is killed when."""

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.records import Due, Hint
from tests.desk import Desk
from tests.frontier_site import Crew, Hosts
from tests.helpers import NOW
from tests.redis_server import RedisServer, needs_redis
from tests.site import Site

pytestmark = needs_redis
kills = pytest.mark.cluster  # minutes of crawls that are killed

LEASE_S = 3  # so that a test need not wait a minute for a lease to run out


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path / "redis") as server:
        yield server


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


def test_a_request_that_ends_its_workers_is_put_aside_and_told(redis):
    """Taken back six times over: it is kept, and in nobody's way."""
    from crawler.cluster import scripts

    client = redis.client()

    def ask(script, *arguments):
        return client.eval(script, 0, "copydesk:lists", *arguments)

    ask(scripts.PUSH, 1, "host", b"letter\n\x00", 0, "")
    for _ in range(6):
        client.delete("copydesk:busy")
        member = ask(scripts.POP, 1, 0, "copydesk:busy")
        assert member == b"1\nhost\nletter\n\x00"
        time.sleep(0.06)
        found = ask(scripts.BEAT, 60, 5, "copydesk:busy")
    assert found == [0, 1]
    assert client.zrange("copydesk:lists:given_up", 0, -1) == [member]
    assert ask(scripts.PENDING, 1, 60, "copydesk:busy") == 0


STEPS = st.lists(st.sampled_from(["push", "again", "pop", "done", "back", "expire"]), max_size=40)


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@settings(deadline=None)  # Redis is another process
@given(steps=STEPS)
def test_whatever_happens_a_request_is_waiting_in_hand_or_done(shared_redis, steps):
    from crawler.cluster import scripts

    client, prefix = shared_redis.client(), "copydesk:model"
    client.flushall()
    pushed, held, done = [], [], set()

    def ask(script, *arguments):
        return client.eval(script, 0, prefix, *arguments)

    for step in steps:
        client.delete("copydesk:busy")
        if step == "push":
            letter = b"%d" % len(pushed)
            pushed.append(letter)
            assert ask(scripts.PUSH, 1, b"host-%d" % (len(pushed) % 3), letter, 0, letter) == 1
        elif step == "again" and pushed:
            assert ask(scripts.PUSH, 1, b"host-0", pushed[0], 0, pushed[0]) == 0
        elif step == "pop":
            for host in range(3):
                client.zadd(f"{prefix}:ready:1", {f"host-{host}": 0}, xx=True)
            if member := ask(scripts.POP, 1, 60, "copydesk:busy"):
                held.append(member)
        elif step == "done" and held:
            member = held.pop()
            ask(scripts.DONE, member, 0, "copydesk:busy")
            done.add(member.split(b"\n", 2)[2])
        elif step == "back" and held:
            ask(scripts.GIVE_BACK, held.pop(0), 0, "copydesk:busy")
        elif step == "expire" and held:
            client.zadd(f"{prefix}:leases", {held.pop(0): 1})
            ask(scripts.BEAT, 60, 50, "copydesk:busy")
        waiting = {letter for host in range(3) for letter in client.zrange(f"{prefix}:queue:host-{host}", 0, -1)}
        leased = {member.split(b"\n", 2)[2] for member in client.zrange(f"{prefix}:leases", 0, -1)}
        assert waiting | leased | done == set(pushed)
        assert len(waiting) + len(leased) + len(done) == len(pushed)
        assert (ask(scripts.PENDING, 1, 60, "copydesk:busy") > 0) == bool(waiting or leased)


@settings(deadline=None)  # the first call imports Scrapy
@given(
    st.text(max_size=20),
    st.dictionaries(
        st.text(max_size=5), st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.none(), max_size=3
    ),
)
def test_a_request_comes_out_as_it_went_in(title, meta):
    from crawler.cluster.letters import dumps, loads, opened
    from crawler.sources import Source
    from crawler.spiders.base import Visit

    title = title.encode("utf-8", "replace").decode()
    source = Source(id="alpha", name="Alpha", kind="feed", url="https://a.example/feed")
    due = Due(
        url="https://a.example/1", source="alpha", hint=Hint(title=title, published=NOW), is_revisit=True, etag='"é"'
    )
    for arguments in ({"visit": Visit(source, "https://a.example/feed", 2)}, {"source": source, "due": due}, {}):
        headers = {b"If-None-Match": [b'"\xe9"']}
        request = {"url": "https://a.example/", "headers": headers, "meta": {"alpha": meta}, "cb_kwargs": arguments}
        assert opened(loads(dumps(request)), {"alpha": source}) == request


@settings(deadline=None)  # the first call imports
@given(st.binary(max_size=80))
def test_bytes_that_are_no_request_are_told_as_that(junk):
    from crawler.cluster.letters import UnreadableError, loads

    with pytest.raises(UnreadableError):
        loads(junk)


def test_a_letter_can_name_no_class_and_no_callback_but_ours():
    from crawler.cluster.letters import UnreadableError, dumps, loads, opened

    letter = {"url": "https://a.example/", "cb_kwargs": {}, "_class": "subprocess.Popen", "callback": "closed"}
    found = loads(dumps(letter))
    assert "_class" not in found
    with pytest.raises(UnreadableError, match="closed"):
        opened(found, {"alpha": None})


@pytest.mark.crawl
def test_junk_in_the_queue_is_put_aside_and_told_and_stops_nobody(newsroom, redis):
    from crawler.cluster import scripts

    host = newsroom.sites[0].base.removeprefix("http://")
    for junk in (b"junk", b"\x81\xa3url\xa1x"):
        redis.client().eval(scripts.PUSH, 0, "copydesk:feed", 1, host, junk, 0, "")
    ((code, report, said),) = ended(crawls(newsroom, redis, "one")).values()
    assert code == 0, report
    assert len(said.splitlines()) == 2
    assert "cannot be read" in said
    assert redis.client().zcard("copydesk:feed:given_up") == 2
    assert merged(newsroom, "one") == newsroom.wanted


def test_a_source_that_is_not_in_the_list_is_none():
    from crawler.cluster.letters import UnknownSourceError, opened

    with pytest.raises(UnknownSourceError, match="stranger"):
        opened({"cb_kwargs": {"visit": ["stranger", "https://a.example/", 0]}}, {})


# the whole crawl


def crawls(desk, redis, *names, words=()):
    return {
        name: desk.start("--frontier", redis.url, "--db", str(desk.folder / f"{name}.db"), "--json", *words)
        for name in names
    }


def ended(processes):
    reports = {}
    for name, process in processes.items():
        out, err = process.communicate(timeout=90)
        assert "Traceback" not in err, err
        reports[name] = process.returncode, json.loads(out) if out else {}, err
    return reports


def merged(desk, *names):
    present = [f"{name}.db" for name in names if (desk.folder / f"{name}.db").exists()]
    done = subprocess.run(
        [sys.executable, "-m", "crawler", "merge", *present, "--db", "all.db"],
        cwd=desk.folder,
        env=desk.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    desk.database = desk.folder / "all.db"
    return desk.kept()


@pytest.fixture
def newsroom(tmp_path):
    """Three feeds on three hosts, whose pages take their time."""
    with Site() as one, Site() as other, Site() as third:
        desk = Desk(tmp_path)
        sites = (one, other, third)
        for number, site in enumerate(sites):
            links = [(site.page(f"/{number}-{k}", 10 * number + k, delay=0.15), f"Story {k}") for k in range(8)]
            desk.source(f"source-{number}", site.feed("/feed", links))
        desk.sites = sites
        desk.wanted = {f"{number}-{k}" for number in range(3) for k in range(8)}
        yield desk


@pytest.mark.crawl
def test_two_crawls_share_the_work_and_no_page_is_asked_for_twice(newsroom, redis):
    reports = ended(crawls(newsroom, redis, "one", "two"))
    assert [report[0] for report in reports.values()] == [0, 0], reports
    assert merged(newsroom, "one", "two") == newsroom.wanted
    for site in newsroom.sites:
        pages = [path for path in site.paths() if path != "/feed"]
        assert len(pages) == len(set(pages)) == 8
    shares = [sum(source["new"] for source in report[1]["sources"]) for report in reports.values()]
    assert sum(shares) == 24
    assert min(shares) > 0


@kills
@pytest.mark.crawl
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_crawl_that_is_ended_loses_nothing(newsroom, redis, number):
    processes = crawls(newsroom, redis, "one", "two")
    while sum(len(site.paths()) for site in newsroom.sites) < 10:
        time.sleep(0.02)
    processes["two"].send_signal(number)
    processes.pop("two").communicate(timeout=60)
    if number == signal.SIGKILL:  # or the other one would wait a minute for its leases
        client = redis.client()
        for key in client.keys("copydesk:*:leases"):
            for member in client.zrange(key, 0, -1):
                client.zadd(key, {member: time.time() + 3}, xx=True, lt=True)
        for host in client.zrange("copydesk:busy", 0, -1):
            client.zadd("copydesk:busy", {host: time.time() + 3}, xx=True, lt=True)
    ended(processes)
    ended(crawls(newsroom, redis, "two", words=("--force",)))
    assert merged(newsroom, "one", "two") == newsroom.wanted
    assert len(newsroom.rows("select url from articles")) == 24


@kills
@pytest.mark.crawl
def test_two_crawls_keep_the_pause_of_a_host_together(redis, tmp_path):
    with Site() as site:
        desk = Desk(tmp_path)
        links = [(site.page(f"/{k}", k), f"Story {k}") for k in range(12)]
        desk.source("alpha", site.feed("/feed", links), delay_s=0.5)
        reports = ended(crawls(desk, redis, "one", "two"))
    assert {report[0] for report in reports.values()} == {0}, reports
    assert merged(desk, "one", "two") == {str(k) for k in range(12)}
    seen = sorted((one for one in site.requests if one.path != "/robots.txt"), key=lambda one: one.start)
    assert min(after.start - before.end for before, after in pairwise(seen)) > 0.45


@kills
@pytest.mark.crawl
def test_shards_share_a_frontier_and_each_reads_its_own_indexes(newsroom, redis):
    processes = {
        name: newsroom.start(
            "--frontier", redis.url, "--db", str(newsroom.folder / f"{name}.db"), "--json", "--shard", shard
        )
        for name, shard in (("one", "1/2"), ("two", "2/2"))
    }
    reports = ended(processes)
    assert {report[0] for report in reports.values()} == {0}, reports
    assert merged(newsroom, "one", "two") == newsroom.wanted
    again = ended(
        {"one": newsroom.start("--frontier", redis.url, "--db", str(newsroom.folder / "one.db"), "--shard", "1/3")}
    )
    code, _, said = again["one"]
    assert (code, len(said.splitlines())) == (2, 1)
    assert "2 shards" in said


@kills
@pytest.mark.crawl
def test_a_second_run_asks_for_what_is_new_only(newsroom, redis):
    ended(crawls(newsroom, redis, "one"))
    site = newsroom.sites[0]
    links = [(site.page(f"/0-{k}", k, delay=0.0), f"Story {k}") for k in range(9)]
    site.feed("/feed", links, etag='"other"')
    for one in newsroom.sites:
        one.forget()
    ended(crawls(newsroom, redis, "one", words=("--force",)))
    assert [path for path in site.paths() if path != "/feed"] == ["/0-8"]
    assert [path for one in newsroom.sites[1:] for path in one.paths()] == ["/feed", "/feed"]
    assert merged(newsroom, "one") == newsroom.wanted | {"0-8"}
