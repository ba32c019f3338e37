"""Exports that other programs load: Parquet, a dataset with its card, a web archive, front matter."""

import csv
import io
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import export
from pipelines.errors import ConfigError, MissingExtraError
from pipelines.export import dataset
from pipelines.export.lines import as_tag
from pipelines.export.parquet import TYPES
from tests.cli_helpers import run_cli, save_pages
from tests.helpers import NOW
from tests.storing import make_page
from tests.test_export import BAD_TITLES, rows_of

parquet = pytest.importorskip("pyarrow.parquet")
yaml = pytest.importorskip("yaml")
LAST = export.Extras(is_since_last=True)


def card_of(folder):
    _, head, body = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(head), body


def loaded(folder):
    """The rows as a reader of the card finds them, with the types the card names."""
    import pyarrow as pa
    import pyarrow.json

    head, _ = card_of(folder)
    shards = sorted(folder.glob(head["configs"][0]["data_files"]))
    if shards[0].suffix == ".parquet":
        return pa.concat_tables([parquet.read_table(shard) for shard in shards]).to_pylist()
    types = {"int64": pa.int64(), "string": pa.string(), "float64": pa.float64(), dataset.TIME: pa.string()}
    schema = pa.schema([(one["name"], types[one["dtype"]]) for one in head["dataset_info"]["features"]])
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    tables = [pyarrow.json.read_json(shard, parse_options=options) for shard in shards]
    return pa.concat_tables(tables).to_pylist()


def test_parquet_has_one_schema_and_every_value(tmp_path):
    rows = rows_of("정렬", "Two")
    assert export.export_articles(rows, "parquet", tmp_path / "a.parquet", NOW) == 2
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == list(rows[0]) == list(TYPES)
    first = table.to_pylist()[0]
    assert first["published"] == datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
    assert first["canonical"] is True
    assert first["story"] is None
    assert {name: first[name] for name in ("id", "title", "text", "words")} == {
        name: rows[0][name] for name in ("id", "title", "text", "words")
    }


@given(st.lists(st.fixed_dictionaries({"id": st.integers(0, 99), "url": st.text()}, optional={
    "title": st.text() | st.just("\ud800"), "story": st.none() | st.integers(0, 9), "published": st.none() | st.just(NOW.isoformat()),
    "relevance": st.floats(allow_nan=False), "canonical": st.sampled_from([0, 1]),
}), max_size=4))  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_the_schema_is_the_same_whatever_the_rows_lack(tmp_path_factory, rows):
    out = tmp_path_factory.mktemp("parquet") / "a.parquet"
    assert export.export_articles(rows, "parquet", out, NOW) == len(rows)
    found = parquet.read_table(out)
    export.export_articles([], "parquet", out, NOW)
    assert found.schema == parquet.read_table(out).schema
    assert [row["id"] for row in found.to_pylist()] == [row["id"] for row in rows]


@pytest.mark.parametrize(("form", "kind"), [("dataset", "jsonl"), ("parquet", "parquet")])
def test_a_folder_of_shards_is_loaded_by_its_card(tmp_path, monkeypatch, form, kind):
    monkeypatch.setattr(dataset, "SHARD_ARTICLES", 10)
    rows = [row | {"story": None if number < 15 else 7} for number, row in enumerate(rows_of(*BAD_TITLES))]
    assert export.export_articles(rows, form, tmp_path, NOW) == len(rows) == 23
    assert [path.name for path in sorted((tmp_path / "data").iterdir())] == [
        f"articles-0000{n}.{kind}" for n in range(3)
    ]
    found = loaded(tmp_path)
    assert [row["title"] for row in found] == [row["title"] for row in rows]
    assert [row["story"] for row in found] == [row["story"] for row in rows]
    head, body = card_of(tmp_path)
    assert [one["name"] for one in head["dataset_info"]["features"]] == list(TYPES)
    assert head["language"] == ["en"]
    assert head["size_categories"] == ["n<1K"]
    assert "23 articles of 1 publisher, 2026-11-21 to 2026-11-21" in body


@pytest.mark.parametrize("form", ["dataset", "parquet"])
def test_a_dataset_grows_by_shards_and_a_whole_export_begins_anew(tmp_path, monkeypatch, form):
    monkeypatch.setattr(dataset, "SHARD_ARTICLES", 2)
    rows = rows_of("a", "b", "c", "d", "e")
    out = tmp_path / "set"
    assert export.export_articles(rows[:3], form, out, NOW, LAST) == 3
    assert export.export_articles(rows, form, out, NOW, LAST) == 2
    assert export.export_articles(rows, form, out, NOW, LAST) == 0
    assert [row["title"] for row in loaded(out)] == ["a", "b", "c", "d", "e"]
    assert len(list((out / "data").iterdir())) == 3
    assert "5 articles" in card_of(out)[1]
    assert export.export_articles(rows[:2], form, out, NOW) == 2
    assert len(list((out / "data").iterdir())) == 1
    assert export.export_articles(rows, form, out, NOW, LAST) == 3


def test_a_dataset_that_was_cut_off_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "SHARD_ARTICLES", 2)
    rows = rows_of("a", "b", "c", "d", "e")

    def breaks():
        yield from rows[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export.export_articles(breaks(), "dataset", tmp_path / "set", NOW, LAST)
    (tmp_path / "set" / "data" / "articles-00009.jsonl").write_text("{}\n", "utf-8")  # of an earlier export, unknown
    assert export.export_articles(rows, "dataset", tmp_path / "set", NOW, LAST) == 3
    assert [row["title"] for row in loaded(tmp_path / "set")] == ["a", "b", "c", "d", "e"]


def test_a_shard_that_is_lost_comes_again(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "SHARD_ARTICLES", 2)
    rows = rows_of("a", "b", "c", "d")
    export.export_articles(rows, "dataset", tmp_path, NOW)
    (tmp_path / "data" / "articles-00000.jsonl").unlink()
    assert export.export_articles(rows, "dataset", tmp_path, NOW, LAST) == 2
    assert sorted(row["title"] for row in loaded(tmp_path)) == ["a", "b", "c", "d"]


def test_a_card_of_ones_own_stays(tmp_path):
    (tmp_path / "README.md").write_text("My corpus", "utf-8")
    export.export_articles(rows_of("a"), "dataset", tmp_path, NOW)
    assert (tmp_path / "README.md").read_text("utf-8") == "My corpus"


def test_a_dataset_is_a_folder(tmp_path):
    with pytest.raises(ConfigError, match="no folder"):
        export.export_articles([], "dataset", tmp_path / "x.jsonl", NOW)
    assert sorted(dataset.COLUMN_WORDS) == sorted(TYPES)


def test_the_same_articles_give_the_same_bytes(tmp_path):
    pages = {"https://a.example/0": make_page("https://a.example/0")}
    extras = export.Extras(page_of=pages.get)
    for form in ("parquet", "warc"):
        for name in ("one", "two"):
            export.export_articles(rows_of("a", "b"), form, tmp_path / f"{name}.x", NOW, extras)
        assert (tmp_path / "one.x").read_bytes() == (tmp_path / "two.x").read_bytes()


@pytest.mark.parametrize(("form", "module"), [("parquet", "pyarrow"), ("warc", "warcio.warcwriter")])
def test_a_missing_library_is_one_line_that_names_the_extra(tmp_path, monkeypatch, form, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"pip install 'copydesk\[{form}\]'"):
        export.export_articles(rows_of("a"), form, tmp_path / "x", NOW)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["pages.warc.gz", "pages.warc"])
def test_an_archive_read_again_makes_the_same_corpus(tmp_path, capsys, name):
    one, two, out = tmp_path / "one.db", tmp_path / "two.db", tmp_path / name
    run_cli(capsys, "ingest", save_pages(tmp_path / "pages"), "--db", one, "--quiet")
    done = run_cli(capsys, "export", "--format", "warc", "--all-copies", out, "--db", one)
    assert done.code == 0, done.err
    assert out.read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b"WA")
    assert run_cli(capsys, "ingest", out, "--db", two, "--quiet").code == 0
    texts = [
        {row["url"]: (row["text"], row["title"]) for row in run_cli(capsys, "export", "--all-copies", "--db", db).rows}
        for db in (one, two)
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) == 5


def test_an_archive_grows_and_says_which_pages_are_missing(tmp_path):
    from pipelines.warc import read_pages

    rows, told = rows_of("a", "b", "c"), []
    pages = {row["url"]: make_page(row["url"], body=b"<p>\x00\xff" + row["title"].encode()) for row in rows[:2]}
    extras = export.Extras(is_since_last=True, page_of=pages.get, tell=told.append)
    out = tmp_path / "pages.warc.gz"
    assert export.export_articles(rows[:1], "warc", out, NOW, extras) == 1
    assert export.export_articles(rows, "warc", out, NOW, extras) == 1
    assert told == ["1 article has no stored page: it was pruned, or asked not to be archived"]
    found = list(read_pages(out, 10_000))
    assert [(page.url, page.body, page.fetched) for page in found] == [
        (page.url, page.body, page.fetched) for page in pages.values()
    ]


@given(st.text(max_size=80), st.text(max_size=30), st.lists(st.text(max_size=12), max_size=4))
@settings(max_examples=150, deadline=None)
def test_front_matter_says_the_same_when_it_is_read_back(title, byline, topics):
    row = ROW | {"title": title, "byline": byline, "relevance": 7.5}
    note = export.as_markdown(row, topics).encode("utf-8", "replace").decode()
    head = yaml.safe_load(note.removeprefix("---\n").partition("\n---\n")[0])
    sent = {name: value.encode("utf-8", "replace").decode() for name, value in (("title", title), ("byline", byline))}
    assert {name: head.get(name, "") for name in sent} == sent
    assert head["id"] == 1
    assert head["relevance"] == 7.5
    assert head["tags"] == [as_tag(topic) for topic in topics if as_tag(topic)]
    assert head["date"] == NOW


ROW = rows_of("One")[0]


@given(st.text(max_size=200), st.integers(0, 10**9))
@settings(max_examples=150, deadline=None)
def test_a_name_is_always_safe_and_the_articles_own(title, number):
    name = export.file_name({"id": number, "title": title}, ".md")
    assert name.isascii()
    assert len(name) < 80
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert name.count(".") == 1
    assert name.split("-")[0] == str(number)


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=3))
@settings(max_examples=60, deadline=None)
def test_csv_reads_back_the_same_but_for_the_quote_before_formulas(cells):
    rows = [ROW | {"title": title.replace("\x00", ""), "text": text.replace("\x00", "")} for title, text in cells]
    out = io.StringIO(newline="")
    export.write_csv(rows, out)
    found = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    for row, cell in zip(found, rows, strict=True):
        for name in ("title", "text"):
            assert row[name].removeprefix("'") == cell[name].removeprefix("'")
            assert not row[name].startswith(("=", "+", "-", "@"))


def test_a_note_without_topics_is_as_it_was():
    assert "tags" not in export.as_markdown(ROW)
    assert "date:" not in export.as_markdown(ROW)
    assert as_tag("value learning & goals") == "value-learning-goals"
