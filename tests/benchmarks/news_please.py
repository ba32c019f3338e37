"""How news-please is called: its own environment, its RSS crawler, files of JSON, no pictures.

It takes only addresses without a port, so it reaches the site as a proxy, under names that exist nowhere else.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks.loopback import FIRST_HOST, Material
from tests.benchmarks.peers import python_of

REQUIREMENTS = ("news-please==1.6.16", "newspaper4k==0.9.6", "lxml_html_clean==0.4.6", "setuptools<81")
CHANGES = {
    "default = SitemapCrawler": "default = RssCrawler",
    "number_of_parallel_crawlers = 5": "number_of_parallel_crawlers = 2",
    "extractors = ['newspaper_extractor',": "extractors = ['newspaper_extractor_no_images',",
    "LOG_LEVEL = INFO": "LOG_LEVEL = ERROR",
    "'newsplease.crawler.pipeline.HtmlFileStorage':200,": "",
}


def command(folder: Path, material: Material) -> list[str]:
    """Write its configuration and return what starts it."""
    python = python_of("news-please", REQUIREMENTS)
    config = folder / "config"
    config.mkdir()
    shipped = next(python.parents[1].glob("lib/python3*/site-packages/newsplease/config"))
    text = (shipped / "config.cfg").read_text("utf-8")
    for before, after in CHANGES.items():
        text = text.replace(before, after)
    text = text.replace("working_path = ~/news-please-repo/", f"working_path = {folder}/")
    (config / "config.cfg").write_text(text, "utf-8")
    sites = {"base_urls": [{"url": f"http://{name}/"} for name in material.names]}
    (config / "sitelist.hjson").write_text(json.dumps(sites), "utf-8")
    return [str(python.parent / "news-please"), "-c", str(config)]


def environment(port: int) -> dict[str, str]:
    return {"http_proxy": f"http://127.0.0.{FIRST_HOST}:{port}", "PYTHONPATH": ""}


def stored(folder: Path) -> int:
    return sum(1 for _ in (folder / "data").rglob("*.json"))
