"""Two doors lead into the corridor, the crawl and `ingest`; the same pages leave the same rows through either.

This is the test that keeps the order of stages the same in both. The golden pages are served by a local site, each
also at a second address (a copy), crawled for real, then handed to `ingest` in the order they arrived.
"""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.site import Site

PAGES = sorted((Path(__file__).parent / "pages").glob("*/page.html"))
TABLES = {
    "articles": "select * from articles order by url",
    "removed": "select a.url, r.position, r.kind, r.reason, r.evidence, r.text from removed r join articles a on a.id = r.article"
    " order by a.url, r.position",
    "relevance_terms": "select a.url, t.concept, t.term, t.weight from relevance_terms t join articles a on a.id = t.article"
    " order by 1, 2, 3",
    "signatures": "select a.url, s.recipe, s.minhash, s.shingles from signatures s join articles a on a.id = s.article order by 1",
    "bands": "select a.url, b.fingerprint from bands b join articles a on a.id = b.article order by 1, 2",
    "copies": "select a.url, o.url as origin, c.relation, c.similarity, c.containment from copies c"
    " join articles a on a.id = c.article join articles o on o.id = c.of order by 1",
    "block_memory": "select * from block_memory order by site, block_hash",
    "rejections": "select url, stage, reason from rejections order by url",
    "raw_pages": "select url from raw_pages order by url",
}
SOURCE = """
[desk]
name = "Desk"
kind = "listing"
url = "{base}/"
url_pattern = "/story/"
language = "en"
local = true
delay_s = 0.01
"""
OF_THE_RUN = {"run"}  # the number of the run that brought it


def read(path, table):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        found = connection.execute(TABLES[table])
        names = [column[0] for column in found.description]
        return [
            {name: value for name, value in zip(names, row, strict=True) if name not in OF_THE_RUN} for row in found
        ]


def copydesk(folder, *arguments, **values):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    ours = {f"COPYDESK_{name.upper()}": str(value) for name, value in values.items()}
    command = [sys.executable, "-m", "crawler", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**kept, **ours}, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def doors(tmp_path_factory):
    """Paths of two corpora with the same pages: (crawled, ingested)."""
    folder = tmp_path_factory.mktemp("doors")
    with Site() as site:
        bodies = {}
        for number, page in enumerate(PAGES):
            for name in (page.parent.name, f"{page.parent.name}-again"):
                bodies[site.reply(f"/story/{name}", page.read_bytes(), etag=f'"{name}"')] = page.read_text("utf-8")
            path = f"/story/plain-{number}"
            url = site.page(path, 40 + number)
            bodies[url] = site.replies[path].body.decode()
        site.reply("/", "".join(f'<p><a href="{url}">·</a></p>' for url in bodies))
        (folder / "sources.toml").write_text(SOURCE.format(base=site.base), "utf-8")
        # what a site has taught when a page is prepared depends on the clock; here it teaches, but is not asked
        common = {"sources": folder / "sources.toml", "shipped_sources": "false", "clean__memory_min_pages": 1000}
        copydesk(folder, "crawl", database=folder / "crawled.db", **common)
    with closing(sqlite3.connect(folder / "crawled.db")) as connection:
        order = [row[0] for row in connection.execute("select url from fetches where kind = 'page' order by rowid")]
        fetched = dict(connection.execute("select url, fetched from raw_pages"))
    lines = [json.dumps({"url": url, "html": bodies[url], "fetched": fetched[url]}) for url in order]
    (folder / "pages.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    copydesk(folder, "ingest", "--source", "desk", "pages.jsonl", database=folder / "ingested.db", **common)
    return folder / "crawled.db", folder / "ingested.db"


@pytest.mark.xdist_group("doors")
@pytest.mark.parametrize("table", TABLES)
def test_the_same_pages_leave_the_same_rows(doors, table):
    crawled, ingested = (read(path, table) for path in doors)
    assert crawled == ingested


@pytest.mark.xdist_group("doors")
def test_there_is_something_to_compare(doors):
    crawled = doors[0]
    assert len(read(crawled, "articles")) >= len(PAGES)
    assert read(crawled, "copies")
    assert read(crawled, "removed")
    assert read(crawled, "rejections")
