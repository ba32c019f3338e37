"""Each engine of archives gives one corpus, whoever is killed; what an engine lacks is a line. Spark's part: `make test-spark`."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.archive import engines
from pipelines.archive.parts import Report, write_part
from pipelines.archive.task import Task, made_by
from pipelines.config import Config
from tests.benchmarks.archives import make
from tests.cli_helpers import LAW_STORY, run_cli
from tests.conftest import clean_environment
from tests.test_archive import PLACES, STORIES, bucket, record
from tests.test_ingest import rows
from tests.test_inputs import write_warc

PAGES, FILES = 48, 4  # one page in ten is a copy of an earlier one, and lies in another file
OF_THE_CLOCK = ('INSERT INTO "runs"', 'INSERT INTO "_sqlite_migrations"')
PAGE_S = 3.0  # a good page on a busy machine; the one that hangs takes fifteen
WAIT_S = 120  # Spark on a busy machine; nobody waits longer than it takes
PYSPARK = find_spec("pyspark")  # has no origin where only an empty folder is left of it
needs_spark = pytest.mark.skipif(
    PYSPARK is None or PYSPARK.origin is None or shutil.which("java") is None,
    reason="`make test-spark` installs PySpark and Java",
)
BOTH = ["local", pytest.param("spark", marks=needs_spark)]
INTERRUPTED = ["interrupted;", "what", "was", "done", "is", "kept"]
HANGING = (
    "https://paper.example/hang",
    "200 OK",
    "text/html",
    b"<p " + b" ".join(b"a%d" % n for n in range(60_000)) + b">",
)


def started(engine, *words, environment=None, **settings):
    """The command in a process of its own: it has some below it."""
    command = [sys.executable, "-m", "pipelines", "ingest", "--engine", engine, "--jobs", "2", "--json", *words]
    return subprocess.Popen(
        list(map(str, command)),
        env=clean_environment(**settings) | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ended(run):
    out, err = run.communicate(timeout=WAIT_S)
    lines = err.decode().splitlines()
    assert all(line.startswith("copydesk: ") for line in lines), err.decode()
    return SimpleNamespace(code=run.returncode, lines=lines, **json.loads(out))


def whole(db):
    """Every row of every table, but for those that tell when a command ran."""
    with closing(sqlite3.connect(db)) as corpus:
        return [line for line in corpus.iterdump() if not line.startswith(OF_THE_CLOCK)]


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are found under /proc")
@pytest.mark.parametrize("engine", BOTH)
def test_a_page_that_hangs_and_a_reader_that_is_killed_cost_nothing_else(tmp_path, engine):
    month = bucket(tmp_path)
    write_warc(month / "CC-NEWS-20261103-00003.warc.gz", [HANGING, record("law", LAW_STORY, "late.example")])
    run = started(engine, month, "--db", tmp_path / "corpus.db", crawl__page_seconds=PAGE_S)
    killed = kill_reader(tmp_path, run)
    done = ended(run)
    assert killed
    assert (done.code, done.new, done.copies, done.failed) == (0, 3, 2, 0), done
    assert done.reasons == {"no_article": 1, "parse_timeout": 1}
    assert {path.suffix for path in (tmp_path / "corpus.db.parts").iterdir()} == {".parquet"}, "nothing half is left"


def kill_reader(folder, run):
    """Kill the process that is writing the part of the third file."""
    if (reader := reader_of(folder, run)) is not None:
        os.kill(reader, signal.SIGKILL)
    return reader is not None


def reader_of(folder, run):
    """The process that is writing the part of the third file, once there is one."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end and run.poll() is None:
        for passing in folder.glob("corpus.db.parts/*00003*.tmp"):
            return int(passing.stem.rpartition("-")[2])
        time.sleep(0.01)
    return None


@pytest.mark.parametrize("engine", BOTH)
def test_ctrl_c_while_archives_are_read_is_a_line_and_the_next_run_does_the_rest(tmp_path, engine):
    month = with_many(bucket(tmp_path, listed=False))
    run = started(engine, month, "--db", tmp_path / "corpus.db")
    assert reader_of(tmp_path, run)
    os.killpg(run.pid, signal.SIGINT)
    _, err = run.communicate(timeout=WAIT_S)
    assert (run.returncode, err.decode().split()) == (130, INTERRUPTED)
    done = ended(started(engine, month, "--db", tmp_path / "corpus.db"))
    assert (done.code, len(rows(tmp_path / "corpus.db"))) == (0, len(STORIES) + 1 + PAGES)
    assert {path.suffix for path in (tmp_path / "corpus.db.parts").iterdir()} == {".parquet"}, "nothing half is left"


def with_many(month):
    """The month with a third archive, which takes a second to read."""
    make(month / "many", PAGES, 1)
    (many,) = (month / "many").iterdir()
    many.rename(month / "CC-NEWS-20261103-00003.warc.gz")
    return month


@needs_spark
def test_both_engines_make_the_same_corpus_of_planted_copies_and_broken_archives(tmp_path):
    make(tmp_path / "all", PAGES, FILES)
    cut = tmp_path / "all" / "CC-NEWS-20261103-00003.warc.gz"
    write_warc(cut, [record(name, story, "late.example") for name, story in STORIES.items()])
    cut.write_bytes(cut.read_bytes()[:-100])
    (tmp_path / "all" / "CC-NEWS-20261104-00004.warc.gz").write_bytes(b"\x1f\x8bno archive at all")
    runs = {engine: started(engine, tmp_path / "all", "--db", tmp_path / f"{engine}.db") for engine in engines.ENGINES}
    found = {engine: ended(run) for engine, run in runs.items()}
    for done in found.values():
        assert (done.code, done.pages, done.failed) == (3, PAGES + len(STORIES) - 1, 2)
        assert done.copies >= 3
    assert sorted(found["local"].lines) == sorted(found["spark"].lines)
    assert rows(tmp_path / "local.db", PLACES) == rows(tmp_path / "spark.db", PLACES)
    assert whole(tmp_path / "local.db") == whole(tmp_path / "spark.db")


@pytest.fixture
def small_disk(tmp_path):
    """A file system with room for a few articles."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "copydesk", folder], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("engine", BOTH)
def test_a_disk_that_fills_costs_the_archive_that_does_not_fit(tmp_path, engine, small_disk):
    month = with_many(bucket(tmp_path, listed=False))
    words = (month, "--parts", small_disk, "--db", tmp_path / "corpus.db")
    done = ended(started(engine, *words))
    assert (done.code, done.failed, done.new, done.copies) == (3, 1, 3, 1)
    assert "no space left" in done.lines[0]
    assert {path.suffix for path in small_disk.iterdir()} == {".parquet"}
    subprocess.run(["mount", "-o", "remount,size=9m", small_disk], check=True)
    done = ended(started(engine, *words))
    assert (done.code, done.failed, done.pages, done.skipped) == (0, 0, PAGES, 2)


def task_of(path, **given):
    return Task(
        path=path,
        part=path.with_suffix(".parquet"),
        digest="d",
        source="ingest",
        **{"version": made_by(), **given},
    )


def dies_at_the_second(numbered, config):
    """Stands for a file that ends whoever reads it. Runs in a process of Spark's."""
    if numbered[0] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return real_attempt(numbered, config)


real_attempt = engines.attempted


@needs_spark
def test_a_file_that_ends_every_reader_is_told_and_the_finished_parts_are_used(tmp_path, monkeypatch):
    first, second = sorted(bucket(tmp_path).glob("*.warc.gz"))
    monkeypatch.setattr(engines, "attempted", dies_at_the_second)
    # one job after the other, so that the first file is finished when Spark gives up
    found = dict(engines.spark([task_of(first), task_of(second)], Config(), 1))
    good, bad = (outcome for _, outcome in sorted(found.items(), key=lambda item: item[0].path))
    assert isinstance(good, Report)
    assert good.rows == len(STORIES)
    assert "Spark gave up: SparkException: Python worker exited unexpectedly" in str(bad)
    assert "\n" not in str(bad)


@needs_spark
def test_a_machine_of_sparks_with_another_version_refuses_its_file(tmp_path):
    first, second = sorted(bucket(tmp_path).glob("*.warc.gz"))
    asked = [task_of(first, version="0.0.1 x y"), task_of(second)]
    refused, read = (outcome for _, outcome in engines.spark(asked, Config(), 1))
    assert "0.0.1 x y" in str(refused)
    assert "install the same version" in str(refused)
    assert isinstance(read, Report)


def test_what_a_dead_reader_left_is_removed_and_what_one_at_work_has_is_not(tmp_path):
    over = subprocess.Popen(["true"])
    over.wait()
    host = os.uname().nodename
    part = tmp_path / "a[1].warc.gz.parquet"
    left = [part.with_name(f"{part.name}.{name}.tmp") for name in (f"{host}-{over.pid}", f"{host}-1", "other-7")]
    for path in left:
        path.write_bytes(b"half")
    write_part(part, Report("d"), [])
    assert [path.exists() for path in left] == [False, True, True]


@pytest.mark.parametrize("missing", ["pyspark", "java"])
def test_what_spark_lacks_is_one_line(tmp_path, capsys, monkeypatch, missing):
    fake = SimpleNamespace(SparkConf=None, SparkContext=None, launch_gateway=None)
    for name in ("pyspark", "pyspark.java_gateway"):
        monkeypatch.setitem(sys.modules, name, None if missing == "pyspark" else fake)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    if missing == "java":
        monkeypatch.setenv("PATH", str(tmp_path))
    done = run_cli(capsys, "ingest", "--engine", "spark", bucket(tmp_path), "--db", tmp_path / "corpus.db")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert ("copydesk[spark]" if missing == "pyspark" else "Java") in done.err


@needs_spark
def test_a_java_that_does_not_run_is_one_line(tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(
        "#!/bin/sh\necho 'Exception in thread \"main\" java.lang.UnsupportedClassVersionError: Main is newer' >&2\nexit 1\n"
    )
    java.chmod(0o755)
    run = started("spark", bucket(tmp_path), "--db", tmp_path / "corpus.db", environment={"JAVA_HOME": str(tmp_path)})
    _, err = run.communicate(timeout=WAIT_S)
    assert (run.returncode, len(err.splitlines())) == (2, 1), err.decode()
    assert b"UnsupportedClassVersionError: Main is newer" in err
