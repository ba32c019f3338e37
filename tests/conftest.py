"""What several test files share: the bundled site crawled once, a folder for the README's commands, `--agree`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def pytest_addoption(parser):
    parser.addoption("--agree", action="store_true", help="rewrite what golden pages are expected to give")
    parser.addoption("--cluster", action="store_true", help="kill workers and a Redis, too: minutes")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--cluster"):
        for item in items:
            if "cluster" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes: `make test-cluster`"))


@pytest.fixture
def agree(request):
    return request.config.getoption("--agree")


def clean_environment(**values):
    """The environment without anybody's own COPYDESK_ settings, plus ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    return {**kept, **{f"COPYDESK_{name.upper()}": str(value) for name, value in values.items()}}


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory):
    """The bundled news site, serving on loopback, and the source list that leads to it."""
    from crawler.demo.site import DemoSite

    with DemoSite() as site:
        site.sources_path = tmp_path_factory.mktemp("demo") / "sources.toml"
        site.write_sources(site.sources_path)
        yield site


@pytest.fixture(scope="session")
def demo_environment(demo_site):
    database = demo_site.sources_path.parent / "corpus.db"
    return clean_environment(database=database, sources=demo_site.sources_path, shipped_sources="false")


@pytest.fixture(scope="session")
def demo_corpus(demo_site, demo_environment):
    """A corpus made by one real crawl of the bundled site."""
    done = subprocess.run(
        [sys.executable, "-m", "crawler", "crawl"],
        env=demo_environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path(demo_environment["COPYDESK_DATABASE"])


@pytest.fixture(scope="session")
def readme_folder(demo_corpus, demo_environment, tmp_path_factory):
    """Where a reader of the README stands: a corpus, a saved page, a file of articles, `copydesk` on the path."""
    folder = tmp_path_factory.mktemp("readme")
    environment = {**demo_environment, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "crawler", *arguments],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    run("export", "--all-copies", "articles.jsonl")
    import shutil

    example = next((Path(__file__).parent / "pages").glob("*/page.html"))
    shutil.copy(example, folder / "page.html")
    return {"cwd": folder, "env": environment}
