"""What a worker sends: a parcel comes out as it went in, of the same version only; addresses that are no Redis."""

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import ConfigError, InputError
from pipelines.parcels import Parcel, pack, unpack, version
from pipelines.records import Rejection
from pipelines.stream import shown
from tests.desk import ROOT
from tests.helpers import NOW
from tests.machines.sending import parcel_of


@settings(deadline=None)  # the first call imports
@given(
    st.text(),
    st.binary(max_size=300),
    st.floats(0, 9),
    st.none() | st.datetimes().map(lambda time: time.replace(tzinfo=NOW.tzinfo)),
)
def test_a_parcel_comes_out_as_it_went_in(title, body, score, published):
    whole = parcel_of(1)
    document = replace(
        whole.article.document, title="".join(c for c in title if not 0xD800 <= ord(c) < 0xE000), published=published
    )
    article = replace(whole.article, document=document, relevance=replace(whole.article.relevance, score=score))
    for parcel in (
        replace(whole, article=article, page=replace(whole.page, body=body)),
        replace(whole, article=None, rejection=Rejection(url="u", stage="clean", reason="wall"), is_archived=False),
    ):
        again = unpack(pack(parcel))
        assert again == parcel
        assert again.outcome == parcel.outcome


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_parcel_are_one_line(junk):
    with pytest.raises(InputError, match="no parcel"):
        unpack(junk)


def test_the_version_follows_from_the_records(monkeypatch):
    from pipelines import parcels

    before = version()
    version.cache_clear()
    monkeypatch.setattr(parcels, "RECIPE", "another")
    assert version() != before
    version.cache_clear()
    monkeypatch.undo()
    assert version() == before
    lines = parcels.describe(Parcel, set())
    assert any(line.startswith("Block.evidence") for line in lines)
    assert any(line.startswith("Fetch.etag") for line in lines)


def test_an_address_is_shown_without_its_password():
    assert shown("redis://me:secret@host:6379/2") == "redis://host:6379/2"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "redis", "", "redis://host:port/0"])
def test_what_is_no_redis_is_one_line(url, tmp_path):
    pytest.importorskip("redis")
    from pipelines.stream import Link

    with pytest.raises(ConfigError, match="redis://"):
        Link(url)


def test_without_the_library_it_says_what_to_install(tmp_path):
    block = "import sys; sys.modules['redis'] = None; sys.argv = ['copydesk', *sys.argv[1:]]; from crawler.cli import main; main()"
    for words in (["write", "--from", "redis://127.0.0.1:1/0"], ["crawl", "--to", "redis://127.0.0.1:1/0"]):
        done = subprocess.run(
            [sys.executable, "-c", block, *words, "--db", str(tmp_path / "c.db")],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )
        assert done.returncode == 2
        assert "pip install 'copydesk[cluster]'" in done.stderr
        assert len(done.stderr.splitlines()) == 1
