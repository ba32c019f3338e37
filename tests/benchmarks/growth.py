"""What a run with two hundred new articles costs on corpora of growing size, and what readers pay there.

    python -m tests.benchmarks.growth 1000 10000 100000
    python -m tests.benchmarks.growth 1000 10000 100000 1000000 --words 60   # a million fits into half an hour and 5 GB

The articles are generated, of each day as many, so that a larger corpus reaches further back; they have signatures and stand in the candidate
index, and their sites have learnt what stands on all pages. Those of the run are of the last day, and another run went before it. Each corpus
is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.urls import site
from tests.benchmarks import reading_room
from tests.benchmarks.reading_room import NOW, build, vocabulary

ROOT = Path(__file__).parents[2]
NEW = 200
WORDS = 500
A_DAY = 70  # articles: a fortnight of them is the smallest corpus
AT_ONCE = 10  # pages in a transaction, as a crawl brings them
FINGERPRINTS = 24  # of 400 words
LEARNED, KNOWN = 60, 400  # blocks a page teaches its site, of so many
REMEMBERED_EVERY = 20  # articles: sites have twenty thousand blocks at most, whatever the corpus
PAGE_ROUNDS = 3
EXPORTED = 2000  # articles a round of exporting reads


def beside(corpus: Any, rows: list[dict[str, Any]]) -> None:
    """What stands beside generated articles: signature, candidate index, what their sites repeat."""
    from pipelines.dedup import RECIPE
    from pipelines.store.placing import keys_of, week_of
    from pipelines.store.values import pack

    chance = np.random.default_rng(rows[0]["id"])
    prints = chance.integers(0, 2**35, (len(rows), FINGERPRINTS), np.int64).tolist()
    weeks = [week_of(datetime.fromisoformat(row["published"])) for row in rows]
    corpus._run_many(
        "INSERT INTO signatures VALUES (?, ?, ?, ?, ?)",
        [
            (row["id"], RECIPE, chance.bytes(512), pack(own), 16 * FINGERPRINTS)
            for row, own in zip(rows, prints, strict=True)
        ],
    )
    keys = [
        (key, row["id"]) for row, own, week in zip(rows, prints, weeks, strict=True) for key in keys_of(week, set(own))
    ]
    corpus._run_many("INSERT INTO bands VALUES (?, ?)", sorted(keys))
    for row in rows[::REMEMBERED_EVERY]:
        corpus.remember(site(row["url"]), range(row["id"] % KNOWN, row["id"] % KNOWN + LEARNED), NOW)


def settle_all(corpus: Any, new: int, name: str = "new") -> int:
    """Keep so many pages of now with all that is kept of one, a transaction each ten as a crawl does; return the run."""
    from pipelines.dedup import sign
    from pipelines.records import Fetch, Page, Relevance
    from pipelines.settling import settle_page, template_of
    from tests.storing import make_article

    chance = random.Random(name)
    words, weights = vocabulary(chance)
    run: int = corpus.start_run("crawl", NOW)
    relevance = Relevance(score=9.0, verdict="relevant", terms=())
    for first in range(0, new, AT_ONCE):
        with corpus.transaction():
            for number in range(first, min(new, first + AT_ONCE)):
                when = NOW - timedelta(minutes=number)
                text = " ".join(chance.choices(words, weights, k=WORDS))
                url = f"https://{name}-{number % 10}.example/{number}"
                page = Page(url=url, body=text.encode() * 4, fetched=when, source="source-1")
                article = sign(make_article(url, text, published=when, fetched=when).document, text, relevance)
                fetch = Fetch(url=url, source="source-1", kind="page", time=when, status=200)
                template_of(corpus, page)
                learned = frozenset(range(number, number + LEARNED))
                settle_page(corpus, page, article, learned, when, run, fetch)
    return run


def measure(path: Path, new: int) -> dict[str, float]:
    """CPU milliseconds of each thing asked, and what it was asked of."""
    from pipelines.flow import regroup_stories
    from pipelines.store import Corpus, Filter

    found: dict[str, float] = {}

    def cost(name: str, work: Callable[[], Any]) -> Any:
        began = time.process_time()
        answer = work()
        found[name] = 1000 * (time.process_time() - began)
        return answer

    with Corpus.open(path) as corpus:
        regroup_stories(corpus, settle_all(corpus, 1, "before"), NOW)  # imports, and what an earlier run leaves behind
        run = cost("settling", lambda: settle_all(corpus, new))
        cost("stories", lambda: regroup_stories(corpus, run, NOW))
        corpus.checkpoint()
        found["run"] = found["settling"] + found["stories"]
        cost("search", lambda: corpus.search("badorfel", Filter(limit=20)))
        cost("listing", lambda: corpus.stories(Filter(limit=50)))
        rows = cost("export", lambda: sum(1 for _ in zip(range(EXPORTED), corpus.articles(Filter()), strict=False)))
        found["rows a second"] = 1000 * rows / max(found.pop("export"), 1.0)
        found["window"] = sum(1 for _ in corpus.story_items(NOW - timedelta(days=14)))
    pages = [(median, address) for address, _, median, _, _ in reading_room.measure(path, PAGE_ROUNDS)]
    found["page"], found["worst page"] = statistics.median(median for median, _ in pages), max(pages)[0]
    return found


def apart(path: Path, new: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.growth", "--measure", str(path), "--new", str(new), "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--new", type=int, default=NEW, help="articles of the run")
    parser.add_argument("--a-day", type=float, default=A_DAY, help="articles of the corpus")
    parser.add_argument(
        "--words", type=int, default=WORDS, help="of an article of the corpus; those of the run have 500"
    )
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, given.new)))
        return
    names = ("run", "settling", "stories", "window", "search", "listing", "rows a second", "page", "worst page")
    print(
        f"CPU ms of a run with {given.new} new articles, of a search, of a list of stories; ms of the reading room's pages\n{'articles':>10} "
        + " ".join(f"{name:>13}" for name in names)
    )
    costs = []
    for size in given.sizes:
        with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
            path = Path(folder) / "corpus.db"
            build(path, size, given.words, 8, given.a_day, beside)
            found = apart(path, given.new)
        costs.append(found["run"])
        print(f"{size:>10} " + " ".join(f"{found[name]:>13.1f}" for name in names), flush=True)
    print(f"growth {given.sizes[0]} to {given.sizes[-1]}: {costs[-1] / costs[0]:.2f}")


if __name__ == "__main__":
    main()
