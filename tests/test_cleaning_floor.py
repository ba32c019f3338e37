"""Cleaning never gets worse on pages of our own: the same scores as in the table of extractors, held to the floors of cleaning_floor.toml.

A floor belongs to exactly the pages it was measured on; a digest of them tells when it must be measured again.
"""

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.clean.model import shipped
from pipelines.config import Config
from pipelines.extract import extract
from pipelines.pages import clean_together, page_of
from pipelines.reading import glance
from pipelines.reading.trees import trees_of
from pipelines.records import Rejection
from tests.benchmarks import peers, unseen
from tests.benchmarks.extractors import OURS, measured, with_peer
from tests.benchmarks.own_pages import SETS
from tests.benchmarks.scoring import Gold, Score, Summary, digest, score, untitled
from tests.benchmarks.train_cleaning import constant

FLOORS = tomllib.loads(Path(__file__).with_name("cleaning_floor.toml").read_text("utf-8"))
HOW = "measure again with `python -m tests.benchmarks.cleaning` and write it to tests/cleaning_floor.toml"


@pytest.fixture(scope="module", params=SETS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def rows(name):
    return SETS[name]()


@pytest.fixture(scope="module")
def texts(rows):
    """What comes out of the pages, those of one site together."""
    extract_settings = Config().extract
    cleaned = clean_together([extract(page_of(row["html"], row["url"]), extract_settings) for row in rows])
    return ["" if isinstance(one, Rejection) else one.text for one in cleaned]


def test_the_floor_was_measured_on_these_pages(name, rows):
    assert FLOORS[name]["pages"] == len(rows)
    assert FLOORS[name]["digest"] == digest(rows), f"the pages of {name} are others ({digest(rows)}): {HOW}"


def test_no_score_is_below_its_floor(name, rows, texts):
    scores = [score(Gold.of(row), text) for row, text in zip(rows, texts, strict=True)]
    summary, floor = Summary.of(scores), FLOORS[name]
    differing = [row["id"] for row, one in zip(rows, scores, strict=True) if not one.is_exact]
    assert round(summary.f1, 4) >= floor["f1"], f"pages with other words than the gold: {differing}"
    assert round(summary.exact, 4) >= floor["exact"], f"pages with other words than the gold: {differing}"
    assert round(summary.leak or 0.0, 4) <= floor["leak"], f"comments or related stories kept: {differing}"


def test_a_lost_paragraph_and_a_stray_one_are_below_the_floor(name, rows, texts):
    """The floor bites: one page made wrong is told."""
    golds = [Gold.of(row) for row in rows]
    long = next(at for at, gold in enumerate(golds) if len(gold.words) > 100)
    lines = texts[long].splitlines()
    for wrong in ("\n".join(lines[:-3]), texts[long] + "\n\nRead more about this from our own desk in town"):
        spoilt = [wrong if at == long else text for at, text in enumerate(texts)]
        found = Summary.of([score(gold, text) for gold, text in zip(golds, spoilt, strict=True)])
        assert found.f1 < FLOORS[name]["f1"] or found.exact < FLOORS[name]["exact"]


PAGE = {
    "html": "<title>A harbour trial ends | Velmoor Post</title><h1>A harbour trial ends</h1>",
    "gold": "A harbour trial ends\none two three four five six",
    "extra": {"comments": ["this was never any good to me"]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two three four five six", Score(3, 0, 0, is_exact=True, leaked=0, foreign=4)),
        ("A harbour trial ends\n\none two three four five six", Score(3, 0, 0, is_exact=True, leaked=0, foreign=4)),
        ("one two three four", Score(1, 0, 2, is_exact=False, leaked=0, foreign=4)),
        ("one two three four five six was never any good", Score(3, 4, 0, is_exact=False, leaked=1, foreign=4)),
        ("", Score(0, 0, 3, is_exact=False, leaked=0, foreign=4)),
    ],
)
def test_words_are_counted_in_runs_of_four_without_the_title(text, expected):
    assert score(Gold.of(PAGE), text) == expected


def test_a_title_further_down_is_text():
    text = "first\nsecond\nthird\nfourth\nA harbour trial ends"
    assert untitled(text, {"a harbour trial ends"}) == text


def test_means_are_of_pages_and_pages_without_any_word_right_are_bad():
    whole, empty = (
        Score(10, 0, 0, is_exact=True, leaked=0, foreign=0),
        Score(0, 0, 10, is_exact=False, leaked=0, foreign=0),
    )
    summary = Summary.of([whole, empty])
    assert (summary.precision, summary.recall, summary.exact, summary.bad) == (1.0, 0.5, 0.5, 1)
    assert summary.f1 == pytest.approx(2 / 3)
    assert summary.leak is None


def test_the_table_has_a_row_for_each_extractor_and_tells_splits_worst_pages_and_metadata():
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.cleaning",
        "--limit",
        "4",
        "--by",
        "language",
        "--worst",
        "2",
        "--metadata",
    ]
    printed = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True).stdout
    lines = printed.splitlines()
    assert sum(line.startswith("copydesk  ") for line in lines) == len(SETS) + 1  # and the mean of the sets
    assert sum(line.startswith("trafilatura, fast") for line in lines) == len(SETS) + 1
    assert any(line.startswith("by language") for line in lines)
    assert sum("4-grams right" in line for line in lines) == 2
    assert any(line.startswith("demo title (4 pages): copydesk right 1.000") for line in lines)


def test_a_peer_without_an_environment_is_a_row_that_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(peers, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    run = with_peer("jusText", SETS["golden"]())
    assert run.why_not == "no environment: No such file or directory"
    assert not run.texts


def test_a_peer_answers_for_every_page_and_what_it_raises_is_noted(monkeypatch, tmp_path):
    """A stand-in for an extractor from elsewhere, in the place where its environment would stand."""
    package = tmp_path / "justext.py"
    package.write_text(
        "class Found:\n    is_boilerplate, text = False, 'one paragraph'\n"
        "def get_stoplists():\n    return {'English'}\n"
        "def get_stoplist(name):\n    return name\n"
        "def justext(markup, stoplist):\n    return [Found()] if 'good' in markup else 1 / 0\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(peers, "python_of", lambda name: Path(sys.executable))
    run = with_peer("jusText", [{"html": "good", "lang": "en"}, {"html": "bad", "lang": "en"}])
    assert run.texts == ["one paragraph", ""]
    assert run.raised == {1: "ZeroDivisionError"}


def test_each_page_is_cleaned_by_the_models_that_did_not_see_its_site():
    rows = SETS["demo"]()
    ours = measured("demo", rows)[OURS]
    stubborn = replace(shipped(), threshold=1 - 1e-9)  # keeps nothing that it is asked about and is not amid the text
    always_asked = trees_of(constant(0.0), glance.NAMES), stubborn
    usual = glance.shipped(), shipped()
    chosen = rows[0]["site"]
    known = {f"demo:{row['site']}": always_asked if row["site"] == chosen else usual for row in rows}
    found = unseen.cleaned("demo", rows, known)
    changed = {row["site"] for row, text, before in zip(rows, found.texts, ours.texts, strict=True) if text != before}
    assert changed == {chosen}
    assert found.second_opinions > ours.second_opinions
    assert (glance.shipped(), shipped()) == usual
