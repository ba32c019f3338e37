"""The one writer: promises are kept after the commit, a failing work loses only itself."""

import sqlite3
import time

import pytest

from pipelines.config import Config
from pipelines.errors import StorageError
from pipelines.records import Rejection
from pipelines.store import Corpus
from pipelines.writer import GATHER_SECONDS, Writer
from tests.helpers import NOW


def reject(url):
    return lambda corpus: corpus.reject(Rejection(url=url, stage="clean", reason="too_short"), None, NOW)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "corpus.db"


def test_a_kept_promise_is_on_disk(path):
    writer = Writer(path, Config())
    writer.do(reject("https://a.example/1")).result(10)
    with Corpus.open(path, Config(), read_only=True) as reader:  # another connection sees it: it is committed
        assert len(reader.rejections()) == 1
    writer.close()


@pytest.mark.fault("D19")
def test_a_work_that_raises_loses_only_itself(path):
    writer = Writer(path, Config())

    def breaks(corpus):
        reject("https://a.example/half")(corpus)
        raise ValueError("no")

    futures = [writer.do(reject("https://a.example/1")), writer.do(breaks), writer.do(reject("https://a.example/2"))]
    futures[0].result(10)
    futures[2].result(10)
    with pytest.raises(ValueError, match="no"):
        futures[1].result(10)
    assert {row["url"] for row in writer.ask(lambda corpus: corpus.rejections()).result(10)} == {
        "https://a.example/1",
        "https://a.example/2",
    }
    writer.close()


def test_many_works_are_few_commits(path):
    writer = Writer(path, Config())
    for future in [writer.do(reject(f"https://a.example/{number}")) for number in range(250)]:
        future.result(20)
    assert len(writer.ask(lambda corpus: corpus.rejections(limit=1000)).result(10)) == 250
    writer.close()


@pytest.mark.fault("D09")
def test_works_that_trickle_in_do_not_keep_the_first_one_waiting(path):
    writer = Writer(path, Config())
    first = writer.do(reject("https://a.example/1"))
    end = time.monotonic() + 5
    while not first.done() and time.monotonic() < end:
        writer.ask(lambda corpus: corpus.rejections()).result(10)
        time.sleep(GATHER_SECONDS / 10)
    assert time.monotonic() < end - 3
    writer.close()


def test_works_asked_for_before_closing_are_done(path):
    writer = Writer(path, Config())
    future = writer.do(reject("https://a.example/1"))
    writer.close()
    future.result(0)
    with pytest.raises(RuntimeError):
        writer.do(reject("https://a.example/2"))


def test_opening_errors_reach_whoever_wants_to_write(path):
    path.write_text("this is no database", "utf-8")
    with pytest.raises(StorageError):
        Writer(path, Config())
    assert path.read_text("utf-8") == "this is no database"


def test_a_database_taken_away_is_told_to_every_work(path):
    writer = Writer(path, Config())

    def breaks_the_connection(corpus):
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(sqlite3.OperationalError):
        writer.do(breaks_the_connection).result(10)
    writer.do(reject("https://a.example/1")).result(10)
    writer.close()


def test_work_is_done_although_who_asked_for_it_gave_up(path):
    writer = Writer(path, Config())
    given_up = writer.do(reject("https://a.example/1"))
    given_up.cancel()  # what a stopped crawl does to everything it still waits for
    writer.do(reject("https://a.example/2")).result(10)
    writer.close()
    with Corpus.open(path, Config(), read_only=True) as reader:
        assert len(reader.rejections()) == 2
