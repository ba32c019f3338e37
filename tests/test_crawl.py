"""Whole crawls, each a subprocess against local sites: what was asked, what is kept, what is said, with which code."""

import gzip
import itertools
import json
import os
import signal
import time
from pathlib import Path

import pytest

from pipelines.lock import run_lock
from tests.desk import Desk, free_port
from tests.site import Site, article, prose, rss

ROOT = Path(__file__).parents[1]
SUMMARY = "The reader who has only this summary still learns what happened in the laboratory on that day. "
pytestmark = pytest.mark.crawl
SAME_DESK = pytest.mark.xdist_group("desk")  # tests of one crawl stay with it


def fill_good(site):
    links = [(site.page(f"/a{n}", n), f"Story {n}") for n in range(1, 5)]
    links.append((site.redirect("/old", site.page("/new", 41), status=301), "Moved"))
    links += [(f"{site.base}/missing", "Missing"), (site.reply("/gone", status=410), "Gone")]
    links.append((site.reply("/file.pdf", b"%PDF-1.7 \x00\x01", content_type="application/pdf"), "A file"))
    links.append((site.page("/private/a", 42), "Private"))
    links.append((site.page("/slow", 43, delay=0.4), "Slow"))
    whole = gzip.compress(article("Half", 44).encode())
    links.append((site.reply("/half", whole[: len(whole) // 2], headers={"Content-Encoding": "gzip"}), "Half"))
    links.append((site.page("/zipped", 45, headers={"Content-Encoding": "gzip"}), "Zipped"))
    links.append((site.reply("/inside", status=302, headers={"Location": "http://2130706433:9/"}), "Inside"))
    site.reply("/robots.txt", "User-agent: *\nDisallow: /private/\n", content_type="text/plain")
    return site.feed("/feed.xml", links)


def fill_map(site):
    pages = [site.page(f"/news/{n}", 100 + n) for n in range(3)]
    urls = "".join(
        f"<url><loc>{page}</loc><lastmod>2026-11-20</lastmod></url>" for page in [*pages, f"{site.base}/about"]
    )
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    site.reply(
        "/child.xml.gz",
        gzip.compress(f'<urlset xmlns="{space}">{urls}</urlset>'.encode()),
        content_type="application/gzip",
        etag='"m"',
    )
    index = f'<sitemapindex xmlns="{space}"><sitemap><loc>{site.base}/child.xml.gz</loc></sitemap></sitemapindex>'
    return site.reply("/sitemap.xml", index, content_type="application/xml", etag='"index"')


def fill_list(site):
    for n in range(4):
        site.page(f"/posts/{n}", 200 + n)
    one = (
        "".join(f"<a href='/posts/{n}'>Post {n}</a>" for n in (0, 1))
        + "<a rel='next' href='/list?page=2'>older</a><a href='/tag/x'>x</a>"
    )
    two = "".join(f"<a href='/posts/{n}'>Post {n}</a>" for n in (2, 3))
    site.reply("/list?page=2", f"<html><body>{two}</body></html>", etag='"two"')
    return site.reply("/list", f"<html><body>{one}</body></html>", etag='"one"')


@pytest.fixture(scope="module")
def sites():
    with Site() as good, Site() as other, Site() as closed, Site() as busy, Site() as refusing:
        yield {"good": good, "other": other, "closed": closed, "busy": busy, "refusing": refusing}


@pytest.fixture(scope="module")
def desk(sites, tmp_path_factory):
    """Twelve sources, half of them in trouble."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    other = sites["other"]
    desk.source("good", fill_good(sites["good"]))
    desk.source("map", fill_map(other), kind="sitemap", url_pattern="/news/")
    desk.source("list", fill_list(other), kind="listing", url_pattern="/posts/")
    desk.source("page", other.reply("/nofeed", article("No feed", 9)))
    desk.source("away", other.base + "/away.xml")
    desk.source("refused", f"http://127.0.0.1:{free_port()}/feed")
    desk.source("nowhere", "https://news.invalid/feed", local=False)
    desk.source("inside", f"http://127.0.0.1:{free_port()}/feed", local=False)
    closed, busy, refusing = sites["closed"], sites["busy"], sites["refusing"]
    closed.reply("/robots.txt", status=500)
    desk.source("norobots", closed.feed("/feed.xml", [(closed.page("/x", 300), "X")]))
    busy.reply("/one", status=429, headers={"Retry-After": "7200"})
    desk.source(
        "busy",
        busy.feed(
            "/feed.xml", [(busy.page("/two", 301), "2"), (busy.page("/three", 302), "3"), (busy.base + "/one", "1")]
        ),
    )
    links = [(refusing.reply("/a", status=403), "Told in the feed")]
    text = rss(links).replace("About Told in the feed.", SUMMARY * 6)
    desk.source("summary", refusing.reply("/feed.xml", text, content_type="application/rss+xml"), text_from_feed=True)
    return desk


@pytest.fixture(scope="module")
def first(desk):
    return desk.crawl("--json")


@pytest.fixture(scope="module")
def report(first):
    return {source["id"]: source for source in json.loads(first.stdout)["sources"]}


@SAME_DESK
@pytest.mark.fault("P03")
def test_some_sources_failed_and_the_code_says_so(first, report):
    assert first.returncode == 3
    assert not first.stderr
    outcomes = {name: source["outcome"] for name, source in report.items()}
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    assert failed == {"page", "away", "refused", "nowhere", "inside", "norobots"}


@SAME_DESK
def test_each_failed_source_is_told_in_one_line(report):
    assert report["page"]["error"] == "the answer is no feed"
    assert "404" in report["away"]["error"]
    assert report["refused"]["error"] == "no connection to 127.0.0.1 (connection refused)"
    assert report["nowhere"]["error"] == "no connection to news.invalid (name not found)"
    assert "not a public web address" in report["inside"]["error"]
    assert "robots.txt" in report["norobots"]["error"]


@SAME_DESK
def test_good_pages_are_kept_and_redirects_recorded(desk, report):
    assert report["good"]["new"] == 7, report["good"]
    rows = desk.rows("select url, final_url from articles where source = 'good'")
    moved = [row["final_url"] for row in rows if row["url"].endswith("/old")]
    assert [url.rpartition("/")[2] for url in moved] == ["new"]


@SAME_DESK
@pytest.mark.fault("N13", "H17")
def test_every_page_not_kept_has_a_reason(desk, report):
    rows = desk.rows("select url, stage, reason from rejections where source = 'good'")
    reasons = {row["url"].rpartition("/")[2]: row["reason"] for row in rows}
    assert reasons["missing"] == "not_found"
    assert reasons["gone"] == "gone"
    assert reasons["file.pdf"] in ("not_html", "binary")
    assert reasons["a"] == "robots"
    assert reasons["half"] == "truncated"
    assert reasons["inside"] == "forbidden_address"


@SAME_DESK
def test_a_disallowed_page_is_never_asked_for(sites, first):
    assert "/private/a" not in sites["good"].paths()


@SAME_DESK
def test_robots_that_cannot_be_read_mean_no(sites, first):
    assert sites["closed"].paths() == []


@SAME_DESK
def test_sitemap_children_and_listing_pages_are_followed(sites, report):
    assert report["map"]["new"] == 3
    assert report["list"]["new"] == 4
    assert "/about" not in sites["other"].paths()
    assert "/tag/x" not in sites["other"].paths()


@SAME_DESK
@pytest.mark.fault("R13")
def test_a_host_that_asks_for_peace_is_left_alone(sites, desk, report):
    assert len([path for path in sites["busy"].paths() if path != "/feed.xml"]) >= 1
    assert sites["busy"].paths()[-1] == "/one"
    state = desk.rows("select * from source_state where source = 'busy'")[0]
    started = desk.rows("select started from runs")[0]["started"]
    waited = desk.rows("select (julianday(?) - julianday(?)) * 24 as hours", state["next_due"], started)[0]["hours"]
    assert 1.9 < waited < 2.2


@SAME_DESK
def test_a_refused_page_gives_the_feeds_own_text(desk, report):
    assert report["summary"]["new"] == 1
    text = desk.rows("select text from articles where source = 'summary'")[0]["text"]
    assert "learns what happened in the laboratory" in text


@SAME_DESK
def test_one_request_at_a_time_to_a_host(sites, first):
    for site in sites.values():
        seen = sorted(site.requests, key=lambda request: request.start)
        for one, other in itertools.pairwise(seen):
            assert other.start >= one.end - 0.02, (one.path, other.path)


@SAME_DESK
def test_the_user_agent_is_honest(sites, first):
    agents = {request.headers["User-Agent"] for site in sites.values() for request in site.requests}
    assert len(agents) == 1
    assert agents.pop().startswith("copydesk/")


@SAME_DESK
@pytest.mark.fault("R14")
def test_a_second_crawl_asks_once_a_source_and_keeps_nothing(sites, desk, first):
    for site in sites.values():
        site.forget()
    again = desk.crawl("good", "map", "list", "summary")
    assert again.returncode == 0, again.stderr
    assert " 0 new articles" in again.stdout
    assert sites["good"].paths() == sites["good"].paths(304) == ["/feed.xml"]
    assert (
        sorted(sites["other"].paths())
        == sorted(sites["other"].paths(304))
        == ["/child.xml.gz", "/list", "/sitemap.xml"]
    )
    assert sites["refusing"].paths() == ["/feed.xml"]


@SAME_DESK
def test_a_changed_feed_brings_only_what_is_new(sites, desk, first):
    good = sites["good"]
    good.forget()
    good.feed("/feed.xml", [(good.page("/late", 50), "Late"), (good.base + "/a1", "Story 1")])
    again = desk.crawl("good", "--quiet")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert good.paths() == ["/feed.xml", "/late"]


@SAME_DESK
def test_sources_that_are_not_due_are_left_alone(sites, desk, first):
    for site in sites.values():
        site.forget()
    done = desk.crawl()
    assert done.returncode == 0, done.stdout
    assert "is due; name one or use --force" in done.stdout
    assert not sites["good"].requests


@pytest.mark.fault("P03")
def test_every_source_offline_is_four_and_quiet_starts_with_a_subject(tmp_path):
    desk = Desk(tmp_path)
    desk.source("metr", "https://metr.invalid/feed", local=False)
    desk.source("anvil", "https://anvil.invalid/sitemap.xml", local=False, kind="sitemap")
    done = desk.crawl("--quiet")
    lines = done.stderr.splitlines()
    assert done.returncode == 4
    assert lines[0].startswith("copydesk crawl: 2 of 2 sources failed")
    assert "metr: no connection to metr.invalid (name not found)" in lines
    assert len(lines) == 3
    assert done.stdout == ""
    again = desk.crawl("--json")
    assert again.returncode == 4, "nobody is put off because we are offline"


def interrupt(desk, site, number):
    """Start a crawl, send it a signal once it has fetched a few pages, return what it said."""
    process = desk.start()
    deadline = time.monotonic() + 30
    while len(site.paths(200)) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    if number != signal.SIGKILL:  # a worker whose parent is killed has nobody to tell
        assert "Traceback" not in err, err
    return process.returncode, out, err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["TERM", "HUP"])
@pytest.mark.fault("P06")
def test_a_signal_ends_the_run_in_order_and_the_next_goes_on(tmp_path, number):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/p{n}", 400 + n, delay=0.1), f"Page {n}") for n in range(10)]
        desk.source("slow", site.feed("/feed.xml", links))
        code, out, _ = interrupt(desk, site, number)
        assert code == 130
        assert "interrupted" in out
        kept = desk.rows("select count(*) as n from articles")[0]["n"]
        assert 0 < kept < 10
        again = desk.crawl()
        assert again.returncode == 0, again.stderr
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 10
        pages = [path for path in site.paths(200) if path.startswith("/p")]
        assert len(pages) <= 11, "at most the page in hand is fetched twice"
        assert [row["exit_code"] for row in desk.rows("select exit_code from runs order by id")] == [130, 0]


def test_ctrl_c_does_not_wait_for_the_pauses_of_a_host(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/p{n}", 450 + n), f"Page {n}") for n in range(10)]
        desk.source("slow", site.feed("/feed.xml", links), delay_s=2.0)
        process = desk.start()
        while "/feed.xml" not in site.paths():
            time.sleep(0.02)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert time.monotonic() - start < 6


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["INT", "KILL"])
def test_a_listing_stopped_after_its_first_page_goes_on_with_the_second(tmp_path, number):
    desk = Desk(tmp_path)
    with Site() as site:
        url = fill_list(site)
        desk.source("list", url, kind="listing", url_pattern="/posts/", delay_s=5.0)
        process = desk.start()
        while not desk.database.exists() or not desk.rows("select 1 from sqlite_master where name = 'frontier'"):
            time.sleep(0.02)
        while not desk.rows("select 1 from frontier"):
            time.sleep(0.02)
        process.send_signal(number)
        process.communicate(timeout=30)
        assert site.paths() == ["/list"]
        desk.tables.clear()
        desk.source("list", url, kind="listing", url_pattern="/posts/")
        assert desk.crawl().returncode == 0
        assert site.paths(304) == ["/list"], "its first page is unchanged and names no other"
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 4


def test_a_page_of_a_listing_that_fails_is_read_next_time(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        desk.source("list", fill_list(site), kind="listing", url_pattern="/posts/")
        second = site.replies["/list?page=2"]
        site.reply("/list?page=2", status=500)
        desk.crawl()
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 2
        site.replies["/list?page=2"] = second
        desk.crawl("--force")
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 4
        assert desk.rows("select * from open_indexes") == []


@pytest.mark.fault("P04", "P05")
def test_a_killed_run_loses_nothing(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/p{n}", 500 + n, delay=0.05), f"Page {n}") for n in range(8)]
        desk.source("slow", site.feed("/feed.xml", links))
        code, _, _ = interrupt(desk, site, signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert desk.crawl().returncode == 0
        assert desk.rows("select count(*) as n from articles")[0]["n"] == 8
        assert site.paths(304) == ["/feed.xml"], "the feed's entries came with its validators"


@pytest.mark.fault("P01", "P03")
def test_a_second_run_at_the_same_time_is_75(tmp_path):
    desk = Desk(tmp_path)
    desk.source("one", "https://one.invalid/feed", local=False)
    with run_lock(desk.database):
        done = desk.crawl()
    assert done.returncode == 75
    assert str(os.getpid()) in done.stderr


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


def test_prose_of_two_pages_differs():
    assert not set(prose(1)) & set(prose(2))


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
