"""`merge` in trouble: what is no corpus, another run at work, one that breaks half way."""

import shutil
import sqlite3

import pytest

from pipelines.errors import ConfigError, StorageError
from pipelines.store import Corpus
from tests.cli_helpers import run_cli
from tests.merge.shelf import content, two_corpora


def test_a_corpus_of_another_schema_is_one_line(desk, capsys):
    two_corpora(desk)
    for version, word in ((1, "older version"), (999, "newer version")):
        shutil.copy(desk.path("one"), desk.path("other"))
        connection = sqlite3.connect(desk.path("other"))
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        done = run_cli(capsys, "merge", desk.path("two"), desk.path("other"), "--db", desk.path("all"))
        assert done.code == StorageError.exit_code
        assert word in done.err
        assert len(done.err.splitlines()) == 1
        assert not desk.path("all").exists()  # nothing was begun


@pytest.mark.parametrize("what", ["missing", "text", "empty"])
def test_what_is_no_corpus_is_one_line_and_nothing_is_written(desk, capsys, what):
    two_corpora(desk)
    if what != "missing":
        desk.path("bad").write_text("a letter" if what == "text" else "")
    done = run_cli(capsys, "merge", desk.path("one"), desk.path("bad"), "--db", desk.path("all"))
    assert (done.code, len(done.err.splitlines())) == (5, 1)
    assert not desk.path("all").exists()


def test_a_corpus_is_not_poured_into_itself(desk):
    desk.new("one").close()
    with pytest.raises(ConfigError, match="poured into"):
        desk.merge("one", "one")


def test_another_run_at_work_is_waited_for_by_nobody(desk, capsys):
    from pipelines.lock import run_lock

    two_corpora(desk)
    with run_lock(desk.path("all")):
        assert run_cli(capsys, "merge", desk.path("one"), "--db", desk.path("all")).code == 75


def test_one_that_breaks_half_way_leaves_nothing_of_itself(desk, monkeypatch):
    two_corpora(desk)
    desk.merge("all", "one")
    before = content(desk.path("all"))
    monkeypatch.setattr(Corpus, "_take_validators", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        desk.merge("all", "two")
    monkeypatch.undo()
    assert content(desk.path("all")) == before
    desk.merge("all", "two")
    desk.merge("fresh", "two", "one")
    assert content(desk.path("all")) == content(desk.path("fresh"))
