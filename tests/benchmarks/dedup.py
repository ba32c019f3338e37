"""Quality and speed of `copydesk dedup`, beside datasketch's usual settings and rensa, on the same texts in one run.

The texts are generated (texts.py), or lines of a file with `text` and a gold `cluster`. Every method has a process of its own; an id per line goes in,
a cluster per line comes out, and pairs of lines are counted. --lines instead measures the command itself on that many articles of 600 words.

    python -m tests.benchmarks.dedup
    python -m tests.benchmarks.dedup labelled.jsonl.gz
    python -m tests.benchmarks.dedup --lines 100000
"""

import argparse
import gzip
import importlib.util
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.benchmarks import texts

ROOT = Path(__file__).parents[2]
PERMUTATIONS, THRESHOLD = 128, 0.7
RENSA_BANDS = 16  # it wants a divisor of 128; 16 bands of 8 have their threshold at 0.71
EVENTS = 2000
ARTICLE_WORDS = 600
COPY_SHARE = 0.3  # of the lines of --lines


def usual_shingles(text):
    """Runs of five words, as the manuals of both libraries do it."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[at : at + 5]) for at in range(max(1, len(words) - 4))}


def with_copydesk(lines):
    from pipelines.dedup import dedup

    return [placement.cluster for placement in dedup(lines)]


def with_datasketch(lines):
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    groups = Groups(len(lines))
    for number, line in enumerate(lines):
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch([shingle.encode() for shingle in usual_shingles(line["text"])])
        for other in index.query(signature):
            groups.join(number, other)
        index.insert(number, signature)
    return groups.labels()


def with_rensa(lines):
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=RENSA_BANDS)
    groups = Groups(len(lines))
    for number, line in enumerate(lines):
        signature = RMinHash(num_perm=PERMUTATIONS, seed=42)
        signature.update(list(usual_shingles(line["text"])))
        for other in index.query(signature):
            groups.join(number, other)
        index.insert(number, signature)
    return groups.labels()


METHODS = {  # name: (how, the library it needs)
    "copydesk": (with_copydesk, ""),
    f"datasketch {PERMUTATIONS}, {THRESHOLD}": (with_datasketch, "datasketch"),
    f"rensa {PERMUTATIONS}, {THRESHOLD}": (with_rensa, "rensa"),
}


class Groups:
    """Everything that is linked is one group, as the usual recipes have it."""

    def __init__(self, count):
        self._parent = list(range(count))

    def find(self, one):
        while self._parent[one] != one:
            self._parent[one] = one = self._parent[self._parent[one]]
        return one

    def join(self, one, other):
        first, second = sorted((self.find(one), self.find(other)))
        self._parent[second] = first

    def labels(self):
        return [self.find(one) for one in range(len(self._parent))]


def pairs(counts):
    return sum(count * (count - 1) // 2 for count in counts)


def score(lines, labels):
    """Precision, recall, F1 of pairs of lines, and the recall of each operation: (original, copy) in one cluster."""
    gold = [line["cluster"] for line in lines]
    both = pairs(Counter(zip(gold, labels, strict=True)).values())
    found, true = pairs(Counter(labels).values()), pairs(Counter(gold).values())
    precision, recall = both / max(1, found), both / max(1, true)
    original = {}
    for number, line in enumerate(lines):
        if line["cluster"] not in original or line.get("kind") in ("original", "orig"):
            original[line["cluster"]] = number
    by_operation = {}
    for number, line in enumerate(lines):
        first = original[line["cluster"]]
        for name in line.get("ops") or [line.get("operation") or line.get("kind")]:
            if first != number and name:
                by_operation.setdefault(name, []).append(labels[first] == labels[number])
    return {
        "P": precision,
        "R": recall,
        "F1": 2 * precision * recall / max(1e-9, precision + recall),
        "by_operation": {name: sum(hits) / len(hits) for name, hits in sorted(by_operation.items())},
    }


def run_method(name, path):
    """In a process of its own: labels to stdout, with what they cost."""
    lines = read(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.perf_counter(), time.process_time()
    labels = METHODS[name][0](lines)
    row = score(lines, labels) | {
        "wall_s": time.perf_counter() - started,
        "cpu_s": time.process_time() - cpu,
        "more_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }
    print(json.dumps(row))


def read(path):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def compare(path):
    lines = read(path)
    print(f"{len(lines):,} texts, {len({line['cluster'] for line in lines}):,} clusters")
    print(f"{'method':20}  precision  recall     F1  texts/s  cpu s  more MB")
    recalls = {}
    for name, (_, library) in METHODS.items():
        if library and importlib.util.find_spec(library) is None:
            print(f"{name:20}  not installed: pip install {library}")
            continue
        command = [sys.executable, "-m", "tests.benchmarks.dedup", str(path), "--method", name]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout)
        recalls[name] = row["by_operation"]
        print(
            f"{name:20}  {row['P']:9.4f}  {row['R']:6.4f}  {row['F1']:.4f}  {len(lines) / row['wall_s']:7,.0f}"
            f"  {row['cpu_s']:5.1f}  {row['more_mb']:7,.0f}"
        )
    operations = sorted({name for found in recalls.values() for name in found})
    print("\nrecall of (original, copy) by what was done to the copy")
    width = max(map(len, operations), default=9)
    print(f"{'':{width}}  " + "  ".join(f"{name:>20}" for name in recalls))
    for name in operations:
        print(f"{name:{width}}  " + "  ".join(f"{found[name]:20.3f}" for found in recalls.values()))


def articles(count, seed=3):
    """Articles of 600 words, some of them copies with another start."""
    chance = random.Random(seed)
    recent = []
    for _ in range(count):
        words = chance.choices(texts.WORDS, cum_weights=texts.CUMULATED, k=ARTICLE_WORDS)
        if recent and chance.random() < COPY_SHARE:
            words[10:] = chance.choice(recent)[10:]
        recent = [*recent[-500:], words]
        yield " ".join(words)


def measure_command(count):
    """Wall time, processor time and memory of `copydesk dedup` on so many lines, and whether each came back in its place."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        with source.open("w", encoding="utf-8") as file:
            for number, text in enumerate(articles(count)):
                file.write(json.dumps({"id": number, "text": text}) + "\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        command = [sys.executable, "-m", "pipelines", "dedup", "--out", str(target), str(source)]
        subprocess.run(command, cwd=ROOT, check=True)
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with target.open(encoding="utf-8") as file:
            is_whole = [json.loads(line)["id"] for line in file] == list(range(count))
        print(
            f"{count:,} lines of {ARTICLE_WORDS} words, {source.stat().st_size / 1e6:,.0f} MB: {wall:.1f} s,"
            f" cpu {after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime:.1f} s,"
            f" RSS {after.ru_maxrss / 1024:,.0f} MB, every line in its place: {'yes' if is_whole else 'NO'}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="lines with text and gold cluster [default: generated]")
    parser.add_argument("--events", type=int, default=EVENTS, help="events of the generated texts")
    parser.add_argument("--lines", type=int, help="measure the command on so many articles of 600 words")
    parser.add_argument("--method", choices=list(METHODS), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.lines:
        measure_command(asked.lines)
    elif asked.method:
        run_method(asked.method, asked.file)
    elif asked.file:
        compare(asked.file.resolve())
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "texts.jsonl"
            lines = texts.corpus(asked.events)
            path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
            compare(path)


if __name__ == "__main__":
    main()
