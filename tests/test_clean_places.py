"""What the place of a block says when no word does: other stories above the title, under links, comments in their element."""

import pytest

from pipelines.clean import by_rules, by_words
from pipelines.clean.model import UNSURE
from pipelines.records import Block, Document
from tests.helpers import NOW
from tests.own_stories import STORIES

BODY = STORIES["greenhouse"].body
TITLE = "Greenhouse computer waters the wrong beds"
TEASERS = [
    f"The {name} will stay closed until Friday, because nobody in the whole town has found the second key that belongs to its door."
    for name in ("museum", "harbour bath", "old theatre", "town library")
]


def text(at, words, **more):
    return Block(text=words, path=f"/html/body/{at}", is_main=True, **more)


def link(at, words):
    return Block(text=words, path=f"/html/body/{at}", link_density=1.0)


ARTICLE = [
    Block(text=TITLE, path="/html/body/div.page/h1", form="heading", level=1),
    *(text("div.page/div.text/p", paragraph) for paragraph in BODY),
]


def fates(*blocks):
    document = Document(
        url="http://a.test/1", final_url="http://a.test/1", canonical_url="", source="", publisher="a.test", title=TITLE, byline="",
        published=None, published_origin="", language="en", fetched=NOW, blocks=tuple(blocks),
    )  # fmt: skip
    return {block.text: (fate.kind, fate.is_kept) for block, fate in zip(blocks, by_rules(by_words(document)).all_fates(), strict=True)}  # fmt: skip


def kept(found):
    return [words for words, (_, is_kept) in found.items() if is_kept]


def test_other_stories_above_the_title_are_not_the_text():
    found = fates(*(text("div.column/ul/li/p", teaser) for teaser in TEASERS), *ARTICLE)
    assert kept(found) == list(BODY)
    assert found[TEASERS[0]] == ("related", False)


@pytest.mark.parametrize("more", [{"level": 2}, {"text": "News"}], ids=["no main heading", "not the title"])
def test_text_above_a_heading_that_is_not_the_title_stays(more):
    heading, *rest = ARTICLE
    found = fates(*(text("div.page/p", paragraph) for paragraph in TEASERS), heading.changed(**more), *rest)
    assert TEASERS[0] in kept(found)


def test_a_lead_in_the_articles_own_element_may_stand_above_its_title():
    found = fates(text("div.page/p", TEASERS[0]), *ARTICLE)
    assert kept(found)[0] == TEASERS[0]


def test_a_line_called_comments_above_the_title_opens_no_thread_that_takes_the_article():
    menu = [*(text("div.column/p", teaser) for teaser in TEASERS), link("div.column/p", "Comments")]
    assert kept(fates(*menu, *ARTICLE)) == list(BODY)


def listed(count, title=link, at="dl.feed"):
    return [
        block
        for number, teaser in enumerate(TEASERS[:count])
        for block in (title(f"{at}/dt", f"Story number {number} of today"), text(f"{at}/dd#n{number}", teaser))
    ]


def test_texts_each_under_a_link_are_other_stories_where_the_page_has_prose_besides():
    found = fates(*ARTICLE, *listed(4))
    assert kept(found) == list(BODY)
    assert found[TEASERS[0]] == ("related", False)
    assert set(TEASERS) <= set(kept(fates(*listed(4)))), "nothing else on the page: they are what it has"


def test_two_of_them_or_texts_under_headings_are_the_articles():
    assert set(TEASERS[:2]) <= set(kept(fates(*ARTICLE, *listed(2))))

    def heading(at, words):
        return Block(text=words, path=f"/html/body/{at}", form="heading", level=2, link_density=1.0)

    assert set(TEASERS) <= set(kept(fates(*ARTICLE, *listed(4, heading))))


def test_what_stands_in_an_element_called_comments_is_a_comment_only_below_the_text():
    comment = Block(text=TEASERS[0], path="/html/body/div#comments-4-to-n/p")
    assert fates(*ARTICLE, comment)[TEASERS[0]] == ("comment", False)
    assert fates(comment, *ARTICLE)[TEASERS[0]][0] != "comment"


def test_text_under_a_picture_is_nothing_the_model_may_bring_back():
    assert "text under a picture" not in UNSURE


def test_what_a_form_makes_readers_agree_to_is_not_the_text_unless_there_is_nothing_else():
    consent = [text("form/fieldset.agree/div", teaser) for teaser in TEASERS]
    assert kept(fates(*ARTICLE, *consent)) == list(BODY)
    assert set(TEASERS) <= set(kept(fates(*consent)))
