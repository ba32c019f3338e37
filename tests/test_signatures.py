"""Normal form, shingles, signatures and walls: what a text is compared by."""

import html
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedup import (
    RECIPE,
    fingerprints,
    is_wall,
    minhash,
    normalise,
    resemblance,
    shingles_of,
    signature_of,
    similarity_of_signatures,
    text_hash,
    tokens,
)
from pipelines.records import Signature
from tests.dedup_texts import CHINESE, KOREAN, OTHER, STORY, candidate, prose, relation

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
