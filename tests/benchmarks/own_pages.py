"""Pages of our own as sets with gold text: the bundled news site, the golden pages, the same articles in many styles.

Why they are a set like any other: the table and the test of our floor then compute on them exactly what they compute on sets from elsewhere.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from crawler.demo.manifest import truths
from crawler.demo.publishers import PUBLISHERS
from crawler.demo.render import article_page
from crawler.demo.site import DemoSite
from tests.benchmarks.scoring import Row
from tests.own_stories import STORIES
from tests.page_styles import STYLES

GOLDEN = Path(__file__).parents[1] / "pages"


def row(name: str, site: str, url: str, lang: str, gold: str, markup: str, extra: dict[str, Any]) -> Row:
    return {"id": name, "site": site, "url": url, "lang": lang, "gold": gold, "html": markup, "extra": extra}


def demo() -> list[Row]:
    """The articles of the bundled site that must be kept, at addresses that do not hang on free ports."""
    site = DemoSite()
    site.urls = {name: f"http://{name}.example" for name in PUBLISHERS}
    found = []
    for truth in truths(site):
        article = truth.article
        if truth.outcome != "kept" or article is None:
            continue
        home = site.home(article)
        markup = article_page(article, site.frame(PUBLISHERS[article.publisher], home))
        extra = {
            "title": article.title,
            "authors": [article.byline] if article.byline else [],
            "date": article.published.date().isoformat(),
            "comments": [text for _, text in article.comments],
            "related": [text for pair in article.related for text in pair],
        }
        gold = "\n".join(article.paragraphs)
        found.append(row(article.key, article.publisher, home, article.language, gold, markup, extra))
    return found


def golden() -> list[Row]:
    """The golden pages, with the text that was agreed."""
    found = []
    for case in sorted(path for path in GOLDEN.iterdir() if path.is_dir()):
        source = next(case / name for name in ("page.html", "page.txt") if (case / name).exists())
        agreed = json.loads((case / "expected.json").read_text("utf-8"))
        gold = "\n".join(block["text"] for block in agreed["blocks"] if block["kept"])
        url = tomllib.loads((case / "page.toml").read_text("utf-8"))["url"]
        extra: dict[str, Any] = {"title": agreed["title"]}
        markup = source.read_text("utf-8", "replace")
        found.append(row(case.name, f"{case.name}.example", url, agreed["language"], gold, markup, extra))
    return found


def styles() -> list[Row]:
    """Each invented article in each page style; every page on a site of its own, so that memory does not help."""
    return [
        row(
            f"{style}/{name}",
            f"{style}-{name}.example".replace("_", "-"),
            f"http://{style}-{name}.example/story".replace("_", "-"),
            "en",
            "\n".join(story.body),
            render(story),
            {"title": story.title, "comments": story.comments, "related": [text for pair in story.teasers for text in pair]},
        )
        for style, render in STYLES.items()
        for name, story in STORIES.items()
    ]  # fmt: skip


SETS = {"demo": demo, "golden": golden, "styles": styles}
