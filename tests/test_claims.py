"""Titles, writers and dates, on pages written in the shape in which they were once taken wrongly."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.authors import names_in
from pipelines.claims import Claims
from pipelines.config import ExtractConfig
from pipelines.dates import moment, time_ago, written_date
from pipelines.extract import extract
from pipelines.headline import is_site_name, title_of, without_site
from pipelines.records import Document, Hint, Page, Traits
from tests.helpers import NOW

HEADLINE = "Harbour master counts every rope in Tarnhaven"
TEXT = [
    "The harbour master of Tarnhaven has counted every rope on the quay, and on Tuesday she told the council that there are nine too few of them.",
    "Nobody can say where the ropes went, she added, but the harbour is small and the master has a list with the name of every boat on it.",
    "The council will look at the list next week and decide whether ropes must be numbered, as the boats of the town have been for forty years.",
]
LINKED = '<script type="application/ld+json">{}</script>'


def document(head="", body="", lang="", **more):
    paragraphs = "".join(f"<p>{text}</p>" for text in TEXT)
    markup = f"<!doctype html><html lang='{lang}'><head>{head}</head><body>{body}<div>{paragraphs}</div></body></html>"
    page = Page(**{"url": "https://tarnhaven-post.example/a/1", "body": markup.encode(), "fetched": NOW, **more})
    found = extract(page, ExtractConfig())
    assert isinstance(found, Document), found
    return found


@pytest.mark.parametrize(
    ("head", "body"),
    [(f"<title>{HEADLINE} - Local - Coast - The Tarnhaven Post</title>", f"<div>{HEADLINE}</div>"),
     (f"<title>The Tarnhaven Post : Coast / Harbours : {HEADLINE}</title>", f"<b>{HEADLINE}</b>"),
     (f"<title>{HEADLINE}_Coast_Post Online</title>", f"<div>{HEADLINE}</div>"),
     (f"<title>{HEADLINE} - The Tarnhaven Post</title>", "<h1>The Tarnhaven Post</h1>"),
     (f"<title>Old Ropes and Nets: {HEADLINE}</title><meta property=og:title content='{HEADLINE}'>", "<h1>Old Ropes and Nets</h1>"),
     ("<title>Coast Pages Update Service</title>", f"<h3>{HEADLINE}</h3>"),
     ("", f"<h3>{HEADLINE}</h3>"),
     ("<title>Post &gt; Coast &gt; News</title>", f"<h1>{HEADLINE}</h1>"),
     ("<title>Ropes go missing in Tarnhaven</title><meta property=og:title content='Every rope counted in Tarnhaven harbour'>", f"<h1>{HEADLINE}</h1>"),
     (LINKED.format('{"@type":"NewsArticle","headline":"' + HEADLINE.replace("every", "&#101;very") + '"}'), "")],
)  # fmt: skip
def test_the_headline_is_what_a_reader_sees(head, body):
    assert document(head, body).title == HEADLINE


def test_words_before_the_headline_stay_when_others_have_them_too():
    whole = f"Lost property: {HEADLINE}"
    head = f"<title>{whole} - Tarnhaven Post</title><meta property=og:title content='{whole}'>"
    assert document(head, f"<h1>{HEADLINE}</h1>").title == whole
    assert document(f"<title>{whole}</title>", f"<h1>{HEADLINE}</h1>").title == HEADLINE


def test_a_heading_that_holds_a_kicker_is_not_the_headline():
    head = f"<title>{HEADLINE} | Post</title><meta property=og:title content='{HEADLINE}'>"
    assert document(head, f"<h1><span>Coast</span> {HEADLINE}</h1>").title == HEADLINE


def test_a_feed_names_the_part_of_the_title_that_is_meant():
    found = document(f"<title>Coast Watch - {HEADLINE} - News, Tides and Nets</title>", hint=Hint(title=HEADLINE))
    assert found.title == HEADLINE


def test_the_publishers_name_in_machine_data_is_a_site_name():
    data = '{"@type":"NewsArticle","publisher":{"@type":"Organization","name":"Nets and Knots"}}'
    assert document(LINKED.format(data) + f"<title>Nets and Knots - {HEADLINE}</title>").title == HEADLINE


@given(st.text(max_size=80), st.sets(st.text(alphabet="abcdef", min_size=2, max_size=6), max_size=4))
def test_a_title_is_never_emptied_of_what_is_no_site_name(title, names):
    found = without_site(title, names)
    assert found in title
    if not is_site_name(title, names):
        assert found or not title.strip(" |-–—:»«·•/_>@")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=3), st.text(max_size=80), st.text(max_size=80))
def test_no_claims_make_the_title_fail(headings, tag, shared):
    claims = Claims(metas={"og:title": shared}, title_tag=tag, headings=headings)
    found = title_of(claims, Page(url="https://tarnhaven-post.example/1", body=b"", fetched=NOW))
    assert bool(found) or not any(text.isalnum() for text in (tag, shared))


@pytest.mark.parametrize(
    ("text", "names"),
    [("By Ann Lee, Staff Writer January 3, 2012", ["Ann Lee"]), ("Ann Lee and Bo Ek, CNN", ["Ann Lee", "Bo Ek"]), ("Anna Lee und Bo Ek", ["Anna Lee", "Bo Ek"]),
     ("José Ortega y Gasset", ["José Ortega y Gasset"]), ("2 days ago", []), ("Jan 4, 2008", []), ("Published: January 17, 2012 9:26 AM By Ann Lee", ["Ann Lee"]),
     ("Ann Lee | The Coast Desk", ["Ann Lee"]), ("Ann Lee - Mar 28, 2017 12:30 am UTC", ["Ann Lee"]), ("ANN LEE in Boston", ["ANN LEE"]), ("admin", []),
     ("https://site.example/ann", []), ("@annlee", []), ("Desk desk@post.example", ["Desk"]), ("Netbau GmbH", []), ("<author>王硕</author>", ["王硕"]),
     ("Von Jörg Müller", ["Jörg Müller"]), ("Ann Lee 7:09AM GMT 15 Dec 2011 Comments", ["Ann Lee"]), ("Ann Lee; compiled by Bo Ek", ["Ann Lee"]), ("", [])],
)  # fmt: skip
def test_a_byline_gives_names_alone(text, names):
    assert names_in(text) == names


@given(st.text(max_size=120))
def test_a_name_is_short_and_no_address(text):
    for name in names_in(text):
        assert 2 <= len(name) <= 60
        assert "@" not in name
        assert name == name.strip()


ORGANISATION = '{"@type":"NewsArticle","author":{"@type":"Organization","name":"Tarnhaven-Post"}}'


@pytest.mark.parametrize(
    ("head", "body", "byline"),
    [(LINKED.format(ORGANISATION), "<p class=author>von <a href=/jm>Jo Marsh, Redaktion</a></p>", "Jo Marsh"),
     (LINKED.format(ORGANISATION), "", "Tarnhaven-Post"),
     (LINKED.format(ORGANISATION) + "<meta name='cXenseParse:author' content='Jo Marsh'>", "", "Jo Marsh"),
     (LINKED.format('{"@type":"Article","author":{"@type":"Organization","name":"Coast Wire"}}'), "<p class=byline>By Jo Marsh</p>", "Coast Wire"),
     (LINKED.format('{"@graph":[{"@type":"Article","author":{"@id":"#1"}},{"@type":"Person","@id":"#1","name":"Jo Marsh"}]}'), "", "Jo Marsh"),
     (LINKED.format('{"@type":"Article","author":[{"@type":"Person","givenName":"Jo","familyName":"Marsh"},{"@type":"Organization","name":"AFP"}]}'), "", "Jo Marsh, AFP"),
     ("<meta name=author content=admin><meta name=byl content='By Jo Marsh'>", "", "Jo Marsh"),
     ("<meta name=author content='tarnhaven-post.example, Tarnhaven, Coast'>", "<p class=byline>Jo Marsh</p>", "Jo Marsh"),
     ("", "<h1>A</h1><p>By Jo Marsh</p>", "Jo Marsh"),
     ("", "<p>By the Sea</p><p class=author>Photo: Jo Marsh</p>", ""),
     ("", "<div class=comment><span class=author>Jo Marsh</span></div>", "")],
)  # fmt: skip
def test_a_person_comes_before_an_agency_and_the_publisher_last(head, body, byline):
    assert document(head, body).byline == byline


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [("Posted on January 12, 2012 at 4 pm", "en", "2012-01-12"), ("12th January 2012", "", "2012-01-12"), ("Do., 12. März 2020", "de", "2020-03-12"), ("12 août 2019", "fr", "2019-08-12"),
     ("12 de enero de 2012", "es", "2012-01-12"), ("12 gennaio 2012", "it", "2012-01-12"), ("1º de março de 2012", "pt", "2012-03-01"), ("12 mei 2012", "nl", "2012-05-12"),
     ("12 stycznia 2012", "pl", "2012-01-12"), ("12 января 2012 г.", "ru", "2012-01-12"), ("12 Ιανουαρίου 2012", "el", "2012-01-12"), ("12 Şubat 2012", "tr", "2012-02-12"),
     ("12.01.2012, 10:30", "de", "2012-01-12"), ("03/04/2012", "en-US", "2012-03-04"), ("03/04/2012", "fr", "2012-04-03"), ("03/04/2012", "en", ""), ("13/04/2012", "en", "2012-04-13"),
     ("04/13/2012", "", "2012-04-13"), ("2012年1月12日", "zh", "2012-01-12T00:00"), ("version 1.2.2012.4", "", ""), ("May they come", "en", "")],
)  # fmt: skip
def test_a_day_is_read_in_the_words_of_its_language(text, language, day):
    assert written_date(text, language) == day


@pytest.mark.parametrize(
    ("text", "hours"),
    [("2 days ago", 48), ("vor 3 Stunden", 3), ("il y a 2 jours", 48), ("hace 1 día", 24), ("3 часа назад", 3), ("2 dni temu", 48), ("3小时前", 3), ("2日前", 48), ("1시간 전", 1), ("3 ore fa", 3)],
)  # fmt: skip
def test_how_long_ago_is_counted_from_the_fetch(text, hours):
    found = datetime.fromisoformat(time_ago(text, NOW))
    assert (NOW - found).total_seconds() == hours * 3600
    assert not time_ago("in 3 days", NOW)


OTHER = '{"@type":"NewsArticle","headline":"Another story","datePublished":"2026-01-01"}'
OURS = (
    '{"@type":"NewsArticle","headline":"'
    + HEADLINE
    + '","datePublished":["2026-02-02T10:00Z"],"dateModified":"2026-03-03"}'
)
FRAME = '{"@type":"WebPage","datePublished":"2020-05-05"}'
TITLE = f"<title>{HEADLINE}</title>"
SEEN = f"<h1>{HEADLINE}</h1>"


@pytest.mark.parametrize(
    ("head", "body", "lang", "day"),
    [(TITLE + LINKED.format(f"[{FRAME},{OTHER},{OURS}]"), "", "en", "2026-02-02"),
     (TITLE + LINKED.format('{"@graph":[' + FRAME + "," + OURS + "]}"), "", "en", "2026-02-02"),
     (TITLE, SEEN + "<p>Aktualisiert am 5. März 2026</p><p>Veröffentlicht am 4. März 2026</p>", "de", "2026-03-04"),
     (TITLE, "<div>Tuesday 3 November 2026</div>" + SEEN + "<p>Posted 1 November 2026</p>", "en", "2026-11-01"),
     (TITLE, SEEN + "<time class=updated datetime=2026-10-09>9 October</time><time class=entry-date datetime=2026-10-08>8 October</time>", "en", "2026-10-08"),
     (TITLE, SEEN + "<time datetime=2026-10-09>9 October</time><time itemprop=datePublished datetime=2026-10-08>8 October</time>", "en", "2026-10-08"),
     ("<meta name=date content='January 12, 2026'>", "", "en", "2026-01-12"),
     (TITLE, SEEN + "<p>© 2019 Tarnhaven Post, 1 January 2019</p>", "en", "")],
)  # fmt: skip
def test_the_day_of_publication_is_that_of_this_text(head, body, lang, day):
    found = document(head, body, lang)
    assert (found.published.date().isoformat() if found.published else "") == day


def test_words_for_a_past_day_need_the_time_of_the_fetch():
    found = document(TITLE, SEEN + "<p>2 days ago</p>", "en")
    assert found.published is not None
    assert ((NOW - found.published).days, found.published_origin) == (2, "visible")


def test_a_header_with_the_day_does_not_outdo_the_address():
    url = "https://tarnhaven-post.example/2026/01/05/ropes"
    found = document(TITLE, "<div>Monday 2 February 2026</div>" + SEEN, "en", url=url)
    assert (found.published, found.published_origin) == (datetime(2026, 1, 5, tzinfo=UTC), "url")


@given(st.text(max_size=60))
def test_no_text_makes_a_moment_fail(text):
    found = moment(text, Page(url="https://tarnhaven-post.example/1", body=b"", fetched=NOW, traits=Traits()))
    assert found is None or (found.tzinfo is UTC and found <= NOW)
