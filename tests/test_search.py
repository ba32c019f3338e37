"""Search: any language, any query, best first."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import ConfigError
from pipelines.records import Placement
from pipelines.report import paragraphs, width
from pipelines.store import Corpus, Filter
from pipelines.store.search import MAX_QUERY_CHARS, SNIPPET_COLUMNS, snippet, spaced
from tests.helpers import NOW
from tests.storing import hours, make_article

ORIGINAL = Placement(relation="original")
TEXTS = [  # (title, text, language)
    (
        "Reward hacking in practice",
        "Researchers watched models gaming their rewards and asked how aligned systems behave.",
        "en",
    ),
    (
        "Institute opens",
        "The institute in Seoul opened. OpenAI's staff came; so did AT&T and people who write C++ for GPT-4 at 3.5 percent.",
        "en",
    ),
    ("인공지능 안전연구소 출범", "정부는 인공지능의 정렬 문제를 다루는 연구소를 열었다. 안전은 모두의 일이다.", "ko"),
    ("人工智能安全", "研究人员讨论了对齐问题和人工智能的安全。", "zh"),
    ("AIの安全性", "研究者はアライメントと安全について議論した。テストは三つある。", "ja"),
    ("Über Prüfungen", "Die Behörde prüft Modelle, die sich gegen das Abschalten wehren.", "de"),
]
NASTY = [
    '"', '""', '"""', 'a"b', "C++", "OpenAI's", "AT&T", "3.5", "gpt-4", "state-of-the-art", "AND", "OR", "NOT", "NEAR", "NEAR(a b)", "a AND",
    "NOT a", "(", ")", "((a)", "title:", "nosuch:", "title:a", "*", "a*", "^a", "-a", "+", "{a b}", "a\0b", "\ud800", "%", "_", ";", "--", "'", "\\", "`",
    "🙂", "é", "\u200b", "a" * MAX_QUERY_CHARS, "(" * MAX_QUERY_CHARS, "x " * (MAX_QUERY_CHARS // 2),
]  # fmt: skip


@pytest.fixture(scope="module")
def corpus():
    with Corpus.open(":memory:", create=True) as opened:
        for number, (title, text, language) in enumerate(TEXTS):
            article = make_article(
                f"https://a.example/{number}", text, title=title, language=language, published=NOW - hours(number)
            )
            opened.keep(article, ORIGINAL)
        yield opened


def found(corpus, query, **chosen):
    return [row["id"] for row in corpus.search(query, Filter(**chosen))]


@pytest.mark.parametrize("query", NASTY, ids=ascii)
@pytest.mark.fault("F01")
def test_no_query_raises(corpus, query):
    assert isinstance(corpus.search(query), list)


@given(st.text(max_size=60).filter(str.strip))
@settings(max_examples=150, deadline=None)
@pytest.mark.fault("F01")
def test_arbitrary_text_never_raises(query):
    with Corpus.open(":memory:", create=True) as corpus:
        corpus.keep(make_article(text=f"before {query} after", title=query), ORIGINAL)
        corpus.search(query)


@pytest.mark.parametrize(
    ("query", "saw"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("a" * (MAX_QUERY_CHARS + 1), "501 characters"),
        ("(" * 100_000, "100,000 characters"),
    ],
)
@pytest.mark.fault("F02")
def test_empty_and_endless_queries_are_a_usage_error(corpus, query, saw):
    with pytest.raises(ConfigError, match=saw):
        corpus.search(query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("안전", [3]), ("정렬", [3]), ("연구소", [3]), ("인공지능", [3]), ("인공지능 정렬", [3]),
        ("安全", [4, 5]), ("对齐", [4]), ("人工智能", [4]), ("アライメント", [5]), ("テスト", [5]), ("議論", [5]), ("全安", []),
        ("reward", [1]), ("rewarding", [1]), ("hacks", [1]), ("align", [1]), ("researcher", [1]), ("prufungen", [6]), ("BEHÖRDE", [6]),
        ("OpenAI's", [2]), ("openai", [2]), ("AT&T", [2]), ("C++", [2]), ("gpt-4", [2]), ("3.5", [2]), ("ＧＰＴ", [2]),
        ('"gaming their rewards"', [1]), ('"their gaming rewards"', []), ("their gaming rewards", [1]), ("reward seoul", []),
    ],
)  # fmt: skip
@pytest.mark.fault("F03", "F04")
def test_words_of_every_language_are_found(corpus, query, expected):
    assert sorted(found(corpus, query)) == expected


def test_a_word_in_the_title_counts_more(corpus):
    assert found(corpus, "institute") == [2]
    with Corpus.open(":memory:", create=True) as other:
        other.keep(
            make_article("https://a.example/1", "One shutdown and the rest of the words.", title="Nothing"), ORIGINAL
        )
        other.keep(
            make_article("https://a.example/2", "Nothing of it and the rest of the words.", title="Shutdown"), ORIGINAL
        )
        assert found(other, "shutdown") == [2, 1]


def test_filters_hold(corpus):
    assert found(corpus, "安全", language="ja") == [5]
    assert found(corpus, "安全", since=NOW - hours(3)) == [4]
    assert found(corpus, "安全", source="none") == []
    assert len(found(corpus, "安全", limit=1)) == 1


def test_a_cluster_is_found_once_by_its_canonical_article_or_by_the_copy_that_matches():
    with Corpus.open(":memory:", create=True) as corpus:
        corpus.keep(make_article("https://a.example/1", "The shutdown paper."), ORIGINAL)
        placement = Placement(relation="near", of=1, cluster=1, similarity=0.9, containment=0.9)
        corpus.keep(
            make_article("https://b.example/1", "The shutdown paper. Local reaction.", published=NOW + hours(1)),
            placement,
        )
        assert found(corpus, "shutdown") == [1]
        assert found(corpus, "reaction") == [2]
        assert sorted(found(corpus, "shutdown", all_copies=True)) == [1, 2]


def test_the_snippet_shows_the_hit():
    text = "Opening words. " * 60 + "Here the reward models are hacked by agents. " + "Closing words. " * 60
    cut = snippet(text, ["hacking", "reward"])
    assert "reward models" in cut
    assert cut.startswith("…")
    assert cut.endswith("…")
    assert len(cut) <= SNIPPET_COLUMNS + 2
    assert "hacked" in snippet(text, ["hacking"])
    assert snippet("short text", ["absent"]) == "short text"
    assert "정렬" in snippet("가나다라 " * 100 + "정렬은 " + "마바사 " * 100, ["정렬"])
    assert snippet("", ["word"]) == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("정부는 인공지능의 정렬 문제를 다루는 연구소를 열었다고 밝혔다. " * 30, "정렬"),
        ("研究人员讨论了对齐问题和人工智能的安全" * 30, "对齐"),
        ("研究者はアライメントと安全について議論した" * 30, "議論"),
        ("Die Rechtsschutzversicherungsgesellschaften prüfen Modelle und Abschaltungen. " * 30, "prüfen"),
        ("a\u0301\u0302 e\u0301\u0302 " * 900, "e"),
    ],
)
def test_a_snippet_is_three_lines_of_a_terminal_in_any_script(text, word):
    cut = snippet(text, [word])
    assert word in cut
    assert 2 <= len(paragraphs(cut, 73)) <= 3


@given(st.text(max_size=2000), st.text(min_size=1, max_size=10))
@settings(max_examples=200, deadline=None)
def test_no_text_makes_a_snippet_wide(text, word):
    assert width(snippet(text, [word])) <= SNIPPET_COLUMNS + 2


def test_spacing_twice_finds_the_same_words():
    text = "AI 안전연구소는 人工智能 and テスト"
    assert spaced(spaced(text)).split() == spaced(text).split()
