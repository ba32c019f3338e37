"""`python -m tests.soak`: weeks of cron in minutes, and what is left of them in the corpus.

Each run is a process of its own, every tenth is killed with SIGKILL in the middle. The corpus must then hold what
the world says, no more and no less.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.desk import ROOT
from tests.soak.internet import Internet
from tests.soak.oracle import compare
from tests.soak.world import START, make_world

KILLED_EVERY = 10  # runs
RUN_S = 300  # a run that takes longer hangs


@dataclass
class Soaked:
    """What the runs were like."""

    runs: int = 0
    kills: int = 0
    codes: dict = field(default_factory=dict)
    requests: int = 0
    megabytes: list = field(default_factory=list)  # the crawl's peak, run by run; a killed one tells nothing
    trouble: list = field(default_factory=list)  # lines on stderr nobody expects
    private: int = 0
    seconds: float = 0.0


def soak(folder, *, seed, publishers, articles, runs, step, killed_every=KILLED_EVERY, tell=lambda _: None):
    """Let `runs` runs go by, `step` hours apart; return what they were like and what is in the corpus."""
    world, soaked = make_world(seed, publishers, articles, (runs - 1) * step), Soaked()
    chosen, began = random.Random(f"kill {seed}"), time.monotonic()
    with Internet(world, seed) as net:
        (folder / "sources.toml").write_text(net.sources(), "utf-8")
        for number in range(runs):
            net.hour = number * step
            net.has_faults = number < runs * 0.8 and number % 40 < 30
            is_killed = number % killed_every == killed_every // 2 and number < runs - 2
            run(folder, net, soaked, chosen.randint(1, 60) if is_killed else None)
            tell(f"run {number + 1}/{runs}: {soaked.kills} kills, {net.requests} requests, {soaked.megabytes[-1:]} MB")
        soaked.requests, soaked.private = net.requests, len(net.private)
        soaked.seconds = time.monotonic() - began
        return soaked, compare(folder / "corpus.db", world, net)


def run(folder, net, soaked, killed_at):
    """One hourly run; killed at its so-manieth request, when it comes so far."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.hour", (START + timedelta(hours=net.hour)).isoformat()],
        cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    first = net.requests

    def look():
        if killed_at is not None and net.requests - first == killed_at:
            process.kill()

    net.on_request = look
    out, err = process.communicate(timeout=RUN_S)
    net.on_request = lambda: None
    soaked.runs += 1
    soaked.kills += process.returncode == -9
    soaked.codes[process.returncode] = soaked.codes.get(process.returncode, 0) + 1
    if process.returncode != -9:
        soaked.trouble += [line for line in err.splitlines() if line.strip()]
    if out.startswith("{"):
        report = json.loads(out)
        soaked.megabytes.append(report["megabytes"])


def environment(folder):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    return kept | {
        "COPYDESK_DATABASE": str(folder / "corpus.db"),
        "COPYDESK_SOURCES": str(folder / "sources.toml"),
        "COPYDESK_SHIPPED_SOURCES": "false",
        "COPYDESK_CRAWL__WORKERS": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }


def figures(soaked, found):
    """The lines of the report."""
    quarter = max(len(soaked.megabytes) // 4, 1)
    first, last = max(soaked.megabytes[:quarter]), max(soaked.megabytes[-quarter:])
    yield f"{soaked.runs} runs in {soaked.seconds:.0f} s, {soaked.kills} killed, {soaked.requests} requests, exit codes {soaked.codes}"
    yield f"{found.articles} articles in {found.clusters} clusters: {len(found.lost)} lost, {len(found.duplicated)} duplicated, {len(found.extra)} extra"
    yield f"wrong: {len(found.wrong_text)} texts, {len(found.wrong_cluster)} clusters, {len(found.wrong_canonical)} canonicals; damage {found.damage}"
    yield f"memory, first and last quarter: {first:.0f} and {last:.0f} MB"
    yield f"asked in spite of robots.txt: {soaked.private}; unexpected lines: {len(soaked.trouble)}"


def main():
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--publishers", type=int, default=30)
    parser.add_argument("--articles", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--step", type=int, default=1, help="hours from run to run")
    parser.add_argument("--folder", type=Path, help="where the corpus stays, to look at")
    asked = vars(parser.parse_args())
    folder = asked.pop("folder") or Path(tempfile.mkdtemp(prefix="soak"))
    folder.mkdir(parents=True, exist_ok=True)
    soaked, found = soak(folder, **asked, tell=lambda line: print(line, file=sys.stderr, flush=True))
    for line in figures(soaked, found):
        print(line)
    for kind, names in found.mistakes.items():
        print(f"{kind}: {names[:20]}")
    for line in soaked.trouble[:20]:
        print("stderr:", line)
    print(f"corpus: {folder / 'corpus.db'}")
    return 1 if found.mistakes or soaked.private or soaked.trouble else 0


if __name__ == "__main__":
    sys.exit(main())
