"""What people write with Scrapy and trafilatura themselves: a spider that follows feeds, and all the work in an item pipeline.

    python -m tests.benchmarks.scrapy_peer fetch|inline|naive out.db http://127.0.0.11:1234/feed.xml …

`fetch` keeps nothing, `inline` extracts, `naive` adds MinHash, LSH, SQLite and its full text index, an article a commit.
"""

import json
import sqlite3
import sys

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import DropItem

from tests.benchmarks import ticking

SHINGLE_WORDS, PERMUTATIONS, THRESHOLD = 5, 128, 0.7
SETTINGS = {
    "ROBOTSTXT_OBEY": True, "COOKIES_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "LOG_LEVEL": "ERROR",
    "DOWNLOAD_DELAY": 0, "CONCURRENT_REQUESTS": 64, "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    "EXTENSIONS": {"tests.benchmarks.scrapy_peer.Ticking": 0},
}  # fmt: skip


class Ticking:
    """Ticks once the engine runs."""

    @classmethod
    def from_crawler(cls, crawler):
        crawler.signals.connect(ticking.start, signal=scrapy.signals.engine_started)
        return cls()


class Feeds(scrapy.Spider):
    name = "feeds"

    def parse(self, response):
        for link in response.xpath("//item/link/text()").getall():
            yield scrapy.Request(link, self.parse_page, dont_filter=True)

    def parse_page(self, response):
        yield {"url": response.url, "body": response.body}


class Extracting:
    """trafilatura as its documentation calls it."""

    def process_item(self, item):
        import trafilatura

        found = trafilatura.bare_extraction(item["body"], item["url"], with_metadata=True)
        if found is None or not found.text:
            raise DropItem("nothing", log_level="DEBUG")
        return item | {"title": found.title or "", "date": found.date, "text": found.text}


class Placing:
    """Near copies by MinHash and LSH, as datasketch's documentation has it."""

    def open_spider(self):
        from datasketch import MinHash, MinHashLSH

        self.make, self.index = MinHash, MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)

    def process_item(self, item):
        words = item["text"].lower().split()
        sketch = self.make(num_perm=PERMUTATIONS)
        sketch.update_batch(
            [" ".join(words[at : at + SHINGLE_WORDS]).encode() for at in range(max(1, len(words) - SHINGLE_WORDS + 1))]
        )
        twins = self.index.query(sketch)
        self.index.insert(item["url"], sketch, check_duplication=False)
        return item | {"copy_of": twins[0] if twins else None, "minhash": sketch.hashvalues.tobytes()}


class Storing:
    """SQLite with a full text index."""

    path = ""

    def open_spider(self):
        self.connection = sqlite3.connect(self.path)
        self.connection.executescript(
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE articles (id INTEGER PRIMARY KEY, url TEXT UNIQUE, title TEXT, date TEXT, text TEXT, copy_of TEXT, minhash BLOB);"
            "CREATE VIRTUAL TABLE search USING fts5 (title, text, content = 'articles', content_rowid = 'id', tokenize = 'porter unicode61');"
            "CREATE TRIGGER kept AFTER INSERT ON articles BEGIN INSERT INTO search (rowid, title, text) VALUES (new.id, new.title, new.text); END;"
        )

    def process_item(self, item):
        with self.connection:
            self.connection.execute(
                "INSERT OR IGNORE INTO articles (url, title, date, text, copy_of, minhash) VALUES (:url, :title, :date, :text, :copy_of, :minhash)",
                {key: value for key, value in item.items() if key != "body"},
            )
        return item

    def close_spider(self):
        self.connection.close()


PIPELINES = {"fetch": [], "inline": [Extracting], "naive": [Extracting, Placing, Storing]}


def main(mode, path, *feeds):
    Storing.path = path
    pipelines = {kind: place for place, kind in enumerate(PIPELINES[mode])}
    process = AsyncCrawlerProcess(SETTINGS | {"ITEM_PIPELINES": pipelines})
    crawler = process.create_crawler(Feeds)
    process.crawl(crawler, start_urls=feeds)
    process.start()
    print(json.dumps({"articles": crawler.stats.get_value("item_scraped_count", 0)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
