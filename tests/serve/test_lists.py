"""Sources, runs, what was turned away, trends."""

import sqlite3

import pytest
from starlette.testclient import TestClient

from pipelines.config import Config, changed
from pipelines.serve.app import make_app
from pipelines.serve.views import health
from pipelines.store import Corpus
from pipelines.store.room import Room
from tests.helpers import NOW
from tests.serve.asking import HOME, main, page, words
from tests.storing import hours

pytestmark = pytest.mark.xdist_group("serve")  # one corpus for all


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
