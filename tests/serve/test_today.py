"""Today: stories newest first, filtered, leafed through, new since the last visit."""

from datetime import timedelta

import feedparser
import pytest
from lxml import html
from starlette.testclient import TestClient

from pipelines.config import Config, changed
from pipelines.serve.app import make_app
from pipelines.serve.views import today
from pipelines.store import Corpus
from pipelines.store.room import Room, days
from pipelines.store.room import wanted as room_wanted
from tests import room_subject as subject
from tests.helpers import NOW
from tests.serve.asking import HOME, cards, page, titles, words
from tests.storing import hours, make_article

pytestmark = pytest.mark.xdist_group("serve")  # one corpus for all


def test_today_tells_stories_newest_first_by_day(client):
    assert titles(client, "/") == [
        "<script>alert('title')</script> \ufffdgpj.exe\ufffd <img src=x onerror=alert(1)>", "המודל מסתיר את מעשיו", "Incident bill passes upper house",
        "안전 연구소, 두 번째 평가 공개", "Evaluations find hidden behaviour", "Headphones for the pier", "The whole report",
    ]  # fmt: skip
    headings = [words(one) for one in page(client, "/").findall(".//main//h2")]
    assert headings[0] == "Today, Saturday, 21 November 2026"
    assert headings[1] == "Yesterday, Friday, 20 November 2026"
    assert len(headings) == 4


def test_a_card_says_who_told_it_and_why_it_is_here(client):
    card = next(card for card in cards(client, "/") if "Evaluations" in card.text_content())
    said = words(card)
    assert "Alpha Daily, Zeitung" in said
    assert "English, German" in said
    assert "first told 20 Nov 2026, 02:00" in said
    assert "1 copy collapsed" in said
    assert "Modelle verbergen ihr Verhalten" in said
    assert [chip.text for chip in card.xpath(".//a[@class='chip']")] == ["methods"]
    assert "shutdown" in said
    assert card.find(".//h3/a").get("href") == f"/story/{subject.STORY}"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("topic=misuse", 1), ("topic=nothing", 0), ("language=ko", 1), ("language=de", 1), ("kind=agency", 1), ("kind=press", 4), ("kind=other", 4),
        ("kind=nothing", 0), ("source=delta", 2), ("source=beta&kind=press", 0), ("since=1d", 4), ("since=2026-11-20", 5), ("since=rubbish", 7),
        ("topic=methods&language=de", 1), ("topic=misuse&language=ko", 0),
    ],
)  # fmt: skip
def test_filters(client, query, found):
    assert len(cards(client, f"/?{query}")) == found


def test_a_filter_that_is_chosen_stays_chosen_and_can_be_followed(client):
    document = page(client, "/?topic=methods&language=ko")
    assert [one.get("value") for one in document.xpath("//option[@selected]")] == ["methods", "ko"]
    assert document.xpath("//p[@class='feeds']/a/@href") == [
        "/feed.atom?topic=methods&language=ko",
        "/feed.json?topic=methods&language=ko",
    ]


def test_leafing_through_shows_each_story_once(client, monkeypatch):
    monkeypatch.setattr(today, "UNITS", 2)
    seen, address = [], "/"
    while address:
        document = page(client, address)
        seen += [words(one) for one in document.xpath("//article[@class='card']/h3/a")]
        address = next(iter(document.xpath("//a[@rel='next']/@href")), "")
    assert len(seen) == len(set(seen)) == 7


def test_what_came_since_the_last_visit_is_new(tmp_path):
    database = subject.fill(tmp_path / "corpus.db")
    now = [NOW]
    app = make_app(changed(Config(), database=str(database), shipped_sources=False), clock=lambda: now[0])
    with TestClient(app, base_url=HOME) as client:
        first = client.get("/")
        assert "new article" not in first.text
        assert "httponly" in first.headers["set-cookie"].lower()
        assert "samesite=lax" in first.headers["set-cookie"].lower()
        now[0] += timedelta(hours=9)
        assert "Nothing new since your last visit" in client.get("/").text
        with Corpus.open(database) as corpus:  # a crawl, while the room is open
            from pipelines.records import Placement

            late = make_article("https://paper.example/late", title="Late news", published=NOW - hours(300))
            corpus.keep(late, Placement(relation="original"))
        now[0] += timedelta(hours=9)
        document = html.document_fromstring(client.get("/").text)
        assert "1 new article since your last visit" in words(document)
        assert [words(one) for one in document.xpath("//h3[span[@class='new']]/a")] == ["Late news"]
        assert titles_of(client.get("/?new=1").text) == ["Late news"]
        now[0] += timedelta(minutes=10)
        assert "1 new article since your last visit" in words(html.document_fromstring(client.get("/").text))


def titles_of(text):
    return [words(one) for one in html.document_fromstring(text).xpath("//article[@class='card']/h3/a")]


def test_each_corpus_remembers_its_own_visits(client, tmp_path):
    other = subject.fill(tmp_path / "other.db")
    with TestClient(
        make_app(changed(Config(), database=str(other), shipped_sources=False), clock=lambda: NOW), base_url=HOME
    ) as second:
        names = {answer.headers["set-cookie"].partition("=")[0] for answer in (client.get("/"), second.get("/"))}
    assert len(names) == 2


@pytest.mark.parametrize("limits", [(3, 0), (2, 5), (50, 0), (3000, 1000)], ids=str)
@pytest.mark.parametrize(
    "filters",
    [{}, {"topic": "rare"}, {"language": "ko"}, {"sources": ("s1",)}, {"since": "2026-11-20T20:00:00"}, {"after": 60}],
    ids=str,
)
def test_however_little_is_looked_at_for_a_page_all_of_them_together_show_everything_once(
    tmp_path, monkeypatch, limits, filters
):
    monkeypatch.setattr(days, "SCANNED", limits[0])
    monkeypatch.setattr(room_wanted, "RARE", limits[1])
    database = tmp_path / "many.db"
    many(database, 90)
    wanted = room_wanted.Wanted(**filters)
    with Room.enter(database, Config()) as room:
        seen, before = [], room_wanted.Cursor()
        for _ in range(200):
            listed = room.listed(wanted, before, 4)
            seen += [(unit["time"], unit["is_story"], unit["id"]) for unit in listed.units]
            if listed.next is None:
                break
            before = listed.next
        condition, values = wanted.conditions()
        expected = room._rows(f"SELECT DISTINCT a.story, a.cluster FROM articles AS a WHERE {condition}", values)
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen, reverse=True)
    assert {one[2] for one in seen if one[1]} == {row["story"] for row in expected if row["story"]}
    assert {one[2] for one in seen if not one[1]} == {row["cluster"] for row in expected if not row["story"]}


def many(database, count):
    """Articles of which many have the same time; every third has no story, every seventh is Korean."""
    with Corpus.open(database, create=True) as corpus, corpus.transaction():
        for number in range(1, count + 1):
            corpus._run(
                "INSERT INTO articles (id, url, source, title, published, fetched, language, cluster, story) VALUES (?1, ?2, ?3, ?2, ?4, ?4, ?5, ?1, ?6)",
                (
                    number,
                    f"https://m.example/{number}",
                    f"s{number % 3}",
                    (NOW - hours(number // 12)).isoformat(),
                    "ko" if number % 7 == 0 else "en",
                    None,
                ),
            )
            if number % 3:
                time = (NOW - hours(number // 12)).isoformat()
                corpus._run(
                    "INSERT INTO stories (id, title, first_seen, last_seen, articles, publishers) VALUES (?1, ?1, ?2, ?2, 1, 1)",
                    (number, time),
                )
                corpus._run("UPDATE articles SET story = ?1 WHERE id = ?1", (number,))
            if number % 20 == 0:
                corpus._run("INSERT INTO relevance_terms VALUES (?, 'rare', 'word', 2.0)", (number,))


def test_a_page_that_stopped_looking_says_so_and_goes_on(client, monkeypatch):
    monkeypatch.setattr(days, "SCANNED", 2)
    monkeypatch.setattr(room_wanted, "RARE", 0)
    document = page(client, "/?language=en&topic=field")
    assert "Looked back to" in words(document)
    assert words(document.xpath("//a[@rel='next']")[0]) == "Look further back"


def test_an_empty_corpus_says_how_to_fill_it(tmp_path):
    Corpus.open(tmp_path / "empty.db", create=True).close()
    config = changed(Config(), database=str(tmp_path / "empty.db"), shipped_sources=False)
    with TestClient(make_app(config, clock=lambda: NOW), base_url=HOME) as client:
        assert "copydesk crawl" in client.get("/").text
        for address in (
            "/search?q=x",
            "/sources",
            "/borderline",
            "/rejected",
            "/runs",
            "/trends",
            "/trends?by=source",
            "/feed.atom",
            "/feed.json",
        ):
            assert client.get(address).status_code == 200, address
        assert not feedparser.parse(client.get("/feed.atom").content).bozo
