"""Whole crawls that share a frontier: each page once, every pause kept, nothing lost."""

import json
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from tests.desk import Desk
from tests.redis_server import needs_redis
from tests.site import Site

pytestmark = needs_redis
kills = pytest.mark.cluster  # minutes of crawls that are killed


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
    """Three feeds on three hosts that want a pause between requests: nobody can take all of them at once."""
    with Site() as one, Site() as other, Site() as third:
        desk = Desk(tmp_path)
        sites = (one, other, third)
        for number, site in enumerate(sites):
            links = [(site.page(f"/{number}-{k}", 10 * number + k), f"Story {k}") for k in range(8)]
            desk.source(f"source-{number}", site.feed("/feed", links), delay_s=0.6)
        desk.sites = sites
        desk.wanted = {f"{number}-{k}" for number in range(3) for k in range(8)}
        yield desk


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
