"""`copydesk serve` as a user starts and stops it, and what it refuses, each in one line."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests import room_subject as subject
from tests.cli_helpers import run_cli

pytestmark = pytest.mark.xdist_group("serve")
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return subject.fill(tmp_path_factory.mktemp("served") / "corpus.db")


@pytest.fixture
def served(path, tmp_path):
    """The command as a process, once it has said where it listens."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    command = [sys.executable, "-m", "pipelines", "serve", "--port", "0", "--db", str(path)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(ROOT)},
    )
    line = process.stderr.readline()
    assert line.startswith("the reading room is open: http://127.0.0.1:"), line + process.stderr.read()
    process.url = line.split()[5]
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_serves_until_it_is_stopped_and_holds_no_lock_meanwhile(served, path):
    from pipelines.lock import run_lock

    with run_lock(path), urllib.request.urlopen(served.url, timeout=20) as answer:  # as a crawl from cron would
        assert answer.status == 200
        assert "uvicorn" not in str(answer.headers)
        assert b"Evaluations find hidden behaviour" in answer.read()
    served.send_signal(signal.SIGINT)
    out, err = served.communicate(timeout=20)
    assert (served.returncode, out, err) == (130, "", "closed\n")


def test_it_closes_as_quietly_when_it_is_ended(served):
    served.send_signal(signal.SIGTERM)
    out, err = served.communicate(timeout=20)
    assert (served.returncode, out, err) == (130, "", "closed\n")


def test_a_port_that_is_taken_is_one_line(capsys, path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run_cli(capsys, "serve", "--port", port, "--db", path)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert f"127.0.0.1:{port}" in done.err
    assert "taken" in done.err


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("0.0.0.0", "--allow-network"),
        ("192.168.3.4", "--allow-network"),
        ("::", "--allow-network"),
        ("desk.example", "an address in digits"),
    ],
)
def test_others_are_not_served_unless_that_is_wanted(capsys, path, host, said):
    done = run_cli(capsys, "serve", "--host", host, "--db", path)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert said in done.err


def test_whoever_serves_others_is_told_what_that_means(capsys, path, monkeypatch):
    from pipelines.cli import serve

    monkeypatch.setattr(serve, "run_room", lambda listener, *_, **__: 0)
    monkeypatch.setattr(serve, "listen", lambda host, port: socket.create_server(("127.0.0.1", 0)))
    done = run_cli(capsys, "serve", "--host", "0.0.0.0", "--allow-network", "--db", path)
    assert done.code == 0
    assert "everybody who reaches 0.0.0.0 can read the whole corpus" in done.err


def test_no_corpus_is_one_line_with_what_to_do(capsys, tmp_path):
    done = run_cli(capsys, "serve", "--port", "0", "--db", tmp_path / "none.db")
    assert done.code == 5
    assert "copydesk demo" in done.err


def test_what_is_not_installed_is_named_with_how_to_get_it(capsys, path, monkeypatch):
    there = importlib.util.find_spec
    monkeypatch.setattr("pipelines.cli.serve.find_spec", lambda name: None if name == "uvicorn" else there(name))
    done = run_cli(capsys, "serve", "--db", path)
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "pip install 'copydesk[serve]'" in done.err


def test_an_address_of_the_sixth_version_is_loopback_too():
    from pipelines.cli.serve import address, checked

    assert checked("::1", is_allowed=False) == "::1"
    assert checked("localhost", is_allowed=False) == "127.0.0.1"
    assert address("::1", 80) == "http://[::1]:80/"
