"""Feeds, sitemaps and listings that are traps: one crawl of many, and what no crawl is needed for."""

import ast
import gzip
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawler.discover import MAX_SITEMAP_URLS, MAX_TITLE_CHARS, read_feed, read_sitemap
from tests.desk import Desk
from tests.site import Site, rss

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.xdist_group("faults-index")  # one crawl serves many tests
URL = "https://lab.test/feed.xml"
XML = '<?xml version="1.0"?>'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
LAUGHS = f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>'
SECRET = "no-visitor-should-see-this"
WORKERS = {"COPYDESK_CRAWL__PAGE_SECONDS": "2"}


def item(link, title="A"):
    return f"<item><title>{title}</title><link>{link}</link></item>"


def feed(items, before=""):
    return f'{XML}{before}<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()


def sitemap(urls, before="", kind="urlset", tag="url"):
    rows = "".join(f"<{tag}><loc>{url}</loc></{tag}>" for url in urls)
    return f"{XML}{before}<{kind}>{rows}</{kind}>".encode()


HANGING = {  # shapes that hold a parser for far longer than the time of a page
    "nested": XML.encode() + b"<rss version='2.0'><channel><item><title>" + b"<div>" * 400_000,
    "links": XML.encode() + b"<rss version='2.0'><channel>" + b"<a href='x'>" * 300_000,
}


@pytest.fixture(scope="module")
def traps(tmp_path_factory):
    """One crawl of feeds, sitemaps and listings of which each is a trap."""
    desk = Desk(tmp_path_factory.mktemp("traps"))
    with Site() as site:
        secret = desk.folder / "secret.txt"
        secret.write_text(SECRET)
        external = f'<!DOCTYPE rss SYSTEM "{site.base}/outside.dtd" [<!ENTITY x SYSTEM "file://{secret}">]>'
        good = site.page("/good", 900)
        for name, body in HANGING.items():
            desk.source(name, site.reply(f"/{name}.xml", body, content_type="application/rss+xml"))
        bodies = {
            "laughs": feed(item(good, "&l9;"), LAUGHS),
            "external": feed(item(good, "&x;"), external),
            "definition": feed(
                item(site.page("/dtd", 901), "Told"), f'<!DOCTYPE rss SYSTEM "{site.base}/outside.dtd">'
            ),
            "well": rss([(good, "Good")]).encode(),
        }
        for name, body in bodies.items():
            desk.source(name, site.reply(f"/{name}.xml", body, content_type="application/rss+xml"))
        maps = {
            "maplaughs": sitemap([site.base + "/ok/&l9;", site.page("/m1", 902)], LAUGHS.replace("rss", "urlset")),
            "mapexternal": sitemap([site.base + "/ok/&x;", site.page("/m2", 903)], external.replace("rss", "urlset")),
            "mapself": sitemap([site.base + "/mapself.xml"], kind="sitemapindex", tag="sitemap"),
            "mapbad": sitemap(["javascript:alert(1)", "http://[", *[site.page(f"/x{n}", 910 + n) for n in range(3)]]),
        }
        for name, body in maps.items():
            desk.source(name, site.reply(f"/{name}.xml", body, content_type="application/xml"), kind="sitemap")
        for number in range(400):  # each names ten more of its kind
            named = [f"{site.base}/grow{number * 10 + more}.xml" for more in range(1, 11)]
            site.reply(f"/grow{number}.xml", sitemap(named, kind="sitemapindex", tag="sitemap"))
        desk.source("grow", site.base + "/grow0.xml", kind="sitemap")
        for day in range(30):  # a page for every day there ever was
            links = f"<a href='/day/{day}/story'>A story of the day {day}</a><a rel='next' href='/calendar?day={day + 1}'>next</a>"
            site.reply(f"/calendar?day={day}", f"<html><body>{links}</body></html>")
            site.page(f"/day/{day}/story", 1000 + day)
        desk.source("calendar", site.base + "/calendar?day=0", kind="listing", url_pattern="/day/")
        many = [(site.page(f"/many/{n}", 1100 + n), f"M{n}") for n in range(12)]
        desk.source("many", site.feed("/many.xml", many))
        begun = time.monotonic()
        process, seen = desk.watched(
            "--json", **WORKERS, COPYDESK_CRAWL__MAX_PAGES_PER_SOURCE="8", COPYDESK_CRAWL__TIMEOUT_S="20"
        )
        yield {"desk": desk, "site": site, "process": process, "seen": seen, "seconds": time.monotonic() - begun}


def errors(traps):
    return {
        row["source"]: row["error"]
        for row in traps["desk"].rows("select source, error from fetches where kind <> 'page'")
    }


@pytest.mark.fault("X03")
@pytest.mark.parametrize("name", HANGING)
def test_a_feed_that_hangs_its_parser_costs_itself(traps, name):
    assert errors(traps)[name] == "parse_timeout"
    assert traps["desk"].kept("well") | traps["desk"].kept("definition") >= {"dtd"}


@pytest.mark.fault("X01", "X02", "X08")
def test_entities_give_nothing_and_fetch_nothing(traps):
    assert errors(traps)["laughs"] == errors(traps)["external"] == "bad_feed"
    paths = traps["site"].paths()
    assert not [path for path in paths if path.startswith(("/ok", "/outside"))]
    assert SECRET not in str(traps["desk"].rows("select title, text, hint from articles join frontier using (url)"))
    assert errors(traps)["maplaughs"] == "bad_sitemap"
    assert "m2" in traps["desk"].kept()


@pytest.mark.fault("X07")
def test_impossible_addresses_cost_themselves(traps):
    assert {"x0", "x1", "x2"} <= traps["desk"].kept("mapbad")


@pytest.mark.fault("X09")
def test_an_index_that_lists_itself_is_read_once(traps):
    assert traps["site"].paths().count("/mapself.xml") == 1


@pytest.mark.fault("X10")
def test_an_index_that_grows_ends(traps):
    grown = [path for path in traps["site"].paths() if path.startswith("/grow")]
    assert len(grown) == len(set(grown)) <= 51


@pytest.mark.fault("X13")
def test_a_calendar_is_turned_three_times_and_a_source_has_its_number_of_pages(traps):
    turned = [path for path in traps["site"].paths() if path.startswith("/calendar")]
    assert len(turned) == 4
    assert len(traps["desk"].kept("many")) == 8
    assert traps["desk"].rows("select count(*) as n from frontier where source = 'many'")[0]["n"] == 12


@pytest.mark.fault("X01")
def test_traps_need_little_memory(traps):
    assert traps["seen"]["megabytes"] < 250


@pytest.mark.fault("X01", "X08")
@pytest.mark.parametrize("entity", ["&a;" * 100_000, "&l9;"])
def test_entities_are_no_content(entity):
    defined = LAUGHS.replace("<!ENTITY l0", f'<!ENTITY a "{"x" * 1000}"><!ENTITY l0')
    assert read_feed(feed(item("https://lab.test/a", entity), defined), URL).reason == "bad_feed"
    found = read_sitemap(
        sitemap([f"https://lab.test/{entity}", "https://lab.test/b"], defined.replace("rss", "urlset")), URL
    )
    assert [entry.url for entry in found.entries] in ([], ["https://lab.test/b"])


@pytest.mark.fault("X05")
def test_items_and_titles_have_their_number():
    many = feed("".join(item(f"https://lab.test/{n}") for n in range(5000)) + item("https://lab.test/x", "t" * 2**20))
    assert len(read_feed(many, URL, limit=1000).entries) == 1000
    long = read_feed(feed(item("https://lab.test/a", "t " * 2**19)), URL)
    assert len(long.entries[0].hint.title) <= MAX_TITLE_CHARS


@pytest.mark.fault("X11", "X12")
def test_a_sitemap_is_read_to_its_limit():
    found = read_sitemap(gzip.compress(sitemap(f"https://lab.test/{n}" for n in range(MAX_SITEMAP_URLS + 9))), URL)
    assert len(found.entries) == MAX_SITEMAP_URLS


@pytest.mark.fault("X04")
def test_feeds_are_not_found_with_patterns_that_explode():
    for path in [*ROOT.glob("crawler/**/*.py"), *ROOT.glob("pipelines/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [alias.name for alias in getattr(node, "names", ())]
                if isinstance(node, ast.Import | ast.ImportFrom)
                else []
            )
            module = getattr(node, "module", "") or ""
            assert not any(name.startswith("trafilatura.feeds") for name in [module, *names]), path
            assert not (module == "trafilatura" and "feeds" in names), path


def test_what_a_worker_imports_is_light():
    """A worker that loaded the crawler's engine would start slowly and need its memory."""
    code = "import sys, crawler.discover, crawler.guessing; assert not {'scrapy', 'twisted'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=False).returncode == 0
