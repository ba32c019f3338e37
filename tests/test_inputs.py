"""What people have on disk becomes pages, and what cannot be used becomes one line."""

import gzip
import json
import os
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import pytest

from pipelines.errors import InputError
from pipelines.inputs import Rules, expand, read_file
from pipelines.warc import warc_time

RULES = Rules(max_bytes=100_000)
HTML = b"<html><head><title>A lab writes</title>%s</head><body><p>Words of the page.</p></body></html>"


def read(path, rules=RULES, root=None):
    return list(read_file(path, root or path, rules))


def write_warc(path, records, *, compressed=True):
    """records: (url, status line, content type, body)."""
    with path.open("wb") as stream:
        for url, status, content_type, body in records:
            payload = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n\r\n".encode() + body
            head = (
                f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{uuid5(NAMESPACE_URL, url)}>\r\nWARC-Target-URI: {url}\r\n"
                f"WARC-Date: 2026-05-04T10:20:30Z\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {len(payload)}\r\n\r\n"
            )
            record = head.encode() + payload + b"\r\n\r\n"
            stream.write(gzip.compress(record) if compressed else record)


WARC_PAGES = [
    (f"https://lab.example/{number}", "200 OK", "text/html; charset=utf-8", HTML % b"" * 20) for number in range(5)
]


@pytest.mark.parametrize("compressed", [True, False])
def test_a_warc_gives_its_good_html_responses(tmp_path, compressed):
    others = [
        ("https://lab.example/gone", "404 Not Found", "text/html", b"no"),
        ("https://lab.example/image", "200 OK", "image/png", b"\x89PNG"),
        ("https://lab.example/moved", "301 Moved", "text/html", b""),
    ]
    write_warc(tmp_path / "a.warc.gz", [*others, *WARC_PAGES], compressed=compressed)
    pages = read(tmp_path / "a.warc.gz")
    assert [page.url for page in pages] == [url for url, *_ in WARC_PAGES]
    assert pages[0].fetched == datetime(2026, 5, 4, 10, 20, 30, tzinfo=UTC)
    assert pages[0].body == WARC_PAGES[0][3]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("share", [0.3, 0.55, 0.83, 0.99])
def test_a_warc_cut_off_gives_its_readable_part_and_one_line(tmp_path, compressed, share):
    path = tmp_path / "a.warc"
    write_warc(path, WARC_PAGES, compressed=compressed)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    *pages, last = read(path)
    assert isinstance(last, InputError)
    assert "\n" not in str(last)
    assert len(pages) < len(WARC_PAGES)
    assert all(page.body == WARC_PAGES[0][3] for page in pages), "half a page must not pass for one"


@pytest.mark.parametrize("content", [b"not an archive at all\n" * 20, b"", b"\x1f\x8b\x08\x00garbage" * 9])
def test_what_is_no_warc_is_one_line(tmp_path, content):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(content)
    (problem,) = read(path)
    assert isinstance(problem, InputError)


def test_a_warc_body_is_never_read_further_than_the_limit(tmp_path):
    write_warc(tmp_path / "a.warc", [("https://lab.example/", "200 OK", "text/html", b"x" * 500_000)])
    (page,) = read(tmp_path / "a.warc")
    assert len(page.body) == RULES.max_bytes + 1


def test_warc_time_reads_what_archives_write():
    assert (
        warc_time("2026-05-04T10:20:30Z")
        == warc_time("2026-05-04T10:20:30")
        == datetime(2026, 5, 4, 10, 20, 30, tzinfo=UTC)
    )
    assert warc_time("2026-05-04T10:20:30.123456Z").microsecond == 123456
    with pytest.raises(ValueError, match="no date"):
        warc_time("yesterday")


def test_without_warcio_one_line_names_the_extra(tmp_path, monkeypatch):
    import sys

    from pipelines.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "warcio.archiveiterator", None)
    (tmp_path / "a.warc").write_bytes(b"WARC/1.0")
    with pytest.raises(MissingExtraError, match=r"copydesk\[warc\]"):
        read(tmp_path / "a.warc")


@pytest.mark.parametrize(
    ("head", "url"),
    [
        (b'<link rel="canonical" href="https://lab.example/story?a=1&amp;b=2">', "https://lab.example/story?a=1&b=2"),
        (b"<link href='https://lab.example/story' rel=canonical>", "https://lab.example/story"),
        (b'<meta property="og:url" content="https://lab.example/og">', "https://lab.example/og"),
        (
            b'<meta property="og:url" content="https://lab.example/og"><link rel="canonical" href="https://lab.example/c">',
            "https://lab.example/c",
        ),
        (b'<link rel="canonical" href="javascript:alert(1)">', None),
        (b"", None),
    ],
)
def test_a_saved_page_is_known_by_its_claim_else_by_its_place(tmp_path, head, url):
    path = tmp_path / "page.html"
    path.write_bytes(HTML % head)
    (page,) = read(path)
    assert page.url == (url or path.resolve().as_uri())
    assert read(path) == [page], "the same each time"


def test_a_prefix_and_the_path_in_the_folder_make_the_address(tmp_path):
    path = tmp_path / "2026" / "page.html"
    path.parent.mkdir()
    path.write_bytes(HTML % b'<link rel="canonical" href="https://other.example/">')
    (page,) = read(path, Rules(1000, "https://lab.example/news/"), tmp_path)
    assert page.url == "https://lab.example/news/2026/page.html"


def test_the_time_of_a_saved_page_is_the_file_s(tmp_path):
    path = tmp_path / "page.txt"
    path.write_text("One line.\nAnother.")
    os.utime(path, (1_750_000_000, 1_750_000_000))
    (page,) = read(path)
    assert page.fetched == datetime.fromtimestamp(1_750_000_000, UTC)
    assert page.content_type == "text/plain"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        (bytes(range(32)) * 50, "binary"),
        (b"\x89PNG\r\n\x1a\n" + bytes(500), "binary"),
    ],
)
def test_empty_and_binary_files_are_told(tmp_path, content, word):
    path = tmp_path / "page.html"
    path.write_bytes(content)
    (problem,) = read(path)
    assert word in str(problem)


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "euc-kr", "shift_jis", "gb18030"])
def test_pages_in_any_charset_are_no_binary_files(tmp_path, charset):
    path = tmp_path / "page.html"
    path.write_bytes(
        ("<html><body>" + "안녕 " * 50 + "</body></html>" if charset == "euc-kr" else "<html><body>一二三" * 50).encode(
            charset
        )
    )
    (page,) = read(path)
    assert not isinstance(page, InputError)


LINE = {
    "url": "https://lab.example/a?utm_source=x",
    "html": "<p>안녕</p>",
    "fetched": "2026-05-04T10:00:00+09:00",
    "title": "T",
    "published": "2026-05-03",
}


@pytest.mark.parametrize("name", ["in.jsonl", "in.ndjson", "in.jsonl.gz"])
def test_json_lines_become_pages(tmp_path, name):
    content = (json.dumps(LINE) + "\n\n").encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    (page,) = read(tmp_path / name)
    assert page.url == "https://lab.example/a"
    assert page.body.decode() == "<p>안녕</p>"
    assert page.fetched == datetime(2026, 5, 4, 1, tzinfo=UTC)
    assert page.hint.title == "T"
    assert page.hint.published == datetime(2026, 5, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "line",
    [
        b"{broken",
        b"[1]",
        b"\xff\xfe",
        b'{"html": "<p>x</p>"}',
        b'{"url": "ftp://x.example/", "html": "x"}',
        b'{"url": 7, "html": "x"}',
        b'{"url": "https://x.example/"}',
        b'{"url": "https://x.example/", "html": ""}',
        b'{"url": "https://x.example/", "html": "x", "fetched": "soon"}',
    ],
)
def test_a_broken_line_is_named_by_its_number_and_the_rest_goes_on(tmp_path, line):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join([json.dumps(LINE).encode(), line, json.dumps(LINE).encode()]))
    first, problem, last = read(path)
    assert f"{path}:2: " in str(problem)
    assert "\n" not in str(problem)
    assert first == last


def test_a_cut_gzip_gives_its_lines_and_one_error(tmp_path):
    path = tmp_path / "in.jsonl.gz"
    content = b"".join(
        json.dumps({**LINE, "url": f"https://lab.example/{os.urandom(9).hex()}"}).encode() + b"\n" for _ in range(500)
    )
    path.write_bytes(gzip.compress(content)[:-2000])
    *pages, problem = read(path)
    assert 0 < len(pages) < 500
    assert isinstance(problem, InputError)


def test_folders_are_read_in_order_and_what_is_not_there_is_told(tmp_path):
    for name in ("b.html", "a.txt", "notes.md", "sub/c.htm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = list(expand([tmp_path, tmp_path / "absent.html"]))
    assert [path.name for path in found[:-1]] == ["a.txt", "b.html", "c.htm"]
    assert "no such file" in str(found[-1])


def test_a_folder_without_pages_is_told(tmp_path):
    (problem,) = expand([tmp_path])
    assert "no page in this folder" in str(problem)


def test_a_name_we_do_not_know_is_told(tmp_path):
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (problem,) = read(tmp_path / "a.pdf")
    assert "*.warc" in str(problem)
