"""What an article costs from the wire to the search index, beside what people put together themselves, in one run.

    python -m tests.benchmarks.throughput                                    # our own pages
    python -m tests.benchmarks.throughput set.jsonl.gz --articles 800 --rounds 3
    python -m tests.benchmarks.throughput --only "copydesk crawl" "fetch only"

Each round runs every variant over the same articles on the same hosts; of the rounds the cheapest counts, because what else a machine
does only adds. CPU is that of all processes a command started, exactly; the delay between requests is off, which no crawl of strangers can do.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import news_please, ticking
from tests.benchmarks.loopback import Material, asked_for, site
from tests.benchmarks.peers import PeerError
from tests.benchmarks.processes import Cost, cost_of

PROCESSES = 2
OURS, FETCH, BARE, BARE_TWO, CLEAN, NAIVE = (
    "copydesk crawl", "fetch only", "trafilatura, 1 process", "trafilatura, 2 processes", "copydesk clean, 2", "naive pipeline",
)  # fmt: skip
LIMITS = {  # the budgets of a polite crawl must not end this one
    "COPYDESK_SHIPPED_SOURCES": "false", "COPYDESK_CRAWL__WORKERS": str(PROCESSES), "COPYDESK_CRAWL__MAX_PAGES_PER_SOURCE": "100000",
    "COPYDESK_CRAWL__MAX_REQUESTS_PER_HOST": "100000", "COPYDESK_CRAWL__MAX_FEED_ENTRIES": "100000",
    "COPYDESK_CRAWL__SOURCE_BUDGET_S": "3600", "COPYDESK_CRAWL__RUN_BUDGET_S": "3600",
}  # fmt: skip


@dataclass(slots=True)
class Trial:
    """One run of one variant."""

    cost: Cost
    articles: int  # fetched or read
    kept: int  # with text
    ticks: dict[str, float] = field(default_factory=dict)

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cost.cpu_s / self.articles

    @property
    def rate(self) -> float:
        return self.articles / self.cost.wall_s


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a variant runs and over what."""

    material: Material
    port: int
    folder: Path

    def feeds(self) -> list[str]:
        return [f"{base}/feed.xml" for base in self.material.bases(self.port)]

    def run(self, command: Sequence[str], **environment: str) -> Trial:
        """Run a command; one that fails is an error here, not a row of good figures."""
        file = self.folder / "ticks.json"
        cost = cost_of(command, self.folder, **{ticking.FILE: str(file)}, **environment)
        if cost.exit_code:
            raise PeerError(f"exit {cost.exit_code}: {' '.join((cost.complaint or cost.out).split())[-200:]}")
        ticks = json.loads(file.read_text("utf-8")) if file.exists() else {}
        return Trial(cost, self.material.articles, self.material.articles, ticks)


def crawl(bench: Bench) -> Trial:
    (bench.folder / "sources.toml").write_text(bench.material.sources(bench.port), "utf-8")
    command = [sys.executable, "-m", "tests.benchmarks.ticking_crawl", "crawl", "--json", "--db", "corpus.db"]
    trial = bench.run(command, **LIMITS)
    report = json.loads(trial.cost.out)
    trial.kept = sum(source["new"] + source["copies"] for source in report["sources"])
    return trial


def scrapy(mode: str) -> Callable[[Bench], Trial]:
    def run(bench: Bench) -> Trial:
        trial = bench.run([sys.executable, "-m", "tests.benchmarks.scrapy_peer", mode, "peer.db", *bench.feeds()])
        trial.kept = json.loads(trial.cost.out)["articles"]
        return trial

    return run


def bare(processes: int) -> Callable[[Bench], Trial]:
    def run(bench: Bench) -> Trial:
        command = [sys.executable, "-m", "tests.benchmarks.bare", str(processes), str(bench.material.folder)]
        trial = bench.run(command)
        trial.kept = json.loads(trial.cost.out)["articles"]
        return trial

    return run


def clean(bench: Bench) -> Trial:
    addresses = [
        json.dumps({"path": str(path), "url": bench.material.url_of(number, bench.port)}) + "\n"
        for number, path in enumerate(bench.material.paths)
    ]
    (bench.folder / "urls.jsonl").write_text("".join(addresses), "utf-8")
    paths = [str(path) for path in bench.material.paths]
    command = [sys.executable, "-m", "crawler", "clean", "--urls", "urls.jsonl", "--format", "json", "--out", "cleaned"]
    return bench.run([*quietly(command), *paths], **LIMITS)


def quietly(command: list[str]) -> list[str]:
    """A command whose exit code does not count: pages without an article are told by it."""
    return ["sh", "-c", '"$@" >out.txt 2>err.txt; test $? -le 3', "sh", *command]


def ingest(bench: Bench) -> Trial:
    command = [
        sys.executable,
        "-m",
        "crawler",
        "ingest",
        "--db",
        "ingested.db",
        "--url-prefix",
        "http://pages.example/",
    ]
    return bench.run([*quietly(command), str(bench.material.folder)], **LIMITS)


def archive(bench: Bench) -> Trial:
    """The same pages in one WARC file, as crawls of others come."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    path = bench.folder / "pages.warc.gz"
    with path.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        for number, page in enumerate(bench.material.paths):
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
            url = f"http://n{number % bench.material.hosts}.pages.example/{number}"
            with page.open("rb") as body:
                writer.write_record(writer.create_warc_record(url, "response", payload=body, http_headers=headers))
    command = [sys.executable, "-m", "crawler", "ingest", "--db", "ingested.db", str(path)]
    return bench.run(quietly(command), **LIMITS)


def newsplease(bench: Bench) -> Trial:
    command = news_please.command(bench.folder, bench.material)
    before = asked_for(bench.port)
    trial = bench.run(command, **news_please.environment(bench.port))
    trial.articles = asked_for(bench.port) - before
    if not trial.articles:
        raise PeerError("it asked for no article")
    trial.kept = news_please.stored(bench.folder)
    return trial


VARIANTS: dict[str, Callable[[Bench], Trial]] = {
    OURS: crawl,
    FETCH: scrapy("fetch"),
    "Scrapy + trafilatura": scrapy("inline"),
    NAIVE: scrapy("naive"),
    BARE: bare(1),
    BARE_TWO: bare(PROCESSES),
    CLEAN: clean,
    "copydesk ingest, 2": ingest,
    "copydesk ingest, a WARC": archive,
    "news-please": newsplease,
}


def trial_of(name: str, material: Material, port: int) -> Trial:
    gc.collect()
    folder = Path(tempfile.mkdtemp(prefix="copydesk-bench-"))
    try:
        return VARIANTS[name](Bench(material, port, folder))
    finally:
        shutil.rmtree(folder)


def best(trials: Sequence[Trial]) -> Trial:
    return min(trials, key=lambda trial: trial.cpu_ms)


def show(found: dict[str, list[Trial]], broken: dict[str, str]) -> None:
    """One line a variant; ratios are of CPU an article, of the cheapest rounds."""
    cheapest = {name: best(trials) for name, trials in found.items() if trials}
    columns = [name for name in (BARE, NAIVE, "news-please") if name in cheapest]
    head = "".join(f" / {name.split(',')[0]:>14}" for name in columns)
    print(f"{'':26} {'CPU ms':>7} {'rounds':>16} {'a second':>8} {'RSS MB':>7} {'PSS MB':>7} {'kept':>6}{head}   loop held: CPU, wall ms")  # fmt: skip
    for name, trial in cheapest.items():
        rounds = " ".join(f"{one.cpu_ms:.1f}" for one in found[name])
        ratios = "".join(f" {trial.cpu_ms / cheapest[other].cpu_ms:>16.2f}" for other in columns)
        held = (
            f"   {1000 * trial.ticks['most_work_s']:.0f}, {1000 * trial.ticks['latest_s']:.0f}" if trial.ticks else ""
        )
        rate = max(one.rate for one in found[name])
        print(f"{name:26} {trial.cpu_ms:7.1f} {rounds:>16} {rate:8.1f} {trial.cost.peak_rss_mb:7.0f} {trial.cost.peak_pss_mb:7.0f} {trial.kept:6}{ratios}{held}")  # fmt: skip
    for name, why in broken.items():
        print(f"{name:26} {why}")
    if OURS in cheapest and FETCH in cheapest and CLEAN in cheapest:
        rates = {name: max(one.rate for one in found[name]) for name in (OURS, FETCH, CLEAN)}
        ceiling = min(rates[FETCH], rates[CLEAN])
        print(f"\narticles a second: {rates[OURS] / ceiling:.2f} of the ceiling {ceiling:.1f} (the slower of fetching and cleaning)")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, help="lines with html; none: our own pages")
    parser.add_argument("--articles", type=int, default=400)
    parser.add_argument("--hosts", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=sorted(VARIANTS), help="these variants alone")
    given = parser.parse_args()
    found: dict[str, list[Trial]] = {name: [] for name in VARIANTS if not given.only or name in given.only}
    broken: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        material = Material.made(Path(folder) / "pages", given.sets, given.hosts, given.articles)
        size = sum(path.stat().st_size for path in material.paths) / material.articles / 1000
        print(f"{material.articles} articles of {size:.0f} kB on {material.hosts} hosts, {given.rounds} rounds, {os.cpu_count()} cores")  # fmt: skip
        with site(material) as port:
            for _ in range(given.rounds):
                for name, trials in found.items():
                    if name not in broken:
                        try:
                            trials.append(trial_of(name, material, port))
                        except PeerError as error:
                            broken[name] = str(error)
    show(found, broken)


if __name__ == "__main__":
    main()
