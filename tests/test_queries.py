"""The queries of the README: each runs on a corpus, as a user would run it, and finds something."""

import re
from pathlib import Path

import pytest

from pipelines.records import Fetch, Placement, Rejection
from pipelines.store import Corpus
from tests.helpers import NOW
from tests.storing import hours, make_article, make_page

README = Path(__file__).parents[1] / "README.md"
QUERIES = re.findall(r"```sql\n(.*?)```", README.read_text("utf-8"), re.DOTALL) if README.exists() else []


def statements(block):
    return [
        part for part in (re.sub(r"^--.*$", "", part, flags=re.MULTILINE).strip() for part in block.split(";")) if part
    ]


ALL = [statement for block in QUERIES for statement in statements(block)]


@pytest.fixture(scope="module")
def corpus():
    with Corpus.open(":memory:", create=True) as opened:
        run = opened.start_run("crawl", NOW)
        opened.start_source_run(run, "alpha", NOW)
        opened.keep(make_article(removed=("Share this", "Share this")), Placement(relation="original"), run)
        copy = Placement(relation="near", of=1, cluster=1, similarity=0.9, containment=1.0)
        opened.keep(
            make_article("https://b.example/1", publisher="Beta", published=NOW + hours(2), removed=("Share this",)),
            copy,
            run,
        )
        opened.revise(
            opened.known("https://a.example/1"),
            make_article(text="The council changed its mind about the shutdown tests."),
        )
        opened.keep_raw(make_page())
        opened.reject(Rejection(url="https://a.example/x", stage="clean", reason="wall", source="alpha"), run, NOW)
        opened.fetched(
            Fetch(url="https://a.example/feed", source="alpha", kind="feed", time=NOW, status=503, error="http"), run
        )
        opened.remember("a.example", {1, 2}, NOW)
        opened.assign_stories({1: "one"}, NOW)
        opened.set_source_state("alpha", failures=1, next_due=NOW + hours(6))
        opened.finish_source_run(run, "alpha", NOW, "failed", {"new": 1}, "http")
        opened.finish_run(run, NOW + hours(1), 3, {"new": 1, "copies": 1, "rejected": 1})
        yield opened


@pytest.mark.skipif(not ALL, reason="the README has no queries yet")
@pytest.mark.parametrize("sql", ALL, ids=lambda sql: " ".join(sql.split())[:60])
def test_a_query_of_the_readme_runs(corpus, sql):
    assert corpus._rows(sql.replace("date('now')", "date('2026-11-22')").replace("'now'", "'2026-11-22'"))
