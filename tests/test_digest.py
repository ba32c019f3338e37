"""The digest: what came in and nothing else, each story once, and a letter that no page can spoil."""

import email
import json
import re
from datetime import timedelta
from email.policy import default

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import html

from pipelines.digest import RENDERERS, as_html, as_mail, as_markdown, as_text, digest_of, two_sentences
from pipelines.records import Placement
from pipelines.sentences import sentences
from pipelines.store import Corpus
from pipelines.store.filters import Filter
from tests.cli_helpers import EVAL_STORY, KOREAN_STORY, LAW_STORY, run_cli
from tests.helpers import NOW
from tests.storing import hours, make_article

DAY, WEEK = timedelta(days=1), timedelta(days=7)
HOSTILE = '<script>alert(1)</script> <img src=x onerror="x"> \u202eturned\x1b[31m " \' & ]( javascript:'
ENGLISH = [
    "Dr. Smith of the U.S. Senate met J. R. Ort on Jan. 5.",
    "He said no.",
    "It cost 3.5 million, e.g. for tests, at 5 p.m.",
    "The U.S. agreed.",
    'See No. 5 at example.org: "Stop!" she said.',
    "“Go.”",
    "Then version 2.",
    "The end…",
    "Wait . . . what?",
    "Or not?",
]
GERMAN = [
    "Am 3. Oktober traf Dr. Müller z. B. den 2. Vorsitzenden.",
    "Er rief bzw. schrie: „Halt!“",
    "Es waren ca. 5 Mio. Euro usw.",
    "Die Sitzung endete um 14.30 Uhr.",
]
KOREAN = ["정부는 2026. 3. 5. 결과를 공개했다.", "“멈춰야 한다.”", "그는 “그렇다.”라고 덧붙였다.", "비율은 3.5%다!"]
CHINESE = ["研究所于周二公布了结果。", "他说：“必须停止。”", "真的吗？", "是的，占3.5%。"]
JAPANESE = ["研究所は「すべて止める。今すぐだ。」と述べた。", "本当か？", "はい（注。これは注だ）、次に進む。"]


@pytest.mark.parametrize(
    ("language", "between", "parts"),
    [("en", " ", ENGLISH), ("de", " ", GERMAN), ("ko", " ", KOREAN), ("zh", "", CHINESE), ("ja", "", JAPANESE)],
)
def test_sentences_end_where_a_reader_would_say(language, between, parts):
    assert sentences(between.join(parts), language) == parts


@given(st.text(st.sampled_from(list("Ab .!?。！「」“”\n3Drzß가言け")), max_size=60), st.sampled_from(["", "de", "ja"]))
@settings(max_examples=200, deadline=None)
def test_nothing_but_white_space_is_lost_between_sentences(text, language):
    found = sentences(text, language)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(one == one.strip() and one for one in found)


def test_the_two_sentences_are_the_articles_own_and_say_something():
    text = f"By Ann Reporter\n\nTests\n\n{EVAL_STORY}"
    first, second = two_sentences(text, "Evaluations find hidden behaviour", "en")
    assert first == EVAL_STORY.splitlines()[0]
    assert second in EVAL_STORY.splitlines()[1:]
    assert two_sentences("Only this.", "", "en") == ("Only this.",)
    assert two_sentences("", "", "") == ()
    assert len(two_sentences(KOREAN_STORY, "평가", "ko")) == 2
    pointing = (
        "The institute looked at seven models, and three of them failed. The weather was fine that day, wrote a reporter of ours. "
        "They said the repeated examination would come in spring. Seven more wait for the repeated examination in spring."
    )
    assert two_sentences(pointing, "Repeated examination in spring", "en")[1].startswith("Seven more")
    assert two_sentences("word " * 300 + ".", "", "en")[0].endswith("…")


def kept(corpus, url, story=None, *, text=EVAL_STORY, of=None, **values):
    placement = Placement(relation="exact", of=of, cluster=of) if of else Placement(relation="original")
    key = corpus.keep(make_article(url, text.replace("\n", "\n\n"), **values), placement).id
    if story:
        corpus.assign_stories({key: story}, NOW)
    return key


@pytest.fixture
def corpus():
    """Two stories: one told twice and copied once, one in Korean."""
    with Corpus.open(":memory:", create=True) as opened:
        one = kept(opened, "https://a.example/1", title="Evaluations")
        kept(opened, "https://b.example/1", of=one, publisher="Copy & Paste", published=NOW + hours(1))
        other = kept(opened, "https://c.example/1", text=LAW_STORY, publisher="Gamma", published=NOW + hours(2))
        kept(opened, "https://k.example/1", text=KOREAN_STORY, title="평가", publisher="신문", language="ko")
        opened.assign_stories({one: "x", other: "x"}, NOW)
        yield opened


def made(corpus, since=NOW - DAY, until=NOW + DAY, limit=30, chosen=Filter()):  # noqa: B008 - frozen
    return digest_of(
        corpus.news(since, until, WEEK, chosen), since, until, limit, lambda key: corpus.article(key)["text"]
    )


def test_each_story_comes_once_with_who_was_first_and_who_copied(corpus):
    first, second = made(corpus).items
    assert (first.title, first.publishers) == ("Evaluations", 3)
    assert first.first.publisher == "Alpha Daily"
    assert [teller.publisher for teller in first.others] == ["Gamma"]
    assert [teller.publisher for teller in first.copies] == ["Copy & Paste"]
    assert first.concepts == ("methods",)
    assert (second.title, second.language, second.story) == ("평가", "ko", None)
    assert second.sentences[0] == KOREAN_STORY.splitlines()[0]


def test_a_digest_is_what_arrived_in_its_time_and_no_archive(corpus):
    kept(corpus, "https://d.example/late", text="Late.", title="Late", published=NOW - 3 * DAY, fetched=NOW + hours(1))
    kept(corpus, "https://d.example/old", text="Old.", title="Old", published=NOW - 30 * DAY, fetched=NOW + hours(1))
    kept(corpus, "https://d.example/none", text="Undated.", title="Undated", published=None, fetched=NOW + hours(1))
    titles = [item.title for item in made(corpus).items]
    assert sorted(titles) == ["Evaluations", "Late", "Undated", "평가"]
    assert sorted(item.title for item in made(corpus, since=NOW + hours(1)).items) == ["Late", "Undated"]
    assert made(corpus, until=NOW - hours(1)).total == 0


def test_two_days_in_a_row_have_no_article_twice(corpus):
    kept(corpus, "https://d.example/next", text="Next.", title="Next", published=NOW, fetched=NOW + DAY)
    one = made(corpus, since=NOW - DAY, until=NOW + hours(23))
    two = made(corpus, since=NOW + hours(23), until=NOW + 2 * DAY)
    assert {item.article for item in one.items} & {item.article for item in two.items} == set()
    assert [item.title for item in two.items] == ["Next"]


def test_filters_and_the_limit_count_what_is_left_out(corpus):
    assert [item.title for item in made(corpus, chosen=Filter(language="ko")).items] == ["평가"]
    assert made(corpus, chosen=Filter(topic="governance")).total == 0
    short = made(corpus, limit=1)
    assert "and 1 more story" in as_text(short)
    assert all("and 1 more story" in RENDERERS[form](short) for form in RENDERERS)


LOADS = re.compile(
    r"<(?:img|script|link|style|iframe|object|embed|video|audio|source|base|meta http)|url\(|@import|\bon\w+=|srcset|background="
)


def test_the_html_loads_nothing_and_styles_stand_on_elements(corpus):
    text = as_html(made(corpus))
    assert not LOADS.search(text.lower())
    page = html.fromstring(text.encode())
    assert [one.get("lang") for one in page.findall(".//h2")] == ["en", "ko"]
    assert [link.get("href") for link in page.findall(".//a")] == ["https://a.example/1", "https://k.example/1"]
    assert "Copy & Paste" in page.text_content()
    assert page.find(".//title").text.startswith("2 stories")


@given(st.text(max_size=80), st.text(max_size=200), st.text(max_size=30))
@example(HOSTILE, HOSTILE * 3, HOSTILE)
@settings(max_examples=60, deadline=None)
def test_nothing_a_page_says_is_more_than_text(title, text, publisher):
    row = {
        "id": 1,
        "title": title,
        "url": "https://a.example/<b>\"'",
        "publisher": publisher,
        "published": None,
        "fetched": NOW.isoformat(),
    }
    row |= {"language": '"><b>', "relevance": 1.0, "story": None}
    found = digest_of(
        [{"story": None, "arrived": [row], "told": [row], "concepts": [title]}], NOW, NOW, 5, lambda _: text
    )
    page = html.fromstring(as_html(found).encode("utf-8", "replace"))
    tags = [element.tag for element in page.iter()]
    assert set(tags) <= {"html", "head", "meta", "title", "body", "h1", "h2", "div", "p", "bdi", "a"}
    assert tags.count("h2") == 1
    assert tags.count("a") == 1
    for form in RENDERERS:
        shown = RENDERERS[form](found)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert max(len(line) for line in as_text(found).split("\n") if "https://" not in line) <= 72


def test_a_link_leads_to_the_web_or_nowhere(corpus):
    with Corpus.open(":memory:", create=True) as other:
        kept(other, "javascript:alert(1)", title="One [two](three)")
        found = made(other)
    assert "<a" not in as_html(found)
    assert "](javascript" not in as_markdown(found)
    assert "## [Evaluations](https://a.example/1)" in as_markdown(made(corpus))


def test_a_mail_is_text_and_html_with_a_head_nobody_can_forge(corpus):
    kept(corpus, "https://z.example/1", title="Bcc:\r\n\r\n you@evil.example", publisher="Z", text="A. B.")
    for digest in (made(corpus), made(corpus, chosen=Filter(language="ko")), made(corpus, limit=1)):
        mail = email.message_from_bytes(as_mail(digest, "me@example.org", NOW), policy=default)
        assert mail["To"] == "me@example.org"
        assert mail["Bcc"] is None
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
        plain, rich = mail.iter_parts()
        assert plain.get_content().splitlines() == as_text(digest).splitlines()
        assert rich.get_content().splitlines() == as_html(digest).splitlines()
    assert mail["Subject"].startswith("3 stories: Evaluations")


def test_the_command_in_all_its_forms(tmp_path, capsys):
    db = tmp_path / "corpus.db"
    with Corpus.open(db, create=True) as opened:
        kept(opened, "https://a.example/1", title="Evaluations")
    words = ("digest", "--db", db, "--since", "2026-11-01", "--until", "2026-11-30")
    done = run_cli(capsys, *words)
    assert done.out.startswith("1 story, 2026-11-01 00:00 – 2026-11-30 23:59 UTC\n")
    assert "  https://a.example/1\n" in done.out
    assert run_cli(capsys, *words, "--format", "html").out.startswith("<!doctype html>")
    assert run_cli(capsys, *words, "--format", "markdown").out.startswith("# 1 story")
    row = json.loads(run_cli(capsys, *words, "--json").out)
    assert row["first"]["publisher"] == "Alpha Daily"
    assert len(row["sentences"]) == 2
    none = run_cli(capsys, "digest", "--db", db, "--since", "2020-01-01", "--until", "2020-01-02")
    assert (none.code, none.out) == (0, "")
    assert "nothing came in" in none.err
    assert run_cli(capsys, "digest", "--db", db, "--until", "2020-01-02", "--to", "a@b.example")[1:] == ("", "")
    for address in ("nobody", "a@b\nBcc: c@d", "a@b,c@d", "<a@b>"):
        assert run_cli(capsys, *words, "--to", address).code == 2
