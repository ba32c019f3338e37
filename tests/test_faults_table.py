"""Every fault we know of has a test that carries its id, and every id stands in the table."""

import ast
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLE = tomllib.loads((HERE / "faults.toml").read_text("utf-8"))
MAX_UNTESTED = 1  # promises that cannot be tested yet; may only fall


def carried(path):
    """The ids that markers of a test file name."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fault":
            yield from (argument.value for argument in node.args if isinstance(argument, ast.Constant))


MARKED = {name for path in HERE.glob("**/test_*.py") for name in carried(path)}


@pytest.mark.parametrize("fault", TABLE)
def test_a_fault_is_told_and_tested(fault):
    row = TABLE[fault]
    assert row["fault"]
    assert row["promise"]
    assert (fault in MARKED) != bool(row.get("untested")), "a test carries the id, or the table says why none does"


def test_no_marker_names_an_unknown_fault():
    assert set(TABLE) >= MARKED


def test_few_promises_go_untested():
    assert sum("untested" in row for row in TABLE.values()) <= MAX_UNTESTED
