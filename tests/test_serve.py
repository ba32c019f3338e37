"""The reading room's pages and feeds, asked for without a browser: what they say, what they weigh, what they let through."""

import json
import re
import sqlite3
from datetime import timedelta
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

import feedparser
import pytest
from lxml import etree, html
from starlette.testclient import TestClient

from pipelines.config import Config, changed
from pipelines.errors import StorageError
from pipelines.serve.app import make_app
from pipelines.serve.guards import HEADERS
from pipelines.serve.views import health, today
from pipelines.store import Corpus
from pipelines.store.room import Room, days
from pipelines.store.room import finding as room_finding
from pipelines.store.room import wanted as room_wanted
from tests import room_subject as subject
from tests.helpers import NOW
from tests.storing import hours, make_article

pytestmark = pytest.mark.xdist_group("serve")  # one corpus for all
HOME = "http://127.0.0.1"
MAX_PAGE_BYTES = 100_000
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return subject.fill(tmp_path_factory.mktemp("room") / "corpus.db")


@pytest.fixture(scope="module")
def settled(path):
    """The settings, with a source list of its own."""
    (path.parent / "sources.toml").write_text(
        '[alpha]\nname = "Alpha Daily"\nkind = "feed"\nurl = "https://paper.example/feed"\nhome = "https://paper.example/"\ngroup = "press"\n'
        '[beta]\nname = "The Wire"\nkind = "feed"\nurl = "https://wire.example/feed"\ngroup = "agency"\n',
        "utf-8",
    )
    return changed(Config(), database=str(path), shipped_sources=False)


@pytest.fixture(scope="module")
def client(settled):
    with TestClient(make_app(settled, clock=lambda: NOW), base_url=HOME, follow_redirects=False) as client:
        yield client


@pytest.fixture
def room(path):
    with Room.enter(path, Config()) as room:
        yield room


def page(client, address):
    client.cookies.clear()
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return html.document_fromstring(answer.text)


def words(element):
    return " ".join(element.text_content().split())


def main(client, address):
    return words(page(client, address).find(".//main"))


# ----- what holds for every page


@pytest.mark.parametrize("name", subject.PATHS)
def test_every_page_is_there_light_and_guarded(client, name):
    answer = client.get(subject.PATHS[name])
    assert answer.status_code == (404 if name == "missing" else 200), answer.text
    assert len(answer.content) < MAX_PAGE_BYTES
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert {header: answer.headers.get(header) for header in HEADERS} == HEADERS


@pytest.mark.parametrize("name", subject.PATHS)
def test_every_page_can_be_read_by_machines(client, name):
    document = html.document_fromstring(client.get(subject.PATHS[name]).text)
    assert document.get("lang") == "en"
    levels = [int(one.tag[1]) for one in document.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [len(document.findall(f".//{tag}")) for tag in ("main", "title")] == [1, 1]
    assert document.find(".//nav") is not None
    assert document.find(".//footer") is not None
    for field in document.iter("input", "select"):
        labelled = field.getparent().tag == "label" or document.xpath("//label[@for=$id]", id=field.get("id"))
        assert labelled or field.get("type") == "hidden"
    names = [one.get("id") for one in document.iter() if isinstance(one.tag, str) and one.get("id")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", subject.PATHS)
def test_no_page_asks_anybody_else_for_anything_or_runs_what_is_not_ours(client, name):
    text = client.get(subject.PATHS[name]).text
    document = html.document_fromstring(text)
    scripts = list(document.iter("script"))
    assert [one.get("src", "").partition("?")[0] for one in scripts] == ["/static/room.js"]
    assert not scripts[0].text
    assert not list(document.iter("style", "img", "iframe", "object", "embed", "base", "video", "audio", "font"))
    for element in document.iter():
        if not isinstance(element.tag, str):
            continue
        assert not [attribute for attribute in element.attrib if attribute.startswith("on") or attribute == "style"]
        if element.tag == "link":
            assert element.get("href").startswith("/")
        elif href := element.get("href"):
            assert re.match(r"/|#|https?://", href), href
            if href.startswith("http"):
                assert element.get("rel") == "noreferrer noopener"
    assert "javascript:" not in {urlsplit(one.get("href", "")).scheme + ":" for one in document.iter("a")}
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)


def test_no_link_of_the_room_leads_nowhere(client):
    client.cookies.clear()
    waiting, seen = ["/"], {"/"}
    while waiting:
        answer = client.get(waiting.pop())
        assert answer.status_code == 200, answer.url
        if "html" not in answer.headers["content-type"]:
            continue
        for href in html.document_fromstring(answer.text).xpath("//a/@href | //link/@href | //script/@src"):
            address = href.partition("#")[0]
            if address.startswith("/") and address not in seen:
                seen.add(address)
                waiting.append(address)
    assert len(seen) > 60


@pytest.mark.parametrize("name", ["today", "story", "article", "search", "korean", "hebrew", "copies"])
def test_foreign_text_has_its_language_and_its_direction(client, name):
    headlines = page(client, subject.PATHS[name]).xpath(
        "//*[contains(concat(' ', @class, ' '), ' headline ')] | //h1[@dir] | //div[@class='text']"
    )
    assert all(one.get("dir") == "auto" for one in headlines)
    assert {"today": "ko", "korean": "ko", "hebrew": "he"}.get(name, "en") in {
        one.get("lang") for one in headlines
    } or name == "copies"


def test_what_a_hostile_article_says_is_only_said(client):
    for address in (
        "/",
        f"/article/{subject.HOSTILE}",
        f"/article/{subject.HOSTILE}/page",
        "/search?q=script",
        "/search?q=%3Cscript%3E",
    ):
        text = client.get(address).text
        assert "<script>alert" not in text
        assert "<b onclick" not in text
        assert "onerror" not in text or "&lt;img src=x onerror=alert(1)&gt;" in text
        assert 'lang="en&' not in text
    assert "{{ 7 * 7 }}" in main(client, f"/article/{subject.HOSTILE}")
    assert "\ufffdgpj.exe\ufffd" in main(client, "/")


@pytest.mark.parametrize(
    "address",
    ["/nope", "/article/0", "/article/99999999999999999999999", "/article/x", "/story/9999", "/run/9999", "/source/nobody", "/compare/1/9999",
     f"/article/{subject.FIRST}/version/1", "/?before=rubbish", "/static/../app.py", "/static/none.css"],
)  # fmt: skip
def test_what_is_not_there_is_404_and_one_line(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_only_reading_is_possible(client):
    assert client.post("/").status_code == 405
    assert client.delete(f"/article/{subject.FIRST}").status_code == 405


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8360",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "[evil]",
        "0x7f.1.evil",
    ],
)
def test_a_name_of_the_web_that_points_here_is_refused(client, host):
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "copydesk</a>" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8360", "127.0.0.1:8360", "[::1]:8360", "192.168.1.5"])
def test_names_of_this_machine_are_served(client, host):
    assert client.get("/help", headers={"Host": host}).status_code == 200


def test_no_page_is_heavy_whatever_it_is_about(tmp_path):
    """A page of thousands of blocks, a text of quotation marks only, a title and a byline as long as they may be."""
    from pipelines.records import Placement

    database = tmp_path / "heavy.db"
    with Corpus.open(database, create=True) as corpus:
        removed = [f"<{number}> & 'left out'" for number in range(3000)]
        for number in range(35):
            text = (
                "\n\n".join(f"'{'<&>' * 40}' {word} {number}." for word in range(400))
                if number < 2
                else f"Text {number}."
            )
            heavy = make_article(
                f"https://h.example/{number}?{'q=' * 400}",
                text,
                title="'" * 500,
                byline="<" * 200,
                publisher="&" * 60,
                removed=removed[: 3000 if number < 2 else 1],
            )
            corpus.keep(heavy, Placement(relation="original"))
    addresses = [
        "/",
        "/search?q=text",
        "/sources",
        "/runs",
        "/borderline",
        "/article/1",
        "/article/1/page",
        "/compare/1/2",
        "/compare/1/2?whole=1",
    ]
    with TestClient(
        make_app(changed(Config(), database=str(database), shipped_sources=False), clock=lambda: NOW), base_url=HOME
    ) as client:
        for start in addresses:
            address = start
            while address:
                answer = client.get(address)
                assert answer.status_code == 200, address
                assert len(answer.content) < MAX_PAGE_BYTES, address
                address = next(iter(html.document_fromstring(answer.text).xpath("//main//a[@rel='next']/@href")), "")


# ----- Today


def cards(client, address):
    return page(client, address).xpath("//article[@class='card']")


def titles(client, address):
    return [
        words(card.find(".//h3/a") if card.find(".//h3/a") is not None else card.find(".//h2/a"))
        for card in cards(client, address)
    ]


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


# ----- story, article, page, texts side by side


def test_a_story_tells_who_was_first_who_copied_whom_and_what_it_added(client):
    document = page(client, f"/story/{subject.STORY}")
    steps = document.xpath("//ol[@class='timeline']/li")
    assert [words(step.xpath(".//a[contains(@class, 'headline')]")[0]) for step in steps] == [
        "Evaluations find hidden behaviour", "Hidden behaviour, says institute", "Modelle verbergen ihr Verhalten",
    ]  # fmt: skip
    first, copy, other = map(words, steps)
    assert first.startswith("First")
    assert "From Alpha Daily: nearly the same words, 92 % of the shorter text." in copy
    assert f"Adds 1 sentence, leaves out 1: {subject.ADDED}" in copy
    assert other.startswith("In its own words")
    assert steps[1].xpath(f".//a[@href='/compare/{subject.FIRST}/{subject.COPY}']")
    assert "3 articles by 3 publishers, 1 of them a copy" in words(document)


def test_who_was_first_does_not_depend_on_who_was_read_first(tmp_path):
    """A wire service read after the paper that prints it is the origin all the same."""
    from pipelines.records import Placement

    database = tmp_path / "wire.db"
    with Corpus.open(database, create=True) as corpus:
        corpus.keep(
            make_article("https://paper.example/1", publisher="Paper", published=NOW), Placement(relation="original")
        )
        wire = make_article("https://wire.example/1", publisher="Wire", published=NOW - hours(3))
        corpus.keep(wire, Placement(relation="exact", of=1, similarity=1.0, containment=1.0))
        corpus.assign_stories({2: "a"}, NOW)
    with TestClient(
        make_app(changed(Config(), database=str(database), shipped_sources=False), clock=lambda: NOW), base_url=HOME
    ) as client:
        first, second = map(words, page(client, "/story/1").xpath("//ol[@class='timeline']/li"))
    assert "Wire" in first
    assert "From" not in first
    assert "From Wire: the same words, 100 % of the shorter text." in second
    assert "Adds nothing." in second


def test_an_article_has_its_text_its_facts_and_where_they_are_from(client):
    document = page(client, f"/article/{subject.FIRST}")
    assert [words(one) for one in document.xpath("//div[@class='text']/p")] == subject.EVAL_STORY.splitlines()
    said = words(document)
    assert "20 Nov 2026, 02:00, from the page's metadata" in said
    assert "7.5, about AI safety" in said
    assert "+4 shutdown methods" in said
    assert document.xpath("//a[@rel='noreferrer noopener']/@href")[0] == "https://paper.example/eval"
    assert "2 articles with this text" in said


def test_a_copy_names_what_stands_for_it(client):
    assert page(client, f"/article/{subject.COPY}").xpath("//p[@class='note']/a/@href") == [f"/article/{subject.FIRST}"]


def test_an_address_that_is_none_of_the_web_is_shown_and_leads_nowhere(client):
    document = page(client, f"/article/{subject.HOSTILE}")
    assert "javascript:alert(1)" in words(document)
    assert not [href for href in document.xpath("//main//a/@href") if not href.startswith("/")]


def test_a_book_is_read_in_portions_that_hold_all_of_it(client):
    text, address = [], f"/article/{subject.LONG}"
    while address:
        document = page(client, address)
        text += [words(one) for one in document.xpath("//div[@class='text']/p")]
        address = next(iter(document.xpath("//a[@rel='next']/@href")), "")
    assert text == subject.LAW_STORY.splitlines() * 150


def test_every_block_of_the_page_stands_at_its_place_with_its_fate(client):
    document = page(client, f"/article/{subject.FIRST}/page")
    blocks = document.xpath("//div[@class='fates']/div")
    kept = subject.EVAL_STORY.splitlines()
    gone = subject.LEFT_OUT
    assert [words(block.find("p")) for block in blocks] == [
        gone[0],
        *kept[:2],
        gone[3],
        *kept[2:],
        gone[1],
        gone[2],
        gone[4],
    ]
    assert blocks[0].get("class") == "fate gone k-navigation"
    assert words(blocks[0].xpath(".//p[@class='why']")[0]) == "navigation – menu: container"
    assert "kept: 5" in words(document)
    assert "reader comments: 2" in words(document)


def test_two_copies_side_by_side(client):
    document = page(client, f"/compare/{subject.FIRST}/{subject.COPY}")
    assert [one.text for one in document.iter("ins")] == [subject.ADDED]
    assert len(list(document.iter("del"))) == 1
    assert "4 sentences in both" in words(document)
    whole = page(client, f"/compare/{subject.FIRST}/{subject.COPY}?whole=1")
    assert len(whole.xpath("//tr[@class='same']")) == 4


def test_two_versions_side_by_side_show_the_word_that_changed(client):
    document = page(client, f"/article/{subject.KOREAN}/version/1")
    assert ["".join(one.itertext()) for one in document.iter("del", "ins")] == ["한", "두"]
    assert f"/article/{subject.KOREAN}/version/1" in page(client, f"/article/{subject.KOREAN}").xpath("//main//a/@href")


def test_an_address_is_looked_up_whatever_became_of_it(client):
    found = client.get("/address", params={"url": "https://paper.example/eval?utm_source=mail"})
    assert (found.status_code, found.headers["location"]) == (303, f"/article/{subject.FIRST}")
    assert "a general source, and the page is not about AI safety" in main(
        client, "/address?url=https://paper.example/no/0"
    )
    assert "never asked for" in main(client, "/address?url=https://elsewhere.example/")
    asked = client.get("/search", params={"q": "https://paper.example/eval"})
    assert asked.headers["location"].startswith("/address?url=https%3A")


# ----- search


def test_search_marks_the_words_and_counts_what_the_hits_have_in_common(client):
    document = page(client, "/search?q=supervised")
    assert {one.text.lower() for one in document.iter("mark")} == {"supervised"}
    assert "1 article, best first" in words(document)  # its copy is collapsed
    facets = words(document.xpath("//aside[@class='facets']")[0])
    assert "methods 1" in facets
    assert "Alpha Daily 1" in facets
    assert "English 1" in facets


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("연구소", 1),
        ("인공지능 안전", 1),
        ("%22language+model%22", 1),
        ("המודל", 1),
        ("zzz", 0),
        ("%22", 0),
        ("AND OR NOT *", 0),
    ],
)
def test_search_in_any_script_and_of_any_rubbish(client, query, found):
    assert len(cards(client, f"/search?q={query}")) == found


def test_search_can_be_narrowed_and_turned(client):
    assert len(cards(client, "/search?q=ai&topic=methods")) == 3
    assert titles(client, "/search?q=ai&order=newest") == [
        "Incident bill passes upper house",
        "Evaluations find hidden behaviour",
        "The whole report",
    ]
    chosen = page(client, "/search?q=ai&topic=methods").xpath("//aside//a[@aria-current]/@href")
    assert dict(parse_qsl(urlsplit(chosen[0]).query)) == {"q": "ai", "topic": "methods"}


def test_a_query_too_long_is_told_not_to_be_possible(client):
    assert "at most 500" in main(client, "/search?q=" + "x" * 550)


def test_of_too_many_hits_the_newest_are_shown_and_said_to_be_that(client, monkeypatch):
    monkeypatch.setattr(room_finding, "MOST_HITS", 2)
    said = main(client, "/search?q=ai")
    assert "too many to be ranked" in said


def test_search_turns_pages(client, monkeypatch):
    from pipelines.serve.views import search

    monkeypatch.setattr(search, "ROWS", 1)
    first = page(client, "/search?q=ai")
    second = page(client, first.xpath("//a[@rel='next']/@href")[0])
    assert words(first.xpath("//h2/a")[0]) != words(second.xpath("//h2/a")[0])
    assert second.xpath("//a[@rel='prev']")


# ----- sources, runs, what was turned away, trends


def test_sources_in_trouble_come_first_with_their_strip(client):
    rows = page(client, "/sources").xpath("//table//tr[th[@scope='row']]")
    assert words(rows[0].find("th/a")) == "The Wire"
    assert "failed 3 times in a row" in words(rows[0])
    assert "the feed is not XML" in words(rows[0])
    strip = rows[0].xpath(".//span[@class='strip']")[0]
    assert len(strip) == health_runs()
    assert strip.get("aria-label").endswith("4 failed")
    assert [one.get("class") for one in strip][-4:] == ["bad"] * 4


def health_runs():
    from pipelines.store.room.health import STRIP_RUNS

    return STRIP_RUNS


def test_a_source_whose_texts_became_short_is_pointed_at(tmp_path):
    database = tmp_path / "short.db"
    with Corpus.open(database, create=True) as corpus, corpus.transaction():
        for number in range(1, 61):
            corpus._run(
                "INSERT INTO articles (id, url, source, published, fetched, words, cluster) VALUES (?1, ?2, 's', ?3, ?3, ?4, ?1)",
                (
                    number,
                    f"https://s.example/{number}",
                    (NOW - hours(200 - number)).isoformat(),
                    40 if number > 45 else 600,
                ),
            )
        run = corpus.start_run("crawl", NOW)
        corpus.start_source_run(run, "s", NOW)
    with TestClient(
        make_app(changed(Config(), database=str(database), shipped_sources=False), clock=lambda: NOW), base_url=HOME
    ) as client:
        said = main(client, "/sources")
        assert "texts became short" in said
        assert "40 was 600" in said
        assert "silent" in said


def test_a_source_list_that_cannot_be_read_costs_names_not_pages(path, tmp_path):
    broken = tmp_path / "sources.toml"
    broken.write_text("[alpha\n", "utf-8")
    config = changed(Config(), database=str(path), sources=str(broken), shipped_sources=False)
    with TestClient(make_app(config, clock=lambda: NOW), base_url=HOME) as client:
        said = main(client, "/sources")
        assert "alpha" in said
        assert "valid TOML" in said


def test_runs_say_how_they_ended_or_that_they_did_not(client):
    rows = [words(row) for row in page(client, "/runs").xpath("//tbody/tr")]
    assert "at work" in rows[0]
    assert "exit 3" in rows[1]
    assert [row.startswith("9") for row in rows if "never ended" in row] == [True]
    said = main(client, "/run/16")
    assert "The Wirefailed" in said  # two cells
    assert "Evaluations find hidden behaviour" in said
    assert "the site's robots.txt says no" in said


def test_the_border_has_its_terms_and_the_rejected_their_reasons(client):
    assert "+3 safeguards" in main(client, "/borderline")
    document = page(client, "/rejected")
    assert len(document.xpath("//tbody/tr")) == 4
    only = document.xpath("//a[@class='chip'][contains(., 'robots')]/@href")[0]
    assert len(page(client, only).xpath("//tbody/tr")) == 1
    assert len(page(client, "/rejected?source=beta").xpath("//tbody/tr")) == 0


def test_leafing_through_lists_shows_every_row_once(client, monkeypatch):
    monkeypatch.setattr(health, "ROWS", 3)
    for start, row in (("/runs", "//tbody/tr/td[1]"), ("/rejected", "//tbody/tr/td[1]")):
        seen, address = [], start
        while address:
            document = page(client, address)
            seen += [words(one) for one in document.xpath(row)]
            address = next(iter(document.xpath("//main//a[@rel='next']/@href")), "")
        assert len(seen) == len(set(seen)) == (17 if start == "/runs" else 4)


def test_trends_count_canonical_articles_and_have_a_table(client, path):
    document = page(client, "/trends?weeks=13&by=source")
    with sqlite3.connect(path) as connection:
        count = connection.execute("SELECT count(*) FROM articles WHERE canonical = 1").fetchone()[0]
    connection.close()
    cells = [int(words(row[1])) for row in document.xpath("//table[@class='counts']/tbody/tr")]
    assert sum(cells) == count
    assert len(cells) == 13
    assert f"{count} articles in 13 weeks" in document.xpath("//svg/@aria-label")[0]


def test_trends_are_counted_once_and_again_when_the_corpus_has_changed(path):
    from pipelines.serve.kept import Trends

    asked = []
    with Room.enter(path, Config()) as room:
        trends = Trends(asked.append, lambda: NOW)
        first, is_old = trends.weekly(room)
        assert not is_old
        first.stamp = (0, 0)  # as if articles had come since
        again, is_old = trends.weekly(room)
        assert again is first
        assert is_old
        trends.weekly(room)
        assert len(asked) == 1  # counted behind the reader's back, once
        asked[0](room)
        assert trends.weekly(room)[1] is False


def test_few_among_many_are_found_through_their_indexes(room):
    """Without statistics SQLite has the choice of two indexes; the wrong one would read every article."""
    time = "coalesce(a.published, a.fetched)"
    for condition, index in (
        ("a.story IS NULL", "articles_without_story"),
        ("a.verdict = 'borderline'", "articles_borderline"),
    ):
        sql = f"SELECT a.id FROM articles AS a WHERE {condition} AND a.canonical = 1 AND ({time}, a.id) < ('9', 1) ORDER BY {time} DESC, a.id DESC"
        plan = " ".join(row["detail"] for row in room._rows(f"EXPLAIN QUERY PLAN {sql}"))
        assert f"INDEX {index}" in plan
        assert "TEMP B-TREE" not in plan


# ----- feeds


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


# ----- trouble


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
