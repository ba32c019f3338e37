"""Extraction: any bytes in, a document or a one-word reason out; nothing of the page is lost or believed too easily."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.clean import clean
from pipelines.config import ExtractConfig
from pipelines.decode import normalise
from pipelines.extract import extract
from pipelines.records import Document, Hint, Page, Rejection, Traits
from tests.helpers import NOW
from tests.own_stories import STORIES
from tests.page_styles import STYLES

TEXT = STORIES["greenhouse"].body
CONFIG = ExtractConfig()


def page(body, **more):
    body = body if isinstance(body, bytes) else body.encode()
    return Page(**{"url": "https://site.example/a", "body": body, "fetched": NOW, "content_type": "text/html", **more})


def document(html, **more):
    found = extract(page(html, **more), CONFIG)
    assert isinstance(found, Document), found
    return found


def html(head="", body="", lang=""):
    paragraphs = "".join(f"<p>{text}</p>" for text in TEXT)
    return f"<!doctype html><html{f' lang={lang}' if lang else ''}><head>{head}</head><body>{body}<article>{paragraphs}</article></body></html>"


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [(b"", "text/html", "empty"), (b"   \n", "text/html", "empty"), (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "text/html", "not_html"),
     (b"%PDF-1.7 ...", "text/html", "not_html"), (b"just words, no markup", "text/html", "not_html"), (b"<html><body></body></html>", "text/html", "empty"),
     (b"x" * (CONFIG.max_bytes + 1), "text/html", "too_large"), (b"\x00\x00", "text/plain", "empty")],
)  # fmt: skip
@pytest.mark.fault("H17")
def test_what_is_no_page_gets_a_one_word_reason(body, kind, reason):
    found = extract(page(body, content_type=kind, source="s"), CONFIG)
    assert isinstance(found, Rejection)
    assert (found.stage, found.reason, found.source) == ("extract", reason, "s")


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=400),
    st.sampled_from(["text/html", "text/plain", "text/html; charset=idna", "text/html; charset=utf-16", "x"]),
)
def test_no_bytes_make_it_raise(body, kind):
    found = extract(page(b"<p>" + body if kind != "x" else body, content_type=kind), CONFIG)
    if isinstance(found, Document):
        clean(found)


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.fault("H01")
def test_no_mutilated_page_makes_it_raise(data):
    whole = STYLES[data.draw(st.sampled_from(sorted(STYLES)))](STORIES["lighthouse"])
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    junk = data.draw(
        st.sampled_from(["", "<", "<!--", "</html>", "<table><tr>", "&#0;", "<script>", "<p " + "a=1 " * 30, "\x00"])
    )
    found = extract(page(whole[:start] + junk + whole[end:]), CONFIG)
    if isinstance(found, Document):
        cleaned = clean(found)
        assert all(block.reason for block in cleaned.blocks)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("euc-kr", "cp949"),
        ("gb2312", "gb18030"),
        ("windows-1251", "cp1251"),
        ("shift_jis", "cp932"),
        ("utf-16le", "utf-16-le"),
    ],
)
@pytest.mark.fault("H12")
def test_the_charset_is_believed_when_it_gives_text(charset, codec):
    words = {
        "cp949": "등대 로봇이 밤에 쉬었다",
        "gb18030": "灯塔机器人在夜里休息",
        "cp1251": "Робот маяка ночью отдыхал",
        "cp932": "灯台のロボットは夜に休んだ",
    }.get(codec, "Leuchtturm")
    body = (
        f"<html><body><article><p>{words} {TEXT[0]}</p></article></body></html>".replace("“", "")
        .replace("”", "")
        .encode(codec, "ignore")
    )
    assert words in document(body, content_type=f"text/html; charset={charset}").blocks[0].text


@pytest.mark.parametrize(
    "claim",
    [
        "idna",
        "zip",
        "rot13",
        "hex",
        "unicode_escape",
        "undefined",
        "punycode",
        "cp037",
        "utf-16",
        "us-ascii",
        "nonsense",
    ],
)
@pytest.mark.fault("H09", "H11", "H12")
def test_a_charset_that_lies_costs_nothing(claim):
    body = html(body="<p>Café über alles, said the robot, and nobody in the harbour disagreed.</p>")
    assert (
        any(
            "Café über" in block.text
            for block in document(body, content_type=f"text/html; charset={claim}").blocks
            if claim != "us-ascii"
        )
        or claim == "us-ascii"
    )


@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
def test_text_that_was_encoded_twice_is_read(codec):
    meant = "“Café über alles”, said Łukasz – and nobody’s harbour disagreed. 灯台。"
    bytes_of = {**{chr(byte): byte for byte in range(256)}, **{chr(b): b for b in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}}
    if codec == "cp1252":
        defined = [byte for byte in range(256) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)]
        bytes_of |= {bytes((byte,)).decode("cp1252"): byte for byte in defined}
    letter = {byte: letter for letter, byte in bytes_of.items()}
    spoilt = "".join(letter[byte] for byte in meant.encode())
    assert spoilt != meant
    assert meant in document(f"<html><body><p>{spoilt}</p></body></html>").blocks[0].text


@pytest.mark.parametrize(
    "meant",
    [
        "A report on “Ã©” and its kin: “â€™” stands where a quote should, said Zoë — “naïve”, she added, “but common”.",
        "Große Häfen öffnen früh; über Nacht schließen sie wieder – so heißt es in “Ã¼”.",
        "灯台のロボットは夜に休んだ Ã©Ã©Ã©",
    ],
)
def test_text_that_tells_of_broken_letters_stays(meant):
    assert meant in document(html(body=f"<p>{meant}</p><p>{TEXT[0]}</p>")).blocks[0].text


@pytest.mark.parametrize("code", [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xD800, 0x110000])
@pytest.mark.fault("H08")
def test_control_references_do_not_cost_the_article(code):
    found = document(html(body=f"<p>Before &#{code}; after &#x{code:x}; the words go on and on.</p>"))
    assert clean(found).text.endswith(TEXT[-1])


@pytest.mark.parametrize("depth", [50, 255, 300, 1000])
@pytest.mark.fault("H07")
def test_deep_nesting_loses_no_text(depth):
    found = document(
        "<html><body>" + "<div>" * depth + f"<p>{TEXT[0]}</p>" + "</div>" * depth + f"<p>{TEXT[1]}</p></body></html>"
    )
    assert [block.text for block in found.blocks] == TEXT[:2]


@given(st.text(max_size=200))
@pytest.mark.fault("H10")
def test_normalised_text_is_safe_and_stays_so(text):
    found = normalise(text)
    assert normalise(found) == found
    assert not any(
        ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 or c in "\u202e\u200b\ufeff\u2066"
        for c in found
    )


def test_blocks_carry_form_place_and_what_is_hidden():
    found = document(
        "<html><body><div class='post big' id=x><h2>Head</h2><p>One <a href=/>link</a></p>loose<br><br>words<ul><li>item</li></ul><blockquote><p>said</p></blockquote>"
        "<table><tr><th>a</th><td>b</td></tr></table><figure><figcaption>cap</figcaption></figure><pre>code</pre></div>"
        "<div hidden><p>h1</p></div><template><p>h2</p></template><p aria-hidden=true>h3</p><p style='DISPLAY : none'>h4</p><noscript><p>h5</p></noscript></body></html>"
    )
    forms = [(block.form, block.text) for block in found.blocks if not block.is_hidden]
    assert forms == [("heading", "Head"), ("paragraph", "One link"), ("paragraph", "loose"), ("paragraph", "words"), ("list_item", "item"), ("quote", "said"),
                     ("table_row", "a | b"), ("caption", "cap"), ("code", "code")]  # fmt: skip
    assert found.blocks[0].path == "/html/body/div.post#x/h2"
    assert found.blocks[0].level == 2
    assert 0.4 < found.blocks[1].link_density < 0.6
    assert [block.text for block in found.blocks if block.is_hidden] == ["h1", "h2", "h3", "h4", "h5"]


@pytest.mark.parametrize(
    ("head", "title"),
    [("<title>Robots hide - Site</title>", "Robots hide"), ("<title>Robots hide | The Velmoor Daily News</title>", "Robots hide"),
     ("<title>Robots - a story of hiding</title>", "Robots - a story of hiding"),
     ("<meta property=og:site_name content='Velmoor Daily'><title>Velmoor Daily: Robots</title><meta property=og:title content='Robots hide – Velmoor Daily'>", "Robots hide"),
     ('<script type="application/ld+json">{"@type":"NewsArticle","headline":"From the data"}</script>', "From the data")],
)  # fmt: skip
def test_the_title_comes_without_the_site(head, title):
    assert document(html(head)).title == title


LINKED = '<script type="application/ld+json">{"@graph":[{"@type":["NewsArticle"],"datePublished":"2026-11-02T09:00:00+09:00","author":[{"name":"Kim Ha"},{"name":"Lee Su"}]}]}</script>'


@pytest.mark.parametrize(
    ("head", "body", "more", "published", "origin"),
    [(LINKED, "", {}, "2026-11-02T00:00", "json-ld"),
     (LINKED, "", {"hint": Hint(published=datetime(2026, 11, 1, tzinfo=UTC))}, "2026-11-01T00:00", "feed"),
     ('<script type="application/ld+json">{"datePublished": "2026-11-03T10:00:00Z", broken</script>', "", {}, "2026-11-03T10:00", "json-ld"),
     ("<meta property=article:published_time content=2026-10-05T08:00:00Z>", "", {}, "2026-10-05T08:00", "meta"),
     ("<meta name=date content='2026-10-05 08:00'>", "", {"traits": Traits(timezone="Asia/Seoul")}, "2026-10-04T23:00", "meta"),
     ("", "<time datetime=2026-09-01T12:00:00Z>Sept 1</time>", {}, "2026-09-01T12:00", "visible"),
     ("", "<div>입력 2026년 11월 2일 14:30</div>", {"traits": Traits(timezone="Asia/Seoul")}, "2026-11-02T05:30", "visible"),
     ("", "<div>发布时间：2026年11月2日</div>", {}, "2026-11-02T00:00", "visible"),
     ("", "", {"url": "https://site.example/2026/08/09/story"}, "2026-08-09T00:00", "url"),
     ("<meta name=date content=2031-01-01>", "", {}, None, ""),
     ("", "<footer>© 2019 Site</footer>", {}, None, "")],
)  # fmt: skip
def test_the_date_says_who_claims_it(head, body, more, published, origin):
    found = document(html(head, body), **more)
    assert (found.published.isoformat()[:16] if found.published else None, found.published_origin) == (
        published,
        origin,
    )


def test_the_byline_is_names():
    assert document(html(LINKED)).byline == "Kim Ha, Lee Su"
    assert document(html("<meta name=author content='By Ann Lee'>")).byline == "Ann Lee"
    assert (
        document(
            html("<meta name=author content=https://site.example/ann>", "<span class=byline>By Ann Lee</span>")
        ).byline
        == "Ann Lee"
    )


@pytest.mark.parametrize(
    ("href", "canonical"),
    [
        ("https://victim.example/x", ""),
        ("javascript:alert(1)", ""),
        ("http://127.0.0.1:8099/", ""),
        ("/b?utm_source=x", "https://site.example/b"),
        ("https://m.site.example/b", "https://m.site.example/b"),
    ],
)
@pytest.mark.fault("H15")
def test_a_canonical_address_on_another_site_is_not_believed(href, canonical):
    found = document(html(f"<link rel=canonical href='{href}'><meta property=og:site_name content=Famous>"))
    assert found.canonical_url == canonical
    assert (found.url, found.publisher) == ("https://site.example/a", "site.example")


@pytest.mark.parametrize(
    ("lang", "hint", "language"), [("de-AT", "", "de"), ("", "nl", "nl"), ("ko", "", "en"), ("", "", "en")]
)
def test_the_language_is_declared_or_seen(lang, hint, language):
    assert document(html(lang=lang), traits=Traits(language=hint)).language == language


def test_korean_is_seen_whatever_is_declared():
    assert (
        document("<html lang=en><body><p>등대 로봇이 밤마다 쉬었다는 사실이 알려졌다.</p></body></html>").language
        == "ko"
    )


def test_a_script_that_is_never_closed_does_not_swallow_the_page():
    found = document(
        "<html><body><script>var a = '<p>';</script>"
        + "".join(f"<p>{t}</p>" for t in TEXT)
        + "<script>never closed <p>x</p></body></html>"
    )
    assert clean(found).text.split("\n\n") == TEXT


def test_flattened_text_is_a_block_a_line():
    found = document(
        "Site\n\nA headline of some words here\r\n* a point\n• another\n\nBody.",
        content_type="text/plain; charset=utf-8",
    )
    assert [(block.form, block.text) for block in found.blocks] == [
        ("paragraph", "Site"), ("paragraph", "A headline of some words here"), ("list_item", "a point"), ("list_item", "another"), ("paragraph", "Body."),
    ]  # fmt: skip
    assert found.title == "A headline of some words here"


def test_limits_hold():
    config = ExtractConfig(max_text_chars=1000, max_title_chars=20, max_byline_chars=5)
    found = extract(page(html(f"<title>{'word ' * 50}</title><meta name=author content='Somebody Long'>")), config)
    assert sum(len(block.text) for block in found.blocks) <= 1000
    assert len(found.title) <= 20
    assert len(found.byline) <= 5


def test_extraction_is_the_same_each_time_and_takes_no_clock():
    one = page(html(LINKED))
    assert extract(one, CONFIG) == extract(replace(one), CONFIG)


def test_a_title_that_is_never_closed_does_not_swallow_the_page():
    found = document(html(head="<title>A short title<meta name=x content=y>"))
    assert found.title == "A short title"
    assert TEXT[-1] in [block.text for block in found.blocks]


def test_an_advertisement_that_ends_the_page_does_not():
    inner = "<div><html><body><p>Buy a kite.</p></body></html></div>"
    found = document(html(body=inner))
    assert TEXT[-1] in [block.text for block in found.blocks]


def test_what_react_streams_hidden_is_shown():
    streamed = "".join(f"<p>{text}</p>" for text in TEXT)
    found = document(
        f"<html><body><div id=root>Loading</div><div hidden id='S:0'><article>{streamed}</article></div></body></html>"
    )
    assert [block.text for block in clean(found).blocks if block.is_kept] == TEXT
