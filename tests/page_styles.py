"""The same article in many page styles: how the tests know that cleaning does not hang on one site's markup.

All texts are invented. A style is a function from a `Story` to a page; `expected` is what must come out, in order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape


@dataclass
class Story:
    """An article and everything around it that must not come out."""

    title: str
    body: list[str]
    headings: set[str] = field(default_factory=set)
    comments: list[str] = field(default_factory=list)
    teasers: list[tuple[str, str]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    summary: list[str] = field(default_factory=list)
    footer: tuple[str, ...] = ("Copyright 2026. All rights reserved", "Privacy Policy", "Cookie settings")


def paragraphs(story, block="p", heading="h2", css=lambda name: ""):
    return "".join(
        f"<{heading}{css('sub')}>{escape(text)}</{heading}>"
        if text in story.headings
        else f"<{block}{css('par')}>{escape(text)}</{block}>"
        for text in story.body
    )


def related(story, css=lambda name: "", block="div", with_text=True):
    if not story.teasers:
        return ""
    items = "".join(
        f'<div{css("item")}><a href="/n/{n}"><{block}{css("t")}>{escape(title)}</{block}></a>'
        + (f"<{block}{css('d')}>{escape(text)}</{block}>" if with_text else "")
        + "</div>"
        for n, (title, text) in enumerate(story.teasers)
    )
    return f"<div{css('related')}><div{css('hd')}>Related article</div>{items}</div>"


def thread(story, css=lambda name: "", block="p"):
    items = "".join(
        f"<div{css('comment')}><span>user{n}</span><{block}>{escape(text)}</{block}></div>"
        for n, text in enumerate(story.comments)
    )
    return f"<div{css('thread')}><h3>Comments ({len(story.comments)})</h3><div>0/500</div>{items}</div>"


FORM = (
    "<div><h3>Leave a Reply</h3><form><p>Your email address will not be published. Required fields are marked *</p>"
    "<p>Save my name, email, and website in this browser for the next time I comment.</p></form></div>"
)
SHARE = "<div>Share this article</div>"
LETTER = "<p>Subscribe to our newsletter and never miss a story. Enter your email address</p>"


def questions(story, css=lambda name: ""):
    return (
        f"<div{css('in')}><h3>Insights</h3>" + "".join(f"<p>{escape(q)}</p>" for q in story.questions) + "</div>"
        if story.questions
        else ""
    )


def summary(story, css=lambda name: ""):
    if not story.summary:
        return ""
    return (
        f"<div{css('sum')}><div>Summarized by Site AI</div><ul>"
        + "".join(f"<li>{escape(s)}</li>" for s in story.summary)
        + "</ul></div>"
    )


def footer(story):
    return "<footer>" + "".join(f"<p>{escape(line)}</p>" for line in story.footer) + "</footer>"


def page(story, body, head=""):
    return f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(story.title)} | Site</title>{head}</head><body>{body}</body></html>'


NAV = '<div><a href="/">Home</a> <a href="/ai">AI</a> <a href="/biz">Business</a></div>'


def named(name):
    return f' class="{name}"'


def hashed(name):
    return f' class="css-{hashlib.md5(name.encode()).hexdigest()[:6]}"'


def after(story, css=lambda name: ""):
    return (
        questions(story, css)
        + related(story, css)
        + "<div>Related Special Topic Recommendations</div>"
        + thread(story, css)
        + FORM
    )


def classless(story):
    return page(
        story,
        f"{NAV}<div><h1>{escape(story.title)}</h1><div>{summary(story)}{paragraphs(story)}</div>{SHARE}{after(story)}</div>{LETTER}{footer(story)}",
    )


def all_in_article(story):
    return page(
        story,
        f"<nav>{NAV}</nav><main><article><h1>{escape(story.title)}</h1>{summary(story)}{paragraphs(story)}{SHARE}{after(story)}</article></main>{LETTER}{footer(story)}",
    )


def hashed_names(story):
    return page(
        story,
        f"{NAV}<div{hashed('w')}><h1>{escape(story.title)}</h1><div{hashed('b')}>{summary(story, hashed)}{paragraphs(story, css=hashed)}</div>{after(story, hashed)}</div>{LETTER}{footer(story)}",
    )


def hidden_copy(story):
    copy = f"<div style='display: none'>{paragraphs(story)}{related(story)}{thread(story)}</div>"
    return page(
        story,
        f"{NAV}<div class=post><h1>{escape(story.title)}</h1><div class=text>{summary(story)}{paragraphs(story)}</div>{after(story)}</div>{copy}{footer(story)}",
    )


def hidden_first(story):
    copy = f"<div hidden>{paragraphs(story, 'div', 'div')}</div>"
    return page(
        story,
        f"{copy}{NAV}<div class=post><h1>{escape(story.title)}</h1><div class=text>{paragraphs(story)}</div>{after(story)}</div>{footer(story)}",
    )


def mobile_copy(story):
    mobile = f"<div class=mobile-only><h1>{escape(story.title)}</h1>{paragraphs(story)}</div>"
    return page(
        story,
        f"{NAV}<div class=desktop><h1>{escape(story.title)}</h1><div class=text>{summary(story)}{paragraphs(story)}</div>{after(story)}</div>{mobile}{footer(story)}",
    )


def template_copy(story):
    data = json.dumps({"body": story.body})
    copy = f"<template>{paragraphs(story)}</template><script type='application/json'>{data}</script>"
    return page(
        story,
        f"{NAV}<div class=post><h1>{escape(story.title)}</h1>{paragraphs(story)}</div>{after(story)}{copy}{footer(story)}",
    )


def details_thread(story):
    closed = (
        f"<details><summary>Comments ({len(story.comments)})</summary>"
        + "".join(f"<p>{escape(c)}</p>" for c in story.comments)
        + "</details>"
    )
    return page(
        story,
        f"{NAV}<article><h1>{escape(story.title)}</h1>{paragraphs(story)}{questions(story)}{related(story)}{closed}{FORM}</article>{footer(story)}",
    )


def only_divs(story):
    body = paragraphs(story, "div", "div")
    return page(
        story,
        f"{NAV}<div class=a><div class=h>{escape(story.title)}</div><div class=b>{body}</div>{SHARE}{after(story, named)}</div>{footer(story)}",
    )


def only_breaks(story):
    body = "<br><br>".join(f"<b>{escape(text)}</b>" if text in story.headings else escape(text) for text in story.body)
    return page(
        story,
        f"{NAV}<div class=a><h1>{escape(story.title)}</h1><div class=b>{body}</div>{SHARE}{after(story, named)}</div>{footer(story)}",
    )


def layout_table(story):
    side = "".join(f"<a href='/m/{n}'>Story number {n} that many people read</a><br>" for n in range(6))
    rest = f"{SHARE}{after(story)}"
    return page(
        story,
        f"<table><tr><td colspan=2>{NAV}</td></tr><tr><td><h1>{escape(story.title)}</h1>{paragraphs(story)}{rest}</td><td><b>Most read</b><br>{side}</td></tr></table>{footer(story)}",
    )


def related_in_the_middle(story):
    half = len(story.body) // 2
    first, second = (Story(story.title, part, story.headings) for part in (story.body[:half], story.body[half:]))
    box = (
        "<div class=box><div>Related article</div>"
        + "".join(f"<p><a href='/n'>{escape(t)}</a></p><p>{escape(d)}</p>" for t, d in story.teasers)
        + "</div>"
    )
    line = f"<p>Read more: <a href='/n'>{escape(story.teasers[0][0])}</a></p>" if story.teasers else ""
    return page(
        story,
        f"{NAV}<article><h1>{escape(story.title)}</h1>{paragraphs(first)}{box}{line}{paragraphs(second)}</article>{questions(story)}{thread(story)}{footer(story)}",
    )


def thread_inside(story):
    return page(
        story,
        f"{NAV}<article class=post><h1>{escape(story.title)}</h1><div class=entry>{paragraphs(story)}{related(story, with_text=False)}{thread(story)}{questions(story)}</div></article>{footer(story)}",
    )


def sections_of_page(story):
    parts = "".join(
        f"<section><p>{escape(text)}</p></section>"
        if text not in story.headings
        else f"<section><h2>{escape(text)}</h2></section>"
        for text in story.body
    )
    return page(
        story,
        f"<header>{NAV}</header><main><h1>{escape(story.title)}</h1>{parts}</main><aside>{related(story)}</aside><section>{thread(story)}</section>{questions(story)}{footer(story)}",
    )


def paragraphs_all_alike(story):
    """No container at all: body, stories and comments are siblings of one kind."""
    tail = [
        "Related article",
        *(line for teaser in story.teasers for line in teaser),
        f"Comments ({len(story.comments)})",
        "0/500",
        *story.comments,
        "Leave a Reply",
    ]
    lines = [*story.body, *(["Insights", *story.questions] if story.questions else []), *tail]
    return page(story, f"<h1>{escape(story.title)}</h1>" + "".join(f"<p>{escape(line)}</p>" for line in lines))


def flat_text(story):
    lines = [
        "Home",
        story.title,
        *story.body,
        *(["Insights", *story.questions] if story.questions else []),
        "Related article",
    ]
    lines += [line for teaser in story.teasers for line in teaser] + [
        "Related Special Topic Recommendations",
        f"Comments ({len(story.comments)})",
        "0/500",
        *story.comments,
    ]
    return "\n".join([*lines, *story.body, *story.comments, "Leave a Reply", *story.footer])


STYLES: dict[str, Callable[[Story], str]] = {
    style.__name__: style
    for style in (
        classless, all_in_article, hashed_names, hidden_copy, hidden_first, mobile_copy, template_copy, details_thread, only_divs, only_breaks,
        layout_table, related_in_the_middle, thread_inside, sections_of_page, paragraphs_all_alike, flat_text,
    )
}  # fmt: skip
