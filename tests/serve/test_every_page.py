"""What holds for every page of the reading room."""

import re
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from lxml import html
from starlette.testclient import TestClient

from pipelines.config import Config, changed
from pipelines.serve.app import make_app
from pipelines.serve.guards import HEADERS
from pipelines.store import Corpus
from tests import room_subject as subject
from tests.helpers import NOW
from tests.serve.asking import HOME, MAX_PAGE_BYTES, main, page
from tests.storing import make_article

pytestmark = pytest.mark.xdist_group("serve")  # one corpus for all


@pytest.mark.fault("W04")
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


@pytest.mark.fault("W10")
@pytest.mark.parametrize(
    "address",
    ["/nope", "/article/0", "/article/99999999999999999999999", "/article/x", "/story/9999", "/run/9999", "/source/nobody", "/compare/1/9999",
     f"/article/{subject.FIRST}/version/1", "/?before=rubbish", "/static/../app.py", "/static/none.css"],
)  # fmt: skip
def test_what_is_not_there_is_404_and_one_line(client, address):
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


@pytest.mark.fault("W06")
def test_only_reading_is_possible(client):
    assert client.post("/").status_code == 405
    assert client.delete(f"/article/{subject.FIRST}").status_code == 405


@pytest.mark.fault("W05")
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


@pytest.mark.fault("W11")
@pytest.mark.parametrize("name", subject.PATHS)
def test_no_page_tells_where_on_this_machine_the_corpus_lies(client, path, name):
    assert str(path.parent) not in client.get(subject.PATHS[name]).text


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
