"""`copydesk why`: everything the corpus knows of one address, kept or not, with the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import answer_json, cli, remark, with_config
from pipelines.cli.options import id_or_address, json_option, reading
from pipelines.cli.tables import print_heading, print_lines, terminal_width
from pipelines.errors import ConfigError
from pipelines.report_why import why_sections

if TYPE_CHECKING:
    from pipelines.config import Config
    from pipelines.store import Corpus


@cli.command()
@click.argument("article", metavar="ID|URL")
@click.option(
    "--html",
    "html_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page with every block coloured by its fate.",
)
@json_option
@with_config
def why(article: str, html_path: Path | None, is_json: bool, config: Config) -> None:
    """Say why an article is here, or a page is not.

    Shows its fetches, the blocks removed with reason and evidence, the terms that made it relevant, its copies
    with their similarity, and its story.

    Example: copydesk why 12
             copydesk why https://example.org/story --html story.html
    """
    with reading(config) as corpus:
        known = everything(corpus, article)
        if html_path is not None:
            write_html(corpus, known["url"], html_path, config)
    if is_json:
        answer_json(known)
        return
    if html_path is not None:
        if str(html_path) != "-":
            remark(f"wrote {html_path}")
        return
    for heading, lines in why_sections(known, terminal_width()):
        print_heading(heading)
        print_lines([*lines, ""])


def everything(corpus: Corpus, asked: str) -> dict[str, Any]:
    """Return all rows about one article or address; raise `ConfigError` when there is none."""
    key = id_or_address(asked)
    row = corpus.article(key)
    url = row["url"] if row else str(key)
    known: dict[str, Any] = {
        "url": url,
        "article": row,
        "fetches": corpus.fetches(url),
        "rejections": corpus.rejections(url=url),
    }
    if row is None:
        if not known["fetches"] and not known["rejections"]:
            raise ConfigError(asked, "never seen", "an id or address in the corpus", "find one with `copydesk search`")
        return known
    known["removed"] = corpus.removed(row["id"])
    known["terms"] = corpus.terms(row["id"])
    known["copies"] = corpus.copies(row["id"])
    known["versions"] = corpus.versions(row["id"])
    known["story"] = corpus.story(row["story"]) if row["story"] is not None else None
    return known


def write_html(corpus: Corpus, url: str, path: Path, config: Config) -> None:
    """Clean the stored page again and write every block with its fate."""
    from pipelines.clean import clean
    from pipelines.explain import as_html
    from pipelines.export import whole_file
    from pipelines.extract import extract
    from pipelines.records import Rejection
    from pipelines.settling import template_of

    page = corpus.raw_page(url)
    if page is None:
        raise ConfigError(url, "its page is not stored (any more)", "", "crawl it again, and see `copydesk prune`")
    document = extract(page, config.extract)
    if isinstance(document, Rejection):
        raise ConfigError(url, f"its page has no blocks to show ({document.reason})")
    with whole_file(path) as file:
        file.write(as_html(clean(document, template_of(corpus, page))).encode("utf-8", "replace"))
