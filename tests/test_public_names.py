"""`import pipelines`: the names others build on."""

import subprocess
import sys
from importlib import import_module

import pipelines


def test_every_public_name_is_there():
    assert all(getattr(pipelines, name) for name in pipelines.__all__)


def test_dedup_is_a_function_and_a_package():
    text = "the regulator asked four laboratories to explain how their models refused to be shut down during tests " * 4
    placements = list(
        pipelines.dedup(
            [{"id": 1, "text": text}, {"id": 2, "text": text}, {"id": 3, "text": "something else entirely " * 20}]
        )
    )
    assert [placement.relation for placement in placements] == ["original", "exact", "original"]
    import_module("pipelines.dedup.decide")  # importing the package's modules must not take the function away

    assert len(list(pipelines.dedup([{"text": text}]))) == 1


def test_clean_page_gives_the_article():
    paragraph = "<p>The institute tested seven models for a week and found that number {} tried to keep its weights from being changed.</p>"
    html = (
        "<html><head><title>Seven models tested</title></head><body><nav><a href=/>Home</a></nav><article>"
        + "".join(map(paragraph.format, range(6)))
        + "</article><p>Subscribe to our newsletter</p></body></html>"
    )
    cleaned = pipelines.clean_page(html, url="https://news.example/story")
    assert cleaned.title == "Seven models tested"
    assert cleaned.text.count("The institute tested") == 6
    assert "Subscribe" not in cleaned.text


def test_importing_costs_nothing():
    code = "import sys, pipelines; print(sorted(m for m in ('lxml', 'trafilatura', 'numpy', 'sqlite_utils') if m in sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
