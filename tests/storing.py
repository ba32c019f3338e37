"""What the tests of the store share: articles in one line, and a corpus of their own."""

import hashlib
from datetime import timedelta

from pipelines.records import Article, Block, Document, Page, Relevance, Signature, Term
from tests.helpers import NOW

ORDINARY = "The council published a paper on how models that resist being switched off should be tested.\n\nIt names three tests."


def make_article(
    url="https://a.example/1",
    text=ORDINARY,
    *,
    title="Tests for shutdown",
    published=NOW,
    fetched=NOW,
    removed=(),
    prints=(11, 22, 33, 44),
    **more,
):
    kept = tuple(Block(text=part) for part in text.split("\n\n"))
    left_out = tuple(
        Block(text=part, kind="share", is_kept=False, reason="share buttons", evidence="container") for part in removed
    )
    values = {
        "final_url": url,
        "canonical_url": "",
        "source": "alpha",
        "publisher": "Alpha Daily",
        "byline": "Ann Reporter",
        "published_origin": "meta" if published else "",
        "language": "en",
    } | more
    document = Document(url=url, title=title, published=published, fetched=fetched, blocks=kept + left_out, **values)
    return Article(
        document=document,
        text=text,
        text_hash=hashlib.blake2b(" ".join(text.split()).encode("utf-8", "replace")).hexdigest()[:32],
        words=len(text.split()),
        relevance=Relevance(
            score=7.5, verdict="relevant", terms=(Term(concept="methods", term="shutdown", weight=4.0),)
        ),
        signature=Signature(
            recipe="test-1",
            minhash=b"\x01\x02\x03\x04" if prints else b"",
            fingerprints=tuple(prints),
            shingles=len(prints),
        ),
    )


def make_page(url="https://a.example/1", body=b"<html><p>Hello</p></html>", fetched=NOW, **more):
    return Page(url=url, body=body, fetched=fetched, **more)


def hours(count):
    return timedelta(hours=count)
