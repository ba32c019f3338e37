"""Crawls that are interrupted, killed or begun twice: the next one goes on, and nothing is lost."""

import os
import signal
import time

import pytest

from pipelines.lock import run_lock
from tests.desk import Desk
from tests.indexes import fill_list
from tests.site import Site

pytestmark = pytest.mark.crawl


def interrupt(desk, site, number):
    """Start a crawl, send it a signal once it has fetched a few pages, return what it said."""
    process = desk.start()
    deadline = time.monotonic() + 30
    while len(site.paths(200)) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    if number != signal.SIGKILL:  # a worker whose parent is killed has nobody to tell
        assert "Traceback" not in err, err
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
@pytest.mark.fault("P06")
def test_a_signal_ends_the_run_in_order_and_the_next_goes_on(tmp_path, number):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/p{n}", 400 + n, delay=0.1), f"Page {n}") for n in range(10)]
        desk.source("slow", site.feed("/feed.xml", links))
        code, out, _ = interrupt(desk, site, number)
        assert code == 130
        assert "interrupted" in out
        kept = desk.rows("select count(*) as n from articles")[0]["n"]
        assert 0 < kept < 10
        again = desk.crawl()
        assert again.returncode == 0, again.stderr
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 10
        pages = [path for path in site.paths(200) if path.startswith("/p")]
        assert len(pages) <= 11, "at most the page in hand is fetched twice"
        assert [row["exit_code"] for row in desk.rows("select exit_code from runs order by id")] == [130, 0]


def test_ctrl_c_does_not_wait_for_the_pauses_of_a_host(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/p{n}", 450 + n), f"Page {n}") for n in range(10)]
        desk.source("slow", site.feed("/feed.xml", links), delay_s=2.0)
        process = desk.start()
        while "/feed.xml" not in site.paths():
            time.sleep(0.02)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert time.monotonic() - start < 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["INT", "KILL"])
def test_a_listing_stopped_after_its_first_page_goes_on_with_the_second(tmp_path, number):
    desk = Desk(tmp_path)
    with Site() as site:
        url = fill_list(site)
        desk.source("list", url, kind="listing", url_pattern="/posts/", delay_s=5.0)
        process = desk.start()
        while not desk.database.exists() or not desk.rows("select 1 from sqlite_master where name = 'frontier'"):
            time.sleep(0.02)
        while not desk.rows("select 1 from frontier"):
            time.sleep(0.02)
        process.send_signal(number)
        process.communicate(timeout=30)
        assert site.paths() == ["/list"]
        desk.tables.clear()
        desk.source("list", url, kind="listing", url_pattern="/posts/")
        assert desk.crawl().returncode == 0
        assert site.paths(304) == ["/list"], "its first page is unchanged and names no other"
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 4


def test_a_page_of_a_listing_that_fails_is_read_next_time(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        desk.source("list", fill_list(site), kind="listing", url_pattern="/posts/")
        second = site.replies["/list?page=2"]
        site.reply("/list?page=2", status=500)
        desk.crawl()
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 2
        site.replies["/list?page=2"] = second
        desk.crawl("--force")
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 4
        assert desk.rows("select * from open_indexes") == []


@pytest.mark.fault("P04", "P05")
def test_a_killed_run_loses_nothing(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/p{n}", 500 + n, delay=0.05), f"Page {n}") for n in range(8)]
        desk.source("slow", site.feed("/feed.xml", links))
        code, _, _ = interrupt(desk, site, signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert desk.crawl().returncode == 0
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 8
        assert site.paths(304) == ["/feed.xml"], "the feed's entries came with its validators"


@pytest.mark.fault("P01", "P03")
def test_a_second_run_at_the_same_time_is_75(tmp_path):
    desk = Desk(tmp_path)
    desk.source("one", "https://one.invalid/feed", local=False)
    with run_lock(desk.database):
        done = desk.crawl()
    assert done.returncode == 75
    assert str(os.getpid()) in done.stderr
