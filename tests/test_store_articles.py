"""Keeping, revising, finding articles and their copies: what goes in comes out, and nothing is lost."""

import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config import Config, DedupConfig
from pipelines.records import Block, Candidate, Hint, Page, Placement, Rejection, Traits
from pipelines.store import Corpus, Filter
from pipelines.store import memory as memory_module
from pipelines.store.values import are_storable, clean_text
from tests.helpers import NOW
from tests.storing import ORDINARY, hours, make_article, make_page

ORIGINAL = Placement(relation="original")
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=80)
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds have no zone here


@pytest.fixture
def corpus():
    with Corpus.open(":memory:", Config(), create=True) as opened:
        yield opened


def near(of, similarity=0.9):
    return Placement(
        relation="near", of=of, cluster=of, similarity=similarity, containment=0.95, evidence="shares much"
    )


@given(STORABLE, STORABLE, STORABLE, st.none() | TIMES, TIMES, st.lists(st.tuples(STORABLE, STORABLE), max_size=3))
@settings(max_examples=40, deadline=None)
def test_store_then_read_gives_back_the_same(title, text, byline, published, fetched, removed):
    blocks = [Block(text=part, kind="share", is_kept=False, reason=reason) for part, reason in removed]
    article = make_article(text=text, title=title, byline=byline, published=published, fetched=fetched)
    article = replace(article, document=replace(article.document, blocks=tuple(blocks)))
    with Corpus.open(":memory:", create=True) as corpus:
        corpus.keep(article, ORIGINAL)
        row = corpus.article("https://a.example/1")
        known = corpus.known(article.url)
        assert (row["title"], row["text"], row["byline"]) == (title, text, byline)
        assert (known.published, known.fetched) == (published, fetched)
        assert [(block["text"], block["reason"]) for block in corpus.removed(1)] == removed
        assert corpus.revise(known, article).outcome == "unchanged"
        assert corpus.article(1) == row
        assert corpus.check() == []


def test_a_row_has_the_columns_of_the_contract_first(corpus):
    corpus.keep(make_article(), ORIGINAL)
    assert list(corpus.article(1))[:19] == [
        "id", "url", "final_url", "source", "publisher", "title", "byline", "published", "published_origin", "fetched", "updated",
        "language", "words", "text", "text_hash", "relevance", "canonical", "cluster", "story",
    ]  # fmt: skip
    assert corpus.article(1)["published"] == "2026-11-21T08:00:00+00:00"


@pytest.mark.fault("D21")
def test_text_that_sqlite_cannot_hold_is_mended_at_the_door(corpus):
    corpus.keep(make_article(text="be\0fore \ud800 after", title="\udfff", removed=("\ud800",)), ORIGINAL)
    assert corpus.article(1)["text"] == "before \ufffd after"
    assert corpus.search("after")
    corpus.reject(Rejection(url="https://a.example/\ud800", stage="clean", reason="too_short", detail="\0"), None, NOW)
    assert corpus.rejections()[0]["detail"] == ""
    assert corpus.known("https://a.example/\ud800") is None


def test_an_article_is_found_by_number_address_and_final_address(corpus):
    corpus.keep(make_article(final_url="https://a.example/end"), ORIGINAL)
    assert corpus.article(1) == corpus.article("https://a.example/1") == corpus.article("https://a.example/end")
    assert corpus.article(2) is None
    assert corpus.article("https://a.example/none") is None


def test_evidence_is_kept(corpus):
    corpus.keep(make_article(removed=("Share this", "Share this", "Follow us")), ORIGINAL)
    assert [row["text"] for row in corpus.removed(1)] == ["Share this", "Share this", "Follow us"]
    assert [row["position"] for row in corpus.removed(1)] == [2, 3, 4]
    assert corpus._value("SELECT count(*) FROM blocks") == 2
    assert corpus.terms(1) == [{"article": 1, "concept": "methods", "term": "shutdown", "weight": 4.0}]


# ----- candidates


def test_candidates_share_fingerprints_or_the_text(corpus):
    corpus.keep(make_article("https://a.example/1", prints=(1, 2, 3, 4)), ORIGINAL)
    corpus.keep(make_article("https://a.example/2", "other words", prints=(1, 90, 91, 92)), ORIGINAL)  # shares one only
    corpus.keep(make_article("https://a.example/3", "more words", prints=(1, 2, 80, 81)), ORIGINAL)
    found = corpus.candidates(make_article("https://b.example/1", prints=(1, 2, 3, 5)))
    assert [(candidate.id, candidate.shared) for candidate in found] == [(1, 4), (3, 2)]
    assert isinstance(found[0], Candidate)
    assert found[0].published == NOW
    assert found[0].cluster == 1


def test_candidates_are_of_the_time_window_but_the_same_text_is_of_any_time(corpus):
    corpus.keep(make_article("https://a.example/1", "old words", published=NOW - hours(24 * 30)), ORIGINAL)
    corpus.keep(make_article("https://a.example/2", "undated words", published=None), ORIGINAL)
    corpus.keep(make_article("https://a.example/3", published=NOW - hours(24 * 300)), ORIGINAL)
    assert {candidate.id for candidate in corpus.candidates(make_article("https://b.example/1"))} == {2, 3}


def test_a_text_without_signature_has_no_candidates(corpus):
    corpus.keep(make_article(), ORIGINAL)
    assert corpus.candidates(make_article("https://b.example/1", prints=())) == ()


def test_candidates_are_capped():
    with Corpus.open(":memory:", Config(dedup=DedupConfig(max_candidates=5)), create=True) as corpus:
        with corpus.transaction():
            for number in range(100):
                corpus.keep(make_article(f"https://a.example/{number}", f"words {number}"), ORIGINAL)
        found = corpus.candidates(make_article("https://b.example/1"))
    assert [candidate.id for candidate in found] == [100, 99, 98, 97, 96]


# ----- clusters


def test_the_earliest_published_stands_for_its_cluster_whatever_the_order_of_arrival():
    ages = [5, 3, None, 1, 4]
    expected = None
    for seed in range(6):
        order = list(range(len(ages)))
        random.Random(seed).shuffle(order)
        with Corpus.open(":memory:", create=True) as corpus:
            first = None
            for index in order:
                published = NOW - hours(ages[index]) if ages[index] is not None else None
                kept = corpus.keep(
                    make_article(f"https://a.example/{index}", published=published), near(first) if first else ORIGINAL
                )
                first = first or kept.id
            rows = list(corpus.articles(Filter(all_copies=True)))
            canonical = [row for row in rows if row["canonical"]]
            assert [row["url"] for row in canonical] == ["https://a.example/0"]
            assert {row["cluster"] for row in rows} == {canonical[0]["id"]}
            assert corpus.check() == []
            found = [row["url"] for row in rows]
            assert found == (expected or found)
            expected = found


def test_a_copy_does_not_write_the_other_copies_anew(corpus):
    first = corpus.keep(make_article(), Placement(relation="original"))
    for number in range(2, 6):
        corpus.keep(make_article(f"https://a.example/{number}", published=NOW + hours(number)), near(first.id))
    before = corpus._connection.total_changes
    corpus._elect(first.id)
    assert corpus._connection.total_changes == before


def test_a_copy_is_kept_with_its_evidence(corpus):
    assert corpus.keep(make_article(), ORIGINAL).outcome == "new"
    assert (
        corpus.keep(make_article("https://b.example/1", published=NOW + hours(1), publisher="Beta"), near(1)).outcome
        == "copy"
    )
    (cluster,) = corpus.clusters()
    assert cluster["canonical"]["id"] == 1
    assert [
        (member["id"], member["relation"], member["similarity"], member["of"]) for member in cluster["members"]
    ] == [(2, "near", 0.9, 1)]
    assert corpus.copies(1)[0]["publisher"] == "Beta"
    assert corpus.copies(2)[0]["publisher"] == "Alpha Daily"
    assert corpus.clusters(article=2) == [cluster]
    assert corpus.clusters(article=99) == []
    assert [row["id"] for row in corpus.articles()] == [1]
    assert [row["id"] for row in corpus.articles(Filter(all_copies=True))] == [1, 2]


def test_a_later_found_original_shows_its_link_too(corpus):
    corpus.keep(make_article(), ORIGINAL)
    corpus.keep(make_article("https://b.example/1", published=NOW - hours(1)), near(1))
    (cluster,) = corpus.clusters()
    assert cluster["canonical"]["id"] == 2
    assert [(member["id"], member["relation"], member["of"]) for member in cluster["members"]] == [(1, "near", 2)]


# ----- versions


def test_a_changed_text_is_a_version_with_a_readable_difference(corpus):
    corpus.keep(make_article(), ORIGINAL)
    changed = ORDINARY.replace("three tests", "four tests")
    later = make_article(text=changed, fetched=NOW + hours(6), prints=(55, 66, 77, 88))
    settled = corpus.revise(corpus.known(later.url), later)
    assert (settled.id, settled.outcome, settled.placement.relation) == (1, "updated", "version")
    (version,) = corpus.versions(1)
    assert version["text"] == ORDINARY
    assert "-It names three tests." in version["diff"]
    assert "+It names four tests." in version["diff"]
    row = corpus.article(1)
    assert (row["text"], row["updated"], row["fetched"]) == (
        changed,
        "2026-11-21T14:00:00+00:00",
        "2026-11-21T08:00:00+00:00",
    )
    assert corpus.search('"four tests"')
    assert not corpus.search('"three tests"')
    assert not corpus.candidates(make_article("https://b.example/1", prints=(11, 22, 33, 44)))
    assert corpus.candidates(make_article("https://b.example/1", prints=(55, 66, 77, 88)))
    assert corpus.check() == []


def test_other_white_space_and_a_better_date_are_no_version(corpus):
    corpus.keep(make_article(published=None), ORIGINAL)
    settled = corpus.revise(
        corpus.known("https://a.example/1"), make_article(text=ORDINARY.replace(" ", "  "), published=NOW - hours(2))
    )
    assert settled.outcome == "unchanged"
    assert corpus.versions(1) == []
    assert corpus.article(1)["text"] == ORDINARY
    assert corpus.article(1)["published"] == "2026-11-21T06:00:00+00:00"
    corpus.revise(corpus.known("https://a.example/1"), make_article(published=None))
    assert corpus.article(1)["published"] == "2026-11-21T06:00:00+00:00"  # a date once known is not lost


def test_a_better_date_elects_again(corpus):
    corpus.keep(make_article(), ORIGINAL)
    corpus.keep(make_article("https://b.example/1", published=NOW + hours(1)), near(1))
    corpus.revise(corpus.known("https://b.example/1"), make_article("https://b.example/1", published=NOW - hours(1)))
    assert [row["id"] for row in corpus.articles()] == [2]


def test_better_rules_refresh_the_evidence(corpus):
    corpus.keep(make_article(removed=("Share this",)), ORIGINAL)
    corpus.revise(
        corpus.known("https://a.example/1"), make_article(removed=("Share this", "Follow us"), title="New title")
    )
    assert [row["text"] for row in corpus.removed(1)] == ["Share this", "Follow us"]
    assert corpus.article(1)["title"] == "New title"
    assert corpus.search("new title")
    assert corpus.check() == []


def test_another_recipe_renews_the_signature_and_is_no_version(corpus):
    corpus.keep(make_article(), ORIGINAL)
    again = make_article(prints=(7, 8, 9))
    again = replace(again, text_hash="another way to hash", signature=replace(again.signature, recipe="test-2"))
    assert corpus.revise(corpus.known(again.url), again).outcome == "unchanged"
    assert corpus.article(1)["text_hash"] == "another way to hash"
    assert corpus.candidates(make_article("https://b.example/1", "other words", prints=(7, 8, 9)))
    assert not corpus.candidates(make_article("https://b.example/1", "other words"))
    assert corpus.check() == []


# ----- filters


def test_filters(corpus):
    for number, (source, language, age) in enumerate([("alpha", "en", 1), ("beta", "ko", 30), ("beta", "en", 50)]):
        article = make_article(
            f"https://a.example/{number}",
            f"words {number}",
            source=source,
            language=language,
            published=NOW - hours(age),
        )
        corpus.keep(article, ORIGINAL)

    def found(**chosen):
        return [row["id"] for row in corpus.articles(Filter(**chosen))]

    assert found() == [3, 2, 1]  # oldest first
    assert found(source="beta", language="en") == [3]
    assert found(since=NOW - hours(40)) == [2, 1]
    assert found(until=NOW - hours(40)) == [3]
    assert found(topic="methods", limit=2) == [3, 2]
    assert found(topic="misuse") == []
    assert found(source="'; DROP TABLE articles; --") == []


# ----- raw pages


@given(st.binary(max_size=200), STORABLE, st.none() | TIMES, TIMES)
@settings(max_examples=25, deadline=None)
def test_a_page_comes_back_as_it_was(body, title, published, fetched):
    page = make_page(
        body=body,
        fetched=fetched,
        final_url="https://a.example/end",
        content_type="text/html; charset=euc-kr",
        source="alpha",
        traits=Traits(publisher=title, language="ko", timezone="Asia/Seoul", is_topical=True),
        hint=Hint(title=title, byline="x", published=published, language="ko", summary=title),
    )
    with Corpus.open(":memory:", create=True) as corpus:
        corpus.keep_raw(page)
        assert corpus.raw_page(page.url) == page
        assert list(corpus.raw_pages()) == [page]


def test_raw_pages_by_source_and_time_and_pruned(corpus):
    for number in range(50):
        corpus.keep_raw(
            make_page(f"https://a.example/{number}", fetched=NOW - hours(number % 25), source="ab"[number % 2])
        )
    assert len(list(corpus.raw_pages())) == 50
    assert len({page.url for page in corpus.raw_pages("a")}) == 25
    assert len(list(corpus.raw_pages(since=NOW - hours(4)))) == 10
    assert corpus.prune_raw(NOW - hours(9)) == 30
    assert len(list(corpus.raw_pages())) == 20
    assert corpus.raw_page("https://a.example/24") is None
    assert isinstance(corpus.raw_page("https://a.example/0"), Page)


def test_raw_pages_of_one_time_are_read_without_sorting_them(corpus, monkeypatch):
    urls = [f"https://a.example/{number}" for number in range(90)]
    for url in urls:
        corpus.keep_raw(make_page(url))
    corpus.keep_raw(make_page("https://a.example/late", fetched=NOW + hours(1)))
    asked = []
    monkeypatch.setattr(corpus, "_rows", lambda sql, values=(): asked.append((sql, values)) or rows(sql, values))
    rows = type(corpus)._rows.__get__(corpus)
    assert [page.url for page in corpus.raw_pages()] == [*urls, "https://a.example/late"]
    plans = [row["detail"] for sql, values in asked for row in rows(f"EXPLAIN QUERY PLAN {sql}", values)]
    assert plans
    assert all("USING INDEX raw_pages_by_time" in plan for plan in plans), plans


# ----- site memory


def test_a_block_of_enough_pages_is_template_until_it_is_forgotten(corpus):
    for _ in range(2):
        corpus.remember("a.example", {1, 2**62}, NOW)
    assert corpus.template("a.example", NOW) == frozenset()
    corpus.remember("a.example", {1}, NOW)
    assert corpus.template("a.example", NOW) == {1}
    assert corpus.template("b.example", NOW) == frozenset()
    assert corpus.template("a.example", NOW + hours(24 * 179)) == {1}
    assert corpus.template("a.example", NOW + hours(24 * 181)) == frozenset()


def test_memory_of_a_site_is_bounded(corpus, monkeypatch):
    monkeypatch.setattr(memory_module, "MAX_HASHES_PER_SITE", 50)
    monkeypatch.setattr(memory_module, "TRIM_SLACK", 10)
    for number in range(20):
        corpus.remember("a.example", {1, *range(number * 10 + 100, number * 10 + 110)}, NOW + hours(number))
    assert corpus._value("SELECT count(*) FROM block_memory") <= 60
    assert corpus.template("a.example", NOW + hours(20)) == {1}


# ----- stories


def test_stories_keep_their_number_when_grouped_again(corpus):
    for number in range(4):
        corpus.keep(
            make_article(
                f"https://a.example/{number}", f"words {number}", title=f"Title {number}", published=NOW + hours(number)
            ),
            ORIGINAL,
        )
    corpus.keep(make_article("https://b.example/1", "words 0", published=NOW + hours(9), publisher="Beta"), near(1))
    items = list(corpus.story_items(NOW - hours(1)))
    assert [(item.id, item.published) for item in items] == [(number + 1, NOW + hours(number)) for number in range(4)]
    corpus.assign_stories({1: "x", 2: "x", 3: "y", 4: "z"}, NOW)
    before = {row["id"]: [item["id"] for item in row["items"]] for row in corpus.stories()}
    assert sorted(before.values()) == [[1, 2], [3], [4]]
    first = next(row for row in corpus.stories() if row["title"] == "Title 0")
    assert (first["articles"], first["publishers"], first["concepts"]) == (3, 2, ["methods"])  # the copy counts too
    corpus.assign_stories({1: "q", 2: "q", 3: "q", 4: "r"}, NOW)
    after = {row["id"]: [item["id"] for item in row["items"]] for row in corpus.stories()}
    assert after == {first["id"]: [1, 2, 3], corpus.article(4)["story"]: [4]}
    assert before[corpus.article(4)["story"]] == [4]
    assert corpus.check() == []


def test_one_story_with_all_its_articles(corpus):
    corpus.keep(make_article(), ORIGINAL)
    corpus.assign_stories({1: "x"}, NOW)
    corpus.keep(make_article("https://b.example/1", published=NOW + hours(1)), near(1))  # a copy comes into the story
    assert [item["id"] for item in corpus.story(1)["items"]] == [1, 2]
    assert corpus.story(1)["articles"] == 2
    assert corpus.check() == []
    assert corpus.story(2) is None


def test_stories_newest_first_and_filtered(corpus):
    for number, language in enumerate(["en", "ko"]):
        article = make_article(
            f"https://a.example/{number}", f"words {number}", language=language, published=NOW - hours(48 * number)
        )
        corpus.keep(article, ORIGINAL)
    corpus.assign_stories({1: 1, 2: 2}, NOW)
    assert [row["items"][0]["id"] for row in corpus.stories()] == [1, 2]
    assert [row["items"][0]["id"] for row in corpus.stories(Filter(since=NOW - hours(24)))] == [1]
    assert [row["items"][0]["id"] for row in corpus.stories(Filter(language="ko"))] == [2]
    assert corpus.stories(Filter(topic="misuse")) == []
    assert len(corpus.stories(Filter(limit=1))) == 1


# ----- upkeep


@pytest.mark.fault("D18")
def test_a_copy_made_while_another_writes_is_whole(tmp_path):
    with (
        Corpus.open(tmp_path / "corpus.db", create=True) as writer,
        Corpus.open(tmp_path / "corpus.db", read_only=True) as reader,
    ):
        writer.keep(make_article(), ORIGINAL)
        with writer.transaction():
            writer.keep(make_article("https://a.example/2"), ORIGINAL)
            reader.backup(tmp_path / "copy.db")
    with Corpus.open(tmp_path / "copy.db", read_only=True) as copy:
        assert [row["id"] for row in copy.articles(Filter(all_copies=True))] == [1]
        assert copy.check() == []
    assert {path.name for path in tmp_path.iterdir()} <= {
        "corpus.db",
        "corpus.db-wal",
        "corpus.db-shm",
        "copy.db",
        "copy.db-shm",
        "copy.db-wal",
    }


@pytest.mark.fault("F05")
def test_what_can_be_derived_is_mended(corpus):
    corpus.keep(make_article(removed=("Share",)), ORIGINAL)
    corpus.keep(make_article("https://b.example/1", published=NOW + hours(1)), near(1))
    before = list(corpus.articles(Filter(all_copies=True)))
    corpus._run("INSERT INTO articles_fts (articles_fts) VALUES ('delete-all')")
    corpus._run("DELETE FROM bands")
    corpus._run("UPDATE articles SET canonical = 0")
    problems = corpus.check()
    assert len(problems) == 3
    assert all("--mend" in problem.mend for problem in problems)
    corpus.mend()
    assert corpus.check() == []
    assert list(corpus.articles(Filter(all_copies=True))) == before
    assert corpus.search("shutdown tests")


def test_stats_count_everything(corpus):
    corpus.keep(make_article(removed=("Share",)), ORIGINAL)
    corpus.keep(make_article("https://b.example/1", published=NOW + hours(1)), near(1))
    corpus.keep_raw(make_page())
    corpus.reject(Rejection(url="https://a.example/x", stage="clean", reason="wall"), None, NOW)
    stats = corpus.stats()
    assert (stats["articles"], stats["canonical"], stats["copies"], stats["clusters"]) == (2, 1, 1, 1)
    assert (stats["removed"], stats["rejections"], stats["relations"], stats["languages"]) == (
        {"share": 1},
        {"wall": 1},
        {"near": 1},
        {"en": 2},
    )
    assert stats["raw_pages"] == 1
    assert stats["database_bytes"] > 0


def test_blocks_of_an_undone_transaction_are_stored_when_they_come_again(corpus):
    article = make_article(removed=("Share this", "Follow us"))

    def kept_and_undone():
        with corpus.transaction():
            corpus.keep(article, ORIGINAL)
            raise LookupError

    with pytest.raises(LookupError):
        kept_and_undone()
    corpus.keep(article, ORIGINAL)
    assert [row["text"] for row in corpus.removed(1)] == ["Share this", "Follow us"]
    assert corpus.check() == []


@given(st.lists(st.text(st.characters(exclude_categories=()) | st.sampled_from("\0\ud800\udfff\x01 a"), max_size=6)))
def test_texts_are_storable_together_when_none_of_them_must_be_changed(texts):
    assert are_storable(texts) == all(clean_text(text) == text for text in texts)


def test_what_a_site_has_is_counted_anew_after_a_transaction_that_was_undone(corpus, monkeypatch):
    monkeypatch.setattr(memory_module, "MAX_HASHES_PER_SITE", 20)
    monkeypatch.setattr(memory_module, "TRIM_SLACK", 2)
    corpus.remember("a.example", range(22), NOW)
    with suppress(RuntimeError), corpus.transaction():
        corpus.remember("a.example", range(100, 110), NOW)
        raise RuntimeError
    for number in range(200, 210):
        corpus.remember("a.example", {number}, NOW)
    assert corpus._value("SELECT count(*) FROM block_memory", ()) <= 22
