"""The same articles in every page style: exactly the body comes out, once and in order."""

import pytest

from pipelines.pages import clean_page
from tests.own_stories import STORIES
from tests.page_styles import STYLES


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("style", STYLES)
def test_exactly_the_body_comes_out_of_every_style(style, name):
    story = STORIES[name]
    cleaned = clean_page(STYLES[style](story), "https://site.example/story")
    assert cleaned.text.split("\n\n") == story.body
    assert cleaned.title == story.title


@pytest.mark.parametrize("style", STYLES)
def test_every_block_has_a_fate_and_every_dropped_one_a_reason(style):
    cleaned = clean_page(STYLES[style](STORIES["lighthouse"]))
    assert all(block.kind and block.reason for block in cleaned.blocks)
    assert all(block.kind != "article" for block in cleaned.blocks if not block.is_kept)


def test_the_thread_is_called_a_thread_and_the_stories_stories():
    story = STORIES["lighthouse"]
    kinds = {block.text: block.kind for block in clean_page(STYLES["hashed_names"](story)).blocks}
    assert {kinds[text] for text in story.comments} <= {"comment", "repeat"}
    assert {kinds[title] for title, _ in story.teasers} == {"related"}
    assert {kinds[text] for text in story.questions} == {"related"}
    assert {kinds[text] for text in story.summary} == {"summary"}
    assert kinds["Leave a Reply"] in ("comment", "comment_form")
