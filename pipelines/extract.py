"""Turn a fetched page into a document: its blocks in order, and what it claims of itself.

Why it stands alone: a mistake made here must never cost a second fetch. So it takes bytes and gives back a document;
it opens nothing, stores nothing, reads no clock. The page is parsed once; the glance marks what looks like the text, and
where it leaves doubt trafilatura is asked, on the same tree; cleaning decides. htmldate is called here and nowhere else: its
next release touches this file and the golden pages, no more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from warnings import catch_warnings

from lxml import etree, html

from pipelines.authors import byline_of
from pipelines.blocks import Walker
from pipelines.claims import Claims, canonical_of, gather
from pipelines.config import ExtractConfig
from pipelines.dates import claimed_dates, date_in_url, moment, visible_dates
from pipelines.decode import (
    decode,
    normalise,
    with_closed_title,
    with_one_end,
    without_control_references,
    without_scripts,
)
from pipelines.headline import title_of
from pipelines.language import code, language_of
from pipelines.main_text import kept_by_trafilatura, load_trafilatura
from pipelines.reading.glance import glance
from pipelines.records import Block, Document, Page, Rejection
from pipelines.urls import site

BINARY_SHARE = 0.02  # of control characters in the first bytes; above it the page is an image or a program
HEAD_BYTES = 2048
LANGUAGE_CHARS = 3000
_MAGIC = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"RIFF",
    b"\x7fELF",
    b"ID3",
    b"\0asm",
)
_TAG = re.compile(
    r"<(?:!doctype|html|head|body|p|div|a|br|title|article|span|table|h\d|meta|ul|section|main)\b", re.IGNORECASE
)
_PROLOGUE = re.compile(r"^\s*(?:<\?xml[^>]{0,300}\?>\s*)?(?:<!doctype[^>]{0,400}>)?", re.IGNORECASE)
_SELF_CLOSED = re.compile(r"(<html\b[^>]{0,1000}?)\s*/>", re.IGNORECASE)
# One class for all elements: lxml.html's own lookup asks Python each time an element is touched, a tenth of a page's time
_CLASSES = etree.ElementDefaultClassLookup(element=html.HtmlElement, comment=html.HtmlComment)
_BULLET = re.compile(r"^(?:[*•‣▪◦·●○■–-]|\d{1,2}[.)])\s+(?=\S)")


def extract(page: Page, config: ExtractConfig) -> Document | Rejection:
    """Return what the page says, or the one-word reason it says nothing. Never raises, whatever the bytes."""
    unusable = refused(page, config)
    if unusable is not None:
        return unusable
    text = decode(page.body, page.content_type)
    if page.content_type.lower().startswith("text/plain"):
        return from_text(page, without_control_references(text), config)
    if not _TAG.search(text[:200_000]):
        return rejected(page, "not_html", normalise(text[:80]))
    for markup in dict.fromkeys((without_scripts(text), text)):
        root = parsed(with_one_end(with_closed_title(without_control_references(markup))))
        document = from_tree(page, root, config) if root is not None else None
        if document is not None and document.blocks:
            return document
    return rejected(page, "parse_error" if root is None else "empty", "no element" if root is None else "no text")


def load() -> None:
    """Import what pages need, for a process that is about to be copied: its copies have it for nothing."""
    import htmldate  # noqa: F401

    load_trafilatura()


def refused(page: Page, config: ExtractConfig) -> Rejection | None:
    """Say why the bytes alone are no page; None when they may be one."""
    if not page.body.strip():
        return rejected(page, "empty", "no bytes")
    if len(page.body) > config.max_bytes:
        return rejected(page, "too_large", f"more than {config.max_bytes:,} bytes")
    return rejected(page, "not_html", "binary content") if is_binary(page.body) else None


def rejected(page: Page, reason: str, detail: str) -> Rejection:
    return Rejection(url=page.url, stage="extract", reason=reason, detail=detail, source=page.source)


def is_binary(body: bytes) -> bool:
    head = body[:HEAD_BYTES]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 is full of zeros and still text
        return False
    if head.startswith(_MAGIC):
        return True
    control = sum(byte < 32 and byte not in b"\t\n\r\f\x0b\x1b\0" for byte in head)
    return control > BINARY_SHARE * len(head) and b"<" not in head[:200]


def parsed(markup: str) -> Any:
    """One parse for everything. huge_tree: otherwise all text below 256 nested elements is lost without a word."""
    parser = html.HTMLParser(  # type: ignore[call-arg]  # the stubs lag behind
        collect_ids=False,
        default_doctype=False,
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
    )
    parser.set_element_class_lookup(_CLASSES)
    markup = _SELF_CLOSED.sub(r"\1>", _PROLOGUE.sub("", markup, count=1), count=1).replace("\0", "")
    try:
        return html.document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def from_tree(page: Page, root: Any, config: ExtractConfig) -> Document:
    """The document of a parsed page."""
    blocks = within(Walker().walk(root), config.max_text_chars)
    claims = gather(root)
    published, origin = published_of(claims, root, blocks, page)
    byline = byline_of(claims, root, page, blocks)
    blocks, is_sure = with_main(blocks, root, page.url)
    sample = (
        " ".join(block.text for block in blocks if block.is_main)[:LANGUAGE_CHARS]
        or " ".join(block.text for block in blocks)[:LANGUAGE_CHARS]
    )
    declared = (
        claims.language,
        claims.metas.get("content-language", ""),
        claims.metas.get("og:locale", ""),
        page.hint.language,
        page.traits.language,
    )
    return Document(
        url=page.url,
        final_url=page.final_url or page.url,
        canonical_url=canonical_of(claims, page),
        source=page.source,
        publisher=page.traits.publisher or site(page.final_url or page.url) or page.source,
        title=normalise(title_of(claims, page, blocks))[: config.max_title_chars],
        byline=normalise(byline)[: config.max_byline_chars],
        published=published,
        published_origin=origin,
        language=language_of(sample, declared),
        fetched=page.fetched,
        blocks=tuple(blocks),
        is_sure=is_sure,
    )


def within(blocks: list[Block], limit: int) -> list[Block]:
    """The blocks up to the limit of characters; the last one may be cut."""
    total = 0
    for index, block in enumerate(blocks):
        total += len(block.text)
        if total > limit:
            return [
                *blocks[:index],
                block.changed(text=block.text[: limit - total + len(block.text)] or block.text[:1]),
            ]
    return blocks


def with_main(blocks: list[Block], root: Any, url: str) -> tuple[list[Block], bool]:
    """Mark what looks like the text at a glance, or, where that leaves doubt, what trafilatura keeps; and say whether it was sure.

    The tree is not needed afterwards: it is pruned.
    """
    seen = glance(blocks)
    if seen.is_sure:
        marks = zip(blocks, seen.is_main.tolist(), strict=True)
        return [block.changed(is_main=True) if is_main else block for block, is_main in marks], True
    return kept_by_trafilatura(blocks, root, url, seen.is_main.tolist()), False


def published_of(claims: Claims, root: Any, blocks: list[Block], page: Page) -> tuple[datetime | None, str]:
    """When it was published and who says so: feed, JSON-LD, meta, what a reader sees, the address; in this order."""
    if (told := told_by_feed(page)) is not None:
        return told, "feed"
    for text, origin in claimed_dates(claims):
        found = moment(text, page)
        if found is not None:
            return found, origin
    for text in visible_dates(claims, blocks, page):
        found = moment(text, page)
        if found is not None:
            return found, "visible"
    found = moment(found_by_htmldate(root, page), page)
    if found is not None:
        return found, "visible"
    found = moment(date_in_url(page.url), page)
    return (found, "url") if found is not None else (None, "")


def told_by_feed(page: Page) -> datetime | None:
    """When the feed says it was published; a time to come is no such time."""
    told = page.hint.published
    return told if told is not None and told <= page.fetched else None


def found_by_htmldate(root: Any, page: Page) -> str:
    """A date in the markup by htmldate; not its extensive search, which takes a footer's year for a date."""
    from htmldate import find_date

    try:
        with catch_warnings(action="ignore"):  # of time zones it does not know: nothing a reader of the page can do
            return find_date(root, extensive_search=False, original_date=True, max_date=page.fetched.date().isoformat()) or ""  # fmt: skip
    except Exception:  # noqa: BLE001 - as above: no date is better than no page
        return ""


def from_text(page: Page, text: str, config: ExtractConfig) -> Document | Rejection:
    """A page already flattened to text: one block a line."""
    blocks = within(
        [text_block(line) for line in re.split(r"[\r\n\f\v\x85\u2028\u2029]+", text) if normalise(line)],
        config.max_text_chars,
    )
    if not blocks:
        return rejected(page, "empty", "no text")
    sample = " ".join(block.text for block in sorted(blocks, key=lambda block: -len(block.text))[:10])[:LANGUAGE_CHARS]
    published = told_by_feed(page)
    return Document(
        url=page.url,
        final_url=page.final_url or page.url,
        canonical_url="",
        source=page.source,
        publisher=page.traits.publisher or site(page.final_url or page.url) or page.source,
        title=normalise(page.hint.title or first_title(blocks))[: config.max_title_chars],
        byline=normalise(page.hint.byline)[: config.max_byline_chars],
        published=published,
        published_origin="feed" if published else "",
        language=language_of(sample, (code(page.hint.language), code(page.traits.language))),
        fetched=page.fetched,
        blocks=tuple(blocks),
    )


def text_block(line: str) -> Block:
    """A line as a block: a bullet makes a list item, a short line without a full stop a heading."""
    text = normalise(line)
    bullet = _BULLET.match(text)
    if bullet and not text[:1].isdigit():
        return Block(text=text[bullet.end() :], form="list_item")
    return Block(text=text, form="paragraph")


TITLE_LINES = 8  # the title of a flattened page stands above its text, after a crumb or the site's name
TITLE_WORDS = (4, 35)


def first_title(blocks: Sequence[Block]) -> str:
    """The first line of a headline's length above the first paragraph."""
    for block in blocks[:TITLE_LINES]:
        words = len(block.text.split())
        is_wide = any("\u3040" <= letter <= "\ud7a3" for letter in block.text)
        if words > TITLE_WORDS[1] or len(block.text) > 250:
            break
        if (
            (words >= TITLE_WORDS[0] or (is_wide and len(block.text) >= 10))
            and not block.text.endswith((".", "。"))
            and block.form != "list_item"
        ):
            return block.text
    return ""
