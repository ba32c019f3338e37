"""Worker processes: a page may hang or kill its worker, and costs nobody but itself."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.config import Config, CrawlConfig, changed
from pipelines.errors import CopydeskError
from pipelines.parcels import article_bytes, article_of
from pipelines.records import Article, Page, Rejection
from pipelines.workers import MEMORY_BYTES, ORPHAN_SECONDS, LostTaskError, Workers, serve
from tests.helpers import NOW
from tests.storing import make_article

PARAGRAPH = "<p>The institute tested seven models for a week and found that four of them tried to keep their weights from being changed, report {}.</p>"
GOOD = (
    "<html><head><title>Seven models tested</title></head><body><article><h1>Seven models tested</h1>"
    + "".join(map(PARAGRAPH.format, range(6)))
    + "</article></body></html>"
)
HANGS = (
    "<html><body><p " + " ".join(f"a{number}=1" for number in range(60_000)) + ">x</p></body></html>"
)  # quadratic in libxml2


def page(body, name="a"):
    return Page(url=f"https://news.example/{name}", body=body.encode(), fetched=NOW)


@pytest.fixture
def workers():
    pool = Workers(changed(Config(), crawl=CrawlConfig(page_seconds=5)), count=1)
    yield pool
    pool.close()


def test_a_good_page_becomes_an_article_and_teaches_its_site(workers):
    prepared = workers.prepare(page(GOOD)).result(60)
    assert isinstance(prepared.outcome, Article)
    assert prepared.outcome.text.count("The institute tested") == 6
    assert prepared.learned


def test_a_page_that_hangs_the_parser_is_cut_off_and_the_next_one_works(workers):
    workers.prepare(page(GOOD)).result(60)
    begun = time.monotonic()
    prepared = workers.prepare(page(HANGS)).result(60)
    assert isinstance(prepared.outcome, Rejection)
    assert (prepared.outcome.stage, prepared.outcome.reason) == ("extract", "parse_timeout")
    assert time.monotonic() - begun < 30  # one try, not the parser's own half minute
    assert isinstance(workers.prepare(page(GOOD)).result(60).outcome, Article)


def test_a_killed_worker_is_replaced_and_its_page_tried_again(workers):
    workers.prepare(page(GOOD)).result(60)
    os.kill(workers._workers[0]._process.pid, signal.SIGKILL)
    assert isinstance(workers.prepare(page(GOOD)).result(60).outcome, Article)


def test_a_page_that_kills_its_worker_twice_is_a_rejection(workers):
    with pytest.raises(LostTaskError) as lost:
        workers.call(os.abort).result(60)
    assert lost.value.lost.reason == "parser_killed"
    assert isinstance(workers.prepare(page(GOOD)).result(60).outcome, Article)


@pytest.mark.fault("P14")
def test_a_page_that_wants_all_memory_is_a_rejection_and_the_next_one_works(workers):
    with pytest.raises(LostTaskError) as lost:
        workers.call(bytearray, MEMORY_BYTES).result(60)
    assert lost.value.lost.reason == "parser_memory"
    assert workers.call(len, "next").result(60) == 4


def test_a_worker_that_cannot_be_started_costs_no_page():
    """It is told as what it is, and the page stays due: the fault is not the page's."""
    with (
        contextlib.closing(Workers(Config(), count=1, modules=("no_such_module",))) as workers,
        pytest.raises(CopydeskError, match="worker process: did not start"),
    ):
        workers.prepare(page(GOOD)).result(60)


@pytest.mark.fault("P02")
def test_an_orphan_ends_itself():
    """A worker that hangs when the run is killed has nobody to end it."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("forkserver").Process(target=serve, args=(theirs, ()))
    process.start()
    assert ours.recv() == "ready"
    ours.send((time.sleep, (60,), 0.5 - ORPHAN_SECONDS))
    process.join(30)
    assert process.exitcode == -signal.SIGALRM


def test_whatever_the_bytes_the_answer_is_a_record(workers):
    for body in ("", "\x00\x01", "<html>", "<p>short</p>"):
        assert isinstance(workers.prepare(page(body)).result(60).outcome, Rejection)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux only")
def test_ctrl_c_at_the_first_page_costs_no_page():
    """A terminal sends it to every process of the group, also to the one that is still importing."""
    code = (
        "from pathlib import Path; from pipelines.workers import start_forkserver\n"
        "from multiprocessing import forkserver\n"
        "start_forkserver(); pid = forkserver._forkserver._forkserver_pid\n"
        "print([l for l in Path(f'/proc/{pid}/status').read_text().splitlines() if l.startswith('SigBlk')][0].split()[1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout, 16) & 1 << (signal.SIGINT - 1)


def test_an_article_travels_as_bytes_or_not_at_all():
    article = make_article()
    assert article_of(article_bytes(article)) == article
    assert article_bytes(replace(article, text="half \ud83d")) is None
