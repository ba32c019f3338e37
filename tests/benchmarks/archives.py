"""What archives cost: a record, the look at its bytes, and the same archives on each engine.

    python -m tests.benchmarks.archives prefilter pages.jsonl.gz…      # lines with url and html
    python -m tests.benchmarks.archives engines [plain local spark] [--pages 4000] [--files 20]
    python -m tests.benchmarks.archives settling [--pages 4000]

`prefilter` puts the pages into an archive and says what reading, looking and preparing take, how many pages the look lets
through and which of the relevant ones it misses. `engines` makes archives of 60 kB pages, one in ten a copy, and measures all
processes of a run: CPU, wall, memory, start-up with one page, and whether the clusters are the same. `settling` says what the one
writer takes for an article, as the corpus grows, and for a page of another topic. Needs copydesk[warc,parquet].
"""

import argparse
import gzip
import hashlib
import json
import multiprocessing
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from pipelines.archive.prefilter import may_be_topical
from pipelines.archive.settle import BATCH, settle_batch
from pipelines.archive.task import parcel_of
from pipelines.batch import regroup_stories
from pipelines.config import Config
from pipelines.flow import prepare
from pipelines.parcels import pack
from pipelines.records import Article, Page, Rejection, Traits
from pipelines.warc import read_pages, write_pages
from pipelines.workers import Prepared, prepare_page
from pipelines.writer import Writer
from tests.benchmarks.writing import pages
from tests.helpers import NOW

MOST_BYTES = Config().extract.max_bytes
TICK_S = 0.5  # how often the processes of a run are looked at; what one does after the last look is not counted
PLACES = "SELECT a.url, c.url FROM articles AS a JOIN articles AS c ON c.id = a.cluster ORDER BY 1"


def prefilter(files):
    rows = []
    for name in files:
        with gzip.open(name) as lines:
            rows += map(json.loads, lines)
    given = [
        Page(url=row["url"] or f"https://{n}.example/", body=row["html"].encode(), fetched=NOW)
        for n, row in enumerate(rows)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pages.warc.gz"
        with path.open("wb") as out:
            write_pages(given, out, NOW)
        found, reading = timed(lambda: [page for page in read_pages(path, MOST_BYTES) if isinstance(page, Page)])
    may_be_topical(found[0])
    prepare(found[0], Config())
    passed, looking = timed(lambda: [may_be_topical(page) for page in found])
    traits = Traits(is_topical=True)
    made, preparing = timed(lambda: [prepare(replace(page, traits=traits), Config()) for page in found])
    relevant = [number for number, outcome in enumerate(made) if isinstance(outcome, Article)]
    missed = [found[number].url for number in relevant if not passed[number]]
    each, share = 1000 / len(found), sum(passed) / len(found)
    size = sum(len(page.body) for page in found) / len(found) / 1000
    print(f"{len(found)} pages of {size:.0f} kB; CPU ms a page: read {reading * each:.2f}, look {looking * each:.2f}, ")
    print(
        f"prepare {preparing * each:.1f}. The look lets {share:.1%} through, {len(relevant)} are of the topic, missed: {missed or 0}"
    )
    without, with_it = reading + preparing, reading + looking + share * preparing
    print(f"an archive without the look {without * each:.1f} ms a page, with it about {with_it * each:.1f}")


def timed(work):
    began = time.process_time()
    found = work()
    return found, time.process_time() - began


def make(folder, count, files):
    """Archives of made-up pages, originals and their copies in different ones."""
    folder.mkdir()
    made = list(pages(count))
    random.Random(2).shuffle(made)
    for number in range(files):
        with (folder / f"CC-NEWS-2026112100{number:04}-{number:05}.warc.gz").open("wb") as out:
            write_pages(made[number::files], out, NOW)


def plain(folder, jobs):
    """The least there is: a pool that reads and prepares, and keeps nothing."""
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        print(sum(pool.imap_unordered(partial(count_articles), sorted(folder.glob("*.warc.gz")))), "articles")


def count_articles(path):
    found = (page for page in read_pages(path, MOST_BYTES) if isinstance(page, Page))
    return sum(isinstance(prepare(page, Config()), Article) for page in found)


def measured(command):
    """CPU seconds, wall seconds and most memory (MB, shared pages shared out) of a command and all it starts."""
    began, used, most = time.monotonic(), {}, 0.0
    run = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while run.poll() is None:
        memory = 0.0
        for process in of_session(run.pid):
            used[process.name] = max(used.get(process.name, 0.0), cpu_s(process))
            memory += memory_mb(process)
        most = max(most, memory)
        time.sleep(TICK_S)
    assert run.returncode == 0, f"{command} ended with {run.returncode}"
    return sum(used.values()), time.monotonic() - began, most


def of_session(session):
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if os.getsid(int(process.name)) == session:
                    yield process


def cpu_s(process):
    with suppress(OSError, IndexError):
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def memory_mb(process):
    with suppress(OSError):
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    return 0.0


def engines(names, count, files, jobs):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make(folder / "all", count, files)
        make(folder / "one", 1, 1)
        for name in names:
            for archives in ("one", "all"):
                corpus = folder / f"{name}-{archives}.db"
                ingest = ["-m", "pipelines", "ingest", "--engine", name, "--db", corpus, folder / archives]
                if name == "plain":
                    ingest = ["-m", "tests.benchmarks.archives", "plain", folder / archives]
                cpu, wall, memory = measured([sys.executable, *map(str, ingest), "--jobs", str(jobs)])
                what = "start-up, one page" if archives == "one" else f"{count} pages in {files} archives"
                print(
                    f"{name}, {what}: CPU {cpu:.1f} s, wall {wall:.1f} s, memory {memory:.0f} MB {clusters(corpus)}",
                    flush=True,
                )
        if "local" in names:
            settled(folder, count, jobs)


def settled(folder, count, jobs):
    """Settle the parts again, into another corpus."""
    corpus, parts = folder / "again.db", folder / "local-all.db.parts"
    ingest = [
        "-m",
        "pipelines",
        "ingest",
        "--engine",
        "local",
        "--parts",
        parts,
        "--db",
        corpus,
        folder / "all",
        "--jobs",
        jobs,
    ]
    cpu, wall, _ = measured([sys.executable, *map(str, ingest)])
    print(f"settled alone: CPU {cpu:.1f} s, wall {wall:.1f} s: {1000 * cpu / count:.2f} ms a page; {clusters(corpus)}")
    size = sum(path.stat().st_size for path in parts.glob("*.parquet"))
    print(
        f"a page is {size / count / 1000:.1f} kB in its part, {corpus.stat().st_size / count / 1000:.1f} kB in the corpus"
    )


def clusters(corpus):
    if not corpus.exists():
        return ""
    with closing(sqlite3.connect(corpus)) as connection:
        rows = connection.execute(PLACES).fetchall()
    return f"{len(rows)} articles, {len({c for _, c in rows})} clusters ({hashlib.blake2b(repr(rows).encode(), digest_size=4).hexdigest()})"


def settling(count):
    """Settle articles, then as many pages of another topic, as the parts of an archive bring them."""
    made = []
    for page in pages(count):
        prepared = prepare_page(page, Config(), frozenset())
        assert isinstance(prepared.outcome, Article)
        made.append(pack(parcel_of(page, prepared)))
    other = Rejection(url="", stage="relevance", reason="off_topic", detail="score 0.3, 1.5 would do", source="alpha")
    left_out = [
        pack(parcel_of(page, Prepared(replace(other, url=page.url), frozenset())))
        for page in (
            Page(url=f"https://other-{n % 50}.example/{n}", body=b"", fetched=NOW, source="alpha") for n in range(count)
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        path, config = Path(folder) / "corpus.db", Config(database=str(Path(folder) / "corpus.db"))
        with closing(Writer(path, config)) as writer:
            run = writer.do(lambda corpus: corpus.start_run("ingest", NOW)).result()
            for what, parcels in (("articles", made), ("pages of another topic", left_out)):
                settled_in_quarters(writer, what, parcels, run, path)
            _, seconds = timed(lambda: writer.do(lambda corpus: regroup_stories(corpus, run, NOW)).result())
            print(f"stories of {count} articles, once a run: CPU {1000 * seconds / count:.2f} ms each")


def bytes_of(corpus):
    with closing(sqlite3.connect(corpus)) as connection:
        return (
            connection.execute("PRAGMA page_count").fetchone()[0] * connection.execute("PRAGMA page_size").fetchone()[0]
        )


def settled_in_quarters(writer, what, parcels, run, path):
    before, step, each = bytes_of(path), len(parcels) // 4 or 1, []
    for start in range(0, len(parcels), step):
        began, quarter = time.process_time(), parcels[start : start + step]
        for batch in range(0, len(quarter), BATCH):
            some = quarter[batch : batch + BATCH]
            done = writer.do(partial(settle_batch, parcels=some, run=run, mark=("archive", what, start + batch, False)))
            assert not done.result().reasons
        each.append(f"{1000 * (time.process_time() - began) / len(quarter):.2f}")
    size = (bytes_of(path) - before) / len(parcels) / 1000
    print(f"{len(parcels)} {what}: CPU ms each, by quarter: {', '.join(each)}; {size:.2f} kB each in the corpus")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["prefilter", "engines", "plain", "settling"])
    parser.add_argument("names", nargs="*", help="files, or engines")
    parser.add_argument("--pages", type=int, default=4000)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    if given.what == "prefilter":
        prefilter(given.names)
    elif given.what == "settling":
        settling(given.pages)
    elif given.what == "plain":
        plain(Path(given.names[0]), given.jobs)
    else:
        engines(given.names or ["plain", "local", "spark"], given.pages, given.files, given.jobs)


if __name__ == "__main__":
    main()
