"""What is known of a page at each step of its way, one record per state of knowledge.

Why they stand alone: every stage takes one of these and gives back the next, so the records are the
only thing stages share. They are frozen, hold no connection and no clock, and can be pickled: that is
what lets the same stages run in this process, in a worker process or on another machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What the source list says of a publisher, as far as a stage needs it."""

    publisher: str = ""  # name to show; empty: the page's host
    language: str = ""  # ISO 639-1 code the source declares; empty: unknown
    timezone: str = "UTC"  # IANA name, for dates that come without a zone
    is_topical: bool = False  # True: a general source, so a page must pass the relevance filter


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """What a feed entry or sitemap line claimed of a page before it was fetched."""

    title: str = ""
    byline: str = ""
    published: datetime | None = None
    language: str = ""
    summary: str = ""  # plain text


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One HTTP response as it came: bytes, address, time."""

    url: str  # normal form of the address asked for: the page's identity
    body: bytes
    fetched: datetime  # aware, UTC
    final_url: str = ""  # where redirects ended; empty: the same
    content_type: str = "text/html"  # the header as sent, with its charset; "text/plain": one block a line
    source: str = ""  # id of the source it belongs to
    traits: Traits = field(default_factory=Traits)
    hint: Hint = field(default_factory=Hint)


class Record(msgspec.Struct, frozen=True, gc=False):
    """What a page has hundreds of: made in a tenth of the time that a frozen dataclass takes, and read in a third by another process."""

    def changed(self, **fields: Any) -> Self:
        """The same record with other values in these fields."""
        return msgspec.structs.replace(self, **fields)


class Block(Record, frozen=True, kw_only=True, gc=False):
    """One paragraph, heading, list item…: the unit that cleaning keeps or drops, with the reason."""

    text: str
    form: str = "paragraph"  # paragraph | heading | list_item | quote | table_row | caption | code | other
    level: int = 0  # of a heading: 1-6
    path: str = ""  # elements with their first class or id, outermost first, joined by "/"
    link_density: float = 0.0  # share of characters that stand in links, 0-1
    is_hidden: bool = False  # display:none, hidden, <template>, aria-hidden…
    is_main: bool = False  # the glance took it for the text; where that left doubt: trafilatura kept it
    kind: str = "article"  # its fate: article, title, byline, caption, summary, comment, comment_form, related,
    # newsletter, share, author_bio, navigation, legal, paywall, repeat, site_template, other
    is_kept: bool = True
    reason: str = ""  # one short phrase: why this fate
    evidence: str = ""  # what was seen: the cue word, the container, the block it repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a page says: title, metadata, blocks. After cleaning every block carries its fate."""

    url: str
    final_url: str
    canonical_url: str  # the page's own claim, kept only when it is on the same site; else empty
    source: str
    publisher: str
    title: str
    byline: str
    published: datetime | None  # aware, UTC
    published_origin: str  # feed | json-ld | meta | visible | url | "" (none found)
    language: str  # ISO 639-1, or ""
    fetched: datetime
    blocks: tuple[Block, ...]
    is_sure: bool = False  # the glance left no doubt: neither trafilatura nor the block model was asked

    @property
    def text(self) -> str:
        """The kept blocks, one a paragraph, joined by a blank line."""
        return "\n\n".join(block.text for block in self.blocks if block.is_kept)

    @property
    def unlinked_chars(self) -> int:
        """How many characters of the kept blocks stand outside links: a page of headlines has next to none."""
        return round(sum(len(block.text) * (1 - block.link_density) for block in self.blocks if block.is_kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One matched term of the topic vocabulary: the reason an article is relevant."""

    concept: str
    term: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """How much a document is about AI safety, and why."""

    score: float
    verdict: str  # relevant | borderline | off_topic
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What dedup keeps of a text; comparable only under the same recipe."""

    recipe: str  # scheme, seed, permutations, shingling version, e.g. "affine32-1-128-w5v1"
    minhash: bytes  # little-endian uint32 hash values; empty: the text is too short or a wall
    fingerprints: tuple[int, ...]  # sampled shingle hashes, below 2**35: the keys of the candidate index
    shingles: int  # how many distinct shingles the text has


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A document that was clean and relevant enough to be in the corpus."""

    document: Document
    text: str
    text_hash: str  # hex digest of the normalised text
    words: int
    relevance: Relevance
    signature: Signature
    origin: str = ""  # the publisher the page names as that of the original; "" when it names none

    @property
    def url(self) -> str:
        return self.document.url


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A page, document or article that was not kept: which stage, one-word reason."""

    url: str
    stage: str  # fetch | extract | clean | relevance | signature | store
    reason: str
    detail: str = ""  # one line more, for a person
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A stored article that may be the same text: a suspicion, to be checked."""

    id: int
    url: str
    publisher: str
    title: str
    text: str
    text_hash: str
    published: datetime | None
    fetched: datetime
    cluster: int  # id of the cluster's canonical article
    cluster_published: datetime | None = None  # when that one was published
    shared: int = 0  # fingerprints it shares with the article at hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where an article belongs among those already known; the store carries it out."""

    relation: str  # original | exact | near | contained | version
    of: int | None = None  # id of the article it copies
    cluster: int | None = None  # cluster it joins; None: a new one
    similarity: float = 0.0  # Jaccard of the shingle sets, 0-1
    containment: float = 0.0  # shared shingles / the smaller set, 0-1
    evidence: str = ""  # one line for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of an article when the one writer took it."""

    id: int
    outcome: str  # new | copy | unchanged | updated
    placement: Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """One HTTP request and its answer; 304s and failures too."""

    url: str
    source: str
    kind: str  # feed | sitemap | listing | page
    time: datetime
    status: int  # 0: no answer
    bytes: int = 0
    etag: str = ""
    last_modified: str = ""
    error: str = ""  # one word, e.g. dns, timeout, tls, robots, forbidden_address, too_large
    final_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a feed, sitemap or listing: a link and claims about it, not yet a page."""

    url: str  # normal form
    hint: Hint = field(default_factory=Hint)
    modified: datetime | None = None  # lastmod, atom:updated: says only when to look


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A URL of the frontier that should be fetched now."""

    url: str
    source: str
    hint: Hint
    is_revisit: bool
    etag: str = ""
    last_modified: str = ""
