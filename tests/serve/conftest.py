"""One corpus, its source list and one client for all tests of the reading room."""

import pytest
from starlette.testclient import TestClient

from pipelines.config import Config, changed
from pipelines.serve.app import make_app
from pipelines.store.room import Room
from tests import room_subject as subject
from tests.helpers import NOW
from tests.serve.asking import HOME


@pytest.fixture(scope="session")
def path(tmp_path_factory):
    return subject.fill(tmp_path_factory.mktemp("room") / "corpus.db")


@pytest.fixture(scope="session")
def settled(path):
    """The settings, with a source list of its own."""
    (path.parent / "sources.toml").write_text(
        '[alpha]\nname = "Alpha Daily"\nkind = "feed"\nurl = "https://paper.example/feed"\nhome = "https://paper.example/"\ngroup = "press"\n'
        '[beta]\nname = "The Wire"\nkind = "feed"\nurl = "https://wire.example/feed"\ngroup = "agency"\n',
        "utf-8",
    )
    return changed(Config(), database=str(path), shipped_sources=False)


@pytest.fixture(scope="session")
def client(settled):
    with TestClient(make_app(settled, clock=lambda: NOW), base_url=HOME, follow_redirects=False) as client:
        yield client


@pytest.fixture
def room(path):
    with Room.enter(path, Config()) as room:
        yield room
