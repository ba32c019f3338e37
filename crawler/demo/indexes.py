"""How the publishers announce their articles: feeds, sitemaps, a listing in pages, robots.txt.

Each says its dates in another way, because feeds do: with a zone, without one, as "updated" alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from zoneinfo import ZoneInfo

from crawler.demo.publishers import Publisher

TEASER_CHARS = 160
LISTING_PAGE = 3  # articles on one page of a listing
NAMESPACES = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entry of an index."""

    url: str
    title: str
    published: datetime
    byline: str = ""
    text: str = ""  # of the first paragraph

    @property
    def teaser(self) -> str:
        """The beginning of the text, cut without regard for words, as feeds do."""
        return self.text if len(self.text) <= TEASER_CHARS else self.text[:TEASER_CHARS] + " […]"


def rss(publisher: Publisher, base: str, lines: Sequence[Line]) -> str:
    """An RSS 2.0 feed. The Korean one leaves out the zone, the Chinese one writes its own."""
    items = "\n".join(rss_item(publisher, line) for line in lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {NAMESPACES}><channel>'
        f"<title>{escape(publisher.name)}</title><link>{base}/</link><language>{publisher.language}</language>\n"
        f'<atom:link href="{base}{publisher.index}" rel="self" type="application/rss+xml"/>\n{items}\n</channel></rss>\n'
    )


def rss_item(publisher: Publisher, line: Line) -> str:
    local = line.published.astimezone(ZoneInfo(publisher.timezone))
    stamp = f"{local:%Y-%m-%d %H:%M:%S}" if publisher.id == "hanbit" else format_datetime(local)
    author = f"<dc:creator>{escape(line.byline)}</dc:creator>" if line.byline else ""
    return (
        f"<item><title>{escape(line.title)}</title><link>{escape(line.url)}</link>"
        f'<guid isPermaLink="true">{escape(line.url)}</guid><pubDate>{stamp}</pubDate>{author}'
        f"<description>{escape(f'<p>{escape(line.teaser)}</p>')}</description></item>"
    )


def atom(publisher: Publisher, base: str, lines: Sequence[Line]) -> str:
    """An Atom feed; the German one gives "published" too, the portal only "updated"."""
    zone = ZoneInfo(publisher.timezone)
    entries = "\n".join(atom_entry(publisher, line, zone) for line in lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{publisher.language}">'
        f"<title>{escape(publisher.name)}</title><id>{base}/</id><updated>{newest(lines).astimezone(zone).isoformat()}</updated>\n"
        f'<link rel="self" href="{base}{publisher.index}"/>\n{entries}\n</feed>\n'
    )


def atom_entry(publisher: Publisher, line: Line, zone: ZoneInfo) -> str:
    stamp = line.published.astimezone(zone).isoformat()
    published = f"<published>{stamp}</published>" if publisher.id == "nordlicht" else ""
    author = f"<author><name>{escape(line.byline)}</name></author>" if line.byline else ""
    return (
        f'<entry><title>{escape(line.title)}</title><link href="{escape(line.url)}"/><id>{escape(line.url)}</id>'
        f"{published}<updated>{stamp}</updated>{author}<summary>{escape(line.teaser)}</summary></entry>"
    )


def sitemap_index(addresses: Sequence[str], changed: datetime) -> str:
    rows = "".join(
        f"<sitemap><loc>{escape(url)}</loc><lastmod>{changed:%Y-%m-%d}</lastmod></sitemap>\n" for url in addresses
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</sitemapindex>\n'
    )


def news_sitemap(publisher: Publisher, lines: Sequence[Line]) -> str:
    """A Google News sitemap."""
    rows = "".join(
        f"<url><loc>{escape(line.url)}</loc><news:news><news:publication><news:name>{escape(publisher.name)}</news:name>"
        f"<news:language>{publisher.language}</news:language></news:publication>"
        f"<news:publication_date>{line.published.isoformat()}</news:publication_date>"
        f"<news:title>{escape(line.title)}</news:title></news:news></url>\n"
        for line in lines
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">\n{rows}</urlset>\n'
    )


def plain_sitemap(addresses: Sequence[str]) -> str:
    rows = "".join(f"<url><loc>{escape(url)}</loc></url>\n" for url in addresses)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{rows}</urlset>\n'
    )


def listing(publisher: Publisher, lines: Sequence[Line]) -> dict[str, str]:
    """A section in pages: path of each page and its markup."""
    parts = [lines[start : start + LISTING_PAGE] for start in range(0, len(lines), LISTING_PAGE)] or [()]
    paths = [publisher.index, *(f"{publisher.index}?page={number}" for number in range(2, len(parts) + 1))]
    return {
        path: listing_page(publisher, part, paths[number + 1] if number + 1 < len(paths) else "")
        for number, (path, part) in enumerate(zip(paths, parts, strict=True))
    }


def listing_page(publisher: Publisher, lines: Sequence[Line], following: str) -> str:
    items = "".join(
        f'<li><h2><a href="{escape(line.url)}">{escape(line.title)}</a></h2>'
        f'<p>{line.published:%d %B %Y}</p><p>{escape(line.teaser)}</p><a href="{escape(line.url)}">Read more</a></li>\n'
        for line in lines
    )
    more = f'<a rel="next" href="{escape(following)}">Older publications</a>' if following else ""
    menu = "".join(f'<li><a href="/{name.lower()}">{name}</a></li>' for name in ("Home", "Analysis", "People", "Press"))
    return (
        f'<!doctype html>\n<html lang="{publisher.language}"><head><meta charset="utf-8"><title>Analysis | '
        f"{escape(publisher.name)}</title></head>\n<body><nav><ul>{menu}</ul></nav><main><h1>Analysis</h1>"
        f'<ul class="publications">\n{items}</ul>{more}</main></body></html>\n'
    )


def robots(publisher: Publisher, base: str) -> str:
    sitemap = f"Sitemap: {base}{publisher.index}\n" if publisher.kind == "sitemap" else ""
    return f"User-agent: *\nDisallow: {publisher.forbidden}\nAllow: /\n\n{sitemap}"


def newest(lines: Sequence[Line]) -> datetime:
    return max((line.published for line in lines), default=datetime(2026, 11, 10, tzinfo=UTC))
