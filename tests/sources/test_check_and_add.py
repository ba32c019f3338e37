"""`sources check` and `sources add`: what they find on sites that behave and misbehave, what they write and what never."""

import json

import pytest

from crawler import guessing
from crawler.sources import source_of
from tests.site import Site

MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def urlset(*urls):
    lines = "".join(f"<url><loc>{url}</loc><lastmod>2026-11-{10 + n}</lastmod></url>" for n, url in enumerate(urls))
    return f'<urlset xmlns="{MAP}">{lines}</urlset>'


# check


@pytest.mark.crawl
def test_check_tells_of_each_source_and_writes_nothing(desk):
    with Site() as site:
        desk.write("good", site.feed("/feed.xml", [(site.base + f"/a{n}", f"Story {n}") for n in range(3)]))
        desk.write("html", site.reply("/page", "<html><body>no feed</body></html>"))
        desk.write("gone", site.base + "/nothing.xml")
        site.reply("/robots.txt", "User-agent: *\nDisallow: /closed\n", content_type="text/plain")
        desk.write("closed", site.base + "/closed/feed.xml")
        desk.write("off", site.base + "/off.xml", enabled=False)
        index = f'<sitemapindex xmlns="{MAP}"><sitemap><loc>{site.base}/child.xml</loc></sitemap></sitemapindex>'
        site.reply("/child.xml", urlset(site.base + "/news/a", site.base + "/about"), content_type="text/xml")
        desk.write("map", site.reply("/map.xml", index), kind="sitemap", url_pattern="/news/")
        desk.write("empty", site.base + "/child.xml", kind="sitemap", url_pattern="/none/")
        done = desk.run("check", "--json")
        named = desk.run("check", "good")
        asked = site.paths()
    rows = {row["id"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 3
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "good": "ok", "html": "failed", "gone": "failed", "closed": "failed", "map": "ok", "empty": "empty",
    }  # fmt: skip
    assert (rows["good"]["entries"], rows["good"]["newest"]) == (3, "2026-11-21T02:00:00+00:00")
    assert (rows["map"]["entries"], rows["map"]["newest"]) == (1, "2026-11-10T00:00:00+00:00")
    assert "no feed" in rows["html"]["error"]
    assert "404" in rows["gone"]["error"]
    assert "robots.txt" in rows["closed"]["error"]
    assert "/none/" in rows["empty"]["error"]
    assert not {"/closed/feed.xml", "/off.xml"} & set(asked)
    assert not desk.database.exists()
    assert named.returncode == 0
    assert named.stdout.splitlines()[1].split() == ["good", "ok", "3", "entries,", "newest", "2026-11-21"]


@pytest.mark.crawl
def test_check_of_sources_that_all_fail(desk):
    with Site() as site:
        url = site.base + "/feed.xml"
    desk.write("away", url)
    desk.write("inside", "http://127.0.0.1/feed.xml", local=False)
    done = desk.run("check")
    assert done.returncode == 4
    assert "connection refused" in done.stdout
    assert "not a public" in done.stdout


# add


@pytest.mark.crawl
def test_add_takes_the_feed_a_page_declares_and_keeps_the_list(desk):
    desk.write("first", "https://first.example/feed", local=False)
    before = desk.list.read_text("utf-8")
    head = (
        "<html lang='de'><head><meta property='og:site_name' content='Das Blatt'>"
        "<link rel='alternate' type='application/rss+xml' href='/comments/feed'>"
        "<link rel='alternate' type='application/rss+xml' href='/empty.xml'>"
        "<link rel='alternate' type='application/atom+xml' href='good.xml'></head><body>x</body></html>"
    )
    with Site() as site:
        site.reply("/blog/", head)
        site.feed("/comments/feed", [(site.base + "/c", "A comment")])
        site.feed("/empty.xml", [])
        site.feed("/blog/good.xml", [(site.base + f"/a{n}", f"Geschichte {n}") for n in range(4)])
        tried = desk.run("add", site.base + "/blog/", "--local", "--dry-run")
        assert desk.list.read_text("utf-8") == before
        done = desk.run("add", site.base + "/blog/", "--local", "--topical", "--id", "blatt")
        again = desk.run("add", site.base + "/blog", "--local")
    assert tried.returncode == 0
    assert tried.stdout.startswith("would add 127-0-0-1: feed ")
    assert done.returncode == 0
    assert done.stdout.startswith(f"added blatt: feed {site.base}/blog/good.xml, 4 entries, newest “Geschichte 3”")
    assert len(done.stdout.splitlines()) == 1
    assert (again.returncode, again.stdout) == (0, f"blatt is already followed: feed {site.base}/blog/good.xml\n")
    assert desk.list.read_text("utf-8").startswith(before)
    assert desk.tables["blatt"] == {
        "name": "A feed", "kind": "feed", "url": site.base + "/blog/good.xml", "home": site.base + "/blog/",
        "language": "de", "topical_filter": True, "local": True, "enabled": True,
    }  # fmt: skip


@pytest.mark.crawl
def test_add_takes_a_sitemap_with_a_pattern(desk):
    with Site() as site:
        stories = [f"{site.base}/news/2026/a-story-with-a-long-name-{n}" for n in range(4)]
        others = [f"{site.base}/tag/{n}" for n in range(9)] + [f"{site.base}/about"]
        site.reply("/maps/all.xml", urlset(*others, *stories), content_type="application/xml")
        site.reply("/robots.txt", f"Sitemap: {site.base}/maps/all.xml\n", content_type="text/plain")
        site.reply("/", "<html><body>a front page</body></html>")
        done = desk.run("add", site.base, "--local", "--name", "Zeitung", "--language", "de")
    assert done.returncode == 0, done.stderr
    assert "4 entries" in done.stdout
    table = desk.tables["127-0-0-1"]
    assert (table["kind"], table["url"], table["name"]) == ("sitemap", site.base + "/maps/all.xml", "Zeitung")
    assert source_of("x", table, "")
    assert guessing.re.search(table["url_pattern"], stories[0])
    assert not guessing.re.search(table["url_pattern"], others[0])


@pytest.mark.crawl
def test_add_takes_a_page_of_links_last(desk):
    links = "".join(f"<a href='/posts/{n}'>Post {n}</a>" for n in range(3)) + "<a href='/tag/x'>x</a>"
    with Site() as site:
        site.reply("/list", f"<html><title>The list</title><body>{links}</body></html>")
        site.page("/alone", 7)
        done = desk.run("add", site.base + "/list", "--local")
        nothing = desk.run("add", site.base + "/alone", "--local")
        unnamed = desk.run("add", site.base + "/list2")
    table = desk.tables["127-0-0-1"]
    assert (done.returncode, table["kind"], table["name"]) == (0, "listing", "The list")
    assert nothing.returncode == 3
    assert len(nothing.stderr.splitlines()) == 1
    assert (unnamed.returncode, len(unnamed.stderr.splitlines())) == (3, 1)
    assert "--local" in unnamed.stderr
    assert len(desk.tables) == 1


@pytest.mark.crawl
def test_add_of_a_site_that_is_away(desk):
    with Site() as site:
        base = site.base
    done = desk.run("add", base, "--local")
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 1)
    assert not desk.list.exists()


@pytest.mark.parametrize("url", ["nonsense", "ftp://paper.example/", "http://", "https://me:pw@paper.example/", ""])
def test_add_refuses_what_is_no_address(here, url):
    done = here("add", url)
    assert (done.code, len(done.err.splitlines())) == (2, 1)


def test_add_refuses_ids_it_cannot_use_before_asking(desk, here):
    desk.write("paper", "https://paper.example/feed")
    for name_id in ("Paper!", "paper"):
        done = here("add", "https://other.example/", "--id", name_id)
        assert (done.code, len(done.err.splitlines())) == (2, 1)


def test_add_says_when_a_source_is_in_the_list_but_off(desk, here):
    desk.write("paper", "https://paper.example/feed", home="https://paper.example/", enabled=False)
    done = here("add", "http://www.paper.example")
    assert done.code == 0
    assert "copydesk sources enable paper" in done.out
