"""Show what became of every block of a page: as HTML to look at, as a dictionary for JSON, as Markdown to read.

The HTML needs nothing but itself: no script, no font, no request. Every piece of the page is escaped; the page being
explained may be hostile.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import Any

from pipelines.records import Block, Document
from pipelines.report import escape_markdown

LABELS = {
    "article": "kept", "title": "title", "byline": "byline", "caption": "caption", "summary": "machine summary", "comment": "comment",
    "comment_form": "comment form", "related": "other stories", "newsletter": "newsletter", "share": "share tools", "author_bio": "about the author",
    "navigation": "navigation", "legal": "legal notice", "paywall": "paywall", "repeat": "repeat", "site_template": "site template", "other": "other",
}  # fmt: skip
HUES = {  # degrees on the colour wheel, far apart for the kinds that meet most
    "title": 265, "byline": 240, "caption": 215, "summary": 290, "comment": 25, "comment_form": 40, "related": 5, "newsletter": 330, "share": 310,
    "author_bio": 190, "navigation": 55, "legal": 75, "paywall": 345, "repeat": 175, "site_template": 95, "other": 60,
}  # fmt: skip
_STYLE = """
:root{color-scheme:light dark;--page:#fff;--ink:#1a1c1e;--quiet:#5c6167;--line:#d8dbde;--light:94%;--edge:48%;--soft:40%}
@media(prefers-color-scheme:dark){:root{--page:#15171a;--ink:#e7e9eb;--quiet:#a0a6ad;--line:#363a3f;--light:16%;--edge:62%;--soft:30%}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:46rem;background:var(--page);color:var(--ink);font:1rem/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.4rem;line-height:1.25;margin:.5rem 0}
.facts,.why,nav{color:var(--quiet);font-size:.85rem}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem .9rem;list-style:none;padding:0;margin:.5rem 0 1.2rem}
.block{margin:.55rem 0;padding:.35rem .75rem;border-left:4px solid transparent}
.block p{margin:0}
.heading p{font-weight:650}
.list_item p::before{content:"• "}
.quote p{font-style:italic}
.kept{border-left-color:#2e8b57}
.gone{background:hsl(var(--hue) var(--soft) var(--light));border-left-color:hsl(var(--hue) 55% var(--edge));border-left-style:dashed}
.gone p{font-size:.92rem}
.why{margin-top:.15rem;display:block}
.why b{color:var(--ink)}
"""


def as_html(document: Document) -> str:
    """A self-contained page: every block in its place, coloured and labelled by its fate, with reason and evidence."""
    kinds = Counter(block.kind for block in document.blocks if not block.is_kept)
    legend = "".join(f"<li>{escape(LABELS.get(kind, kind))}: {count}</li>" for kind, count in kinds.most_common())
    kept = sum(block.is_kept for block in document.blocks)
    facts = " · ".join(
        escape(fact)
        for fact in (
            document.byline,
            f"{document.published:%Y-%m-%d} ({document.published_origin})" if document.published else "no date",
            document.language,
        )
        if fact
    )
    blocks = "\n".join(block_html(block) for block in document.blocks)
    return (
        f'<!doctype html>\n<html lang="{escape(document.language or "en")}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(document.title or document.url)}</title><style>{_STYLE}</style></head>\n<body>\n"
        f'<header><h1>{escape(document.title or "(no title)")}</h1><p class="facts">{escape(document.url)}<br>{facts}</p></header>\n'
        f'<nav aria-label="Fates"><ul><li>kept: {kept}</li>{legend}</ul></nav>\n<main>\n{blocks}\n</main>\n</body>\n</html>\n'
    )


explain_html = as_html


def block_html(block: Block) -> str:
    """One block with its label; colour is never the only sign."""
    text = f"<p>{escape(block.text)}</p>"
    if block.is_kept:
        note = "" if block.reason in ("", "body") else f'<span class="why">{escape(block.reason)}</span>'
        return f'<div class="block kept {escape(block.form)}">{text}{note}</div>'
    evidence = f": {escape(block.evidence)}" if block.evidence else ""
    label = escape(LABELS.get(block.kind, block.kind))
    return (
        f'<div class="block gone {escape(block.form)}" style="--hue:{HUES.get(block.kind, 60)}">{text}'
        f'<span class="why"><b>{label}</b> – {escape(block.reason)}{evidence}</span></div>'
    )


def as_dict(document: Document) -> dict[str, Any]:
    """What `copydesk clean --format json` writes."""
    return {
        "url": document.url,
        "title": document.title,
        "byline": document.byline,
        "published": document.published.isoformat() if document.published else None,
        "language": document.language,
        "text": document.text,
        "blocks": [
            {
                "text": block.text,
                "kind": block.kind,
                "kept": block.is_kept,
                "reason": block.reason,
                "evidence": block.evidence,
            }
            for block in document.blocks
        ],
    }


def as_markdown(document: Document) -> str:
    """Title, writer and date, then the kept blocks with their form."""
    date = f"{document.published:%Y-%m-%d}" if document.published else ""
    facts = ", ".join(fact for fact in (document.byline, date, document.url) if fact)
    parts = [
        f"# {escape_markdown(one_line(document.title))}" if document.title else "",
        f"*{escape_markdown(one_line(facts))}*" if facts else "",
    ]
    previous = ""
    for block in document.blocks:
        if not block.is_kept:
            continue
        line = block_markdown(block)
        if block.form == previous == "list_item" and parts:
            parts[-1] += "\n" + line
        else:
            parts.append(line)
        previous = block.form
    return "\n\n".join(part for part in parts if part) + "\n"


def block_markdown(block: Block) -> str:
    text = escape_markdown(one_line(block.text))
    if block.form == "heading":
        return "#" * max(2, min(block.level or 2, 6)) + " " + text
    if block.form == "list_item":
        return "- " + text
    if block.form == "quote":
        return "> " + text
    if block.form == "code":
        return "\n".join("    " + line for line in block.text.splitlines())
    return text


def one_line(text: str) -> str:
    return " ".join(text.split())
