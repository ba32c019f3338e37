"""What bounds a crawl: its options, budgets and limits, answers that cost only themselves, what a site asks of us."""

import gzip

import pytest

from tests.desk import Desk
from tests.indexes import fill_map
from tests.site import Site, article, rss

pytestmark = pytest.mark.crawl


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--wrong"], "--wrong"), (["nobody"], "nobody"), (["--since", "soon"], "soon"), (["--limit", "0"], "limit")],
)
def test_wrong_usage_is_two_and_one_line(tmp_path, arguments, says):
    desk = Desk(tmp_path)
    desk.source("one", "https://one.invalid/feed", local=False)
    done = desk.crawl(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert not desk.database.exists()


def test_a_dry_run_asks_nobody_and_writes_nothing(tmp_path):
    desk = Desk(tmp_path)
    desk.source("one", "https://one.invalid/feed", local=False)
    done = desk.crawl("--dry-run")
    assert (done.returncode, done.stdout) == (0, "one\tfeed\thttps://one.invalid/feed\n")
    assert not desk.database.exists()


def test_two_sources_may_read_one_sitemap(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        url = fill_map(site)
        site.page("/about", 700)
        desk.source("news", url, kind="sitemap", url_pattern="/news/")
        desk.source("rest", url, kind="sitemap", url_pattern="/about")
        assert "4 new articles" in desk.crawl().stdout
        site.forget()
        assert desk.crawl("--force").returncode == 0
        assert sorted(site.paths()) == sorted(site.paths(304)) == ["/child.xml.gz"] * 2 + ["/sitemap.xml"] * 2


def test_limits_of_a_run(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/p{n}", 600 + n), f"Page {n}") for n in range(6)]
        desk.source("many", site.feed("/feed.xml", links), max_items_first_run=4)
        assert "2 new" in desk.crawl("--limit", "2").stdout
        done = desk.crawl()
        assert "2 new" in done.stdout, "pages left over make a source due at once"
        desk.crawl("--force")
    left_out = desk.rows("select url from frontier where ended = 'before_first_visit'")
    assert len(left_out) == 2, "the first visit takes four of six, and the others are not news later"
    assert len(desk.rows("select id from articles")) == 4


@pytest.mark.fault("P03")
def test_a_file_that_is_no_corpus_is_five(tmp_path):
    desk = Desk(tmp_path)
    desk.source("one", "https://one.invalid/feed", local=False)
    desk.database.write_bytes(b"not a database at all, " * 100)
    assert desk.crawl().returncode == 5


@pytest.mark.fault("N01", "N04", "N14", "N16", "S04", "S07", "P07")
def test_hostile_answers_cost_only_themselves_and_budgets_hold(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site, Site() as slow:
        site.reply("/bomb", gzip.compress(b"<html>" + b"A" * 30 * 2**20), headers={"Content-Encoding": "gzip"})
        site.reply("/big", b"<html>" + b"A" * 6 * 2**20)
        site.reply("/cut", article("Cut", 1), cut=500)
        site.reply("/layers", article("Layers", 2), headers={"Content-Encoding": "br, br, br, br, br, br"})
        site.reply("/plain", article("Plain", 3), headers={"Content-Encoding": "x-gzip"})
        site.reply("/headers", article("Headers", 4), headers={f"X-{n}": "y" * 4000 for n in range(90)})
        site.redirect("/loop", "/loop")
        site.redirect("/tofile", "file:///etc/hostname")
        paths = ("/bomb", "/big", "/cut", "/layers", "/headers", "/plain", "/loop", "/tofile")
        desk.source("bad", site.feed("/feed.xml", [(site.base + path, path) for path in paths]))
        desk.source(
            "slow", slow.feed("/feed.xml", [(slow.page(f"/{n}", 800 + n, delay=1.0), f"S{n}") for n in range(9)])
        )
        done = desk.crawl(COPYDESK_CRAWL__SOURCE_BUDGET_S="4")
        assert done.returncode == 0, done.stdout + done.stderr
        rows = desk.rows("select url, reason from rejections")
        reasons = {row["url"].rpartition("/")[2]: row["reason"] for row in rows}
        expected = {
            "bomb": "too_large",
            "big": "too_large",
            "cut": "truncated",
            "layers": "too_large",
            "headers": "too_large",
        }
        assert reasons == {**expected, "loop": "redirects", "tofile": "http_302"}
        assert 1 <= desk.rows("select new from source_runs where source = 'slow'")[0]["new"] <= 6
        assert site.paths().count("/loop") == 6
        later = desk.crawl(COPYDESK_CRAWL__RUN_BUDGET_S="0.8")
        assert later.returncode == 3
        assert "the rest stays due" in later.stdout
        assert desk.crawl().returncode == 0
        assert desk.rows("select count(*) as n from articles where source = 'slow'")[0]["n"] == 9


@pytest.mark.fault("X06")
def test_a_feed_that_was_cut_off_is_read_whole_next_time(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/{n}", 950 + n), f"Story {n}") for n in range(4)]
        whole = rss(links)
        half = whole[: whole.rindex("<item>") + 10]
        desk.source("half", site.reply("/feed.xml", half, content_type="application/rss+xml", etag='"same"'))
        assert desk.crawl().returncode == 0
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 3
        site.reply("/feed.xml", whole, content_type="application/rss+xml", etag='"same"')
        assert desk.crawl("--force").returncode == 0
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 4


def test_a_page_that_asks_not_to_be_kept_is_not(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:

        def said(seed, words):
            return article(f"Story {seed}", seed).replace("</head>", f"<meta content='{words}' name=robots></head>")

        links = [
            (site.reply("/meta", said(970, "max-snippet:-1, NOINDEX")), "M"),
            (site.reply("/none", said(971, "none")), "N"),
            (site.page("/header", 972, headers={"X-Robots-Tag": "copydesk: noindex, nofollow"}), "H"),
            (site.page("/other", 973, headers={"X-Robots-Tag": "otherbot: noindex"}), "O"),
            (site.reply("/text", said(974, "noarchive")), "T"),
        ]
        desk.source("own", site.feed("/feed.xml", links))
        assert "2 new articles" in desk.crawl().stdout
        assert desk.rejected() == dict.fromkeys(("meta", "none", "header"), "noindex")
        assert [row["url"] for row in desk.rows("select url from raw_pages")] == [site.base + "/other"]
        desk.change("update frontier set next_due = first_seen, last_fetch = null")
        done = desk.crawl("--force", COPYDESK_CRAWL__HEED_NOINDEX="false", COPYDESK_CRAWL__HEED_NOARCHIVE="false")
        assert "3 new articles" in done.stdout
        assert len(desk.rows("select url from raw_pages")) == 5


@pytest.mark.fault("R08")
def test_robots_txt_leads_nowhere_on_a_local_host(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        site.reply("/robots.txt", status=302, headers={"Location": "/admin?delete=all"})
        desk.source("own", site.feed("/feed.xml", [(site.page("/a", 960), "A")]))
        assert desk.crawl().returncode == 4
        assert site.paths() == []


@pytest.mark.fault("R11")
def test_a_crawl_delay_is_heeded(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        site.reply("/robots.txt", "User-agent: copydesk\nCrawl-delay: 1\n", content_type="text/plain")
        desk.source("calm", site.feed("/feed.xml", [(site.page("/a", 900), "A")]))
        assert desk.crawl().returncode == 0
        feed, page = [seen for seen in site.requests if seen.path != "/robots.txt"]
        assert page.start - feed.end >= 0.95
