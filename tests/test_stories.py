"""Same event in other words."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.dedup.stories import MAX_TEXTS, Pairs, StoryItem, explain, group, join, stem, terms_of
from tests.dedup_texts import prose
from tests.helpers import SHARED

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FERRY = (
    ("Council lets automated pilot guide ferries", "Eastmere's harbour council voted on Tuesday to let an automated pilot steer ferries through the inner basin. Supporters point to 412 safe test crossings. Pilot Ottilie Brandt fears the day the system is wrong."),
    ("A machine at the helm in Eastmere", "Ferries in Eastmere may soon steer themselves. After 412 trial crossings the council gave the automated pilot its blessing, against the warning of veteran pilot Ottilie Brandt that nobody knows why the system refused to sail twice."),
)  # fmt: skip
BREAD = (
    ("Loaves by subscription", "A bakery on the market square sells bread by subscription. Its owner Marta Quill says the Saturday queue has halved since customers find loaves on numbered shelves."),
    ("No more queue for bread", "Marta Quill's bakery has numbered shelves now: whoever holds a subscription takes a loaf and leaves. The Saturday queue on the market square is half as long."),
)  # fmt: skip
KOREAN = (
    ("해안시, 자동 조종 여객선 허용", "해안시 의회가 자동 조종 장치가 여객선을 부두까지 이끌도록 허용했다. 시험 운항 412회가 모두 무사히 끝났다. 조종사 오틸리에 브란트는 장치의 오류를 우려했다."),
    ("여객선이 스스로 항해한다", "자동 조종 장치가 해안시 여객선의 키를 잡는다. 의회는 412회 시험 운항 끝에 허용을 결정했고, 조종사 오틸리에 브란트는 장치가 왜 멈췄는지 모른다고 말했다."),
)  # fmt: skip
NOISE = [  # each in words of its own
    StoryItem(
        id=f"noise{number}", text=" ".join(f"{chr(97 + number)}{word}" for word in prose(500 + number, 12).split())
    )
    for number in range(12)
]


def items(*told, **traits):
    return [StoryItem(id=number, title=title, text=text, **traits) for number, (title, text) in enumerate(told)]


def groups(found):
    by_story = {}
    for key, story in found.items():
        by_story.setdefault(story, []).append(key)
    return sorted(by_story.values(), key=lambda keys: (-len(keys), str(keys)))


def test_one_event_in_other_words_is_one_story():
    told = items(FERRY[0], BREAD[0], KOREAN[0], FERRY[1], KOREAN[1], BREAD[1])
    assert groups(group([*told, *NOISE]))[:3] == [[0, 3], [1, 5], [2, 4]]


def test_a_story_is_named_after_its_earliest_text():
    late, early = items(*FERRY)
    late = StoryItem(id="late", title=late.title, text=late.text, published=NOW)
    early = StoryItem(id="early", title=early.title, text=early.text, published=NOW - timedelta(hours=3))
    assert group([late, early, *NOISE])["late"] == "early"
    assert group([late, early, *NOISE])["early"] == "early"


def test_the_same_words_weeks_later_are_another_event():
    first, second = items(*FERRY)
    first = StoryItem(id=1, title=first.title, text=first.text, published=NOW)
    second = StoryItem(id=2, title=second.title, text=second.text, published=NOW + timedelta(days=20))
    assert group([first, second, *NOISE])[2] == "2"


def test_what_brings_texts_together_can_be_told():
    told = [*items(*FERRY), *NOISE]
    assert {"ottil", "brand", "412"} <= set(explain(told, 0, 1, limit=14))


@given(st.lists(st.sampled_from([*FERRY, *BREAD, *KOREAN, ("", ""), ("x", "")]), max_size=8))
@settings(max_examples=25, deadline=None)
def test_every_item_has_exactly_one_story_and_nothing_is_dropped(told):
    found = group(items(*told))
    assert list(found) == list(range(len(told)))
    assert set(found.values()) <= set(map(str, found))


def pairs(count, values):
    keys = sorted(one * count + other for one, other in values)
    return Pairs(count, np.array(keys), np.array([values[divmod(key, count)] for key in keys]))


def test_no_story_grows_into_a_topic():
    count = MAX_TEXTS + 10
    everything = pairs(count, {(one, other): 0.9 for other in range(count) for one in range(other)})
    assert max(Counter(join(everything, count)).values()) == MAX_TEXTS


def test_a_chain_of_likenesses_is_no_story():
    assert join(pairs(5, {(number, number + 1): 0.14 for number in range(4)}), 5) == [0, 0, 2, 2, 4]


def test_stems_bring_inflected_words_together():
    assert stem("москве") == stem("москва")
    assert stem("élections") == stem("election")
    assert stem("여객선을") == stem("여객선이")
    assert stem("123456") != stem("123457")


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared sample pages")
def test_the_sample_pages_are_two_stories():
    pages = [
        json.loads((SHARED / "seeds" / "text" / f"{name}.json").read_text("utf-8")) for name in ("001", "002", "003")
    ]
    told = [
        StoryItem(id=name, title=page["title"], text="\n".join(page["body"]))
        for name, page in zip(("001", "002", "003"), pages, strict=True)
    ]
    assert groups(group(told)) == [["001", "003"], ["002"]]


def test_terms_stand_in_the_order_of_their_first_places():
    """The sums of weights, and so the last bit of a likeness, depend on it."""
    found = terms_of(StoryItem(id=1, text="Wahlen b 2026 wahl Élection 선거는 electi 選挙 2026"))
    assert list(found.items()) == [("wahle", 1), ("2026", 2), ("wahl", 1), ("elect", 2), ("선거는", 1), ("選挙", 1)]
