"""Guess, from the addresses a site shows, which of them are articles; and what a source is to be called.

Why it stands alone: `sources add` must turn one address into a whole table of the source list. A guess is only a
proposal: the finder fetches what it leads to and counts. Nothing here asks anybody.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from urllib.parse import urlsplit

from crawler.discover import COMMON_FEED_PATHS, page_tree, plain
from pipelines.records import Entry
from pipelines.urls import site

MAX_NAME_CHARS = 80
MAX_FEED_HEAD = 20_000  # bytes in which a feed says its own name
ARTICLE_WORDS = 5  # in a headline, and in the last part of an article's address
TITLE_CHARS_CJK = 12  # a headline without spaces
# folders and pages that hold everything but articles
_NO_ARTICLE = re.compile(
    r"(?:about|about-us|account|archive|authors?|careers|cart|categor(?:y|ies)|contact|contact-us|cookies?|donate|events"
    r"|faq|feeds?|help|imprint|jobs|legal|login|members|menu|newsletters?|pages?|people|pricing|privacy|privacy-policy"
    r"|products|register|rss|search|sections?|shop|signup|sitemap|subscribe|tags?|team|terms|terms-of-\w+|topics?|users?"
    r"|wp-\w+)(?:\.\w+)?",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(r"[a-z]{2}(?:[-_][a-z]{2,4})?", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d")
_INDEX = re.compile(r"(?:index|home|default)\.\w+", re.IGNORECASE)
_FILE_END = re.compile(r"\.(?:html?|php|aspx?|jsp)$", re.IGNORECASE)
_FLAT = r"[^/?]*(?:-[^/?-]+-[^/?-]+-|\d{5})[^/?]*$"  # an article at the root: a long slug, or a number
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def segments(url: str) -> list[str]:
    return [part for part in urlsplit(url).path.split("/") if part]


def folder_of(page: str) -> str:
    """The path below which a page's articles would lie: "/blog/" for /blog and /blog.html, "/" for the front page."""
    parts = segments(page)
    if parts and _INDEX.fullmatch(parts[-1]):
        parts = parts[:-1]
    if parts:
        parts[-1] = _FILE_END.sub("", parts[-1])
    return "/" + "".join(f"{part}/" for part in parts)


def host_pattern(page: str) -> str:
    return rf"^https?://(?:www\.)?{escaped(site(page))}"


def below_pattern(page: str) -> str:
    """The pattern of what lies below a page; "" for the front page, below which everything lies."""
    folder = folder_of(page)
    return "" if folder == "/" else host_pattern(page) + prefix_pattern(folder)


def prefix_pattern(folder: str) -> str:
    return escaped(folder) + r"(?!(?:page|tag|tags|topic|category|author)/)[^/?]+"


def escaped(text: str) -> str:
    """Escape for a regular expression, but leave the hyphen, which needs none, readable."""
    return re.escape(text).replace(r"\-", "-")


def commonest_pattern(entries: Iterable[Entry], page: str) -> str:
    """The pattern of the folder most articles of these addresses lie in; "" when none stands out."""
    weights: dict[str, int] = defaultdict(int)
    counts: Counter[str] = Counter()
    for entry in entries:
        pattern = place_of(entry.url)
        if pattern and site(entry.url) == site(page):
            weights[pattern] += 3 if looks_like_article(entry) else 1
            counts[pattern] += 1
    likely = [pattern for pattern in weights if counts[pattern] > 1 or weights[pattern] > 1]
    best = max(likely, key=lambda pattern: weights[pattern], default="")
    return host_pattern(page) + best if best else ""


def place_of(url: str) -> str:
    """The pattern, after the host, of the folder an address lies in; "" where no article lies."""
    parts, query = segments(url), urlsplit(url).query
    if not parts or any(_NO_ARTICLE.fullmatch(part) for part in parts[:2]):
        return ""
    if len(parts) == 1:
        if query and _FILE_END.search(parts[0]):
            return f"/{escaped(parts[0])}\\?"
        return f"/{_FLAT}" if re.search(_FLAT, parts[0]) else ""
    lead = parts[:1] if not (_LANGUAGE.fullmatch(parts[0]) and len(parts) > 2) else parts[:2]
    if _YEAR.fullmatch(lead[-1]):
        before = "".join(f"{part}/" for part in lead[:-1])
        return f"/{escaped(before)}20\\d\\d/.+"
    return prefix_pattern("/" + "".join(f"{part}/" for part in lead))


def looks_like_article(entry: Entry) -> bool:
    """True when the address ends like an article's, or the link is worded like a headline."""
    last, title = (segments(entry.url) or [""])[-1], entry.hint.title
    return (
        last.count("-") + 1 >= ARTICLE_WORDS
        or re.search(r"\d{5}", last) is not None
        or len(title.split()) >= ARTICLE_WORDS
        or (len(title) >= TITLE_CHARS_CJK and _WIDE.search(title) is not None)
    )


def feed_addresses(page: str) -> list[str]:
    """Where feeds usually lie: beside the page, then at the root."""
    parts = urlsplit(page)
    root, folder = f"{parts.scheme}://{parts.netloc}", folder_of(page)
    beside = [f"{root}{folder}{name}" for name in ("feed/", "rss.xml", "feed.xml")] if folder != "/" else []
    return [*beside, *(root + path for path in COMMON_FEED_PATHS)]


def feed_name(body: bytes) -> str:
    """The name a feed gives itself; "" when it gives none."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        try:
            return named(str(json.loads(body).get("title") or ""))
        except (ValueError, AttributeError, RecursionError):
            return ""
    head = re.split(rb"<(?:\w+:)?(?:item|entry|image)[\s>]", body[:MAX_FEED_HEAD], maxsplit=1)[0]
    charset = re.search(rb"encoding=[\"']([\w-]+)", head)
    title = re.search(rb"<(?:\w+:)?title[^>]*>(.*?)</", head, re.DOTALL)
    if title is None:
        return ""
    try:
        text = title[1].decode(charset[1].decode() if charset else "utf-8", "replace")
    except LookupError:
        return ""
    return named(re.sub(r"<!\[CDATA\[(.*?)\]\]>", r"\1", text, flags=re.DOTALL))


def page_name(body: bytes) -> tuple[str, str]:
    """The name and the language of a page's site, "" for what it does not say."""
    tree = page_tree(body)
    if tree is None:
        return "", ""
    said = {str(meta.get("property", "")): str(meta.get("content", "")) for meta in tree.iter("meta")}
    title = next((element.text_content() for element in tree.iter("title")), "")
    root = tree if tree.tag == "html" else next(tree.iter("html"), tree)
    language = str(root.get("lang", ""))[:2].lower()
    return named(said.get("og:site_name", "") or title), language if language.isalpha() else ""


def named(text: str) -> str:
    name = " ".join(plain(html.unescape(text)).split())
    parts = dict.fromkeys(re.split(r" [|–—-] ", name))  # front pages like to call themselves "Paper | Paper"
    return (name if len(parts) > 1 else next(iter(parts)))[:MAX_NAME_CHARS].strip()


def language_of(entries: Sequence[Entry], default: str) -> str:
    """What most entries say they are written in, else what the page says."""
    said = Counter(entry.hint.language for entry in entries if re.fullmatch(r"[a-z]{2}", entry.hint.language))
    return said.most_common(1)[0][0] if said else default


def id_for(url: str, taken: Collection[str]) -> str:
    """An id from the host that no source has: paper-example, paper-example-blog, paper-example-2."""
    host = urlsplit(url).hostname or ""
    stem = slug(host.removeprefix("www.")) or "source"
    page = slug(folder_of(url))
    proposals = [stem, f"{stem}-{page}"] if page else [stem]
    number = 2
    while proposals[0] in taken:
        proposals.pop(0)
        if not proposals:
            proposals.append(f"{stem}-{number}")
            number += 1
    return proposals[0]


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")
