"""How long `merge` takes, the first time and once more.

    python -m tests.benchmarks.merging [--articles 5000]

Two corpora of so many articles of 400 words; a tenth of the second one's are copies of the first one's.
"""

import argparse
import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from pipelines.config import Config
from pipelines.dedup import sign
from pipelines.merge import merge
from pipelines.records import Fetch, Placement, Relevance, Term
from pipelines.store import Corpus
from tests.helpers import NOW
from tests.storing import make_article, make_page

WORDS = 400
COPIED = 500  # articles of the first corpus that are copied
RELEVANCE = Relevance(score=7.0, verdict="relevant", terms=(Term(concept="field", term="word", weight=1.0),))


def fill(path, number, count, texts, luck, vocabulary):
    with Corpus.open(path, create=True) as corpus, corpus.transaction():
        run = corpus.start_run("crawl", NOW + timedelta(seconds=number))
        for place in range(count):
            is_copy = number and place % 10 == 0
            text = texts[place % len(texts)] if is_copy else " ".join(luck.choices(vocabulary, k=WORDS)) + "."
            if not number and place < COPIED:
                texts.append(text)
            url, fetched = f"https://site-{number}-{place % 40}.example/{place}", NOW + timedelta(minutes=place)
            plain = make_article(url, text, published=fetched, fetched=fetched, removed=("Share", "Menu"))
            corpus.keep(sign(plain.document, text, RELEVANCE), Placement(relation="original"), run)
            corpus.fetched(Fetch(url=url, source="alpha", kind="page", time=fetched, status=200), run)
            corpus.keep_raw(make_page(url, text.encode(), fetched))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=5000)
    given = parser.parse_args()
    luck, texts = random.Random(2), []
    vocabulary = ["".join(luck.choices("abcdefghijklmnopqrstuvwxyz", k=luck.randint(3, 9))) for _ in range(20_000)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.db" for number in range(2)]
        for number, path in enumerate(paths):
            fill(path, number, given.articles, texts, luck, vocabulary)
        for name in ("first", "again"):
            began = time.process_time()
            done = merge(Config(database=str(Path(folder) / "all.db")), paths, NOW)
            seconds = time.process_time() - began
            print(
                f"{name}: {seconds:.1f} s of CPU, {1000 * seconds / done['total']:.2f} ms an article; {done['articles']} new,"
                f" {done['total']} in all, {done['copies']} copies"
            )


if __name__ == "__main__":
    main()
