"""A national paper that puts everything inside <article>: newsletter box, share bar, bio, thread, legal line."""

from __future__ import annotations

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, Shape, safe

SHAPE = Shape(
    paragraph='<p class="story-body__p">{}</p>',
    heading='<h2 class="story-body__h">{}</h2>',
    quote='<blockquote class="story-body__quote"><p>{}</p></blockquote>',
    figure='<figure class="story-media"><img src="/media/{}.jpg" alt=""><figcaption>{}</figcaption></figure>',
)


def page(article: DemoArticle, frame: Frame) -> str:
    """One <article> that holds the story and everything the paper wants to sell beside it."""
    inner = f"""<header class="masthead"><a href="{frame.base}/">{safe(frame.publisher.name)}</a>
<a href="/login">Sign in</a> <a href="/subscribe">Subscribe</a><nav><ul>{parts.menu(frame)}</ul></nav></header>
<main><article class="story">
<p class="story-kicker">{safe(article.section)}</p>
<h1>{safe(article.title)}</h1>
<div class="story-byline">{parts.byline(article, frame)}</div>
<div class="story-date">{parts.local_time(article, frame, "%A, %B %d, %Y")}</div>
{parts.share(frame, "share-bar")}
<div class="story-body">
{parts.body(article, frame, SHAPE, amid=parts.newsletter(frame, "newsletter-box"))}
</div>
{bio(article)}
{related(article, frame)}
{comments(article, frame)}
<p class="story-legal">{safe(frame.words.legal.format(frame.publisher.name))} This material may not be reproduced without written consent.</p>
</article>
{parts.copies(article, frame, SHAPE)}
</main>
<aside class="rail"><h2>{safe(frame.words.most_read)}</h2><ol>{parts.link_list(frame.latest[:5])}</ol></aside>
<footer class="foot"><ul>{parts.footer_links(frame)}</ul></footer>
{parts.cookie_notice(frame, "consent")}"""
    head = f"{parts.open_graph(article, frame, is_dated=False)}\n{parts.json_ld(article, frame)}"
    return parts.document(article, frame, inner, head=head)


def bio(article: DemoArticle) -> str:
    if not article.byline:
        return ""
    return (
        f'<div class="author-bio"><h3>About the author</h3><p>{safe(article.byline)} is a staff writer who covers '
        "technology and public life for the paper.</p></div>"
    )


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f"<li>{parts.anchor(title, frame.link(title))}<p>{safe(teaser)}…</p></li>" for title, teaser in article.related
    )
    return f'<div class="more-on-this"><h3>More on this story</h3><ul>{items}</ul></div>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    """The thread stands inside the article, on some pages folded away."""
    is_folded = "comments_details" in article.features
    heading = "<summary>{}</summary>" if is_folded else "<h3>{}</h3>"
    thread = parts.discussion(
        article,
        frame,
        heading=heading,
        item='<div class="comment-item"><span class="comment-name">{}</span><p>{}</p></div>',
    )
    if not thread:
        return ""
    tag = "details" if is_folded else "section"
    return f'<{tag} class="conversation">{thread}{"" if is_folded else parts.reply_form(frame)}</{tag}>'
