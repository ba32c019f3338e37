"""What starting costs: the help, a search, a crawl that finds nothing due, one where nothing changed, and an hourly one.

    python -m tests.benchmarks.startup                       # our own pages, 1,000 generated articles to search
    python -m tests.benchmarks.startup set.jsonl.gz --corpus 100000 --rounds 3

Of the rounds the cheapest counts. CPU is that of all processes a command started.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.loopback import Material, site
from tests.benchmarks.processes import Cost, cost_of
from tests.benchmarks.reading_room import build
from tests.benchmarks.throughput import LIMITS

HOSTS = 4
COPYDESK = (sys.executable, "-m", "crawler")


@dataclass(frozen=True, slots=True)
class Case:
    """A command, and what must be so before it."""

    name: str
    words: tuple[str, ...]
    bar: str
    before: Callable[[], object] = lambda: None


def nothing_there(folder: Path) -> None:
    """A corpus of its own for each first run."""
    for path in folder.glob("corpus.db*"):
        path.unlink()


def cases(folder: Path, searched: Path) -> Iterator[Case]:
    yield Case("--help", ("--help",), "0.3 s wall")
    yield Case("search", ("search", "badorfel", "--db", str(searched)), "0.5 s wall")
    crawl = ("crawl", "--db", "corpus.db")
    yield Case("crawl, new articles", crawl, "2 s CPU", lambda: nothing_there(folder))
    yield Case("crawl, nothing due", crawl, "1.5 s wall, 120 MB")
    yield Case("crawl, nothing new", (*crawl, "--force"), "")


def measured(case: Case, folder: Path) -> Cost:
    case.before()
    cost = cost_of([*COPYDESK, *case.words], folder, **LIMITS)
    assert not cost.exit_code, cost.complaint
    return cost


def show(name: str, costs: Sequence[Cost], bar: str) -> None:
    cpu, wall = min(cost.cpu_s for cost in costs), min(cost.wall_s for cost in costs)
    rss, pss = min(cost.peak_rss_mb for cost in costs), min(cost.peak_pss_mb for cost in costs)
    print(f"{name:22} {cpu:6.2f} {wall:7.2f} {rss:7.0f} {pss:7.0f}   {bar}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="lines with html; none: our own pages")
    parser.add_argument("--articles", type=int, default=20, help="that an hourly run finds")
    parser.add_argument("--corpus", type=int, default=1000, help="articles to search")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as name:
        folder = Path(name)
        searched = folder / "searched.db"
        build(searched, given.corpus)
        material = Material.made(folder / "pages", given.sets, HOSTS, given.articles)
        found: dict[str, list[Cost]] = {}
        bars: dict[str, str] = {}
        with site(material) as port:
            (folder / "sources.toml").write_text(material.sources(port), "utf-8")
            for _ in range(given.rounds):
                for case in cases(folder, searched):
                    bars[case.name] = case.bar
                    found.setdefault(case.name, []).append(measured(case, folder))
    print(
        f"{given.articles} new articles, {given.corpus} to search\n{'':22} {'CPU s':>6} {'wall s':>7} {'RSS MB':>7} {'PSS MB':>7}   at most"
    )
    for label, costs in found.items():
        show(label, costs, bars[label])


if __name__ == "__main__":
    main()
