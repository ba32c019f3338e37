"""`crawl --shard 2/5`: each source in one shard, the same everywhere, and N corpora that hold what one would."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.sharding import Shard, parsed, shard_of
from crawler.sources import load_sources
from pipelines.config import Config
from tests.desk import Desk
from tests.site import Site

HOSTS = st.from_regex(r"[a-z]{1,12}\.(example|test)", fullmatch=True)


@settings(deadline=None)
@given(HOSTS, st.integers(1, 1000))
def test_an_address_is_in_exactly_one_shard(host, count):
    number = shard_of(f"https://{host}/feed", count)
    assert 1 <= number <= count
    assert Shard(number, count).has(f"https://{host}/feed")
    if count > 1:
        assert not Shard(number % count + 1, count).has(f"https://{host}/feed")


@settings(deadline=None)
@given(HOSTS, st.integers(1, 50))
def test_all_of_a_host_is_in_one_shard(host, count):
    spellings = (
        f"https://{host}/feed",
        f"http://www.{host}/sitemap.xml",
        f"https://{host.upper()}/a/b",
        f"https://{host}:443/",
    )
    assert len({shard_of(url, count) for url in spellings}) == 1


def test_a_host_keeps_its_shard_in_every_version():
    hosts = ("alpha.example", "beta.example", "gamma.example", "delta.example", "epsilon.example")
    assert [shard_of(f"https://{host}/", 5) for host in hosts] == [5, 3, 4, 2, 3]


def test_the_shipped_sources_are_spread_evenly():
    sources = load_sources(Config())
    parts = [Shard(number, 4).of(sources) for number in range(1, 5)]
    assert sorted(source.id for part in parts for source in part) == sorted(source.id for source in sources)
    assert min(map(len, parts)) > len(sources) / 8


@pytest.mark.parametrize("text", ["0/5", "6/5", "2", "2/", "/5", "-1/5", "a/b", "1/1001", "1/5/2", ""])
def test_what_is_no_shard_is_told_in_one_line(text):
    assert parsed(text) is None
    done = subprocess.run(
        [sys.executable, "-m", "crawler", "crawl", f"--shard={text}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "2/5" in done.stderr


def command(desk, *words):
    done = subprocess.run(
        [sys.executable, "-m", "crawler", *words],
        cwd=desk.folder,
        env=desk.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.mark.crawl
def test_two_shards_and_merge_give_what_one_crawl_gives(tmp_path):
    with Site() as one, Site() as other, Site() as third:
        desk = Desk(tmp_path)
        for number, site in enumerate((one, other, third)):
            links = [(site.page(f"/{number}-{k}", 10 * number + k), f"Story {k}") for k in range(3)]
            site.page("/shared", 99)  # the same text on three hosts
            links.insert(number, (f"{site.base}/shared", "Shared"))  # its place says when it was published
            desk.source(f"source-{number}", site.feed("/feed", links))
        listed = [
            json.loads(line) for line in command(desk, "sources", "list", "--shards", "2", "--json").stdout.splitlines()
        ]
        shards = {row["id"]: row["shard"] for row in listed}
        assert desk.crawl("--db", "whole.db").returncode == 0
        for number in (1, 2):
            done = desk.crawl("--shard", f"{number}/2", "--db", f"{number}.db", "--json")
            assert done.returncode == 0
            asked = {row["id"] for row in json.loads(done.stdout)["sources"]}
            assert asked == {name for name, shard in shards.items() if shard == f"{number}/2"}
    present = [name for name in ("1.db", "2.db") if (tmp_path / name).exists()]
    merged = command(desk, "merge", *present, "--db", "all.db", "--json")
    assert merged.returncode == 0, merged.stderr
    wanted, found = (content(desk, name) for name in ("whole.db", "all.db"))
    assert found == wanted
    assert json.loads(merged.stdout)["copies"] == 2


def content(desk, name):
    """Each article with whose copy it is and what it says, in words that need no numbers."""
    desk.database = desk.folder / name
    sql = "select a.url, a.text, a.canonical, c.url as first from articles as a join articles as c on c.id = a.cluster order by a.url"
    fetched = desk.rows("select url, status from fetches order by url")
    waiting = desk.rows("select url, source, ended from frontier order by url")
    return desk.rows(sql), fetched, waiting


@pytest.mark.crawl
def test_a_shard_without_sources_is_no_failure(tmp_path):
    with Site() as site:
        desk = Desk(tmp_path)
        url = site.feed("/feed", [])
        desk.source("alpha", url)
        empty = shard_of(url, 2) % 2 + 1
        done = desk.crawl("--shard", f"{empty}/2")
    assert (done.returncode, done.stdout.strip()) == (0, "copydesk crawl: no source is in this shard")
    assert site.requests == []
