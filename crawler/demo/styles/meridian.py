"""A wire's site that is all <div>: copies for print and telephones, teasers, topics and a thread with a counter."""

from __future__ import annotations

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, Shape, safe

SHAPE = Shape(
    paragraph='<div class="par">{}</div>',
    heading='<div class="subhead"><h3>{}</h3></div>',
    quote='<blockquote class="par">{}</blockquote>',
    figure='<div class="photo"><img src="/photo/{}.jpg" alt=""><div class="photo-caption">{}</div></div>',
)


def page(article: DemoArticle, frame: Frame) -> str:
    """The story in the middle of a page without a single <article>."""
    thread = comments(article, frame)
    is_inside = "comments_inside" in article.features
    details = f"<details>{thread}</details>" if "comments_details" in article.features else ""
    topics = " ".join(
        f"<div>{parts.anchor(name, frame.base + '/topic/')}</div>" for name in ("Frontier models", "Incident reporting")
    )
    inner = f"""<div id="top"><div class="logo"><a href="{frame.base}/">{safe(frame.publisher.name)}</a></div>
<div class="gnb">{parts.menu(frame, "<span>{}</span>")}</div></div>
<div class="wrap"><div class="desktop">
<div class="news-head"><div class="crumb"><a href="/">Home</a> &gt; <a href="/">{safe(article.section)}</a></div>
<h1 class="headline">{safe(article.title)}</h1>
<div class="info"><span>{parts.byline(article, frame)}</span> <span>{parts.local_time(article, frame, "%Y-%m-%d %H:%M")}</span></div>
{parts.share(frame, "sns")}</div>
<div class="news-content">
{parts.body(article, frame, SHAPE)}
{thread if is_inside and not details else ""}{details}
</div>
{related(article, frame)}
<div class="special"><div class="tit">Related Special Topic Recommendations</div>{topics}</div>
{"" if is_inside or details else thread}
</div>
{parts.copies(article, frame, SHAPE)}
<div class="side"><div class="tit">{safe(frame.words.most_read)}</div>{parts.link_list(frame.latest[:6], "<div>{}</div>")}
{parts.newsletter(frame, "letter")}</div></div>
<div id="bottom">{parts.footer_links(frame, "<span>{}</span>")}
<div class="copyright">{safe(frame.words.legal.format(frame.publisher.name))}</div></div>
{parts.cookie_notice(frame, "layer-cookie")}"""
    return parts.document(article, frame, inner, joint=" - ")


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f'<div class="item"><div class="t">{parts.anchor(title, frame.link(title))}</div>'
        f'<div class="d">{safe(teaser)}</div></div>'
        for title, teaser in article.related
    )
    return f'<div class="relation"><div class="tit">Related article</div>{items}</div>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    thread = parts.discussion(
        article,
        frame,
        heading='<div class="tit">{}</div><div class="count">0/500</div>',
        item='<div class="reply-item"><div class="nick">{}</div><div class="txt">{}</div></div>',
    )
    return f'<div class="reply-list">{thread}</div>'
