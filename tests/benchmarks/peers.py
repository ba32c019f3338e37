"""Environments for extractors from elsewhere: made once below data/bench, so that none of them is a dependency of ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.scoring import Row

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parents[1] / "data" / "bench"
REQUIREMENTS: dict[str, list[str]] = tomllib.loads((HERE / "peers.toml").read_text("utf-8"))
PIP = "pip>=25"  # older ones stumble over an extra that is asked for twice


class PeerError(Exception):
    """Why there is no row of figures for an extractor, in one line."""


def python_of(name: str, requirements: Sequence[str] = ()) -> Path:
    """The interpreter of a peer's environment, which is made when it is missing or pinned anew."""
    folder = ENVIRONMENTS / name
    stamp = folder / "requirements.txt"
    requirements = requirements or REQUIREMENTS[name]
    wanted = "\n".join(requirements)
    python = folder / "bin" / "python"
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(folder)], [*install, PIP], [*install, *requirements]):
        said(command, "no environment")
    stamp.write_text(wanted, "utf-8")
    return python


def said(command: list[str], what: str, given: str = "") -> str:
    """What a command prints; its last word of complaint as the error."""
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", check=False)
    except OSError as error:
        raise PeerError(f"{what}: {error.strerror}") from None
    if done.returncode:
        complaint = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit {done.returncode}"]
        raise PeerError(f"{what}: {complaint[-1].strip()[:100]}")
    return done.stdout


def texts_of(name: str, rows: Sequence[Row]) -> list[dict[str, object]]:
    """What a peer makes of each page: text, seconds of CPU, the name of what it raised."""
    python = python_of(name)
    lines = "".join(json.dumps({"html": row["html"], "lang": row["lang"]}) + "\n" for row in rows)
    printed = said([str(python), str(HERE / "peer_worker.py"), name], "it fails", lines)
    found = [json.loads(line) for line in printed.splitlines()]
    if len(found) != len(rows):
        raise PeerError(f"it answered for {len(found)} of {len(rows)} pages")
    return found
