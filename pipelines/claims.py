"""What a page claims of itself: title, writer, time, address. Claims are read, weighed and never trusted blindly.

A page can name another site as its home, a footer's year as its date and its own publisher as part of the title;
each claim is checked against what we know: the address asked for and the time of the fetch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.decode import letters_of, normalise
from pipelines.records import Block, Page
from pipelines.urls import is_same_site, normal_form, site

MAX_JSON_CHARS = 500_000  # one JSON-LD script; real ones have under 50 kB, hostile ones 10 MB
MAX_JSON_SCRIPTS = 20
MAX_NODES = 2000
EARLIEST_YEAR = 1990  # there was no web page before
CLOCK_SKEW = timedelta(hours=26)  # a date without a zone may be a day ahead of ours; later ones are false
DATE_BLOCKS = 30  # a visible date stands near the title
BYLINE_CHARS = 100

_ARTICLE_TYPE = re.compile(r"article|posting|report|news|webpage", re.IGNORECASE)
_LD_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{6,40})"')
_SEPARATOR = re.compile(r"\s+[|\-–—:»«·•/]+\s+|\s*[|_»]\s*")
_CJK_DATE = re.compile(
    r"(20\d\d|19\d\d)\s?[년年.\-/]\s?(\d{1,2})\s?[월月.\-/]\s?(\d{1,2})(?:\s?[일日])?(?:[^\d]{0,8}(\d{1,2}):(\d{2}))?"
)
_URL_DATE = re.compile(r"/((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/\-_.]|\d{0,8}\b|$)")
_BY = re.compile(r"^(?:by|von|par|por|di|door|van|przez|автор:?|写|文|记者|기자)\s*[:：]?\s+", re.IGNORECASE)
_META_DATES = (
    "article:published_time", "og:article:published_time", "og:published_time", "datepublished", "date", "dc.date.issued", "dc.date", "dcterms.created",
    "dcterms.date", "parsely-pub-date", "sailthru.date", "pubdate", "publishdate", "publish_date", "publish-date", "publication_date", "citation_publication_date",
    "cxenseparse:recs:publishtime", "article.published", "originalpublicationdate",
)  # fmt: skip
_META_BYLINES = (
    "author",
    "article:author",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "byl",
    "citation_author",
    "twitter:data1",
)


@dataclass(slots=True)
class Claims:
    """Everything the head of a page says, gathered in one pass."""

    metas: dict[str, str] = field(default_factory=dict)
    title_tag: str = ""
    headings: list[str] = field(default_factory=list)
    canonical: str = ""
    language: str = ""
    times: list[str] = field(default_factory=list)
    linked: list[dict[str, Any]] = field(default_factory=list)  # JSON-LD nodes that are articles
    linked_date: str = ""


def gather(root: Any) -> Claims:
    """Read the page's claims in one walk over the few elements that make them."""
    claims = Claims(language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "")
    scripts = 0
    for node in root.iter("meta", "title", "h1", "link", "time", "script"):
        tag = node.tag
        if tag == "meta":
            name = node.get("property") or node.get("name") or node.get("itemprop") or node.get("http-equiv") or ""
            claims.metas.setdefault(name.strip().lower(), normalise(node.get("content") or ""))
        elif tag == "title" and not claims.title_tag:
            claims.title_tag = normalise("".join(node.itertext()))
        elif tag == "h1" and len(claims.headings) < 5:
            claims.headings.append(normalise("".join(node.itertext())))
        elif tag == "link" and "canonical" in (node.get("rel") or "").lower():
            claims.canonical = claims.canonical or (node.get("href") or "")
        elif tag == "time" and node.get("datetime") and len(claims.times) < 10:
            claims.times.append(node.get("datetime"))
        elif tag == "script" and "ld+json" in (node.get("type") or "") and scripts < MAX_JSON_SCRIPTS:
            scripts += 1
            read_linked(node.text or "", claims)
    return claims


def read_linked(text: str, claims: Claims) -> None:
    """Add a JSON-LD script's articles; of broken JSON only the date, found by its key."""
    text = text[:MAX_JSON_CHARS]
    try:
        claims.linked += [
            node for node in nodes(json.loads(text, strict=False)) if _ARTICLE_TYPE.search(str(node.get("@type")))
        ]
    except (ValueError, RecursionError):
        match = _LD_DATE.search(text)
        claims.linked_date = claims.linked_date or (match.group(1) if match else "")


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value, breadth first and bounded."""
    queue, seen = [value], 0
    while queue and seen < MAX_NODES:
        found = queue.pop(0)
        seen += 1
        if isinstance(found, dict):
            yield found
            queue += [inner for inner in found.values() if isinstance(inner, dict | list)]
        elif isinstance(found, list):
            queue += found[:MAX_NODES]


def title_of(claims: Claims, page: Page) -> str:
    """The headline without the site's name."""
    site_names = {
        letters_of(name)
        for name in (claims.metas.get("og:site_name", ""), page.traits.publisher, site(page.url).split(".")[0])
        if name
    }
    linked = next((str(node["headline"]) for node in claims.linked if isinstance(node.get("headline"), str)), "")
    found = claims.metas.get("og:title", "") or claims.title_tag or normalise(linked)
    for heading in claims.headings:
        if len(letters_of(heading)) >= 8 and letters_of(heading) in letters_of(found) + "\n" + letters_of(
            claims.title_tag
        ):
            return heading
    found = without_site(found, site_names, page)
    if not found:
        found = normalise(linked) or page.hint.title or next(iter(claims.headings), "")
    return found


def without_site(title: str, site_names: set[str], page: Page) -> str:
    """Take the site's name from the title's end or start; `Story | Name` always, `Story - Name` when we know the name."""
    host = letters_of(site(page.url))
    parts = _SEPARATOR.split(title)
    if len(parts) < 2:
        return title
    for index in (-1, 0):
        name = letters_of(parts[index])
        if name and (name in site_names or (len(name) > 3 and name in host)):
            return (
                title[: title.rindex(parts[-1])].rstrip(" |-–—:»«·•/_")
                if index
                else title[len(parts[0]) :].lstrip(" |-–—:»«·•/_")
            )
    return title.rpartition(" | ")[0] if " | " in title and len(parts[-1].split()) <= 4 else title


def byline_of(claims: Claims, root: Any, page: Page) -> str:
    """Who wrote it, as names joined by commas."""
    if page.hint.byline:
        return page.hint.byline
    for node in claims.linked:
        names = people(node.get("author"))
        if names:
            return ", ".join(dict.fromkeys(names))
    for name in _META_BYLINES:
        found = claims.metas.get(name, "")
        if (
            found
            and not found.startswith(("http", "@", "/"))
            and len(found) <= BYLINE_CHARS
            and not found[:1].isdigit()
        ):
            return _BY.sub("", found)
    for node in root.xpath(
        '(//*[@rel="author" or @itemprop="author" or contains(@class,"byline") or contains(@class,"author-name")])[position()<4]'
    ):
        found = normalise("".join(node.itertext()))
        if 3 <= len(found) <= BYLINE_CHARS:
            return _BY.sub("", found)
    return ""


def people(value: Any) -> list[str]:
    """Names out of JSON-LD's string, object or list of either."""
    if isinstance(value, str):
        return [] if value.startswith("http") else [normalise(value)]
    if isinstance(value, dict):
        return people(value.get("name"))
    if isinstance(value, list):
        return [name for one in value[:10] for name in people(one)]
    return []


def canonical_of(claims: Claims, page: Page) -> str:
    """The page's own address for itself, only when it is on the same site: others would take over its identity."""
    for claim in (claims.canonical, claims.metas.get("og:url", "")):
        url = normal_form(claim, page.final_url or page.url) if claim else ""
        if url and is_same_site(url, page.final_url or page.url):
            return url
    return ""


def claimed_dates(claims: Claims) -> Iterator[tuple[str, str]]:
    """(text, origin) of every machine-readable date, best first."""
    for node in claims.linked:
        if isinstance(node.get("datePublished"), str):
            yield node["datePublished"], "json-ld"
    if claims.linked_date:
        yield claims.linked_date, "json-ld"
    for name in _META_DATES:
        if claims.metas.get(name):
            yield claims.metas[name], "meta"


def visible_dates(claims: Claims, blocks: list[Block]) -> Iterator[str]:
    """Dates a reader sees near the title: a <time> element, or one written the East Asian way."""
    yield from claims.times[:1]
    for block in blocks[:DATE_BLOCKS]:
        match = _CJK_DATE.search(block.text) if len(block.text) < 120 else None
        if match:
            year, month, day, hour, minute = match.groups()
            yield f"{year}-{int(month):02}-{int(day):02}T{int(hour or 0):02}:{minute or '00'}"


def date_in_url(url: str) -> str:
    match = _URL_DATE.search(url)
    return "-".join(match.groups()) if match else ""


def moment(text: str, page: Page) -> datetime | None:
    """Text as an aware UTC time; None for nonsense, for times before the web and for times after the fetch."""
    found = parsed(text.strip())
    if found is None:
        return None
    try:
        if found.tzinfo is None:
            found = found.replace(tzinfo=zone(page.traits.timezone))
        found = found.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    if found > page.fetched + CLOCK_SKEW:
        return None
    found = min(found, page.fetched)
    return found if found.year >= EARLIEST_YEAR else None


def parsed(text: str) -> datetime | None:
    """ISO 8601 in the spellings sites use, and the mail format of feeds."""
    from email.utils import parsedate_to_datetime

    candidate = re.sub(r"\.\d+", "", text)[:40]
    candidate = re.sub(r"\s*(?:GMT|UTC)$", "+00:00", candidate)
    candidate = re.sub(
        r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}", candidate
    )
    for attempt in (candidate, candidate.replace(" ", "T", 1), candidate[:19], candidate[:10]):
        try:
            return datetime.fromisoformat(attempt)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text[:60])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
