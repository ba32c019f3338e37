"""Datasette over the corpus: our queries, our search, this machine only, and nothing written."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from pipelines.errors import ConfigError, MissingExtraError
from pipelines.explore import METADATA, PLUGINS, explorer, listening
from pipelines.records import Placement
from pipelines.store import Corpus
from pipelines.store.search import Search
from tests.cli_helpers import EVAL_STORY, KOREAN_STORY, run_cli
from tests.helpers import NOW
from tests.storing import make_article

pytest.importorskip("datasette")
yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[1]
QUERIES = yaml.safe_load(METADATA.read_text("utf-8"))["databases"]["corpus"]["queries"]
TABLES = yaml.safe_load(METADATA.read_text("utf-8"))["databases"]["corpus"]["tables"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A corpus under another name than usual, open for writing all the while, so that it has a log."""
    place = tmp_path_factory.mktemp("explore") / "my news.db"
    with Corpus.open(place, create=True) as corpus:
        run = corpus.start_run("crawl", NOW)
        kept = Placement(relation="original")
        corpus.keep(make_article("https://a.example/1", EVAL_STORY, title="Evaluations", removed=("Share",)), kept, run)
        korean = make_article(
            "https://k.example/1", KOREAN_STORY, title="두 번째 평가 공개", publisher="신문", language="ko"
        )
        corpus.keep(korean, kept, run)
        corpus.assign_stories({1: "x", 2: "x"}, NOW)
        yield place


@pytest.fixture(scope="module")
def ask(path):
    """Ask the explorer for a page, in one event loop."""
    datasette = explorer(path)
    loop = asyncio.new_event_loop()

    def get(address, **headers):
        headers = {"host": "127.0.0.1:8001"} | headers
        return loop.run_until_complete(datasette.client.get(address, headers=headers))

    yield get
    for database in datasette.databases.values():
        database.close()
    datasette.executor.shutdown()
    loop.close()


def rows(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("name", list(QUERIES))
def test_every_query_of_ours_runs(ask, name):
    parameters = {"words": "evaluations", "number": "1"}
    asked = "&".join(f"{one}={parameters[one]}" for one in QUERIES[name].get("params", []))
    assert ask(f"/my~20news/{name}?{asked}").status_code == 200
    assert isinstance(rows(ask(f"/my~20news/{name}.json?_shape=array&{asked}")), list)


def test_the_queries_are_those_of_the_readme():
    part = (ROOT / "README.md").read_text("utf-8").partition("## Ten useful queries")[2]
    told = re.findall(r"```sql\n(.*?);\n```", part, re.DOTALL)
    ours = [query["sql"] for query in QUERIES.values() if "params" not in query]
    assert len(told) == 10
    assert [sql.strip() for sql in ours] == told


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("평가", [2]),
        ("개발사에 추가", [2]),
        ("evaluations", [1]),
        ('"second round"', [1]),
        ("평", [2]),
        ("nothing", []),
    ],
)
def test_search_finds_in_any_language_what_our_own_finds(ask, path, query, found):
    quoted = urllib.request.quote(query)
    for address in (f"articles.json?_search={quoted}", f"corpus.json?_search={quoted}", f"find.json?words={quoted}"):
        assert [row["id"] for row in rows(ask(f"/my~20news/{address}&_shape=array"))] == found
    with Corpus.open(path, read_only=True) as corpus:
        assert [row["id"] for row in Search.search(corpus, query)] == found


@pytest.mark.parametrize("query", ["", "%22", "AND", "NEAR(", "*", "a" * 600, "%00", "%F0%9F%98%80"])
def test_no_query_is_an_error(ask, query):
    assert rows(ask(f"/my~20news/articles.json?_search={query}&_shape=array")) is not None
    assert isinstance(rows(ask(f"/my~20news/find.json?words={query}&_shape=array")), list)


def test_facets_labels_and_words_for_columns_are_there(ask):
    page = ask("/my~20news/articles").text
    for word in ("신문", "where that was said", "Evaluations", 'name="_search"', "facet-results"):
        assert word in page
    assert ask("/my~20news/articles/1").status_code == 200
    home = ask("/my~20news").text
    assert "/articles" in home
    assert "Why pages are not in the corpus" in home


def test_the_metadata_names_only_what_is_there(path):
    with Corpus.open(path, read_only=True) as corpus:
        for name, told in TABLES.items():
            present = {row["name"] for row in corpus._rows(f'SELECT name FROM pragma_table_info("{name}")')}
            assert present, name
            wanted = {
                *told.get("facets", ()),
                *told.get("columns", ()),
                told.get("sort_desc"),
                told.get("label_column"),
            }
            assert wanted - {None} <= present, name


def test_nothing_is_written_and_nothing_leaves_the_machine(ask):
    for sql in ("delete+from+articles", "insert+into+watches+values('a',1)", "pragma+query_only=0", "attach+'x'+as+y"):
        assert ask(f"/my~20news?sql={sql}").status_code == 400
    assert ask("/my~20news.db").status_code == 403
    for host in ("evil.example", "127.0.0.1.evil.example", "127.0.0.1:80.evil", "", "[::2]:8001"):
        assert ask("/", host=host).status_code == 421
    for host in ("localhost", "127.0.0.1", "[::1]:8001", "localhost:1"):
        assert ask("/", host=host).status_code == 200


def test_a_folder_nobody_may_write_to_is_read_as_it_stands(tmp_path, monkeypatch):
    with Corpus.open(tmp_path / "still.db", create=True):
        pass
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = explorer(tmp_path / "still.db")
    assert not found.databases["still"].is_mutable
    found.executor.shutdown()


def test_a_missing_library_and_a_taken_port_are_one_line(path, monkeypatch):
    with listening(0) as door:
        door.listen()
        with pytest.raises(ConfigError, match="expected a port that is free"):
            listening(door.getsockname()[1])
    monkeypatch.setitem(sys.modules, "datasette.app", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'copydesk\[explore\]'"):
        explorer(path)


def test_what_is_no_corpus_is_told_before_anything_starts(tmp_path, capsys):
    done = run_cli(capsys, "explore", "--db", tmp_path / "none.db")
    assert done.code == 5
    assert "no corpus here" in done.err


def test_the_command_serves_on_loopback_until_ctrl_c(path):
    command = [sys.executable, "-m", "crawler", "explore", "--port", "0", "--db", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        with urllib.request.urlopen(
            f"{address}my~20news/articles.json?_search=%ED%8F%89%EA%B0%80", timeout=20
        ) as answer:
            assert '"filtered_table_rows_count": 1' in answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="421"):
            urllib.request.urlopen(urllib.request.Request(address, headers={"Host": "evil.example"}), timeout=20)
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, "Ctrl-C ends it\n")


def test_the_plugin_stands_alone_for_who_starts_datasette_himself():
    assert [file.name for file in PLUGINS.glob("*.py")] == ["corpus.py"]
