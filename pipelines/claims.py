"""What a page claims of itself, gathered in one pass over it; and the address it claims.

Claims are never trusted blindly: a page can name another site as its home, a footer's year as its date and its own
publisher as its writer. They are weighed one by one in headline.py, authors.py and dates.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipelines.decode import letters_of, normalise
from pipelines.records import Page
from pipelines.urls import is_same_site, normal_form, site

MAX_JSON_CHARS = 500_000  # one JSON-LD script; real ones have under 50 kB, hostile ones 10 MB
MAX_JSON_SCRIPTS = 20
MAX_NODES = 2000
MAX_TIMES = 10

_ARTICLE_TYPE = re.compile(r"article|posting|report|news|webpage", re.IGNORECASE)
_LD_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{6,40})"')


@dataclass(slots=True)
class Claims:
    """Everything the head of a page says, gathered in one pass."""

    metas: dict[str, str] = field(default_factory=dict)
    title_tag: str = ""
    headings: list[str] = field(default_factory=list)
    canonical: str = ""
    language: str = ""
    times: list[str] = field(default_factory=list)
    linked: list[dict[str, Any]] = field(default_factory=list)  # JSON-LD nodes that are articles
    linked_date: str = ""
    publishers: list[str] = field(default_factory=list)  # what JSON-LD calls the site
    known: dict[str, dict[str, Any]] = field(default_factory=dict)  # people and organisations by their @id


def gather(root: Any) -> Claims:
    """Read the page's claims in one walk over the few elements that make them."""
    claims = Claims(language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "")
    scripts = 0
    for node in root.iter("meta", "title", "h1", "link", "time", "script"):
        tag = node.tag
        if tag == "meta":
            name = node.get("property") or node.get("name") or node.get("itemprop") or node.get("http-equiv") or ""
            claims.metas.setdefault(name.strip().lower(), normalise(node.get("content") or ""))
        elif tag == "title" and not claims.title_tag:
            claims.title_tag = normalise("".join(node.itertext()))
        elif tag == "h1" and len(claims.headings) < 5:
            claims.headings.append(normalise("".join(node.itertext())))
        elif tag == "link" and "canonical" in (node.get("rel") or "").lower():
            claims.canonical = claims.canonical or (node.get("href") or "")
        elif tag == "time" and node.get("datetime") and len(claims.times) < MAX_TIMES:
            note_time(node, claims)
        elif tag == "script" and "ld+json" in (node.get("type") or "") and scripts < MAX_JSON_SCRIPTS:
            scripts += 1
            read_linked(node.text or "", claims)
    return claims


def note_time(node: Any, claims: Claims) -> None:
    """A moment the page shows: what is marked as publication comes first, as the last change not at all."""
    role = " ".join((node.get("itemprop") or "", node.get("class") or "")).lower()
    if "publish" in role or node.get("pubdate") is not None:
        claims.times.insert(0, node.get("datetime"))
    elif "modif" not in role and "updated" not in role.split():
        claims.times.append(node.get("datetime"))


def read_linked(text: str, claims: Claims) -> None:
    """Add a JSON-LD script's articles; of broken JSON only the date, found by its key."""
    text = text[:MAX_JSON_CHARS]
    try:
        found = list(nodes(json.loads(text, strict=False)))
    except (ValueError, RecursionError):
        match = _LD_DATE.search(text)
        claims.linked_date = claims.linked_date or (match.group(1) if match else "")
        return
    claims.linked += [node for node in found if _ARTICLE_TYPE.search(str(node.get("@type")))]
    for node in found:
        if isinstance(node.get("@id"), str) and isinstance(node.get("name"), str):
            claims.known.setdefault(node["@id"], node)
        publisher = node.get("publisher")
        if isinstance(publisher, dict) and isinstance(publisher.get("name"), str):
            claims.publishers.append(publisher["name"])
        if node.get("@type") == "WebSite" and isinstance(node.get("name"), str):
            claims.publishers.append(node["name"])


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a JSON value, breadth first and bounded."""
    queue, seen = [value], 0
    while queue and seen < MAX_NODES:
        found = queue.pop(0)
        seen += 1
        if isinstance(found, dict):
            yield found
            queue += [inner for inner in found.values() if isinstance(inner, dict | list)]
        elif isinstance(found, list):
            queue += found[:MAX_NODES]


def canonical_of(claims: Claims, page: Page) -> str:
    """The page's own address for itself, only when it is on the same site: others would take over its identity."""
    for claim in (claims.canonical, claims.metas.get("og:url", "")):
        if claim == page.url and page.final_url in ("", page.url):
            return claim  # as most say, and a page's address is in normal form already
        url = normal_form(claim, page.final_url or page.url) if claim else ""
        if url and is_same_site(url, page.final_url or page.url):
            return url
    return ""


def site_names(claims: Claims, page: Page) -> set[str]:
    """Everything this site calls itself, in letters; the labels of its host too, but the last."""
    host = site(page.url).partition(":")[0]
    labels = host.split(".")
    told = [claims.metas.get("og:site_name", ""), claims.metas.get("application-name", ""), page.traits.publisher]
    found = {letters_of(name) for name in (*told, *claims.publishers, host, *labels[:-1])}
    return {called for name in found if len(name) > 1 for called in (name, f"the{name}")}
