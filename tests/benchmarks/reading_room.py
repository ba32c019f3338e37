"""How long each page of the reading room takes, and what it weighs, over a corpus of so many generated articles.

The articles are words in a row with the tables a crawl fills beside them: runs, stories, copies, blocks left out. The pages are asked
for in this process, without a network, by one reader; every page is asked several times and the median counts, the first time is told, too, and
how long a core was at work, which is what remains true on a machine that does other things meanwhile.

    python -m tests.benchmarks.reading_room 100000
    python -m tests.benchmarks.reading_room 100000 --keep data/bench/room-100000.db
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
DAYS = 730
SOURCES = 100
RUNS_A_DAY = 4
LANGUAGES = ("en",) * 14 + ("ko", "ko", "de", "fr", "zh", "ja")
CONCEPTS = ("field", "governance", "loss_of_control", "methods", "misalignment", "misuse")
SYLLABLES = (
    "ba",
    "dor",
    "fel",
    "gan",
    "hir",
    "jol",
    "ka",
    "lem",
    "mur",
    "nat",
    "pio",
    "quel",
    "ros",
    "sti",
    "tarn",
    "vey",
)
KOREAN = (
    "정부는",
    "연구소의",
    "평가",
    "결과를",
    "공개하고",
    "개발사에",
    "설명을",
    "요구했다",
    "모델이",
    "감독자에게",
    "행동을",
    "숨기려",
)
FATES = (
    ("comment", "comment thread"),
    ("navigation", "menu"),
    ("related", "other stories"),
    ("share", "share buttons"),
)
COPY_SHARE, VERSION_SHARE, BORDERLINE_SHARE, LOOSE_SHARE = 0.2, 0.02, 0.03, 0.01
BATCH = 2000
REPEATS = 7


def vocabulary(chance):
    """Eight thousand words, the first ones far more frequent, as in any language."""
    words = ["".join(chance.choices(SYLLABLES, k=chance.choice((1, 2, 2, 3)))) for _ in range(8000)]
    return words, [1 / (rank + 3) for rank in range(len(words))]


class Maker:
    """Rows of one generated corpus."""

    def __init__(self, size, words_each, blocks_each, a_day=0):
        self.chance = random.Random(size)
        self.size, self.words_each, self.blocks_each = size, words_each, blocks_each
        self.days = size / a_day if a_day else DAYS
        self.words, weights = vocabulary(self.chance)
        self.weights = weights
        self.story, self.left, self.recent = 0, 0, []

    def time_of(self, number):
        return (NOW - timedelta(days=self.days) * (1 - number / self.size)).isoformat()

    def text(self, language):
        if language == "ko":
            return " ".join(self.chance.choices(KOREAN, k=self.words_each))
        words = self.chance.choices(self.words, self.weights, k=self.words_each)
        size = 60
        return "\n\n".join(
            " ".join(words[start : start + size]).capitalize() + "." for start in range(0, len(words), size)
        )

    def article(self, number):
        """The row of an article, and its rows beside it."""
        chance = self.chance
        key, day = number + 1, self.time_of(number)
        of = chance.choice(self.recent) if self.recent and chance.random() < COPY_SHARE else None
        language = of["language"] if of else chance.choice(LANGUAGES)
        text = of["text"] if of else self.text(language)
        if of is None and chance.random() >= LOOSE_SHARE and self.left <= 0:
            self.story, self.left = self.story + 1, chance.choice((1, 1, 1, 2, 3, 5))
        self.left -= of is None
        row = {
            "id": key, "url": f"https://p{key % SOURCES}.example/{key}", "source": f"source-{key % SOURCES}",
            "publisher": f"Paper {key % SOURCES}", "title": text[:70].rpartition(" ")[0], "published": day, "fetched": day,
            "language": language, "words": self.words_each, "text": text, "relevance": chance.randrange(5, 30),
            "canonical": int(of is None), "cluster": of["cluster"] if of else key,
            "story": of["story"] if of else (self.story if chance.random() >= LOOSE_SHARE else None),
            "verdict": "borderline" if chance.random() < BORDERLINE_SHARE else "relevant",
            "run": 1 + int(number / self.size * DAYS * RUNS_A_DAY),
        }  # fmt: skip
        self.recent = [*self.recent[-50:], row] if of is None else self.recent
        return row, of


def build(path, size, words_each=500, blocks_each=40, a_day=0, beside=lambda corpus, rows: None):
    """Fill a new corpus: articles of two years, or so many of each day. `beside` writes more about a batch of articles, in its transaction."""
    from pipelines.store import Corpus
    from pipelines.store.search import spaced
    from pipelines.store.stories import COUNT_AGAIN

    maker = Maker(size, words_each, blocks_each, a_day)
    with Corpus.open(path, create=True) as corpus:
        corpus._run("PRAGMA synchronous = OFF")  # of the building only
        corpus._run("PRAGMA foreign_keys = OFF")
        write_runs(corpus)
        write_blocks(corpus, maker.chance)
        for first in range(0, size, BATCH):
            made = [maker.article(number) for number in range(first, min(size, first + BATCH))]
            with corpus.transaction():
                write_articles(corpus, maker, made, spaced)
                beside(corpus, [row for row, _ in made])
        with corpus.transaction():
            corpus._run(
                "INSERT INTO stories (id, first_seen, last_seen) SELECT story, min(published), max(published) FROM articles WHERE story IS NOT NULL GROUP BY story"
            )
            corpus._run(COUNT_AGAIN)
        corpus.checkpoint()


def write_articles(corpus, maker, made, spaced):
    chance = maker.chance
    names = list(made[0][0])
    corpus._run_many(
        f"INSERT INTO articles ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        [tuple(row.values()) for row, _ in made],
    )
    corpus._run_many(
        "INSERT INTO articles_fts (rowid, title, text) VALUES (?, ?, ?)",
        [(row["id"], spaced(row["title"]), spaced(row["text"])) for row, _ in made],
    )
    corpus._run_many(
        "INSERT INTO relevance_terms VALUES (?, ?, ?, ?)",
        [
            (row["id"], concept, f"{concept} term {number}", 1.5 + number)
            for row, _ in made
            for concept in chance.sample(CONCEPTS, chance.randrange(1, 4))
            for number in range(2)
        ],
    )
    corpus._run_many(
        "INSERT INTO copies VALUES (?, ?, 'near', 0.9, 0.95, 'generated')",
        [(row["id"], of["id"]) for row, of in made if of],
    )
    corpus._run_many(
        "INSERT INTO left_out VALUES (?, ?)",
        [
            (
                row["id"],
                json.dumps(
                    [(2 * at, chance.randrange(len(FATES)), chance.randrange(5000)) for at in range(maker.blocks_each)]
                ),
            )
            for row, _ in made
        ],
    )
    corpus._run_many(
        "INSERT INTO versions (article, seen, text, diff, title, replaced) VALUES (?, ?, ?, '', ?, ?)",
        [
            (row["id"], row["fetched"], row["text"].replace(" ", " was ", 3), row["title"], row["fetched"])
            for row, _ in made
            if chance.random() < VERSION_SHARE
        ],
    )
    corpus._run_many(
        "INSERT INTO rejections (url, run, stage, reason, detail, source, time) VALUES (?, ?, 'relevance', 'off_topic', 'score 0', ?, ?)",
        [
            (f"{row['url']}/no", row["run"], row["source"], row["fetched"])
            for row, _ in made
            if chance.random() < COPY_SHARE
        ],
    )


def write_runs(corpus):
    count = DAYS * RUNS_A_DAY
    times = [(NOW - timedelta(hours=24 / RUNS_A_DAY) * (count - number)).isoformat() for number in range(count + 1)]
    with corpus.transaction():
        corpus._run_many(
            "INSERT INTO runs (id, command, started, finished, exit_code, fetched, new) VALUES (?, 'crawl', ?, ?, 0, 200, 30)",
            [(number + 1, day, day) for number, day in enumerate(times)],
        )
        corpus._run_many(
            "INSERT INTO source_runs (run, source, started, finished, outcome, fetched, new) VALUES (?, ?, ?, ?, 'ok', 2, 1)",
            [
                (number + 1, f"source-{source}", day, day)
                for number, day in enumerate(times)
                for source in range(SOURCES)
            ],
        )
        corpus._run_many(
            "INSERT INTO source_state (source, last_success, last_new, next_due) VALUES (?, ?, ?, ?)",
            [(f"source-{source}", times[-1], times[-2], times[-1]) for source in range(SOURCES)],
        )


def write_blocks(corpus, chance):
    with corpus.transaction():
        corpus._run_many(
            "INSERT INTO blocks VALUES (?, ?)",
            [(key, " ".join(chance.choices(SYLLABLES, k=12))) for key in range(5000)],
        )
        corpus._run_many(
            "INSERT INTO fates VALUES (?, ?, ?, 'generated')", [(key, *fate) for key, fate in enumerate(FATES)]
        )


def paths(corpus):
    """Every page of the room, with the heaviest subjects the corpus has."""
    story = corpus._value("SELECT id FROM stories ORDER BY articles DESC, id DESC LIMIT 1")
    copy = corpus._row("SELECT article, of FROM copies ORDER BY article DESC LIMIT 1")
    version = corpus._row("SELECT id, article FROM versions ORDER BY id DESC LIMIT 1")
    last = corpus._value("SELECT max(id) FROM articles")
    word = corpus._value("SELECT title FROM articles WHERE language = 'en' ORDER BY id DESC LIMIT 1").split()[0]
    return [
        "/", "/?topic=misuse", "/?language=ko", "/?topic=misuse&language=ja&since=30d", "/?new=1", f"/story/{story}", f"/article/{last}",
        f"/article/{last}/page", f"/compare/{copy['of']}/{copy['article']}", f"/article/{version['article']}/version/{version['id']}",
        f"/search?q={word}", f"/search?q={word}&order=newest&topic=misuse", "/search?q=평가", "/search?q=ba+dor", "/sources", "/source/source-7", "/borderline",
        "/rejected", "/rejected?reason=off_topic", "/runs", f"/run/{DAYS * RUNS_A_DAY}", "/trends", "/trends?weeks=52&by=source",
        "/feed.atom", "/feed.json", f"/feed.atom?q={word}", "/feed.atom?topic=misuse", "/help",
    ]  # fmt: skip


def measure(path, repeats):
    """(path, first milliseconds, median milliseconds, milliseconds of a core, kilobytes) of each page."""
    from starlette.testclient import TestClient

    from pipelines.config import Config, changed
    from pipelines.serve.app import make_app
    from pipelines.store import Corpus

    with Corpus.open(path, read_only=True) as corpus:
        asked = paths(corpus)
    rows = []
    with TestClient(make_app(changed(Config(), database=str(path))), base_url="http://127.0.0.1") as client:
        client.get("/trends")  # what is counted once is counted
        for address in asked:
            took, begun = [], time.process_time()
            for _ in range(repeats):
                started = time.perf_counter()
                answer = client.get(address)
                took.append((time.perf_counter() - started) * 1000)
                assert answer.status_code == 200, (address, answer.status_code, answer.text[:500])
            worked = (time.process_time() - begun) * 1000 / repeats
            rows.append((address, took[0], statistics.median(took), worked, len(answer.content) / 1000))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=int)
    parser.add_argument("--words", type=int, default=500, help="of an article")
    parser.add_argument("--blocks", type=int, default=40, help="left out of an article")
    parser.add_argument("--keep", type=Path, help="make the corpus here, or use the one that is")
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--json", action="store_true", dest="is_json")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.keep or Path(folder) / "corpus.db"
        if not path.exists():
            build(path, asked.size, asked.words, asked.blocks)
        if asked.build_only:
            return
        rows = measure(path, asked.repeats)
    if asked.is_json:
        print(json.dumps(rows))
        return
    print(f"{'page':60} {'first ms':>9} {'median ms':>10} {'cpu ms':>7} {'kB':>7}")
    for address, first, median, worked, size in rows:
        print(f"{address:60} {first:9.1f} {median:10.1f} {worked:7.1f} {size:7.1f}")


if __name__ == "__main__":
    main()
