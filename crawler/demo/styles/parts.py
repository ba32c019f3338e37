"""What the styles share: text made safe, a body put into a style's elements, copies, boxes and claims.

A style says which elements and class names it uses; what a page holds is decided by its article alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby
from zoneinfo import ZoneInfo

from crawler.demo.articles import DemoArticle, Pair
from crawler.demo.publishers import Publisher, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Where a page stands: its site, its address, and what it may link to."""

    publisher: Publisher
    base: str  # http://127.0.0.1:1234
    address: str
    latest: tuple[Pair, ...]  # headline and address of other pages of the site
    links: Mapping[str, str]  # headline: address, of every site

    @property
    def words(self) -> Words:
        return self.publisher.words

    def link(self, headline: str) -> str:
        """Where a headline leads; an old one that is no longer online leads to the front page."""
        return self.links.get(headline, f"{self.base}/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The elements a style uses for a body; `{}` is the text."""

    paragraph: str = "<p>{}</p>"
    heading: str = "<h2>{}</h2>"
    quote: str = "<blockquote><p>{}</p></blockquote>"
    item: str = "<li>{}</li>"
    items: str = "<ul>{}</ul>"
    figure: str = '<figure><img src="/images/{}.jpg" alt=""><figcaption>{}</figcaption></figure>'


PLAIN = Shape()
MOBILE_CSS = "<style>.mobile-only{display:none}@media (max-width:600px){.mobile-only{display:block}}</style>"


def safe(text: str) -> str:
    """Text as markup."""
    return escape(text, quote=False)


def chunks(article: DemoArticle, shape: Shape = PLAIN) -> list[str]:
    """The body as markup, one string for each paragraph, list or table; the picture after the first."""
    found: list[str] = []
    for form, group in groupby(article.body, key=lambda piece: piece[0]):
        texts = [text for _, text in group]
        if form == "li":
            found.append(shape.items.format("".join(shape.item.format(safe(text)) for text in texts)))
        elif form == "tr":
            found.append(table(texts))
        else:
            pattern = {"p": shape.paragraph, "h2": shape.heading, "quote": shape.quote}[form]
            found += [pattern.format(safe(text)) for text in texts]
    if article.caption:
        found.insert(1, shape.figure.format(article.slug, safe(article.caption)))
    if article.tail:
        found.append(shape.paragraph.format(safe(article.tail[1])))
    return found


def table(rows: Iterable[str]) -> str:
    """Rows whose cells are joined by " | "; the first one heads the columns."""
    lines = []
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        lines.append("<tr>" + "".join(f"<{tag}>{safe(cell)}</{tag}>" for cell in row.split(" | ")) + "</tr>")
    return "<table>" + "\n".join(lines) + "</table>"


def body(article: DemoArticle, frame: Frame, shape: Shape = PLAIN, *, amid: str = "") -> str:
    """The body with what the site puts in its middle: a "read more" line, and `amid`."""
    found = chunks(article, shape)
    middle = max(2, len(found) // 2)
    if "read_more" in article.features and frame.latest:
        headline, address = frame.latest[0]
        link = f'<a href="{escape(address)}">{safe(headline)}</a>'
        found.insert(middle, shape.paragraph.format(f"<strong>{safe(frame.words.read_more)}</strong>{link}"))
    if amid:
        found.insert(min(middle + 2, len(found) - 1), amid)
    return "\n".join(found)


def copies(article: DemoArticle, frame: Frame, shape: Shape = PLAIN) -> str:
    """The whole article again, where the page asks for it: not shown, for telephones, as data."""
    found = []
    if "hidden_copy" in article.features:
        inner = f"<div>{safe(article.title)}</div>\n" + "\n".join(chunks(article, shape))
        found.append(f'<div class="print-view" style="display:none">{inner}</div>')
    if "mobile_copy" in article.features:
        inner = f"<h1>{safe(article.title)}</h1>\n" + "\n".join(chunks(article, shape))
        found.append(f'<div class="mobile-only m-view">{inner}</div>')
    if "json_copy" in article.features:
        state = {"article": {"url": frame.address, "headline": article.title, "paragraphs": list(article.paragraphs)}}
        found.append(f'<script type="application/json" id="page-state">{as_script(state)}</script>')
    return "\n".join(found)


def as_script(value: object) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")


def anchor(headline: str, address: str, pattern: str = "{}") -> str:
    return f'<a href="{escape(address)}">{pattern.format(safe(headline))}</a>'


def link_list(pairs: Iterable[Pair], item: str = "<li>{}</li>") -> str:
    """Headlines as links."""
    return "".join(item.format(anchor(headline, address)) for headline, address in pairs)


def menu(frame: Frame, item: str = "<li>{}</li>") -> str:
    return link_list(((name, f"{frame.base}/?section={number}") for number, name in enumerate(frame.words.menu)), item)


def footer_links(frame: Frame, item: str = "<li>{}</li>") -> str:
    return link_list(((name, f"{frame.base}/?page={number}") for number, name in enumerate(frame.words.footer)), item)


def local_time(article: DemoArticle, frame: Frame, form: str) -> str:
    """The time of publication as a reader of the site sees it."""
    return article.published.astimezone(ZoneInfo(frame.publisher.timezone)).strftime(form)


def byline(article: DemoArticle, frame: Frame) -> str:
    return safe(frame.words.by.format(article.byline)) if article.byline else ""


def cookie_notice(frame: Frame, css: str = "cookie-banner") -> str:
    notice, accept, settings = frame.words.cookies
    return (
        f'<div class="{css}" role="dialog"><p>{safe(notice)}</p>'
        f"<button>{safe(accept)}</button><button>{safe(settings)}</button></div>"
    )


def newsletter(frame: Frame, css: str = "newsletter") -> str:
    title, call, button = frame.words.newsletter
    return (
        f'<div class="{css}"><h3>{safe(title)}</h3><p>{safe(call)}</p>'
        f'<form action="/subscribe"><input type="email" name="email"><button>{safe(button)}</button></form></div>'
    )


def share(frame: Frame, css: str = "share") -> str:
    title, *services = frame.words.share
    return f'<div class="{css}"><span>{safe(title)}</span><ul>{link_list((name, "#") for name in services)}</ul></div>'


def json_ld(article: DemoArticle, frame: Frame, kind: str = "NewsArticle") -> str:
    """The article's claims as schema.org data."""
    claims: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": kind,
        "mainEntityOfPage": frame.address,
        "headline": article.title,
        "datePublished": local_time(article, frame, "%Y-%m-%dT%H:%M:%S%z"),
        "inLanguage": article.language,
        "publisher": {"@type": "Organization", "name": frame.publisher.name},
    }
    if article.byline:
        claims["author"] = {"@type": "Person", "name": article.byline}
    return f'<script type="application/ld+json">{as_script(claims)}</script>'


def open_graph(article: DemoArticle, frame: Frame, *, is_dated: bool = True) -> str:
    """The article's claims as meta elements."""
    metas = {
        "og:type": "article",
        "og:title": article.title,
        "og:url": frame.address,
        "og:site_name": frame.publisher.name,
    }
    if is_dated:
        metas["article:published_time"] = local_time(article, frame, "%Y-%m-%dT%H:%M:%S%z")
    lines = [f'<meta property="{name}" content="{escape(value)}">' for name, value in metas.items()]
    if article.byline:
        lines.append(f'<meta name="author" content="{escape(article.byline)}">')
    return "\n".join(lines)


def document(article: DemoArticle, frame: Frame, inner: str, *, head: str = "", joint: str = " | ") -> str:
    """The whole page."""
    title = safe(f"{article.title}{joint}{frame.publisher.name}")
    return (
        f'<!doctype html>\n<html lang="{article.language}">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="canonical" href="{escape(frame.address)}">\n'
        f"{head}\n{MOBILE_CSS}\n"
        f"</head>\n<body>\n{inner}\n</body>\n</html>\n"
    )


def discussion(article: DemoArticle, frame: Frame, *, item: str, heading: str = "<h3>{}</h3>") -> str:
    """The comment thread: its heading and every comment; `item` takes name and text. "" without comments."""
    if not article.comments:
        return ""
    title = heading.format(safe(frame.words.comments.format(len(article.comments))))
    return title + "\n".join(item.format(safe(name), safe(text)) for name, text in article.comments)


def reply_form(frame: Frame, heading: str = "<h3>{}</h3>") -> str:
    title, *lines = frame.words.form
    inner = "".join(f"<p>{safe(line)}</p>" for line in lines)
    return (
        f'{heading.format(safe(title))}<form action="/comment">{inner}<textarea name="comment"></textarea>'
        f"<button>{safe(frame.words.post)}</button></form>"
    )
