"""One writer for many workers: every page once, whoever is killed when; nothing of another version; Redis may go away."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import ConfigError, InputError, LockedError
from pipelines.parcels import Parcel, pack, unpack, version
from pipelines.records import Fetch, Hint, Rejection, Traits
from pipelines.store import Corpus
from pipelines.stream import shown
from tests.desk import ROOT, Desk
from tests.helpers import NOW
from tests.redis_server import RedisServer, needs_redis
from tests.site import Site
from tests.storing import make_article, make_page


def parcel_of(number, *, hour=0, text=""):
    url, time = f"https://paper.example/{number}", NOW + timedelta(hours=hour)
    article = make_article(
        url,
        text or f"Report {number} tells of test {number} and nothing else at all.",
        fetched=time,
        removed=("Share",),
    )
    page = make_page(
        url,
        b"<p>" + str(number).encode() * 500,
        time,
        source="alpha",
        traits=Traits(publisher="A"),
        hint=Hint(title="T", published=time),
    )
    fetch = Fetch(url=url, source="alpha", kind="page", time=time, status=200, bytes=9, etag='"x"')
    return Parcel(page=page, fetch=fetch, article=article, learned=(2**62, 5))


@settings(deadline=None)  # the first call imports
@given(
    st.text(),
    st.binary(max_size=300),
    st.floats(0, 9),
    st.none() | st.datetimes().map(lambda time: time.replace(tzinfo=NOW.tzinfo)),
)
def test_a_parcel_comes_out_as_it_went_in(title, body, score, published):
    whole = parcel_of(1)
    document = replace(
        whole.article.document, title="".join(c for c in title if not 0xD800 <= ord(c) < 0xE000), published=published
    )
    article = replace(whole.article, document=document, relevance=replace(whole.article.relevance, score=score))
    for parcel in (
        replace(whole, article=article, page=replace(whole.page, body=body)),
        replace(whole, article=None, rejection=Rejection(url="u", stage="clean", reason="wall"), is_archived=False),
    ):
        again = unpack(pack(parcel))
        assert again == parcel
        assert again.outcome == parcel.outcome


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_parcel_are_one_line(junk):
    with pytest.raises(InputError, match="no parcel"):
        unpack(junk)


def test_the_version_follows_from_the_records(monkeypatch):
    from pipelines import parcels

    before = version()
    version.cache_clear()
    monkeypatch.setattr(parcels, "RECIPE", "another")
    assert version() != before
    version.cache_clear()
    monkeypatch.undo()
    assert version() == before
    lines = parcels.describe(Parcel, set())
    assert any(line.startswith("Block.evidence") for line in lines)
    assert any(line.startswith("Fetch.etag") for line in lines)


def test_an_address_is_shown_without_its_password():
    assert shown("redis://me:secret@host:6379/2") == "redis://host:6379/2"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "redis", "", "redis://host:port/0"])
def test_what_is_no_redis_is_one_line(url, tmp_path):
    pytest.importorskip("redis")
    from pipelines.stream import Link

    with pytest.raises(ConfigError, match="redis://"):
        Link(url)


def test_without_the_library_it_says_what_to_install(tmp_path):
    block = "import sys; sys.modules['redis'] = None; sys.argv = ['copydesk', *sys.argv[1:]]; from crawler.cli import main; main()"
    for words in (["write", "--from", "redis://127.0.0.1:1/0"], ["crawl", "--to", "redis://127.0.0.1:1/0"]):
        done = subprocess.run(
            [sys.executable, "-c", block, *words, "--db", str(tmp_path / "c.db")],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 2
        assert "pip install 'copydesk[cluster]'" in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path / "redis") as server:
        yield server


def send(server, *parcels):
    link = server.link()
    link.greet(version(), "worker")
    for parcel in parcels:
        assert link.send(parcel if isinstance(parcel, bytes) else pack(parcel), version())
    return link


class Desktop:
    """`copydesk write` as a process."""

    def __init__(self, folder, server):
        self.database, self.server = folder / "corpus.db", server

    def start(self, *words, env=None):
        command = [
            sys.executable,
            "-m",
            "crawler",
            "write",
            "--from",
            self.server.url,
            "--db",
            str(self.database),
            *words,
        ]
        return subprocess.Popen(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
        )

    def drain(self):
        process = self.start("--drain", "--json")
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        return process.returncode, json.loads(out) if out else {}, err

    def kept(self):
        with Corpus.open(self.database, read_only=True) as corpus:
            urls = [row["url"] for row in corpus._rows("SELECT url FROM articles ORDER BY url")]
            fetches = corpus._value("SELECT count(*) FROM fetches")
            return urls, fetches, corpus.check()


@pytest.fixture
def desktop(tmp_path, redis):
    return Desktop(tmp_path, redis)


@needs_redis
def test_what_was_sent_is_settled_and_leaves_the_stream(desktop, redis):
    rejected = replace(
        parcel_of(9),
        article=None,
        rejection=Rejection(url="https://paper.example/9", stage="clean", reason="wall", source="alpha"),
    )
    link = send(redis, parcel_of(1), parcel_of(2), rejected)
    code, said, err = desktop.drain()
    assert (code, said["new"], said["rejected"], err) == (0, 2, 1, "")
    assert link.waiting() == 0
    with Corpus.open(desktop.database) as corpus:
        assert corpus.raw_page("https://paper.example/1") == parcel_of(1).page
        assert [row["text"] for row in corpus.removed(1)] == ["Share"]
        assert corpus.rejections()[0]["reason"] == "wall"
        assert corpus.runs()[0]["command"] == "write"
        assert {row["block_hash"] for row in corpus._rows("SELECT block_hash FROM block_memory")} == {2**62, 5}


@needs_redis
def test_a_page_that_is_sent_twice_or_late_changes_nothing(desktop, redis):
    newer = parcel_of(1, hour=5, text="What the address said in the afternoon, and it is another text.")
    send(redis, newer, newer, parcel_of(1), newer)
    code, said, _ = desktop.drain()
    assert (code, said["new"], said["updated"], said["unchanged"]) == (0, 1, 0, 1)
    with Corpus.open(desktop.database) as corpus:
        assert corpus.article(1)["text"] == newer.article.text
        assert len(corpus.fetches(newer.fetch.url)) == 2  # each fetch once


@needs_redis
def test_what_cannot_be_settled_is_put_aside_and_told(desktop, redis):
    send(redis, parcel_of(1), b"junk", parcel_of(2))
    code, said, err = desktop.drain()
    assert (code, said["new"], said["failed"]) == (3, 2, 1)
    assert "no parcel" in err
    assert [entry[1][b"parcel"] for entry in redis.client().xrange("copydesk:pages:refused")] == [b"junk"]


@needs_redis
def test_a_worker_of_another_version_is_refused(desktop, redis):
    send(redis, parcel_of(1))
    link = redis.link()
    with pytest.raises(ConfigError, match="another version"):
        link.greet("older recipe", "worker")
    with pytest.raises(ConfigError, match="another version"):
        link.send(b"parcel", "older recipe")
    with pytest.raises(ConfigError, match="another version"):  # nor may a writer that could not read what waits
        link.greet("newer recipe", "writer")
    assert desktop.drain()[1]["new"] == 1
    link.greet("newer recipe", "writer")  # once nothing waits it may
    with pytest.raises(ConfigError, match="another version"):
        link.send(b"parcel", version())


@needs_redis
@pytest.mark.parametrize("login", ["", "me:wrong-secret@"])
def test_a_redis_that_wants_a_password_is_one_line_that_does_not_tell_ours(desktop, redis, login):
    redis.client().config_set("requirepass", "another-secret")
    redis.url = redis.url.replace("://", f"://{login}")
    code, _, err = desktop.drain()
    assert (code, len(err.splitlines())) == (2, 1)
    assert "secret" not in err
    assert "password" in err


@needs_redis
def test_there_is_one_writer(desktop, redis, tmp_path):
    redis.client()
    first, second = redis.link(), redis.link()
    first.claim("here:/a.db")
    first.claim("here:/a.db")
    with pytest.raises(LockedError, match=r"here:/a\.db is writing"):
        second.claim("there:/b.db")
    second.let_go("there:/b.db")  # only one's own
    with pytest.raises(LockedError):
        second.claim("there:/b.db")
    assert desktop.drain()[0] == 75
    first.let_go("here:/a.db")
    assert desktop.drain()[0] == 0


@needs_redis
def test_a_stream_that_is_full_takes_nothing_and_loses_nothing(redis, monkeypatch):
    monkeypatch.setattr("pipelines.stream.MOST_WAITING", 2)
    link = send(redis, parcel_of(1), parcel_of(2))
    assert link.send(pack(parcel_of(3)), version()) is False
    assert link.waiting() == 2


@needs_redis
@pytest.mark.cluster
def test_killed_again_and_again_every_page_is_there_once(desktop, redis):
    """The writer is killed at random moments while pages come, between commit and letting go among them."""
    link, luck, total = send(redis, parcel_of(0)), random.Random(4), 600
    process, sent = desktop.start(), 1
    while sent < total:
        for number in range(sent, min(sent + 100, total)):
            link.send(pack(parcel_of(number)), version())
        sent = min(sent + 100, total)
        time.sleep(luck.uniform(0.3, 1.2))
        process.kill()
        process.communicate()
        process = desktop.start()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    desktop.drain()
    urls, fetches, problems = desktop.kept()
    assert (len(urls), len(set(urls)), fetches, problems) == (total, total, total, [])
    assert link.waiting() == 0


@needs_redis
def test_killed_between_commit_and_letting_go(desktop, redis):
    """The worst moment, made certain: the process ends right after the commit."""
    link = send(redis, *map(parcel_of, range(30)))
    code = "import os; from pipelines.stream import Link; Link.settled = lambda *_: os._exit(9); import sys; sys.argv = ['copydesk', *sys.argv[1:]]; from crawler.cli import main; main()"
    command = [sys.executable, "-c", code, "write", "--from", redis.url, "--db", str(desktop.database)]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 9
    assert link.waiting() == 30
    assert desktop.kept()[1] == 30
    assert desktop.drain()[1]["new"] == 0
    assert (len(desktop.kept()[0]), desktop.kept()[1], link.waiting()) == (30, 30, 0)


@needs_redis
def test_a_full_disk_is_told_and_what_was_not_kept_stays_in_the_stream(desktop, redis):
    link = send(redis, *map(parcel_of, range(120)))
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)); sys.argv = ['copydesk', *sys.argv[1:]]; from crawler.cli import main; main()"
    command = [sys.executable, "-c", code, "write", "--drain", "--from", redis.url, "--db", str(desktop.database)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert link.waiting() > 0
    desktop.drain()
    urls, fetches, problems = desktop.kept()
    assert (len(urls), fetches, problems, link.waiting()) == (120, 120, [], 0)


@needs_redis
def test_while_redis_is_away_the_writer_waits_and_says_so(desktop, redis):
    send(redis, parcel_of(1))
    process = desktop.start()
    for _ in range(200):
        if desktop.database.exists() and redis.client().xlen("copydesk:pages") == 0:
            break
        time.sleep(0.05)
    redis.kill()
    said = [process.stderr.readline()]
    redis.start()
    send(redis, parcel_of(2))
    for _ in range(200):
        if redis.client().xlen("copydesk:pages") == 0:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    said += err.splitlines()
    assert "away" in said[0]
    assert "waiting, nothing is lost" in said[0]
    assert said[1].endswith(": back")
    assert "Traceback" not in err
    assert len(desktop.kept()[0]) == 2


@needs_redis
@pytest.mark.crawl
def test_pages_of_a_crawl_reach_the_writer_and_are_the_same_there(tmp_path, redis):
    with Site() as site:
        desk = Desk(tmp_path)
        links = [(site.page(f"/{number}", number), f"Story {number}") for number in range(6)]
        desk.source("alpha", site.feed("/feed", links))
        done = desk.crawl("--to", redis.url)
        assert (done.returncode, done.stderr) == (0, "")
    central = Desktop(tmp_path / "central", redis)
    code, said, _ = central.drain()
    assert (code, said["new"]) == (0, 6)
    sql = "select url, text, title, published, text_hash from articles order by url"
    here = desk.rows(sql)
    desk.database = central.database
    assert desk.rows(sql) == here
    assert len(desk.rows("select * from fetches")) == 6  # pages; what the crawl asked of indexes stays with it


@needs_redis
@pytest.mark.cluster
@pytest.mark.crawl
def test_a_crawl_waits_for_redis_and_sends_all(tmp_path, redis):
    with Site() as site:
        desk = Desk(tmp_path)
        links = [(site.page(f"/{number}", number, delay=0.2), f"Story {number}") for number in range(8)]
        desk.source("alpha", site.feed("/feed", links))
        process = desk.start("--to", redis.url)
        while not site.paths():
            time.sleep(0.02)
        redis.kill()
        assert "waiting, nothing is lost" in process.stderr.readline()
        redis.start()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert redis.client().xlen("copydesk:pages") == 8


@needs_redis
@pytest.mark.cluster
@pytest.mark.crawl
def test_a_crawl_that_ends_before_redis_is_back_keeps_its_pages_due(tmp_path, redis):
    with Site() as site:
        desk = Desk(tmp_path)
        desk.source("alpha", site.feed("/feed", [(site.page("/1", 1, delay=0.5), "One")]))
        process = desk.start("--to", redis.url)
        while "/feed" not in site.paths():
            time.sleep(0.02)
        redis.kill()
        assert "waiting" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 130
        assert desk.rows("select * from articles") == []
        redis.start()
        assert desk.crawl("--to", redis.url, "--force").returncode == 0
    assert redis.client().xlen("copydesk:pages") == 1
    assert len(desk.rows("select * from articles")) == 1


@needs_redis
def test_a_redis_that_is_not_there_is_one_line_before_anything_is_asked(tmp_path, redis):
    redis.kill()
    with Site() as site:
        desk = Desk(tmp_path)
        desk.source("alpha", site.feed("/feed", []))
        for flag in ("--to", "--frontier"):
            done = desk.crawl(flag, redis.url)
            assert done.returncode == 2
            assert len(done.stderr.splitlines()) == 1
            assert "away" in done.stderr
        assert site.requests == []
