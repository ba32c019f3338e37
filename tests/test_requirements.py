"""What CI installs is what pyproject.toml allows."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = ROOT / ".ci" / "requirements.lock"
if not LOCK.exists():
    pytest.skip("no lock file beside the sources", allow_module_level=True)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PINS = {
    canonicalize_name(name): version
    for name, _, version in (line.partition("==") for line in LOCK.read_text("utf-8").split())
}
LEFT_OUT = ("spark", "train")  # half a gigabyte for `make test-spark` alone; what trains the block model


def wanted():
    extras = PROJECT["optional-dependencies"]
    lines = PROJECT["dependencies"] + [line for name, lines in extras.items() if name not in LEFT_OUT for line in lines]
    return [Requirement(line) for line in lines if not line.startswith("copydesk[")]


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_the_lock_keeps_to_the_limits_of_the_project(requirement):
    assert PINS[canonicalize_name(requirement.name)] in requirement.specifier
