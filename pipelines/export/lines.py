"""Articles as lines and paragraphs: JSON Lines, CSV, text, Markdown.

Whatever a page's title says, a cell is no formula, a line is one line for every reader, and Markdown has no structure,
link or picture of the page's own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pipelines.report import JSON_ESCAPES, escape_markdown

Row = Mapping[str, Any]
Shape = Callable[[Row], str]

COLUMNS = (
    "id", "url", "final_url", "source", "publisher", "title", "byline", "published", "published_origin", "fetched", "updated",
    "language", "words", "text", "text_hash", "relevance", "canonical", "cluster", "story",
)  # fmt: skip
# a spreadsheet would calculate the cell; those of the Far East take the wide signs, too
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
FRONT_MATTER = (
    "id", "title", "url", "publisher", "byline", "published", "fetched", "language", "source", "words", "relevance", "cluster", "story",
)  # fmt: skip
BETWEEN_TEXTS = "\n" + "-" * 72 + "\n\n"
BETWEEN_MARKDOWN = "\n"
# YAML reads a JSON string the same, but for these: no YAML file may hold them as they are
YAML_ESCAPES = JSON_ESCAPES | {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}
_PLAIN_YAML = re.compile(r"-?\d+(\.\d+)?")
_TAG_GAP = re.compile(r"[^\w/]+")


def write_jsonl(rows: Iterable[Row], out: io.TextIOBase) -> int:
    """One JSON object a line, UTF-8."""
    count = 0
    for row in rows:
        count += 1
        out.write(as_json_line(row))
    return count


def as_json_line(row: Row) -> str:
    return json.dumps(dict(row), ensure_ascii=False, allow_nan=False, default=str).translate(JSON_ESCAPES) + "\n"


def write_csv(rows: Iterable[Row], out: io.TextIOBase, *, raw: bool = False, is_longer: bool = False) -> int:
    """A header (unless the file is made longer) and a line an article.

    A cell that a spreadsheet would calculate gets a quote before it unless `raw`.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    if not is_longer:
        writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        count += 1
        writer.writerow([value if raw else neutral(value) for value in (row.get(column) for column in COLUMNS)])
    return count


def neutral(value: Any) -> Any:
    """A cell's value that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def write_text(rows: Iterable[Row], out: io.TextIOBase, *, is_longer: bool = False) -> int:
    """Title, one line of facts, text; articles parted by a line of dashes."""
    return write_parted(rows, out, as_text, BETWEEN_TEXTS, is_longer=is_longer)


def write_markdown(
    rows: Iterable[Row], out: io.TextIOBase, *, is_longer: bool = False, shape: Shape | None = None
) -> int:
    """Each article with its front matter."""
    return write_parted(rows, out, shape or as_markdown, BETWEEN_MARKDOWN, is_longer=is_longer)


def write_parted(
    rows: Iterable[Row], out: io.TextIOBase, shape: Shape, between: str, *, is_longer: bool = False
) -> int:
    count = 0
    for row in rows:
        count += 1
        out.write((between if count > 1 or is_longer else "") + shape(row))
    return count


def as_text(row: Row) -> str:
    facts = [row.get("publisher"), row.get("byline"), row.get("published") or row.get("fetched"), row.get("url")]
    line = " · ".join(one_line(fact) for fact in facts if fact)
    return f"{one_line(row.get('title'))}\n{line}\n\n{row.get('text') or ''}\n"


def as_markdown(row: Row, topics: Iterable[str] | None = None) -> str:
    """Front matter in YAML, the title as a heading, the text with a blank line between paragraphs.

    With `topics` the front matter has `date` and `tags` besides, which static sites and Obsidian read.
    """
    matter = "".join(
        f"{name}: {yaml_value(row.get(name))}\n" for name in FRONT_MATTER if row.get(name) not in {None, ""}
    )
    if topics is not None:
        tags = ", ".join(yaml_value(as_tag(topic)) for topic in topics if as_tag(topic))
        matter += f"date: {row.get('published') or row.get('fetched')}\ntags: [{tags}]\n"
    heading = escape_markdown(one_line(row.get("title")))
    paragraphs = "\n\n".join(escape_markdown(line) for line in (row.get("text") or "").splitlines() if line.strip())
    return f"---\n{matter}---\n\n# {heading}\n\n{paragraphs}\n"


def with_topics(topics_of: Callable[[int], list[str]]) -> Shape:
    """`as_markdown` with each article's topics as tags."""

    def shape(row: Row) -> str:
        return as_markdown(row, topics_of(int(row["id"])))

    return shape


def as_tag(topic: str) -> str:
    """A topic in the letters that Obsidian takes in a tag."""
    return _TAG_GAP.sub("-", topic).strip("-")


def yaml_value(value: Any) -> str:
    """A number as it is; anything else as a JSON string, which YAML reads the same."""
    text = str(value)
    if _PLAIN_YAML.fullmatch(text) and not isinstance(value, str):
        return text
    return json.dumps(text, ensure_ascii=False).translate(YAML_ESCAPES)


def one_line(value: Any) -> str:
    return " ".join(str(value or "").split())


Writer = Callable[[Iterable[Row], Any], int]


def writer_of(form: str, *, is_longer: bool, shape: Shape | None = None) -> Writer:
    """The function that writes a form of lines into an open text file."""
    if form == "markdown":
        return partial(write_markdown, is_longer=is_longer, shape=shape)
    if form == "jsonl":
        return write_jsonl
    return partial(write_csv if form == "csv" else write_text, is_longer=is_longer)
