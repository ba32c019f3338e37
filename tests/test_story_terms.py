"""The counted terms of a fortnight are kept: stories come out as if every text had been read again."""

import pytest

from pipelines.dedup.stories import StoryItem, group, packed_terms, terms_of, unpacked_terms
from pipelines.flow import regroup_stories
from pipelines.records import Placement
from pipelines.store import Corpus
from tests.dedup_texts import prose
from tests.helpers import NOW
from tests.storing import hours, make_article
from tests.test_stories import BREAD, FERRY, KOREAN, NOISE


@pytest.fixture
def corpus():
    with Corpus.open(":memory:", create=True) as found:
        yield found


def keep(corpus, run, told, first=0, **traits):
    for number, (title, text) in enumerate(told, first):
        times = {"published": NOW + hours(number), "fetched": NOW + hours(number)} | traits
        article = make_article(f"https://news.example/{number}", text, title=title, **times)
        corpus.keep(article, Placement(relation="original"), run)


def stored(corpus):
    return {row["article"] for row in corpus._rows("SELECT article FROM story_terms")}


def noting(items, seen):
    for item in items:
        seen.append(item.id)
        yield item


def together(corpus):
    by_story = {}
    for row in corpus._rows("SELECT id, story FROM articles ORDER BY id"):
        by_story.setdefault(row["story"], []).append(row["id"])
    return sorted(by_story.values())


@pytest.mark.parametrize("told", [*FERRY, *BREAD, *KOREAN, ("", ""), ("x", "y y y")])
def test_packed_terms_keep_every_count_in_its_order(told):
    item = StoryItem(id=1, title=told[0], text=told[1])
    assert list(unpacked_terms(packed_terms(item)).values()) == list(terms_of(item).values())


def test_stories_of_kept_terms_are_those_of_the_texts():
    told = [StoryItem(id=n, title=title, text=text) for n, (title, text) in enumerate([*FERRY, *BREAD, *KOREAN])]
    told += [StoryItem(id=f"other{n}", text=prose(500 + n, 60)) for n in range(20)]
    kept = [StoryItem(id=item.id, terms=unpacked_terms(packed_terms(item))) for item in told]
    assert group(kept) == group(told)
    assert len(set(group(told).values())) < len(told)


def test_a_second_run_counts_only_what_is_new(corpus, monkeypatch):
    first, second = corpus.start_run("crawl", NOW), corpus.start_run("crawl", NOW)
    noise = [("", item.text) for item in NOISE]
    keep(corpus, first, [FERRY[0], BREAD[0], *noise])
    regroup_stories(corpus, first, NOW)
    keep(corpus, second, [FERRY[1], BREAD[1]], first=len(NOISE) + 2)
    counted = []
    monkeypatch.setattr("pipelines.dedup.stories.terms_of", lambda item: counted.append(item.id) or terms_of(item))
    regroup_stories(corpus, second, NOW)
    assert counted == [15, 16]
    assert together(corpus)[:2] == [[1, 15], [2, 16]]


def test_a_changed_text_is_counted_again_and_a_far_one_forgotten(corpus):
    run = corpus.start_run("crawl", NOW)
    keep(corpus, run, [FERRY[0], BREAD[0]])
    regroup_stories(corpus, run, NOW)
    assert stored(corpus) == {1, 2}
    known = corpus.known("https://news.example/0")
    changed = make_article(known.url, KOREAN[0][1], title=KOREAN[0][0], fetched=NOW + hours(9))
    assert corpus.revise(known, changed, run).outcome == "updated"
    assert stored(corpus) == {2}
    later = corpus.start_run("crawl", NOW)
    keep(corpus, later, [KOREAN[1]], first=40 * 24)
    regroup_stories(corpus, later, NOW)
    assert stored(corpus) == {3}
    assert corpus.check() == []


def test_terms_of_another_version_are_not_used(corpus, monkeypatch):
    run = corpus.start_run("crawl", NOW)
    keep(corpus, run, [FERRY[0], FERRY[1], *(("", item.text) for item in NOISE)])
    regroup_stories(corpus, run, NOW)
    corpus._run("UPDATE story_terms SET version = 'older', terms = x''")
    regroup_stories(corpus, run, NOW)
    assert together(corpus)[0] == [1, 2]
    assert corpus._value("SELECT count(*) FROM story_terms WHERE version = 'older'") == 0


def test_an_old_article_brings_its_own_fortnight_and_not_the_years_between(corpus, monkeypatch):
    """Once looked at again, the texts between would push the newest out of what fits."""
    between = corpus.start_run("crawl", NOW)
    keep(corpus, between, [("", item.text) for item in NOISE], first=-400 * 24)
    keep(corpus, between, [FERRY[0]], first=-1000 * 24)
    keep(corpus, between, [BREAD[0]], first=-24)
    run = corpus.start_run("crawl", NOW)
    keep(corpus, run, [FERRY[1]], first=-1000 * 24 + 1)
    keep(corpus, run, [BREAD[1]])
    seen = []
    monkeypatch.setattr("pipelines.flow.group", lambda items: group(noting(items, seen)))
    regroup_stories(corpus, run, NOW)
    told = {row["id"]: row["title"] for row in corpus._rows("SELECT id, title FROM articles")}
    assert [told[key] for key in seen] == [FERRY[0][0], FERRY[1][0], BREAD[0][0], BREAD[1][0]]
