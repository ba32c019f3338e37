"""A crawl of twelve sources, half of them in trouble: what was asked, what is kept, what is said, with which code."""

import gzip
import itertools
import json

import pytest

from tests.desk import Desk, free_port
from tests.indexes import fill_list, fill_map
from tests.site import Site, article, prose, rss

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


def test_prose_of_two_pages_differs():
    assert not set(prose(1)) & set(prose(2))
