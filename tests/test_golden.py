"""Golden pages: one folder per shape of page we once got wrong, with the fate of every block as it was agreed.

page.html or page.txt: the page, written by us; page.toml: its address and why it is here; expected.json: what comes
out. `make golden` rewrites the last; read the diff before committing it.
"""

import json
import tomllib
from pathlib import Path

import pytest

from pipelines.explain import as_dict
from pipelines.pages import clean_page

CASES = sorted(path for path in Path(__file__).with_name("pages").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_page_gives_what_was_agreed(case, agree):
    about = tomllib.loads((case / "page.toml").read_text("utf-8"))
    source = next(case / name for name in ("page.html", "page.txt") if (case / name).exists())
    found = as_dict(clean_page(source.read_bytes(), about["url"]))
    del found["text"]  # the kept blocks say it already
    got = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    if agree:
        (case / "expected.json").write_text(got, "utf-8")
    assert got == (case / "expected.json").read_text("utf-8")
