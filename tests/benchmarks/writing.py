"""How many articles a second `copydesk write` settles, and how many workers that is enough for.

    python -m tests.benchmarks.writing [--articles 1000]

Pages of 60 kB with 600 words, one in ten a copy, prepared here as a worker would and sent; both ends are measured on the same
pages. Needs redis-server and copydesk[cluster].
"""

import argparse
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.config import Config
from pipelines.parcels import Parcel, pack, version
from pipelines.records import Fetch, Page
from pipelines.workers import prepare_page
from pipelines.writing import write
from tests.helpers import NOW
from tests.redis_server import RedisServer

PARAGRAPHS, SENTENCES, WORDS = 12, 4, 12  # 576 words of article
MENU, OTHER_STORIES = 60, 15  # links: those of the site are the same on each page
SCRIPT_CHARS = 45_000
COPIES = 0.1


def pages(count):
    """Pages as publishers write them, in words nobody uses."""
    luck = random.Random(1)
    vocabulary = ["".join(luck.choices("abcdefghijklmnopqrstuvwxyz", k=luck.randint(3, 9))) for _ in range(5_000)]

    def told(words):
        return " ".join(luck.choices(vocabulary, k=words)).capitalize()

    menu = "".join(f"<li><a href='/{k}'>{told(2)}</a></li>" for k in range(MENU))
    script, told_before = " ".join(luck.choices(vocabulary[:300], k=SCRIPT_CHARS // 7)), []
    for number in range(count):
        is_copy = told_before and luck.random() < COPIES
        story = (
            luck.choice(told_before[-50:])
            if is_copy
            else "".join(f"<p>{' '.join(told(WORDS) + '.' for _ in range(SENTENCES))}</p>" for _ in range(PARAGRAPHS))
        )
        told_before.append(story)
        links = "".join(f"<li><a href='/{number + k}'>{told(6)}</a></li>" for k in range(OTHER_STORIES))
        time_ = NOW + timedelta(minutes=number)
        body = (
            f"<!doctype html><html lang=en><head><title>{told(6)}</title><meta property='article:published_time' content='{time_.isoformat()}'>"
            f"<script>let x = '{script}'</script></head><body><nav><ul>{menu}</ul></nav><main><article><h1>{told(6)}</h1>{story}"
            f"</article></main><aside><ul>{links}</ul></aside></body></html>"
        )
        yield Page(
            url=f"https://paper-{number % 50}.example/{number}", body=body.encode(), fetched=time_, source="alpha"
        )


def parcels(count):
    """The pages as a worker sends them, and the seconds of its CPU a page takes, beside the making of the page."""
    made, seconds = [], 0.0
    for page in pages(count):
        began = time.process_time()
        prepared = prepare_page(page, Config(), frozenset())
        fetch = Fetch(url=page.url, source=page.source, kind="page", time=page.fetched, status=200)
        packed = pack(Parcel(page=page, fetch=fetch, article=prepared.outcome, learned=tuple(prepared.learned)))
        seconds += time.process_time() - began if made else 0.0  # the first one imports
        made.append(packed)
    return made, seconds / (count - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder) / "redis") as redis:
        made, each_s = parcels(given.articles)
        link = redis.link()
        link.greet(version(), "worker")
        for packed in made:
            assert link.send(packed, version())
        config = Config(database=str(Path(folder) / "corpus.db"))
        wall, began = time.monotonic(), time.process_time()
        tally = write(config, redis.url, lambda: datetime.now(UTC), print, is_draining=True, count=lambda _: None)
        seconds, used = time.monotonic() - wall, time.process_time() - began
        by_cpu = given.articles / used
        size = sum(map(len, made)) / len(made) / 1000
        print(
            f"{tally.pages} pages, {tally.outcomes['new']} new, {tally.outcomes['copy']} copies, {size:.1f} kB each on the road"
        )
        print(f"settled: {given.articles / seconds:.0f} a second of this machine's time, {by_cpu:.0f} a second of CPU")
        print(
            f"prepared: {1 / each_s:.0f} a second of CPU, so one writer is enough for {by_cpu * each_s:.0f} cores that prepare"
        )


if __name__ == "__main__":
    main()
