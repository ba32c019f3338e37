"""Scrapy's settings: polite, quiet and closed by default.

Scrapy's own defaults suit a workbench: no robots.txt, no TLS check, a gigabyte a page, two listening sockets. What
stands here is the floor; `crawler.run` adds what the user's configuration says, and cannot go below it.
"""

from importlib.metadata import PackageNotFoundError, version

from crawler.politeness import FLOOR_DELAY_S

try:
    VERSION = version("copydesk")
except PackageNotFoundError:  # run from a checkout that was never installed
    VERSION = "0"

BOT_NAME = "copydesk"
USER_AGENT = f"copydesk/{VERSION}"
SPIDER_MODULES = ["crawler.spiders"]

ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "copydesk"
CONCURRENT_REQUESTS = 64  # over all hosts; most of them wait for their host's turn
CONCURRENT_REQUESTS_PER_DOMAIN = 1
CONCURRENT_ITEMS = 1  # a page is one item; Scrapy starts so many tasks for each answer, a hundred if not told
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 1_000_000  # bytes of pages that wait for a worker before a spider asks for no more; Scrapy's five million only wait longer
DOWNLOAD_DELAY = FLOOR_DELAY_S
DOWNLOAD_DELAY_JITTER = 0  # the gate in politeness.py adds its own
COOKIES_ENABLED = False
REFERER_ENABLED = False
HTTPPROXY_ENABLED = False  # a proxy would be dialled in place of the address the guard must see

DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_TIMEOUT = 30
DNS_TIMEOUT = 10
DOWNLOAD_MAXSIZE = 5 * 2**20  # decoded; feeds and sitemaps ask for more in their request
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_HANDLERS = {
    "http": "crawler.middlewares.PoliteHandler",
    "https": "crawler.middlewares.PoliteHandler",
    "file": None,
    "ftp": None,
    "s3": None,
    "data": None,
}
TWISTED_DNS_RESOLVER = "crawler.resolving.Resolver"
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/rss+xml,application/atom+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en,*;q=0.5",
    "Accept-Encoding": "gzip",
}
REDIRECT_MAX_TIMES = 5
METAREFRESH_ENABLED = False
RETRY_TIMES = 1
RETRY_HTTP_CODES = [500, 502, 504, 522, 524, 408]  # 429 and 503 mean "leave me alone"
HTTPERROR_ALLOW_ALL = True  # a 304 is a success and a 404 is an answer: the spiders judge
URLLENGTH_LIMIT = 2048

DOWNLOADER_MIDDLEWARES = {
    "crawler.middlewares.HostMiddleware": 50,
    "crawler.middlewares.RobotsMiddleware": 100,
    "crawler.middlewares.EncodingMiddleware": 595,  # between decompression (590) and the wire
}
DOWNLOADER_MIDDLEWARES_BASE = {  # of Scrapy's, in its order: no cookies, proxies, passwords, cache, and sources say what is theirs
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": 350,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": 550,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": 850,
}
ITEM_PIPELINES = {
    "crawler.item_pipelines.PreparePipeline": 100,
    "crawler.item_pipelines.StorePipeline": 200,
}
EXTENSIONS = {"crawler.extensions.Watch": 0}
# Scrapy imports what it switches off, too: the remote control alone brings all of aiohttp. So what it begins with is named here
EXTENSIONS_BASE = {"scrapy.extensions.corestats.CoreStats": 0, "scrapy.extensions.logcount.LogCount": 0}
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
STATS_DUMP = False
LOG_LEVEL = "ERROR"  # cron mails what is printed
LOG_VERSIONS: list[str] = []
LOG_SHORT_NAMES = True
