"""A Chinese site's page: paragraphs in nested boxes, the editor's line, further reading, comments."""

from __future__ import annotations

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, Shape, safe

SHAPE = Shape(
    heading="<p><strong>{}</strong></p>",
    figure='<p class="img"><img src="/img/{}.jpg" alt=""></p><p class="img-note">{}</p>',
)


def page(article: DemoArticle, frame: Frame) -> str:
    """A main column of boxes; the date is only visible text."""
    thread = comments(article, frame)
    is_inside = "comments_inside" in article.features
    details = f"<details>{thread}</details>" if "comments_details" in article.features else ""
    editor = f'<div class="editor">责任编辑：{safe(article.byline)}</div>' if article.byline else ""
    inner = f"""<div class="topbar"><a href="{frame.base}/">{safe(frame.publisher.name)}</a><ul>{parts.menu(frame)}</ul></div>
<div class="path">当前位置：<a href="/">首页</a> &gt; <a href="/">{safe(article.section)}</a></div>
<div class="main"><div class="left">
<h1 class="main-title">{safe(article.title)}</h1>
<div class="date-source"><span class="date">{parts.local_time(article, frame, "%Y年%m月%d日 %H:%M")}</span> <span class="source">来源：{safe(frame.publisher.name)}</span></div>
<div class="article-content" id="artibody">
{parts.body(article, frame, SHAPE)}
{thread if is_inside and not details else ""}{details}
</div>
{editor}
{parts.share(frame, "bdsharebuttonbox")}
{related(article, frame)}
{"" if is_inside or details else thread}
{parts.copies(article, frame, SHAPE)}
</div>
<div class="right"><div class="tit">{safe(frame.words.most_read)}</div><ul>{parts.link_list(frame.latest[:5])}</ul>
{parts.newsletter(frame, "subscribe")}</div></div>
<div class="foot">{parts.footer_links(frame, "<span>{}</span>")}<p>{safe(frame.words.legal.format(frame.publisher.name))}</p></div>
{parts.cookie_notice(frame, "cookie-tip")}"""
    meta = f'<meta name="author" content="{safe(article.byline)}">' if article.byline else ""
    return parts.document(article, frame, inner, head=meta, joint="_")


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f"<li>{parts.anchor(title, frame.link(title))}<p>{safe(teaser)}……</p></li>" for title, teaser in article.related
    )
    return f'<div class="relate"><h3>{safe(frame.words.related)}</h3><ul>{items}</ul></div>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    thread = parts.discussion(
        article, frame, item='<div class="cmt"><span class="user">{}</span><p class="cmt-txt">{}</p></div>'
    )
    return f'<div class="comment-box">{thread}{parts.reply_form(frame)}</div>' if thread else ""
