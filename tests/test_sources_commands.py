"""`copydesk sources`: what it lists, what it finds on sites that behave and misbehave, what it writes and what never."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import guessing
from crawler.finding import is_likely
from crawler.opml import read_opml, write_opml
from crawler.sources import SHIPPED, load_sources, source_of
from pipelines.config import Config
from pipelines.errors import InputError
from pipelines.records import Entry, Hint
from tests.cli_helpers import run_cli
from tests.site import Site, rss

ROOT = Path(__file__).parents[1]
MAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
OPML = """<?xml version="1.0"?>
<opml version="2.0"><head><title>mine</title></head><body>
 <outline text="Labs &amp; co">
  <outline type="rss" text="Paper" xmlUrl="https://paper.example/feed" htmlUrl="https://paper.example/" language="ko"/>
  <outline type="rss" title="신문" xmlUrl="https://sinmun.example/rss.xml"/>
  <outline type="rss" text="Paper again" xmlUrl="http://www.paper.example/feed/"/>
  <outline type="rss" text="Empty"/>
  <outline type="rss" text="Mail" xmlUrl="mailto:me@paper.example"/>
  <outline type="rss" text="Inside" xmlUrl="http://10.0.0.1/feed"/>
 </outline>
</body></opml>"""


class Desk:
    """A folder with a source list of its own, and `copydesk sources` over it."""

    def __init__(self, folder):
        self.folder, self.list, self.database = folder, folder / "sources.toml", folder / "corpus.db"

    @property
    def tables(self):
        return tomllib.loads(self.list.read_text("utf-8")) if self.list.exists() else {}

    def write(self, source_id, url, **values):
        values = {"url": url, "kind": "feed", "local": True, "delay_s": 0.01, **values}
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        with self.list.open("a", encoding="utf-8") as out:
            out.write(f"[{source_id}] # ours\n" + "\n".join(lines) + "\n")

    def run(self, *words):
        """In a process of its own: the reactor starts once in a process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
        own = {"COPYDESK_DATABASE": str(self.database), "COPYDESK_SHIPPED_SOURCES": "false", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "crawler", "sources", *words],
            cwd=self.folder, env={**kept, **own}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def here(desk, capsys, monkeypatch):
    """The commands that ask nobody, in this process."""
    import crawler.source_commands  # noqa: F401 - registers them

    monkeypatch.setenv("COPYDESK_DATABASE", str(desk.database))
    monkeypatch.setenv("COPYDESK_SHIPPED_SOURCES", "false")
    return lambda *words, **values: run_cli(capsys, "sources", *words, **values)


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


def test_a_list_the_settings_name_is_made_when_first_written(desk, here, tmp_path, monkeypatch):
    monkeypatch.setenv("COPYDESK_SOURCES", str(tmp_path / "new" / "list.toml"))
    assert here("list").code == 2
    file = tmp_path / "in.opml"
    file.write_text(OPML, "utf-8")
    assert here("import", file).code == 0
    assert "paper-example" in here("list").out


def test_writing_follows_a_link_and_keeps_the_files_mode(desk, here, tmp_path):
    desk.write("paper", "https://paper.example/feed")
    real = desk.list.rename(tmp_path / "real.toml")
    real.chmod(0o640)
    desk.list.symlink_to(real)
    assert here("disable", "paper").code == 0
    assert desk.list.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert desk.tables["paper"]["enabled"] is False


# guesses


def entries(*urls, title=""):
    return [Entry(url=url, hint=Hint(title=title)) for url in urls]


@pytest.mark.parametrize(
    ("urls", "good", "bad"),
    [
        (["/2025/01/a", "/2026/02/b", "/about"], "/2026/11/c", "/about"),
        (["/en/news/a", "/en/news/b", "/en/jobs/a"], "/en/news/c", "/en/jobs/b"),
        (["/a-long-name-of-a-story", "/b-long-name-of-a-story", "/about", "/team"], "/new-long-name-of-it", "/team"),
        (["/view.php?id=1", "/view.php?id=2"], "/view.php?id=3", "/other.php?id=3"),
        (["/tag/a", "/tag/b", "/tag/c", "/post/12345"], "/post/12346", "/tag/a"),
        (["/news/1", "/news/2", "/x/1"], "/news/3", "/news/page/2"),
    ],
)
def test_the_commonest_folder_of_articles_is_guessed(urls, good, bad):
    base = "https://www.paper.example"
    pattern = guessing.commonest_pattern(entries(*(base + url for url in urls)), base + "/")
    assert guessing.re.search(pattern, base + good)
    assert guessing.re.search(pattern, "http://paper.example" + good)
    assert not guessing.re.search(pattern, base + bad)
    assert not guessing.re.search(pattern, "https://wwwxpaper.example" + good)


def test_nothing_is_guessed_from_nothing():
    assert not guessing.commonest_pattern(entries("https://paper.example/about"), "https://paper.example/")
    assert not guessing.commonest_pattern(entries("https://other.example/a/b"), "https://paper.example/")


@pytest.mark.parametrize(
    ("page", "folder"),
    [("https://a.example", "/"), ("https://a.example/blog.html", "/blog/"), ("https://a.example/en/index.php", "/en/")],
)
def test_the_folder_below_a_page(page, folder):
    assert guessing.folder_of(page) == folder


def test_ids_come_from_the_host_and_are_unique():
    taken = set()
    for expected in ("paper-example", "paper-example-blog", "paper-example-2"):
        found = guessing.id_for("https://www.paper.example/blog", taken)
        assert found == expected
        taken.add(found)
    assert guessing.id_for("http://[::1]/", set())


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (rss([], title="A &amp; B").encode(), "A & B"),
        (b"<rss><channel><image><title>Logo</title></image><title>No</title></channel></rss>", ""),
        ("<?xml version='1.0' encoding='euc-kr'?><rss><title><![CDATA[신문]]></title>".encode("euc-kr"), "신문"),
        (b'{"title": "Json", "items": []}', "Json"),
        (b"{", ""),
        (b"<?xml version='1.0' encoding='no-such'?><rss><title>x</title>", ""),
    ],
)
def test_a_feed_says_its_name(body, name):
    assert guessing.feed_name(body) == name


def test_sitemaps_of_news_are_looked_at_first():
    assert is_likely("https://a.example/post-sitemap.xml", "https://a.example/")
    assert is_likely("https://a.example/essays.xml", "https://a.example/essays")
    assert not is_likely("https://a.example/product.xml", "https://a.example/")


# list


def test_list_needs_no_corpus_and_shows_health_when_there_is_one(desk, here):
    from pipelines.store import Corpus

    desk.write("paper", "https://paper.example/feed", name="신문 하나")
    desk.write("quiet", "https://quiet.example/feed", enabled=False)
    assert here().out == here("list").out
    assert "success" not in here().out
    assert [line.split()[:2] for line in here("--enabled").out.splitlines()[1:]] == [["on", "paper"]]
    with Corpus.open(desk.database, Config(database=str(desk.database)), create=True) as corpus:
        day = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
        corpus.set_source_state("paper", last_success=day, last_new=day, failures=2)
    assert "2026-11-20" in here("list").out
    rows = here("list", "--json").rows
    assert [row["id"] for row in rows] == ["paper", "quiet"]
    assert (rows[0]["failures"], rows[1]["last_success"]) == (2, None)


def test_a_corpus_that_cannot_be_read_does_not_hide_the_list(desk, here):
    desk.write("paper", "https://paper.example/feed")
    desk.database.write_bytes(b"no database at all" * 300)
    done = here("list")
    assert done.code == 0
    assert "paper" in done.out
    assert "no health" in done.err


def test_unknown_sources_and_broken_lists_are_told_in_a_line(desk, here):
    desk.write("paper", "https://paper.example/feed")
    for words in (("enable", "papr"), ("check", "papr")):
        done = here(*words)
        assert (done.code, len(done.err.splitlines())) == (2, 1)
        assert "did you mean paper?" in done.err
    desk.write("broken", "https://b.example/", kind="blog")
    done = here("list")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert 'sources.toml: [broken]: kind: \'blog\', expected one of "feed", "sitemap", "listing"' in done.err
    desk.write("other", "nowhere")
    assert [done.code, len(here("list").err.splitlines())] == [2, 3]


# OPML


def test_opml_comes_in_and_goes_out(desk, here, tmp_path):
    file = tmp_path / "in.opml"
    file.write_text(OPML, "utf-8")
    assert "2 feeds would be added" in here("import", file, "--dry-run").out
    assert not desk.list.exists()
    done = here("import", file)
    assert done.code == 0
    assert "2 feeds added, 1 already known, 3 skipped" in done.out
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["skipped Empty", "skipped Mail", "skipped Inside"]
    assert desk.tables["paper-example"] == {
        "name": "Paper", "kind": "feed", "url": "https://paper.example/feed", "home": "https://paper.example/",
        "language": "ko", "group": "Labs & co", "enabled": True,
    }  # fmt: skip
    assert "0 feeds added, 3 already known" in here("import", file).out
    before = desk.tables
    out = here("export", "-").out
    assert here("export", tmp_path / "out.opml").code == 0
    assert (tmp_path / "out.opml").read_text("utf-8") == out
    desk.list.unlink()
    assert "2 feeds added" in here("import", "-", stdin=out.encode()).out
    assert desk.tables == before


def test_what_the_list_says_of_a_feed_survives_opml_and_a_private_one_only_when_asked_for(desk, here):
    desk.write("paper", "https://paper.example/feed", local=False, topical_filter=True, enabled=False)
    desk.write("inside", "http://feeds.inside.example:8080/feed", name="Inside")
    out = here("export", "--all").out.encode()
    before = desk.tables
    desk.list.unlink()
    done = here("import", "-", stdin=out)
    assert "1 feed added, 0 already known, 1 skipped" in done.out
    assert "--local" in done.err
    assert desk.tables["paper-example"]["enabled"] is False
    assert "1 feed added, 1 already known, 0 skipped" in here("import", "--local", "-", stdin=out).out
    taken = {table["url"]: table for table in desk.tables.values()}
    for table in before.values():
        for key in ("local", "topical_filter", "enabled"):
            assert taken[table["url"]].get(key, key == "enabled") == table.get(key, key == "enabled"), (key, table)


@pytest.mark.parametrize("body", ["", '<outline text="A" xmlUrl="ftp://a.example/feed"/>', '<outline text="A"/>'])
def test_opml_without_a_usable_feed_is_3(here, body):
    done = here("import", "-", stdin=f'<opml version="2.0"><body>{body}</body></opml>'.encode())
    assert (done.code, done.out) == (3, "")
    assert "feed" in done.err.splitlines()[-1]


def test_export_leaves_out_what_opml_cannot_say(desk, here):
    desk.write("paper", "https://paper.example/feed")
    desk.write("off", "https://off.example/feed", enabled=False)
    desk.write("map", "https://map.example/sitemap.xml", kind="sitemap")
    done = here("export")
    assert "off.example" not in done.out
    assert "1 source without a feed left out" in done.err
    assert "off.example" in here("export", "--all").out


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<opml><body>",
        b"<html><body/></html>",
        b"\x00\xff",
        b'<!DOCTYPE opml [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml><body><outline text="&a;"/></body></opml>',
        '<!DOCTYPE opml [<!ENTITY a "aa">]><opml><body/></opml>'.encode("utf-16"),
    ],
)
def test_a_broken_opml_is_one_line(here, tmp_path, data):
    file = tmp_path / "broken.opml"
    file.write_bytes(data)
    done = here("import", file)
    assert (done.code, len(done.err.splitlines())) == (3, 1)
    with pytest.raises(InputError):
        read_opml(data, "x")


def test_every_name_can_be_written_as_opml():
    source = source_of("x", {"name": "a\x00\x1b<&\ud800 한", "kind": "feed", "url": "https://x.example/"}, "")
    assert read_opml(write_opml([source]), "x")[0].name.endswith("<&� 한")


def test_the_shipped_list_goes_out_whole(tmp_path):
    feeds = [source for source in load_sources(Config(database=str(tmp_path / "x.db"))) if source.kind == "feed"]
    assert len(read_opml(write_opml(feeds), "x")) == len(feeds)
    assert SHIPPED.exists()
