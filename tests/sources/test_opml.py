"""`sources import` and `export`: OPML comes in, goes out, and is told when broken."""

import pytest

from crawler.opml import read_opml, write_opml
from crawler.sources import SHIPPED, load_sources, source_of
from pipelines.config import Config
from pipelines.errors import InputError

OPML = """<?xml version="1.0"?>
<opml version="2.0"><head><title>mine</title></head><body>
 <outline text="Labs &amp; co">
  <outline type="rss" text="Paper" xmlUrl="https://paper.example/feed" htmlUrl="https://paper.example/" language="ko"/>
  <outline type="rss" title="신문" xmlUrl="https://sinmun.example/rss.xml"/>
  <outline type="rss" text="Paper again" xmlUrl="http://www.paper.example/feed/"/>
  <outline type="rss" text="Empty"/>
  <outline type="rss" text="Mail" xmlUrl="mailto:me@paper.example"/>
  <outline type="rss" text="Inside" xmlUrl="http://10.0.0.1/feed"/>
 </outline>
</body></opml>"""


def test_a_list_the_settings_name_is_made_when_first_written(desk, here, tmp_path, monkeypatch):
    monkeypatch.setenv("COPYDESK_SOURCES", str(tmp_path / "new" / "list.toml"))
    assert here("list").code == 2
    file = tmp_path / "in.opml"
    file.write_text(OPML, "utf-8")
    assert here("import", file).code == 0
    assert "paper-example" in here("list").out


def test_opml_comes_in_and_goes_out(desk, here, tmp_path):
    file = tmp_path / "in.opml"
    file.write_text(OPML, "utf-8")
    assert "2 feeds would be added" in here("import", file, "--dry-run").out
    assert not desk.list.exists()
    done = here("import", file)
    assert done.code == 0
    assert "2 feeds added, 1 already known, 3 skipped" in done.out
    assert [line.split(":")[0] for line in done.err.splitlines()] == ["skipped Empty", "skipped Mail", "skipped Inside"]
    assert desk.tables["paper-example"] == {
        "name": "Paper", "kind": "feed", "url": "https://paper.example/feed", "home": "https://paper.example/",
        "language": "ko", "group": "Labs & co", "enabled": True,
    }  # fmt: skip
    assert "0 feeds added, 3 already known" in here("import", file).out
    before = desk.tables
    out = here("export", "-").out
    assert here("export", tmp_path / "out.opml").code == 0
    assert (tmp_path / "out.opml").read_text("utf-8") == out
    desk.list.unlink()
    assert "2 feeds added" in here("import", "-", stdin=out.encode()).out
    assert desk.tables == before


def test_what_the_list_says_of_a_feed_survives_opml_and_a_private_one_only_when_asked_for(desk, here):
    desk.write("paper", "https://paper.example/feed", local=False, topical_filter=True, enabled=False)
    desk.write("inside", "http://feeds.inside.example:8080/feed", name="Inside")
    out = here("export", "--all").out.encode()
    before = desk.tables
    desk.list.unlink()
    done = here("import", "-", stdin=out)
    assert "1 feed added, 0 already known, 1 skipped" in done.out
    assert "--local" in done.err
    assert desk.tables["paper-example"]["enabled"] is False
    assert "1 feed added, 1 already known, 0 skipped" in here("import", "--local", "-", stdin=out).out
    taken = {table["url"]: table for table in desk.tables.values()}
    for table in before.values():
        for key in ("local", "topical_filter", "enabled"):
            assert taken[table["url"]].get(key, key == "enabled") == table.get(key, key == "enabled"), (key, table)


@pytest.mark.parametrize("body", ["", '<outline text="A" xmlUrl="ftp://a.example/feed"/>', '<outline text="A"/>'])
def test_opml_without_a_usable_feed_is_3(here, body):
    done = here("import", "-", stdin=f'<opml version="2.0"><body>{body}</body></opml>'.encode())
    assert (done.code, done.out) == (3, "")
    assert "feed" in done.err.splitlines()[-1]


def test_export_leaves_out_what_opml_cannot_say(desk, here):
    desk.write("paper", "https://paper.example/feed")
    desk.write("off", "https://off.example/feed", enabled=False)
    desk.write("map", "https://map.example/sitemap.xml", kind="sitemap")
    done = here("export")
    assert "off.example" not in done.out
    assert "1 source without a feed left out" in done.err
    assert "off.example" in here("export", "--all").out


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<opml><body>",
        b"<html><body/></html>",
        b"\x00\xff",
        b'<!DOCTYPE opml [<!ENTITY a SYSTEM "file:///etc/passwd">]><opml><body><outline text="&a;"/></body></opml>',
        '<!DOCTYPE opml [<!ENTITY a "aa">]><opml><body/></opml>'.encode("utf-16"),
    ],
)
def test_a_broken_opml_is_one_line(here, tmp_path, data):
    file = tmp_path / "broken.opml"
    file.write_bytes(data)
    done = here("import", file)
    assert (done.code, len(done.err.splitlines())) == (3, 1)
    with pytest.raises(InputError):
        read_opml(data, "x")


def test_every_name_can_be_written_as_opml():
    source = source_of("x", {"name": "a\x00\x1b<&\ud800 한", "kind": "feed", "url": "https://x.example/"}, "")
    assert read_opml(write_opml([source]), "x")[0].name.endswith("<&� 한")


def test_the_shipped_list_goes_out_whole(tmp_path):
    feeds = [source for source in load_sources(Config(database=str(tmp_path / "x.db"))) if source.kind == "feed"]
    assert len(read_opml(write_opml(feeds), "x")) == len(feeds)
    assert SHIPPED.exists()
