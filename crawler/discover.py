"""What a feed, a sitemap or a section page offers: bytes in, entries out.

Why it stands alone: publishers break these files in every way, and each way should be one test without a network.
So nothing here fetches, stores or reads a clock. feedparser is imported here and nowhere else. One bad line costs
that line; a file that is not what it claims to be gives a one-word reason.
"""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree, html
from w3lib.html import remove_tags, replace_entities

from pipelines.records import Entry, Hint
from pipelines.urls import is_same_site, normal_form

MAX_SITEMAP_BYTES = 50 * 2**20  # decoded; the sitemap protocol's own limit
MAX_SITEMAP_URLS = 50_000  # the same
MAX_CHILD_SITEMAPS = 50  # of one source in one run: an index that lists itself must end
MAX_LASTMOD_CHARS = 40
MAX_TITLE_CHARS = 500
MAX_SUMMARY_CHARS = 100_000  # some feeds carry whole articles
COMMON_FEED_PATHS = ("/feed/", "/rss.xml", "/atom.xml", "/feed.xml", "/index.xml", "/rss", "/feed")

_FEED_ROOT = re.compile(rb"<(?:\w+:)?(rss|feed|rdf)\b", re.IGNORECASE)
_HTML_ROOT = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_ITEM_START = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>]")
_ITEM_END = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>")
_FEED_END = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_REFERENCE = re.compile(rb"&#(x[0-9a-f]{1,8}|[0-9]{1,8});", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_BLOCK_END = re.compile(r"</(?:p|div|li|h[1-6]|blockquote|tr)\s*>|<br\s*/?>", re.IGNORECASE)
# zones feedparser reads rightly; any other name ("KST") it takes for UTC, so there the source's own zone counts
_KNOWN_ZONE = re.compile(r"(?:Z|[+-]\d{2}:?\d{2}|GMT|UTC|UT|E[SD]T|C[SD]T|M[SD]T|P[SD]T)\s*$")
_ZONE_NAME = re.compile(r"\s+[A-Z]{2,5}\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one file offered."""

    entries: tuple[Entry, ...] = ()
    more: tuple[str, ...] = ()  # child sitemaps, or the listing's next page
    modified: tuple[str, ...] = ()  # of each of `more`, as written; "" where it does not say
    reason: str = ""  # why it could not be used at all: not_a_feed, bad_feed, not_a_sitemap, not_html, parse_error…
    detail: str = ""  # of the reason, one line
    is_partial: bool = False  # cut short: what was complete is here
    skipped: int = 0  # lines whose link we would never fetch


def read_feed(
    body: bytes, url: str, *, content_type: str = "", timezone: str = "UTC", limit: int = 1000, pattern: str = ""
) -> Found:
    """Return the entries of an RSS, Atom or JSON feed, newest as the feed has them."""
    body = body.lstrip(b"\xef\xbb\xbf \t\r\n")  # feedparser needs minutes for a megabyte of blank lines
    if body.startswith(b"{"):
        return read_json_feed(body, url, timezone=timezone, limit=limit, pattern=pattern)
    if not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        root, page = _FEED_ROOT.search(body[:8192]), _HTML_ROOT.search(body[:8192])
        if root is None or (page is not None and page.start() < root.start()):
            return Found(reason="not_a_feed")
        if b"<!ENTITY" in body:  # no publisher needs them, and they can swallow memory
            return Found(reason="bad_feed")
    body, complete, is_partial = complete_items(body, limit)
    import feedparser

    headers = {"content-location": url, "content-type": content_type or "application/xml"}
    try:
        parsed = feedparser.parse(io.BytesIO(_REFERENCE.sub(storable, body)), response_headers=headers)
    except Exception as error:  # noqa: BLE001 - on half a tag or a strange encoding feedparser raises whatever comes
        return Found(reason="bad_feed", detail=f"{type(error).__name__}: {error}"[:200])
    if not parsed.entries and not parsed.version:
        return Found(reason="bad_feed")
    items = parsed.entries[:complete] if complete is not None else parsed.entries[:limit]
    language = str(parsed.feed.get("language", ""))[:2].lower()
    return collected(
        (feed_entry(item, url, timezone, language) for item in items), pattern=pattern, is_partial=is_partial
    )


def complete_items(body: bytes, limit: int) -> tuple[bytes, int | None, bool]:
    """Cut a feed after `limit` items; return it, how many items are whole (None: all), and whether it was cut off."""
    starts = [match.start() for match in _ITEM_START.finditer(body)]
    if len(starts) > limit:
        return body[: starts[limit]], limit, False
    if is_ended(body[-4096:]) or body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body, None, False
    return body, len(_ITEM_END.findall(body)), True


def storable(reference: re.Match[bytes]) -> bytes:
    """A character reference as it is, unless it names half a character: that would cost the whole file."""
    number = reference[1].lower()
    code = int(number[1:], 16) if number.startswith(b"x") else int(number)
    return b"&#xFFFD;" if 0xD800 <= code <= 0xDFFF else reference[0]


def is_ended(tail: bytes) -> bool:
    """True when nothing but comments follows the last end of a feed."""
    # two simple patterns: one with a repeated group of comments needs years for forty of them
    ends = [match.end() for match in _FEED_END.finditer(tail)]
    return bool(ends) and not _COMMENT.sub(b"", tail[ends[-1] :]).strip()


def feed_entry(item: Any, url: str, timezone: str, language: str) -> Entry | None:
    """One item of a feed as an entry, or None when its link is nothing we would fetch."""
    link = link_of(item.get("link"), url)
    if not link:
        return None
    contents = [str(content.get("value", "")) for content in item.get("content", [])]
    summary = max([str(item.get("summary", "")), *contents], key=len)
    # dict.get: feedparser's own get hands out "published" for a missing "updated", with a warning
    published = moment(dict.get(item, "published", ""), dict.get(item, "published_parsed"), timezone)
    updated = moment(dict.get(item, "updated", ""), dict.get(item, "updated_parsed"), timezone)
    hint = Hint(
        title=plain(str(item.get("title", "")))[:MAX_TITLE_CHARS].replace("\n", " "),
        byline=plain(str(item.get("author", "")))[:200].replace("\n", " "),
        published=published or updated,
        language=language,
        summary=plain(summary)[:MAX_SUMMARY_CHARS],
    )
    return Entry(url=link, hint=hint, modified=updated)


def link_of(written: Any, base: str) -> str:
    """The normal form of a link, "" for none: an empty one would mean the page it stands on."""
    return normal_form(str(written), base) if written and str(written).strip() else ""


def read_json_feed(body: bytes, url: str, *, timezone: str, limit: int, pattern: str) -> Found:
    """Return the entries of a JSON Feed."""
    try:
        feed = json.loads(body)
    except (ValueError, RecursionError):
        return Found(reason="bad_feed")
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        return Found(reason="not_a_feed")
    language = str(feed.get("language", ""))[:2].lower()

    def entry(item: Any) -> Entry | None:
        if not isinstance(item, dict):
            return None
        link = link_of(item.get("url") or item.get("id"), url)
        named = item.get("authors")
        listed = named if isinstance(named, list) else []
        authors = [str(author.get("name", "")) for author in listed if isinstance(author, dict)]
        text = str(item.get("content_html") or item.get("content_text") or item.get("summary") or "")
        modified = moment(str(item.get("date_modified") or ""), None, timezone)
        hint = Hint(
            title=plain(str(item.get("title") or ""))[:MAX_TITLE_CHARS],
            byline=", ".join(authors)[:200],
            published=moment(str(item.get("date_published") or ""), None, timezone) or modified,
            language=language,
            summary=plain(text)[:MAX_SUMMARY_CHARS],
        )
        return Entry(url=link, hint=hint, modified=modified) if link else None

    return collected(map(entry, feed["items"][:limit]), pattern=pattern)


def moment(written: str, parsed: Any, timezone: str) -> datetime | None:
    """A date as an aware UTC time; one without a zone is in `timezone`.

    Standard forms are read here, because feedparser takes 2026/11/21 for the first of the month; `parsed` is its
    reading of the rest.
    """
    written = str(written).strip()
    has_zone = _KNOWN_ZONE.search(written) is not None
    found = None
    for reader in (datetime.fromisoformat, parsedate_to_datetime, _slashed):
        try:
            found = reader(written if has_zone else _ZONE_NAME.sub("", written))
            break
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    try:
        if found is None and parsed:
            year, month, day, hour, minute, second = parsed[:6]
            zone = UTC if has_zone else None
            found = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        if found is None:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _slashed(written: str) -> datetime:
    """2026/11/02 09:30 and 2026.11.02."""
    return datetime.fromisoformat(re.sub(r"(\d{4})[./](\d{2})[./](\d{2})", r"\1-\2-\3", written))


def plain(markup: str) -> str:
    """Markup as text, one block a line."""
    text = replace_entities(remove_tags(_BLOCK_END.sub("\n", markup)))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def collected(entries: Iterable[Entry | None], *, pattern: str = "", is_partial: bool = False) -> Found:
    """Entries each once, those that match, with a count of what was skipped."""
    kept: dict[str, Entry] = {}
    skipped = 0
    wanted = re.compile(pattern)
    for entry in entries:
        if entry is None:
            skipped += 1
        elif wanted.search(entry.url):
            kept.setdefault(entry.url, entry)
    return Found(entries=tuple(kept.values()), is_partial=is_partial, skipped=skipped)


def read_sitemap(body: bytes, url: str, *, pattern: str = "", timezone: str = "UTC") -> Found:
    """Return a sitemap's pages that match `pattern`, or the child sitemaps of an index, newest first."""
    body, is_cut = unpacked(body)
    body = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if body.startswith(b"http"):
        lines = body.decode("utf-8", "replace").splitlines()[:MAX_SITEMAP_URLS]
        return collected(
            (sitemap_entry({"loc": line}, url, timezone) for line in lines if line.strip()), pattern=pattern
        )
    if _HTML_ROOT.search(body[:2048]) or not body.startswith(b"<"):
        return Found(reason="not_a_sitemap")
    if _FEED_ROOT.search(body[:2048]):
        found = read_feed(body, url, timezone=timezone, limit=MAX_SITEMAP_URLS)
        return Found(
            entries=collected(found.entries, pattern=pattern).entries, reason=found.reason, is_partial=found.is_partial
        )
    rows = list(sitemap_rows(body))
    children = [row for row in rows if row["tag"] == "sitemap"]
    pages = [row for row in rows if row["tag"] == "url"]
    if not rows:
        if b"<!ENTITY" in body:  # their bulk ended the reading
            return Found(reason="bad_sitemap")
        if not re.search(rb"<(?:\w+:)?(?:urlset|sitemapindex)\b", body[:4096]):
            return Found(reason="not_a_sitemap")
    found = collected((sitemap_entry(row, url, timezone) for row in pages), pattern=pattern, is_partial=is_cut)
    children.sort(key=lambda row: row.get("lastmod", ""), reverse=True)
    links = [(link_of(row.get("loc"), url), row.get("lastmod", "")[:MAX_LASTMOD_CHARS]) for row in children]
    good = [(link, modified) for link, modified in links if link and is_same_site(link, url)]
    first: dict[str, str] = {}
    for link, modified in good:
        first.setdefault(link, modified)
    more = list(first.items())[:MAX_CHILD_SITEMAPS]
    return Found(
        entries=found.entries,
        more=tuple(link for link, _ in more),
        modified=tuple(modified for _, modified in more),
        is_partial=found.is_partial,
        skipped=found.skipped + len(links) - len(good),
    )


def unpacked(body: bytes) -> tuple[bytes, bool]:
    """The bytes, gunzipped when they are gzip, and whether they were cut (by us at the limit, or on the way)."""
    if not body.startswith(b"\x1f\x8b"):
        return body[:MAX_SITEMAP_BYTES], len(body) > MAX_SITEMAP_BYTES
    unzip = zlib.decompressobj(wbits=31)
    try:
        return unzip.decompress(body, MAX_SITEMAP_BYTES), not unzip.eof
    except zlib.error:
        return b"", True


def sitemap_rows(body: bytes) -> Iterator[dict[str, str]]:
    """The <url> and <sitemap> elements, streamed: a sitemap of 50 MB must not become a tree of 2 GB."""
    walk = etree.iterparse(
        io.BytesIO(_REFERENCE.sub(storable, body)),
        recover=True,
        resolve_entities=False,
        no_network=True,
        tag=("{*}url", "{*}sitemap"),
    )
    count = 0
    try:
        for _, element in walk:
            row = sitemap_row(element)
            element.clear()
            while element.getprevious() is not None and element.getparent() is not None:
                del element.getparent()[0]
            yield row
            count += 1
            if count >= MAX_SITEMAP_URLS:
                return
    except (etree.XMLSyntaxError, ValueError):
        return  # what stood before the break was read


def sitemap_row(element: Any) -> dict[str, str]:
    """A <url> or <sitemap> as a dict of its parts."""
    row = {"tag": local_name(element)}
    for child in element.iter():
        # an entity inside <loc> would leave half an address: skip the line
        if isinstance(child.tag, str) and child.text and not len(child):
            row.setdefault(local_name(child), child.text.strip())
    return row


def local_name(element: Any) -> str:
    """A tag without its namespace; lxml's own way refuses names that its parser let through."""
    return str(element.tag).rpartition("}")[2]


def sitemap_entry(row: dict[str, str], url: str, timezone: str) -> Entry | None:
    link = link_of(row.get("loc"), url)
    if not link:
        return None
    hint = Hint(
        title=plain(row.get("title", ""))[:MAX_TITLE_CHARS],
        published=moment(row.get("publication_date", ""), None, timezone),
        language=row.get("language", "")[:2].lower(),
    )
    return Entry(url=link, hint=hint, modified=moment(row.get("lastmod", ""), None, timezone))


def read_listing(body: bytes, url: str, *, pattern: str = "", content_type: str = "") -> Found:
    """Return the links of a section page that match `pattern`, and its next page when it names one."""
    tree = page_tree(body, content_type)
    if tree is None:
        return Found(reason="not_html")
    base, own = base_of(tree, url), normal_form(url)
    titles: dict[str, str] = {}
    following = []
    for element in tree.iter("a", "link"):
        link = link_of(element.get("href"), base)
        if not link or link == own or not is_same_site(link, url):
            continue
        if "next" in str(element.get("rel", "")).lower().split():
            following.append(link)
        elif element.tag == "a" and (pattern or is_below(link, url)):
            title = " ".join(element.text_content().split())[:MAX_TITLE_CHARS]
            titles[link] = max(
                titles.get(link, ""), title, key=len
            )  # a card links its picture first, its headline second
    found = collected((Entry(url=link, hint=Hint(title=title)) for link, title in titles.items()), pattern=pattern)
    return Found(entries=found.entries, more=tuple(following[:1]), skipped=found.skipped)


def is_below(link: str, url: str) -> bool:
    """True when `link` lies deeper in the site than the listing does."""
    folder = normal_form(url).split("?")[0].rstrip("/") + "/"
    return link.startswith(folder)


def page_tree(body: bytes, content_type: str = "") -> Any:
    """The parsed page, or None when there is none."""
    charset = re.search(r"charset=[\"']?([\w-]+)", content_type)
    if b"<" not in body[:4096] or b"\0" in body[:1024]:
        return None
    try:
        return html.fromstring(body, parser=html.HTMLParser(encoding=charset[1] if charset else None))
    except (etree.ParserError, etree.XMLSyntaxError, LookupError, ValueError):
        return None


def base_of(tree: Any, url: str) -> str:
    """The address links are relative to: <base href>, or the page's own."""
    for element in tree.iter("base"):
        if element.get("href"):
            return normal_form(str(element.get("href")), url) or url
    return url


def find_feeds(body: bytes, url: str) -> list[str]:
    """Return the feeds a page declares, in its order; feeds of comments last."""
    tree = page_tree(body)
    if tree is None:
        return []
    base = base_of(tree, url)
    declared = [
        element
        for element in tree.iter("link")
        if "alternate" in str(element.get("rel", "")).lower()
        and re.search(r"rss|atom|feed\+json", str(element.get("type", "")).lower())
        and element.get("href")
    ]
    declared.sort(key=lambda element: "comment" in (str(element.get("title", "")) + str(element.get("href"))).lower())
    links = [link_of(element.get("href"), base) for element in declared]
    return list(dict.fromkeys(link for link in links if link))
