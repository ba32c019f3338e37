"""Pages that hang, starve or deceive an extractor; every one goes the way of a crawled page, in a worker process."""

import contextlib
import encodings.aliases
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.config import Config, CrawlConfig, changed
from pipelines.extract import extract
from pipelines.records import Article, Document, Hint, Page, Rejection, Traits
from pipelines.workers import Workers, prepare_page
from tests.helpers import NOW
from tests.site import article, prose

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.xdist_group("faults-pages")  # one pair of workers serves many tests
SECONDS = 4.0  # the time limit of a page in these tests
CONFIG = changed(Config(), crawl=CrawlConfig(page_seconds=SECONDS))
TEXT = "".join(f"<p>{line}</p>" for line in prose(7))


def page(body, **more):
    body = body if isinstance(body, bytes) else body.encode()
    return Page(url="https://paper.example/a", body=body, fetched=NOW, **more)


def story(head="", before="", after=""):
    return f"<!doctype html><html><head><title>A story</title>{head}</head><body>{before}<article>{TEXT}</article>{after}</body></html>"


@pytest.fixture(scope="module")
def workers():
    with contextlib.closing(Workers(CONFIG, count=2)) as pool:
        pool.prepare(page(story())).result(60)
        yield pool


def many(element, number):
    return "<html><body><article>" + element * number + "</article></body></html>"


HOSTILE = {
    "attributes": "<html><body><p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">x</p></body></html>",
    "doctype": "<!DOCTYPE html" + "/" * 200_000 + ">" + story(),
    "author": story(f"<meta name=author content='{'[' * 40_000}'>"),
    "paragraphs": many("<p>The council met on the harbour and spoke of rain.</p>", 80_000),
    "breaks": many("a<br>", 400_000),
    "links": many("<a href='/x'>y</a> ", 200_000),
    "items": "<ul>" + many("<li>y", 200_000),
    "cells": "<table><tr>" + many("<td>y", 200_000),
}


@pytest.fixture(scope="module")
def ends(workers):
    """What became of each hostile page, and of a good one behind them."""
    asked = {name: workers.prepare(page(body)) for name, body in HOSTILE.items()}
    found = {name: waiting.result(60).outcome for name, waiting in asked.items()}
    return {**found, "good": workers.prepare(page(story())).result(60).outcome}


@pytest.mark.fault("H02", "H03", "H04", "H05", "H06")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_ends_within_its_time(ends, name):
    """All were waited for above; each is an article or says why not."""
    outcome = ends[name]
    if isinstance(outcome, Rejection):
        assert outcome.reason in (
            "parse_timeout",
            "parser_memory",
            "parser_killed",
            "too_short",
            "no_article",
            "too_large",
        )
    else:
        assert isinstance(outcome, Article)


@pytest.mark.fault("H02")
def test_some_of_them_were_cut_off_and_the_next_page_works(ends):
    assert isinstance(ends["attributes"], Rejection)
    assert ends["attributes"].reason == "parse_timeout"
    assert isinstance(ends["good"], Article)


@pytest.mark.fault("H02")
def test_the_command_line_has_the_same_limit(tmp_path):
    (tmp_path / "hostile.html").write_text(HOSTILE["attributes"])
    (tmp_path / "good.html").write_text(story())
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "clean", "--out", "out", "hostile.html", "good.html"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "COPYDESK_CRAWL__PAGE_SECONDS": "4", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.splitlines()[0].startswith("copydesk: hostile.html: ")
    assert "Traceback" not in done.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.txt"]


LARGE = {
    "word": story(after="a" * 4_000_000),
    "blanks": story(after="<p>" + " \n" * 2_000_000),
    "less": story(after="<" * 1_000_000),
    "ampersands": story(after="&" * 1_000_000),
    "comments": story(after="<!--" * 500_000),
    "title": story(head=f"<title>{'t ' * 1_000_000}</title>"),
    "scripts": story(head='<script type="application/ld+json">{"@type":"Thing"}</script>' * 10_000),
    "json": story(head=f'<script type="application/ld+json">{"[" * 100_000}</script>'),
    "nul": story().replace("the", "\x00th\x1be\u202e"),
}


@pytest.mark.fault("H10", "H13")
@pytest.mark.parametrize("name", LARGE)
def test_large_parts_end_and_every_field_has_its_length(name):
    found = prepare_page(page(LARGE[name]), Config(), frozenset()).outcome
    assert isinstance(found, Article)
    assert len(found.text.replace("\n\n", "")) <= Config().extract.max_text_chars
    assert len(found.document.title) <= Config().extract.max_title_chars
    assert not set(found.text) & {"\x00", "\x1b", "\u202e"}
    assert prose(7)[-1] in found.text or name == "nul"


@pytest.mark.fault("H14")
@pytest.mark.parametrize("broken", ['{"a": "b",' * 100_000, '{"articleBody": "' + "x" * 2_000_000, "<" * 500_000])
def test_broken_metadata_does_not_cost_the_text(broken):
    outcome = prepare_page(
        page(story(f'<script type="application/ld+json">{broken}</script>')), Config(), frozenset()
    ).outcome
    assert isinstance(outcome, Article)
    assert prose(7)[0] in outcome.text


CODECS = sorted(
    {*encodings.aliases.aliases.values(), "idna", "undefined", "unicode_escape", "raw_unicode_escape", "punycode"}
)


@pytest.mark.fault("H09", "H10", "H11")
def test_no_name_of_a_charset_costs_the_page():
    for name in CODECS:
        found = extract(page(story(), content_type=f"text/html; charset={name}"), CONFIG.extract)
        assert isinstance(found, Document), name
        said = "\n".join(block.text for block in found.blocks)
        said.encode()  # no half characters
        assert prose(7)[3] in said or name.startswith("utf_7"), name


SPOOFS = [
    "<link rel=canonical href=https://bank.example/login>", "<meta property=og:url content=https://bank.example/>",
    "<base href=http://127.0.0.1:8099/>", "<link rel=canonical href=javascript:alert(1)>", "<link rel=canonical href=http://10.0.0.1/>",
    "<meta property=og:site_name content=Reuters>", "<meta name=publisher content=Reuters>", "<meta property=og:image content=javascript:x>",
    '<script type="application/ld+json">{"@type":"NewsArticle","url":"https://bank.example/","publisher":{"name":"Reuters"}}</script>',
    "<meta http-equiv=refresh content='0;url=https://bank.example/'>", "<link rel=amphtml href=https://bank.example/amp>",
    "<meta name=twitter:url content=https://bank.example/>",
]  # fmt: skip


@pytest.mark.fault("H15", "H16")
@pytest.mark.parametrize("spoof", SPOOFS)
def test_a_page_is_what_was_fetched_whatever_it_claims(spoof):
    found = extract(page(story(spoof), traits=Traits(publisher="The Paper")), CONFIG.extract)
    assert (found.url, found.publisher, found.canonical_url) == ("https://paper.example/a", "The Paper", "")
    assert "bank.example" not in json.dumps([found.title, found.byline, found.final_url])


SOFT = [
    "Page not found", "404", "Sorry, the page you were looking for does not exist. Go back to the front page.", "This article has expired.",
    "Please enable JavaScript to view this page.", "Access denied", "Checking your browser before you proceed", "찾으시는 페이지가 없습니다.",
]  # fmt: skip


@pytest.mark.fault("R15")
@pytest.mark.parametrize("words", SOFT)
def test_a_polite_not_found_is_no_article(words):
    body = f"<html><head><title>Not found</title></head><body><nav><a href=/>Home</a></nav><main><h1>{words}</h1><p>{words}</p></main></body></html>"
    outcome = prepare_page(page(body, hint=Hint(title="A story")), Config(), frozenset()).outcome
    assert isinstance(outcome, Rejection)
    assert outcome.reason in ("too_short", "wall", "no_article")


def grown(workers, number):
    for seed in range(number):
        workers.prepare(page(article(f"Story {seed}", seed))).result(60)
    return workers.call(resource.getrusage, resource.RUSAGE_SELF).result(60).ru_maxrss / 1024


@pytest.mark.fault("H19")
def test_a_worker_does_not_grow():
    with contextlib.closing(Workers(Config(), count=1)) as pool:
        first = grown(pool, 60)
        assert grown(pool, 60) - first < 12
