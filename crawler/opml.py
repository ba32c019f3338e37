"""Feeds in and out as OPML, the file every feed reader can write.

Why it stands alone: text in, text out. The file is a stranger's: entities are refused, nothing is fetched for it, and what
it says to be in your own network is taken only when you say so too. What OPML has no words for stands in a namespace of ours.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lxml import etree

from pipelines.errors import InputError, one_line
from pipelines.urls import is_web, normal_form

if TYPE_CHECKING:
    from crawler.sources import Source

MAX_BYTES = 10 * 2**20  # a reader with ten thousand feeds writes two megabytes
SPACE = "urn:copydesk:opml"  # of our own attributes; other readers pass them by
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")  # no XML has a place for these


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed of an OPML file, or why it cannot be followed."""

    name: str
    url: str = ""
    home: str = ""
    group: str = ""
    language: str = ""
    is_local: bool = False
    is_topical: bool = False
    is_enabled: bool = True
    skipped: str = ""  # why


def read_opml(data: bytes, where: str, *, is_local: bool = False) -> list[Outline]:
    """Return the feeds of an OPML file; raise `InputError` when it is none. `is_local`: those of one's own network, too."""
    expected = "an OPML file"
    if len(data) > MAX_BYTES:
        raise InputError(where, f"{len(data):,} bytes", f"an OPML file of at most {MAX_BYTES:,}")
    if b"<!ENTITY" in data:
        raise InputError(where, "declares entities", "an OPML file without them")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(where, one_line(error) if data.strip() else "empty", expected) from None
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        raise InputError(where, "declares its own document type", "an OPML file without one")
    if etree.QName(root).localname.lower() != "opml":
        raise InputError(where, f"<{etree.QName(root).localname}>", "<opml> as the outermost element")
    return list(outlines(root, is_local=is_local))


def outlines(root: etree._Element, *, is_local: bool) -> Iterator[Outline]:
    """The outlines that name a feed, each with the folder it lies in."""
    for element in root.iter("{*}outline"):
        said = {str(key).lower(): " ".join(str(value).split()) for key, value in element.attrib.items()}
        address, kind = said.get("xmlurl", ""), said.get("type", "").lower()
        name = said.get("title") or said.get("text") or ""
        if not address:
            if kind in ("rss", "atom"):
                yield Outline(name=name or "(no name)", skipped="no xmlUrl")
            continue
        url, home = normal_form(address), said.get("htmlurl", "")
        parent = element.getparent()
        group = (parent.get("text") or parent.get("title") or "") if parent is not None else ""
        outline: dict[str, Any] = {
            "name": name or urlsplit(url).hostname or address,
            "group": " ".join(str(group).split()),
        }
        is_inside = bool(url) and (is_marked(said, "local") or is_private(url))
        if not url:
            yield Outline(**outline, skipped="not a web address")
        elif is_inside and not is_local:
            yield Outline(
                **outline, skipped="in a private network; `copydesk sources import --local` takes it if that is yours"
            )
        else:
            yield Outline(
                **outline,
                url=url,
                home=home if is_web(home) else "",
                language=language_of(said),
                is_local=is_inside,
                is_topical=is_marked(said, "topical"),
                is_enabled=not is_marked(said, "off"),
            )


def is_marked(said: Mapping[str, str], name: str) -> bool:
    return said.get(f"{{{SPACE}}}{name}", "").lower() == "true"


def language_of(said: Mapping[str, str]) -> str:
    language = said.get("language", "")[:2].lower()
    return language if re.fullmatch("[a-z]{2}", language) else ""


def is_private(url: str) -> bool:
    """True for an address that is not the public web's, as far as can be seen without asking."""
    host = (urlsplit(url).hostname or "").strip("[]")
    try:
        is_inside = not ipaddress.ip_address(host).is_global
    except ValueError:
        is_inside = host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return is_inside or urlsplit(url).port not in (None, 80, 443)


def write_opml(sources: Iterable[Source]) -> bytes:
    """Return the feeds as OPML, those of one group in one folder."""
    root = etree.Element("opml", {"version": "2.0"}, nsmap={"copydesk": SPACE})
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "copydesk"
    body = etree.SubElement(root, "body")
    folders: dict[str, etree._Element] = {"": body}
    for source in sources:
        if source.group not in folders:
            folders[source.group] = etree.SubElement(body, "outline", text=writable(source.group))
        values = {"type": "rss", "text": source.name, "title": source.name, "xmlUrl": source.url}
        if source.home:
            values["htmlUrl"] = source.home
        if source.language:
            values["language"] = source.language
        marks = {"local": source.local, "topical": source.topical_filter, "off": not source.enabled}
        values |= {f"{{{SPACE}}}{name}": "true" for name, is_set in marks.items() if is_set}
        written = {key: writable(value) for key, value in values.items()}
        etree.SubElement(folders[source.group], "outline", written)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
