"""Lines for people: straight columns in every script, nothing wider than asked."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli.tables import LAST_COLUMNS, WHOLE_COLUMNS, fitted
from pipelines.report import aligned, clip, paragraphs, plural, span, tally_lines, width, wrap


def test_wide_characters_count_two():
    assert width("정렬") == 4
    assert width("a\u0301") == 1
    assert aligned([["정렬", "x"], ["abcde", "y"]]) == ["정렬   x", "abcde  y"]


@given(st.text(), st.integers(1, 60))
def test_a_clipped_text_always_fits(text, columns):
    assert width(clip(text, columns)) <= columns


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])), st.integers(2, 60))
def test_wrapped_lines_always_fit_and_lose_nothing(text, columns):
    lines = wrap(text, columns)
    assert all(width(line) <= columns for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_script_without_spaces_is_torn_where_it_must():
    assert paragraphs("人工智能安全", 4) == ["人工", "智能", "安全"]


def test_numbers_read_well():
    assert plural(1, "page") == "1 page"
    assert plural(2000, "story", "stories") == "2,000 stories"
    (line,) = tally_lines(
        {
            "pages": 3,
            "new": 1,
            "copies": 1,
            "updated": 0,
            "unchanged": 0,
            "rejected": 1,
            "reasons": {"wall": 1},
            "failed": 0,
            "skipped": 0,
            "contested": [],
        },
        "read",
    )
    assert line == "3 pages read · 1 new · 1 copy of a known article · 1 rejected (wall 1)"


@given(st.lists(st.integers(0, 120), min_size=1, max_size=9), st.integers(0, 120))
def test_columns_are_fitted_to_the_room_and_short_ones_stay_whole(wide, room):
    widths = fitted(wide, room)
    assert all(0 <= got <= most for got, most in zip(widths, wide, strict=True))
    assert all(got == most for got, most in zip(widths[:-1], wide[:-1], strict=True) if most <= WHOLE_COLUMNS)
    least = [min(most, WHOLE_COLUMNS) for most in wide[:-1]] + [min(wide[-1], LAST_COLUMNS)]
    assert sum(widths) <= max(room, sum(least))
    assert sum(wide) > room or widths == wide


@pytest.mark.parametrize(("seconds", "said"), [(0.4, "0 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")])
def test_how_long_something_took(seconds, said):
    assert span(timedelta(seconds=seconds)) == said
