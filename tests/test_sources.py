"""The source list: what it refuses, how the user's file overlays it, and who may write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.sources import SHIPPED, load_sources, pick, switch, traits
from pipelines.config import Config
from pipelines.errors import ConfigError

GOOD = '[paper] # mine\nname = "Paper"\nkind = "feed"\nurl = "https://paper.example/feed"\n'


def own(folder: Path, text: str) -> Config:
    path = folder / "sources.toml"
    path.write_text(text, "utf-8")
    return Config(sources=str(path), shipped_sources=False)


def test_the_shipped_list_loads_and_enables_only_polite_feeds(tmp_path: Path) -> None:
    shipped = load_sources(Config(database=str(tmp_path / "corpus.db")))
    assert len(shipped) > 100
    assert 0 < len(pick(shipped, ())) < 20
    assert {source.kind for source in pick(shipped, ())} == {"feed"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("nonsense = 1", "nonsense"),
        ('timezone = "Mars/Base"', "timezone"),
        (f'timezone = "{"Mars/" * 1000}Base"', "timezone"),
        ('url_pattern = "("', "url_pattern"),
        ('enabled = "yes"', "enabled"),
        ("cadence_hours = 0", "cadence_hours"),
    ],
)
def test_a_mistake_is_told_by_file_table_and_key(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_sources(own(tmp_path, GOOD + line + "\n"))
    assert all(part in str(caught.value) for part in ("sources.toml", "[paper]", told))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = '[a]\nkind = "feed"\n[b]\nkind = "blog"\nurl = "https://b.example/"\n'
    with pytest.raises(ConfigError) as caught:
        load_sources(own(tmp_path, text))
    first, one, other = str(caught.value).splitlines()
    assert first == f"{tmp_path / 'sources.toml'}: 2 mistakes"
    assert "[a]: url: missing" in one
    assert """[b]: kind: 'blog', expected one of "feed", "sitemap", "listing\"""" in other


def test_all_mistakes_of_one_table_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="3 mistakes") as caught:
        load_sources(own(tmp_path, GOOD + 'delay_s = -1\nenabled = "yes"\nhue = 1\n'))
    assert all(f"[paper]: {key}: " in str(caught.value) for key in ("delay_s", "enabled", "hue"))


def test_an_address_listed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="same url"):
        load_sources(own(tmp_path, GOOD + GOOD.replace("paper]", "other]")))


def test_an_unknown_id_names_close_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean paper"):
        pick(load_sources(own(tmp_path, GOOD)), ["papr"])


def test_switching_keeps_comments_and_the_shipped_file(tmp_path: Path) -> None:
    before = SHIPPED.read_bytes()
    config = own(tmp_path, GOOD)
    path = switch(config, ["paper"], is_enabled=False)
    assert "# mine" in path.read_text("utf-8")
    assert pick(load_sources(config), ()) == ()
    assert traits(load_sources(config)[0]).publisher == "Paper"
    assert SHIPPED.read_bytes() == before
