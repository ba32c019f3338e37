"""The glance: what it is told, when it is sure, and who is asked when it is not."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import main_text
from pipelines.clean import clean
from pipelines.config import Config
from pipelines.extract import extract
from pipelines.pages import page_of
from pipelines.reading import glance
from pipelines.reading.layout import FAR, FORMS, PLACES, Layout, places_of
from pipelines.reading.trees import trees_of
from pipelines.records import Block
from tests.own_stories import STORIES

BODY = STORIES["greenhouse"].body
PLAIN = "<html><body><nav><ul>{menu}</ul></nav><main><article><h1>A harbour counts its ropes</h1>{text}</article></main><footer><p>Imprint</p></footer></body></html>"


def told(likelihood):
    """Trees that say the same of every block."""
    leaf = {"feature": [-1], "at": [0], "left": [0], "right": [0], "value": [float(np.log(likelihood / (1 - likelihood)))]}  # fmt: skip
    return trees_of({"features": list(glance.NAMES), "trees": [leaf], "threshold": 0.5, "base": 0.0, "depth": 1}, glance.NAMES)  # fmt: skip


def page():
    menu = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("Coast", "Trade", "Weather", "Letters"))
    text = "".join(f"<p>{text}</p>" for text in BODY)
    return page_of(PLAIN.format(menu=menu, text=text), "http://a.test/1")


@pytest.fixture
def asked(monkeypatch):
    """Every page about which trafilatura is asked."""
    pages = []
    original = main_text.main_text

    def counted(root, url):
        pages.append(url)
        return original(root, url)

    monkeypatch.setattr(main_text, "main_text", counted)
    return pages


def test_of_a_plain_page_the_glance_is_sure_and_nobody_else_is_asked(asked):
    found = extract(page(), Config().extract)
    assert found.is_sure
    assert not asked
    assert [block.text for block in found.blocks if block.is_main][-len(BODY) :] == list(BODY)
    cleaned = clean(found)
    assert cleaned.text == "\n\n".join(BODY)
    assert not any("block model" in block.reason for block in cleaned.blocks)


def test_a_glance_in_doubt_asks_trafilatura(asked, monkeypatch):
    unsure = told(0.5)
    monkeypatch.setattr(glance, "shipped", lambda: unsure)
    found = extract(page(), Config().extract)
    assert not found.is_sure
    assert asked == ["http://a.test/1"]
    assert clean(found).text == "\n\n".join(BODY)


@pytest.mark.parametrize(("likelihood", "is_sure"), [(0.999, True), (0.95, True), (0.8, False), (0.5, False), (0.02, False)])  # fmt: skip
def test_doubt_is_what_the_trees_would_not_bet_on(likelihood, is_sure):
    """Nothing like an article anywhere is doubt, too: then another extractor may find one."""
    blocks = [Block(text=text, path="/html/body/p") for text in BODY]
    assert glance.glance(blocks, told(likelihood)).is_sure == is_sure


def test_no_block_is_nothing_to_be_sure_of():
    assert not glance.glance([]).is_sure


@given(
    st.lists(
        st.builds(
            Block,
            text=st.text(min_size=1, max_size=200),
            form=st.sampled_from(FORMS),
            level=st.integers(0, 6),
            path=st.sampled_from(["", "/html/body/p", "/html/body/div.a/p", "/html/body/article/h2", "/html/body/table/tr/td"]),
            link_density=st.floats(0, 1),
            is_hidden=st.booleans(),
        ),
        min_size=1,
        max_size=12,
    )
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_any_blocks_give_finite_numbers_and_a_likelihood_each(blocks):
    rows = glance.rows_of(Layout(blocks))
    assert rows.shape == (len(blocks), len(glance.NAMES))
    assert np.isfinite(rows).all()
    found = glance.glance(blocks)
    assert ((found.likely >= 0) & (found.likely <= 1)).all()
    assert found.doubt >= 0


def test_the_shipped_trees_are_of_these_features():
    plain = json.loads(Path(glance.__file__).with_name("glance.json").read_text("utf-8"))
    assert plain["features"] == list(glance.NAMES)
    assert 0 < plain["threshold"] < 1


@pytest.mark.parametrize(
    ("path", "away", "towards", "form", "aside"),
    [
        ("html/body/div.articleBody/p", FAR, 1, FAR, FAR),
        ("html/body/div.siteMenu/ul/li", 2, FAR, FAR, FAR),
        ("html/body/article.post/div#comment-list/p", 1, 2, FAR, FAR),
        ("html/body/form/fieldset.agree/p", FAR, FAR, 1, FAR),
        ("html/body/aside.x1f/p", FAR, FAR, FAR, 1),
        ("html/body/div.admiral/p", FAR, FAR, FAR, FAR),
    ],
)
def test_names_in_a_path_say_where_a_block_stands(path, away, towards, form, aside):
    found = dict(zip(PLACES, places_of([path])[0], strict=True))
    assert (found["named_away"], found["named_towards"], found["in_form"], found["in_aside"]) == (away, towards, form, aside)  # fmt: skip
