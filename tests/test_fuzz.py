"""Broken input for all that reads what strangers wrote: a short form of `make fuzz`, and hypothesis where shapes matter."""

import io
import json
import random
import string
from datetime import datetime

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.config import Config, decode, load
from pipelines.decode import outside_scripts
from pipelines.dedup.batch import dedup_lines
from pipelines.errors import ConfigError
from pipelines.urls import normal_form
from tests.fuzz_seeds import HOSTILE, MAKERS, seeds_of
from tests.fuzzing import COUNTS, Readers, mutated, tried

SEED = 20
SHORT = {"clean": 150, "page": 150}  # these two read the same pages
LIMITS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])  # fmt: skip
SCRAPS = st.lists(st.sampled_from(HOSTILE) | st.binary(max_size=30) | st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")), max_size=20).map(b"".join)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "text", "published", "url", "publisher", "title", "items", "x"]), inner, max_size=5),
    max_leaves=10,
)  # fmt: skip


@pytest.mark.parametrize("kind", COUNTS)
def test_no_broken_input_raises(kind):
    readers, seeds = Readers(), seeds_of(kind)
    outcomes = [tried(readers, kind, seeds, SEED, number) for number in range(SHORT.get(kind, 300))]
    assert [(each.number, each.error) for each in outcomes if each.error] == []
    assert len({each.word for each in outcomes}) > 1, "all inputs ended alike: nothing is tried"


@pytest.mark.parametrize("kind", [kind for kind in COUNTS if kind != "config"])
def test_no_heap_of_scraps_raises(kind):
    readers = Readers()

    @LIMITS
    @given(SCRAPS, st.randoms(use_true_random=False))
    def check(body, chosen):
        readers.chosen = chosen
        getattr(readers, kind)(body)

    check()


@pytest.mark.parametrize("kind", ["dedup", "feed"])
def test_json_of_any_shape_is_read_or_told(kind):
    readers = Readers(random.Random(1))

    @LIMITS
    @given(st.lists(JSON, max_size=5))
    def check(values):
        lines = b"".join(json.dumps(value).encode() + b"\n" for value in values)
        getattr(readers, kind)(lines if kind == "dedup" else json.dumps({"items": values}).encode())

    check()


@LIMITS
@given(
    st.dictionaries(
        st.sampled_from([field.name for field in msgspec.structs.fields(Config)]) | st.text(max_size=8),
        JSON,
        max_size=4,
    )
)
def test_settings_of_any_shape_are_taken_or_refused_in_words(values):
    try:
        taken = decode(Config, values, "settings")
    except ConfigError as error:
        taken = str(error)
    assert isinstance(taken, Config) or taken.startswith("settings")


@LIMITS
@given(st.lists(st.sampled_from(["<style>", "<svg a=b>", "<script", ">", "</style>", "</SVG >", "</script>", "<p>", "text", "<script type=ld+json>"]), max_size=12).map("".join))  # fmt: skip
def test_scripts_are_cut_out_whole_and_json_is_not(markup):
    kept = "".join(outside_scripts(markup))
    assert set(kept) <= set(markup)
    if "</" not in markup:
        assert kept == markup, "what nobody closes stays"
    assert kept.count("<p>") <= markup.count("<p>")


@pytest.mark.parametrize(
    "markup", ["<style a>" * 40_000, "<script " * 40_000 + ">", "<svg " * 40_000, "<script>" * 30_000 + "</svg>"]
)
def test_openings_that_nobody_closes_are_looked_at_once(markup):
    assert "".join(outside_scripts(markup)) == markup


def test_links_in_links_in_links_are_read(monkeypatch):
    """trafilatura would need minutes; it is not asked, and the text is found without it."""
    import trafilatura

    from pipelines import clean_page

    monkeypatch.setattr(trafilatura, "bare_extraction", lambda *_, **__: pytest.fail("asked"))
    told = (
        "The council has rebuilt the bridge over the harbour, and the ferry will stop in autumn, as its captain says."
    )
    page = clean_page(f"<html><body><h1>Bridge</h1><p>{told}</p>{'<b><i><a href=x>' * 200}deep</body></html>")
    assert told in page.text


def test_rows_in_rows_are_looked_at_once():
    from pipelines import clean_page

    told = (
        "The council has rebuilt the bridge over the harbour, and the ferry will stop in autumn, as its captain says."
    )
    page = clean_page(f"<html><body><h1>Bridge</h1><p>{told}</p>{'<table><tr><td>' * 3000}x</body></html>")
    assert told in page.text


def test_an_address_longer_than_any_is_none():
    assert not normal_form("https://news.example/" + '{"a":' * 80_000)
    assert normal_form("https://news.example/a?" + "utm_source=x&" * 100), "trackers do not count"


@pytest.mark.parametrize("text", [f"a = {'9' * 5000}", "a = " + "[" * 3000, "a." * 3000 + "b = 1"])
def test_settings_no_parser_can_hold_are_told_as_such(tmp_path, text):
    file = tmp_path / "copydesk.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"copydesk\.toml"):
        load(file, env={})


def test_times_no_calendar_has_are_none_in_stories():
    lines = b"".join(
        json.dumps({"text": f"{word} " * 40, "published": 1e308}).encode() + b"\n" for word in ("ferry", "bread")
    )
    report = dedup_lines(lines.splitlines(keepends=True), io.BytesIO(), time_field="published", stories=True)
    assert (report.lines, report.stories) == (2, 2)


def test_a_finding_can_be_had_again():
    seeds = seeds_of("feed")
    one, other = (mutated(seeds, random.Random("feed 1 7")) for _ in range(2))
    assert one == other
    assert set(MAKERS) == set(COUNTS)
    assert sum(COUNTS.values()) == 20_000


def test_an_error_is_a_finding(monkeypatch):
    readers = Readers()
    monkeypatch.setattr(Readers, "feed", lambda *_: datetime.fromisoformat(string.ascii_letters))
    outcome = tried(readers, "feed", seeds_of("feed"), 1, 1)
    assert outcome.is_bad
    assert "ValueError" in outcome.error
