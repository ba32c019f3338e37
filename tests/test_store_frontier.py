"""Frontier, fetches, validators, runs: nothing due is lost, nothing is asked for too often."""

import json

import pytest

from pipelines.errors import StorageError
from pipelines.records import Entry, Fetch, Hint, Placement, Rejection
from pipelines.store import Corpus, frontier
from tests.helpers import NOW
from tests.storing import hours, make_article

URL = "https://a.example/1"
ORIGINAL = Placement(relation="original")


@pytest.fixture
def corpus():
    with Corpus.open(":memory:", create=True) as opened:
        yield opened


def fetch(url=URL, status=200, time=NOW, kind="page", **more):
    return Fetch(url=url, source="alpha", kind=kind, time=time, status=status, **more)


def offer(corpus, *urls, now=NOW, **more):
    return corpus.offer("alpha", [Entry(url=url, **more) for url in urls], now)


def due(corpus, now=NOW, limit=100):
    return [item.url for item in corpus.due("alpha", now, limit)]


def test_an_address_is_new_once_and_due_until_it_is_settled(corpus):
    assert offer(corpus, URL, URL, "https://a.example/2") == 2
    assert offer(corpus, URL) == 0
    assert len(due(corpus)) == 2
    assert len(due(corpus)) == 2  # asking settles nothing
    corpus.reject(Rejection(url=URL, stage="clean", reason="wall"), None, NOW)
    corpus.fetched(fetch())
    assert due(corpus) == ["https://a.example/2"]
    assert corpus.due("beta", NOW, 10) == []
    assert corpus.waiting("alpha", NOW) == 1


def test_the_hint_comes_back_and_new_addresses_come_before_revisits(corpus):
    hint = Hint(title="제목", published=NOW - hours(2), summary="s\ud800")
    offer(corpus, URL, hint=hint)
    assert corpus.due("alpha", NOW, 1)[0].hint == hint
    corpus.keep(make_article(), ORIGINAL)
    corpus.fetched(fetch(etag='W/"1"', last_modified="Sat, 21 Nov 2026 08:00:00 GMT"))
    later = NOW + hours(7)
    offer(corpus, "https://a.example/old", now=later, hint=Hint(published=NOW - hours(50)))
    offer(corpus, "https://a.example/undated", now=later)
    offer(corpus, "https://a.example/new", now=later, hint=Hint(published=NOW))
    found = corpus.due("alpha", later, 10)
    assert [item.url.rpartition("/")[2] for item in found] == ["new", "old", "undated", "1"]
    assert (found[-1].is_revisit, found[-1].etag, found[-1].last_modified) == (
        True,
        'W/"1"',
        "Sat, 21 Nov 2026 08:00:00 GMT",
    )
    assert not found[0].is_revisit
    assert due(corpus, later, 2) == ["https://a.example/new", "https://a.example/old"]


def test_an_article_is_visited_again_early_then_less_then_never(corpus):
    offer(corpus, URL)
    corpus.keep(make_article(), ORIGINAL)
    visits, now = [], NOW
    for _ in range(24 * 20):
        if due(corpus, now):
            corpus.fetched(fetch(time=now, status=200 if now == NOW else 304))
            visits.append((now - NOW) / hours(1))
        now += hours(1)
    assert visits == [0, *(age / hours(1) for age in frontier.REVISIT_AFTER)]
    assert corpus.frontier_row(URL)["ended"] == "revisited"


def test_an_old_article_and_a_rejected_page_are_left_alone(corpus):
    offer(corpus, URL, "https://a.example/2")
    corpus.keep(make_article(published=NOW - hours(24 * 8)), ORIGINAL)
    corpus.fetched(fetch())
    corpus.fetched(fetch("https://a.example/2"))
    assert due(corpus, NOW + hours(23)) == []
    assert due(corpus, NOW + hours(25)) == ["https://a.example/2"]  # once more
    corpus.fetched(fetch("https://a.example/2", time=NOW + hours(25)))
    assert due(corpus, NOW + hours(24 * 100)) == []


def test_failures_are_tried_again_ever_later_and_given_up(corpus):
    offer(corpus, URL)
    waits, now = [], NOW
    while due(corpus, now):
        corpus.fetched(fetch(time=now, status=0, error="timeout"))
        start = now
        while not due(corpus, now) and now - start < hours(100):
            now += hours(1)
        waits.append((now - start) / hours(1))
    assert waits == [1, 2, 4, 8, 16, 24, 24, 24, 24, 100]
    assert corpus.frontier_row(URL)["ended"] == "gave_up"


def test_a_success_clears_the_failures(corpus):
    offer(corpus, URL)
    corpus.fetched(fetch(status=503))
    corpus.fetched(fetch(time=NOW + hours(1)))
    assert corpus.frontier_row(URL)["failures"] == 0


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_not_asked_for_again(corpus, status):
    offer(corpus, URL)
    corpus.fetched(fetch(status=status))
    assert due(corpus, NOW + hours(10_000)) == []
    assert offer(corpus, URL, now=NOW + hours(1), modified=NOW + hours(1)) == 0
    assert due(corpus, NOW + hours(2)) == []


def test_an_ended_address_stays_ended(corpus):
    offer(corpus, URL)
    corpus.ended(URL, "off_source")
    assert due(corpus) == []
    assert corpus.frontier_row(URL)["ended"] == "off_source"


def test_a_changed_lastmod_says_when_to_look(corpus):
    offer(corpus, URL, "https://a.example/2")
    for url in (URL, "https://a.example/2"):
        corpus.keep(make_article(url, published=NOW - hours(24 * 9)), ORIGINAL)
        corpus.fetched(fetch(url))
    offer(corpus, URL, now=NOW + hours(3), modified=NOW + hours(2))
    offer(corpus, "https://a.example/2", now=NOW + hours(3), modified=NOW - hours(2))
    assert due(corpus, NOW + hours(3)) == [URL]
    corpus.fetched(fetch(time=NOW + hours(3), status=304))
    offer(corpus, URL, now=NOW + hours(24 * 40), modified=NOW + hours(24 * 39))  # a site's rebuild
    assert due(corpus, NOW + hours(24 * 40)) == []


def test_where_a_redirect_leads_is_not_fetched_for_itself(corpus):
    offer(corpus, URL, "https://a.example/seen")
    corpus.redirected(URL, "https://a.example/end")
    assert offer(corpus, "https://a.example/end") == 0
    corpus.redirected(URL, "https://a.example/seen")
    assert due(corpus) == [URL]
    corpus.redirected(URL, URL)
    corpus.redirected("https://a.example/unknown", "https://a.example/else")
    assert offer(corpus, "https://a.example/else") == 1
    assert corpus.frontier_row(URL)["redirected_to"] == "https://a.example/seen"


@pytest.mark.fault("R14")
def test_validators_are_those_of_the_last_good_answer_byte_for_byte(corpus):
    feed = "https://a.example/feed"
    assert corpus.validators(feed) == ("", "")
    corpus.fetched(fetch(feed, kind="feed", etag='W/"é"', last_modified="x"))
    for status, error in ((304, ""), (503, ""), (200, "truncated"), (0, "dns")):
        corpus.fetched(fetch(feed, kind="feed", status=status, error=error, etag="other", time=NOW + hours(1)))
        assert corpus.validators(feed) == ('W/"é"', "x")
    assert corpus.frontier_row(feed) is None  # feeds are no pages
    corpus.fetched(fetch(feed, kind="feed", time=NOW + hours(2)))
    assert corpus.validators(feed) == ("", "")
    corpus.fetched(fetch(feed, kind="feed", etag="new", time=NOW + hours(3)))
    corpus.forget_validators(feed)
    assert corpus.validators(feed) == ("", "")
    assert len(corpus.fetches(feed)) == 7
    assert corpus.last_fetch(feed) == NOW + hours(3)


def test_a_fetch_that_was_never_offered_is_scheduled_too(corpus):
    corpus.keep(make_article(), ORIGINAL)
    corpus.fetched(fetch())
    assert due(corpus, NOW + hours(7)) == [URL]


@pytest.mark.fault("D02")
def test_a_killed_transaction_leaves_the_address_due(corpus):
    offer(corpus, URL)
    with pytest.raises(KeyboardInterrupt), corpus.transaction():  # noqa: PT012 - what is undone is the point
        corpus.keep(make_article(), ORIGINAL)
        corpus.fetched(fetch())
        raise KeyboardInterrupt
    assert due(corpus) == [URL]
    assert corpus.article(URL) is None


# ----- runs


def test_a_run_and_its_sources(corpus):
    run = corpus.start_run("crawl", NOW)
    corpus.start_source_run(run, "alpha", NOW)
    corpus.finish_source_run(run, "alpha", NOW + hours(1), "good", {"new": 3, "fetched": 5}, "")
    corpus.finish_run(run, NOW + hours(1), 3, {"new": 3, "copy": 2, "pages": 9})
    (row,) = corpus.runs()
    assert (row["exit_code"], row["new"], row["copies"], row["counts"]) == (3, 3, 2, {"new": 3, "copy": 2, "pages": 9})
    (source,) = corpus.source_runs(run)
    assert (source["outcome"], source["new"], source["fetched"], source["finished"]) == (
        "good",
        3,
        5,
        "2026-11-21T09:00:00+00:00",
    )
    corpus.reject(Rejection(url=URL, stage="clean", reason="wall", source="alpha"), run, NOW)
    assert corpus.rejections(run=run)[0]["reason"] == "wall"
    assert corpus.rejections(url="https://a.example/none") == []
    json.dumps([corpus.runs(), corpus.source_runs(run), corpus.rejections(), corpus.source_health()], allow_nan=False)


def test_the_health_of_a_source(corpus):
    for number in range(2):
        run = corpus.start_run("crawl", NOW + hours(number))
        corpus.start_source_run(run, "alpha", NOW + hours(number))
        corpus.finish_source_run(
            run, "alpha", NOW + hours(number), "failed" if number else "good", {}, "dns" if number else ""
        )
    corpus.set_source_state("alpha", failures=1, last_success=NOW)
    corpus.set_source_state("beta", note="never asked")
    corpus.keep(make_article(), ORIGINAL)
    alpha, beta = corpus.source_health()
    assert (alpha["source"], alpha["outcome"], alpha["error"], alpha["failures"], alpha["articles"]) == (
        "alpha",
        "failed",
        "dns",
        1,
        1,
    )
    assert (beta["source"], beta["outcome"], beta["note"]) == ("beta", None, "never asked")


@pytest.mark.fault("P09", "P11")
def test_when_sources_are_due(corpus):
    assert corpus.source_state("alpha") == {
        "source": "alpha",
        "last_success": None,
        "last_new": None,
        "failures": 0,
        "next_due": None,
        "note": "",
        "silence_told": None,
    }
    corpus.set_source_state("alpha", next_due=NOW + hours(6), failures=2)
    corpus.set_source_state("alpha", last_success=NOW)
    corpus.set_source_state("wrong_clock", next_due=NOW + hours(24 * 365 * 50))
    assert corpus.source_state("alpha")["next_due"] == NOW + hours(6)
    assert corpus.source_state("alpha")["failures"] == 2
    assert corpus.sources_due(["beta", "alpha", "wrong_clock"], NOW) == ["beta", "wrong_clock"]
    assert corpus.sources_due(["beta", "alpha"], NOW + hours(6)) == ["beta", "alpha"]
    with pytest.raises(TypeError, match="next_du"):
        corpus.set_source_state("alpha", next_du=NOW)


def test_finished_inputs_are_remembered(corpus):
    corpus.finish_input("/a/b", "digest", 3, is_whole=False)
    corpus.finish_input("/a/b", "digest", 5, is_whole=True)
    assert corpus.finished_input("/a/b") == ("digest", 5, True)
    assert corpus.finished_input("/a/c") is None


@pytest.mark.fault("D10")
def test_a_full_disk_is_told_in_one_line(tmp_path):
    with Corpus.open(tmp_path / "corpus.db", create=True) as corpus:
        corpus.keep(make_article(), ORIGINAL)
        corpus._rows(f"PRAGMA max_page_count = {corpus._value('PRAGMA page_count')}")
        with pytest.raises(StorageError, match="no room on the disk"), corpus.transaction():  # noqa: PT012 - what is undone is the point
            for number in range(10_000):
                corpus.keep(make_article(f"https://b.example/{number}", f"words {number} " * 200), ORIGINAL)
        corpus._rows("PRAGMA max_page_count = 1000000")
        assert corpus.keep(make_article("https://b.example/1"), ORIGINAL).outcome == "new"
        assert corpus.stats()["articles"] == 2


@pytest.mark.fault("D10")
def test_after_a_failed_disk_nothing_of_the_transaction_is_kept(tmp_path):
    with Corpus.open(tmp_path / "corpus.db", create=True) as corpus:
        with pytest.raises(StorageError), corpus.transaction():  # noqa: PT012 - what is undone is the point
            corpus.keep(make_article(), ORIGINAL)
            corpus._run("ROLLBACK")  # what SQLite does by itself when a write to the disk fails
            with pytest.raises(StorageError, match="disk failed"):
                corpus.keep(make_article("https://a.example/2"), ORIGINAL)
        assert corpus.stats()["articles"] == 0
        assert corpus.keep(make_article(), ORIGINAL).id == 1
