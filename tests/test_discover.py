"""Feeds, sitemaps and listings as publishers write them, and as they break them."""

import asyncio
import contextlib
import gzip
import json
import operator
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discover import find_feeds, moment, plain, read_feed, read_listing, read_sitemap
from crawler.reading import MODULES, apart
from pipelines.config import Config, CrawlConfig, changed
from pipelines.workers import Workers
from tests.site import article, rss

URL = "https://lab.test/feed.xml"


def feed_of(items, head=""):
    return f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>t</title><language>ko-KR</language>{items}</channel></rss>'.encode()


def item(link="https://lab.test/a", title="A", more=""):
    return f"<item><title>{title}</title><link>{link}</link>{more}</item>"


def test_an_item_gives_its_claims():
    more = "<pubDate>Sat, 21 Nov 2026 10:00:00 +0900</pubDate><author>Kim</author><description>&lt;p&gt;One &amp;amp; two&lt;/p&gt;&lt;p&gt;Three&lt;/p&gt;</description>"
    entry = read_feed(feed_of(item("/a?utm_source=x#top", "<![CDATA[가 &amp; 나]]>", more)), URL).entries[0]
    assert entry.url == "https://lab.test/a"
    assert entry.hint.title == "가 & 나"
    assert entry.hint.byline == "Kim"
    assert entry.hint.published == datetime(2026, 11, 21, 1, tzinfo=UTC)
    assert entry.hint.language == "ko"
    assert entry.hint.summary == "One & two\nThree"
    assert entry.modified is None


def test_atom_with_an_update_and_whole_content():
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><title>A</title><link rel="alternate" href="a"/>
    <published>2026-11-20T10:00:00Z</published><updated>2026-11-21T10:00:00Z</updated><summary>Short</summary>
    <content type="html">&lt;p&gt;The whole article.&lt;/p&gt;</content></entry></feed>"""
    entry = read_feed(atom.encode(), "https://lab.test/blog/atom").entries[0]
    assert entry.url == "https://lab.test/blog/a"
    assert entry.hint.published == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert entry.modified == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert entry.hint.summary == "The whole article."


@pytest.mark.parametrize(
    ("written", "zone", "hour"),
    [
        ("2026-11-21 10:00:00", "Asia/Seoul", 1),
        ("Sat, 21 Nov 2026 10:00:00", "Asia/Seoul", 1),
        ("Sat, 21 Nov 2026 10:00:00 KST", "Asia/Seoul", 1),
        ("Sat, 21 Nov 2026 10:00:00 GMT", "Asia/Seoul", 10),
        ("2026-11-21T10:00:00+01:00", "Asia/Seoul", 9),
        ("2026-11-21T10:00:00", "Europe/Berlin", 9),
        ("2026/11/21 10:00", "Asia/Tokyo", 1),
    ],
)
def test_a_date_without_a_zone_is_in_the_sources(written, zone, hour):
    entry = read_feed(feed_of(item(more=f"<pubDate>{written}</pubDate>")), URL, timezone=zone).entries[0]
    assert entry.hint.published == datetime(2026, 11, 21, hour, tzinfo=UTC)


@given(st.text(max_size=60))
def test_a_date_is_always_aware_or_none(written):
    found = moment(written, None, "Asia/Seoul")
    assert found is None or found.tzinfo is UTC


@pytest.mark.fault("S05")
def test_only_web_links_are_entries():
    links = [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "mailto:a@lab.test",
        "https://u:p@lab.test/",
        "/good",
    ]
    found = read_feed(feed_of("".join(item(link) for link in links)), URL)
    assert [entry.url for entry in found.entries] == ["https://lab.test/good"]
    assert found.skipped == 5


def test_a_link_twice_is_one_entry():
    assert len(read_feed(feed_of(item() + item("https://lab.test/a?utm_medium=rss")), URL).entries) == 1


@pytest.mark.parametrize(
    "body", [article("A page", 1).encode(), b"", b"hello", b"\x89PNG\r\n\x1a\n", b"{}", b"<svg></svg>"]
)
def test_what_is_no_feed(body):
    assert read_feed(body, URL).reason == "not_a_feed"


def test_an_empty_feed_is_a_feed():
    found = read_feed(feed_of(""), URL)
    assert (found.entries, found.reason, found.is_partial) == ((), "", False)


@pytest.mark.fault("X01")
def test_a_feed_that_defines_entities_is_refused():
    laughs = '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    assert read_feed(feed_of(item(title="&b;"), laughs), URL).reason == "bad_feed"


def test_a_broken_json_feed():
    assert read_feed(b'{"items": [', URL).reason == "bad_feed"


def test_a_json_feed():
    feed = {
        "items": [
            {
                "url": "/a",
                "title": "A",
                "content_html": "<p>x</p>",
                "date_published": "2026-11-21T10:00:00Z",
                "authors": [{"name": "Kim"}],
            },
            3,
            {},
        ]
    }
    found = read_feed(json.dumps(feed).encode(), URL)
    assert found.entries[0].hint.published == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert found.entries[0].hint.byline == "Kim"
    assert found.skipped == 2


WHOLE = rss([(f"https://lab.test/{n}", f"Story {n}") for n in range(8)]).encode()


@pytest.mark.parametrize("at", range(100, len(WHOLE) - 5, 97))
@pytest.mark.fault("X06")
def test_a_feed_cut_off_gives_its_whole_items(at):
    found = read_feed(WHOLE[:at], URL)
    assert found.is_partial or found.reason
    assert len(found.entries) == WHOLE[:at].count(b"</item>")


@pytest.mark.fault("X05")
def test_a_long_feed_is_read_to_its_limit_and_quickly():
    links = [(f"https://lab.test/{n}", f"Story {n}") for n in range(20_000)]
    body = rss(links).encode()
    start = time.monotonic()
    found = read_feed(body, URL, limit=50)
    assert len(found.entries) == 50
    assert not found.is_partial
    assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    "body", [b"\n" * 2**20 + WHOLE, b"<" * 2**20, b"<html>" + b"x" * 2**20, WHOLE + b"<!---->" * 500 + b"x"]
)
@pytest.mark.fault("X03")
def test_shapes_that_made_parsers_hang(body):
    start = time.monotonic()
    read_feed(body, URL)
    assert time.monotonic() - start < 3


def test_a_pattern_chooses_among_a_feeds_links():
    found = read_feed(feed_of(item("/blog/a") + item("/jobs/b")), URL, pattern="/blog/")
    assert [entry.url for entry in found.entries] == ["https://lab.test/blog/a"]


def test_utf_16_and_a_declared_charset():
    text = feed_of(item(title="한국어")).decode()
    assert (
        read_feed(text.replace('version="1.0"', 'version="1.0" encoding="utf-16"', 1).encode("utf-16"), URL)
        .entries[0]
        .hint.title
        == "한국어"
    )
    korean = text.replace('version="1.0"', 'version="1.0" encoding="euc-kr"', 1).encode("euc-kr")
    assert read_feed(korean, URL).entries[0].hint.title == "한국어"


SPACE = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
)


def sitemap(*rows, root="urlset"):
    return f'<?xml version="1.0"?><{root} {SPACE}>{"".join(rows)}</{root}>'.encode()


def row(loc, more=""):
    return f"<url><loc>{loc}</loc>{more}</url>"


def test_a_news_sitemap_gives_titles_and_dates():
    news = "<news:news><news:publication><news:name>Lab</news:name><news:language>en</news:language></news:publication>"
    news += "<news:publication_date>2026-11-21T10:00:00+01:00</news:publication_date><news:title>A &amp; B</news:title></news:news>"
    entry = read_sitemap(sitemap(row("https://lab.test/a", news + "<lastmod>2026-11-21</lastmod>")), URL).entries[0]
    assert entry.hint.title == "A & B"
    assert entry.hint.language == "en"
    assert entry.hint.published == datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert entry.modified == datetime(2026, 11, 21, tzinfo=UTC)


def test_lastmod_is_no_publication_date():
    assert (
        read_sitemap(sitemap(row("https://lab.test/a", "<lastmod>2026-11-21</lastmod>")), URL).entries[0].hint.published
        is None
    )


def test_an_index_gives_children_of_its_own_site_newest_first():
    children = [
        f"<sitemap><loc>https://lab.test/s{n}.xml</loc><lastmod>2026-11-0{n}</lastmod></sitemap>" for n in range(1, 4)
    ]
    found = read_sitemap(
        sitemap(*children, "<sitemap><loc>https://other.test/s.xml</loc></sitemap>", root="sitemapindex"), URL
    )
    assert found.more == ("https://lab.test/s3.xml", "https://lab.test/s2.xml", "https://lab.test/s1.xml")
    assert found.skipped == 1


@pytest.mark.fault("X10")
def test_at_most_fifty_children():
    children = [f"<sitemap><loc>https://lab.test/s.xml?n={n}</loc></sitemap>" for n in range(80)]
    assert len(read_sitemap(sitemap(*children, root="sitemapindex"), URL).more) == 50


@pytest.mark.fault("X07")
def test_a_pattern_and_bad_lines_cost_only_themselves():
    rows = [
        row("javascript:x"),
        row(""),
        row("https://lab.test/news/1"),
        row("https://lab.test/about"),
        row("file:///etc/hostname"),
    ]
    found = read_sitemap(sitemap(*rows), URL, pattern="/news/")
    assert [entry.url for entry in found.entries] == ["https://lab.test/news/1"]
    assert found.skipped == 3


@pytest.mark.fault("X08")
def test_an_entity_in_an_address_costs_that_line():
    body = sitemap(row("https://lab.test/&x;ok/"), row("https://lab.test/b")).replace(
        b"?>", b'?><!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/hostname">]>', 1
    )
    assert [entry.url for entry in read_sitemap(body, URL).entries] == ["https://lab.test/b"]


def test_gzipped_and_plain_text_sitemaps():
    assert len(read_sitemap(gzip.compress(sitemap(row("https://lab.test/a"))), URL).entries) == 1
    assert len(read_sitemap(b"https://lab.test/a\nhttps://lab.test/b\n", URL).entries) == 2


@pytest.mark.fault("X12")
def test_a_gzip_bomb_ends_at_the_limit():
    bomb = gzip.compress(b" " * (80 * 2**20), compresslevel=6)
    start = time.monotonic()
    assert read_sitemap(bomb, URL).reason == "not_a_sitemap"
    assert time.monotonic() - start < 3


def test_a_sitemap_cut_off_gives_what_was_whole():
    body = sitemap(*[row(f"https://lab.test/{n}") for n in range(10)])
    found = read_sitemap(body[: len(body) // 2], URL)
    assert 3 <= len(found.entries) < 10


@pytest.mark.parametrize("body", [article("x", 1).encode(), b"", b"hello", b"<other/>"])
def test_what_is_no_sitemap(body):
    assert read_sitemap(body, URL).reason == "not_a_sitemap"


LISTING = """<html><head><base href="/research/"><link rel="next" href="/research?page=2"></head><body>
<a href="one"><img></a><a href="one">The first headline</a><a href="two?utm_source=list">Second</a>
<a href="/about">About</a><a href="https://other.test/research/x">Other</a><a href="javascript:x">J</a><a>none</a></body></html>"""


def test_a_listing_gives_links_titles_and_the_next_page():
    found = read_listing(LISTING.encode(), "https://lab.test/research", pattern="/research/.")
    assert [(entry.url, entry.hint.title) for entry in found.entries] == [
        ("https://lab.test/research/one", "The first headline"),
        ("https://lab.test/research/two", "Second"),
    ]
    assert found.more == ("https://lab.test/research?page=2",)


def test_without_a_pattern_a_listing_gives_what_lies_below_it():
    assert [entry.url[-3:] for entry in read_listing(LISTING.encode(), "https://lab.test/research").entries] == [
        "one",
        "two",
    ]


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02", b"%PDF-1.7"])
def test_what_is_no_listing(body):
    assert read_listing(body, URL).reason == "not_html"


def test_feeds_a_page_declares():
    page = """<head><link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed">
    <link rel="alternate" type="application/atom+xml" href="atom.xml"><link rel="alternate" hreflang="de" href="/de">
    <link rel="stylesheet" href="x.css"></head>"""
    assert find_feeds(page.encode(), "https://lab.test/") == [
        "https://lab.test/atom.xml",
        "https://lab.test/comments/feed",
    ]


def test_markup_becomes_lines():
    assert plain("<p>One<br>two</p><ul><li>three &eacute;</li></ul>") == "One\ntwo\nthree é"


def test_comments_behind_a_feed_do_not_cut_it_off():
    assert not read_feed(WHOLE + b"\n<!-- cached --> <!-- in 3 ms -->\n", URL).is_partial
    assert read_feed(WHOLE + b"<!-- half a comm", URL).is_partial


@pytest.mark.parametrize("authors", [5, "Ann", {"name": "Ann"}, [5], None])
def test_authors_of_any_type_cost_no_entry(authors):
    body = json.dumps({"items": [{"url": "https://lab.test/a", "authors": authors}]}).encode()
    assert len(read_feed(body, URL).entries) == 1


@pytest.mark.parametrize(
    "written", ["Mon, 01 Jan 2024 00:00:00 +99999999999999", "Mon, 01 Jan 99999999999 00:00:00 GMT"]
)
def test_a_date_beyond_all_calendars_is_none(written):
    assert moment(written, None, "UTC") is None


def test_half_a_character_costs_only_itself():
    feed = read_feed(
        feed_of(item(title="A &#xD800; b") + item("https://lab.test/b").replace("</", "&#55357;</", 1)), URL
    )
    assert len(feed.entries) == 2
    found = read_sitemap(sitemap(row("https://lab.test/&#xD83D;"), row("https://lab.test/2")), URL)
    assert "https://lab.test/2" in [entry.url for entry in found.entries]


@pytest.mark.parametrize(
    "body",
    [
        b"<rss version='2.0'><channel><item><title>A</titlink><link>x</item></link></item></channel></rss>",
        b"<rss vers<?xml encoding='\xce'?>ion='2.0'><channel><item><link>x</link></item></channel></rss>",
        b"<urlset><url><a:b>x</a:b><loc>https://lab.test/1</loc></url></urlset>",
        b"<url xmlns='x'><url><loc>https://lab.test/1</lo><url><loc>x</loc></url></urlset>",
    ],
)
def test_shapes_that_made_parsers_raise(body):
    read_feed(body, URL)
    read_sitemap(body, URL)


def test_a_reader_that_breaks_or_hangs_gives_a_reason():
    async def both(workers):
        return await apart(workers, operator.itemgetter("url"), {}), await apart(workers, time.sleep, 60)

    with contextlib.closing(Workers(changed(Config(), crawl=CrawlConfig(page_seconds=1)), 1, MODULES)) as workers:
        broken, hanging = asyncio.run(both(workers))
    assert (broken.reason, broken.detail) == ("parse_error", "KeyError: 'url'")
    assert hanging.reason == "parse_timeout"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_a_reader(body):
    for start in (b"", b"<rss><channel>", b"<urlset>", b"<html><body>"):
        read_feed(start + body, URL)
        read_sitemap(start + body, URL)
        read_listing(start + body, URL)
