"""Saved searches: a new story is told once, to everybody who wants to hear, and telling can fail nothing."""

import json
import re
from datetime import timedelta

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config import Config, NotifyConfig, WatchConfig, changed, load
from pipelines.errors import ConfigError
from pipelines.records import Placement
from pipelines.store import Corpus
from pipelines.watch import MAX_SENT, MAX_SHOWN, matches, tell_news
from tests.cli_helpers import run_cli
from tests.desk import free_port
from tests.helpers import NOW
from tests.storing import hours, make_article
from tests.test_unattended import Watchdog, settled

ORIGINAL = Placement(relation="original")


@pytest.fixture
def corpus():
    with Corpus.open(":memory:", create=True) as opened:
        opened.start_run("crawl", NOW)
        yield opened


def keep(corpus, number, *, of=None, run=1, text="The council published shutdown tests.", **values):
    placement = Placement(relation="near", of=of, cluster=of) if of else ORIGINAL
    values = {"title": f"Story {number}"} | values
    return corpus.keep(make_article(f"https://a.example/{number}", text, **values), placement, run).id


def settings_of(tmp_path=None, **watch):
    return changed(
        Config(), watch={"tests": WatchConfig(**({"query": "shutdown"} | watch))}, notify=NotifyConfig(ping_timeout_s=5)
    )


def tell(corpus, config, run=1, **more):
    shown = []
    troubles = tell_news(corpus, config, NOW, run, shown.append, **more)
    return shown, troubles


def test_a_new_story_is_told_once_and_its_copies_are_not(corpus):
    config = settings_of()
    one = keep(corpus, 1)
    keep(corpus, 2, text="Another matter altogether.")
    shown, troubles = tell(corpus, config)
    assert troubles == []
    assert shown == ["tests: 1 new story", "  Story 1", "    2026-11-21 · Alpha Daily · https://a.example/1"]
    keep(corpus, 3, of=one)
    assert tell(corpus, config) == ([], [])
    keep(corpus, 4)
    assert tell(corpus, config)[0][1] == "  Story 4"
    assert tell(corpus, config) == ([], [])


def test_a_story_is_known_by_its_articles_when_it_gets_another_number(corpus):
    config = settings_of()
    one = keep(corpus, 1)
    corpus.assign_stories({one: "x"}, NOW)
    assert len(tell(corpus, config)[0]) == 3
    two = keep(corpus, 2)
    corpus.assign_stories({one: "y", two: "y"}, NOW)
    assert tell(corpus, config) == ([], [])
    three = keep(corpus, 3)
    corpus.assign_stories({two: "z", three: "z"}, NOW)
    assert tell(corpus, config) == ([], []), "two was seen, if not told"


def test_two_articles_of_one_story_in_one_run_are_one_story(corpus):
    one, two = keep(corpus, 1), keep(corpus, 2, publisher="Beta", published=NOW + hours(1))
    corpus.assign_stories({one: "x", two: "x"}, NOW)
    shown, _ = tell(corpus, settings_of())
    assert shown[0] == "tests: 1 new story"
    assert shown[2].endswith("Alpha Daily and 1 other · https://a.example/1")


def test_a_search_begins_with_the_run_it_was_first_seen_in(corpus):
    keep(corpus, 1)
    second = corpus.start_run("crawl", NOW)
    keep(corpus, 2, run=second)
    shown, _ = tell(corpus, settings_of(), run=second)
    assert shown[1] == "  Story 2"
    assert tell(corpus, changed(settings_of(), watch={"other": WatchConfig(query="shutdown")}), run=None) == ([], [])


def test_what_a_killed_run_brought_is_told_by_the_next(corpus):
    config = settings_of()
    tell(corpus, config)
    keep(corpus, 1)
    second = corpus.start_run("crawl", NOW)
    assert tell(corpus, config, run=second)[0][1] == "  Story 1"


def test_archives_are_no_news(corpus):
    keep(corpus, 1, published=NOW - timedelta(days=60))
    assert tell(corpus, settings_of()) == ([], [])
    assert [row["id"] for row in matches(corpus, WatchConfig(query="shutdown"), 5)] == [1]


@pytest.mark.parametrize(
    ("watch", "found"),
    [
        ({"query": "정렬"}, ["korean"]),
        ({"query": '"shutdown tests"'}, ["english"]),
        ({"query": "", "language": "ko"}, ["korean"]),
        ({"query": "", "source": "beta"}, ["korean"]),
        ({"query": "", "topic": "methods", "language": "en"}, ["english"]),
        ({"query": "shutdown", "language": "ko"}, []),
        ({"query": "??"}, []),
    ],
)
def test_words_and_filters_in_any_language(corpus, watch, found):
    keep(corpus, 1, title="english")
    keep(corpus, 2, title="korean", text="정렬 시험이 공개됐다.", language="ko", source="beta")
    assert [row["title"] for row in matches(corpus, WatchConfig(**watch), 5)] == found
    assert len(tell(corpus, settings_of(**watch))[0]) == (3 if found else 0)


def test_an_address_hears_of_it_as_json_and_once(corpus):
    one = keep(corpus, 1, title="A \u202e title", text="shutdown " * 100)
    corpus.assign_stories({one: "x"}, NOW)
    with Watchdog() as dog:
        config = settings_of(ping_url=dog.url, show=False)
        assert tell(corpus, config) == ([], [])
        assert tell(corpus, config) == ([], [])
    ((path, body),) = dog.told
    told = json.loads(body)
    assert path == "/ping/key"
    assert (told["watch"], told["query"], told["more"]) == ("tests", "shutdown", 0)
    assert told["text"].startswith("tests: 1 new story\n")
    (story,) = told["stories"]
    assert (story["url"], story["publisher"], story["story"]) == ("https://a.example/1", "Alpha Daily", 1)
    assert story["snippet"].endswith("…")
    assert "\u202e" not in body


@pytest.mark.parametrize("status", [500, None])
def test_what_an_address_did_not_take_waits_for_the_next_time(corpus, status):
    keep(corpus, 1)
    with Watchdog(status) as dog:
        config = changed(settings_of(ping_url=dog.url), notify=NotifyConfig(ping_timeout_s=0.3))
        shown, troubles = tell(corpus, config)
        assert shown[0] == "tests: 1 new story"
        assert len(troubles) == 1
        assert troubles[0].startswith("watch.tests.ping_url: ")
        assert "key" not in troubles[0]
    keep(corpus, 2)
    with Watchdog() as dog:
        assert tell(corpus, settings_of(ping_url=dog.url))[1] == []
    assert [story["title"] for story in json.loads(dog.told[0][1])["stories"]] == ["Story 2", "Story 1"]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/", "http://me:secret@a.example/", "http://", "gopher://a/"]
)
def test_only_addresses_of_the_web_are_asked_and_none_can_fail_a_run(corpus, url):
    keep(corpus, 1)
    _, troubles = tell(corpus, settings_of(ping_url=url))
    assert troubles == [
        "watch.tests.ping_url: no http or https address in plain letters without user name and password"
    ]


def test_a_redirect_leads_to_no_file(corpus, tmp_path):
    keep(corpus, 1)
    (tmp_path / "secret").write_text("x", "utf-8")
    with Watchdog(302, location=(tmp_path / "secret").as_uri()) as dog:
        _, troubles = tell(corpus, settings_of(ping_url=dog.url))
    assert len(troubles) == 1


def test_a_feed_grows_and_one_that_cannot_is_a_line(corpus, tmp_path):
    feed = tmp_path / "tests.xml"
    config = settings_of(feed=str(feed))
    for number in (1, 2):
        keep(corpus, number, published=NOW + hours(number))
        assert tell(corpus, config)[1] == []
    found = feedparser.parse(feed.read_bytes())
    assert not found.bozo
    assert found.feed.title == "copydesk: tests"
    assert [entry.title for entry in found.entries] == ["Story 2", "Story 1"]
    feed.write_text("not a feed", "utf-8")
    keep(corpus, 3)
    shown, troubles = tell(corpus, config)
    assert shown
    assert troubles == [f"watch.tests: {feed}: no Atom feed, expected a feed, or a new file; nothing was written"]
    feed.unlink()
    assert tell(corpus, config) == ([], [])
    assert [entry.title for entry in feedparser.parse(feed.read_bytes()).entries] == ["Story 3"]


def test_a_quiet_run_shows_nothing_and_leaves_it_for_who_looks(corpus):
    keep(corpus, 1)
    assert tell(corpus, settings_of(), is_quiet=True) == ([], [])
    assert tell(corpus, settings_of())[0][1] == "  Story 1"


def test_many_stories_are_cut_and_counted(corpus):
    for number in range(MAX_SENT + 3):
        keep(corpus, number, published=NOW - timedelta(minutes=number))
    with Watchdog() as dog:
        shown, _ = tell(corpus, settings_of(ping_url=dog.url))
    told = json.loads(dog.told[0][1])
    assert (len(told["stories"]), told["more"]) == (MAX_SENT, 3)
    assert shown[0] == f"tests: {MAX_SENT + 3} new stories"
    assert shown[-1] == f"  and {MAX_SENT + 3 - MAX_SHOWN} more: copydesk watch --test tests"
    assert tell(corpus, settings_of(ping_url="")) == ([], [])


def test_a_bug_in_telling_is_a_line(corpus, monkeypatch):
    keep(corpus, 1)
    monkeypatch.setattr("pipelines.watch.lines", lambda *_: 1 / 0)
    assert tell(corpus, settings_of())[1] == ["watch.tests: ZeroDivisionError: division by zero"]


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12))
@settings(max_examples=30, deadline=None)
def test_however_articles_come_a_story_is_told_once(steps):
    """Each step brings an article of one of three stories, and is told at once or with the next."""
    with Corpus.open(":memory:", create=True) as corpus:
        corpus.start_run("crawl", NOW)
        story_of, told = {}, []
        for number, (story, is_told) in enumerate(steps):
            key = keep(corpus, number, title=f"of {story}")
            story_of[key] = str(story)
            corpus.assign_stories(story_of, NOW)
            if is_told:
                told += [line for line in tell(corpus, settings_of())[0] if line.startswith("  of")]
        told += [line for line in tell(corpus, settings_of())[0] if line.startswith("  of")]
    assert sorted(told) == sorted({f"  of {story}" for story, _ in steps})


def test_settings_name_their_mistakes(tmp_path):
    path = tmp_path / "copydesk.toml"
    path.write_text('[watch]\nkorea = "정렬"\n[watch.bills]\ntopic = "governance"\nfeed = "bills.xml"\n', "utf-8")
    found = load(path, env={}).watches
    assert found["korea"] == WatchConfig(query="정렬")
    assert found["bills"].feed == str(tmp_path / "bills.xml")
    for text, named in (
        ('[watch.x]\nqery = "a"', "watch: x: qery"),
        ("[watch.x]\nshow = true", "without query"),
        ('[watch]\nx = ""', "a query or a table"),
        ("[watch]\nx = 3", "a query or a table"),
        ('watch = "x"', "watch"),
    ):
        path.write_text(text, "utf-8")
        with pytest.raises(ConfigError, match=named):
            load(path, env={})


def test_the_command_lists_tests_and_tells(tmp_path, capsys, monkeypatch):
    db = tmp_path / "corpus.db"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "copydesk.toml").write_text(
        '[watch]\ntests = "shutdown"\n[watch.secret]\nquery = "x"\nping_url = "https://w.example/key"\n', "utf-8"
    )
    assert "tests" in run_cli(capsys, "watch", "--db", db).out
    with Corpus.open(db, create=True) as corpus:
        corpus.start_run("crawl", NOW)
    assert run_cli(capsys, "watch", "--tell", "--db", db).out == ""
    from datetime import UTC, datetime

    with Corpus.open(db) as corpus:
        keep(corpus, 1, published=datetime.now(UTC))
    assert "Story 1" in run_cli(capsys, "watch", "--test", "tests", "--db", db).out
    assert run_cli(capsys, "watch", "--test", "tests", "--json", "--db", db).row["title"] == "Story 1"
    told = run_cli(capsys, "watch", "--tell", "--db", db)
    assert (told.code, told.out.splitlines()[:2]) == (0, ["tests: 1 new story", "  Story 1"])
    assert run_cli(capsys, "watch", "--tell", "--db", db).out == ""
    listed = run_cli(capsys, "watch", "--db", db)
    assert "w.example" not in listed.out
    assert [row["articles"] for row in run_cli(capsys, "watch", "--json", "--db", db).rows] == [1, 0]
    (tmp_path / "copydesk.toml").write_text('[watch.bad]\nquery = "x"\nping_url = "ftp://a.example/"\n', "utf-8")
    assert "watch.bad.ping_url: no http" in run_cli(capsys, "doctor", "--db", db).out
    (tmp_path / "copydesk.toml").write_text('[watch]\ntests = "shutdown"\n', "utf-8")
    assert "did you mean tests?" in run_cli(capsys, "watch", "--test", "test", "--db", db).err
    assert run_cli(capsys, "watch", "--test", "tests", "--tell", "--db", db).code == 2


@pytest.mark.crawl
def test_the_end_of_a_crawl_tells_and_fails_nothing(tmp_path):
    with Watchdog() as dog:
        watch = {"query": "the", "feed": "news.xml", "ping_url": dog.url}
        lost = {"query": "the", "ping_url": f"http://127.0.0.1:{free_port()}/key"}
        with settled(tmp_path, **{"watch.news": watch, "watch.lost": lost}) as (desk, _):
            done = desk.crawl()
            assert done.returncode == 0, done.stderr
            assert re.search(r"^news: \d new stor", done.stderr, re.MULTILINE)
            assert "copydesk: watch.lost.ping_url: 127.0.0.1: " in done.stderr
            assert done.stdout.splitlines()[-1].startswith("copydesk crawl: 1 source, 3 new articles")
            again = desk.crawl("--force", "--quiet")
            assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
        ((_, body),) = dog.told
        entries = feedparser.parse((tmp_path / "news.xml").read_bytes()).entries
        assert sorted(entry.link for entry in entries) == sorted(story["url"] for story in json.loads(body)["stories"])
        assert entries
