"""The corridor: what prepare() lets through, and the one-word reason for what it does not."""

import pytest

from pipelines.config import Config
from pipelines.flow import prepare
from pipelines.records import Article, Page, Rejection, Traits
from tests.helpers import NOW
from tests.site import article, prose

LINKS = "".join(f'<p><a href="/{number}">{line}</a></p>' for number, line in enumerate(prose(4)))


def page(body, **values):
    return Page(url="https://news.example/a", body=body.encode(), fetched=NOW, **values)


def test_a_good_page_becomes_an_article():
    found = prepare(page(article("A title", 1)), Config())
    assert isinstance(found, Article)
    assert found.text == "\n\n".join(prose(1))
    assert found.words > 100
    assert found.signature.fingerprints


@pytest.mark.parametrize(
    ("body", "stage", "reason"),
    [
        ("", "extract", "empty"),
        ("<html><body><p>The page you asked for was not found here, sorry.</p></body></html>", "clean", "too_short"),
        (f"<html><body><article><h1>Archive</h1>{LINKS}</article></body></html>", "clean", "no_article"),
        (
            "<html><body><p>" + "Please enable JavaScript and cookies to continue. " * 6 + "</p></body></html>",
            "clean",
            "wall",
        ),
        (article("Earbuds", 2).replace("alignment", "bass"), "relevance", "off_topic"),
    ],
)
def test_what_is_not_kept_has_its_reason(body, stage, reason):
    found = prepare(page(body, traits=Traits(is_topical=True)), Config())
    assert isinstance(found, Rejection)
    assert (found.stage, found.reason) == (stage, reason)


def test_a_dedicated_source_is_ranked_and_never_filtered():
    found = prepare(page(article("Earbuds", 2).replace("alignment", "bass")), Config())
    assert isinstance(found, Article)
    assert found.relevance.verdict == "off_topic"
