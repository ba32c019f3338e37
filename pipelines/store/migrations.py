"""The schema as numbered steps: what a corpus file has had done to it, and what it still lacks.

A released step never changes and imports nothing of ours; a new wish is a new step at the end. Tables and views named in
the README are public: they are extended, never broken. `sqlite-utils migrate corpus.db pipelines/store --list` shows
where a file stands. Times are UTC in ISO 8601, which sorts as text.

Long because every step ever released stays.
"""

from __future__ import annotations

import hashlib
import struct

from sqlite_utils import Database, Migrations

migrations = Migrations("corpus")

ARTICLES = """
CREATE TABLE articles (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    final_url TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '',
    publisher TEXT NOT NULL DEFAULT '',
    title TEXT NOT NULL DEFAULT '',
    byline TEXT NOT NULL DEFAULT '',
    published TEXT,
    published_origin TEXT NOT NULL DEFAULT '',
    fetched TEXT NOT NULL,
    updated TEXT,
    language TEXT NOT NULL DEFAULT '',
    words INTEGER NOT NULL DEFAULT 0,
    text TEXT NOT NULL DEFAULT '',
    text_hash TEXT NOT NULL DEFAULT '',
    relevance REAL NOT NULL DEFAULT 0,
    canonical INTEGER NOT NULL DEFAULT 1 CHECK (canonical IN (0, 1)),
    cluster INTEGER NOT NULL REFERENCES articles(id),
    story INTEGER REFERENCES stories(id) ON DELETE SET NULL,
    verdict TEXT NOT NULL DEFAULT '',
    canonical_url TEXT NOT NULL DEFAULT '',
    run INTEGER REFERENCES runs(id)
) STRICT;
CREATE INDEX articles_by_time ON articles(coalesce(published, fetched));
CREATE INDEX articles_by_text ON articles(text_hash);
CREATE INDEX articles_by_cluster ON articles(cluster);
CREATE INDEX articles_by_story ON articles(story) WHERE story IS NOT NULL;
CREATE INDEX articles_by_source ON articles(source);
CREATE INDEX articles_by_final_url ON articles(final_url);
CREATE INDEX articles_by_run ON articles(run);
CREATE VIRTUAL TABLE articles_fts USING fts5(title, text, content='', tokenize='porter unicode61 remove_diacritics 2');
CREATE TABLE stories (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL DEFAULT '',
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    articles INTEGER NOT NULL DEFAULT 0,
    publishers INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX stories_by_time ON stories(last_seen);
"""

EVIDENCE = """
CREATE TABLE versions (
    id INTEGER PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
    seen TEXT NOT NULL,
    text TEXT NOT NULL,
    diff TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    replaced TEXT NOT NULL
) STRICT;
CREATE INDEX versions_by_article ON versions(article);
CREATE TABLE blocks (hash INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE removed_blocks (
    article INTEGER NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    block INTEGER NOT NULL REFERENCES blocks(hash),
    PRIMARY KEY (article, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX removed_by_block ON removed_blocks(block);
CREATE VIEW removed AS
    SELECT r.article, r.position, r.kind, r.reason, r.evidence, b.text
    FROM removed_blocks AS r JOIN blocks AS b ON b.hash = r.block;
CREATE TABLE relevance_terms (
    article INTEGER NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
    concept TEXT NOT NULL,
    term TEXT NOT NULL,
    weight REAL NOT NULL,
    PRIMARY KEY (article, concept, term)
) STRICT, WITHOUT ROWID;
CREATE INDEX terms_by_concept ON relevance_terms(concept, article);
CREATE TABLE block_memory (
    site TEXT NOT NULL,
    block_hash INTEGER NOT NULL,
    pages INTEGER NOT NULL,
    first_seen TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    PRIMARY KEY (site, block_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX block_memory_by_pages ON block_memory(site, pages);
"""

COPIES = """
CREATE TABLE signatures (
    article INTEGER PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE,
    recipe TEXT NOT NULL,
    minhash BLOB NOT NULL,
    fingerprints BLOB NOT NULL,
    shingles INTEGER NOT NULL
) STRICT;
CREATE TABLE bands (
    fingerprint INTEGER NOT NULL,
    article INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, article)
) STRICT, WITHOUT ROWID;
CREATE TABLE copies (
    article INTEGER PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE,
    of INTEGER NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
    relation TEXT NOT NULL,
    similarity REAL NOT NULL,
    containment REAL NOT NULL,
    evidence TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX copies_by_of ON copies(of);
"""

RUNS = """
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    command TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT,
    exit_code INTEGER,
    fetched INTEGER NOT NULL DEFAULT 0,
    new INTEGER NOT NULL DEFAULT 0,
    copies INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    counts TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE TABLE source_runs (
    run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
    source TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT,
    outcome TEXT NOT NULL DEFAULT '',
    fetched INTEGER NOT NULL DEFAULT 0,
    new INTEGER NOT NULL DEFAULT 0,
    copies INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    counts TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (run, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX source_runs_by_source ON source_runs(source, run);
CREATE TABLE source_state (
    source TEXT PRIMARY KEY,
    last_success TEXT,
    last_new TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    next_due TEXT,
    note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE rejections (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL,
    run INTEGER REFERENCES runs(id) ON DELETE SET NULL,
    stage TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '',
    time TEXT NOT NULL
) STRICT;
CREATE INDEX rejections_by_url ON rejections(url);
CREATE INDEX rejections_by_run ON rejections(run);
CREATE TABLE inputs (
    path TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    pages INTEGER NOT NULL,
    whole INTEGER NOT NULL CHECK (whole IN (0, 1))
) STRICT;
"""

FETCHES = """
CREATE TABLE fetches (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL,
    run INTEGER REFERENCES runs(id) ON DELETE SET NULL,
    time TEXT NOT NULL,
    status INTEGER NOT NULL,
    bytes INTEGER NOT NULL DEFAULT 0,
    etag TEXT NOT NULL DEFAULT '',
    last_modified TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT 'page',
    final_url TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX fetches_by_url ON fetches(url);
CREATE INDEX fetches_by_run ON fetches(run);
CREATE TABLE validators (
    url TEXT PRIMARY KEY,
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL
) STRICT;
CREATE TABLE frontier (
    url TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    next_due TEXT,
    published TEXT,
    last_fetch TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    redirected_to TEXT NOT NULL DEFAULT '',
    ended TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX frontier_by_due ON frontier(source, next_due) WHERE next_due IS NOT NULL;
CREATE TABLE raw_pages (
    url TEXT PRIMARY KEY,
    fetched TEXT NOT NULL,
    zstd BLOB NOT NULL,
    source TEXT NOT NULL DEFAULT '',
    meta TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX raw_pages_by_time ON raw_pages(fetched);
"""

VIEWS = """
CREATE VIEW corpus AS SELECT * FROM articles WHERE canonical = 1;
CREATE VIEW latest_stories AS
    SELECT id, title, first_seen, last_seen, articles, publishers FROM stories ORDER BY last_seen DESC, id DESC;
CREATE VIEW what_was_removed AS
    SELECT r.article, a.url, a.publisher, a.title, r.position, r.kind, r.reason, r.evidence, r.text
    FROM removed AS r JOIN articles AS a ON a.id = r.article;
CREATE VIEW source_health AS
    WITH names AS (SELECT source FROM source_state UNION SELECT source FROM source_runs),
    last AS (SELECT source, max(run) AS run FROM source_runs GROUP BY source)
    SELECT names.source, r.outcome, r.started AS last_run, s.last_success, s.last_new, coalesce(s.failures, 0) AS failures,
        s.next_due, (SELECT count(*) FROM articles AS a WHERE a.source = names.source) AS articles,
        coalesce(r.error, '') AS error, coalesce(s.note, '') AS note
    FROM names
    LEFT JOIN source_state AS s ON s.source = names.source
    LEFT JOIN last ON last.source = names.source
    LEFT JOIN source_runs AS r ON r.run = last.run AND r.source = last.source
    ORDER BY names.source;
"""


FATES = """
CREATE TABLE fates (
    hash INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;
CREATE TABLE removed_blocks (
    article INTEGER NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    fate INTEGER NOT NULL,
    block INTEGER NOT NULL REFERENCES blocks(hash),
    PRIMARY KEY (article, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX removed_by_block ON removed_blocks(block);
CREATE VIEW removed AS
    SELECT r.article, r.position, f.kind, f.reason, f.evidence, b.text
    FROM removed_blocks AS r JOIN blocks AS b ON b.hash = r.block JOIN fates AS f ON f.hash = r.fate;
CREATE VIEW what_was_removed AS
    SELECT r.article, a.url, a.publisher, a.title, r.position, r.kind, r.reason, r.evidence, r.text
    FROM removed AS r JOIN articles AS a ON a.id = r.article;
CREATE VIEW repeated_blocks AS
    SELECT b.hash, count(DISTINCT r.article) AS pages, min(f.kind) AS kind, min(f.reason) AS reason, b.text
    FROM removed_blocks AS r JOIN blocks AS b ON b.hash = r.block JOIN fates AS f ON f.hash = r.fate
    GROUP BY r.block HAVING count(DISTINCT r.article) > 1 ORDER BY pages DESC, b.hash;
"""


@migrations()
def first_schema(db: Database) -> None:
    for part in (ARTICLES, EVIDENCE, COPIES, RUNS, FETCHES, VIEWS):
        for statement in part.split(";\n"):
            if statement.strip():
                db.execute(statement)


@migrations()
def open_indexes(db: Database) -> None:
    """Pages of an index that were named by one we have read, and not read themselves yet."""
    db.execute(
        "CREATE TABLE open_indexes (source TEXT NOT NULL, url TEXT NOT NULL, depth INTEGER NOT NULL,"
        " PRIMARY KEY (source, url)) STRICT, WITHOUT ROWID"
    )


@migrations()
def copies_by_week(db: Database) -> None:
    """Lead the candidate index by the week of publication, and keep fingerprints in five bytes instead of eight."""
    last = 0
    while rows := db.execute(
        "SELECT article, fingerprints FROM signatures WHERE article > ? ORDER BY article LIMIT 10000", (last,)
    ).fetchall():
        packed = [
            (b"".join(value.to_bytes(5, "little") for value in sorted({one & 2**35 - 1 for (one,) in found})), article)
            for article, found in ((article, struct.iter_unpack("<Q", prints)) for article, prints in rows)
        ]
        db.conn.executemany("UPDATE signatures SET fingerprints = ? WHERE article = ?", packed)
        last = rows[-1][0]
    db.execute("""
        CREATE TEMP TABLE by_week AS
        SELECT DISTINCT coalesce(max(1, min(4095, strftime('%s', a.published) / 604800)), 0) << 35
            | (b.fingerprint & ((1 << 35) - 1)) AS fingerprint, b.article
        FROM bands AS b JOIN articles AS a ON a.id = b.article ORDER BY 1, 2
    """)
    db.execute("DELETE FROM bands")
    db.execute("INSERT INTO bands (fingerprint, article) SELECT fingerprint, article FROM by_week ORDER BY 1, 2")
    db.execute("DROP TABLE by_week")


@migrations()
def origins_and_repeats(db: Database) -> None:
    """Whom a text names as its origin; and the blocks that were left out of several pages, with how many."""
    db.execute(
        "CREATE TABLE origins (article INTEGER PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE, name TEXT NOT NULL) STRICT"
    )
    db.execute("""
        CREATE VIEW repeated_blocks AS
            SELECT b.hash, count(DISTINCT r.article) AS pages, min(r.kind) AS kind, min(r.reason) AS reason, b.text
            FROM removed_blocks AS r JOIN blocks AS b ON b.hash = r.block
            GROUP BY r.block HAVING count(DISTINCT r.article) > 1 ORDER BY pages DESC, b.hash
    """)


@migrations()
def what_hosts_told_us(db: Database) -> None:
    """What must outlive a run: robots.txt, "come back later", "moved for good", the files a sitemap index names."""
    for statement in (
        "CREATE TABLE hosts (host TEXT PRIMARY KEY, closed_until TEXT, robots BLOB, robots_fetched TEXT) STRICT",
        "CREATE TABLE moved (url TEXT PRIMARY KEY, target TEXT NOT NULL, since TEXT NOT NULL) STRICT",
        """CREATE TABLE index_pages (source TEXT NOT NULL, parent TEXT NOT NULL, position INTEGER NOT NULL, url TEXT NOT NULL,
            modified TEXT NOT NULL, done TEXT NOT NULL DEFAULT '', read TEXT NOT NULL DEFAULT '', PRIMARY KEY (source, parent, url)) STRICT, WITHOUT ROWID""",
        "ALTER TABLE source_state ADD COLUMN selection TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE source_state ADD COLUMN silence_told TEXT",
    ):
        db.execute(statement)


@migrations()
def fates_stored_once(db: Database) -> None:
    """Kind, reason and evidence of removed blocks, stored once: they were two thirds of what a page cost beside its text."""

    def hash_of(*parts: str) -> int:
        digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") & (2**63 - 1)

    db.conn.create_function("fate_hash", 3, hash_of, deterministic=True)
    for view in ("what_was_removed", "removed", "repeated_blocks"):
        db.execute(f"DROP VIEW {view}")
    db.execute("CREATE TEMP TABLE older AS SELECT *, fate_hash(kind, reason, evidence) AS fate FROM removed_blocks")
    db.execute("DROP TABLE removed_blocks")
    for statement in FATES.split(";\n"):
        if statement.strip():
            db.execute(statement)
    db.execute("INSERT OR IGNORE INTO fates SELECT fate, kind, reason, evidence FROM older")
    db.execute("INSERT INTO removed_blocks SELECT article, position, fate, block FROM older ORDER BY 1, 2")
    db.execute("DROP TABLE older")


@migrations()
def saved_searches(db: Database) -> None:
    """How far each saved search has looked, and what it found: an article tells its story, once."""
    for statement in (
        "CREATE TABLE watches (name TEXT PRIMARY KEY, seen INTEGER NOT NULL) STRICT",
        """CREATE TABLE watch_news (watch TEXT NOT NULL, article INTEGER NOT NULL REFERENCES articles(id) ON DELETE CASCADE,
            found TEXT NOT NULL, waiting TEXT NOT NULL DEFAULT '', PRIMARY KEY (watch, article)) STRICT, WITHOUT ROWID""",
        "CREATE INDEX watch_news_by_article ON watch_news(article)",
    ):
        db.execute(statement)


@migrations()
def reading_room_indexes(db: Database) -> None:
    """Articles of no story and those on the border, few among many; canonical ones by time, to be counted without reading them."""
    for name, columns, condition in (
        ("articles_without_story", "coalesce(published, fetched)", "story IS NULL AND canonical = 1"),
        ("articles_borderline", "coalesce(published, fetched)", "verdict = 'borderline' AND canonical = 1"),
        ("articles_canonical", "coalesce(published, fetched), source", "canonical = 1"),
    ):
        db.execute(f"CREATE INDEX {name} ON articles({columns}) WHERE {condition}")


@migrations()
def terms_for_stories(db: Database) -> None:
    """The counted terms of the articles that the last run looked at for its stories: derived, so any row may be missing."""
    db.execute(
        "CREATE TABLE story_terms (article INTEGER PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE,"
        " version TEXT NOT NULL, terms BLOB NOT NULL) STRICT"
    )


@migrations()
def removed_blocks_in_one_row(db: Database) -> None:
    """An article's removed blocks as one list: a hundred and fifty rows and as many in an index were a fifth of what keeping it took."""
    for statement in (
        "CREATE TABLE left_out (article INTEGER PRIMARY KEY REFERENCES articles(id) ON DELETE CASCADE, blocks TEXT NOT NULL) STRICT",
        """INSERT INTO left_out SELECT article, json_group_array(json_array(position, fate, block))
            FROM (SELECT * FROM removed_blocks ORDER BY article, position) GROUP BY article""",
        "DROP TABLE removed_blocks",
        """CREATE VIEW removed_blocks AS SELECT l.article, b.value ->> 0 AS position, b.value ->> 1 AS fate, b.value ->> 2 AS block
            FROM left_out AS l, json_each(l.blocks) AS b""",
    ):
        db.execute(statement)
