"""`merge`: everything that several corpora hold, once; of two texts of an address the later one counts."""

import json
import sqlite3
from datetime import timedelta

from pipelines.records import Entry, Fetch
from pipelines.store import Corpus
from tests.cli_helpers import run_cli
from tests.helpers import NOW
from tests.merge.shelf import content, read, two_corpora


def test_everything_of_both_is_there_once(desk):
    two_corpora(desk)
    done = desk.merge("all", "one", "two")
    assert (done["corpora"], done["articles"], done["joined"], done["copies"], done["fetches"]) == (2, 5, 1, 1, 6)
    all_of_it, one = content(desk.path("all")), content(desk.path("one"))
    for name in ("removed", "terms", "fetches", "rejections", "runs", "source_runs", "blocks", "fates", "source_state"):
        assert set(one[name]) <= set(all_of_it[name]), name
    with Corpus.open(desk.path("all")) as corpus:
        assert corpus.check() == []
        assert corpus.article("https://two.example/copy")["canonical"] == 0  # a day later than the other
        assert [row["url"] for row in corpus.search("Only two has it")] == ["https://two.example/own"]
        both = corpus.article("https://both.example/page")
        assert (both["fetched"], both["updated"]) == ((NOW + timedelta(hours=3)).isoformat(), None)
        assert corpus.versions(both["id"]) == []  # read twice, one text


def test_twice_is_once(desk):
    two_corpora(desk)
    desk.merge("all", "one", "two")
    before = content(desk.path("all"))
    for names in (("one", "two"), ("two",), ("two", "one", "two")):
        again = desk.merge("all", *names)
        assert (again["articles"], again["fetches"], again["rejections"], again["clusters_changed"]) == (0, 0, 0, 0)
        assert content(desk.path("all")) == before


def test_the_corpora_poured_in_are_only_read(desk):
    two_corpora(desk)
    before = desk.path("one").read_bytes(), desk.path("two").read_bytes()
    desk.merge("all", "one", "two")
    assert (desk.path("one").read_bytes(), desk.path("two").read_bytes()) == before


def test_numbers_do_not_depend_on_how_the_corpora_are_named(desk):
    two_corpora(desk)
    desk.merge("forth", "one", "two")
    desk.merge("back", "two", "one")
    numbered = "SELECT id, url, cluster, story, run FROM articles ORDER BY id"
    tables = [sqlite3.connect(desk.path(name)).execute(numbered).fetchall() for name in ("forth", "back")]
    assert tables[0] == tables[1]


def test_a_corpus_keeps_its_numbers_when_another_is_poured_in(desk):
    two_corpora(desk)
    with Corpus.open(desk.path("one")) as corpus:
        before = {row["url"]: row["id"] for row in corpus._rows("SELECT id, url FROM articles")}
    desk.merge("one", "two")
    with Corpus.open(desk.path("one")) as corpus:
        assert {url: corpus.known(url).id for url in before} == before


def test_of_two_texts_of_an_address_the_later_one_counts_and_the_other_is_a_version(desk):
    for name, text, hour in (
        ("one", "The first text of this address.", 1),
        ("two", "The second text of this address.", 5),
    ):
        with desk.new(name) as corpus:
            read(
                corpus,
                None,
                "https://both.example/page",
                text,
                hour,
                removed=(f"button {name}",),
                origin=f"Wire {name}",
            )
    for order in (("one", "two"), ("two", "one")):
        target = "-".join(order)
        for name in order:
            desk.merge(target, name)
        with Corpus.open(desk.path(target)) as corpus:
            row = corpus.article("https://both.example/page")
            assert row["text"] == "The second text of this address."
            assert (row["fetched"], row["updated"]) == tuple(
                (NOW + timedelta(hours=hour)).isoformat() for hour in (1, 5)
            )
            (version,) = corpus.versions(row["id"])
            assert version["text"] == "The first text of this address."
            assert "-The first text of this address." in version["diff"]
            assert [block["text"] for block in corpus.removed(row["id"])] == ["button two"]
            assert corpus._value("SELECT name FROM origins") == "Wire two"
            assert [hit["url"] for hit in corpus.search('"second text"')] == ["https://both.example/page"]
            assert corpus.search('"first text"') == []
            assert corpus.check() == []


def test_a_text_that_was_confirmed_later_is_the_later_one(desk):
    """One corpus was told "unchanged" after the other had read something else: the address says what it said before."""
    url, same = "https://both.example/page", "A text that came back after a correction was withdrawn."
    with desk.new("one") as corpus:
        read(corpus, None, url, same, 1)
        corpus.fetched(Fetch(url=url, source="alpha", kind="page", time=NOW + timedelta(hours=9), status=304))
    with desk.new("two") as corpus:
        read(corpus, None, url, "A correction that was withdrawn later in the day.", 5)
    desk.merge("all", "two", "one")
    with Corpus.open(desk.path("all")) as corpus:
        row = corpus.article(url)
        assert row["text"] == same
        assert [version["text"] for version in corpus.versions(row["id"])] == [
            "A correction that was withdrawn later in the day.",
            same,
        ]


def test_a_run_that_was_at_work_has_ended_the_next_time(desk):
    with desk.new("one") as corpus:
        run = corpus.start_run("crawl", NOW)
    desk.merge("all", "one")
    with Corpus.open(desk.path("one")) as corpus:
        corpus.finish_run(run, NOW + timedelta(minutes=5), 0, {"new": 4})
    desk.merge("all", "one")
    with Corpus.open(desk.path("all")) as corpus:
        (row,) = corpus.runs()
        assert (row["exit_code"], row["new"]) == (0, 4)


def test_what_two_corpora_know_of_an_address_is_joined_by_what_came_later(desk):
    url, early, late = "https://a.example/1", NOW, NOW + timedelta(hours=2)
    for name, time, status in (("one", early, 200), ("two", late, 404)):
        with desk.new(name) as corpus:
            corpus.offer("alpha", [Entry(url=url)], time)
            corpus.fetched(Fetch(url=url, source="alpha", kind="page", time=time, status=status, etag=f'"{name}"'))
            corpus.keep_robots("a.example", name.encode(), time)
            corpus.close_host("a.example", time + timedelta(hours=3 if name == "one" else 0))
            corpus.set_source_state("alpha", last_success=time, failures=1 if name == "one" else 0, note=name)
            corpus.remember("a.example", {1, 2} if name == "one" else {2, 3}, time)
    desk.merge("all", "one", "two")
    with Corpus.open(desk.path("all")) as corpus:
        row = corpus.frontier_row(url)
        assert (row["first_seen"], row["last_fetch"], row["ended"]) == (
            early.isoformat(),
            late.isoformat(),
            "not_found",
        )
        assert corpus.validators(url) == ('"one"', "")  # the 404 brought none
        assert corpus.robots_copy("a.example", late) == b"two"
        assert corpus.closed_hosts(early) == {"a.example": early + timedelta(hours=3)}
        assert corpus.source_state("alpha")["note"] == "two"
        memory = corpus._rows("SELECT block_hash, pages, first_seen, last_seen FROM block_memory ORDER BY 1")
        times = [(row["first_seen"], row["last_seen"]) for row in memory]
        assert [(row["block_hash"], row["pages"]) for row in memory] == [(1, 1), (2, 1), (3, 1)]
        assert times == [(early.isoformat(),) * 2, (early.isoformat(), late.isoformat()), (late.isoformat(),) * 2]


def test_the_command_says_what_came_of_it(desk, capsys):
    two_corpora(desk)
    done = run_cli(capsys, "merge", desk.path("one"), desk.path("two"), "--db", desk.path("all"))
    assert done.code == 0
    assert done.out.splitlines() == [
        "2 corpora: 5 new articles, 1 known ones joined, 6 fetches, 2 rejections",
        "now 5 articles: 1 copy of 1 text, 4 stories",
    ]
    assert (
        json.loads(run_cli(capsys, "merge", desk.path("one"), "--db", desk.path("all"), "--json").out)["articles"] == 0
    )
