"""A Korean paper's page: the picture's line, the reporter's mail, the copyright line, readers' comments."""

from __future__ import annotations

from crawler.demo.articles import DemoArticle
from crawler.demo.styles import parts
from crawler.demo.styles.parts import Frame, Shape, safe

SHAPE = Shape(
    heading="<h3>{}</h3>",
    figure='<div class="photo-layout"><figure><img src="/photo/{}.jpg" alt=""><figcaption>{}</figcaption></figure></div>',
)


def page(article: DemoArticle, frame: Frame) -> str:
    """Title area, body area, then what Korean papers put below a body."""
    thread = comments(article, frame)
    is_inside = "comments_inside" in article.features
    details = f"<details>{thread}</details>" if "comments_details" in article.features else ""
    inner = f"""<a href="#article-view">{safe(frame.words.skip)}</a>
<div id="user-header"><h1 class="logo"><a href="{frame.base}/">{safe(frame.publisher.name)}</a></h1>
<nav id="user-nav"><ul>{parts.menu(frame)}</ul></nav></div>
<section id="article-view"><header class="article-view-header">
<h3 class="heading">{safe(article.title)}</h3>
<ul class="infomation"><li>{parts.byline(article, frame)}</li><li>입력 {parts.local_time(article, frame, "%Y.%m.%d %H:%M")}</li><li>댓글 {len(article.comments)}</li></ul>
{parts.share(frame, "article-sns")}</header>
<article id="article-view-content-div" class="article-veiw-body">
{parts.body(article, frame, SHAPE)}
{signature(article)}
{thread if is_inside and not details else ""}{details}
</article>
<p class="view-copyright">{safe(frame.words.legal.format(frame.publisher.name))}</p>
{related(article, frame)}
{"" if is_inside or details else thread}
{parts.copies(article, frame, SHAPE)}
</section>
<aside id="skin-side"><div class="auto-header">{safe(frame.words.most_read)}</div><ol>{parts.link_list(frame.latest[:5])}</ol>
{parts.newsletter(frame)}</aside>
<footer id="user-footer"><ul>{parts.footer_links(frame)}</ul><p>등록번호 가00000 | 발행인 한빛기술신문사</p></footer>
{parts.cookie_notice(frame)}"""
    return parts.document(article, frame, inner, head=parts.open_graph(article, frame), joint=" - ")


def signature(article: DemoArticle) -> str:
    """The line with the reporter's mail that ends a Korean story."""
    if not article.byline:
        return ""
    return f'<p class="reporter">{safe(article.byline)} 기자 newsroom@hanbit.example</p>'


def related(article: DemoArticle, frame: Frame) -> str:
    items = "".join(
        f"<li>{parts.anchor(title, frame.link(title), '<strong>{}</strong>')}<p>{safe(teaser)}…</p></li>"
        for title, teaser in article.related
    )
    return f'<div class="related-news"><h4>{safe(frame.words.related)}</h4><ul>{items}</ul></div>' if items else ""


def comments(article: DemoArticle, frame: Frame) -> str:
    thread = parts.discussion(
        article,
        frame,
        heading="<h4>{}</h4>",
        item='<div class="reply"><strong class="name">{}</strong><p class="cont">{}</p></div>',
    )
    return f'<div id="article-reply">{thread}{parts.reply_form(frame, "<h4>{}</h4>")}</div>'
