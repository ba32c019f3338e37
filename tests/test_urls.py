"""The normal form of a URL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.urls import is_fetchable, is_same_site, normal_form, site


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Example.org:80/a/../b?utm_source=x&b=2&a=1#top", "http://example.org/b?a=1&b=2"),
        ("https://example.org/story?fbclid=9", "https://example.org/story"),
        ("  https://example.org/뉴스  ", "https://example.org/%EB%89%B4%EC%8A%A4"),
        ("http://127.0.0.1:8700/a", "http://127.0.0.1:8700/a"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://user:secret@example.org/", ""),
        ("http://example.org:99999/", ""),
        ("", ""),
        ("https://example.org/" + "a/" * 30, ""),
        ("https://example.org/x/x/x/", ""),
        ("https://example.org/" + "a" * 1100, ""),
    ],
)
@pytest.mark.fault("X14", "S05")
def test_normal_form(url, expected):
    assert normal_form(url) == expected


def test_relative_links_need_their_page():
    assert normal_form("../b", "https://example.org/x/y/") == "https://example.org/x/b"
    assert normal_form("../b") == ""


@given(st.text(max_size=80) | st.from_regex(r"https?://[a-z0-9.\-]{1,20}(:[0-9]{1,5})?/[^\s]{0,40}", fullmatch=True))
def test_normal_form_twice_is_always_normal_form_once(url):
    once = normal_form(url)
    assert normal_form(once) == once
    assert not once or is_fetchable(once)


def test_site():
    assert site("https://www.example.org:443/a") == "example.org"
    assert site("http://127.0.0.1:8700/a") == "127.0.0.1:8700"
    assert site("no url") == ""
    assert is_same_site("https://blog.example.org/", "https://www.example.org/x")
    assert not is_same_site("https://example.org/", "https://badexample.org/")
