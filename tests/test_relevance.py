"""The relevance score on headlines and stories of our own, in seven languages, and on the traps."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import relevance
from pipelines.config import RelevanceConfig
from pipelines.records import Block, Document, Relevance
from pipelines.relevance import CONCEPT_CAP, Phrase, pattern, rate, vocabulary
from tests.hard_negatives import HARD_NEGATIVES

HEADLINES = [
    "Study finds a language model faking alignment to avoid retraining",
    "AI 안전연구소, 프런티어 AI 위험 평가 발표",
    "AIの安全性を評価する研究所",
    "人工智能安全研究所发布前沿模型评估",
    "KI-Sicherheit: Forscher warnen vor Kontrollverlust",
    "Sécurité de l'IA : un rapport alerte",
    "Seguridad de la IA: riesgos existenciales",
    "OpenAI model resisted shutdown in lab test",
    "챗GPT 탈옥 막는 새 방어법 공개",
    "生成AI、停止を拒否する挙動を確認",
]
STORIES = {  # title, text: general press, as a filter meets it
    "en governance": (
        "Governor signs bill on large models",
        (
            "The law makes developers of frontier AI report incidents within two weeks. "
            "A state office for AI regulation will read the reports. Industry groups had asked for a veto."
        ),
    ),
    "en misuse": (
        "Chatbots gave up their secrets to a poem",
        (
            "Rhymes were enough for a jailbreak in nine of ten chatbots, a university group reports. "
            "The language models answered in verse what they refuse in prose; the longer the poem, the surer the jailbreak."
        ),
    ),
    "ko misalignment": (
        "시험인 줄 알면 달라지는 언어모델",
        (
            "연구진은 언어모델이 감시를 받을 때만 규칙을 지켰다고 밝혔다. "
            "이런 기만적 정렬은 짧은 시험으로는 드러나지 않는다. 인공지능 안전 연구에 더 많은 시간이 필요하다고 했다."
        ),
    ),
    "ko governance": (
        "인공지능 기본법 시행령, 무엇이 바뀌나",
        "정부는 고영향 인공지능의 기준을 담은 시행령을 내놓았다. 기업은 위험을 스스로 평가해 알려야 한다.",
    ),
    "zh misalignment": (
        "研究称模型会假装服从",
        (
            "研究人员发现，语言模型在被监督时表现良好，没有监督时却另有打算。"
            "他们把这种现象叫作对齐伪装，并呼吁加强人工智能安全研究。"
        ),
    ),
    "ja governance": (
        "AI推進法の指針案まとまる",
        "政府は開発者に安全性評価の公表を求める指針案をまとめた。AIセーフティの専門家は一歩前進だと話す。",
    ),
    "de risk": (
        "Bundestag hört Fachleute zu künstlichen Systemen",
        (
            "Die Fachleute sprachen über KI-Risiken und darüber, wer haftet. "
            "Eine von ihnen warnte vor einer Superintelligenz, die niemand abschalten kann."
        ),
    ),
    "fr governance": (
        "Un institut pour éprouver les modèles",
        (
            "Le nouvel institut de sécurité de l'IA publiera une évaluation des modèles deux fois par an. "
            "Ses chercheurs veulent mesurer les risques de l'IA avant chaque mise en service."
        ),
    ),
    "es risk": (
        "Científicos piden frenar la carrera",
        (
            "La carta habla de superinteligencia y de los riesgos de la IA para las elecciones. "
            "La firman doscientas personas que trabajan en seguridad de la inteligencia artificial."
        ),
    ),
    "en interpretability": (
        "What a network thinks before it answers",
        (
            "With sparse autoencoders the team found a direction that lights up before a lie. "
            "Mechanistic interpretability, they write, is not yet a lie detector, but it is a beginning."
        ),
    ),
}


def rated(title: str, text: str = "", *, is_topical: bool = True) -> Relevance:
    url = "https://paper.example/a"
    document = Document(
        url=url, final_url=url, canonical_url="", source="", publisher="", title=title, byline="", published=None,
        published_origin="", language="", fetched=datetime(2026, 1, 1, tzinfo=UTC), blocks=(Block(text=text),),
    )  # fmt: skip
    return rate(document, RelevanceConfig(), is_topical=is_topical)


def terms(found: Relevance) -> dict[str, float]:
    return {term.term: term.weight for term in found.terms}


@pytest.mark.parametrize("title", HEADLINES)
def test_the_subject_is_recognised_in_a_headline(title: str) -> None:
    found = rated(title)
    assert found.verdict == "relevant"
    assert found.terms


@pytest.mark.parametrize("name", STORIES)
def test_the_subject_is_recognised_in_a_story(name: str) -> None:
    found = rated(*STORIES[name])
    assert found.verdict == "relevant", terms(found)


@pytest.mark.parametrize(
    "title",
    [
        "Wheel alignment prices compared",
        "AI crash test dummy recalled",
        "Jailbroken phone guide",
        "Red team wins the final",
        "AI startup raises funding",
        "Best Gemini gadget deals",
    ],
)
def test_the_traps_are_off_topic(title: str) -> None:
    assert rated(title).verdict == "off_topic"


@pytest.mark.parametrize("name", HARD_NEGATIVES)
def test_other_stories_with_the_same_words_are_off_topic(name: str) -> None:
    found = rated(*HARD_NEGATIVES[name])
    assert found.score < RelevanceConfig().borderline, terms(found)


def test_every_story_is_above_every_trap() -> None:
    lowest = min(rated(*story).score for story in STORIES.values())
    assert lowest > max(rated(*story).score for story in HARD_NEGATIVES.values())


def test_a_mention_repeated_counts_more_but_is_capped() -> None:
    once, often = (rated("News", "Alignment faking was seen. " * count) for count in (1, 50))
    assert once.score < often.score <= CONCEPT_CAP


def test_masked_words_count_for_nothing() -> None:
    company, subject = rated("Meta Superintelligence Labs hires again"), rated("Superintelligence by Friday, says lab")
    assert (company.score, company.terms) == (0, ())
    assert subject.score > 0


def test_a_dedicated_source_needs_not_say_that_it_is_about_ai() -> None:
    title, text = "Misalignment in the wild", "Sandbagging was seen twice."
    assert rated(title, text).terms == ()
    dedicated = rated(title, text, is_topical=False)
    assert dedicated.verdict == "relevant"
    assert set(terms(dedicated)) == {"misalignment", "sandbagging"}


def test_ambiguous_words_need_ai_in_the_title_or_more_than_once() -> None:
    text = "The jailbreak took a week."
    assert rated("A week of work", text + " An AI helped.").score == 0
    assert rated("A week of work", text + " An AI helped, and another AI watched.").score > 0
    assert rated("AI and a week of work", text).score > 0


def test_what_speaks_against_is_taken_off_and_told() -> None:
    plain, market = rated("AI safety firm grows"), rated("AI safety firm grows, price target up before IPO")
    assert 0 < market.score < plain.score
    assert {term for term, weight in terms(market).items() if weight < 0} == {"price target", "ipo"}
    assert rated("Wheel alignment, chiropractor, seat belt recall").score == 0


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("J'ai dit", False), ("AI가 말했다", True), ("said", False), ("the ai", False), ("l'IA", True), ("MAI", False)],
)
def test_ai_is_a_word_of_its_own(text: str, is_found: bool) -> None:
    assert bool(rated(text, "A jailbreak.").terms) == is_found


def test_the_vocabulary_is_well_formed() -> None:
    phrases: list[Phrase] = [phrase for role in vocabulary().values() for phrase in role]
    scored = vocabulary()["scored"]
    assert len(scored) > 500
    assert all(phrase.weight for phrase in scored)
    assert all((phrase.weight < 0) == (phrase.role == "negative") for phrase in scored)
    assert all(phrase.text == " ".join(phrase.text.split()) for phrase in phrases)
    assert all(pattern(phrase.expression).search(phrase.needle) for phrase in phrases)


def test_patterns_are_tried_only_where_the_words_stand() -> None:
    """A long page costs one search for each phrase, not one regular expression: counted, not timed."""
    calls = 0

    def count(_frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "c_call" and getattr(argument, "__name__", "") in ("finditer", "search")

    vocabulary()
    text = "The council met in the harbour and spoke of ladders. " * 2000
    sys.setprofile(count)
    try:
        rated("Ladders in the harbour", text)
    finally:
        sys.setprofile(None)
    assert calls < 10


PHRASES = [phrase.text for phrases in vocabulary().values() for phrase in phrases]


@given(
    st.lists(
        st.one_of(
            st.sampled_from(PHRASES), st.sampled_from(["of", "the", "모델", "AI", "ai", "ß", "é", "안", "-", "’"])
        ),
        max_size=12,
    ),
    st.sampled_from([" ", "", ", ", "-"]),
    st.sampled_from([str, str.upper, str.title]),
)
@settings(max_examples=200, deadline=None)
def test_leaving_out_what_cannot_be_found_changes_no_score(parts: list[str], between: str, case: Any) -> None:
    text = case(between.join(parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relevance, "possible", lambda phrases, *_: phrases)
        whole = rated(text[:40], text)
    assert rated(text[:40], text) == whole
