"""What can happen to the file: full, damaged, shared, killed; the rest of these stands in the tests of the store."""

import ast
import random
import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.config import Config
from pipelines.errors import StorageError
from pipelines.store import Corpus
from pipelines.store.migrations import migrations
from pipelines.writer import Writer
from tests.desk import Desk
from tests.helpers import NOW
from tests.site import Site, article
from tests.storing import make_page

ROOT = Path(__file__).parents[1]


@pytest.mark.fault("D07", "D08")
def test_two_programs_that_write_by_turns_both_get_through(tmp_path):
    path = tmp_path / "corpus.db"
    Corpus.open(path, create=True).close()
    trouble = []

    def write(name):
        with closing(Writer(path, Config())) as writer:
            for number in range(60):
                done = writer.do(
                    lambda corpus: corpus.set_source_state(name, failures=corpus.source_state(name)["failures"] + 1)
                )
                if number % 10 == 0 and done.exception(60):
                    trouble.append(done.exception())
            done.result(60)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert trouble == []
    with Corpus.open(path, read_only=True) as corpus:
        assert [corpus.source_state(name)["failures"] for name in ("one", "other")] == [60, 60]


@pytest.mark.crawl
@pytest.mark.fault("D10", "D11", "P03")
def test_a_disk_that_fills_up_ends_the_crawl(tmp_path):
    """A file may not grow beyond its limit: to the program that is a full disk."""
    desk = Desk(tmp_path)
    with Site() as site:
        noise = [f"<!-- {random.Random(number).randbytes(100_000).hex()} -->" for number in range(30)]
        links = [
            (site.reply(f"/{n}", article(f"Story {n}", 500 + n, extra=extra)), f"S{n}") for n, extra in enumerate(noise)
        ]
        desk.source("one", site.feed("/feed.xml", links), delay_s=0.15)
        assert desk.crawl("--limit", "1").returncode == 0
        size = desk.database.stat().st_size
        done = desk.crawl("--force", WATCH_FILE_LIMIT=str(size + 300_000))
        assert done.returncode == 5
        assert len((done.stdout + done.stderr).splitlines()) <= 2
        asked = len(site.requests)
        assert asked < 30, "the first failed write ends the run"
        assert desk.crawl("--force", "--limit", "2").returncode == 0
    assert len(desk.kept()) >= 3


@pytest.mark.fault("D15")
def test_a_text_whose_bytes_flipped_is_told_in_one_line(tmp_path):
    path = tmp_path / "corpus.db"
    Corpus.open(path, create=True).close()
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("INSERT INTO stories (title, first_seen, last_seen) VALUES (cast(x'61ff62' AS TEXT), '', '')")
    with Corpus.open(path, read_only=True) as corpus, pytest.raises(StorageError) as told:
        corpus._rows("SELECT * FROM stories")
    assert "\n" not in str(told.value)


@pytest.mark.fault("D17")
def test_a_change_of_the_schema_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "corpus.db"
    Corpus.open(path, create=True).close()
    with closing(sqlite3.connect(path)) as file, file:
        before = list(file.execute("SELECT sql FROM sqlite_master ORDER BY 1"))
        file.execute("PRAGMA user_version = 1")
        file.execute("DELETE FROM _sqlite_migrations WHERE name = 'what_hosts_told_us'")
    with pytest.raises(StorageError):  # its first table is there already
        Corpus.open(path).close()
    with closing(sqlite3.connect(path)) as file:
        assert list(file.execute("SELECT sql FROM sqlite_master ORDER BY 1")) == before
    assert "what_hosts_told_us" in [step.name for step in migrations._migrations]


@pytest.mark.fault("D20")
def test_nobody_writes_past_the_one_way_to_write():
    """The connection and its commits belong to one module; the rest of the store asks that one."""
    for path in [*ROOT.glob("pipelines/**/*.py"), *ROOT.glob("crawler/**/*.py")]:
        if path.name in ("connection.py", "migrations.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("commit", "conn", "executescript", "executemany"), f"{path}:{node.lineno}"


HOSTILE_NAMES = [
    "title]; DROP TABLE articles; --",
    "",
    "a\nb",
    "Title",
    "x" * 5000,
    "\x00",
    "00123",
    "'); ATTACH 'x' AS y; --",
]


@pytest.mark.fault("D21", "D22", "D23")
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_words_of_a_page_change_the_schema(tmp_path, name):
    with Corpus.open(tmp_path / "corpus.db", create=True) as corpus:
        schema = corpus._rows("SELECT name, sql FROM sqlite_master ORDER BY name")
        run = corpus.start_run("crawl", NOW)
        corpus.keep_raw(make_page(url=f"https://a.example/{name}", content_type=name))
        corpus.set_source_state(name or "x", note=name)
        corpus.finish_run(run, NOW, 0, {name: 1})
        assert corpus._rows("SELECT name, sql FROM sqlite_master ORDER BY name") == schema


@pytest.mark.fault("D24")
def test_the_log_is_written_back_when_the_last_reader_is_gone(tmp_path):
    path = tmp_path / "corpus.db"
    with Corpus.open(path, create=True) as corpus:
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM articles").fetchone()
            for number in range(50):
                corpus.keep_raw(make_page(url=f"https://a.example/{number}", body=str(number).encode() * 5000))
            assert corpus.stats()["log_bytes"] > 50_000
        corpus.checkpoint()
        assert corpus.stats()["log_bytes"] == 0


@pytest.mark.fault("D25")
def test_the_version_of_sqlite_can_be_seen(tmp_path):
    with Corpus.open(tmp_path / "corpus.db", create=True) as corpus:
        assert corpus.stats()["sqlite"] == sqlite3.sqlite_version


@pytest.mark.fault("W08")
def test_a_corpus_is_never_taken_for_unchanging_while_it_has_a_log(tmp_path, monkeypatch):
    """Even where we may not write: what looks still may be written by another user."""
    path = tmp_path / "corpus.db"
    monkeypatch.setattr("os.access", lambda *_: False)
    with Corpus.open(path, create=True) as corpus:
        corpus.set_source_state("one", failures=1)
        with Corpus.open(path, read_only=True) as reader:
            corpus.set_source_state("one", failures=2)
            assert reader.source_state("one")["failures"] == 2


@pytest.mark.fault("P10", "P11")
def test_summer_time_and_a_wrong_clock_move_nobody(monkeypatch):
    with Corpus.open(":memory:", create=True) as corpus:
        spring = NOW.replace(month=3, day=8, hour=6)  # two hours before clocks go forward in New York
        corpus.set_source_state("one", next_due=spring + timedelta(hours=2))
        assert corpus.sources_due(["one"], spring + timedelta(minutes=119)) == []
        assert corpus.sources_due(["one"], spring + timedelta(hours=2)) == ["one"]
        corpus.close_host("late.example", NOW + timedelta(days=3650))
        corpus.close_host("busy.example", NOW + timedelta(hours=3))
        assert corpus.closed_hosts(NOW) == {"busy.example": NOW + timedelta(hours=3)}
        corpus.keep_robots("a.example", b"User-agent: *", NOW)
        assert corpus.robots_copy("a.example", NOW + timedelta(hours=23)) == b"User-agent: *"
        assert corpus.robots_copy("a.example", NOW + timedelta(hours=25)) is None
        assert corpus.robots_copy("a.example", NOW - timedelta(hours=1)) is None, "kept in a future that never was"
        corpus.forget_hosts(NOW + timedelta(hours=2))
        assert corpus.robots_copy("a.example", NOW)
        assert "busy.example" in corpus.closed_hosts(NOW)
        corpus.forget_hosts(NOW + timedelta(days=2))
        assert corpus.robots_copy("a.example", NOW) is None
        assert corpus.closed_hosts(NOW) == {}
