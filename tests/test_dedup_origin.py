"""Whom a text names as its origin, in several languages, and what that does to a cluster."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.dedup import dedup, dedup_lines, sign
from pipelines.dedup.origin import is_origin, named_origin
from pipelines.records import Block, Document, Relevance
from tests.dedup_texts import prose
from tests.helpers import NOW

BODY = prose(60, 30)
RELEVANCE = Relevance(score=9.0, verdict="relevant", terms=())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"LONDON (Reuters) - {BODY}", "Reuters"),
        (f"EASTMERE, March 2 (AP) — {BODY}", "AP"),
        (f"{BODY}\nThis article was originally published at Harbour Post.", "Harbour Post"),
        (f"{BODY}\nThis story originally appeared on The Harbour Post and is republished here.", "Harbour Post"),
        (f"{BODY}\nFirst published on harbour-post.example under a free licence.", "harbour-post.example"),
        (f"Republished with permission from Harbour Post.\n{BODY}", "Harbour Post"),
        (f"{BODY}\nDieser Text ist zuerst erschienen bei Hafenbote.", "Hafenbote"),
        (f"{BODY}\nDer Artikel erschien zuerst in der Küstenzeitung.", "Küstenzeitung"),
        (f"{BODY} (dpa)", "dpa"),
        (f"{BODY}\nCe texte a été initialement publié par Le Courrier du port.", "Courrier du port"),
        (f"{BODY}\nPublicado originalmente en «Diario del Puerto».", "Diario del Puerto"),
        (f"(서울=연합뉴스) 김하나 기자 = {BODY}", "Yonhap"),
        (f"{BODY}\n이 기사는 해안일보에 처음 게재되었습니다.", "해안일보"),
        (f"{BODY}\n원문 출처: 해안일보", "해안일보"),
        (f"新华社北京3月2日电 {BODY}", "Xinhua"),
        (f"{BODY}\n来源：海湾日报", "海湾日报"),
        (f"{BODY}\n本文首发于《海湾日报》。", "海湾日报"),
        (f"【湾岸共同】{BODY}", "Kyodo"),
        (f"{BODY}\n湾岸日報より転載", "湾岸日報"),
        (BODY, ""),
        (f"The vote (see below) was close. {BODY}", ""),
        (f"The survey (2019) - the first of its kind. {BODY}", ""),
        ("", ""),
    ],
)
def test_the_origin_a_text_names(text, name):
    assert named_origin(text) == name


@pytest.mark.parametrize(
    ("name", "publisher", "url", "expected"),
    [
        ("Reuters", "Reuters UK", "https://uk.reuters.example/a", True),
        ("Reuters", "", "https://www.reuters.com/a", True),
        ("Yonhap", "연합뉴스", "", True),
        ("Harbour Post", "The Harbour Post", "", True),
        ("harbour-post.example", "", "https://www.harbour-post.example/a", True),
        ("AP", "Apple Weekly", "https://apple-weekly.example/a", False),
        ("Harbour Post", "Eastmere Harbour", "https://eastmere.example/", False),
        ("Reuters", "", "", False),
    ],
)
def test_the_publisher_that_is_named(name, publisher, url, expected):
    assert is_origin(name, publisher, url) is expected


@given(st.text(max_size=400), st.lists(st.text(max_size=60), max_size=3))
def test_any_text_can_be_asked(text, notes):
    assert len(named_origin(text, notes)) <= 60


def document(*blocks):
    return Document(
        url="https://a.example/1", final_url="", canonical_url="", source="a", publisher="A", title="T", byline="",
        published=NOW, published_origin="meta", language="en", fetched=NOW, blocks=blocks,
    )  # fmt: skip


def test_a_credit_that_cleaning_took_out_of_the_text_still_counts_and_a_comment_does_not():
    credit = "Originally published at Harbour Post."
    for kind, name in (("legal", "Harbour Post"), ("other", "Harbour Post"), ("comment", ""), ("related", "")):
        blocks = Block(text=BODY), Block(text=credit, kind=kind, is_kept=False)
        assert sign(document(*blocks), BODY, RELEVANCE).origin == name


LINES = [
    {"id": "gather", "publisher": "Gather", "text": f"LONDON (Reuters) - {BODY}", "time": "2026-03-02T08:00:00Z"},
    {"id": "third", "publisher": "Third", "text": f"{BODY} More below.", "time": "2026-03-02T07:00:00Z"},
    {"id": "wire", "url": "https://www.reuters.com/1", "text": BODY, "time": "2026-03-02T09:00:00Z"},
]


def test_among_lines_the_publisher_of_origin_is_canonical_where_publishers_are_known():
    assert [place.cluster for place in dedup(LINES, time_field="time")] == [2, 2, 2]
    bare = [{key: line[key] for key in ("id", "text", "time")} for line in LINES]
    assert [place.cluster for place in dedup(bare, time_field="time")] == [1, 1, 1]
    out = io.BytesIO()
    dedup_lines((json.dumps(line).encode() + b"\n" for line in LINES), out, time_field="time")
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["cluster"], line["canonical"]) for line in found] == [
        ("wire", False),
        ("wire", False),
        ("wire", True),
    ]


def test_an_origin_that_is_not_among_the_copies_changes_nothing():
    assert [place.cluster for place in dedup(LINES[:2], time_field="time")] == [1, 1]
