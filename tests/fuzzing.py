"""Broken input by the thousand for whatever reads what strangers wrote; `python -m tests.fuzzing` is `make fuzz`.

Whole files are cut, spliced, repeated and sprinkled with what parsers stumble over. Each input is read in a process that is
watched, so that a crash of a C library or an endless loop is a finding and not the end. Every input follows from
kind, seed and number, so a finding can be had again: `python -m tests.fuzzing --kind feed --seed 1 --first 77 --count 1`.
"""

import argparse
import gzip
import io
import json
import multiprocessing
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz_seeds import HOSTILE, seeds_of

COUNTS = {  # of 20,000: what every stranger can write most, what only the user writes least
    "clean": 4000, "page": 3500, "feed": 3500, "sitemap": 3000, "listing": 2500, "dedup": 2000, "config": 1500,
}  # fmt: skip
MAX_SECONDS = 5.0  # of one input, on the processor: other programs may want it, too
MAX_MEGABYTES = 500.0  # that one input may add
HANGS_AFTER_S = 60.0  # on the wall: no machine is so busy
MAX_BYTES = 400_000  # of a mutated input; larger ones only take longer
URL = "https://news.example/2026/story"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CLEAR, PEAK = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass
class Outcome:
    """What became of one input."""

    number: int
    word: str = ""  # what was made of it
    seconds: float = 0.0
    megabytes: float = 0.0
    error: str = ""

    @property
    def is_bad(self):
        return bool(self.error) or self.seconds > MAX_SECONDS or self.megabytes > MAX_MEGABYTES


def mutated(seeds, chosen):
    """A seed with up to a dozen things wrong with it; a few come as they are."""
    body = chosen.choice(seeds)
    for _ in range(chosen.choice([0, 1, 1, 2, 3, 5, 12])):
        one, two = sorted((chosen.randint(0, len(body)), chosen.randint(0, len(body))))
        two = min(two, one + chosen.choice([1, 8, 200, 20_000]))
        match chosen.randrange(9):
            case 0:
                body = body[:one] + body[two:]
            case 1:
                body = body[:one] + body[one:two] * chosen.choice([2, 3, 40, 500]) + body[two:]
            case 2:
                body = body[:one] + chosen.randbytes(min(two - one, 200)) + body[two:]
            case 3:
                body = body[:one]
            case 4:
                other = chosen.choice(seeds)
                body = body[:one] + other[chosen.randint(0, len(other)) :]
            case 5:
                body = body.replace(body[one : one + 3] or b"<", chosen.choice(HOSTILE), chosen.randint(1, 50))
            case 6:
                body = body.decode("utf-8", "replace").encode(
                    chosen.choice(["utf-16", "cp1252", "euc-kr", "gb18030"]), "ignore"
                )
            case _:
                token = chosen.choice(HOSTILE) * chosen.choice([1, 1, 2, 30, 2000])
                body = body[:one] + token + body[one:]
        body = body[:MAX_BYTES]
    return body


class Readers:
    """What reads each kind; returns a word for what came out, raises what must not be raised."""

    def __init__(self, chosen=None):
        from pipelines.config import Config
        from pipelines.store import Corpus

        self.chosen = chosen
        self.settings = Config()
        self.open = lambda: Corpus.open(":memory:", self.settings, create=True)
        self.corpus, self.used = self.open(), 0

    def store(self):
        """A corpus that is not yet large: its growth is not the input's."""
        self.used += 1
        if self.used % 100 == 0:
            self.corpus.close()
            self.corpus = self.open()
        return self.corpus

    def clean(self, body):
        from pipelines import clean_page
        from pipelines.errors import InputError

        try:
            document = clean_page(body if self.chosen.random() < 0.7 else body.decode("utf-8", "replace"), URL)
        except InputError as error:
            return "refused" if len(str(error).splitlines()) == 1 else one_line_was_promised(error)
        document.text.encode()
        assert all(block.reason for block in document.blocks if not block.is_kept), "left out without a reason"
        return "cleaned" if document.text else "nothing kept"

    def page(self, body):
        """From page to rows, as a crawl would."""
        from pipelines.flow import prepare
        from pipelines.records import Hint, Page, Rejection, Traits
        from pipelines.settling import settle_page

        said = HOSTILE[self.chosen.randrange(len(HOSTILE))].decode("latin-1")
        kinds = [
            "text/html",
            "text/html; charset=utf-8",
            f"text/html; charset={said[:20]}",
            "text/plain",
            "application/pdf",
            said[:30],
        ]
        page = Page(
            url=f"{URL}/{self.used}",
            body=body,
            fetched=NOW,
            content_type=self.chosen.choice(kinds),
            traits=Traits(
                publisher=said[:40],
                language=self.chosen.choice(["", "en", "ko"]),
                is_topical=self.chosen.random() < 0.3,
            ),
            hint=Hint(title=said[:100], summary=said[:500]),
        )
        outcome = prepare(page, self.settings)
        corpus = self.store()
        result = settle_page(corpus, page, outcome, frozenset(), NOW)
        return result.reason if isinstance(result, Rejection) else result.outcome

    def feed(self, body):
        from crawler.discover import read_feed

        return self.found(
            read_feed(body, URL, timezone="Asia/Seoul", content_type=self.chosen.choice(["", "application/rss+xml"]))
        )

    def sitemap(self, body):
        from crawler.discover import read_sitemap

        if self.chosen.random() < 0.2:
            packed = bytearray(gzip.compress(body, 1))
            packed[self.chosen.randrange(len(packed))] ^= 1 << self.chosen.randrange(8)
            body = bytes(packed)
        return self.found(read_sitemap(body, URL))

    def listing(self, body):
        from crawler.discover import find_feeds, read_listing

        find_feeds(body, URL)
        return self.found(read_listing(body, URL, pattern=self.chosen.choice(["", "/a/", "."])))

    def found(self, found):
        """Whatever was found can be kept: addresses as they would be asked for, words a database takes."""
        from pipelines.urls import normal_form

        for entry in found.entries:
            assert normal_form(entry.url) == entry.url, f"no normal form: {entry.url!r}"
        assert "\n" not in found.detail
        self.store().offer("source", found.entries, NOW)
        return found.reason or ("entries" if found.entries else "nothing")

    def dedup(self, body):
        from pipelines.dedup.batch import dedup_lines

        out = io.BytesIO()
        lines = body.splitlines(keepends=True)
        report = dedup_lines(lines, out, time_field="published", stories=self.chosen.random() < 0.5)
        written = out.getvalue().split(b"\n")
        assert report.lines == len(lines) == len(written) - 1, "a line was lost"
        broken = {number for number, _ in report.broken}
        for number, line in enumerate(written[:-1], 1):
            if number not in broken and line.strip():
                assert "cluster" in json.loads(line)
        return "some broken" if broken else "whole"

    def config(self, body):
        from crawler.sources import load_sources
        from pipelines.config import changed, load
        from pipelines.errors import ConfigError

        with tempfile.NamedTemporaryFile(suffix=".toml") as file:
            file.write(body)
            file.flush()
            words = []
            for read in (
                lambda: load(Path(file.name), env={}),
                lambda: load_sources(changed(self.settings, sources=file.name, shipped_sources=False)),
            ):
                try:
                    read()
                    words.append("good")
                except ConfigError as error:
                    words.append("refused" if file.name in str(error) else one_line_was_promised(error))
        return "/".join(words)


def one_line_was_promised(error):
    """Make an error that tells too little, or too much, a finding."""
    raise AssertionError(f"not one line that names its subject: {str(error)[:200]!r}")


def tried(readers, kind, seeds, seed, number):
    """Read one input; tell what came of it."""
    readers.chosen = random.Random(f"{kind} {seed} {number}")
    body = mutated(seeds, readers.chosen)
    before, began, outcome = peak(is_fresh=True), time.process_time(), Outcome(number)
    try:
        outcome.word = getattr(readers, kind)(body)
    except Exception as error:  # noqa: BLE001 - whatever is raised is a finding
        place = traceback.extract_tb(error.__traceback__)[-1]
        outcome.error = f"{type(error).__name__}: {str(error)[:200]!r} at {Path(place.filename).name}:{place.lineno}"
    outcome.seconds = time.process_time() - began
    outcome.megabytes = max(peak() - before, 0.0)
    return outcome


def peak(*, is_fresh=False):
    """The process's highest memory in megabytes since it was last asked afresh; 0 where nobody tells."""
    if not CLEAR.exists():
        return 0.0
    if is_fresh:
        CLEAR.write_text("5", "ascii")
    return (
        next(int(line.split()[1]) for line in PEAK.read_text("ascii").splitlines() if line.startswith("VmHWM")) / 1024
    )


def work(pipe, kind, seed, numbers, folder):
    """What the watched process does."""
    readers, seeds = Readers(), seeds_of(kind, folder)
    readers.chosen = random.Random(0)
    getattr(readers, kind)(seeds[0])  # what is imported and built once is no input's fault
    for number in numbers:
        pipe.send(tried(readers, kind, seeds, seed, number))
    pipe.close()


@dataclass
class Tally:
    """One kind's outcomes."""

    count: int = 0
    words: Counter = field(default_factory=Counter)
    slowest: Outcome = field(default_factory=lambda: Outcome(-1))
    largest: Outcome = field(default_factory=lambda: Outcome(-1))
    bad: list = field(default_factory=list)

    def add(self, outcome):
        self.count += 1
        self.words[outcome.word or "error"] += 1
        self.slowest = max(self.slowest, outcome, key=lambda each: each.seconds)
        self.largest = max(self.largest, outcome, key=lambda each: each.megabytes)
        if outcome.is_bad:
            self.bad.append(outcome)


def watched(kind, seed, first, count, folder=None):
    """Read `count` inputs of a kind; a process that dies or hangs costs one input and is replaced."""
    tally, number, context = Tally(), first, multiprocessing.get_context("spawn")
    while number < first + count:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=work, args=(theirs, kind, seed, range(number, first + count), folder), daemon=True
        )
        process.start()
        theirs.close()
        trouble = ""
        while number < first + count and not trouble:
            try:
                if ours.poll(HANGS_AFTER_S):
                    tally.add(ours.recv())
                    number += 1
                else:
                    trouble = f"no answer in {HANGS_AFTER_S:g} s"
            except EOFError:
                process.join()
                trouble = f"the process died: {process.exitcode}"
        if trouble:
            tally.add(Outcome(number, error=trouble))
            number += 1
            process.kill()
        process.join()
        process.close()
        ours.close()
    return tally


def main():
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=COUNTS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument(
        "--count", type=int, default=sum(COUNTS.values()), help="of all kinds together, or of the one named"
    )
    parser.add_argument("--pages", type=Path, help="a folder with pages of your own: *.html, *.jsonl.gz with html")
    asked = parser.parse_args()
    shares = {asked.kind: asked.count} if asked.kind else {
        kind: max(round(asked.count * share / sum(COUNTS.values())), 1) for kind, share in COUNTS.items()
    }  # fmt: skip
    bad = total = 0
    for kind, count in shares.items():
        tally = watched(kind, asked.seed, asked.first, count, asked.pages)
        total, bad = total + tally.count, bad + len(tally.bad)
        words = ", ".join(f"{number} {word}" for word, number in tally.words.most_common(8))
        print(f"{kind}: {tally.count} inputs, {len(tally.bad)} bad; slowest {tally.slowest.seconds:.2f} s (#{tally.slowest.number}), largest {tally.largest.megabytes:.0f} MB (#{tally.largest.number}); {words}", flush=True)  # fmt: skip
        for outcome in tally.bad[:20]:
            print(
                f"  {kind} #{outcome.number}: {outcome.seconds:.1f} s, {outcome.megabytes:.0f} MB {outcome.error}",
                flush=True,
            )
    print(f"{total} inputs with seed {asked.seed}: {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
