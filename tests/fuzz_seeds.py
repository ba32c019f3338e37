"""The whole files that are broken by tests/fuzzing.py, and the scraps that parsers stumble over."""

import gzip
import json
from functools import cache
from pathlib import Path

from tests.site import prose, rss

HERE = Path(__file__).parent
MAX_OWN_PAGES = 400  # of a folder: more variety than mutations can use
NEST = 300  # tags deep; libxml2 gives up at 256
HOSTILE = (
    b"<", b">", b"&", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"]]>", b"<![CDATA[", b"<!--", b"-->", b"<!DOCTYPE html>", b"<?xml version='1.0'?>",
    b"&#0;", b"&#xD800;", b"&#99999999999;", b"&amp;" * 20, b"&nbsp", b"\xed\xa0\x80", "\u202e".encode(), "\u0000".encode(), "한국어 기사".encode(),
    "\u2028".encode(), "𝕳".encode() * 9, "\ud83d\ude00".encode("utf-16", "surrogatepass"), b"<script>", b"</script", b"<style>", b"<svg><title>", b"<math><mi>",
    b"<table><tr><td>", b"</table>", b"<p>" * NEST, b"<div>" * NEST, b"<b><i><a href='x'>", b"<template>", b"<noscript>", b"<select><option>", b"<br>" * 50,
    b"<a href='http://[::1'>", b"<a href='//'>x</a>", b"<a href='http://a:99999/'>", b"<a href='javascript:1'>", b"<base href='http://[x'>", b"<base href='data:,'>",
    b"<link rel=next href=''>", b"<link rel=canonical href='http://\xff/'>", b"<meta charset=utf-7>", b"<meta charset='\x00'>", b"<meta http-equiv=refresh content=0>",
    b"<meta property='article:published_time' content='99999-99-99T99:99'>", b"<time datetime='0000-00-00'>", b"<time datetime='+1000000-01-01T00:00Z'>",
    b"<script type='application/ld+json'>{\"@graph\":[[[[{\"@type\":[null]}]]]]}</script>", b"<script type='application/ld+json'>[1e999,{\"datePublished\":{}}]</script>",
    b"<script type='application/ld+json'>{\"@type\":\"NewsArticle\",\"author\":[[],{},\"\",{\"name\":[1]}],\"headline\":{\"a\":1},\"datePublished\":-1}</script>",
    b"<script type='application/ld+json'>" + b"[" * 3000, b"<item>", b"</item>", b"<item><link/>", b"<entry>", b"<guid>", b"<pubDate>Thu, 32 Foo 99999 25:61:61 +9999</pubDate>",
    b"<pubDate>\xff</pubDate>", b"<updated>0001-01-01T00:00:00+14:00</updated>", b"<link>http://a/\x01</link>", b"<loc>", b"</loc>", b"<loc>&x;</loc>", b"<sitemap><loc>",
    b"<lastmod>9999-12-31T23:59:59-14:00</lastmod>", b"<!ENTITY x 'y'>", b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>", b"xmlns:a='\x02'", b"<a:b:c>", b"xml:base='http://[x'",
    b"{", b"}", b"[" * 2000, b'{"a":' * 2000, b'"', b"\\", b"\\ud800", b"1e999", b"-0", b"NaN", b"null", b"true", b"9" * 5000, b"\n", b"\r", b"\t", b" " * 500, b",",
    b'{"text": 1}\n', b'{"text": null}\n', b'{"id": {"x": 1}, "text": "a"}\n', b'{"id": NaN, "text": "a"}\n', b'{"text": "a", "published": 1e308}\n', b'{"text": "a", "published": "9999-12-31T23:59:59-23:59"}\n',
    b'{"text": "a", "url": "http://[x", "publisher": 7}\n', b"[x]\n", b"[[x]]\n", b"a.b.c = 1\n", b"[crawl]\n", b"database = 1\n", b"delay_s = inf\n", b"workers = -1\n", b"containment = nan\n",
    b"url = 'http://[::1'\n", b"timezone = '../../x'\n", b"timezone = ''\n", b"url_pattern = '('\n", b"kind = ['feed']\n", b"name = 1979-05-27\n", b"cadence_hours = 1e400\n", b'""\n', b"'' = 1\n",
)  # fmt: skip
URLSET = '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{}</urlset>'
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Valley</title><link href="/"/>
<entry><title type="html">A &lt;b&gt;bridge&lt;/b&gt;</title><link rel="alternate" href="/a/1"/><updated>2026-11-20T09:00:00+09:00</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>The bridge is open.</p></div></content><author><name>R. Miller</name></author></entry></feed>"""
RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Valley</title></channel><item><title>Bridge</title><link>https://news.example/a/2</link><dc:date>2026-11-20</dc:date></item></rdf:RDF>"""
JSON_FEED = {"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "url": "/a/1", "title": "Bridge", "authors": [{"name": "R"}], "content_html": "<p>Open.</p>", "date_published": "2026-11-20T09:00:00Z"}]}  # fmt: skip
SETTINGS = """database = "corpus.db"\nshipped_sources = true\n[clean]\nmin_chars = 200\n[dedup]\ncontainment = 0.7\nwindow_days = 14
[crawl]\ncontact = "desk@news.example"\ndelay_s = 2.0\nworkers = 2\n[relevance]\nkeep = 5.0\n"""
SOURCES = """[valley]\nname = "Valley"\nkind = "feed"\nurl = "https://news.example/feed"\ncadence_hours = 6\ntimezone = "Asia/Seoul"\n
[harbour]\nkind = "sitemap"\nurl = "https://harbour.example/sitemap.xml"\nurl_pattern = "/news/"\nenabled = false\n"""


@cache
def demo_answers():
    """What the bundled site says, by path and kind."""
    from crawler.demo.site import DemoSite

    with DemoSite() as site:
        return tuple(answer for server in site._servers.values() for answer in server.answers.values())


def pages(folder=None):
    found = [path.read_bytes() for path in sorted(HERE.glob("pages/*/page.*")) if path.suffix != ".toml"]
    found += [answer.body for answer in demo_answers() if "html" in answer.content_type]
    if folder is not None:
        found = [*found[:20], *own_pages(folder)]
    return found


def own_pages(folder):
    """Pages of a folder: evenly drawn when there are many."""
    found = [path.read_bytes() for path in sorted(folder.glob("**/*.html"))]
    for path in sorted(folder.glob("**/*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            found += [json.loads(line)["html"].encode("utf-8", "replace") for line in file]
    return found[:: max(1, len(found) // MAX_OWN_PAGES)]


def feeds(folder=None):
    links = [(f"https://news.example/a/{number}", f"Story {number}") for number in range(12)]
    found = [
        answer.body
        for answer in demo_answers()
        if "html" not in answer.content_type and b"<rss" in answer.body[:500] + answer.body[-500:]
    ]
    return [rss(links).encode(), ATOM.encode(), RDF.encode(), json.dumps(JSON_FEED).encode(), *found]


def sitemaps(folder=None):
    lines = "".join(f"<url><loc>https://news.example/a/{number}</loc><lastmod>2026-11-{number + 1:02}</lastmod><news:news><news:title>S</news:title><news:publication_date>2026-11-01T00:00:00Z</news:publication_date></news:news></url>" for number in range(20))  # fmt: skip
    index = '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://news.example/s1.xml</loc><lastmod>2026-11-01</lastmod></sitemap></sitemapindex>'
    return [
        URLSET.format(lines).encode(),
        index.encode(),
        b"https://news.example/a/1\nhttps://news.example/a/2\n",
        *feeds()[:1],
    ]


def jsonl(folder=None):
    """Lines with copies among them, so that comparing has something to do."""
    rows = []
    for number in range(12):
        text = "\n\n".join(prose(number // 3)[: 14 - number % 3])
        rows.append({"id": f"d{number}", "title": f"Story {number}", "text": text, "published": f"2026-11-{number + 1:02}T08:00:00Z", "publisher": "Valley", "url": f"https://news.example/{number}"})  # fmt: skip
    lines = [json.dumps(row, ensure_ascii=number % 2 == 0).encode() + b"\n" for number, row in enumerate(rows)]
    return [b"".join(lines), b"".join(reversed(lines)), b"".join(lines[:2]), b"\xef\xbb\xbf" + b"\r\n".join(lines)]


def settings(folder=None):
    return [SETTINGS.encode(), SOURCES.encode()]


MAKERS = {
    "clean": pages,
    "page": pages,
    "listing": pages,
    "feed": feeds,
    "sitemap": sitemaps,
    "dedup": jsonl,
    "config": settings,
}


@cache
def seeds_of(kind, folder=None):
    """The whole files of a kind; `folder`: with pages of one's own."""
    return MAKERS[kind](folder)
