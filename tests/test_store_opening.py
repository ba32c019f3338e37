"""What may be opened: everything else gets one line, and is left as it was."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.config import Config
from pipelines.errors import StorageError
from pipelines.records import Placement
from pipelines.store import Corpus, connection
from tests.helpers import NOW
from tests.storing import make_article

ORIGINAL = Placement(relation="original")
opened = sqlite3.connect
DUMPS = Path(__file__).parent / "databases"


@pytest.fixture
def path(tmp_path):
    with Corpus.open(tmp_path / "corpus.db", create=True):
        pass
    return tmp_path / "corpus.db"


def refused(path, match, **options):
    before = (
        {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} if path.parent.is_dir() else {}
    )
    with pytest.raises(StorageError, match=match) as caught:
        Corpus.open(path, **options)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.exit_code == 5
    if path.parent.is_dir():
        assert {file: file.read_bytes() for file in path.parent.iterdir() if file.is_file()} == before


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.fault("D14")
def test_a_missing_file_is_not_made(tmp_path, read_only):
    refused(tmp_path / "none.db", "no corpus here", read_only=read_only)


@pytest.mark.parametrize("options", [{}, {"create": True}, {"read_only": True}])
@pytest.mark.fault("D14")
def test_files_that_are_no_corpus_are_left_alone(tmp_path, options):
    empty, text, foreign = tmp_path / "empty.db", tmp_path / "text.db", tmp_path / "foreign.db"
    empty.touch()
    text.write_text("this is no database, and it is longer than a header would be " * 4, "utf-8")
    with closing(sqlite3.connect(foreign)) as other:
        other.execute("CREATE TABLE theirs (x)")
    refused(empty, "an empty file", **options)
    refused(text, "no SQLite file", **options)
    refused(foreign, "another program", **options)
    refused(tmp_path, "a folder", **options)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.fault("D16")
def test_a_newer_file_is_left_alone(path, read_only):
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version = {connection.SCHEMA_VERSION + 1}")
    refused(path, "newer version", read_only=read_only)


@pytest.mark.fault("D13")
def test_damaged_files_are_left_alone(path):
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "cut short")
    path.write_bytes(b"\0" * 100 + whole[100:])
    refused(path, "no SQLite file")
    path.write_bytes(whole[:100] + b"\xff" * 3996 + whole[4096:])
    refused(path, "damaged")


@pytest.mark.fault("D13")
def test_damage_inside_is_found_by_a_check_and_told_in_one_line(path):
    with Corpus.open(path) as corpus, corpus.transaction():
        for number in range(40):
            corpus.keep(make_article(f"https://a.example/{number}", f"text {number} " * 300), ORIGINAL)
    data = bytearray(path.read_bytes())
    data[-16384:-8192] = b"\xa7" * 8192  # where articles are, not the schema
    path.write_bytes(data)
    with Corpus.open(path, read_only=True) as corpus:
        problems = corpus.check()
    assert problems
    assert all("\n" not in problem.what and problem.mend for problem in problems)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path):
    tmp_path.chmod(0o500)
    try:
        refused(tmp_path / "corpus.db", "cannot be made", create=True)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.fault("D12")
def test_a_corpus_in_a_folder_we_may_not_write_to_can_be_read(path, monkeypatch):
    uris = []
    monkeypatch.setattr(connection.os, "access", lambda *_: False)
    monkeypatch.setattr(
        connection.sqlite3, "connect", lambda where, **more: uris.append(where) or opened(where, **more)
    )
    with Corpus.open(path, read_only=True) as corpus:
        assert corpus.stats()["articles"] == 0
    assert uris[-1].endswith("?mode=ro&immutable=1")


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("x", "utf-8")
    refused(tmp_path / "file" / "corpus.db", "cannot be made", create=True)


def test_a_locked_file_is_told_in_one_line(path, monkeypatch):
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(path, isolation_level=None)) as holder, Corpus.open(path) as corpus:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="another program holds it"):
            corpus.start_run("crawl", NOW)
        holder.execute("ROLLBACK")
        assert corpus.start_run("crawl", NOW) == 1


@pytest.mark.fault("D07")
def test_a_writer_waits_for_another_one(path):
    script = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE');"
        "print('held', flush=True); time.sleep(0.5); c.execute('COMMIT')"
    )
    with (
        subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as holder,
        Corpus.open(path) as corpus,
    ):
        holder.stdout.readline()
        assert corpus.keep(make_article(), ORIGINAL).outcome == "new"


def test_reading_only_is_reading_only(path):
    with Corpus.open(path, read_only=True) as corpus:
        assert list(corpus.articles()) == []
        with pytest.raises(StorageError, match="reading only"):
            corpus.start_run("crawl", NOW)
        with pytest.raises(StorageError):
            corpus._run("DELETE FROM articles")


@pytest.mark.fault("D05", "D06")
def test_what_is_promised_of_durability_is_set(path):
    with Corpus.open(path) as corpus:
        assert corpus._value("PRAGMA journal_mode") == "wal"
        assert corpus._value("PRAGMA synchronous") == 2
        assert corpus._value("PRAGMA foreign_keys") == 1


@pytest.mark.fault("W09")
def test_reading_while_another_writes(path):
    with Corpus.open(path) as writer, Corpus.open(path, read_only=True) as reader, writer.transaction():
        writer.keep(make_article(), ORIGINAL)
        assert reader.article(1) is None
    with Corpus.open(path, read_only=True) as reader:
        assert reader.article(1)


def test_a_nested_transaction_is_a_savepoint(path):
    with Corpus.open(path) as corpus:
        with corpus.transaction():
            corpus.start_run("one", NOW)
            with pytest.raises(ValueError), corpus.transaction():  # noqa: PT012 - what is undone is the point
                corpus.start_run("two", NOW)
                raise ValueError
            corpus.start_run("three", NOW)
        assert [row["command"] for row in corpus.runs()] == ["three", "one"]
        with pytest.raises(ValueError), corpus.transaction():  # noqa: PT012 - what is undone is the point
            corpus.start_run("four", NOW)
            raise ValueError
        assert len(corpus.runs()) == 2


@pytest.mark.fault("D22")
def test_strict_tables_refuse_wrong_types(path):
    with Corpus.open(path) as corpus, pytest.raises(sqlite3.IntegrityError):
        corpus._run("INSERT INTO runs (command, started, fetched) VALUES ('x', 'y', 'many')")


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from pipelines.records import Placement
from pipelines.store import Corpus
from tests.storing import make_article
corpus = Corpus.open(Path(sys.argv[1]), create=True)
for number in range(100_000):
    corpus.keep(make_article(f"https://a.example/{number}", f"words {number} " * 50, removed=("Share",)), Placement(relation="original"))
    print(number, flush=True)
"""


@pytest.mark.fault("D01", "D02", "D03")
def test_what_was_reported_as_kept_survives_kill_9(tmp_path):
    root = str(Path(__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "corpus.db"), root], stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        time.sleep(0.3)
        process.kill()
        last = [line for line in process.stdout.read().split("\n") if line.strip().isdigit()][-1]
    with Corpus.open(tmp_path / "corpus.db") as corpus:
        assert corpus.stats()["articles"] > int(last)
        assert corpus.check() == []


# ----- schema


def schema(corpus):
    return corpus._rows("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '_sqlite%' ORDER BY type, name")


@pytest.mark.parametrize("dump", sorted(DUMPS.glob("*.sql")), ids=lambda dump: dump.stem)
def test_every_released_schema_becomes_todays(tmp_path, dump):
    with closing(sqlite3.connect(tmp_path / "old.db")) as old:
        old.executescript(dump.read_text("utf-8"))
    with Corpus.open(tmp_path / "old.db") as corpus, Corpus.open(":memory:", create=True) as fresh:
        assert schema(corpus) == schema(fresh)
        assert corpus.article(1)["title"] == "A kept article"
        assert [row["id"] for row in corpus.search("정렬")] == [1]
        told = [(row["position"], row["kind"], row["reason"], row["text"]) for row in corpus.removed(1)]
        assert told == [(2, "share", "share buttons", "Share this")]
        assert corpus.check() == []
    assert Corpus.pending_migrations(tmp_path / "old.db") == []


def test_removed_blocks_of_an_older_file_stand_in_the_order_of_the_page():
    from sqlite_utils import Database

    from pipelines.store.migrations import removed_blocks_in_one_row

    rows = [(1, 2, 2**63 - 1, 7), (1, 10, 5, 8), (2, 1, 5, 7)]
    with closing(sqlite3.connect(":memory:")) as old:
        old.execute("CREATE TABLE articles (id INTEGER PRIMARY KEY)")
        old.execute("CREATE TABLE removed_blocks (article INTEGER, position INTEGER, fate INTEGER, block INTEGER)")
        old.executemany("INSERT INTO articles VALUES (?)", [(1,), (2,)])
        old.executemany("INSERT INTO removed_blocks VALUES (?, ?, ?, ?)", [rows[1], rows[2], rows[0]])
        removed_blocks_in_one_row(Database(old))
        assert old.execute("SELECT * FROM removed_blocks").fetchall() == rows


@pytest.mark.fault("D17")
def test_an_older_file_is_brought_up_to_date_after_a_copy(tmp_path):
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        old.execute(f"PRAGMA application_id = {connection.APPLICATION_ID}")
        old.execute("CREATE TABLE kept (x)")
    with pytest.raises(StorageError, match="copydesk migrate"):
        Corpus.open(path, read_only=True)
    steps = Corpus.pending_migrations(path)
    assert steps[0] == "first_schema"
    assert len(steps) == connection.SCHEMA_VERSION
    with Corpus.open(path) as corpus:
        assert corpus.migrate() == steps
        assert corpus.check() == []
    assert Corpus.pending_migrations(path) == []
    assert (tmp_path / "old.db.schema0.bak").exists()


def test_the_version_number_counts_the_migrations():
    from pipelines.store.migrations import migrations

    with closing(sqlite3.connect(":memory:")) as fresh:
        from sqlite_utils import Database

        assert len(migrations.pending(Database(fresh))) == connection.SCHEMA_VERSION


CONTRACT = {
    "articles": "id url final_url source publisher title byline published published_origin fetched updated language words text text_hash"
    " relevance canonical cluster story",
    "articles_fts": "title text",
    "versions": "article seen text diff",
    "removed": "article position kind reason evidence text",
    "block_memory": "site block_hash pages first_seen last_seen",
    "relevance_terms": "article concept term weight",
    "signatures": "article recipe minhash",
    "bands": "fingerprint article",
    "copies": "article of relation similarity containment",
    "stories": "id title first_seen last_seen articles publishers",
    "fetches": "url run time status bytes etag last_modified error",
    "raw_pages": "url fetched zstd",
    "rejections": "url run stage reason",
    "runs": "id started finished exit_code fetched new copies unchanged updated rejected failed",
    "source_runs": "run source",
    "source_state": "source last_success last_new failures next_due",
    "corpus": "id url text cluster",
    "latest_stories": "id title first_seen last_seen articles publishers",
    "source_health": "source failures last_success next_due articles",
    "what_was_removed": "article kind reason evidence text",
}


@pytest.mark.parametrize("table", CONTRACT)
def test_tables_and_columns_of_the_contract(table):
    with Corpus.open(":memory:", Config(), create=True) as corpus:
        columns = {row["name"] for row in corpus._rows(f"SELECT name FROM pragma_table_info('{table}')")}
    assert set(CONTRACT[table].split()) <= columns
