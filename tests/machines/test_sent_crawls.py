"""Crawls that send their pages to the writer: the same there as here, and Redis may go away."""

import signal
import time

import pytest

from tests.desk import Desk
from tests.machines.sending import Desktop
from tests.redis_server import needs_redis
from tests.site import Site


@needs_redis
@pytest.mark.crawl
def test_pages_of_a_crawl_reach_the_writer_and_are_the_same_there(tmp_path, redis):
    with Site() as site:
        desk = Desk(tmp_path)
        links = [(site.page(f"/{number}", number), f"Story {number}") for number in range(6)]
        desk.source("alpha", site.feed("/feed", links))
        done = desk.crawl("--to", redis.url)
        assert (done.returncode, done.stderr) == (0, "")
    central = Desktop(tmp_path / "central", redis)
    code, said, _ = central.drain()
    assert (code, said["new"]) == (0, 6)
    sql = "select url, text, title, published, text_hash from articles order by url"
    here = desk.rows(sql)
    desk.database = central.database
    assert desk.rows(sql) == here
    assert len(desk.rows("select * from fetches")) == 6  # pages; what the crawl asked of indexes stays with it


@needs_redis
@pytest.mark.cluster
@pytest.mark.crawl
def test_a_crawl_waits_for_redis_and_sends_all(tmp_path, redis):
    with Site() as site:
        desk = Desk(tmp_path)
        links = [(site.page(f"/{number}", number, delay=0.2), f"Story {number}") for number in range(8)]
        desk.source("alpha", site.feed("/feed", links))
        process = desk.start("--to", redis.url)
        while not site.paths():
            time.sleep(0.02)
        redis.kill()
        assert "waiting, nothing is lost" in process.stderr.readline()
        redis.start()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert redis.client().xlen("copydesk:pages") == 8


@needs_redis
@pytest.mark.cluster
@pytest.mark.crawl
def test_a_crawl_that_ends_before_redis_is_back_keeps_its_pages_due(tmp_path, redis):
    with Site() as site:
        desk = Desk(tmp_path)
        desk.source("alpha", site.feed("/feed", [(site.page("/1", 1, delay=0.5), "One")]))
        process = desk.start("--to", redis.url)
        while "/feed" not in site.paths():
            time.sleep(0.02)
        redis.kill()
        assert "waiting" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert desk.rows("select * from articles") == []
        redis.start()
        assert desk.crawl("--to", redis.url, "--force").returncode == 0
    assert redis.client().xlen("copydesk:pages") == 1
    assert len(desk.rows("select * from articles")) == 1


@needs_redis
def test_a_redis_that_is_not_there_is_one_line_before_anything_is_asked(tmp_path, redis):
    redis.kill()
    with Site() as site:
        desk = Desk(tmp_path)
        desk.source("alpha", site.feed("/feed", []))
        for flag in ("--to", "--frontier"):
            done = desk.crawl(flag, redis.url)
            assert done.returncode == 2
            assert len(done.stderr.splitlines()) == 1
            assert "away" in done.stderr
        assert site.requests == []
