"""Cleaning: what must go, what must stay, and what always holds."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.clean import clean
from pipelines.clean.cue_words import cues_for, tables
from pipelines.clean.memory import block_hash, learnable
from pipelines.errors import InputError
from pipelines.pages import clean_page, clean_pages
from tests.own_stories import STORIES
from tests.page_styles import STYLES
from tests.site import prose

BODY = STORIES["greenhouse"].body


def page(inside):
    return f"<html><head><title>A story of a garden and its computer</title></head><body>{inside}</body></html>"


def article(*more):
    return page("<article>" + "".join(f"<p>{text}</p>" for text in BODY) + "".join(more) + "</article>")


def fate(cleaned, text):
    return next(block for block in cleaned.blocks if block.text == text)


def test_title_is_metadata_and_never_opens_the_text():
    cleaned = clean_page(page(f"<h1>A story of a garden and its computer</h1><p>By Ann Lee</p>{article()}"))
    assert cleaned.title == "A story of a garden and its computer"
    assert cleaned.text.split("\n\n") == BODY
    assert cleaned.blocks[0].kind == "title"


def test_a_refrain_and_a_quotation_may_stand_twice():
    refrain = "The rain remembers every roof we had."
    verses = [f"<p>{text}</p><p>{refrain}</p>" for text in BODY]
    assert clean_page(page(f"<article>{''.join(verses)}</article>")).text.count(refrain) == len(BODY)
    quoted = article(f"<blockquote>{BODY[2]}</blockquote><p>{BODY[4]} She said so twice, and meant it both times.</p>")
    kept = [block for block in clean_page(quoted).blocks if block.text == BODY[2]]
    assert any(block.form == "paragraph" and block.is_kept for block in kept)


def test_a_paragraph_that_stands_twice_is_kept_once_and_says_which_it_repeats():
    cleaned = clean_page(article(f"<p>{BODY[0]}</p>"))
    copies = [block for block in cleaned.blocks if block.text == BODY[0]]
    assert [block.is_kept for block in copies] == [True, False]
    assert copies[1].kind == "repeat"
    assert copies[1].evidence.startswith("block 0")


def test_near_identical_blocks_are_one_unless_a_number_differs():
    long = "The committee met on the third floor and agreed, after a long debate about windows, that the report should be read again by somebody else before June."
    changed = long.replace("windows", "doors")
    text = clean_page(article(f"<p>{long}</p><p>{changed}</p>")).text
    assert (long in text) + (changed in text) == 1
    one = "In the first round Vell scored 3 goals and Dorn answered with a long ball over the wall that nobody in the stadium had seen coming at all."
    other = one.replace("3 goals", "5 goals")
    text = clean_page(article(f"<p>{one}</p><p>{other}</p>")).text
    assert one in text
    assert other in text


def test_crumbs_counters_and_calls_go():
    cleaned = clean_page(
        page(f"<div>, , ,</div>{article('<p>Subscribe to our newsletter and never miss a story.</p>')}<p>0/500</p>")
    )
    assert cleaned.text.split("\n\n") == BODY
    assert fate(cleaned, ", , ,").kind == "navigation"
    assert fate(cleaned, "Subscribe to our newsletter and never miss a story.").kind == "newsletter"


def test_a_comment_link_above_the_text_does_not_end_it():
    cleaned = clean_page(
        page(
            f"<article><h1>A story of a garden and its computer</h1><p><a href='#c'>Comments (10)</a></p>{article()}</article>"
        )
    )
    assert cleaned.text.split("\n\n") == BODY


def test_a_page_whose_text_is_shown_by_a_script_is_not_lost():
    cleaned = clean_page(
        page("<div style='display:none'><article>" + "".join(f"<p>{text}</p>" for text in BODY) + "</article></div>")
    )
    assert cleaned.text.split("\n\n") == BODY


def test_questions_with_answers_are_the_article():
    parts = "".join(f"<h3>Why did it happen in case {number}?</h3><p>{text}</p>" for number, text in enumerate(BODY))
    text = clean_page(page(f"<article>{parts}</article>")).text
    assert all(f"Why did it happen in case {number}?" in text for number in range(len(BODY)))


def test_flattened_text_keeps_lists_and_drops_what_stands_above_the_title():
    lines = [
        "Site",
        "Greenhouse computer hides its plants",
        BODY[0],
        "* the first reason is water",
        "* the second reason is light",
        BODY[1],
        "Leave a Reply",
    ]
    cleaned = clean_page("\n".join(lines))
    assert cleaned.text.split("\n\n") == [BODY[0], "the first reason is water", "the second reason is light", BODY[1]]
    assert fate(cleaned, "Site").kind == "navigation"


@pytest.mark.parametrize(
    ("language", "heading"),
    [("ko", "댓글 12"), ("ja", "コメント（3）"), ("zh", "全部评论"), ("de", "Kommentare (7)"), ("fr", "Commentaires (2)"), ("es", "Comentarios"),
     ("it", "Commenti (4)"), ("pt", "Comentários"), ("nl", "Reacties (9)"), ("pl", "Komentarze (5)"), ("ru", "Комментарии (8)"), ("el", "Σχόλια (1)")],
)  # fmt: skip
def test_each_language_knows_a_thread(language, heading):
    assert "comment" in cues_for(language).find(heading)
    assert "comment" in cues_for("").find(heading)  # a page that does not say its language


def test_cue_files_hold_only_known_kinds():
    from pipelines.clean.furniture import KINDS
    from pipelines.clean.threads import SECTIONS

    known = {*KINDS, *SECTIONS, "summary", "byline"}
    for language, kinds in tables().items():
        assert set(kinds) <= known, language


def test_what_many_pages_of_a_site_share_is_template():
    banner = "Velmoor Daily is printed on paper that was once a forest near here."
    stories = [
        page(f"<article><p>{BODY[0]} Number {word}.</p><p>{banner}</p><p>{BODY[1]} It was {word}.</p></article>")
        for word in ("one", "two", "three")
    ]
    cleaned = clean_pages([(html, f"https://site.example/{number}") for number, html in enumerate(stories)])
    assert all(banner not in document.text for document in cleaned)
    assert fate(cleaned[0], banner).kind == "site_template"
    assert banner in clean_page(stories[0]).text  # alone, nothing speaks against it


def test_template_hashes_are_stable_and_fit_the_database():
    assert block_hash("Read “this” now") == block_hash('read "THIS", now!')
    assert 0 <= block_hash("anything at all") < 2**63
    assert block_hash("Velmoor Daily") == 219569925458082683


def test_a_page_teaches_what_it_dropped_but_not_its_copies():
    cleaned = clean_page(STYLES["hidden_copy"](STORIES["lighthouse"]))
    taught = learnable(cleaned)
    assert block_hash("Privacy Policy") in taught
    assert block_hash(cleaned.title) not in taught


def test_no_page_at_all_is_told_in_one_line():
    with pytest.raises(InputError, match="empty"):
        clean_page("")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_cleaning_kept_text_again_as_plain_text_loses_nothing(data):
    story = STORIES[data.draw(st.sampled_from(sorted(STORIES)))]
    style = data.draw(st.sampled_from(sorted(STYLES)))
    once = clean_page(STYLES[style](story))
    again = clean_page(once.title + "\n\n" + once.text)
    assert again.text == once.text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *BODY,
                "Comments (3)",
                "Related article",
                "Insights",
                "Why?",
                ", , ,",
                "Share",
                "By Ann",
                "Short line",
                "한국어 댓글입니다",
            ]
        ),
        max_size=25,
    )
)
def test_any_order_of_lines_gets_a_fate_and_cleaning_twice_is_cleaning_once(lines):
    html = page("".join(f"<p>{line}</p>" for line in lines) + "<p>.</p>")
    cleaned = clean_page(html)
    assert all(block.reason for block in cleaned.blocks)
    assert clean(cleaned) == cleaned
    assert clean(replace(cleaned, blocks=())).text == ""


def test_a_story_at_many_addresses_of_a_site_is_not_taken_for_its_template():
    story = "".join(f"<p>{line}</p>" for line in prose(3))
    page = f"<html><body><article><h1>The inspection</h1>{story}</article></body></html>"
    for cleaned in clean_pages([(page, f"https://desk.example/{name}") for name in ("story", "print", "amp", "tag")]):
        assert cleaned.text.split("\n\n") == prose(3)


def test_what_stands_on_many_pages_of_a_site_is_template():
    note = "The desk is paid for by its readers and by nobody else, and every report may be printed again by schools."

    def page(number):
        story = "".join(f"<p>{line}</p>" for line in prose(number))
        return f"<html><body><article><h1>Report {number}</h1>{story}<p>{note}</p></article></body></html>"

    assert note in clean_page(page(0), "https://desk.example/0").text
    for number, cleaned in enumerate(
        clean_pages([(page(number), f"https://desk.example/{number}") for number in range(4)])
    ):
        assert cleaned.text.split("\n\n") == prose(number)


def test_a_list_of_things_under_a_misleading_heading_is_kept():
    lead = "".join(f"<p>{line}</p>" for line in prose(5, sentences=3))
    things = "".join(
        f"<h2>Tool number {number}</h2><ul>"
        + "".join(f"<li>{line}</li>" for line in prose(50 + number, sentences=3))
        + "</ul>"
        for number in range(5)
    )
    page = f"<html><body><article><h1>Five tools</h1>{lead}<h3>Don't miss</h3>{things}</article></body></html>"
    text = clean_page(page, "https://desk.example/tools").text
    assert all(f"Tool number {number}" in text for number in range(5))
    assert all(line in text for number in range(5) for line in prose(50 + number, sentences=3))


def test_what_stands_beside_a_thread_is_not_called_a_comment():
    body = "".join(f"<p>{line} {line.replace('says', 'adds that')}</p>" for line in prose(6))
    page = (
        f"<html><body><main><article><h1>A report</h1>{body}</article><div id='comments'><h3>Comments (2)</h3>"
        "<ol><li><b>Ann</b><p>I read this twice and still disagree with the second half.</p></li>"
        "<li><b>Bo</b><p>So did I, and I agree with all of it.</p></li></ol></div></main>"
        "<aside><h4>Newest</h4><ul><li><a href='/1'>A council meets behind closed doors</a></li></ul></aside></body></html>"
    )
    kinds = {block.text: block.kind for block in clean_page(page, "https://desk.example/r").blocks}
    assert kinds["So did I, and I agree with all of it."] == "comment"
    assert kinds["A council meets behind closed doors"] not in ("comment", "comment_form", "article")
