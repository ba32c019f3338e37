"""What the pages of the reading room are made of: differences, blocks in place, portions, charts, words, the visit."""

import re
import threading
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from markupsafe import escape

from pipelines.config import Config
from pipelines.serve import difference
from pipelines.serve.charts import chart, monday, week_of
from pipelines.serve.difference import MAX_SENTENCES, additions, compare, folded
from pipelines.serve.fates import Fate, Fold, in_place
from pipelines.serve.fates import folded as folded_fates
from pipelines.serve.portions import MAX_BYTES, paragraphs, portions, weight
from pipelines.serve.readers import Readers
from pipelines.serve.views.search import marked
from pipelines.serve.views.today import VISIT_SECONDS, visited
from pipelines.serve.words import ago, day_name, language_tag, outward, shown, when
from pipelines.store.room.wanted import Cursor
from pipelines.store.values import sentences
from tests import room_subject as subject
from tests.helpers import NOW

SOME_TEXT = some.lists(
    some.sampled_from(["One day. ", "It rained. ", "모델이 숨겼다. ", "It did not rain.\n\n", "He said so! "]),
    max_size=30,
).map("".join)


def joined(runs):
    return "".join(run.text for run in runs)


@settings(max_examples=60, deadline=None)
@given(SOME_TEXT, SOME_TEXT)
def test_two_texts_side_by_side_always_lose_and_move_nothing(before, after):
    pairs = compare(before, after).pairs
    assert [joined(pair.left) for pair in pairs if pair.left] == sentences(before)
    assert [joined(pair.right) for pair in pairs if pair.right] == sentences(after)
    assert all(
        joined(pair.left).casefold().split() == joined(pair.right).casefold().split() for pair in pairs if pair.is_same
    )


@settings(max_examples=30, deadline=None)
@given(SOME_TEXT)
def test_a_text_beside_itself_is_always_the_same(text):
    found = compare(text, text)
    assert all(pair.is_same for pair in found.pairs)
    assert (found.only_left, found.only_right) == (0, 0)
    assert sum(row if isinstance(row, int) else 1 for row in folded(found.pairs)) == len(found.pairs)


def test_only_the_changed_word_is_marked():
    pair = compare("The model hid eleven facts. It slept.", "The model hid twelve facts. It slept.").pairs[0]
    assert [run.text for run in pair.left if run.is_changed] == ["eleven"]
    assert [run.text for run in pair.right if run.is_changed] == ["twelve"]


def test_of_text_without_spaces_only_the_changed_characters_are_marked():
    pair = compare(
        "模型在四十次测试中有十一次隐瞒了自己的行为。", "模型在四十次测试中有十二次隐瞒了自己的行为。"
    ).pairs[0]
    assert [run.text for run in pair.left if run.is_changed] == ["一"]


def test_a_long_passage_in_common_is_folded_and_counted():
    same = " ".join(f"Sentence number {number} stays." for number in range(40))
    rows = folded(compare(f"Old start. {same}", f"Another beginning entirely! {same}").pairs)
    assert 39 in rows or 38 in rows


def test_texts_made_to_cost_hours_are_compared_within_limits(monkeypatch):
    """Hundreds of sentences of the same few words in another order: the classic trap of every diff."""
    asked = []

    class Counting(difference.Budget):
        def takes(self, ours, theirs):
            taken = super().takes(ours, theirs)
            asked.append(ours * theirs if taken else 0)
            return taken

    monkeypatch.setattr(difference, "Budget", Counting)
    compare(
        " ".join(f"{'a b c d e ' * 20}{n}." for n in range(200)),
        " ".join(f"{'b a d c e ' * 20}{n + 7}." for n in range(200)),
    )
    assert 0 in asked
    assert 0 < sum(asked) <= difference.WORD_PAIRS


def test_a_text_of_too_many_sentences_says_that_it_is_cut():
    assert compare("One. " * (MAX_SENTENCES + 5), "Two.").is_cut


def test_what_a_copy_adds_and_leaves_out():
    added, left = additions("It rained. He left. “Well,” she said.", 'It rained. "Well," she said. We asked why.')
    assert added == ["We asked why."]
    assert left == 1


def removed(*rows):
    return [
        {"position": position, "text": text, "kind": "share", "reason": "r", "evidence": "e"} for position, text in rows
    ]


def test_every_block_stands_at_its_place():
    fates = in_place("one\n\ntwo\n\nthree", removed((0, "menu"), (2, "share"), (5, "footer"), (6, "end")))
    assert [fate.text for fate in fates] == ["menu", "one", "share", "two", "three", "footer", "end"]
    assert [fate.is_kept for fate in fates] == [False, True, False, True, True, False, False]


@settings(max_examples=50, deadline=None)
@given(some.lists(some.booleans(), max_size=40))
def test_the_page_is_always_put_together_as_it_was(kept):
    blocks = [f"block {number}" for number in range(len(kept))]
    text = "\n\n".join(block for block, is_kept in zip(blocks, kept, strict=True) if is_kept)
    rows = removed(
        *((number, block) for number, (block, is_kept) in enumerate(zip(blocks, kept, strict=True)) if not is_kept)
    )
    assert [fate.text for fate in in_place(text, rows)] == blocks


@settings(max_examples=50, deadline=None)
@given(some.lists(some.booleans(), max_size=40))
def test_folding_always_keeps_every_block_in_its_order(kept):
    fates = [Fate(text=str(number), is_kept=is_kept, kind="share") for number, is_kept in enumerate(kept)]
    groups = folded_fates(fates, 3)
    assert [fate for group in groups for fate in (group.fates if isinstance(group, Fold) else [group])] == fates
    assert all(
        len(group.fates) >= 3 and sum(count for _, count in group.kinds) == len(group.fates)
        for group in groups
        if isinstance(group, Fold)
    )


def test_blocks_that_do_not_fit_the_text_lose_nothing():
    fates = in_place("only one", removed((7, "far"), (9, "farther")))
    assert sorted(fate.text for fate in fates) == ["far", "farther", "only one"]


@settings(max_examples=50, deadline=None)
@given(some.lists(some.integers(1, 500), max_size=60), some.integers(1, 900))
def test_portions_always_hold_everything_once_and_in_order(sizes, most):
    cut = portions(sizes, lambda size: size, most)
    assert [size for part in cut for size in part] == sizes
    assert all(sum(part) <= most or len(part) == 1 for part in cut)


@given(some.text(max_size=60))
def test_a_text_is_never_heavier_on_a_page_than_was_reckoned(text):
    assert len(str(escape(text)).encode("utf-8", "replace")) <= weight(text)


@pytest.mark.parametrize(
    "text",
    ["'" * 100_000, "x" * 400_000, "글" * 200_000, "a paragraph of some words\n\n" * 9000],
    ids=["quotes", "word", "korean", "book"],
)
def test_no_portion_of_a_text_is_heavier_than_a_page(text):
    parts = portions(paragraphs(text), weight)
    assert max(sum(map(weight, part)) for part in parts) <= MAX_BYTES
    assert re.sub(r"\s", "", "".join(piece for part in parts for piece in part)) == re.sub(r"\s", "", text)


def test_a_chart_has_a_bar_a_week_and_one_scale():
    last = date(2026, 11, 21)
    drawn = chart("x", {week_of(last): 5, week_of(last) - 1: 10, week_of(last) - 99: 7}, last, 13, scale=20)
    assert len(drawn.bars) == 13
    assert (drawn.total, drawn.most, drawn.last.count) == (15, 10, 5)
    assert drawn.last.week == date(2026, 11, 16)
    assert drawn.bars[-2].height == 30


@given(some.dates(date(1971, 1, 1), date(2200, 1, 1)))
def test_a_week_always_begins_on_the_monday_before_its_days(day):
    assert monday(week_of(day)) <= day < monday(week_of(day)) + timedelta(days=7)
    assert monday(week_of(day)).weekday() == 0


@given(some.text(max_size=40).filter(lambda text: "\0" not in text), some.booleans(), some.integers(0, 10**15))
def test_a_place_in_the_list_always_comes_back_from_its_address(text, is_story, number):
    cursor = Cursor(text or "2026", is_story, number)
    assert Cursor.read(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "x", "2026_x5", "_s5", "2026_s", "2026_s-1", "2026_s" + "9" * 40, "2026_s٣"])
def test_what_is_no_place_in_the_list_is_none(text):
    assert Cursor.read(text) is None


def test_marks_that_turn_text_round_are_shown_as_what_they_are():
    assert shown("a\u202ecod.exe\u0007") == "a\ufffdcod.exe\ufffd"
    assert shown("\u200fשלום") == "\u200fשלום"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "",
        "//host/x",
        "https://user:word@host/",
        "JaVaScRiPt://x/%0aalert(1)",
    ],
)
def test_no_link_leads_to_what_is_no_web_page(url):
    assert not outward(url)


def test_times_are_said_as_people_say_them():
    assert day_name("2026-11-20T23:59:00+00:00", NOW).startswith("Yesterday, Friday")
    assert day_name(None, NOW) == "no date"
    assert when("2026-11-05T07:04:00+00:00") == "5 Nov 2026, 07:04"
    assert when("soon") == "soon"
    assert [ago(NOW - timedelta(seconds=seconds), NOW) for seconds in (5, 60, 7200, 90_000, 200_000)] == [
        "just now", "1 minute ago", "2 hours ago", "25 hours ago", "2 days ago",
    ]  # fmt: skip
    assert ago(None, NOW) == "never"


def test_only_codes_a_browser_knows_become_lang():
    assert [language_tag(code) for code in ("ko", "zh-Hant", 'en" onload="x', "", "toolong", "e")] == [
        "ko",
        "zh-Hant",
        "",
        "",
        "",
        "",
    ]


def test_words_of_the_query_are_marked_and_nothing_else():
    assert marked("The models hid; a model hides.", ["model"]) == [
        ("The ", False),
        ("models", True),
        (" hid; a ", False),
        ("model", True),
        (" hides.", False),
    ]
    assert marked("a bad ball", ["ba"]) == [("a bad ball", False)]
    assert marked("종료를 거부", ["종료"]) == [("종료", True), ("를 거부", False)]


def test_nothing_is_new_to_a_first_reader():
    visit = visited("", 40, NOW)
    assert (visit.before, visit.before_at) == (40, 0)


def test_a_visit_ends_when_its_reader_was_away():
    first = visited("", 40, NOW)
    same = visited(str(first), 45, NOW + timedelta(minutes=5))
    later = visited(str(same), 50, NOW + timedelta(hours=9))
    again = visited(str(later), 52, NOW + timedelta(hours=9, minutes=VISIT_SECONDS // 120))
    assert (same.before, same.before_at) == (40, 0)
    assert (later.before, later.before_at) == (45, int((NOW + timedelta(minutes=5)).timestamp()))
    assert (again.before, again.latest) == (45, 52)


@pytest.mark.parametrize("cookie", ["x", "1.2.3", "1.2.3.x", "-1.2.3.4", f"{'9' * 30}.1.1.1", "1.1.99.1"])
def test_a_cookie_of_nobody_is_a_first_visit(cookie):
    assert visited(cookie, 40, NOW).before == 40


@pytest.mark.fault("W07")
def test_a_slow_question_holds_up_nobody_else(tmp_path):
    readers = Readers(subject.fill(tmp_path / "corpus.db"), Config(), count=2)
    slow_began, may_end = threading.Event(), threading.Event()

    def slow(room):
        slow_began.set()
        return may_end.wait(30)

    waiting = readers.ask(slow)
    assert slow_began.wait(30)
    assert readers.ask(lambda room: "answered").result(30) == "answered"
    assert not waiting.done()
    may_end.set()
    assert waiting.result(30)
    readers.close()
