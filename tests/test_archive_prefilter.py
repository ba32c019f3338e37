"""The look at a page's bytes lets nothing through unseen that the stages would have kept."""

from datetime import UTC, datetime
from html import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.archive.prefilter import may_be_topical
from pipelines.config import RelevanceConfig
from pipelines.records import Block, Document, Page
from pipelines.relevance import rate, vocabulary
from tests.cli_helpers import EVAL_STORY, GADGET_STORY, KOREAN_STORY
from tests.cli_helpers import page as page_of
from tests.helpers import NOW

PHRASES = [phrase for phrases in vocabulary().values() for phrase in phrases]
FILLERS = ["the", "harbour", "Tuesday", "said", "1,200", "요금", "天气", "über", "café", "—", "AIM", "maintain", "safe"]
JOINTS = [" ", "\n", "&nbsp;", " <b>", "</i> ", "<!-- -->", "\u00a0"]


def page(body, content_type="text/html; charset=utf-8"):
    body = body.encode() if isinstance(body, str) else body
    return Page(url="https://paper.example/1", body=body, fetched=NOW, content_type=content_type)


def document(title, text):
    return Document(
        url="https://paper.example/1",
        final_url="",
        canonical_url="",
        source="",
        publisher="",
        title=title,
        byline="",
        published=None,
        published_origin="",
        language="",
        fetched=datetime(2026, 11, 1, tzinfo=UTC),
        blocks=(Block(text=text),),
    )


words = st.lists(
    st.sampled_from(FILLERS) | st.sampled_from([phrase.text for phrase in PHRASES]), min_size=1, max_size=12
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a machine with other work is no fault
@given(title=words, text=words, is_loud=st.booleans(), joint=st.sampled_from(JOINTS))
def test_what_the_stages_find_relevant_always_passes(title, text, is_loud, joint):
    title, text = " ".join(title), ". ".join(text)
    if is_loud:
        title, text = title.upper(), text.upper()
    found = rate(document(title, text), RelevanceConfig(), is_topical=True)
    markup = escape(text).replace(" ", joint)
    html = f"<html><head><title>{escape(title)}</title></head><body><p>{markup}</p></body></html>"
    assert found.verdict == "off_topic" or may_be_topical(page(html)), (found, html)


@pytest.mark.parametrize("apostrophe", ["'", "&#39;", "&#x27;", "&apos;", "&rsquo;", "\u2019", "&#8217;"])
def test_an_apostrophe_may_be_written_in_any_way(apostrophe):
    assert may_be_topical(page(f"<p>Les risques de l{apostrophe}IA</p>"))


def test_a_soft_hyphen_does_not_end_a_word():
    assert may_be_topical(page("<p>Was AI safe&shy;ty heißt</p>"))


CHARSETS = {"zh": "gb18030", "ko": "euc-kr", "ja": "shift_jis", "de": "iso-8859-1", "fr": "windows-1252", "es": "utf-8"}
SAMPLES = {
    "zh": "人工智能安全",
    "ko": "인공지능 안전",
    "ja": "AIアライメント",
    "de": "Künstliche Intelligenz Kontrollverlust",
    "fr": "intelligence artificielle alignement de l'IA",
    "es": "seguridad de la IA",
}


@pytest.mark.parametrize("language", CHARSETS)
@pytest.mark.parametrize("is_told", ["by the header", "by the page", "as references"])
def test_other_charsets_are_read_as_the_page_says(language, is_told):
    positive = {phrase.text: phrase for phrase in vocabulary()["scored"] if phrase.role == "positive"}
    text = next((text for text in positive if text in SAMPLES[language]), "") or SAMPLES[language]
    if rate(document(text, text), RelevanceConfig(), is_topical=True).verdict == "off_topic":
        text = next(
            phrase.text
            for phrase in positive.values()
            if phrase.text.encode(CHARSETS[language], "ignore") and not phrase.text.isascii()
        )
    charset = CHARSETS[language]
    head = f"<meta charset={charset}>" if is_told == "by the page" else ""
    body = f"<html><head>{head}</head><body><p>{text}</p></body></html>"
    if is_told == "as references":
        found = page("".join(f"&#{ord(letter)};" for letter in text * 300), "text/html")
    else:
        kind = f"text/html; charset={charset}" if is_told == "by the header" else "text/html"
        found = page(body.encode(charset, "replace"), kind)
    assert may_be_topical(found)


@pytest.mark.parametrize("story", [EVAL_STORY, KOREAN_STORY])
def test_stories_of_the_topic_pass_and_others_do_not(story):
    assert may_be_topical(page(page_of("Title", story)))
    assert not may_be_topical(page(page_of("Title", GADGET_STORY)))


def test_a_word_that_stands_only_in_scripts_or_addresses_is_none():
    script = '<script>let topic = "ai safety"</script><style>.ai-safety {}</style><a href="/ai-safety">More</a>'
    assert not may_be_topical(page(f"<html><body>{script}<p>Headphones for the pier</p></body></html>"))
    assert may_be_topical(page('<html><script type="application/ld+json">{"headline": "AI safety"}</script></html>'))
    assert may_be_topical(page('<html><meta property="og:title" content="AI safety"></html>'))


def test_what_cannot_be_searched_passes():
    assert may_be_topical(page("<p>Headphones</p>".encode("utf-16")))


@pytest.mark.parametrize("charset", ["none", "foo", "hex", "x-sjis", "windows-949", "ISO-8859-1"])
def test_a_charset_that_nobody_knows_costs_nothing(charset):
    told = f"<html><head><meta charset={charset}></head><body><p>A harbour counts its ropes.</p></body></html>"
    assert not may_be_topical(page(told.encode(), f"text/html; charset={charset}"))


@pytest.mark.parametrize(
    ("codec", "charset"),
    [("iso2022_jp", "iso-2022-jp"), ("cp932", ""), ("euc_jp", ""), ("cp932", "x-sjis"), ("gb18030", "utf-8")],
)
def test_letters_that_are_not_what_they_claim_are_let_through(codec, charset):
    text = "人工智能安全" if codec == "gb18030" else "人工知能の安全性 AI安全性 人工知能"
    body = f"<html><head><meta charset='{charset}'></head><body><p>{text * 3}</p></body></html>".encode(codec)
    assert may_be_topical(page(body, f"text/html; charset={charset}" if charset else "text/html"))
