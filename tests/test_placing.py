"""The candidate index by weeks: nothing inside the window is missed, and an article stands under its own week only."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config import Config, DedupConfig
from pipelines.records import Placement
from pipelines.store import Corpus
from pipelines.store.placing import LAST_WEEK, MAX_WEEKS, week_of
from pipelines.store.values import pack, unpack
from tests.helpers import NOW
from tests.storing import hours, make_article

ORIGINAL = Placement(relation="original")
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds have no zone here


@pytest.fixture
def corpus():
    with Corpus.open(":memory:", Config(), create=True) as opened:
        yield opened


def found(corpus, published, **more):
    article = make_article("https://new.example/1", "other words", published=published, **more)
    return {candidate.id for candidate in corpus.candidates(article)}


@given(st.lists(st.integers(0, 2**35 - 1)))
def test_fingerprints_come_back_as_they_were(values):
    assert unpack(pack(values)) == tuple(sorted(set(values)))
    assert len(pack(values)) == 5 * len(set(values))


@given(TIMES, TIMES)
def test_a_later_time_has_no_earlier_week(one, other):
    assert (week_of(one) <= week_of(other)) or one > other
    assert 1 <= week_of(one) <= LAST_WEEK
    assert week_of(None) == 0


@given(TIMES, st.lists(st.none() | TIMES, max_size=4), st.sampled_from([0, 1, 14, 60, 4000, 10**6]))
@settings(max_examples=40, deadline=None)
def test_all_of_the_window_and_all_undated_ones_are_found(published, others, days):
    with Corpus.open(":memory:", Config(dedup=DedupConfig(window_days=days)), create=True) as corpus:
        for number, other in enumerate(others):
            corpus.keep(make_article(f"https://a.example/{number}", f"words {number}", published=other), ORIGINAL)
        expected = {
            number
            for number, other in enumerate(others, 1)
            if other is None or abs(other - published) <= timedelta(days=days)
        }
        assert found(corpus, published) == expected
        assert found(corpus, None) == set(range(1, len(others) + 1))
        assert corpus.check() == []


def test_an_undated_article_is_looked_for_in_the_latest_weeks_only(corpus):
    with corpus.transaction():
        for week in range(MAX_WEEKS + 10):
            article = make_article(
                f"https://a.example/{week}",
                f"words {week}",
                published=NOW - timedelta(weeks=week),
                prints=(week, 900, 901),
            )
            corpus.keep(article, ORIGINAL)
    assert found(corpus, None, prints=(0, 900, 901)) >= {1}
    assert found(corpus, None, prints=(MAX_WEEKS - 1, 900, 901)) >= {MAX_WEEKS}
    assert MAX_WEEKS + 5 not in found(corpus, None, prints=(MAX_WEEKS + 4, 900, 901))


def test_a_better_date_moves_an_article_to_its_week(corpus):
    corpus.keep(make_article(published=None), ORIGINAL)
    corpus.revise(corpus.known("https://a.example/1"), make_article(published=NOW - hours(24 * 60)))
    assert found(corpus, NOW) == set()
    assert found(corpus, NOW - hours(24 * 65)) == {1}
    assert corpus._value("SELECT count(*) FROM bands") == 4
    corpus.revise(corpus.known("https://a.example/1"), make_article(published=None))
    assert found(corpus, NOW - hours(24 * 65)) == {1}
    assert corpus.check() == []


def test_a_row_under_a_wrong_week_is_seen_and_mended(corpus):
    corpus.keep(make_article(), ORIGINAL)
    corpus._run("UPDATE bands SET fingerprint = fingerprint + (1 << 35) WHERE fingerprint & 1023 = 11")
    assert ["another week" in problem.what for problem in corpus.check()] == [True]
    corpus.mend()
    assert corpus.check() == []
    assert found(corpus, NOW) == {1}


def test_a_new_article_costs_few_statements(corpus):
    statements = []
    corpus._connection.set_trace_callback(statements.append)
    corpus.keep(make_article(), ORIGINAL)
    assert sum("INTO bands" in statement for statement in statements) == 1
    assert not any("DELETE FROM bands" in statement for statement in statements)


def test_an_older_index_is_brought_under_weeks(tmp_path):
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        old.executescript((Path(__file__).parent / "databases" / "schema1.sql").read_text("utf-8"))
        ((published,),) = old.execute("SELECT published FROM articles").fetchall()
        old.execute("UPDATE bands SET fingerprint = fingerprint | (5 << 40)")
        prints = b"".join((value | 5 << 40).to_bytes(8, "little") for value in (11, 22, 33, 44))
        old.execute("UPDATE signatures SET fingerprints = ?", (prints,))
        old.commit()
    with Corpus.open(path) as corpus:
        assert corpus.check() == []
        assert found(corpus, datetime.fromisoformat(published)) == {1}
        assert found(corpus, datetime.fromisoformat(published) + timedelta(days=40)) == set()
        assert unpack(corpus._value("SELECT fingerprints FROM signatures")) == (11, 22, 33, 44)


def test_a_block_left_out_of_many_pages_is_stored_once_and_counted(corpus):
    for number in range(3):
        removed = ("Share this story", "Share this story", f"Only here {number}")
        corpus.keep(make_article(f"https://a.example/{number}", f"words {number}", removed=removed), ORIGINAL)
    assert corpus._value("SELECT count(*) FROM blocks") == 4
    (row,) = corpus.repeated_blocks()
    assert (row["pages"], row["kind"], row["text"]) == (3, "share", "Share this story")
    assert [block["text"] for block in corpus.removed(2)] == ["Share this story", "Share this story", "Only here 1"]


def test_a_reason_given_for_many_blocks_is_stored_once_and_a_lost_one_is_seen(corpus):
    for number in range(3):
        removed = (f"Share this {number}", f"And that {number}")
        corpus.keep(make_article(f"https://a.example/{number}", f"words {number}", removed=removed), ORIGINAL)
    assert corpus._value("SELECT count(*) FROM fates") == 1
    assert {(row["kind"], row["reason"], row["evidence"]) for row in corpus.removed(2)} == {
        ("share", "share buttons", "container")
    }
    assert corpus.stats()["removed"] == {"share": 6}
    corpus._run("DELETE FROM fates")
    assert ["reason or text is missing" in problem.what for problem in corpus.check()] == [True]
