"""An article as the page its publisher would serve: the style is the publisher's, the content the article's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import TypeAlias

from crawler.demo.articles import DemoArticle
from crawler.demo.publishers import Publisher
from crawler.demo.styles import castellan, gizmo, hanbit, ledger, lumen, meridian, nordlicht, qinghe, tidewatch
from crawler.demo.styles.parts import Frame, link_list, menu, safe

Style: TypeAlias = Callable[[DemoArticle, Frame], str]

STYLES: Mapping[str, Style] = {
    "tidewatch": tidewatch.page,
    "meridian": meridian.page,
    "lumen": lumen.page,
    "castellan": castellan.page,
    "ledger": ledger.page,
    "hanbit": hanbit.page,
    "qinghe": qinghe.page,
    "nordlicht": nordlicht.page,
    "gizmo": gizmo.page,
}


def article_page(article: DemoArticle, frame: Frame) -> str:
    """The page of an article."""
    return STYLES[article.publisher](article, frame)


def front_page(frame: Frame) -> str:
    """The site's home: its menu and its newest headlines; names the feed when there is one."""
    publisher = frame.publisher
    form = "atom" if "atom" in publisher.index else "rss"
    feed = f'<link rel="alternate" type="application/{form}+xml" href="{publisher.index}">'
    return simple_page(
        publisher,
        publisher.name,
        f"<nav><ul>{menu(frame)}</ul></nav><ul>{link_list(frame.latest)}</ul>",
        head=feed if publisher.kind == "feed" else "",
    )


def missing_page(publisher: Publisher) -> str:
    """What the site says where there is nothing."""
    return simple_page(publisher, "404", '<h1>404</h1><p>Page not found.</p><p><a href="/">Home</a></p>')


def login_page(frame: Frame) -> str:
    """A page without an article that some feed links all the same."""
    inner = (
        f"<nav><ul>{menu(frame)}</ul></nav><h1>Log in to your account</h1>"
        '<form action="/account"><label>Email <input name="email"></label><label>Password <input type="password"></label>'
        "<button>Log in</button></form><p>Forgot your password?</p>"
        f"<h2>{safe(frame.words.most_read)}</h2><ul>{link_list(frame.latest)}</ul>"
    )
    return simple_page(frame.publisher, "Log in", inner)


def archive_page(frame: Frame) -> str:
    """A list of everything the site has: headlines, and no text of its own."""
    inner = f"<nav><ul>{menu(frame)}</ul></nav><main><h1>Archive</h1><ul>{link_list(frame.latest)}</ul></main>"
    return simple_page(frame.publisher, "Archive", inner)


def simple_page(publisher: Publisher, title: str, inner: str, head: str = "") -> str:
    return (
        f'<!doctype html>\n<html lang="{publisher.language}"><head><meta charset="utf-8">'
        f"<title>{escape(title)} | {escape(publisher.name)}</title>{head}</head>\n<body>{inner}</body></html>\n"
    )
