"""A blog as WordPress themes make them: crumbs of empty categories, a related block, a reply form, a sidebar."""

from __future__ import annotations

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, safe


def page(article: DemoArticle, frame: Frame) -> str:
    """The article between a theme's header, sidebar and footer; comments outside <article> unless the page says so."""
    thread = comments(article, frame)
    is_inside = "comments_inside" in article.features
    details = f"<details>{thread}</details>" if "comments_details" in article.features else ""
    inner = f"""<a class="skip-link" href="#content">{safe(frame.words.skip)}</a>
<header class="site-header"><p class="site-title"><a href="{frame.base}/">{safe(frame.publisher.name)}</a></p>
<p class="site-description">Notes on the safety of capable machines</p>
<nav class="main-navigation"><ul>{parts.menu(frame)}</ul></nav></header>
<div id="content" class="site-content"><main id="main" class="site-main">
<article class="post type-post status-publish hentry">
<header class="entry-header"><div class="cat-links">, , ,</div>
<h1 class="entry-title">{safe(article.title)}</h1>
<div class="entry-meta"><span class="posted-on">{parts.local_time(article, frame, "%B %d, %Y")}</span>
<span class="byline">{parts.byline(article, frame)}</span></div></header>
<div class="entry-content">
{parts.body(article, frame)}
{parts.share(frame, "sharedaddy sd-sharing")}
</div>
<footer class="entry-footer"><span class="tags-links">Tags: <a href="/tag/x">{safe(article.section)}</a></span></footer>
{thread if is_inside and not details else ""}{details}
</article>
{related(article, frame)}
{"" if is_inside or details else thread}
{parts.copies(article, frame)}
</main>
<aside class="widget-area"><section class="widget"><h2 class="widget-title">{safe(frame.words.most_read)}</h2>
<ul>{parts.link_list(frame.latest[:5])}</ul></section>{parts.newsletter(frame, "widget widget_newsletter")}</aside></div>
<footer class="site-footer"><ul>{parts.footer_links(frame)}</ul>
<p>{safe(frame.words.legal.format(frame.publisher.name))}</p></footer>
{parts.cookie_notice(frame)}"""
    return parts.document(article, frame, inner, head=parts.open_graph(article, frame), joint=" – ")


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f'<div class="jp-relatedposts-post"><h4>{parts.anchor(title, frame.link(title))}</h4><p>{safe(teaser)}…</p></div>'
        for title, teaser in article.related
    )
    return f'<div class="jp-relatedposts"><h3>{safe(frame.words.related)}</h3>{items}</div>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    thread = parts.discussion(
        article,
        frame,
        heading='<h2 class="comments-title">{}</h2>',
        item='<div class="comment"><div class="comment-author"><b class="fn">{}</b></div>'
        '<div class="comment-content"><p>{}</p></div><div class="reply"><a href="#">Reply</a></div></div>',
    )
    form = parts.reply_form(frame, '<h3 id="reply-title">{}</h3>')
    return f'<div id="comments" class="comments-area">{thread}<div id="respond">{form}</div></div>'
