"""The block model: what it is told, what it answers, and that it can always say why."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.clean import by_rules, by_words, clean
from pipelines.clean.features import KINDS, NAMES, features
from pipelines.clean.memory import SiteMemory, learnable
from pipelines.clean.model import AMID, UNSURE, judge, shipped
from pipelines.config import Config
from pipelines.extract import extract
from pipelines.pages import clean_page, clean_pages, page_of
from pipelines.reading.layout import FORMS
from pipelines.reading.trees import trees_of
from pipelines.records import Block, Document
from tests.own_stories import STORIES
from tests.page_styles import STYLES

BODY = STORIES["greenhouse"].body
ROOT = Path(__file__).parents[1]
NOW = page_of("x").fetched


def document(*blocks):
    return Document(
        url="http://a.test/1", final_url="http://a.test/1", canonical_url="", source="", publisher="a.test", title="A title of some length", byline="",
        published=None, published_origin="", language="en", fetched=NOW, blocks=tuple(blocks),
    )  # fmt: skip


def told(markup):
    found = extract(page_of(markup, "http://a.test/1"), Config().extract)
    view = by_rules(by_words(found))
    return view, view.all_fates()


def blocks():
    paths = st.sampled_from(["/html/body/div.a/p", "/html/body/div.a/h2", "/html/body/div.b/ul/li", "/html/body/article/p", "/html/body/div.c/td"])  # fmt: skip
    text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=300).filter(
        str.strip
    )
    return st.builds(
        Block, text=text, form=st.sampled_from(FORMS), path=paths, link_density=st.floats(0, 1), is_hidden=st.booleans(), is_main=st.booleans()
    )  # fmt: skip


@given(st.lists(blocks(), min_size=1, max_size=12), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_features_are_finite_numbers_for_any_page(found, pages):
    view = by_rules(by_words(document(*found)))
    rows = features(view, view.all_fates(), dict.fromkeys(range(3), 1), pages)
    assert rows.shape == (len(found), len(NAMES))
    assert np.isfinite(rows).all()


@given(st.lists(blocks(), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_page_with_a_text_is_never_emptied_and_what_words_gave_away_stays_away(found):
    view = by_rules(by_words(document(*found)))
    before, after = view.all_fates(), clean(document(*found)).blocks
    assert any(block.is_kept for block in after) or not any(fate.is_kept for fate in before)
    for fate, block in zip(before, after, strict=True):
        if block.is_kept and not fate.is_kept:
            assert fate.reason in UNSURE
        if block.reason.startswith("the block model"):
            assert block.evidence.count("(") >= 1


@pytest.mark.parametrize("style", sorted(set(STYLES) - {"flat_text"}))
def test_hints_add_up_to_the_answer(style):
    view, fates = told(STYLES[style](STORIES["greenhouse"]))
    rows, model = features(view, fates, {}, 0), shipped()
    roots = model.base + model.value[model.roots].sum()
    assert np.allclose(roots + model.hints(rows).sum(axis=1), model.log_odds(rows))


def test_every_kind_and_form_has_its_number():
    view, fates = told("<html><body><p>Only a line.</p></body></html>")
    assert {fate.kind for fate in fates} <= set(KINDS)
    assert {block.form for block in view.blocks} <= set(FORMS)


def test_a_model_of_other_features_is_refused():
    with pytest.raises(ValueError, match="other features"):
        trees_of({"features": ["words"], "trees": [], "threshold": 0.5, "base": 0.0, "depth": 1}, NAMES)


def plain_model(log_odds):
    """A model that gives every block the same answer."""
    leaf = {"feature": [-1], "at": [0], "left": [0], "right": [0], "value": [log_odds]}
    return trees_of({"features": list(NAMES), "trees": [leaf], "threshold": 0.5, "base": 0.0, "depth": 1}, NAMES)


def test_amid_the_text_a_block_must_be_very_unlikely_to_go():
    paragraphs = "".join(f"<p>{text}</p>" for text in BODY)
    view, fates = told(f"<html><body><article><h1>A title</h1>{paragraphs}</article></body></html>")
    first, *_, last = [at for at, fate in enumerate(fates) if fate.is_kept]
    doubtful = np.log(2 * AMID / (1 - 2 * AMID))
    assert set(judge(view, fates, SiteMemory(), plain_model(doubtful))) == {first, last}
    assert judge(view, fates, SiteMemory(), plain_model(-20.0)) == {}, "nothing would be left"


def test_flattened_text_is_left_to_the_rules():
    view, fates = told("\n".join(BODY))
    assert view.is_text
    assert judge(view, fates, SiteMemory(), plain_model(-1.0)) == {}


def test_memory_of_other_pages_leaves_out_the_page_itself():
    notice = "Every report on this desk is read by two people before it goes out."
    pages = [
        (f"<html><body><article><h1>Report {n}</h1><p>{text}</p><p>{BODY[n]}</p><p>{notice}</p></article></body></html>", f"http://a.test/{n}")
        for n, text in enumerate(BODY[2:5])
    ]  # fmt: skip
    learned = learnable(clean_page(*pages[0]))
    memory = SiteMemory(dict.fromkeys(learned, 1), 1).without(learned)
    assert (memory.seen, memory.pages) == ({}, 0)
    assert not any(block.is_kept for found in clean_pages(pages) for block in found.blocks if block.text == notice)


def test_the_shipped_model_says_what_it_is_asked_about():
    plain = json.loads(
        (__import__("pathlib").Path(__file__).parents[1] / "pipelines/clean/model.json").read_text("utf-8")
    )
    assert plain["asked_about"][1:] == list(UNSURE)
