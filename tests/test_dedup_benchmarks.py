"""The benchmarks still run, on sizes of a test: what they print in earnest is for people to read."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def printed(*words):
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_table_of_quality_has_a_row_for_each_method():
    lines = printed("tests.benchmarks.dedup", "--events", "40")
    (ours,) = (line for line in lines if line.startswith("copydesk"))
    assert float(ours.split()[1]) > 0.9  # precision
    assert float(ours.split()[3]) > float(next(line for line in lines if line.startswith("datasketch")).split()[5])
    assert any(line.startswith("rensa") for line in lines)
    assert any(line.startswith("truncated") for line in lines)


def test_the_command_is_measured_and_loses_no_line():
    (line,) = printed("tests.benchmarks.dedup", "--lines", "300")
    assert line.startswith("300 lines")
    assert line.endswith("every line in its place: yes")


@pytest.mark.parametrize("sizes", [("200", "600")])
def test_the_growth_of_the_index_is_told_for_each_size(sizes):
    lines = printed("tests.benchmarks.index_scale", *sizes)
    assert [line.split()[0] for line in lines[1:3]] == list(sizes)
    assert lines[3].startswith("growth 200 to 600")
