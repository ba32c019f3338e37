"""One corpus of six pages for all tests of the commands."""

from datetime import UTC, datetime

import pytest

from tests.cli_helpers import run_cli, save_pages


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """A corpus of six pages, made once."""
    from pipelines.batch import Listener, Order, ingest
    from pipelines.config import Config, CrawlConfig

    folder = tmp_path_factory.mktemp("filled")
    problems = []
    config = Config(database=str(folder / "corpus.db"), crawl=CrawlConfig(workers=1))
    ingest(config, Order((save_pages(folder / "saved"),)), lambda: datetime.now(UTC), Listener(problems.append))
    assert not problems
    return folder / "corpus.db"


@pytest.fixture
def cli(filled, capsys):
    return lambda *words, **more: run_cli(capsys, *words, "--db", filled, **more)
