"""The bundled site, crawled for real: what came of every address is compared with what its author wrote.

A failure lists every page that differs and how, so that one run tells all.
"""

import difflib
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from crawler.demo.articles import load_articles
from crawler.demo.manifest import truths
from crawler.demo.publishers import PUBLISHERS
from crawler.demo.site import DemoSite
from pipelines.errors import ConfigError
from pipelines.store import Corpus

pytestmark = pytest.mark.xdist_group("demo")

ARTICLES = load_articles()
PHENOMENA = {"hidden_copy", "mobile_copy", "json_copy", "comments_inside", "comments_details", "read_more"}


@pytest.fixture(scope="module")
def told(demo_site):
    return truths(demo_site)


@pytest.fixture(scope="module")
def corpus(demo_corpus):
    with Corpus.open(demo_corpus, read_only=True) as corpus:
        yield corpus


@pytest.fixture(scope="module")
def stored(corpus, told):
    """The stored article of every address, None for what was not kept."""
    return {truth.url: corpus.article(truth.url) for truth in told}


@pytest.fixture(scope="module")
def kept(told):
    return [truth for truth in told if truth.outcome == "kept"]


def report(lines):
    assert not lines, f"{len(lines)} of the pages differ:\n" + "\n".join(lines)


def differing(truth, text):
    """How a stored text differs: every paragraph too many, missing or changed."""
    lines = difflib.ndiff(list(truth.article.paragraphs), text.split("\n\n"))
    shown = (f"    {line[:160]}" for line in lines if line[:2] in ("- ", "+ "))
    return f"{truth.key} ({truth.url})\n" + "\n".join(shown)


def same(kept, stored, column, wanted):
    """A line for every kept page whose column is not what its author wrote."""
    for truth in kept:
        row = stored[truth.url]
        if row is not None and row[column] != wanted(truth):
            yield f"{truth.key}: {column} is {row[column]!r}, written {wanted(truth)!r}"


def test_every_text_is_what_was_written_and_nothing_else(kept, stored):
    missing = [f"{truth.key} ({truth.url}): not in the corpus" for truth in kept if stored[truth.url] is None]
    found = [truth for truth in kept if stored[truth.url] is not None]
    report(missing + [differing(t, stored[t.url]["text"]) for t in found if stored[t.url]["text"] != t.article.text])


def test_titles_writers_and_languages_are_those_of_the_page(kept, stored):
    report(
        [
            *same(kept, stored, "title", lambda truth: truth.article.title),
            *same(kept, stored, "byline", lambda truth: truth.article.byline),
            *same(kept, stored, "language", lambda truth: truth.article.language),
            *same(kept, stored, "publisher", lambda truth: PUBLISHERS[truth.publisher].name),
        ]
    )


def test_dates_are_those_of_the_page(kept, stored):
    lines = []
    for truth in kept:
        row = stored[truth.url]
        if row is None:
            continue
        published = datetime.fromisoformat(row["published"]).astimezone(UTC) if row["published"] else None
        if published != truth.article.published:
            lines.append(f"{truth.key}: {published} ({row['published_origin']}), written {truth.article.published}")
    report(lines)


def test_copies_are_named_with_what_they_copy(corpus, kept, stored):
    keys = {truth.url: truth.key for truth in kept}
    lines = []
    for truth in kept:
        row = stored[truth.url]
        if row is None:
            continue
        found = {(link["relation"], link["url"]) for link in corpus.copies(row["id"])}
        others = [line for line in found if keys.get(line[1]) and not is_expected(truth, line, kept)]
        lines += [f"{truth.key}: {relation} with {keys[url]}, which nobody wrote" for relation, url in others]
        # a version that was met before what it corrects cannot be called one yet: it is near
        near = {link["url"] for link in corpus.copies(row["id"]) if link["article"] != row["id"]}
        relation = "near" if truth.relation == "version" and truth.of in near else truth.relation
        if truth.of and (relation, truth.of) not in found:
            seen = ", ".join(f"{relation} of {keys.get(url, url)}" for relation, url in found) or "original"
            lines.append(f"{truth.key}: {seen}, written {truth.relation} of {keys[truth.of]}")
        if bool(row["canonical"]) == bool(truth.of):
            lines.append(f"{truth.key}: canonical is {row['canonical']}")
    report(lines)


def is_expected(truth, link, kept):
    """True when the link, seen from either end, is the one that was written."""
    relation, url = link
    pairs = {(other.relation, frozenset((other.url, other.of))) for other in kept if other.of}
    pairs |= {("near", urls) for relation, urls in pairs if relation == "version"}
    of_one = {other.of for other in kept if other.of and other.url in (truth.url, url)}
    siblings = {other.url for other in kept if other.of in of_one} | of_one
    return (relation, frozenset((truth.url, url))) in pairs or {truth.url, url} <= siblings


def test_what_is_no_article_is_rejected_with_its_reason(corpus, told, stored):
    lines = []
    for truth in told:
        if truth.outcome == "kept":
            continue
        reasons = [(row["stage"], row["reason"]) for row in corpus.rejections(url=truth.url)]
        name = truth.key or truth.url
        if stored[truth.url] is not None:
            lines.append(f"{name}: kept, expected {truth.outcome}")
        elif not reasons:
            lines.append(f"{name}: neither kept nor rejected")
        wanted = {"not_found": "not_found", "disallowed": "robots"}.get(truth.outcome, truth.reason)
        if reasons and wanted and wanted not in {reason for _, reason in reasons}:
            lines.append(f"{name}: rejected as {reasons}, expected {wanted}")
    report(lines)


def test_a_moved_page_is_kept_under_the_address_it_was_found_by(kept, stored):
    moved = [truth for truth in kept if truth.final_url]
    assert moved
    assert [stored[truth.url]["final_url"] for truth in moved] == [truth.final_url for truth in moved]


def test_one_story_in_other_words_is_one_story_and_no_copy(kept, stored):
    groups = {}
    for truth in kept:
        if truth.story:
            groups.setdefault(truth.story, []).append(truth)
    lines = []
    for name, members in groups.items():
        stories = {truth.key: stored[truth.url]["story"] for truth in members}
        if len(set(stories.values())) != 1 or None in stories.values():
            lines.append(f"{name}: {stories}")
    report(lines)


def test_the_corpus_holds_nothing_else(corpus, told):
    known = {truth.url for truth in told}
    assert [row["url"] for row in corpus.articles() if row["url"] not in known] == []


def test_a_forbidden_page_is_never_asked_for(demo_site, demo_corpus):
    asked = {(request.publisher, request.path) for request in demo_site.requests}
    forbidden = [(name, path) for name, path in asked if path.startswith(PUBLISHERS[name].forbidden)]
    assert forbidden == []
    first = {request.publisher: request.path for request in sorted(demo_site.requests, reverse=True)}
    assert set(first.values()) == {"/robots.txt"}, "robots.txt is asked before anything else"
    assert set(first) == set(PUBLISHERS)


def test_requests_to_one_host_never_overlap(demo_site, demo_corpus):
    lines = []
    for publisher in PUBLISHERS:
        requests = sorted(request for request in demo_site.requests if request.publisher == publisher)
        lines += [
            f"{publisher}: {later.path} was asked while {earlier.path} was not answered"
            for earlier, later in pairwise(requests)
            if later.time < earlier.ended
        ]
    report(lines)


def test_a_second_crawl_asks_only_whether_anything_changed(demo_site, demo_corpus, demo_environment):
    with Corpus.open(demo_corpus, read_only=True) as corpus:
        before = corpus.stats()["articles"]
    start = len(demo_site.requests)
    command = [sys.executable, "-m", "crawler", "crawl", "--force"]
    done = subprocess.run(command, env=demo_environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 new articles" in done.stdout
    asked = [request for request in demo_site.requests[start:] if request.path != "/robots.txt"]
    of_articles = {url.split("/", 3)[3] for url in (truth.url for truth in truths(demo_site))}
    pages = [request for request in asked if request.path.lstrip("/") in of_articles]
    assert pages == []
    assert all(request.was_conditional and request.status == 304 for request in asked)
    with Corpus.open(demo_corpus, read_only=True) as corpus:
        assert corpus.stats()["articles"] == before


def test_the_site_shows_every_phenomenon():
    features = {feature for article in ARTICLES.values() for feature in article.features}
    outcomes = Counter(article.expected.outcome for article in ARTICLES.values())
    relations = {article.expected.relation for article in ARTICLES.values()}
    comments = Counter(text for article in ARTICLES.values() for _, text in article.comments)
    assert features >= PHENOMENA
    assert len(ARTICLES) >= 40
    assert outcomes["rejected"] >= 2
    assert relations == {"original", "exact", "near", "contained", "version"}
    assert {article.publisher for article in ARTICLES.values()} == set(PUBLISHERS)
    assert {article.language for article in ARTICLES.values()} >= {"en", "ko", "zh", "de", "fr"}
    assert any(count > 1 and re.search("[가-힣]", text) for text, count in comments.items())
    assert any(article.slow_seconds for article in ARTICLES.values())
    assert any(article.summary and article.questions for article in ARTICLES.values())


# reading the files, on two small ones of our own

ONE = """
title = "A lantern test"
published = 2026-11-17T08:30:00Z
language = "en"
body = [["p", "The lantern stayed lit."], ["h2", "Why"], ["li", "oil"], ["p", "Nobody knows."]]
[expected]
"""
COPY = """
title = "Lantern lit"
published = 2026-11-18T08:30:00+01:00
language = "en"
body_from = "one/lantern"
keep_paragraphs = 2
tail = ["p", "Read the full story at One."]
dateline = "HARBOUR - "
replace = [["stayed lit", "burned"]]
append = [["p", "More later."]]
[expected]
relation = "contained"
of = "one/lantern"
"""


def written(folder, **files):
    for name, text in files.items():
        publisher, _, slug = name.partition("_")
        path = folder / "pages" / publisher / f"{slug}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "pages"


def test_a_copy_takes_the_body_it_names_with_its_changes(tmp_path):
    articles = load_articles(written(tmp_path, one_lantern=ONE, two_copy=COPY))
    assert articles["two/copy"].paragraphs == ("HARBOUR - The lantern burned.", "Why", "More later.")
    assert articles["two/copy"].published == datetime(2026, 11, 18, 7, 30, tzinfo=UTC)
    assert articles["one/lantern"].text.startswith("The lantern stayed lit.\n\nWhy")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title", "headline", "headline: unknown key"),
        ('language = "en"', "language = 3", "language"),
        ('"one/lantern"\nkeep', '"one/lamp"\nkeep', "body_from: 'one/lamp'"),
        ("stayed lit", "went out", "replace: 'went out'"),
        ('of = "one/lantern"', "", "expected.relation"),
        ("+01:00", "", "published"),
        ('["p", "More', '["para", "More', "append"),
    ],
)
def test_a_mistake_is_told_by_file_and_key(tmp_path, old, new, message):
    pages = written(tmp_path, one_lantern=ONE, two_copy=COPY.replace(old, new, 1))
    with pytest.raises(ConfigError, match=re.escape("pages/two/copy.toml")) as caught:
        load_articles(pages)
    assert message in str(caught.value)


def test_a_port_in_use_leaves_no_socket_behind():
    with DemoSite({}) as site:
        port = int(site.urls["meridian"].rpartition(":")[2])
        with pytest.raises(OSError, match="in use"), DemoSite({}, first_port=port):
            pass
    assert site.requests == []
