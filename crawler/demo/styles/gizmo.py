"""A gadget magazine's old page: one box of text with double line breaks, claims nothing about itself."""

from __future__ import annotations

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, Shape, safe

SHAPE = Shape(
    paragraph="{}<br><br>",
    heading="<b>{}</b><br><br>",
    quote="<blockquote>{}</blockquote>",
    figure='<div class="pic"><img src="/pix/{}.jpg" alt=""><br><i>{}</i></div>',
)


def page(article: DemoArticle, frame: Frame) -> str:
    """No meta, no date in the markup but the reader's."""
    thread = comments(article, frame)
    is_inside = "comments_inside" in article.features
    details = f"<details>{thread}</details>" if "comments_details" in article.features else ""
    inner = f"""<div class="header"><a href="{frame.base}/">{safe(frame.publisher.name)}</a> {parts.menu(frame, "<span>{}</span>")}
<a href="{frame.base}/account/login">Log in</a></div>
<div class="page"><div class="post"><h1>{safe(article.title)}</h1>
<div class="posted">{parts.byline(article, frame)} on {parts.local_time(article, frame, "%b %d, %Y")}</div>
<div class="post-text">
{parts.body(article, frame, SHAPE)}
{thread if is_inside and not details else ""}{details}
</div>
{parts.share(frame, "share-box")}
{related(article, frame)}
{"" if is_inside or details else thread}
</div>
{parts.copies(article, frame, SHAPE)}
<div class="sidebar"><h3>{safe(frame.words.most_read)}</h3><ul>{parts.link_list(frame.latest[:5])}</ul>{parts.newsletter(frame)}</div></div>
<div class="footer">{parts.footer_links(frame, "<span>{}</span>")}<br>{safe(frame.words.legal.format(frame.publisher.name))}</div>
{parts.cookie_notice(frame)}"""
    return parts.document(article, frame, inner, joint=" : ")


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f"<div>{parts.anchor(title, frame.link(title), '<b>{}</b>')}<br>{safe(teaser)}…</div>"
        for title, teaser in article.related
    )
    return f'<div class="also"><h3>You might also like</h3>{items}</div>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    thread = parts.discussion(article, frame, item='<div class="c"><b>{}</b><br>{}</div>')
    return f'<div class="comments">{thread}{parts.reply_form(frame)}</div>' if thread else ""
