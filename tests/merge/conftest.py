"""An empty corpus to copy, and a folder of corpora."""

import pytest

from pipelines.store import Corpus
from tests.merge.shelf import Shelf


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """An empty corpus to copy: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("blank") / "blank.db"
    Corpus.open(path, create=True).close()
    return path


@pytest.fixture
def desk(tmp_path, blank):
    return Shelf(tmp_path, blank)
