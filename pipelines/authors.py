"""Who wrote it, as names and nothing else.

What pages put where a writer belongs: their own name, the company that built the site, an account ("admin"), an
address, a day, a role, the names of several joined by "and". A person is looked for in data for machines, then in
what a reader sees; an agency counts when nobody is named, the publisher itself never: it has a column of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, cast

from lxml import etree

from pipelines.claims import Claims, site_names
from pipelines.dates import MONTHS
from pipelines.decode import letters_of, normalise
from pipelines.records import Block, Page

BYLINE_CHARS = 100  # a longer line is not only names
LISTED_CHARS = 400  # in data for machines, many names in one field
NAME_CHARS = 60
NAME_WORDS = 6
MAX_NAMES = 10
BYLINE_BLOCKS = 60  # a byline stands above the text or directly below
FEWEST_LETTERS = 2
MENTIONS = 5  # elements that call themselves a byline; those after them are other stories'

# "by" before a name; one list a language
_BY_WORDS = (
    r"(?:(?:written|reported|posted|story|text|words|article|published|exclusive|geschrieben|texte|texto|testo|tekst|écrit|escrito)\s+)?(?:by|von|par|por|di|da|door|van|przez|af|av)"
    r"|autor(?:in|a|es)?|auteur|author|text|автор|συντάκτης|yazan|от|文|作者|记者|記者|기자|撰文"
)
_BY = re.compile(rf"^(?:{_BY_WORDS})(?:\s*[:：]\s*|\s+)", re.IGNORECASE)
_BY_WITHIN = re.compile(r"(?:^|\s)(?:by|By|BY|Von|von)\s+(?=[^\W\d_])")
_BY_LINE = re.compile(
    r"^(?:By|BY|Von|Par|Por|Di|Door|Przez|Av|Af)[: ]\s*(?!The\b)((?:[A-ZÀ-ÞŁŚŻŽČŠ][\w'’.-]*,?\s*|(?:and|und|et|y|e|en|i|og|och|de|van|von|der|du|del|da)\s+){2,9})$"
)
_AND = re.compile(
    r"\s+(?:and|und|et|y|e|en|og|och|i|и|και|ve|a|with|mit)\s+|\s*[&＆、]\s*|\s+(?:和|と|및)\s*", re.IGNORECASE
)
_PARTING = re.compile(r"\s*[|•·;¦‧]\s*|\s*//\s*|\s+[-–—/]+\s+")
_NO_NAME = re.compile(r"https?:|www\.|\w\.[a-z]{2,4}\b(?!\.)|@|©|^\W*$|^[a-z]+$")
_ADDRESS = re.compile(r"\S+@\S+\.\w+|(?<!\w)@\w+")
_WHOLE_NAME = re.compile(r"^[^\W\d_a-z][\w'’.-]+(?: [^\W\d_a-z][\w'’.-]*){1,2}$")
_PLACE = re.compile(r"\s+(?:in|at)\s+[A-Z].*$")  # "Ann Lee in Rome"
_PICTURE = re.compile(
    r"\b(?:photos?|photograph\w*|pictures?|images?|illustrations?|fotos?|bild|zdjęcie|фото)\b", re.IGNORECASE
)
_TAG = re.compile(r"</?[a-zA-Z][^>]{0,60}>")
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag"
_MONTHS = "|".join(sorted((name for name in MONTHS if len(name) > 2), key=len, reverse=True))
# where a day begins, or what is said of it: the rest is no name
_FROM_DATE = re.compile(
    rf"[\s,(–—-]*(?:(?:\b(?:{_DAYS}),?\s*)?(?:\b(?:{_MONTHS})\.?\s*)?(?<![^\W_])\d.*|\b(?:updated|published|posted|filed|contact|comments?|aktualisiert|veröffentlicht)\b.*)$",
    re.IGNORECASE | re.DOTALL,
)
# what somebody does; one list a language
_ROLE = re.compile(
    r"\b(?:writers?|editors?|reporters?|correspondents?|staff|bureau|columnist|producer|photographer|contributor|director|desk|newsroom"
    r"|redakteur(?:in)?|redaktion|korrespondent(?:in)?|reporterin|journalist(?:e|a|in)?|rédact\w+|redac\w+|redattore|redactie|verslaggever|редактор|корреспондент)\b",
    re.IGNORECASE,
)
_COMPANY = re.compile(
    r"\b(?:inc|ltd|llc|gmbh|ag|s\.a|a/s|pvt|sp\. z o\.o|corp|co|oy|ab|bv|a\.e)\b\.?$|\bcms\b|powered by|designer by",
    re.IGNORECASE,
)
# accounts and forms, not people
_NOBODY = frozenset((
    "admin", "administrator", "webmaster", "editor", "editors", "root", "user", "guest", "author", "autor", "unknown",
    "null", "none", "undefined", "anonymous", "staff", "nachrichten", "news", "redaktion", "redaction", "redaccion",
    "redazione", "newsdesk", "yourname", "contributor", "webdesk", "online", "default", "owner",
    "compiled", "exclusive",
))  # fmt: skip
_META_BYLINES = (
    "article:author", "author", "parsely-author", "sailthru.author", "dc.creator", "byl", "citation_author", "cxenseparse:author", "twitter:data1",
)  # fmt: skip
# a page has thousands of elements: their attributes alone are looked at, and in Python only at the few found
_PERHAPS_BYLINES = etree.XPath(
    '//@class[contains(.,"byline") or contains(.,"author")]/..|//@rel[.="author"]/..|//@itemprop[.="author"]/..'
)
_BYLINE_CLASS = re.compile(r"byline|author-name|authors__|(?:^|\s)author(?:\s|$)")
_ELSEWHERE = re.compile(r"comment|related|teaser")  # in the class of an element that holds it: whose writers these are


def byline_of(claims: Claims, root: Any, page: Page, blocks: Sequence[Block] = ()) -> str:
    """Who wrote it, as names joined by commas: people, else an agency, else the publisher if it is said to be the writer."""
    if page.hint.byline:
        return page.hint.byline
    names = site_names(claims, page)
    agency, publisher = "", ""
    for node in claims.linked:
        people, others = written_in(node.get("author"), claims)
        found = dict.fromkeys([*people, *others])
        if any(not is_publisher(name, names) for name in people):
            return ", ".join(found)
        if any(not is_publisher(name, names) for name in others):
            agency = agency or ", ".join(found)
        publisher = publisher or ", ".join(found)
    in_head = [claims.metas[name] for name in _META_BYLINES if claims.metas.get(name)]
    for text in (*in_head, *([] if agency else shown_writers(root, blocks))):
        told = [] if len(text) > BYLINE_CHARS or is_publisher(text.partition(",")[0], names) else names_in(text)
        people = [name for name in told if letters_of(name) not in names and letters_of(name.split()[0]) not in names]
        if people:
            return ", ".join(dict.fromkeys(people))
        publisher = publisher or ", ".join(told)
    return agency or publisher or own_name(claims, names)


def shown_writers(root: Any, blocks: Sequence[Block]) -> Iterator[str]:
    """Lines a reader sees that say who wrote it, the best first."""
    for node in islice(filter(names_the_writer, cast("list[Any]", _PERHAPS_BYLINES(root))), MENTIONS):
        text = normalise(" ".join(node.itertext()))
        if len(text) > FEWEST_LETTERS and (_BY.match(text) or is_byline(node)) and not _PICTURE.search(text):
            yield text
    for block in blocks[:BYLINE_BLOCKS]:
        line = _BY_LINE.match(block.text) if len(block.text) <= NAME_CHARS and not block.is_hidden else None
        if line:
            yield line[1]


def names_the_writer(node: Any) -> bool:
    """True for what is marked as a byline and does not stand among comments or other stories."""
    if "author" not in (node.get("rel"), node.get("itemprop")) and not _BYLINE_CLASS.search(node.get("class") or ""):
        return False
    return not any(_ELSEWHERE.search(one.get("class") or "") for one in (node, *node.iterancestors()))


def is_byline(node: Any) -> bool:
    """True for what is marked as nothing but a byline; what is called "author" alone may be a picture's."""
    kind = node.get("class") or ""
    is_marked = "byline" in kind or "author-name" in kind or "author" in (node.get("rel"), node.get("itemprop"))
    return is_marked or ("author" in kind.split() and bool(_WHOLE_NAME.match(normalise(" ".join(node.itertext())))))


def written_in(value: Any, claims: Claims) -> tuple[list[str], list[str]]:
    """People and organisations of JSON-LD's string, object or list of either."""
    people: list[str] = []
    others: list[str] = []
    queue = [value]
    while queue and len(people) + len(others) < MAX_NAMES:
        one = queue.pop(0)
        if isinstance(one, list):
            queue[:0] = one[:MAX_NAMES]
        elif isinstance(one, dict):
            whole = {**claims.known.get(str(one.get("@id")), {}), **one}
            parts = [whole[key] for key in ("givenName", "familyName") if isinstance(whole.get(key), str)]
            name = whole.get("name") or " ".join(parts)
            is_group = "organization" in str(whole.get("@type")).casefold()
            for text in name if isinstance(name, list) else [name]:
                (others if is_group else people).extend(names_of_one(text))
        else:
            people += names_of_one(one)
    return people, others


def names_of_one(name: Any) -> list[str]:
    """What a name field holds: mostly one name, sometimes a byline; an account or an address is none."""
    if not isinstance(name, str) or "@" in name or name.startswith("http") or letters_of(name) in _NOBODY:
        return []
    whole = normalise(_TAG.sub("", name))
    return names_in(name) or ([whole] if whole and len(whole) <= NAME_CHARS else [])


def own_name(claims: Claims, names: set[str]) -> str:
    """The publisher, where the page's head calls it the author."""
    told = claims.metas.get("author", "")
    return told if told and is_publisher(told, names) and not _COMPANY.search(told) else ""


def names_in(text: str) -> list[str]:
    """The names of a byline, without days, roles, addresses and what joins them."""
    if len(text) > LISTED_CHARS or text.startswith(("http", "/", "@")):
        return []
    text = _ADDRESS.sub(" ", _TAG.sub(", ", normalise(text)))
    first, *_, last = ["", *_BY_WITHIN.split(text)][-2:] if _BY_WITHIN.search(text) else ["", text]
    named = _FROM_DATE.sub("", _BY.sub("", first))
    text = named if len(named.split()) > 1 else last
    text = _FROM_DATE.sub("", text) or text
    pieces = [piece for part in _PARTING.split(text) for piece in part.split(",")]
    found: list[str] = []
    for piece in pieces:
        for name in parted(normalise(_FROM_DATE.sub("", _BY.sub("", piece.strip())))):
            clean = _PLACE.sub("", name.strip(" ,.:-–—\"'“”"))
            if is_name(clean):
                found.append(clean)
    return [name for at, name in enumerate(found) if not at or not (_ROLE.search(name) or is_initials(name))]


def parted(piece: str) -> list[str]:
    """Names joined by "and", when what stands on both sides may be whole names."""
    sides = _AND.split(piece)
    return sides if len(sides) > 1 and all(len(side.split()) > 1 or not side.isascii() for side in sides) else [piece]


def is_initials(text: str) -> bool:
    """An agency or a degree behind a name."""
    return len(text) <= 5 and text.isupper() and text.isascii()


def is_name(text: str) -> bool:
    return (
        FEWEST_LETTERS <= len(text) <= NAME_CHARS
        and len(text.split()) <= NAME_WORDS
        and letters_of(text) not in _NOBODY
        and not _NO_NAME.search(text)
        and not _COMPANY.search(text)
    )


def is_publisher(name: str, names: set[str]) -> bool:
    """True for the site's own name."""
    letters = letters_of(name)
    return letters in names or letters.removeprefix("the") in names
