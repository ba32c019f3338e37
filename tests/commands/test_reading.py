"""What is asked of a corpus: search, show, why, duplicates, stories, export, stats."""

import csv
import json
import re
from io import StringIO

import pytest

pytestmark = pytest.mark.xdist_group("commands")  # one corpus for all


def test_search_finds_and_says_where(cli):
    done = cli("search", "incident", "bill")
    assert done.code == 0
    assert "Incident bill passes upper house" in done.out
    assert "paper.example" in done.out
    assert "copydesk show" in done.err
    assert "\x1b" not in done.out


def test_search_in_korean_and_json(cli):
    done = cli("search", "정렬", "--json")
    assert [row["url"] for row in done.rows] == ["https://sinmun.example/a1"]
    assert cli("search", "정렬", "--language", "en", "--json").rows == []


@pytest.mark.parametrize("query", ['"', "AND", "* NEAR(", "title:", "(((", "a-b", "'; drop table articles"])
def test_no_query_is_an_error(cli, query):
    assert cli("search", query).code == 0


def test_nothing_found_is_no_failure_and_says_what_to_try(cli):
    done = cli("search", "zeppelin")
    assert (done.code, done.out) == (0, "")
    assert "try fewer words" in done.err


def test_show_by_number_and_by_any_spelling_of_the_address(cli):
    row = cli("search", "incident bill", "--json").rows[0]
    by_number = cli("show", row["id"])
    assert by_number.code == 0
    assert "fifteen days" in by_number.out
    assert cli("show", "https://paper.example/law?utm_source=feed#top").out == by_number.out
    shown = cli("show", row["id"], "--json").row
    assert shown["title"] == "Incident bill passes upper house"
    assert shown["text"].count("fifteen days") == 1
    assert "All rights reserved" not in shown["text"]


@pytest.mark.parametrize("command", ["show", "why", "duplicates"])
@pytest.mark.parametrize("what", ["99999", "https://nowhere.example/", "rubbish", "9" * 40])
def test_an_unknown_article_is_one_line_and_exit_2(cli, command, what):
    done = cli(command, what)
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1


def test_why_tells_blocks_terms_and_copies(cli):
    done = cli("why", "https://paper.example/eval")
    assert done.code == 0
    for part in ("deceptive", "reader comments", "because:", "a copy of", "came from a file"):
        assert part in done.out, part
    assert "\x1b" not in done.out
    known = cli("why", "https://wire.example/2026/eval", "--json").row
    assert known["copies"][0]["relation"] in {"exact", "near"}
    assert any(
        block["kind"] == "comment" for block in cli("why", "https://paper.example/eval", "--json").row["removed"]
    )


def test_why_of_a_rejected_page_tells_stage_and_reason(cli):
    done = cli("why", "https://paper.example/short")
    assert done.code == 0
    assert "not kept" in done.out
    assert "no_article" in done.out
    shown = cli("show", "https://paper.example/short")
    assert shown.code == 2
    assert "no_article" in shown.err


def test_why_writes_the_page_with_the_fate_of_every_block(cli, tmp_path):
    done = cli("why", "https://paper.example/eval", "--html", tmp_path / "why.html")
    assert (done.code, done.out) == (0, "")
    written = (tmp_path / "why.html").read_text("utf-8")
    assert "reader_7" in written
    assert "<script" not in written


def test_duplicates_name_who_was_first(cli):
    done = cli("duplicates")
    assert done.code == 0
    assert "wire.example" in done.out
    (cluster,) = cli("duplicates", "https://wire.example/2026/eval", "--json").rows
    assert {article["url"] for article in (cluster["canonical"], *cluster["members"])} == {
        "https://wire.example/2026/eval",
        "https://paper.example/eval",
    }
    alone = cli("duplicates", "https://paper.example/law")
    assert (alone.code, alone.out) == (0, "")
    assert "no copies" in alone.err


def test_stories(cli):
    assert cli("stories").code == 0
    for row in cli("stories", "--json").rows:
        assert row["articles"] == row["copies"] + len(row["items"])
    told = [line for line in cli("stories").out.splitlines() if "publisher" in line]
    assert any("1 article · 1 copy of it · 2 publishers" in line for line in told), told
    assert "try an earlier --since" in cli("stories", "--topic", "no_such_topic").err


def test_export_jsonl_leaves_copies_out_unless_asked(cli, tmp_path):
    done = cli("export")
    assert len(done.rows) == 4
    assert "4 articles" in done.err
    assert len(cli("export", "--all-copies").rows) == 5
    assert [row["language"] for row in cli("export", "--language", "ko").rows] == ["ko"]
    assert cli("export", tmp_path / "out.jsonl").out == ""
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 4


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_export_into_a_folder(cli, tmp_path, form):
    assert (
        cli("export", "--format", form, tmp_path / "folder/").code == 0
        if (tmp_path / "folder").mkdir() is None
        else False
    )
    files = list((tmp_path / "folder").iterdir())
    assert len(files) == 4


def test_export_csv_and_atom(cli):
    rows = list(csv.DictReader(StringIO(cli("export", "--format", "csv").out)))
    assert len(rows) == 4
    from lxml import etree

    feed = etree.fromstring(cli("export", "--format", "atom").out.encode())
    assert len(feed.findall("{http://www.w3.org/2005/Atom}entry")) == 4


def test_dates_choose_and_bad_dates_are_named(cli):
    assert len(cli("export", "--since", "2026-05-01", "--until", "2026-05-17").rows) == 4
    assert cli("export", "--until", "2026-05-16").rows == []
    assert cli("export", "--since", "1h").rows == []
    for bad in ("yesterday", "2026-13-01", "7x", "99999999w"):
        done = cli("export", "--since", bad)
        assert done.code == 2
        assert "7d" in done.err


def test_the_page_with_its_fates_goes_to_stdout_too(cli):
    done = cli("why", "1", "--html", "-")
    assert done.out.startswith("<!doctype html>")
    assert done.err == ""


def test_stats_count(cli):
    done = cli("stats")
    assert done.code == 0
    assert "articles" in done.out
    found = json.loads(cli("stats", "--json").out)
    assert found["articles"] == 5
    assert found["canonical"] + found["copies"] == 5
    assert sum(found["languages"].values()) == sum(found["verdicts"].values()) == 5
    assert sum(found["relations"].values()) == found["copies"] == 1
    assert {row["source"]: row["articles"] for row in found["sources"]} == {"ingest": 5}
    assert re.search(r"articles +5 .*\n +texts +4 .*\n +copies of them +1 ", done.out)


@pytest.mark.parametrize("words", ["export --source loacl -", "search safety --source loacl"])
def test_a_name_the_corpus_has_never_seen_is_told(cli, words):
    done = cli(*words.split())
    assert done.code == 0
    assert "nothing of loacl is in this corpus" in done.err
    assert "alignmnt" in cli("stories", "--topic", "alignmnt").err


def test_how_alike_copies_are_is_told_in_a_narrow_window(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    lines = cli("duplicates").out.splitlines()
    assert all(len(line) <= 41 for line in lines if "└" in line)
    assert any(line.strip().endswith("alike") for line in lines)
