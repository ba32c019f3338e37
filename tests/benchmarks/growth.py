"""What a run with two hundred new articles costs on corpora of growing size, and what readers pay there.

    python -m tests.benchmarks.growth 1000 10000 100000

The articles are generated, of each day as many, so that a larger corpus reaches further back; those of the run are of the last day, and another run
went before it. Each corpus is measured in a process of its own. How the candidate index grows is told by `tests.benchmarks.index_scale`, how the pages
of the reading room do by `tests.benchmarks.reading_room`.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.benchmarks.reading_room import NOW, build, vocabulary

ROOT = Path(__file__).parents[2]
NEW = 200
WORDS = 500
A_DAY = 70  # articles: a fortnight of them is the smallest corpus
EXPORTED = 2000  # articles a round of exporting reads


def settle_all(corpus: Any, new: int, name: str = "new") -> int:
    """Keep so many articles of now, a transaction each hundred as a crawl does; return the run."""
    from pipelines.dedup import sign
    from pipelines.flow import settle
    from pipelines.records import Relevance
    from tests.storing import make_article

    chance = random.Random(name)
    words, weights = vocabulary(chance)
    run: int = corpus.start_run("crawl", NOW)
    relevance = Relevance(score=9.0, verdict="relevant", terms=())
    with corpus.transaction():
        for number in range(new):
            when = NOW - timedelta(minutes=number)
            text = " ".join(chance.choices(words, weights, k=WORDS))
            plain = make_article(f"https://{name}.example/{number}", text, published=when, fetched=when)
            settle(corpus, sign(plain.document, text, relevance), run)
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
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure, given.new)))
        return
    names = ("run", "settling", "stories", "window", "search", "listing", "rows a second")
    print(
        f"CPU ms of a run with {given.new} new articles\n{'articles':>10} " + " ".join(f"{name:>13}" for name in names)
    )
    costs = []
    for size in given.sizes:
        with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
            path = Path(folder) / "corpus.db"
            build(path, size, WORDS, 8, given.a_day)
            found = apart(path, given.new)
        costs.append(found["run"])
        print(f"{size:>10} " + " ".join(f"{found[name]:>13.1f}" for name in names), flush=True)
    print(f"growth {given.sizes[0]} to {given.sizes[-1]}: {costs[-1] / costs[0]:.2f}")


if __name__ == "__main__":
    main()
