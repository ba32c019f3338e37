"""A portal built by a machine: class names mean nothing, a summary and questions by AI, the text again as data."""

from __future__ import annotations

from zlib import crc32

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, Shape, safe


def css(name: str) -> str:
    """A class name as bundlers make them."""
    return f"_{crc32(name.encode()):08x}"


SHAPE = Shape(
    paragraph=f'<p class="{css("p")}">{{}}</p>',
    heading=f'<h2 class="{css("h")}">{{}}</h2>',
    quote=f'<blockquote class="{css("q")}"><p class="{css("p")}">{{}}</p></blockquote>',
    item=f'<li class="{css("li")}">{{}}</li>',
)


def page(article: DemoArticle, frame: Frame) -> str:
    """Nested boxes with hashed names; the article is found by its prose alone."""
    thread = comments(article, frame)
    is_inside = "comments_inside" in article.features
    details = f"<details>{thread}</details>" if "comments_details" in article.features else ""
    inner = f"""<div id="__root"><header class="{css("hd")}"><a href="{frame.base}/">{safe(frame.publisher.name)}</a>
<nav class="{css("nav")}">{parts.menu(frame, "<span>{}</span>")}</nav></header>
<div class="{css("app")}"><span>Read faster in our app</span><button>Open app</button></div>
<main class="{css("main")}"><article class="{css("art")}">
<div class="{css("top")}"><h1 class="{css("t")}">{safe(article.title)}</h1>
<div class="{css("meta")}"><span>{parts.byline(article, frame)}</span><span>{parts.local_time(article, frame, "%b %d, %Y %H:%M")}</span></div></div>
{summary(article)}
<div class="{css("body")}">
{parts.body(article, frame, SHAPE)}
</div>
{questions(article)}
{thread if is_inside and not details else ""}{details}
</article>
{parts.share(frame, css("share"))}
{related(article, frame)}
{"" if is_inside or details else thread}
{parts.copies(article, frame, SHAPE)}
</main>
<section class="{css("more")}"><h2>{safe(frame.words.most_read)}</h2><ul>{parts.link_list(frame.latest[:6])}</ul></section>
{parts.newsletter(frame, css("nl"))}
<footer class="{css("ft")}"><ul>{parts.footer_links(frame)}</ul><p>{safe(frame.words.legal.format(frame.publisher.name))}</p></footer></div>
{parts.cookie_notice(frame, css("ck"))}"""
    return parts.document(article, frame, inner, head=parts.json_ld(article, frame))


def summary(article: DemoArticle) -> str:
    if not article.summary:
        return ""
    items = "".join(f"<li>{safe(line)}</li>" for line in article.summary)
    return f'<div class="{css("sum")}"><div class="{css("sumt")}">Summarized by Lumen AI</div><ul>{items}</ul></div>'


def questions(article: DemoArticle) -> str:
    if not article.questions:
        return ""
    items = "".join(f'<p class="{css("qi")}">{safe(line)}</p>' for line in article.questions)
    return f'<div class="{css("qs")}"><h3>Insights</h3>{items}</div>'


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f'<div class="{css("card")}">{parts.anchor(title, frame.link(title), "<h4>{}</h4>")}<p>{safe(teaser)}…</p></div>'
        for title, teaser in article.related
    )
    return f'<section class="{css("rel")}"><h3>Related stories</h3>{items}</section>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    thread = parts.discussion(
        article,
        frame,
        item=f'<div class="{css("cm")}"><span class="{css("cn")}">{{}}</span><p class="{css("ct")}">{{}}</p><button>Like</button></div>',
    )
    return f'<section class="{css("cms")}">{thread}</section>' if thread else ""
