"""A research institute's clean pages: <main>, <article>, <time>, lists and tables as they are meant."""

from __future__ import annotations

from html import escape

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, safe


def page(article: DemoArticle, frame: Frame) -> str:
    """Semantic markup; the date stands in <time> alone."""
    thread = comments(article, frame)
    is_inside = "comments_inside" in article.features
    details = f"<details>{thread}</details>" if "comments_details" in article.features else ""
    stamp = parts.local_time(article, frame, "%Y-%m-%dT%H:%M:%S%z")
    author = f'<p class="author">{safe(article.byline)}</p>' if article.byline else ""
    meta = f'<meta name="author" content="{escape(article.byline)}">' if article.byline else ""
    inner = f"""<a href="#main">{safe(frame.words.skip)}</a>
<header><a href="{frame.base}/">{safe(frame.publisher.name)}</a><nav aria-label="Main"><ul>{parts.menu(frame)}</ul></nav></header>
<main id="main"><article>
<header><p>{safe(article.section)}</p><h1>{safe(article.title)}</h1>
<p><time datetime="{stamp}">{parts.local_time(article, frame, "%d %B %Y")}</time></p>{author}</header>
{parts.body(article, frame)}
{thread if is_inside and not details else ""}{details}
</article>
{"" if is_inside or details else thread}
{related(article, frame)}
{parts.copies(article, frame)}
</main>
<aside>{parts.newsletter(frame)}{parts.share(frame)}</aside>
<footer><nav aria-label="Footer"><ul>{parts.footer_links(frame)}</ul></nav>
<p>{safe(frame.words.legal.format(frame.publisher.name))}</p></footer>
{parts.cookie_notice(frame)}"""
    return parts.document(article, frame, inner, head=meta)


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f"<li>{parts.anchor(title, frame.link(title))}<p>{safe(teaser)}…</p></li>" for title, teaser in article.related
    )
    return f'<section class="related"><h2>Related publications</h2><ul>{items}</ul></section>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    thread = parts.discussion(
        article, frame, heading="<h2>{}</h2>", item='<article class="comment"><h3>{}</h3><p>{}</p></article>'
    )
    return f'<section id="comments">{thread}</section>' if thread else ""
