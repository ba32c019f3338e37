"""Exports: nothing in a title can leave the folder, run in a spreadsheet or break a line or a feed."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pipelines import export
from pipelines.errors import ConfigError, StorageError
from pipelines.explain import block_markdown
from pipelines.records import Block, Placement
from pipelines.report import printable
from pipelines.store import Corpus
from tests.helpers import NOW
from tests.storing import make_article

ATOM = {"a": "http://www.w3.org/2005/Atom"}
BAD_TITLES = [
    "../../escape", "/etc/passwd", "nul\0byte", "x" * 300, "가" * 200, "new\nline", "", "same", "Same", "..", ".", "-rf", "con", "a/b\\c:d*e?f",
    "=1+1", "\x1b[31mred", "\u202eturned", "]]>", "<script>alert(1)</script>", "\ufffe", "line\u2028end\u2029\x85", "&amp; < >", "\ud800 lone",
]  # fmt: skip


def rows_of(*titles, text="First paragraph.\n\nSecond one."):
    with Corpus.open(":memory:", create=True) as corpus:
        for number, title in enumerate(titles):
            article = make_article(f"https://a.example/{number}", text, title=title)
            corpus.keep(article, Placement(relation="original"))
        return list(corpus.articles())


@pytest.mark.fault("E02")
def test_json_lines_are_one_line_for_every_reader():
    rows = rows_of("line\u2028end\u2029and\x85", "정렬", text="a\u2028b\r\n\nc")
    out = io.StringIO()
    assert export.write_jsonl(rows, out) == 2
    assert len(out.getvalue().splitlines()) == 2
    assert [json.loads(line) for line in out.getvalue().splitlines()] == rows
    assert "정렬" in out.getvalue()
    assert list(json.loads(out.getvalue().splitlines()[0]))[:3] == ["id", "url", "final_url"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "－", "＋", "＠"])
@pytest.mark.fault("E01")
def test_no_cell_is_a_formula(start):
    rows = rows_of(f"{start}1+1|cmd")
    out = io.StringIO(newline="")
    export.write_csv(rows, out)
    header, line = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    assert header == list(export.COLUMNS)
    assert line[header.index("title")] == f"'{start}1+1|cmd"
    assert line[header.index("words")] == str(rows[0]["words"])
    raw = io.StringIO(newline="")
    export.write_csv(rows, raw, raw=True)
    assert next(iter(list(csv.DictReader(io.StringIO(raw.getvalue(), newline="")))))["title"] == f"{start}1+1|cmd"


@pytest.mark.parametrize("form", ["text", "markdown"])
@pytest.mark.fault("E05")
def test_every_title_gives_a_safe_name_of_its_own(tmp_path, form):
    folder = tmp_path / "out"
    assert export.export_articles(rows_of(*BAD_TITLES), form, folder, NOW) == len(BAD_TITLES)
    files = list(tmp_path.rglob("*"))
    assert len([file for file in files if file.is_file()]) == len(BAD_TITLES)
    for file in folder.iterdir():
        assert file.name.isascii()
        assert len(file.name) < 80
        assert file.name.split("-")[0].isdigit()


def test_a_changed_title_leaves_one_file(tmp_path):
    row = rows_of("Old title")[0]
    export.write_folder([row], tmp_path, "markdown")
    export.write_folder([row | {"title": "New title"}], tmp_path, "markdown")
    assert [file.name for file in tmp_path.iterdir()] == ["1-new-title.md"]


def test_markdown_has_front_matter_and_no_structure_of_its_own():
    row = rows_of('He said: "no"', text="# not a heading\n\n1. not a list\n\n<b>not bold</b>\n\n---")[0]
    text = export.as_markdown(row)
    head, matter, body = text.split("---\n", 2)
    assert head == ""
    values = dict(line.split(": ", 1) for line in matter.splitlines())
    assert json.loads(values["title"]) == 'He said: "no"'
    assert values["words"] == "11"
    assert json.loads(values["published"]) == "2026-11-21T08:00:00+00:00"
    assert body == '\n# He said: "no"\n\n\\# not a heading\n\n1\\. not a list\n\n&lt;b>not bold&lt;/b>\n\n\\---\n'


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("![pixel](http://evil.example/i.png)", "![pixel]\\(http://evil.example/i.png)"),
        ("see [this](javascript:alert(1))", "see [this]\\(javascript:alert(1))"),
        ("[id]: http://evil.example", "\\[id]: http://evil.example"),
        ("<img src=x> and <!-- note -->", "&lt;img src=x> and &lt;!-- note -->"),
        ("AT&T, 3 < 5, &lt;", "AT&T, 3 < 5, &amp;lt;"),
    ],
)
def test_markdown_loads_nothing_and_leads_nowhere(line, written):
    assert export.as_markdown(rows_of("Title", text=line)[0]).endswith(f"\n{written}\n")
    assert export.as_markdown(rows_of(line, text="Text")[0]).split("---\n", 2)[2].startswith(f"\n# {written}\n")
    assert block_markdown(Block(text=line)) == written
    assert block_markdown(Block(text=line, form="heading", level=2)) == f"## {written}"


def test_json_holds_nothing_that_drives_a_terminal_and_reads_back_the_same():
    value = "\x9b31m \u202e \u2066 \x7f \u061c \x1b 한\u2028"
    from pipelines.cli import as_json

    out = io.StringIO()
    export.write_jsonl([{"title": value}], out)
    for line in (as_json({"title": value}), out.getvalue().rstrip("\n")):
        assert printable(line) == line
        assert json.loads(line) == {"title": value}
        assert "한" in line


def test_text_of_several_articles_is_parted():
    out = io.StringIO()
    assert export.write_text(rows_of("One", "Two"), out) == 2
    assert out.getvalue().startswith("One\nAlpha Daily · Ann Reporter · 2026-11-21")
    assert "-" * 72 in out.getvalue()


@pytest.mark.fault("E06")
def test_the_feed_is_valid_whatever_the_titles(tmp_path):
    rows = rows_of(*BAD_TITLES, text="".join(map(chr, range(1, 0xA1))) + "\ufffe and the end")
    assert export.export_articles(rows, "atom", tmp_path / "feed.xml", NOW) == len(BAD_TITLES)
    feed = etree.fromstring((tmp_path / "feed.xml").read_bytes())
    entries = feed.findall("a:entry", ATOM)
    assert len(entries) == len(BAD_TITLES)
    assert len({entry.findtext("a:id", namespaces=ATOM) for entry in entries}) == len(BAD_TITLES)
    for entry in entries:
        assert entry.findtext("a:title", namespaces=ATOM)
        assert entry.findtext("a:updated", namespaces=ATOM) == "2026-11-21T08:00:00+00:00"
        assert entry.findtext("a:content", namespaces=ATOM).endswith("and the end")
        assert entry.find("a:link", ATOM).get("href").startswith("https://")


def test_a_link_in_the_feed_is_a_web_address():
    row = rows_of("One")[0] | {"url": "javascript:alert(1)"}
    out = io.BytesIO()
    export.write_atom([row], out, NOW)
    assert etree.fromstring(out.getvalue()).find("a:entry/a:link", ATOM) is None


@given(st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=50, deadline=None)
@pytest.mark.fault("E03")
def test_every_format_takes_any_text(title, text):
    row = rows_of("One")[0] | {"title": title.replace("\ud800", ""), "text": text}
    feed = io.BytesIO()
    export.write_atom([row], feed, NOW)
    etree.fromstring(feed.getvalue())
    for write in (export.write_jsonl, export.write_csv, export.write_text, export.write_markdown):
        assert write([row], io.StringIO(newline="")) == 1


@pytest.mark.parametrize("form", export.FORMATS)
@pytest.mark.fault("E04")
def test_a_failed_export_leaves_yesterdays_file(tmp_path, form):
    out = tmp_path / "articles.out"
    out.write_text("yesterday", "utf-8")

    def breaks():
        yield rows_of("One")[0]
        raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        export.export_articles(breaks(), form, out, NOW)
    assert out.read_text("utf-8") == "yesterday"
    assert [path.name for path in tmp_path.iterdir()] == ["articles.out"]


def test_wrong_places_and_formats_are_told_in_one_line(tmp_path):
    rows = rows_of("One")
    with pytest.raises(ConfigError, match="one of jsonl"):
        export.export_articles(rows, "docx", tmp_path / "x", NOW)
    with pytest.raises(ConfigError, match="its folder does not exist"):
        export.export_articles(rows, "jsonl", tmp_path / "none" / "x.jsonl", NOW)
    with pytest.raises(ConfigError, match="a folder"):
        export.export_articles(rows, "jsonl", tmp_path, NOW)
    (tmp_path / "file").write_text("x", "utf-8")
    with pytest.raises(StorageError):
        export.export_articles(rows, "text", tmp_path / "file" / "below", NOW)


@pytest.mark.parametrize("form", export.FORMATS)
def test_stdout_and_a_file_get_the_same(tmp_path, form):
    script = (
        "import sys, json; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\nfrom pipelines.export import export_articles\nfrom tests.helpers import NOW\n"
        "export_articles(json.loads(sys.stdin.read()), sys.argv[2], Path('-'), NOW)"
    )
    rows = rows_of("정렬 one", "Two")
    (tmp_path / "x.out").touch()
    export.export_articles(rows, form, tmp_path / "x.out", NOW)
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script, root, form],
        input=json.dumps(rows).encode(),
        capture_output=True,
        check=True,
        env=environment,
    )
    assert done.stdout == (tmp_path / "x.out").read_bytes()


def test_the_same_corpus_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        export.export_articles(rows_of("b", "a", "c"), "jsonl", tmp_path / name, NOW)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with export.whole_file(pipe) as file:
        file.write(b"line")
    assert os.read(reader, 10) == b"line"
    os.close(reader)
    assert pipe.is_fifo()
