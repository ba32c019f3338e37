"""What came in, as a letter: the stories of a day or a week, most told first, each with two of its own sentences.

Pure: rows in, text, HTML, Markdown or a mail out. The HTML is for mail programs, so its styles stand on the elements, and it
loads nothing: no picture, no font, no script. What pages say is always escaped.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from itertools import islice
from typing import Any
from urllib.parse import quote

from pipelines.report import clip, escape_markdown, flat, moment, paragraphs, plural, printable, width
from pipelines.sentences import sentences
from pipelines.urls import is_web

Row = Mapping[str, Any]

NO_SPACES = ("zh", "ja")  # between two sentences
BETWEEN = " · "
COLUMNS = 72  # of a mail in plain text
LEAST_COLUMNS = 40  # a shorter sentence is a heading, a caption, or says little; Han and Hangul take two columns each
MOST_COLUMNS = 400  # of one sentence
LOOKED_AT = 12  # sentences among which the second is chosen: news tells the most first
FAR = 0.15  # what a sentence loses for each that stands between it and the first
SHOWN_NAMES = 6  # publishers in a line
SHOWN_CONCEPTS = 4
HANGING = 0.3  # what is left of a sentence's weight when it points at one before it
_POINTING = re.compile(
    r"(?:[\"'”“‘„«]*)(?:(?:it|its|he|his|she|her|they|their|this|these|that|those|but|and|however|also|er|sie|es|dies|diese[rs]?|aber|doch|und"
    r"|auch)\b|그는|그녀는|이는|이에|그러나|하지만|또한|또 |它|他|她|这|但|而|これ|それ|しかし|また|彼)",
    re.IGNORECASE,
)
_SAID = re.compile(r"[.!?…。！？｡．][\"'”’»)\]」』】）“‘«]*\Z")
_WORD = re.compile("[^\\W\\d_]{4,}|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]{2}")
_UNSAFE_IN_LINK = "/:?#@!$&*+,;=%~-._'"
BODY = "margin:0 auto;padding:16px;max-width:640px;font:16px/1.5 Georgia,'Times New Roman',serif;color:#1b1b1b;background:#ffffff"
SMALL = "margin:0 0 6px;font:13px/1.4 Helvetica,Arial,sans-serif;color:#595959"


@dataclass(frozen=True, slots=True)
class Teller:
    """Who told a story, where and when."""

    publisher: str
    url: str
    time: str


@dataclass(frozen=True, slots=True)
class Item:
    """A story of the digest."""

    story: int | None
    article: int
    title: str
    url: str
    language: str
    time: str
    publishers: int
    relevance: float
    first: Teller  # who told it first
    others: tuple[Teller, ...]  # who told it in words of their own
    copies: tuple[Teller, ...]
    concepts: tuple[str, ...]
    sentences: tuple[str, ...]

    def as_plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Digest:
    """The stories of a time, and how many there are in all."""

    since: datetime
    until: datetime
    items: tuple[Item, ...]
    total: int

    @property
    def heading(self) -> str:
        first, last = f"{self.since:%Y-%m-%d %H:%M}", f"{self.until:%Y-%m-%d %H:%M}"
        return f"{plural(self.total, 'story', 'stories')}, {first} – {last} UTC"

    @property
    def rest(self) -> str:
        """A line for what there was no room for."""
        left = self.total - len(self.items)
        return f"and {plural(left, 'more story', 'more stories')}: copydesk digest --limit {self.total}" if left else ""


def digest_of(
    rows: Iterable[Row], since: datetime, until: datetime, limit: int, text_of: Callable[[int], str]
) -> Digest:
    """Put stories in order, most publishers first, then the most relevant; those above `limit` are only counted.

    `text_of`: an article's text by its number; asked for the stories that are shown.
    """
    found = sorted(rows, key=weightiest)
    items = tuple(item_of(row, text_of(int(row["arrived"][0]["id"]))) for row in found[:limit])
    return Digest(since, until, items, len(found))


def weightiest(row: Row) -> tuple[int, float, str, int]:
    """A story's place: told by many before told by few."""
    lead = row["arrived"][0]
    return -tellers(row), -float(lead["relevance"] or 0), str(lead["published"] or lead["fetched"]), int(lead["id"])


def tellers(row: Row) -> int:
    return len({one["publisher"] for one in row["told"] or row["arrived"]})


def item_of(row: Row, text: str) -> Item:
    """A story told by the first of its new texts: what is known of it already was in an earlier digest."""
    lead, told = row["arrived"][0], row["told"] or row["arrived"]
    first = told[0]
    own = [one for one in told if one.get("canonical", 1) and one["id"] != first["id"]]
    copies = [one for one in told if not one.get("canonical", 1) and one["id"] != first["id"]]
    title, language = flat(lead["title"]), str(lead["language"] or "")
    return Item(
        story=row["story"],
        article=int(lead["id"]),
        title=title or flat(lead["url"]),
        url=str(lead["url"]),
        language=language,
        time=str(lead["published"] or lead["fetched"]),
        publishers=tellers(row),
        relevance=float(lead["relevance"] or 0),
        first=teller_of(first),
        others=tuple(map(teller_of, own)),
        copies=tuple(map(teller_of, copies)),
        concepts=tuple(row["concepts"][:SHOWN_CONCEPTS]),
        sentences=two_sentences(text, title, language),
    )


def teller_of(row: Row) -> Teller:
    return Teller(flat(row["publisher"]), str(row["url"]), str(row["published"] or row["fetched"]))


def two_sentences(text: str, title: str, language: str) -> tuple[str, ...]:
    """The first sentence that says something, and of those soon after it the one that shares most with title and text."""
    found = [one for one in sentences(text, language) if one != title]
    said = [one for one in found if width(one) >= LEAST_COLUMNS and _SAID.search(one)]
    near = list(islice(said or found, LOOKED_AT))
    if len(near) < 2:
        return tuple(clip(one, MOST_COLUMNS) for one in near)
    words = [set(_WORD.findall(one.casefold())) for one in near]
    common = Counter(word for found_words in words for word in found_words)
    common.update(dict.fromkeys(_WORD.findall(title.casefold()), 2))

    def weight(number: int) -> float:
        shared = sum(common[word] - 1 for word in words[number] - words[0])
        alone = HANGING if number > 1 and _POINTING.match(near[number]) else 1.0
        return alone * shared / math.sqrt(len(words[number]) or 1) / (1 + FAR * (number - 1))

    second = max(range(1, len(near)), key=lambda number: (weight(number), -number))
    return clip(near[0], MOST_COLUMNS), clip(near[second], MOST_COLUMNS)


def names(tellers: Sequence[Teller]) -> str:
    """Their publishers, each once."""
    found = list(dict.fromkeys(teller.publisher for teller in tellers))
    more = f" and {len(found) - SHOWN_NAMES} more" if len(found) > SHOWN_NAMES else ""
    return ", ".join(found[:SHOWN_NAMES]) + more


def facts(item: Item) -> list[str]:
    """Who was first, who else, who copied, and what it is about."""
    parts = [f"first: {item.first.publisher}, {moment(item.first.time)}"]
    if item.others:
        parts.append(f"also: {names(item.others)}")
    if item.copies:
        parts.append(f"{plural(len(item.copies), 'copy', 'copies')}: {names(item.copies)}")
    if item.concepts:
        parts.append("about " + ", ".join(concept.replace("_", " ") for concept in item.concepts))
    return parts


def together(item: Item) -> str:
    """The two sentences as one paragraph."""
    return ("" if item.language in NO_SPACES else " ").join(item.sentences)


def as_text(digest: Digest) -> str:
    """For a mail of plain text: lines of 72 columns, addresses whole."""
    lines = [digest.heading, ""]
    for item in digest.items:
        lines += paragraphs(item.title, COLUMNS)
        lines += [f"  {line}" for fact in facts(item) for line in paragraphs(fact, COLUMNS - 2)]
        lines += [f"  {line}" for line in paragraphs(together(item), COLUMNS - 2)]
        lines += [f"  {flat(item.url)}", ""]
    if digest.rest:
        lines += [digest.rest, ""]
    return printable("\n".join(lines))


def as_markdown(digest: Digest) -> str:
    lines = [f"# {digest.heading}", ""]
    for item in digest.items:
        lines += [f"## {markdown_link(item.title, item.url)}", "", escape_markdown(BETWEEN.join(facts(item))), ""]
        if item.sentences:
            lines += [f"> {escape_markdown(together(item))}", ""]
    if digest.rest:
        lines += [digest.rest, ""]
    return printable("\n".join(lines))


def markdown_link(title: str, url: str) -> str:
    """A title that leads to its article; the title alone where the address is none of the web."""
    shown = re.sub(r"([\\\[\]])", r"\\\1", escape_markdown(title))
    return f"[{shown}]({quote(url, safe=_UNSAFE_IN_LINK)})" if is_web(url) else shown


def as_html(digest: Digest) -> str:
    """A whole page for mail programs."""
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{safe(digest.heading)}</title></head>',
        f'<body style="{BODY}">',
        f'<h1 style="margin:0 0 16px;font-size:20px;line-height:1.3">{safe(digest.heading)}</h1>',
        *map(html_item, digest.items),
    ]
    if digest.rest:
        parts.append(f'<p style="{SMALL}">{safe(digest.rest)}</p>')
    return "\n".join([*parts, "</body></html>", ""])


def html_item(item: Item) -> str:
    language = f' lang="{safe(item.language)}"' if item.language else ""
    title = f"<bdi>{safe(item.title)}</bdi>"
    if is_web(item.url):
        title = f'<a href="{safe(item.url)}" style="color:#0b4f9e;text-decoration:none">{title}</a>'
    said = f'<p{language} style="margin:0"><bdi>{safe(together(item))}</bdi></p>' if item.sentences else ""
    return "\n".join(
        (
            '<div style="margin:0 0 22px;padding:0 0 18px;border-bottom:1px solid #dddddd">',
            f'<h2{language} style="margin:0 0 4px;font-size:18px;line-height:1.3">{title}</h2>',
            f'<p style="{SMALL}"><bdi>{safe(BETWEEN.join(facts(item)))}</bdi></p>',
            said + "</div>",
        )
    )


def safe(text: str) -> str:
    """Text that is only text in HTML, in an attribute too; what turns letters round or moves a cursor is gone."""
    return escape(printable(flat(text)), quote=True)


def as_mail(digest: Digest, receiver: str, now: datetime) -> bytes:
    """A message for `sendmail -t`, as text and as HTML."""
    mail = EmailMessage()
    first = f": {digest.items[0].title}" if digest.items else ""
    mail["Subject"] = printable(flat(clip(f"{plural(digest.total, 'story', 'stories')}{first}", COLUMNS)))
    mail["To"] = receiver
    mail["Date"] = format_datetime(now)
    mail.set_content(as_text(digest))
    mail.add_alternative(as_html(digest), subtype="html")
    return mail.as_bytes()


RENDERERS = {"text": as_text, "html": as_html, "markdown": as_markdown}
