"""The corpus as feeds for any reader: one item a text, however many publishers copied it, for everything, a search or a topic.

An item is an article that stands for its copies, so a reader that follows a hundred publishers through this feed reads no text twice.
Items come in the order in which they came into the corpus, so what is found late is not missed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pipelines.errors import ConfigError
from pipelines.export.atom import FEED_ID, MAX_FEED_TEXT_CHARS, add_entry, checked, iso, new_feed, xml_text
from pipelines.report import JSON_ESCAPES
from pipelines.serve.asked import Asked, Feed
from pipelines.serve.words import concept_name, language_name, language_tag, outward, shown, time_of

if TYPE_CHECKING:
    from pipelines.store.room import Room

ITEMS, MOST_ITEMS = 50, 200  # a reader that comes once a day may ask for more: ?limit=200
FILTERS = ("q", "topic", "kind", "source", "language", "since", "limit")
IDENTITY = "urn:copydesk:feed"
ATOM_TYPE = "application/atom+xml; charset=utf-8"
JSON_TYPE = "application/feed+json; charset=utf-8"


class BadFeedError(Exception):
    """A search that cannot be made; the text says why."""


def rows_of(room: Room, asked: Asked) -> list[dict[str, Any]]:
    """The articles of the feed, the latest first, each with its topics."""
    items = asked.number("limit", most=MOST_ITEMS) or ITEMS
    try:
        found = (
            room.newest_found(asked.text("q"), asked.wanted(), items)
            if asked.text("q")
            else room.latest(asked.wanted(), items)
        )
    except ConfigError as error:
        raise BadFeedError(str(error)) from None
    chips = room.chips("a.id", json.dumps([row["id"] for row in found]))
    return [readable(row) | {"topics": [concept_name(chip["concept"]) for chip in chips[row["id"]]]} for row in found]


def readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without what a reader of feeds must not be led to or turned round by: it becomes an item without a link."""
    texts = {name: shown(row[name]) for name in ("title", "byline", "publisher", "text")}
    return {**row, **texts, "url": outward(row["url"])}


def title_of(asked: Asked) -> str:
    """copydesk, and what the feed is narrowed to."""
    names = {
        "q": asked.text("q") and f"“{asked.text('q')}”",
        "topic": concept_name(asked.text("topic")),
        "kind": asked.text("kind"),
        "source": asked.sources.name(asked.text("source")) if asked.text("source") else "",
        "language": language_name(asked.text("language")),
    }
    return " · ".join(["copydesk", *(name for name in names.values() if name)])


def query_of(asked: Asked) -> str:
    """The filters as they stand in the feed's address."""
    values = {name: asked.text(name) for name in FILTERS if asked.text(name)}
    return f"?{urlencode(values)}" if values else ""


def home_of(asked: Asked) -> str:
    """The page that shows what the feed gives."""
    return "/search" if asked.text("q") else "/"


def changed_at(row: Mapping[str, Any]) -> str:
    return iso(row.get("updated") or row.get("published") or row["fetched"])


def atom(room: Room, asked: Asked) -> Feed:
    from lxml import etree

    rows, query = rows_of(room, asked), query_of(asked)
    latest = max((changed_at(row) for row in rows), default="")
    feed = new_feed(title_of(asked), IDENTITY + query, time_of(latest) or asked.now)
    namespace = feed.tag.removesuffix("feed")
    for relation, path in (("self", asked.path + query), ("alternate", home_of(asked) + query)):
        etree.SubElement(feed, f"{namespace}link", rel=relation, href=xml_text(asked.base + path))
    for row in rows:
        add_entry(feed, row)
        for topic in row["topics"]:
            etree.SubElement(feed[-1], f"{namespace}category", term=xml_text(topic))
    return Feed(body=checked(feed), media_type=ATOM_TYPE)


def json_feed(room: Room, asked: Asked) -> Feed:
    rows, query = rows_of(room, asked), query_of(asked)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title_of(asked),
        "home_page_url": asked.base + home_of(asked) + query,
        "feed_url": f"{asked.base}{asked.path}{query}",
        "items": [item_of(row) for row in rows],
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False).translate(JSON_ESCAPES)
    return Feed(body=text.encode("utf-8", "replace"), media_type=JSON_TYPE)


def item_of(row: Mapping[str, Any]) -> dict[str, Any]:
    item = {
        "id": row["url"] or f"{FEED_ID}:{row['id']}",
        "url": row["url"],
        "title": " ".join(str(row["title"]).split()) or "(no title)",
        "content_text": str(row["text"])[:MAX_FEED_TEXT_CHARS],
        "date_published": iso(row.get("published") or row["fetched"]),
        "date_modified": changed_at(row),
        "authors": [{"name": name}] if (name := row.get("byline") or row["publisher"]) else [],
        "language": language_tag(row["language"]),
        "tags": row["topics"],
    }
    return {name: value for name, value in item.items() if value}
