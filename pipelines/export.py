"""Articles out of the corpus as files: JSON Lines, CSV, text, Markdown, Atom.

Whatever a page's title says, a file has a safe name, a cell is no formula, a line is one line for every reader and a
feed can be parsed. A file gets its name when it is whole; until then the one of yesterday stays. Rows are the dicts of
`Corpus.articles`, in its order.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.errors import ConfigError, StorageError
from pipelines.report import JSON_ESCAPES, escape_markdown

Row = Mapping[str, Any]

FORMATS = ("jsonl", "csv", "text", "markdown", "atom")
COLUMNS = (
    "id", "url", "final_url", "source", "publisher", "title", "byline", "published", "published_origin", "fetched", "updated",
    "language", "words", "text", "text_hash", "relevance", "canonical", "cluster", "story",
)  # fmt: skip
# a spreadsheet would calculate the cell; those of the Far East take the wide signs, too
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MAX_SLUG_CHARS = 60
MAX_FEED_TEXT_CHARS = 2_000  # of an article in the feed; the whole is at its address
ATOM = "http://www.w3.org/2005/Atom"
FEED_ID = "urn:copydesk:export"
NAME_LIMIT = 40  # of a file's name that a half file's name repeats
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x84\x86-\x9f]")
_PLAIN_YAML = re.compile(r"-?\d+(\.\d+)?")
_URL_SCHEMES = ("http://", "https://")


def export_articles(rows: Iterable[Row], form: str, out: Path, now: datetime) -> int:
    """Write articles in one of FORMATS to a file, a folder (text and markdown) or "-" for stdout; return how many."""
    if form not in FORMATS:
        raise ConfigError("--format", repr(form), "one of " + ", ".join(FORMATS))
    if form in {"text", "markdown"} and is_folder(out):
        return write_folder(rows, out, form)
    with whole_file(out) as file:
        if form == "atom":
            return write_atom(rows, file, now)
        stream = io.TextIOWrapper(file, "utf-8", errors="replace", newline="", write_through=True)
        try:
            return WRITERS[form](rows, stream)
        finally:
            stream.detach()


def is_folder(out: Path) -> bool:
    """True for a folder that is there, and for a new name without an ending."""
    return str(out) != "-" and (out.is_dir() or (not out.exists() and not out.suffix))


def write_jsonl(rows: Iterable[Row], out: io.TextIOBase) -> int:
    """One JSON object a line, UTF-8."""
    count = 0
    for row in rows:
        count += 1
        line = json.dumps(dict(row), ensure_ascii=False, allow_nan=False, default=str)
        out.write(line.translate(JSON_ESCAPES) + "\n")
    return count


def write_csv(rows: Iterable[Row], out: io.TextIOBase, *, raw: bool = False) -> int:
    """A header and a line an article; a cell that a spreadsheet would calculate gets a quote before it unless `raw`."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    count = 0
    for row in rows:
        count += 1
        writer.writerow([value if raw else neutral(value) for value in (row.get(column) for column in COLUMNS)])
    return count


def neutral(value: Any) -> Any:
    """A cell's value that no spreadsheet takes for a formula; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def write_text(rows: Iterable[Row], out: io.TextIOBase) -> int:
    """Title, one line of facts, text; articles parted by a line of dashes."""
    return write_parted(rows, out, as_text, "\n" + "-" * 72 + "\n\n")


def write_markdown(rows: Iterable[Row], out: io.TextIOBase) -> int:
    """Each article with its front matter."""
    return write_parted(rows, out, as_markdown, "\n")


def write_parted(rows: Iterable[Row], out: io.TextIOBase, shape: Callable[[Row], str], between: str) -> int:
    count = 0
    for row in rows:
        count += 1
        out.write((between if count > 1 else "") + shape(row))
    return count


def as_text(row: Row) -> str:
    facts = [row.get("publisher"), row.get("byline"), row.get("published") or row.get("fetched"), row.get("url")]
    line = " · ".join(one_line(fact) for fact in facts if fact)
    return f"{one_line(row.get('title'))}\n{line}\n\n{row.get('text') or ''}\n"


def as_markdown(row: Row) -> str:
    """Front matter in YAML, the title as a heading, the text with a blank line between paragraphs."""
    names = (
        "id",
        "title",
        "url",
        "publisher",
        "byline",
        "published",
        "fetched",
        "language",
        "source",
        "words",
        "relevance",
        "cluster",
        "story",
    )
    matter = "".join(f"{name}: {yaml_value(row.get(name))}\n" for name in names if row.get(name) not in {None, ""})
    heading = escape_markdown(one_line(row.get("title")))
    paragraphs = "\n\n".join(escape_markdown(line) for line in (row.get("text") or "").splitlines() if line.strip())
    return f"---\n{matter}---\n\n# {heading}\n\n{paragraphs}\n"


def yaml_value(value: Any) -> str:
    """A number as it is; anything else as a JSON string, which YAML reads the same."""
    text = str(value)
    if _PLAIN_YAML.fullmatch(text) and not isinstance(value, str):
        return text
    return json.dumps(text, ensure_ascii=False).translate(JSON_ESCAPES)


def one_line(value: Any) -> str:
    return " ".join(str(value or "").split())


def write_folder(rows: Iterable[Row], folder: Path, form: str) -> int:
    """One file an article, `<id>-<slug>.txt` or `.md`, each whole or not at all."""
    shape, ending = (as_markdown, ".md") if form == "markdown" else (as_text, ".txt")
    make_folder(folder)
    count = 0
    for row in rows:
        count += 1
        name = file_name(row, ending)
        for old in folder.glob(f"{int(row['id'])}-*{ending}"):
            if old.name != name:
                old.unlink()  # the article has another title now
        with whole_file(folder / name) as file:
            file.write(shape(row).encode("utf-8", "replace"))
    return count


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(str(folder), (error.strerror or str(error)).lower(), "a folder we may write to") from error


def file_name(row: Row, ending: str) -> str:
    """A name that is short, plain ASCII, inside the folder and the article's own, whatever its title."""
    slug = ascii_slug(str(row.get("title") or "")) or "article"
    return f"{int(row['id'])}-{slug}{ending}"


def ascii_slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:MAX_SLUG_CHARS].strip("-")


def write_atom(rows: Iterable[Row], out: BinaryIO, now: datetime) -> int:
    """An Atom feed of the articles, parsed back before it is written."""
    from lxml import etree

    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM})  # type: ignore[dict-item]
    add(feed, "title", "copydesk")
    add(feed, "id", FEED_ID)
    add(feed, "updated", iso(now))
    add(add(feed, "author"), "name", "copydesk")
    count = 0
    for row in rows:
        count += 1
        add_entry(feed, row)
    data: bytes = etree.tostring(feed, xml_declaration=True, encoding="utf-8", pretty_print=True)
    etree.fromstring(data, etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True))
    out.write(data)
    return count


def add_entry(feed: Any, row: Row) -> None:
    from lxml import etree

    entry = etree.SubElement(feed, f"{{{ATOM}}}entry")
    url = str(row.get("url") or "")
    add(entry, "title", one_line(xml_text(str(row.get("title") or ""))) or "(no title)")
    add(entry, "id", url or f"{FEED_ID}:{row['id']}")
    add(entry, "updated", iso(row.get("updated") or row.get("published") or row.get("fetched")))
    if row.get("published"):
        add(entry, "published", iso(row["published"]))
    add(add(entry, "author"), "name", one_line(row.get("byline") or row.get("publisher")) or "unknown")
    if url.lower().startswith(_URL_SCHEMES):
        etree.SubElement(entry, f"{{{ATOM}}}link", rel="alternate", href=xml_text(url))
    add(entry, "content", (row.get("text") or "")[:MAX_FEED_TEXT_CHARS]).set("type", "text")


def add(parent: Any, name: str, text: str = "") -> Any:
    from lxml import etree

    element = etree.SubElement(parent, f"{{{ATOM}}}{name}")
    element.text = xml_text(text) or None
    return element


def xml_text(text: str) -> str:
    """The text without what XML cannot hold or no reader should be sent: control characters, surrogates, U+FFFE."""
    return _NOT_XML.sub("", text)


def iso(time: Any) -> str:
    """A time as Atom wants it: with a zone, to the second."""
    found = time if isinstance(time, datetime) else datetime.fromisoformat(str(time))
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)).isoformat(timespec="seconds")


WRITERS: dict[str, Callable[[Iterable[Row], Any], int]] = {
    "jsonl": write_jsonl,
    "csv": write_csv,
    "text": write_text,
    "markdown": write_markdown,
}


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends well; "-" is stdout."""
    if str(path) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.is_dir():
        raise ConfigError(str(path), "a folder", "a file")
    if not path.resolve().parent.is_dir():
        raise ConfigError(str(path), "its folder does not exist", "a file in a folder that does")
    half = None
    try:
        if path.exists() and not path.is_file():  # a pipe or a device is written to, never replaced
            with path.open("wb") as file:
                yield file
            return
        with tempfile.NamedTemporaryFile(
            dir=path.resolve().parent, prefix=f".{path.name[:NAME_LIMIT]}.", delete=False
        ) as file:
            half = Path(file.name)
            yield file.file  # type: ignore[misc]
            file.flush()
            os.fsync(file.fileno())
        half.chmod(usual_mode())
        half.replace(path)
    except OSError as error:
        raise StorageError(str(path), (error.strerror or str(error)).lower(), "a file we may write") from error
    finally:
        if half is not None:
            half.unlink(missing_ok=True)


def usual_mode() -> int:
    """Temporary files are private; the finished one is like any other of this user."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
