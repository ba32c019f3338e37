"""A crawl of lists and the pages behind them over a Redis, as a process to be killed: our frontier, or stock scrapy-redis.

    python tests/frontier_worker.py ours|stock REDIS ITEMS LIST…

Each page's address becomes a line of the file ITEMS. Settings come from the environment as WORKER_<NAME>.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import scrapy
from scrapy.crawler import AsyncCrawlerProcess

SCHEDULERS = {"ours": "crawler.cluster.frontier.Frontier", "stock": "scrapy_redis.scheduler.Scheduler"}
NAMES = {
    "LEASE_S": "FRONTIER_LEASE_S",
    "DELAY_S": "DOWNLOAD_DELAY",
    "SHARD": "FRONTIER_SHARD",
    "SHARDS": "FRONTIER_SHARDS",
}


class Lists(scrapy.Spider):
    name = "lists"

    async def start(self):
        for url in sys.argv[4:]:
            yield scrapy.Request(url, callback=self.parse_list)

    def parse_list(self, response):
        for url in response.css("a::attr(href)").getall():
            yield response.follow(url, callback=self.parse_page)

    def parse_page(self, response):
        yield {"url": response.url}


class Lines:
    """Appends a line an item, in one write: a kill leaves whole lines."""

    def __init__(self):
        self.file = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def process_item(self, item):
        os.write(self.file, item["url"].encode() + b"\n")
        return item


def main():
    settings = {
        "SCHEDULER": SCHEDULERS[sys.argv[1]],
        "REDIS_URL": sys.argv[2],
        "ITEM_PIPELINES": {Lines: 1},
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": False,
        "RETRY_TIMES": 2,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "LOG_LEVEL": "ERROR",
    }
    if sys.argv[1] == "stock":
        settings |= {"DUPEFILTER_CLASS": "scrapy_redis.dupefilter.RFPDupeFilter", "SCHEDULER_PERSIST": True}
    for name, setting in NAMES.items():
        if value := os.environ.get(f"WORKER_{name}"):
            settings[setting] = float(value) if "." in value else int(value)
    process = AsyncCrawlerProcess(settings)
    process.crawl(Lists)
    process.start()


main()
