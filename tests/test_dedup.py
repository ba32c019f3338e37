"""The rule: what is a copy, a version, a part, and what only looks like one."""

import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedup import decide
from pipelines.dedup.compare import likeness, sketch
from pipelines.dedup.decide import MAX_POSTINGS, rank_candidates
from tests.dedup_texts import (
    CHINESE,
    CONFIG,
    FIRE,
    JAPANESE,
    KOREAN,
    NOW,
    OTHER,
    STORY,
    article,
    candidate,
    prose,
    relation,
)


@given(st.integers(0, 10_000), st.integers(5, 60))
@settings(max_examples=25, deadline=None)
def test_a_text_is_its_own_near_duplicate(seed, sentences):
    text = prose(seed, sentences)
    found = likeness(sketch(text), sketch(text))
    assert found.jaccard == found.containment == 1.0
    assert relation(text, candidate(text)) == "exact"
    assert relation("Breaking news now: " + text, candidate(text)) == "near"


@given(st.integers(0, 10_000), st.integers(5, 40), st.integers(1, 20))
@settings(max_examples=25, deadline=None)
def test_an_unrelated_block_lowers_similarity(seed, sentences, more):
    text = prose(seed, sentences)
    whole, longer = sketch(text), sketch(text + "\n" + prose(seed + 1, more))
    assert likeness(whole, longer).jaccard < 1.0
    assert likeness(whole, longer).containment >= 0.99
    assert likeness(whole, longer) == likeness(longer, whole)


def test_another_headline_dateline_and_typeset_quotes_are_a_near_copy():
    copy = "EASTMERE, March 2 (Wire) — By Jo Penn\n" + STORY.replace('"', "”").replace("a firm of", "a company of")
    placement = decide(article(copy, title="Ferries may steer themselves"), (candidate(STORY, 7, cluster=3),), CONFIG)
    assert (placement.relation, placement.of, placement.cluster) == ("near", 7, 3)
    assert placement.similarity > 0.8
    assert "#7" in placement.evidence
    assert "\n" not in placement.evidence


def test_a_truncated_copy_is_contained():
    teaser = " ".join(STORY.split()[:75]) + " … Read more"
    placement = decide(article(teaser), (candidate(STORY),), CONFIG)
    assert placement.relation == "contained"
    assert placement.similarity < 0.5
    assert placement.containment > 0.9


def test_a_longer_article_that_holds_a_known_one_is_contained_too():
    placement = decide(article(prose(5, 40) + "\n" + STORY), (candidate(STORY),), CONFIG)
    assert placement.relation == "contained"
    assert placement.evidence.startswith("holds ")


@pytest.mark.parametrize("text", [KOREAN, CHINESE, JAPANESE], ids=["ko", "zh", "ja"])
def test_copies_in_scripts_of_their_own(text):
    assert relation("새 소식 " + text.replace("412", " 412 "), candidate(text)) == "near"
    half = unicodedata.normalize("NFD", text[: len(text) * 2 // 5])
    assert relation(half, candidate(text)) == "contained"
    assert relation(text, candidate(STORY), candidate(OTHER, 2)) == "original"


def test_a_translation_is_no_copy():
    assert relation(KOREAN, candidate(STORY), candidate(CHINESE, 2), candidate(JAPANESE, 3)) == "original"


def test_template_stories_with_other_figures_are_no_copies():
    one = FIRE.format(
        town="Eastmere",
        what="flat",
        road="Mill Road",
        time="4.52pm",
        day="Monday",
        engines="Four",
        people="12",
        hours="3",
        phone="555 0101",
    )
    other = FIRE.format(
        town="Eastmere",
        what="flat",
        road="Mill Road",
        time="7.15am",
        day="Monday",
        engines="Two",
        people="5",
        hours="6",
        phone="555 0101",
    )
    assert likeness(sketch(one), sketch(other)).containment > 0.6
    assert relation(other, candidate(one)) == "original"


def test_words_that_many_clusters_share_prove_nothing():
    tail = prose(9, 10)
    known = [candidate(prose(20 + number, 3) + "\n" + tail, number) for number in range(1, 8)]
    assert relation(prose(40, 3) + "\n" + tail, *known) == "original"
    assert relation("An extra line up here. " + known[2].text, *known) == "near"


def test_a_follow_up_with_the_same_background_is_no_copy():
    background = STORY.split("\n")[1]
    assert relation(prose(11, 12) + "\n" + background, candidate(STORY)) == "original"


def test_a_quotation_is_no_copy():
    quote = STORY.split("\n")[2]
    assert (
        relation(
            f"Critics were not convinced by the vote on Tuesday night. {quote} Others shrugged and went home early.",
            candidate(STORY),
        )
        == "original"
    )


def test_two_pages_of_one_site_must_be_alike_as_wholes():
    tail = prose(12, 8)
    known = candidate(prose(13, 2) + "\n" + tail, url="https://new.example/b", publisher="New")
    other_site = replace(known, url="https://old.example/b", publisher="Old")
    longer = prose(14, 20) + "\n" + tail
    assert relation(longer, other_site) == "contained"
    assert relation(longer, known) == "original"
    assert (
        relation(" ".join(STORY.split()[:90]), candidate(STORY, url="https://new.example/b", publisher="New"))
        == "original"
    )


def test_the_same_publisher_telling_it_again_is_a_version():
    changed = STORY.replace("Brandt", "Brand") + "\nThe council's vote was 9 to 4, its clerk added on Wednesday."
    known = candidate(STORY, url="https://new.example/b", publisher="New", title="A Vote")
    assert relation(changed, known, title="A vote") == "version"
    assert relation(changed, known, title="Corrected: nine votes to four") == "version"
    assert relation(changed, known, title="A vote", published=NOW - timedelta(days=1)) == "near"


def test_the_page_itself_is_not_its_own_copy():
    assert relation(STORY, candidate(STORY, url="https://new.example/a")) == "original"


def test_copies_travel_in_days():
    old = candidate(STORY, published=NOW - timedelta(days=40))
    copy = "One line more. " + STORY
    assert relation(copy, old) == "original"
    assert relation(copy, candidate(STORY, published=None)) == "near"
    assert relation(STORY, old) == "exact"
    note = "The harbour office leaves its fees for visiting boats unchanged until further notice."
    assert relation(note, candidate(note)) == "exact"
    assert relation(note, candidate(note, published=NOW - timedelta(days=40))) == "original"


def test_the_best_match_names_the_cluster():
    part, whole = candidate(" ".join(STORY.split()[:80]), 1), candidate(STORY, 2)
    placement = decide(article("Tonight: " + STORY), (part, whole), CONFIG)
    assert (placement.of, placement.cluster) == (2, 2)


def test_candidates_are_ranked_by_telling_fingerprints():
    common = [(fingerprint, list(range(100, 0, -1))) for fingerprint in range(3)]
    rare = [(10, [7]), (11, [7]), (12, [9])]
    ranked = rank_candidates(common + rare, limit=5)
    assert ranked[0] == (7, 2)
    assert len(ranked) == 5
    assert all(article > 100 - MAX_POSTINGS for article, _ in ranked[1:])
    assert 9 not in dict(ranked)


def test_one_corrected_figure_is_no_other_story():
    from pipelines.dedup.numbers import agree, figures

    assert agree(figures(["tested", "200", "times", "in", "all"]), figures(["tested", "300", "times", "in", "all"]))
    assert not agree(
        figures(["revenue", "210", "and", "profit", "31", "in", "march", "4"]),
        figures(["revenue", "290", "and", "profit", "44", "in", "march", "9"]),
    )
