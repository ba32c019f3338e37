"""A German magazine's page: a box "Lesen Sie auch", a newsletter in the text, readers' letters below."""

from __future__ import annotations

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, Shape, safe

SHAPE = Shape(
    paragraph='<p class="text">{}</p>',
    heading='<h3 class="zwischentitel">{}</h3>',
    quote='<blockquote class="zitat"><p class="text">{}</p></blockquote>',
    figure='<figure class="bild"><img src="/bilder/{}.jpg" alt=""><figcaption>{}</figcaption></figure>',
)


def page(article: DemoArticle, frame: Frame) -> str:
    """The article with the house's boxes around it."""
    thread = comments(article, frame)
    is_inside = "comments_inside" in article.features
    details = f"<details>{thread}</details>" if "comments_details" in article.features else ""
    inner = f"""<a href="#inhalt">{safe(frame.words.skip)}</a>
<header class="kopf"><a class="logo" href="{frame.base}/">{safe(frame.publisher.name)}</a><nav><ul>{parts.menu(frame)}</ul></nav></header>
<main id="inhalt"><article class="beitrag">
<header><span class="ressort">{safe(article.section)}</span><h1>{safe(article.title)}</h1>
<p class="autor">{parts.byline(article, frame)}</p>
<p class="datum">{parts.local_time(article, frame, "%d.%m.%Y, %H:%M")} Uhr</p></header>
<div class="beitrag-text">
{parts.body(article, frame, SHAPE, amid=parts.newsletter(frame, "newsletter-box"))}
</div>
{parts.share(frame, "teilen")}
{thread if is_inside and not details else ""}{details}
</article>
{related(article, frame)}
{"" if is_inside or details else thread}
{parts.copies(article, frame, SHAPE)}
</main>
<aside class="rand"><h2>{safe(frame.words.most_read)}</h2><ul>{parts.link_list(frame.latest[:5])}</ul></aside>
<footer class="fuss"><ul>{parts.footer_links(frame)}</ul><p>{safe(frame.words.legal.format(frame.publisher.name))}</p></footer>
{parts.cookie_notice(frame, "cookie-hinweis")}"""
    return parts.document(article, frame, inner, head=parts.json_ld(article, frame, "Article"))


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f'<div class="teaser">{parts.anchor(title, frame.link(title), "<h4>{}</h4>")}<p>{safe(teaser)} …</p></div>'
        for title, teaser in article.related
    )
    return f'<section class="lesen-sie-auch"><h3>{safe(frame.words.related)}</h3>{items}</section>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    thread = parts.discussion(
        article,
        frame,
        item='<div class="kommentar"><span class="name">{}</span><p>{}</p><a href="#">Antworten</a></div>',
    )
    return f'<section class="kommentare">{thread}{parts.reply_form(frame)}</section>' if thread else ""
