"""Find out how a site can be followed: by a feed, else a sitemap, else a page of links.

Why it stands alone: what `sources add` writes will be crawled for years, so every candidate is fetched as a crawl would
fetch it and must give at least one entry before it is proposed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from crawler import guessing
from crawler.discover import Found, find_feeds
from crawler.probing import MAX_CHILDREN_LOOKED_AT, exit_code, look, newest_of, read
from crawler.sources import Source
from pipelines.urls import normal_form
from pipelines.workers import LostTaskError

if TYPE_CHECKING:
    from crawler.spiders.look import Answer, LookSpider
    from pipelines.config import Config
    from pipelines.records import Entry

T = TypeVar("T")

EXIT_NOTHING, EXIT_UNREACHABLE = 3, 4
MAX_FEEDS_LOOKED_AT = 12  # at two seconds between requests, half a minute
MAX_SITEMAPS_LOOKED_AT = 4
LOOK_ID = "new"  # what is looked at has no id yet
LOCAL_DELAY_S = 0.01  # between requests to a machine of one's own
UNREACHABLE = frozenset(
    {"dns", "refused_connection", "connection", "timeout", "tls", "truncated", "retry_later", "robots_unreachable"}
    | {"budget", "run_budget", "interrupted"}
)
NEWS_WORDS = ("news", "post", "article", "blog", "story", "stories", "press")  # in the names of sitemaps of articles


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How a site can be followed."""

    kind: str
    url: str
    entries: tuple[Entry, ...]
    url_pattern: str = ""
    name: str = ""
    language: str = ""
    home: str = ""
    is_more: bool = False  # a sitemap with further files, not looked at

    @property
    def newest(self) -> Entry:
        return newest_of(self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """Nothing to follow: one line of why, and the exit code."""

    line: str
    exit_code: int


@dataclass(slots=True)
class Search:
    """One search: who asks, what was typed, what the page answered."""

    spider: LookSpider
    page: str
    answer: Answer | None = None
    is_local: bool = False
    is_page: bool = False  # not a feed, not a sitemap
    name: str = ""
    language: str = ""
    say: Callable[[str], None] = lambda _: None
    sitemap_entries: dict[str, list[Entry]] = field(default_factory=dict)  # by sitemap: for the last resort
    unread: set[str] = field(default_factory=set)  # sitemaps with files not looked at

    async def ask(self, url: str, kind: str) -> Answer:
        self.say(f"asking {url}")
        return await self.spider.ask(url, LOOK_ID, kind)

    async def read(self, source: Source, answer: Answer) -> Found:
        return await read(self.spider, source, answer)

    async def aside(self, function: Callable[..., T], otherwise: T, *arguments: object) -> T:
        """What a function makes of a stranger's page, in a worker process; `otherwise` when that gives nothing."""
        try:
            return await asyncio.wrap_future(self.spider.run.workers.call(function, *arguments))
        except LostTaskError:
            return otherwise

    def looking_at(self, kind: str, url: str, pattern: str = "") -> Source:
        return Source(id=LOOK_ID, name=LOOK_ID, kind=kind, url=url, url_pattern=pattern)  # type: ignore[arg-type]

    def found(self, kind: str, url: str, entries: Iterable[Entry], **values: str | bool) -> Finding:
        kept = tuple(entries)
        language = guessing.language_of(kept, self.language)
        finding = Finding(kind=kind, url=url, entries=kept, name=self.name, language=language, home=self.home)
        return replace(finding, **values)  # type: ignore[arg-type]

    @property
    def home(self) -> str:
        """The page for people: what was typed, unless that was a feed."""
        return self.page if self.is_page else ""


def find(config: Config, url: str, *, is_local: bool, say: Callable[[str], None]) -> Finding | Miss:
    """Look for a way to follow the site of `url`. Starts the reactor: once in a process."""
    outcomes: list[Finding | Miss] = []
    source = Source(
        id=LOOK_ID, name=LOOK_ID, kind="feed", url=url, local=is_local, delay_s=LOCAL_DELAY_S if is_local else 0.0
    )

    async def work(spider: LookSpider) -> None:
        outcomes.append(await search(Search(spider, url, is_local=is_local, say=say)))

    run = look(config, [source], work)
    if code := exit_code(run, [True]):
        return Miss(line=run.bugs[0] if run.bugs else "interrupted, nothing was changed", exit_code=code)
    return outcomes[0] if outcomes else Miss(line="stopped, nothing was changed", exit_code=EXIT_UNREACHABLE)


async def search(this: Search) -> Finding | Miss:
    """The page itself, its feeds, the site's sitemaps, the page's links: the first that has entries."""
    this.answer = await this.ask(this.page, "feed")
    if this.answer.word == "forbidden_address":
        line = this.answer.line + ("" if this.is_local else "; if the address is your own, add --local")
        return Miss(line=line, exit_code=EXIT_NOTHING)
    if this.answer.word in UNREACHABLE or this.answer.word.startswith("http_5"):
        return Miss(line=this.answer.line, exit_code=EXIT_UNREACHABLE)
    asked = this.page
    if not this.answer.word:
        this.page = normal_form(this.answer.url) or this.page
    for step in (itself, feed, sitemap, listing, last_resort):
        found = await step(this)
        if found is not None:
            return found
    why = this.answer.line or "no feed, no sitemap and no page of links with an entry in it"
    return Miss(line=f"{asked}: nothing to follow ({why})", exit_code=EXIT_NOTHING)


async def itself(this: Search) -> Finding | None:
    """What was typed may be the feed or the sitemap."""
    answer = this.answer
    if answer is None or answer.word:
        return None
    found = await this.read(this.looking_at("feed", this.page), answer)
    if found.entries:
        return this.found("feed", this.page, found.entries, name=guessing.feed_name(answer.body))
    if not (await this.read(this.looking_at("sitemap", this.page), answer)).reason:
        entries = await all_entries(this, this.page, answer)
        return matching(this, this.page, guessing.commonest_pattern(entries, this.page))
    this.is_page = bool(found.reason)  # a feed without entries is none
    this.name, this.language = await this.aside(guessing.page_name, ("", ""), answer.body)
    return None


async def feed(this: Search) -> Finding | None:
    """A feed the page declares, else one where feeds usually lie."""
    body = this.answer.body if this.answer else b""
    declared = await this.aside(find_feeds, list[str](), body, this.page)
    likely = [url for url in declared if "comment" not in url.lower()]
    candidates = dict.fromkeys([*likely, *guessing.feed_addresses(this.page)])
    for url in list(candidates)[:MAX_FEEDS_LOOKED_AT]:
        answer = await this.ask(url, "feed")
        if answer.word in UNREACHABLE:
            continue
        found = await this.read(this.looking_at("feed", url), answer)
        if found.entries:
            name = guessing.feed_name(answer.body) or this.name
            return this.found("feed", normal_form(answer.url) or url, found.entries, name=name)
    return None


async def sitemap(this: Search) -> Finding | None:
    """A sitemap robots.txt names, else where one usually lies."""
    from crawler.politeness import host_key

    named = this.spider.sitemaps.get(host_key(this.page), [])
    usual = [urljoin(this.page, "/sitemap.xml"), urljoin(this.page, "/sitemap_index.xml")]
    candidates = dict.fromkeys(url for url in map(normal_form, [*named, *usual]) if url)
    for url in sorted(candidates, key=lambda url: not is_likely(url, this.page))[:MAX_SITEMAPS_LOOKED_AT]:
        answer = await this.ask(url, "sitemap")
        if answer.word or (await this.read(this.looking_at("sitemap", url), answer)).reason:
            continue
        found = await in_sitemap(this, url, answer)
        if found is not None:
            return found
    return None


def is_likely(url: str, page: str) -> bool:
    """True for a sitemap whose name speaks of the page's folder, or of news."""
    words = [*guessing.segments(page)[-1:], *NEWS_WORDS]
    path = urlsplit(url).path.lower()
    return any(word.lower() in path for word in words)


async def in_sitemap(this: Search, url: str, answer: Answer) -> Finding | None:
    """A sitemap's articles: those below the page that was typed, for a front page those of the commonest folder."""
    entries = await all_entries(this, url, answer)
    pattern = guessing.below_pattern(this.page) or guessing.commonest_pattern(entries, this.page)
    return matching(this, url, pattern)


def matching(this: Search, url: str, pattern: str) -> Finding | None:
    """The sitemap with this pattern, when an entry matches it."""
    entries = [entry for entry in this.sitemap_entries.get(url, ()) if pattern and re.search(pattern, entry.url)]
    if not entries:
        return None
    return this.found("sitemap", url, entries, url_pattern=pattern, is_more=url in this.unread)


async def all_entries(this: Search, url: str, answer: Answer) -> list[Entry]:
    """The entries of a sitemap and its first, likeliest files."""
    source = this.looking_at("sitemap", url)
    found = await this.read(source, answer)
    entries = list(found.entries)
    waiting = sorted(found.more, key=lambda more: not is_likely(more, this.page))
    for looked, more in enumerate(waiting):
        if looked == MAX_CHILDREN_LOOKED_AT:
            this.unread.add(url)
            break
        child = await this.ask(more, "sitemap")
        entries += [] if child.word else (await this.read(source, child)).entries
    this.sitemap_entries[url] = entries
    return entries


async def listing(this: Search) -> Finding | None:
    """The page's own links: those below it, else those into the commonest folder."""
    if this.answer is None or this.answer.word:
        return None
    everything = await this.read(this.looking_at("listing", this.page, "."), this.answer)
    for pattern in (guessing.below_pattern(this.page), guessing.commonest_pattern(everything.entries, this.page)):
        if pattern:
            found = await this.read(this.looking_at("listing", this.page, pattern), this.answer)
            if found.entries:
                return this.found("listing", this.page, found.entries, url_pattern=pattern)
    return None


async def last_resort(this: Search) -> Finding | None:
    """The commonest folder of a sitemap, when nothing lies below the page that was typed."""
    for url, entries in this.sitemap_entries.items():
        found = matching(this, url, guessing.commonest_pattern(entries, this.page))
        if found is not None:
            return found
    return None
