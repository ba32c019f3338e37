"""Corpora in a folder, filled page by page, and all their rows as text."""

import shutil
import sqlite3
from datetime import timedelta

from pipelines.config import Config
from pipelines.dedup import sign
from pipelines.merge import merge
from pipelines.records import Entry, Fetch, Hint, Rejection, Relevance, Term
from pipelines.settling import settle_page
from pipelines.store import Corpus
from tests.helpers import NOW
from tests.storing import make_article, make_page

TEXTS = (
    "The council published a paper on how models that resist being switched off should be tested before summer ends.",
    "A laboratory reported that its newest system had copied parts of its own instructions into a file nobody reads.",
    "Parliament wants every developer to name a person who answers for incidents, and gives them until the spring.",
    "Three universities will share one supercomputer, so that students can look inside large networks for a semester.",
)
TABLES = {  # table: SQL of its rows, told by addresses instead of numbers
    "articles": """
        SELECT a.url, a.text, a.text_hash, a.title, a.publisher, a.source, a.published, a.fetched, a.updated, a.canonical, c.url AS first,
            r.command, r.started FROM articles AS a JOIN articles AS c ON c.id = a.cluster LEFT JOIN runs AS r ON r.id = a.run""",
    "stories": "SELECT group_concat(url, ' ') FROM (SELECT story, url FROM articles ORDER BY url) WHERE story IS NOT NULL GROUP BY story",
    "versions": "SELECT a.url, v.seen, v.text, v.diff, v.replaced FROM versions AS v JOIN articles AS a ON a.id = v.article",
    "copies": """
        SELECT a.url, o.url AS of, c.relation, c.similarity FROM copies AS c JOIN articles AS a ON a.id = c.article
        JOIN articles AS o ON o.id = c.of""",
    "removed": "SELECT a.url, r.position, r.kind, r.reason, r.evidence, r.text FROM removed AS r JOIN articles AS a ON a.id = r.article",
    "terms": "SELECT a.url, t.concept, t.term, t.weight FROM relevance_terms AS t JOIN articles AS a ON a.id = t.article",
    "origins": "SELECT a.url, o.name FROM origins AS o JOIN articles AS a ON a.id = o.article",
    "signatures": "SELECT a.url, s.recipe, s.fingerprints FROM signatures AS s JOIN articles AS a ON a.id = s.article",
    "bands": "SELECT a.url, b.fingerprint FROM bands AS b JOIN articles AS a ON a.id = b.article",
    "found": "SELECT a.url FROM articles_fts AS f JOIN articles AS a ON a.id = f.rowid WHERE articles_fts MATCH 'council'",
    "fetches": "SELECT f.url, f.time, f.status, f.source, f.kind, r.started FROM fetches AS f LEFT JOIN runs AS r ON r.id = f.run",
    "rejections": "SELECT j.url, j.stage, j.reason, j.time, r.started FROM rejections AS j LEFT JOIN runs AS r ON r.id = j.run",
    "runs": "SELECT command, started, finished, exit_code, new, counts FROM runs",
    "source_runs": "SELECT r.started, s.source, s.outcome, s.new FROM source_runs AS s JOIN runs AS r ON r.id = s.run",
    **{
        table: f"SELECT * FROM {table}"
        for table in (
            *("block_memory", "blocks", "fates", "frontier", "hosts", "index_pages", "inputs", "moved", "open_indexes"),
            *("raw_pages", "source_state", "validators"),
        )
    },
}


def content(path):
    """All rows of a corpus as sorted text."""
    connection = sqlite3.connect(path)
    try:
        return {name: sorted(map(repr, connection.execute(sql))) for name, sql in TABLES.items()}
    finally:
        connection.close()


def read(corpus, run, url, text, hour, *, source="alpha", removed=(), origin="", day=0):
    """A page of this text, fetched at this hour, goes all its way into the corpus."""
    fetched = NOW + timedelta(hours=hour)
    plain = make_article(
        url, text, published=NOW + timedelta(days=day), fetched=fetched, removed=removed, source=source
    )
    relevance = Relevance(
        score=7.0, verdict="relevant", terms=(Term(concept="methods", term=text.split()[1], weight=2.0),)
    )
    article = sign(plain.document, text, relevance)
    if origin:
        from dataclasses import replace

        article = replace(article, origin=origin)
    fetch = Fetch(url=url, source=source, kind="page", time=fetched, status=200, bytes=len(text), etag=f'"{hour}"')
    page = make_page(url, text.encode(), fetched, source=source)
    corpus.offer(source, [Entry(url=url, hint=Hint(title=text[:9]))], fetched)
    return settle_page(corpus, page, article, frozenset({len(text), 7}), fetched, run, fetch)


class Shelf:
    """Corpora in a folder, by name."""

    def __init__(self, folder, blank):
        self.folder, self.blank = folder, blank

    def path(self, name):
        return self.folder / f"{name}.db"

    def new(self, name):
        shutil.copy(self.blank, self.path(name))
        return Corpus.open(self.path(name))

    def merge(self, target, *names):
        return merge(Config(database=str(self.path(target))), [self.path(name) for name in names], NOW)


def two_corpora(desk):
    for number, name in enumerate(("one", "two")):
        with desk.new(name) as corpus:
            run = corpus.start_run("crawl", NOW + timedelta(minutes=number))
            corpus.start_source_run(run, name, NOW)
            read(
                corpus,
                run,
                f"https://{name}.example/own",
                TEXTS[number] + f" Only {name} has it.",
                1 + number,
                source=name,
                removed=("Share this", name),
            )
            read(corpus, run, f"https://{name}.example/copy", TEXTS[2], 2, source=name, day=number)
            read(corpus, run, "https://both.example/page", TEXTS[3], 3 + number, source="both")
            corpus.reject(
                Rejection(url=f"https://{name}.example/bad", stage="clean", reason="wall", source=name), run, NOW
            )
            corpus.finish_source_run(run, name, NOW, "ok", {"new": 3})
            corpus.finish_run(run, NOW, 0, {"new": 3})
