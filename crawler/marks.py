"""What a page asks of those who keep copies: `noindex`, `noarchive`, in its head or in a header.

Why it stands alone: robots.txt says what may be asked for, this what may be kept of the answer, and whether we do as it
says is a setting. Pages that a user hands to us as files are theirs to judge.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrapy.http import Response

HEAD_BYTES = 100_000  # where a head ends on all but a few pages
OURS = ("robots", "copydesk")
_META = re.compile(rb"<meta\s[^>]{0,500}>", re.IGNORECASE)
_NAME = re.compile(rb"""\bname\s*=\s*["']?\s*([\w-]{1,40})""", re.IGNORECASE)
_CONTENT = re.compile(rb"""\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)
_WORD = re.compile(r"[a-z]+")


def marks_of(response: Response) -> frozenset[str]:
    """The wishes meant for us: noindex, noarchive, … ("none" means noindex)."""
    found: set[str] = set()
    for line in response.headers.getlist(b"X-Robots-Tag"):
        agent, colon, rest = line.decode("latin-1").lower().partition(":")
        if not colon:
            found.update(_WORD.findall(agent))
        elif agent.strip() in OURS:
            found.update(_WORD.findall(rest))
    for meta in _META.findall(response.body[:HEAD_BYTES]):
        name, content = _NAME.search(meta), _CONTENT.search(meta)
        if name and content and name[1].decode().lower() in OURS:
            said = (content[1] or content[2] or content[3] or b"").decode("latin-1").lower()
            found.update(_WORD.findall(said))
    return frozenset(found | {"noindex"}) if "none" in found else frozenset(found)
