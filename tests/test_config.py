"""Settings: four layers, and every mistake named by place, key and what is allowed."""

import pytest

from pipelines.config import Config, changed, load
from pipelines.errors import ConfigError


def write(tmp_path, text):
    path = tmp_path / "copydesk.toml"
    path.write_text(text, "utf-8")
    return path


def test_defaults_without_any_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(env={}) == Config()


def test_later_layers_win(tmp_path):
    path = write(tmp_path, "[dedup]\ncontainment = 0.8\n[crawl]\ndelay_s = 3")
    assert load(path, env={}).dedup.containment == 0.8
    config = load(path, env={"COPYDESK_DEDUP__CONTAINMENT": "0.9", "OTHER": "1"}, flags={"database": "x.db"})
    assert (config.dedup.containment, config.crawl.delay_s, config.database) == (0.9, 3.0, "x.db")


def test_paths_in_the_file_are_relative_to_the_file(tmp_path, monkeypatch):
    path = write(tmp_path, 'database = "news/corpus.db"')
    monkeypatch.chdir("/")
    assert load(path, env={}).database_path == tmp_path / "news" / "corpus.db"


def test_the_working_folder_is_looked_at(tmp_path, monkeypatch):
    write(tmp_path, "[relevance]\nkeep = 7")
    monkeypatch.chdir(tmp_path)
    assert load(env={}).relevance.keep == 7


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[dedup]\ncontainmnt = 0.8", ["dedup", "containmnt", "unknown key", "containment"]),
        ("colour = 1", ["colour", "one of", "database"]),
        ("dedup = 3", ["dedup", "a table"]),
        ('[dedup]\ncontainment = "high"', ["dedup.containment", "float"]),
        ("[dedup\n", ["line 1"]),
    ],
)
def test_a_mistake_in_the_file_is_one_line_that_names_it(tmp_path, text, named):
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), env={})
    message = str(caught.value)
    assert "copydesk.toml" in message
    assert "\n" not in message
    for word in named:
        assert word in message


def test_a_mistake_in_the_environment_says_so():
    with pytest.raises(ConfigError, match=r"environment: crawl\.delay_s"):
        load(env={"COPYDESK_CRAWL__DELAY_S": "soon"})
    with pytest.raises(ConfigError, match="environment: nonsense"):
        load(env={"COPYDESK_NONSENSE": "1"})


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "none.toml", env={})


def test_changed_gives_a_copy():
    assert changed(Config(), database="x").database == "x"
    assert Config().database == ""
