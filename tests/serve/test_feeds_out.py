"""Feeds of everything, of a search, of a topic; and what a reader is told in trouble."""

import json
import re
from urllib.parse import urlsplit

import feedparser
import pytest
from lxml import etree
from starlette.testclient import TestClient

from pipelines.config import Config, changed
from pipelines.errors import StorageError
from pipelines.serve.app import make_app
from pipelines.store.room import Room
from tests.helpers import NOW
from tests.serve.asking import ATOM, HOME

pytestmark = pytest.mark.xdist_group("serve")  # one corpus for all


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 8),
        ("?q=supervised", 1),
        ("?q=연구소", 1),
        ("?topic=misuse", 1),
        ("?language=ko", 1),
        ("?kind=agency", 0),
        ("?q=zzz", 0),
        ("?limit=2", 2),
    ],
)
def test_feeds_are_valid_and_have_one_item_a_text(client, query, count):
    answer = client.get(f"/feed.atom{query}")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    found = feedparser.parse(answer.content)
    assert not found.bozo, found.get("bozo_exception")
    assert found.version == "atom10"
    assert len(found.entries) == count
    assert len({entry.id for entry in found.entries}) == count
    assert {link.rel for link in found.feed.links} == {"self", "alternate"}
    assert all(entry.updated_parsed and entry.title and entry.id for entry in found.entries)
    document = client.get(f"/feed.json{query}")
    assert document.headers["content-type"].startswith("application/feed+json")
    feed = json.loads(document.content)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in feed["items"]] == [entry.id for entry in found.entries]
    assert all(
        item.get("content_text") and not item.get("url", "http").startswith("javascript") for item in feed["items"]
    )


@pytest.mark.parametrize("query", ["", "?q=supervised", "?q=zzz", "?topic=misuse&language=ko"])
def test_feeds_keep_the_rules_of_atom(client, query):
    """RFC 4287, 4.1.1 and 4.1.2: what a feed and an entry must have once, and what they may have."""
    feed = etree.fromstring(client.get(f"/feed.atom{query}").content)
    may = {"author", "category", "link", "published", "content", "entry"}
    for element in (feed, *feed.iter(f"{ATOM}entry")):
        names = [child.tag.removeprefix(ATOM) for child in element]
        assert all(names.count(name) == 1 for name in ("id", "title", "updated", "author"))
        assert set(names) <= may | {"id", "title", "updated"}
        assert names.count("published") <= 1
        assert element is feed or names.count("content") == 1
        assert urlsplit(element.findtext(f"{ATOM}id")).scheme in ("http", "https", "urn")
        for name in ("updated", "published"):
            assert all(
                re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", one.text)
                for one in element.findall(f"{ATOM}{name}")
            )
        assert all(one.get("term") for one in element.findall(f"{ATOM}category"))
        assert all(urlsplit(one.get("href")).scheme in ("http", "https") for one in element.findall(f"{ATOM}link"))


def test_a_feed_of_a_search_gives_the_article_that_stands_for_a_copy(client):
    (entry,) = feedparser.parse(client.get("/feed.atom?q=evaluators").content).entries  # only the copy has this word
    assert entry.link == "https://paper.example/eval"


def test_an_entry_has_its_topics_and_no_link_that_is_none(client):
    entries = {entry.id: entry for entry in feedparser.parse(client.get("/feed.atom").content).entries}
    assert [tag.term for tag in entries["https://paper.example/eval"].tags] == ["methods"]
    hostile = next(entry for key, entry in entries.items() if "paper.example" not in key and "gpj" in entry.title)
    assert hostile.id.startswith("urn:")
    assert "links" not in hostile
    assert "\u202e" not in hostile.title


def test_a_reader_that_has_the_feed_is_told_so(client):
    first = client.get("/feed.atom")
    again = client.get("/feed.atom", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_feed_that_cannot_be_made_is_one_line(client):
    answer = client.get("/feed.atom?q=" + "x" * 550)
    assert (answer.status_code, answer.text.count("\n")) == (400, 1)


def test_a_corpus_that_fails_is_one_line(client, monkeypatch):
    def fails(*_):
        raise StorageError("corpus.db", "the disk does not answer")

    monkeypatch.setattr(Room, "listed", fails)
    answer = client.get("/")
    assert answer.status_code == 503
    assert "the disk does not answer" in answer.text
    assert "content-security-policy" in answer.headers


def test_a_bug_is_one_line_for_the_reader_and_whole_for_the_terminal(settled, monkeypatch):
    def fails(*_):
        raise ValueError("<b>of all things</b>")

    monkeypatch.setattr(Room, "listed", fails)
    with TestClient(make_app(settled, clock=lambda: NOW), base_url=HOME, raise_server_exceptions=False) as client:
        answer = client.get("/")
    assert answer.status_code == 500
    assert "ValueError: &lt;b&gt;of all things&lt;/b&gt;" in answer.text
    assert "content-security-policy" in answer.headers


def test_no_corpus_is_told_when_the_room_opens(tmp_path):
    with (
        pytest.raises(StorageError, match="no corpus here"),
        TestClient(make_app(changed(Config(), database=str(tmp_path / "none.db"))), base_url=HOME),
    ):
        pass


def test_the_room_cannot_write(room):
    with pytest.raises(StorageError, match="reading only"), room.transaction():
        pass
