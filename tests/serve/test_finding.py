"""Search in the reading room."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from pipelines.store.room import finding as room_finding
from tests.serve.asking import cards, main, page, titles, words

pytestmark = pytest.mark.xdist_group("serve")  # one corpus for all


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
