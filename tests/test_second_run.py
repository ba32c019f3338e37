"""The run after the first: one question a source when nothing changed; what is new and what changed, and nothing else, when something did."""

import json

import pytest

from tests.desk import Desk
from tests.site import Site, article

PAGES, CHANGED, NEW = range(1, 13), range(1, 7), (21, 22)
LONG_AGO = "2026-01-01T00:00:00+00:00"
pytestmark = [pytest.mark.crawl, pytest.mark.xdist_group("second-run")]


def links(site, numbers):
    return [(f"{site.base}/a{number}", f"Story {number}") for number in numbers]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory):
    """Two sources of which one changes, after a first run and a second that came too early."""
    with Site() as site, Site() as quiet:
        desk = Desk(tmp_path_factory.mktemp("second"))
        for number in PAGES:
            site.page(f"/a{number}", number)
        quiet.page("/a1", 40)
        desk.source("busy", site.feed("/feed.xml", links(site, PAGES)))
        desk.source("quiet", quiet.feed("/feed.xml", links(quiet, (1,))))
        first = json.loads(desk.crawl("--json").stdout)
        assert sum(source["new"] for source in first["sources"]) == len(PAGES) + 1
        site.forget(), quiet.forget()
        desk.crawl("--force")
        yield site, quiet, desk


def test_nothing_changed_is_one_conditional_request_a_source(crawled):
    site, quiet, _ = crawled
    for one in (site, quiet):
        assert one.paths() == one.paths(304) == ["/feed.xml"]


def test_two_new_and_six_changed_are_exactly_those_found(crawled):
    site, quiet, desk = crawled
    site.forget(), quiet.forget()
    for number in NEW:
        site.page(f"/a{number}", number)
    for number in CHANGED:
        extra = f"<p>Correction {number}: the harbour council counted {number * 17} lanterns, not the number told before.</p>"
        site.reply(f"/a{number}", article(f"Story {number}", number, extra), etag=f'"second-{number}"')
    site.feed("/feed.xml", links(site, [*NEW, *PAGES]))
    desk.change("update frontier set next_due = ? where source = 'busy'", LONG_AGO)  # a revisit's time has come
    told = {source["id"]: source for source in json.loads(desk.crawl("--force", "--json").stdout)["sources"]}
    assert {name: told["busy"][name] for name in ("new", "updated", "unchanged")} == {
        "new": len(NEW), "updated": len(CHANGED), "unchanged": len(PAGES) - len(CHANGED),
    }  # fmt: skip
    assert sorted(site.paths(200)) == sorted(["/feed.xml", *(f"/a{number}" for number in [*NEW, *CHANGED])])
    assert sorted(site.paths(304)) == sorted(f"/a{number}" for number in PAGES if number not in CHANGED)
    assert quiet.paths() == quiet.paths(304) == ["/feed.xml"]
    rows = desk.rows("select a.url from versions as v join articles as a on a.id = v.article")
    assert {row["url"].rpartition("/")[2] for row in rows} == {f"a{number}" for number in CHANGED}
