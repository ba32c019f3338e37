"""One writer for many workers: every page once, whoever is killed when; nothing of another version; Redis may go away."""

import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from pipelines.errors import ConfigError, LockedError
from pipelines.parcels import pack, version
from pipelines.records import Rejection
from pipelines.store import Corpus
from tests.desk import ROOT
from tests.machines.sending import Desktop, parcel_of, send
from tests.redis_server import needs_redis


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
