"""How well and how fast pages are cleaned, beside other extractors on the same pages in the same run.

    python -m tests.benchmarks.cleaning                                  # our own pages
    python -m tests.benchmarks.cleaning SET.jsonl.gz … --peers           # pages with gold text
    python -m tests.benchmarks.cleaning SET.jsonl.gz … --by language --worst 20 --metadata

Each line of a set: {"id", "site", "url", "lang", "html", "gold", "extra"}; `extra` may hold comments and related (their words must not
be kept) and title, authors, date. F1, precision (P) and recall (R) count 4-grams of words; exact: share of pages whose words are all
right; leak: share of comments' and related blocks' 4-grams kept; bad: pages with F1 below 0.5; error: 1 - F1 as a share of trafilatura's;
cpu: CPU time as a share of bare trafilatura.extract's. --peers makes an environment for each other extractor below data/bench.
The shipped block model may have been trained on the pages of a set; --unseen trains it anew in five folds of sites, so that each page
is cleaned by one that saw no page of its site, and the splits, the worst pages and the metadata are those of that row.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks import metadata, own_pages, peers, unseen
from tests.benchmarks.extractors import BASE, OURS, SETTINGS, UNSEEN, Run, measured, with_peer, with_setting
from tests.benchmarks.scoring import (  # fmt: skip
    GRAM_WORDS,
    Gold,
    Grams,
    Row,
    Score,
    Summary,
    grams,
    mean,
    name_of,
    read_set,
    score,
    tokens,
    untitled,
)

PAGES_A_GROUP = 3  # a smaller group tells nothing
SLOW_SECONDS = 5.0
FOUND = 0.1  # F1 below it: the body was lost
MOSTLY = 0.5  # share of a line's 4-grams
SHOWN_LINES, SHOWN_CHARS = 2, 100  # of a text in the list of the worst
HEADER = f"{'':26} {'F1':>6} {'P':>6} {'R':>6} {'page F1':>7} {'exact':>6} {'leak':>6} {'bad':>4} {'error':>6} {'ms/page':>8} {'cpu':>6}"


@dataclass
class Measured:
    """A set with what every extractor made of it."""

    name: str
    rows: list[Row]
    golds: list[Gold] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)
    scores: dict[str, list[Score]] = field(default_factory=dict)

    @property
    def ours(self) -> str:
        """The row that is looked at more closely."""
        return UNSEEN if UNSEEN in self.runs else OURS

    def add(self, tool: str, run: Run) -> None:
        self.runs[tool] = run
        if not run.why_not:
            self.scores[tool] = [score(gold, text) for gold, text in zip(self.golds, run.texts, strict=True)]


def measure(name: str, rows: list[Row], models: unseen.Models | None, *, with_peers: bool) -> Measured:
    found = Measured(name, rows, [Gold.of(row) for row in rows])
    for tool, run in measured(name, rows).items():
        found.add(tool, run)
        if tool == OURS and models is not None:
            found.add(UNSEEN, unseen.cleaned(name, rows, models))
    for tool, options in SETTINGS.items():
        found.add(tool, with_setting(rows, options))
    for tool in peers.REQUIREMENTS if with_peers else ():
        found.add(tool, with_peer(tool, rows))
    return found


def line(tool: str, summary: Summary, error: float | None, seconds: float, ratio: float) -> str:
    leak = "-" if summary.leak is None else f"{summary.leak:.3f}"
    part = "-" if error is None else f"{error:.2f}"
    return (
        f"{tool:26} {summary.f1:6.4f} {summary.precision:6.4f} {summary.recall:6.4f} {summary.page_f1:7.4f} {summary.exact:6.3f}"
        f" {leak:>6} {summary.bad:4} {part:>6} {1000 * seconds:8.1f} {ratio:6.2f}"
    )


def show_set(found: Measured) -> None:
    print(f"\n{found.name}: {len(found.rows)} pages\n{HEADER}")
    base = Summary.of(found.scores[BASE])
    base_cost = mean(found.runs[BASE].seconds)
    for tool, run in found.runs.items():
        if run.why_not:
            print(f"{tool:26} {run.why_not}")
            continue
        summary, cost = Summary.of(found.scores[tool]), mean(run.seconds)
        error = (1 - summary.f1) / (1 - base.f1) if base.f1 < 1 else None
        print(line(tool, summary, error, cost, cost / base_cost), flush=True)
        if run.second_opinions:
            print(
                f"{'':26} trafilatura and the block model asked about {run.second_opinions} of {len(found.rows)} pages"
            )
        if run.raised:
            print(f"{'':26} raised on {len(run.raised)} pages: {', '.join(sorted(set(run.raised.values())))}")
    show_losses(found)


def show_losses(found: Measured) -> None:
    """What must not happen on any page: too slow, or no body where another extractor finds one."""
    costs = found.runs[found.ours].seconds
    slow = sum(cost > SLOW_SECONDS for cost in costs)
    lost = [
        found.rows[at]["id"]
        for at, ours in enumerate(found.scores[found.ours])
        if ours.f1 < FOUND and any(scores[at].f1 >= 0.5 for tool, scores in found.scores.items() if not tool.startswith(OURS))
    ]  # fmt: skip
    print(f"{found.ours}: slowest page {max(costs):.2f} s, over {SLOW_SECONDS:.0f} s: {slow}; body lost where another finds it: {len(lost)}"
          + "".join(f"\n    {name}" for name in lost))  # fmt: skip


def show_all(sets: Sequence[Measured]) -> None:
    """Means over sets: a large set is no better judge than a small one."""
    print(f"\nmean of {len(sets)} sets, {sum(len(found.rows) for found in sets)} pages\n{HEADER}")
    for tool in sets[0].runs:
        if any(tool not in found.scores for found in sets):
            continue
        each = [Summary.of(found.scores[tool]) for found in sets]
        base = mean([1 - Summary.of(found.scores[BASE]).f1 for found in sets])
        leaks = [one.leak for one in each if one.leak is not None]
        whole = Summary(
            pages=sum(one.pages for one in each),
            leak=mean(leaks) if leaks else None,
            bad=sum(one.bad for one in each),
            **{name: mean([getattr(one, name) for one in each]) for name in ("f1", "precision", "recall", "page_f1", "exact")},
        )  # fmt: skip
        seconds = [cost for found in sets for cost in found.runs[tool].seconds]
        ratio = sum(seconds) / sum(cost for found in sets for cost in found.runs[BASE].seconds)
        print(line(tool, whole, (1 - whole.f1) / base if base else None, mean(seconds), ratio))


def kind_of(row: Row) -> str:
    """What a page's own markup says of the site it comes from."""
    markup = row["html"]
    if re.search(r"\"(?:\w*NewsArticle)\"", markup):
        return "news (JSON-LD)"
    if re.search(r"\"BlogPosting\"|generator[\"'][^>]{0,40}(?:wordpress|blogger|ghost|movable|typepad)|wp-content/|blogspot", markup, re.IGNORECASE):  # fmt: skip
        return "blog software"
    if re.search(r"og:type[\"'][^>]{0,20}article", markup, re.IGNORECASE):
        return "og:type article"
    if re.search(r"<article\b", markup, re.IGNORECASE):
        return "<article>, no more"
    return "layout tables" if len(re.findall(r"<table\b", markup, re.IGNORECASE)) > 2 else "plain markup"


GROUPINGS: dict[str, Callable[[Row], str]] = {
    "language": lambda row: row["lang"] or "not told",
    "site": lambda row: row["site"],
    "kind": kind_of,
}


def show_groups(sets: Sequence[Measured], by: str) -> None:
    """Ours beside trafilatura, split; sites with fewest words right first."""
    groups: dict[str, list[tuple[Measured, int]]] = defaultdict(list)
    for found in sets:
        for at, row in enumerate(found.rows):
            groups[GROUPINGS[by](row)].append((found, at))
    print(f"\nby {by:23} {'pages':>6} {'F1':>7} {'exact':>6} {'trafilatura F1':>15} {'exact':>6}")
    shown = []
    for name, members in groups.items():
        ours, theirs = (
            Summary.of([found.scores[tool or found.ours][at] for found, at in members]) for tool in ("", BASE)
        )
        text = f"{name[:26]:26} {len(members):6} {ours.f1:7.4f} {ours.exact:6.3f} {theirs.f1:15.4f} {theirs.exact:6.3f}"
        if len(members) >= PAGES_A_GROUP:
            shown.append((ours.f1 if by == "site" else -len(members), text))
    print("\n".join(text for _, text in sorted(shown)))


def worst(sets: Sequence[Measured], count: int) -> Iterator[str]:
    """The pages with the lowest F1, and the longest texts that are wrongly there or missing."""
    every = [(found.scores[found.ours][at].f1, found, at) for found in sets for at in range(len(found.rows))]
    for f1, found, at in sorted(every, key=lambda one: one[0])[:count]:
        row, gold, mark = found.rows[at], found.golds[at], found.scores[found.ours][at]
        text = untitled(found.runs[found.ours].texts[at], gold.titles)
        yield f"{f1:.3f} {found.name} {row['lang']} {row['site']} {row['id']} (trafilatura {found.scores[BASE][at].f1:.3f}; 4-grams right {mark.right}, wrong {mark.wrong}, missed {mark.missed})"
        yield from foreign("    kept   ", text, gold.words)
        yield from foreign("    missing", untitled(row["gold"], gold.titles), tokens(text))


def foreign(label: str, text: str, words: Sequence[str]) -> Iterator[str]:
    """How much of a text is not among the words, and its longest two lines."""
    known, run = grams(words), f" {' '.join(words)} "
    lines = [block for block in text.splitlines() if is_foreign(tokens(block), known, run)]
    summary = f"{len(lines):3} lines, {sum(map(len, lines)):6} characters"
    for block in sorted(lines, key=len, reverse=True)[:SHOWN_LINES]:
        yield f"{label} {summary}: {block[:SHOWN_CHARS]}"
        label, summary = " " * len(label), " " * len(summary)


def is_foreign(line: Sequence[str], known: Grams, run: str) -> bool:
    """True when most of a line does not stand in the other text; a line too short for 4-grams, when it does not at all."""
    if len(line) < GRAM_WORDS:
        return bool(line) and f" {' '.join(line)} " not in run
    return sum((grams(line) & known).values()) < MOSTLY * (len(line) - GRAM_WORDS + 1)


def read_sets(paths: Sequence[Path], limit: int | None) -> Iterator[tuple[str, list[Row]]]:
    for name, rows in (
        ((name_of(path), read_set(path)) for path in paths) if paths else ((name, made()) for name, made in own_pages.SETS.items())
    ):  # fmt: skip
        yield name, rows[:limit]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="pages with gold text [default: our own pages]")
    parser.add_argument("--peers", action="store_true", help="other extractors too, each in an environment of its own")
    parser.add_argument("--limit", type=int, help="only so many first pages of each set")
    parser.add_argument("--by", choices=list(GROUPINGS), action="append", default=[], help="split, may be repeated")
    parser.add_argument("--worst", type=int, default=0, help="so many pages with the lowest F1, and why")
    parser.add_argument("--metadata", action="store_true", help="title, authors and date where a set has them")
    parser.add_argument(
        "--unseen", action="store_true", help="a row by models that saw no page of the site (needs LightGBM)"
    )
    asked = parser.parse_args()
    if asked.unseen and not (asked.sets and find_spec("lightgbm")):
        parser.error("--unseen needs sets to train on and LightGBM (pip install 'copydesk[train]')")
    models = unseen.models(asked.sets) if asked.unseen else None
    sets = []
    for name, rows in read_sets(asked.sets, asked.limit):
        sets.append(measure(name, rows, models, with_peers=asked.peers))
        show_set(sets[-1])
    if len(sets) > 1:
        show_all(sets)
    for by in asked.by:
        show_groups(sets, by)
    for text in worst(sets, asked.worst):
        print(text)
    if asked.metadata:
        for found in sets:
            metadata.show(found.name, found.rows, found.runs[found.ours].documents)


if __name__ == "__main__":
    main()
