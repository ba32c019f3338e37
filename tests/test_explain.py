"""The page of fates: everything in its place, escaped, in one file."""

import pytest

from pipelines.explain import as_dict, as_html, as_markdown
from pipelines.pages import clean_page
from tests.own_stories import STORIES
from tests.page_styles import STYLES

CLEANED = clean_page(STYLES["hashed_names"](STORIES["lighthouse"]), "https://site.example/a")


def test_every_block_is_there_with_its_label_and_reason():
    shown = as_html(CLEANED)
    assert shown.count('<div class="block') == len(CLEANED.blocks)
    assert "comment thread" in shown
    assert "prefers-color-scheme:dark" in shown
    assert "width=device-width" in shown


@pytest.mark.fault("W01", "W02", "W03")
def test_the_page_of_fates_loads_and_runs_nothing():
    hostile = clean_page(
        "<html><head><title>&lt;script&gt;alert(1)&lt;/script&gt;</title></head><body><p>&lt;img src=x onerror=alert(1)&gt; and words</p></body></html>"
    )
    shown = as_html(hostile)
    assert "<script" not in shown
    assert "<img" not in shown
    assert "http://" not in as_html(CLEANED)


def test_the_dictionary_has_the_fields_of_the_contract():
    found = as_dict(CLEANED)
    assert list(found) == ["url", "title", "byline", "published", "language", "text", "blocks"]
    assert list(found["blocks"][0]) == ["text", "kind", "kept", "reason", "evidence"]


def test_markdown_keeps_headings():
    written = as_markdown(CLEANED)
    assert written.startswith("# Harbour trial")
    assert "\n## What the logs showed\n" in written
