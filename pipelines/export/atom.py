"""Articles as an Atom feed that every reader can parse, whatever their titles say.

A feed is written whole, or grows: new entries before the older ones, up to a limit, as a feed reader expects it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.errors import ConfigError
from pipelines.export.files import size_of, whole_file
from pipelines.export.lines import one_line

Row = Mapping[str, Any]

ATOM = "http://www.w3.org/2005/Atom"
FEED_ID = "urn:copydesk:export"
MAX_FEED_TEXT_CHARS = 2_000  # of an article in the feed; the whole is at its address
MAX_GROWN_ENTRIES = 500  # of a feed that grows; readers fetch all of it again and again
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x84\x86-\x9f]")
_URL_SCHEMES = ("http://", "https://")


def write_atom(rows: Iterable[Row], out: BinaryIO, now: datetime) -> int:
    """An Atom feed of the articles, parsed back before it is written."""
    feed = new_feed("copydesk", FEED_ID, now)
    count = 0
    for row in rows:
        count += 1
        add_entry(feed, row)
    out.write(checked(feed))
    return count


def grow_feed(path: Path, rows: Iterable[Row], now: datetime, title: str = "copydesk", identity: str = FEED_ID) -> int:
    """Put articles before the entries a feed file has; make the file when there is none. Return how many came.

    An entry that is there already gives its place to the new one. Raises `ConfigError` for a file that is no Atom feed.
    """
    from lxml import etree

    older = read_entries(path) if size_of(path) else []
    feed = new_feed(title, identity, now)
    holder = etree.Element("entries")
    for row in rows:
        add_entry(holder, row)
    fresh = list(holder)
    if not fresh and path.exists():
        return 0
    known: set[str] = set()
    for entry in [*reversed(fresh), *older]:  # the latest first, as in any feed
        key = entry.findtext(f"{{{ATOM}}}id") or ""
        if key not in known and len(known) < MAX_GROWN_ENTRIES:
            feed.append(entry)
        known.add(key)
    data = checked(feed)
    with whole_file(path) as file:
        file.write(data)
    return len(fresh)


def read_entries(path: Path) -> list[Any]:
    """The entries of a feed we wrote."""
    from lxml import etree

    parser = etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True, remove_blank_text=True)
    try:
        root = etree.parse(BytesIO(path.read_bytes()), parser).getroot()
    except (etree.XMLSyntaxError, OSError) as error:
        raise ConfigError(str(path), "no Atom feed", "a feed, or a new file", "nothing was written") from error
    if root.tag != f"{{{ATOM}}}feed":
        raise ConfigError(str(path), "no Atom feed", "a feed, or a new file", "nothing was written")
    return root.findall(f"{{{ATOM}}}entry")


def new_feed(title: str, identity: str, now: datetime) -> Any:
    from lxml import etree

    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})  # type: ignore[dict-item]
    add(feed, "title", title)
    add(feed, "id", identity)
    add(feed, "updated", iso(now))
    add(add(feed, "author"), "name", "copydesk")
    return feed


def checked(feed: Any) -> bytes:
    """The feed as bytes, which were parsed once."""
    from lxml import etree

    data: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8", pretty_print=True)
    etree.fromstring(data, etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True))
    return data


def add_entry(feed: Any, row: Row) -> None:
    from lxml import etree

    entry = etree.SubElement(feed, f"{{{ATOM}}}entry")
    url = str(row.get("url") or "")
    add(entry, "title", one_line(xml_text(str(row.get("title") or ""))) or "(no title)")
    add(entry, "id", url or f"{FEED_ID}:{row['id']}")
    add(entry, "updated", iso(row.get("updated") or row.get("published") or row.get("fetched")))
    if row.get("published"):
        add(entry, "published", iso(row["published"]))
    add(add(entry, "author"), "name", one_line(row.get("byline") or row.get("publisher")) or "unknown")
    if url.lower().startswith(_URL_SCHEMES):
        etree.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", href=xml_text(url))
    add(entry, "content", (row.get("text") or "")[:MAX_FEED_TEXT_CHARS]).set("type", "text")


def add(parent: Any, name: str, text: str = "") -> Any:
    from lxml import etree

    element = etree.SubElement(parent, f"{{{ATOM}}}{name}")
    element.text = xml_text(text) or None
    return element


def xml_text(text: str) -> str:
    """The text without what XML cannot hold or no reader should be sent: control characters, surrogates, U+FFFE."""
    return _NOT_XML.sub("", text)


def iso(time: Any) -> str:
    """A time as Atom wants it: with a zone, to the second."""
    found = time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)).isoformat(timespec="seconds")
