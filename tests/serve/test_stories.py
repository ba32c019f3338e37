"""Story, article, the page with every block in place, two texts side by side."""

import pytest
from starlette.testclient import TestClient

from pipelines.config import Config, changed
from pipelines.serve.app import make_app
from pipelines.store import Corpus
from tests import room_subject as subject
from tests.helpers import NOW
from tests.serve.asking import HOME, main, page, words
from tests.storing import hours, make_article

pytestmark = pytest.mark.xdist_group("serve")  # one corpus for all


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
