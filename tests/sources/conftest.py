"""A folder with a source list of its own, and `copydesk sources` over it."""

import json
import os
import subprocess
import sys
import tomllib

import pytest

from tests.cli_helpers import run_cli
from tests.desk import ROOT


class Desk:
    """A folder with a source list of its own, and `copydesk sources` over it."""

    def __init__(self, folder):
        self.folder, self.list, self.database = folder, folder / "sources.toml", folder / "corpus.db"

    @property
    def tables(self):
        return tomllib.loads(self.list.read_text("utf-8")) if self.list.exists() else {}

    def write(self, source_id, url, **values):
        values = {"url": url, "kind": "feed", "local": True, "delay_s": 0.01, **values}
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        with self.list.open("a", encoding="utf-8") as out:
            out.write(f"[{source_id}] # ours\n" + "\n".join(lines) + "\n")

    def run(self, *words):
        """In a process of its own: the reactor starts once in a process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
        own = {"COPYDESK_DATABASE": str(self.database), "COPYDESK_SHIPPED_SOURCES": "false", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-m", "crawler", "sources", *words],
            cwd=self.folder, env={**kept, **own}, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return done


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


@pytest.fixture
def here(desk, capsys, monkeypatch):
    """The commands that ask nobody, in this process."""
    import crawler.source_commands  # noqa: F401 - registers them

    monkeypatch.setenv("COPYDESK_DATABASE", str(desk.database))
    monkeypatch.setenv("COPYDESK_SHIPPED_SOURCES", "false")
    return lambda *words, **values: run_cli(capsys, "sources", *words, **values)
