"""Shingles, signatures and the rule: what is a copy, a version, a part, and what only looks like one."""

import html
import random
import subprocess
import sys
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config import DedupConfig
from pipelines.dedup import (
    RECIPE,
    decide,
    fingerprints,
    is_wall,
    minhash,
    normalise,
    resemblance,
    shingles_of,
    sign,
    signature_of,
    similarity_of_signatures,
    text_hash,
    tokens,
)
from pipelines.dedup.compare import likeness, sketch
from pipelines.dedup.decide import MAX_POSTINGS, rank_candidates
from pipelines.records import Candidate, Document, Relevance, Signature

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONFIG = DedupConfig()
RELEVANCE = Relevance(score=9.0, verdict="relevant", terms=())

STORY = """The harbour council of Eastmere voted late on Tuesday to let an automated pilot guide ferries through the inner basin, \
after two years of trials that divided the town.
Supporters said the system had brought every one of its 412 test crossings to the quay without a scratch, and that it never grows tired \
in fog. Opponents answered that nobody could explain why it had twice stopped in open water and refused to go on.
"We do not need a machine that is right most days," said Ottilie Brandt, who has piloted ferries there since 1998. "We need to know \
what it will do on the day it is wrong."
The council attached conditions: a licensed pilot stays on the bridge, every refusal of the system is logged and published within \
7 days, and an independent engineer may stop the trial at any time.
The maker, a firm of 60 people from the next valley, welcomed the vote and promised to open its safety tests to the public by autumn.
A first crossing with passengers is planned for 14 May, weather permitting, and the council will vote again when 1,000 crossings are done."""
OTHER = """A bakery on the market square has begun to sell loaves by subscription, and the queue on Saturdays has halved. Its owner says \
the idea came from her grandmother, who kept a slate behind the counter and never forgot a name. Customers choose a weekday, a flour and \
a crust, and find their bread wrapped on a numbered shelf. The town's other bakers are watching closely; one has already bought shelves."""
KOREAN = """해안시 의회는 화요일 밤 자동 조종 장치가 여객선을 안쪽 부두까지 이끌도록 허용하기로 의결했다. 찬성 측은 이 장치가 시험 운항 412회를 모두 무사히 마쳤다고 \
말했다. 반대 측은 장치가 왜 두 번이나 바다 한가운데에서 멈췄는지 아무도 설명하지 못한다고 맞섰다. 의회는 면허를 가진 조종사가 항상 조타실에 남아야 한다는 조건을 \
붙였다. 장치가 운항을 거부한 기록은 7일 안에 공개해야 하며 독립된 기술자가 언제든 시험을 멈출 수 있다. 제조사는 가을까지 안전 시험을 시민에게 열겠다고 약속했다."""
CHINESE = """海湾市议会周二深夜投票决定，允许自动驾驶系统引导渡轮驶入内港，此前两年的试验让全镇意见分裂。支持者说，该系统完成的412次试航全部平安靠岸，在浓雾中也从不疲倦。\
反对者则回应说，没有人能解释它为什么两次停在开阔水面拒绝前进。议会附加了条件：持证领航员必须留在驾驶台，系统每次拒绝航行都要记录并在7天内公布，独立工程师可以随时叫停试验。"""
JAPANESE = """湾岸市の議会は火曜日の深夜、自動操船装置がフェリーを内港へ導くことを認める議案を可決した。賛成派は、装置が412回の試験航海をすべて無事に終え、霧の中でも疲れることがないと述べた。\
反対派は、装置がなぜ二度も沖で止まり先へ進むことを拒んだのか誰も説明できないと反論した。議会は、免許を持つ操船者が必ず船橋に残ること、拒否の記録を7日以内に公開することを条件に付けた。"""
FIRE = """Fire crews from {town} were called to a blaze at a {what} in {road} at {time} on {day}. {engines} engines attended and {people} \
people were led to safety. Firefighters used hose reels and breathing apparatus to bring the fire under control. The road was closed for \
{hours} hours. The cause is being investigated and anyone who saw what happened is asked to call the station on {phone}."""


def article(text, url="https://new.example/a", title="A vote", publisher="New", published=NOW):
    document = Document(
        url=url, final_url=url, canonical_url="", source="s", publisher=publisher, title=title, byline="", published=published,
        published_origin="feed", language="en", fetched=NOW, blocks=(),
    )  # fmt: skip
    return sign(document, text, RELEVANCE)


def candidate(
    text, number=1, url=None, title="Another", publisher="Old", published=NOW - timedelta(hours=5), cluster=None
):
    return Candidate(
        id=number, url=url or f"https://old{number}.example/a", publisher=publisher, title=title, text=text, text_hash=text_hash(text),
        published=published, fetched=NOW - timedelta(hours=4), cluster=cluster or number,
    )  # fmt: skip


def relation(text, *candidates, **traits):
    return decide(article(text, **traits), candidates, CONFIG).relation


WORDS = [
    a + b
    for a in ("ba", "ke", "lo", "mu", "ri", "so", "ta", "ve", "wi", "zo")
    for b in ("n", "rk", "ld", "mp", "st", "x", "", "gen", "lio", "tta")
]


def prose(seed, sentences):
    chance = random.Random(seed)
    return " ".join(
        " ".join(chance.choice(WORDS) for _ in range(chance.randint(6, 18))).capitalize() + "."
        for _ in range(sentences)
    )


# normal form, tokens, shingles


@pytest.mark.parametrize(
    "copy",
    [
        STORY.replace('"', "\N{LEFT DOUBLE QUOTATION MARK}", 1).replace('"', "\N{RIGHT DOUBLE QUOTATION MARK}"),
        STORY.replace("a", "a\N{SOFT HYPHEN}").replace("the", "th\N{ZERO WIDTH SPACE}e"),
        STORY.replace(" ", "\N{NO-BREAK SPACE}").replace("\n", "  \r\n\n"),
        html.escape(STORY),
        html.escape(html.escape(STORY)),
        STORY.upper(),
        STORY.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
        STORY.replace("fi", "\N{LATIN SMALL LIGATURE FI}"),
    ],
)
def test_what_copying_does_to_letters_leaves_the_text_the_same(copy):
    assert text_hash(copy) == text_hash(STORY)
    assert relation(copy, candidate(STORY)) == "exact"


def test_an_ascii_text_and_its_typeset_form_are_normalised_alike():
    assert normalise('It\'s `so` - "they" said') == normalise("It’s ‘so’ – “they” said")


def test_each_ideograph_is_a_word_and_korean_keeps_its_own():
    assert tokens(normalise("渡轮412次")) == ["渡", "轮", "412", "次"]
    assert tokens(normalise("여객선을 17일 부두까지")) == ["여객선을", "17", "일", "부두까지"]
    assert tokens(normalise("ｆｅｒｒｙがフェリー")) == ["ferry", "が", "フ", "ェ", "リ", "ー"]


@given(st.text(max_size=300))
@settings(deadline=None)
def test_normal_form_twice_is_normal_form_once_for_shingles(text):
    once = normalise(text)
    if "&" not in once:  # "&amp;amp;" holds an entity within
        assert tokens(normalise(once)) == tokens(once)


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_can_be_signed(text):
    found = signature_of(text)
    assert found.recipe == RECIPE
    assert bool(found.minhash) == bool(found.fingerprints) == bool(found.shingles)
    assert all(0 <= value < 2**47 for value in found.fingerprints)


def test_shingles_do_not_depend_on_what_was_read_before():
    code = "from pipelines.dedup import shingles_of; print(shingles_of('one two three four five six').tolist())"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert fresh.strip() == str(shingles_of("one two three four five six").tolist())


def test_fingerprints_of_a_part_are_among_those_of_the_whole():
    whole, part = shingles_of(prose(1, 200)), shingles_of(" ".join(prose(1, 200).split()[:1000]))
    assert len(set(fingerprints(part)) & set(fingerprints(whole))) >= len(part) // 16 - 10
    assert len(fingerprints(shingles_of(OTHER))) >= 8


# signatures


@given(st.integers(1, 60), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_kernel_agrees_with_datasketch(sentences, seed):
    from datasketch import MinHash

    hashes = shingles_of(prose(seed, sentences))
    theirs = MinHash(num_perm=128, seed=1, scheme="affine32", hashfunc=lambda value: value)
    theirs.update_batch((hashes & np.uint64(0xFFFFFFFF)).tolist())
    assert (minhash(hashes) == theirs.hashvalues).all()


def test_stored_signatures_estimate_what_is_measured():
    one, other = prose(3, 60), prose(3, 40) + prose(4, 20)
    assert similarity_of_signatures(signature_of(one), signature_of(other)) == pytest.approx(
        resemblance(one, other), abs=0.13
    )  # three sd
    assert similarity_of_signatures(signature_of(one), signature_of(one)) == 1.0


def test_signatures_of_different_recipes_are_never_compared():
    mine = signature_of(STORY)
    older = Signature(
        recipe="affine32-1-128-w5v0", minhash=mine.minhash, fingerprints=mine.fingerprints, shingles=mine.shingles
    )
    with pytest.raises(ValueError, match="different recipes"):
        similarity_of_signatures(mine, older)


@pytest.mark.fault("H18")
def test_empty_signatures_are_not_alike():
    assert similarity_of_signatures(signature_of("Two words"), signature_of("")) == 0.0


def test_signing_does_not_load_datasketch():
    code = "import sys; from pipelines.dedup import signature_of; signature_of('a b c d e f g'); sys.exit('datasketch' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# walls


@pytest.mark.parametrize(
    "wall",
    [
        "",
        " \n ",
        "Please enable JavaScript and cookies to continue.",
        "429 Too Many Requests\nYou have sent too many requests. Try again later.",
        "Checking your browser before accessing the site. Just a moment...",
        "Are you a robot? To continue, please click the box below to let us know you’re not a robot.",
        "Access denied. You don't have permission to view this page. Ray ID: 7f3a91bc22",
        (
            "We value your privacy. We and our partners store and/or access information on a device, such as cookies. With your consent we process "
            "personal data such as device identifiers for personalised ads. You can accept all or manage settings in our privacy policy at any time."
        ),
        "이 페이지를 보려면 자바스크립트를 활성화해 주세요.",
    ],
)
@pytest.mark.fault("H18")
def test_walls_are_walls_and_match_nothing(wall):
    assert is_wall(wall)
    assert not signature_of(wall).fingerprints
    assert relation(wall, candidate(wall)) == "original"


@pytest.mark.parametrize(
    "text",
    [
        STORY, KOREAN, CHINESE, OTHER,
        ("The regulator fined the ad broker 3 million for ignoring cookie choices. Its inspectors clicked reject on 400 sites in spring and counted "
        "what was stored anyway. The broker says a fault in one release was to blame, and that it has hired an auditor. Consumer groups want more: "
        "they ask that browsers send the choice once for every site. A hearing is set for June, and the broker's shares fell by a tenth."),
        "Short note: the ferry trial begins in May.",
    ],
)  # fmt: skip
def test_articles_are_no_walls(text):
    assert not is_wall(text)


@pytest.mark.fault("H18")
def test_a_text_below_five_words_matches_nothing():
    assert relation("Nothing to see", candidate("Nothing to see")) == "original"


# the rule


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
