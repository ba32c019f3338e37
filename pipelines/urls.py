"""The normal form of a URL, and whose it is.

One address has many spellings: trackers, fragments, port 80, `..`. Two spellings of one page would be two
articles, so every URL goes through `normal_form` once, at the door. courlan strips trackers and sorts the query,
w3lib resolves dots, IDNA and percent signs; neither does both (tried). No request is made here.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import courlan
from w3lib.url import canonicalize_url

MAX_URL_CHARS = 1024  # news-crawl's limit; longer ones are traps
MAX_WRITTEN_CHARS = 8 * MAX_URL_CHARS  # with its trackers; courlan's patterns need minutes for 400,000
MAX_SEGMENTS = 20  # Heritrix
MAX_SAME_SEGMENT = 2  # Heritrix: /a/a/a/ is a trap
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def normal_form(url: str, base: str = "") -> str:
    """Return the one spelling of an http(s) URL, or "" when it is not one we would ever fetch.

    `base`: the page it stands on, for relative links. Normal form twice is normal form once.
    """
    try:
        joined = urljoin(base, url.strip()) if base else url.strip()
        if len(joined) > MAX_WRITTEN_CHARS or not is_web(joined):
            return ""
        cleaned = courlan.clean_url(joined) or joined
        found = canonicalize_url(cleaned)
        again = canonicalize_url(courlan.clean_url(found) or found)
    except (ValueError, UnicodeError):
        return ""
    return again if is_fetchable(again) else ""


def is_web(url: str) -> bool:
    """True for http and https with a host and without user name or password."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def is_fetchable(url: str) -> bool:
    """True when the URL's shape is within the limits: length, number of segments, no segment over and over."""
    if not is_web(url) or len(url) > MAX_URL_CHARS or _CONTROL.search(url):
        return False
    segments = [segment for segment in urlsplit(url).path.split("/") if segment]
    return len(segments) <= MAX_SEGMENTS and all(
        segments.count(segment) <= MAX_SAME_SEGMENT for segment in set(segments)
    )


def site(url: str) -> str:
    """Host and port without "www.": the unit of politeness and of site memory. "" for what is no URL."""
    try:
        netloc = urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""
    return netloc.removeprefix("www.").removesuffix(":80").removesuffix(":443")


def is_same_site(one: str, other: str) -> bool:
    """True when both URLs belong to one site, or one is a sub-domain of the other."""
    first, second = site(one), site(other)
    return (
        bool(first)
        and bool(second)
        and (first == second or first.endswith("." + second) or second.endswith("." + first))
    )
