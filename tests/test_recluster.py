"""Clusters found anew: the same whatever the order of arrival, and nothing but places is touched."""

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pipelines.config import Config
from pipelines.dedup import RECIPE, sign
from pipelines.flow import recluster, settle
from pipelines.records import Placement, Relevance
from pipelines.store import Corpus, Filter
from tests.cli_helpers import run_cli
from tests.dedup_texts import prose
from tests.helpers import NOW
from tests.storing import make_article

RELEVANCE = Relevance(score=9.0, verdict="relevant", terms=())
ORIGINAL = Placement(relation="original")


def told(number, text, *, age=0.0, url="", dated=True, **more):
    """An article that was signed as the corridor signs it."""
    published = NOW - timedelta(hours=age) if dated else None
    made = make_article(
        url or f"https://paper{number}.example/a",
        text,
        publisher=more.pop("publisher", f"Paper {number}"),
        published=published,
        fetched=NOW + timedelta(minutes=number),
        **more,
    )
    return sign(made.document, text, RELEVANCE)


def copies_of_the_day():
    """Twelve events, each told by several papers: whole, truncated, with other sentences, undated, inside a round-up."""
    chance = random.Random(11)
    articles = []
    for event in range(12):
        text = prose(event, 24)
        sentences = text.split(". ")
        forms = [
            text,
            f"By our own reporter, {prose(100 + event, 1)} {text}",
            ". ".join(sentences[:9]) + ". Read more",
            ". ".join(sentences[4:]) + ".",
            prose(200 + event, 8) + " " + text,
            prose(300 + event, 6) + " " + ". ".join(sentences[12:]),
        ]
        for form in chance.sample(forms, chance.randint(2, 6)):
            number = len(articles)
            articles.append(told(number, form, age=chance.uniform(0, 90), dated=chance.random() > 0.15))
    return articles


def clusters(corpus):
    found = {}
    for row in corpus.articles(Filter(all_copies=True)):
        found.setdefault(row["cluster"], []).append((not row["canonical"], row["url"]))
    return sorted(tuple(url for _, url in sorted(members)) for members in found.values())


def links(corpus):
    sql = """
        SELECT a.url, o.url AS other, c.relation, c.similarity, c.containment
        FROM copies AS c JOIN articles AS a ON a.id = c.article JOIN articles AS o ON o.id = c.of ORDER BY 1
    """
    return corpus._rows(sql)


def arrived(articles, seed):
    corpus = Corpus.open(":memory:", create=True)
    order = list(articles)
    random.Random(seed).shuffle(order)
    for article in order:
        settle(corpus, article)
    return corpus


def test_the_order_of_arrival_matters_little_and_not_at_all_after_reclustering():
    articles = copies_of_the_day()
    expected, by_arrival = None, []
    for seed in range(5):
        with arrived(articles, seed) as corpus:
            by_arrival.append({frozenset(cluster) for cluster in clusters(corpus)})
            done = recluster(corpus)
            found = clusters(corpus), links(corpus)
            assert found == (expected or found)
            expected = found
            assert corpus.check() == []
            assert done["articles"] == len(articles)
            assert done["copies"] == len(articles) - len(found[0])
            assert recluster(corpus)["clusters_changed"] == 0
    reference = {frozenset(cluster) for cluster in expected[0]}
    assert 12 <= len(reference) < len(articles) / 2
    for arrival in by_arrival:
        assert len(arrival & reference) >= 0.8 * len(reference)


def test_a_late_original_brings_its_copies_together():
    text = prose(1, 40)
    words = text.split()
    first, last = " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
    with Corpus.open(":memory:", create=True) as corpus:
        for article in (told(1, first, age=1), told(2, last, age=2), told(3, text, age=9)):
            settle(corpus, article)
        assert len(clusters(corpus)) == 2
        done = recluster(corpus)
        assert (done["clusters"], done["copies"], done["clusters_changed"], done["canonicals_changed"]) == (1, 2, 1, 0)
        assert clusters(corpus) == [
            ("https://paper3.example/a", "https://paper1.example/a", "https://paper2.example/a")
        ]
        assert {row["relation"] for row in links(corpus)} == {"contained"}


def test_only_places_are_touched():
    tables = (
        "articles_fts_docsize",
        "bands",
        "signatures",
        "left_out",
        "blocks",
        "fates",
        "relevance_terms",
        "versions",
    )
    with arrived(copies_of_the_day(), 3) as corpus:
        corpus._run("UPDATE articles SET cluster = id, canonical = 1")
        corpus._run("DELETE FROM copies")
        columns = "id, url, title, text, text_hash, words, published, fetched, source, run, relevance"
        before = [
            corpus._rows(f"SELECT {columns} FROM articles"),
            *(corpus._rows(f"SELECT * FROM {name}") for name in tables),
        ]
        assert recluster(corpus)["clusters_changed"] >= 8
        after = [
            corpus._rows(f"SELECT {columns} FROM articles"),
            *(corpus._rows(f"SELECT * FROM {name}") for name in tables),
        ]
        assert after == before
        assert not corpus._rows("SELECT name FROM sqlite_temp_master")


def test_copies_follow_their_canonical_article_into_its_story_and_empty_stories_go():
    text = prose(5, 20)
    with Corpus.open(":memory:", create=True) as corpus:
        for number in (1, 2):
            corpus.keep(told(number, text + f" Line {number}.", age=9 - number), ORIGINAL)
        corpus.assign_stories({1: "a", 2: "b"}, NOW)
        assert len(corpus.stories()) == 2
        recluster(corpus)
        (story,) = corpus.stories(Filter(all_copies=True))
        assert [row["id"] for row in story["items"]] == [1, 2]
        assert (story["articles"], story["publishers"]) == (2, 2)
        assert corpus.check() == []


def test_another_recipe_is_signed_again_before_anything_is_compared():
    text = prose(6, 30)
    with Corpus.open(":memory:", create=True) as corpus:
        older = told(1, text, age=5)
        corpus.keep(
            replace(
                older, text_hash="older", signature=replace(older.signature, recipe="older", fingerprints=(1, 2, 3))
            ),
            ORIGINAL,
        )
        settle(corpus, told(2, f"{text} And a word more.", age=1))
        corpus._run("DELETE FROM signatures WHERE article = 2")
        corpus._run("DELETE FROM bands WHERE article = 2")
        assert len(clusters(corpus)) == 2
        assert recluster(corpus)["signed_again"] == 2
        assert len(clusters(corpus)) == 1
        assert {row["recipe"] for row in corpus._rows("SELECT recipe FROM signatures")} == {RECIPE}
        assert corpus.article(1)["text_hash"] == older.text_hash
        assert corpus.check() == []


def test_an_interrupted_rebuild_leaves_everything_as_it_was():
    def stop(count):
        if count == 10:
            raise KeyboardInterrupt

    with arrived(copies_of_the_day(), 4) as corpus:
        before = clusters(corpus), links(corpus)
        with pytest.raises(KeyboardInterrupt):
            recluster(corpus, stop)
        assert (clusters(corpus), links(corpus)) == before
        recluster(corpus)
        assert corpus.check() == []


def test_the_publisher_of_origin_stands_for_the_cluster_whatever_came_first():
    text = prose(7, 30)
    aggregated = told(1, f"LONDON (Reuters) - {text}", age=5, publisher="Gather")
    original = told(2, text, age=2, url="https://www.reuters.com/a", publisher="Reuters UK")
    other = told(3, f"{text} More below.", age=8, publisher="Third")
    for order in ([aggregated, original, other], [original, aggregated, other], [other, original, aggregated]):
        with Corpus.open(":memory:", create=True) as corpus:
            for article in order:
                settle(corpus, article)
            assert [row["url"] for row in corpus.articles()] == ["https://www.reuters.com/a"]
            recluster(corpus)
            assert [row["url"] for row in corpus.articles()] == ["https://www.reuters.com/a"]
            assert corpus.check() == []


def test_an_origin_found_later_elects_again():
    text = prose(8, 30)
    with Corpus.open(":memory:", create=True) as corpus:
        settle(corpus, told(1, text, age=5, publisher="Gather"))
        settle(corpus, told(2, text, age=1, publisher="Harbour Post"))
        assert [row["id"] for row in corpus.articles()] == [1]
        note = f"{text}\nThis article was originally published in the Harbour Post."
        settle(corpus, told(1, note, age=5, publisher="Gather"))
        assert [row["id"] for row in corpus.articles()] == [2]


@pytest.fixture
def filled(tmp_path):
    path = tmp_path / "corpus.db"
    with Corpus.open(path, Config(), create=True) as corpus:
        for number in range(3):
            corpus.keep(told(number, prose(9, 20), age=number), ORIGINAL)
    return path


def test_the_command_tells_what_changed(filled, capsys):
    done = run_cli(capsys, "recluster", "--db", filled)
    assert (done.code, done.out) == (
        0,
        "3 articles: 1 cluster of copies with 2 copies; 1 cluster changed, 0 articles became canonical\n",
    )
    done = run_cli(capsys, "recluster", "--json", "--db", filled)
    assert json.loads(done.out) == {
        "articles": 3,
        "clusters": 1,
        "copies": 2,
        "clusters_changed": 0,
        "canonicals_changed": 0,
        "signed_again": 0,
    }


def test_age_is_time_of_publication_else_of_the_first_fetch():
    with Corpus.open(":memory:", create=True) as corpus:
        settle(corpus, told(1, prose(10, 20), dated=False))
        settle(corpus, told(2, prose(10, 20), age=-2))
        recluster(corpus)
        assert [row["id"] for row in corpus.articles()] == [1]


def test_a_template_that_comes_every_week_does_not_make_one_cluster_of_a_year():
    column = prose(70, 30)
    articles = [told(week, f"{column} {prose(400 + week, 4)}", age=week * 7 * 24) for week in range(20)]
    window = timedelta(days=Config().dedup.window_days)
    with arrived(articles, 1) as corpus:
        assert max(spans(corpus)) <= 4 * window  # an earlier one that comes late moves the start
        recluster(corpus)
        assert max(spans(corpus)) == window


def spans(corpus):
    """From the first to the last article of each cluster."""
    sql = "SELECT min(published) AS first, max(published) AS last FROM articles GROUP BY cluster"
    return [datetime.fromisoformat(row["last"]) - datetime.fromisoformat(row["first"]) for row in corpus._rows(sql)]
