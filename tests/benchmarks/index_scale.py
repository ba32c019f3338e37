"""How the candidate index grows: the same questions asked of a corpus of 10,000, 100,000 and 1,000,000 articles.

Signatures are synthetic (random fingerprints of 600-word articles, a fifth of them copies of an article of the same days),
the tables, statements and settings are the program's own. Articles are spread evenly over five years and come in that order. What
is measured runs in a process of its own, so that opening and memory are those of an hourly run.

    python -m tests.benchmarks.index_scale 10000 100000 1000000
"""

import argparse
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
FIRST_DAY = datetime(2021, 11, 22, tzinfo=UTC)
YEARS = 5
FINGERPRINTS = 38  # of 600 words
MINHASH_BYTES = 512
COPY_SHARE = 0.2
BATCH = 1000  # articles in one transaction while building
LOOKUPS, COLD_LOOKUPS, ADDED = 1000, 30, 3000  # at most; a small corpus is asked no more often than it has articles
WORDS = [
    f"{a}{b}{c}" for a in "bdfgklmnprst" for b in ("a", "ei", "o", "u") for c in ("ck", "ld", "n", "rt", "sse", "x")
]


def time_of(number, size):
    return FIRST_DAY + timedelta(days=365.25 * YEARS) * (number / size)


def build(path, size):
    """Fill a corpus with `size` articles; return the bytes the index costs an article, and how long building took."""
    from pipelines.store import Corpus

    chance = np.random.default_rng(size)
    started = time.perf_counter()
    with Corpus.open(path, create=True) as corpus:
        corpus._run("PRAGMA synchronous = OFF")  # of the building only
        for first in range(0, size, 20 * BATCH):
            with corpus.transaction():
                corpus._run_many(
                    "INSERT INTO articles (id, url, publisher, title, text, text_hash, words, published, fetched, cluster)"
                    " VALUES (?1, ?2, 'P', 'T', '', ?2, 600, ?3, ?3, ?1)",
                    (
                        (number + 1, f"https://p.example/{number}", time_of(number, size).isoformat())
                        for number in range(first, min(size, first + 20 * BATCH))
                    ),
                )
        corpus.checkpoint()
        bare = path.stat().st_size
        recent = np.empty((0, FINGERPRINTS), np.int64)
        for first in range(0, size, BATCH):
            recent = index_batch(corpus, first, min(BATCH, size - first), size, chance, recent)
        corpus.checkpoint()
    return (path.stat().st_size - bare) / size, time.perf_counter() - started


def index_batch(corpus, first, count, size, chance, recent):
    """Sign and index a batch as the corpus does, in one transaction."""
    from pipelines.dedup import RECIPE
    from pipelines.store.placing import keys_of, week_of
    from pipelines.store.values import pack

    prints = chance.integers(0, 2**35, (count, FINGERPRINTS), np.int64)
    is_copy = chance.random(count) < COPY_SHARE if len(recent) else np.zeros(count, bool)
    chosen = chance.integers(0, max(1, len(recent)), count)
    prints[is_copy, 4:] = recent[chosen[is_copy]][:, 4:] if len(recent) else 0
    minhashes = chance.bytes(count * MINHASH_BYTES)
    rows, keys = [], []
    for index in range(count):
        found = prints[index].tolist()
        minhash = minhashes[index * MINHASH_BYTES : (index + 1) * MINHASH_BYTES]
        rows.append((first + index + 1, RECIPE, minhash, pack(found), 596))
        week = week_of(time_of(first + index, size))
        keys += [(key, first + index + 1) for key in keys_of(week, set(found))]
    with corpus.transaction():
        corpus._run_many("INSERT INTO signatures VALUES (?, ?, ?, ?, ?)", rows)
        corpus._run_many("INSERT INTO bands VALUES (?, ?)", sorted(keys))
    return prints


def article_of(number, when, prints, chance):
    """A new article as the corridor hands it over."""
    from pipelines.dedup import RECIPE
    from pipelines.records import Article, Document, Relevance, Signature

    text = " ".join(chance.choices(WORDS, k=600))
    document = Document(
        url=f"https://new.example/{number}", final_url="", canonical_url="", source="s", publisher="N", title="New", byline="",
        published=when, published_origin="feed", language="en", fetched=when, blocks=(),
    )  # fmt: skip
    return Article(
        document=document,
        text=text,
        text_hash=f"new {number}",
        words=600,
        relevance=Relevance(score=9.0, verdict="relevant", terms=()),
        signature=Signature(recipe=RECIPE, minhash=b"\1" * MINHASH_BYTES, fingerprints=prints, shingles=596),
    )


def new_articles(corpus, size, count, first):
    """Articles of now: a fifth of them share most fingerprints with a stored one of the last days."""
    from pipelines.store.values import unpack

    chance = random.Random(first)
    for number in range(first, first + count):
        prints = [chance.randrange(2**35) for _ in range(FINGERPRINTS)]
        if chance.random() < COPY_SHARE:
            like = size - chance.randrange(max(1, min(size // 2, size * 10 // (365 * YEARS))))
            stored = corpus._value("SELECT fingerprints FROM signatures WHERE article = ?", (like,))
            prints[4:] = unpack(stored)[4:]
        when = time_of(size, size) + timedelta(seconds=number)
        yield article_of(number, when, tuple(prints), chance)


def measure(path, size):
    """What an hourly run sees; prints a row as JSON."""
    from pipelines.store import Corpus

    row = {"open_ms": opened_cold(path)}
    with Corpus.open(path) as corpus:
        warm = [
            timed(lambda article=article: corpus.candidates(article))
            for article in new_articles(corpus, size, min(size, LOOKUPS), 0)
        ]
        row |= {"warm_p50": percentile(warm, 50), "warm_p99": percentile(warm, 99)}
        undated = [
            timed(lambda article=article: corpus.candidates(article))
            for article in undated_articles(corpus, size, min(size, LOOKUPS) // 5)
        ]
        row |= {"undated_p50": percentile(undated, 50)}
        asked = list(new_articles(corpus, size, COLD_LOOKUPS, 10_000))
    row |= {"cold_p50": percentile([looked_up_cold(path, article) for article in asked], 50)}
    with Corpus.open(path) as corpus:
        row |= added(corpus, size)
        row["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(row))


def undated_articles(corpus, size, count):
    return [
        replace(article, document=replace(article.document, published=None))
        for article in new_articles(corpus, size, count, 20_000)
    ]


def added(corpus, size):
    """Milliseconds an article: signature and index alone, and the whole article with its full-text index."""
    from pipelines.records import Placement

    row = {}
    for name, batch in (("add_ms", 100), ("add_ms_1000", 1000)):
        number = size + batch * 100_000
        articles = list(enumerate(new_articles(corpus, size, min(size, ADDED), 30_000 + batch * 10), number))
        with corpus.transaction():
            corpus._run_many(
                "INSERT INTO articles (id, url, fetched, cluster) VALUES (?1, ?2, '', ?1)",
                [(number, f"https://bare.example/{number}") for number, _ in articles],
            )
        row[name] = in_batches(
            corpus,
            articles,
            batch,
            lambda one: corpus._write_signature(one[0], one[1].signature, one[1].document.published),
        )
    articles = list(new_articles(corpus, size, min(size, ADDED), 90_000))
    row["keep_ms"] = in_batches(
        corpus, articles, 100, lambda article: corpus.keep(article, Placement(relation="original"))
    )
    return row


def in_batches(corpus, items, batch, work):
    started = time.perf_counter()
    for first in range(0, len(items), batch):
        with corpus.transaction():
            for item in items[first : first + batch]:
                work(item)
    return 1000 * (time.perf_counter() - started) / len(items)


def timed(work):
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, math.ceil(len(values) * share / 100) - 1)]


def forget(path):
    """Take a file out of the system's cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def opened_cold(path):
    from pipelines.store import Corpus

    forget(path)
    return timed(lambda: Corpus.open(path).close())


def looked_up_cold(path, article):
    from pipelines.store import Corpus

    forget(path)
    with Corpus.open(path) as corpus:
        return timed(lambda: corpus.candidates(article))


COLUMNS = (  # (key, heading, digits)
    ("articles", "articles", 0), ("open_ms", "open ms, cold", 1), ("rss_mb", "RSS MB", 0), ("warm_p50", "look-up ms p50", 2),
    ("warm_p99", "p99", 2), ("cold_p50", "p50 cold", 1), ("undated_p50", "p50 undated", 2), ("add_ms", "add ms, by 100", 2),
    ("add_ms_1000", "by 1,000", 2), ("keep_ms", "whole article", 2), ("bytes", "bytes/article", 0), ("build_s", "built in s", 0),
)  # fmt: skip


def report(rows):
    """A table, and the exponent of growth between the sizes: 0 is flat, 1 is linear."""
    print("  ".join(heading for _, heading, _ in COLUMNS))
    for row in rows:
        print("  ".join(f"{row[key]:,.{digits}f}".rjust(len(heading)) for key, heading, digits in COLUMNS))
    for one, other in pairwise(rows):
        ratio = math.log(other["articles"] / one["articles"])
        grown = [
            (math.log(other[key] / one[key]) / ratio if one[key] and other[key] else 0.0) for key, _, _ in COLUMNS[1:-1]
        ]
        label = f"growth {one['articles']:,} to {other['articles']:,}: "
        print(
            label
            + "  ".join(f"{heading} n^{value:.2f}" for (_, heading, _), value in zip(COLUMNS[1:-1], grown, strict=True))
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure, asked.sizes[0])
        return
    rows = []
    for size in asked.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "corpus.db"
            cost, seconds = build(path, size)
            command = [sys.executable, "-m", "tests.benchmarks.index_scale", str(size), "--measure", str(path)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            rows.append({"articles": size, "bytes": cost, "build_s": seconds} | json.loads(done.stdout))
    report(rows)


if __name__ == "__main__":
    main()
