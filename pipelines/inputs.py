"""Turn what a person has on disk (saved pages, flattened text, JSON Lines, web archives, folders) into pages.

A part that cannot be used comes as an `InputError` value among the pages: one bad line must not cost the rest.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import IO, Any, cast

from pipelines.errors import ConfigError, InputError
from pipelines.records import Hint, Page
from pipelines.urls import normal_form
from pipelines.warc import read_pages

KINDS = {  # by the end of the name; the first that fits
    ".warc": "warc",
    ".warc.gz": "warc",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".ndjson": "jsonl",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".txt": "text",
}
HEAD_BYTES = 65_536  # where a saved page names itself
CONTROL_SHARE = 0.02  # a text file has no control characters; above this it is an image or a program
GZIP, UTF8_MARK = b"\x1f\x8b", b"\xef\xbb\xbf"
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x0b\x1b"))
MARKUP = re.compile(rb"<(?:!doctype|html|head|body|article|div|p|h1|meta)\b", re.IGNORECASE)
_CLAIMS = (  # the page's own address, best first
    re.compile(rb"""<link\b[^>]*\brel\s*=\s*["']?canonical\b[^>]*>""", re.IGNORECASE),
    re.compile(rb"""<meta\b[^>]*\bproperty\s*=\s*["']?og:url\b[^>]*>""", re.IGNORECASE),
)
_ADDRESS = re.compile(rb"""\b(?:href|content)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rules:
    """How addresses are given to what has none, and how large a page may be."""

    max_bytes: int
    url_prefix: str = ""


def expand(paths: Iterable[Path]) -> Iterator[Path | InputError]:
    """Give the files of folders, sorted by name, in place of the folders; what is not there as an error."""
    for path in paths:
        if path.is_dir():
            found = sorted(inner for inner in path.rglob("*") if inner.is_file() and kind_of_name(inner))
            yield from found
            if not found:
                yield InputError(str(path), "no page in this folder", "files named *" + ", *".join(KINDS))
        elif path.exists():
            yield path
        else:
            yield InputError(str(path), "no such file or folder", "saved pages, JSON Lines or a web archive")


def kind_of_name(path: Path) -> str:
    return next((kind for end, kind in KINDS.items() if path.name.lower().endswith(end)), "")


def read_file(path: Path, root: Path, rules: Rules) -> Iterator[Page | InputError]:
    """Give the pages of one file. `root`: the folder that was asked for, for addresses made with a prefix."""
    kind = kind_of_name(path)
    if not kind:
        yield InputError(str(path), "a name we do not know", "*" + ", *".join(KINDS))
        return
    try:
        if kind == "warc":
            yield from read_pages(path, rules.max_bytes)
        elif kind == "jsonl":
            yield from read_jsonl(path, rules)
        else:
            yield saved_page(path, root, kind, rules)
    except OSError as error:
        yield InputError(str(path), error.strerror or str(error), "a file we may read")


def spooled(stream: IO[bytes], folder: Path, prefix: str) -> Path:
    """Write a stream into a file of the folder whose name says what it holds, so that it is read as a file is.

    Raises `ConfigError` for a page that has no address: a file has its path, a stream has none. `InputError`: nothing came.
    """
    head = stream.read(HEAD_BYTES)
    if not head:
        raise InputError("-", "nothing came in", "saved pages, JSON Lines or a web archive")
    path = folder / f"stdin{kind_of_bytes(head)}"
    with path.open("wb") as file:
        file.write(head)
        shutil.copyfileobj(stream, file)
    if not prefix and kind_of_name(path) in ("html", "text") and not claimed_address(head):
        raise ConfigError("-", "a page without an address", "a canonical link in it, or --url-prefix")
    return path


def kind_of_bytes(head: bytes) -> str:
    """The end of name for what begins like this: a web archive or JSON Lines, packed or not, a saved page, else text."""
    is_packed = head.startswith(GZIP)
    if is_packed:
        with suppress(zlib.error):  # whoever reads it will say what is wrong with it
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, HEAD_BYTES)
    head = head.removeprefix(UTF8_MARK).lstrip()
    if head.startswith(b"WARC/"):
        return ".warc.gz" if is_packed else ".warc"
    if head.startswith(b"{") or is_packed:
        return ".jsonl.gz" if is_packed else ".jsonl"
    return ".html" if MARKUP.search(head) else ".txt"


def saved_page(path: Path, root: Path, kind: str, rules: Rules) -> Page | InputError:
    """One saved file as a page. Its time is the file's; the address see `address_of`."""
    with path.open("rb") as stream:
        body = stream.read(rules.max_bytes + 1)
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    problem = unusable(body)
    if problem:
        return InputError(str(path), problem, "HTML or plain text")
    return Page(
        url=address_of(path, root, body if kind == "html" else b"", rules.url_prefix),
        body=body,
        fetched=changed,
        content_type="text/html" if kind == "html" else "text/plain",
    )


def unusable(body: bytes) -> str:
    """Say in a word or two why bytes cannot be a page; "" when they can."""
    head = body[:HEAD_BYTES]
    if not head.strip():
        return "an empty file"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 is full of zeros and still text
        return ""
    control = len(head) - len(head.translate(None, _CONTROL))
    return "a binary file" if control > CONTROL_SHARE * len(head) else ""


def address_of(path: Path, root: Path, body: bytes, prefix: str) -> str:
    """The address of a saved page, the same each time: the prefix and its path, else the page's own claim, else file://."""
    if prefix:
        relative = path.relative_to(root).as_posix() if path.is_relative_to(root) and path != root else path.name
        return normal_form(f"{prefix.rstrip('/')}/{relative}") or path.resolve().as_uri()
    return claimed_address(body) or path.resolve().as_uri()


def claimed_address(body: bytes) -> str:
    """The address an HTML page gives as its own (canonical link, og:url); "" when it gives none we could fetch."""
    for claim in _CLAIMS:
        tag = claim.search(body[:HEAD_BYTES])
        address = _ADDRESS.search(tag.group()) if tag else None
        if address:
            found = next(group for group in address.groups() if group is not None)
            url = normal_form(unescape(found.decode("utf-8", "replace")))
            if url:
                return url
    return ""


def read_jsonl(path: Path, rules: Rules) -> Iterator[Page | InputError]:
    """JSON Lines {"url", "html", "fetched"}; `text` in place of `html`, `title`, `byline`, `published`, `language` are taken too."""
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    with open_lines(path) as lines:
        number = 0
        try:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield page_of_line(line, f"{path}:{number}", changed, rules)
        except (EOFError, gzip.BadGzipFile) as error:
            yield InputError(
                str(path), f"broken after line {number} ({error})", "a whole file", "what came before is kept"
            )


def open_lines(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def page_of_line(line: bytes, where: str, changed: datetime, rules: Rules) -> Page | InputError:
    """One line as a page, or what is wrong with it."""
    try:
        row = json.loads(line)
    except ValueError as error:  # UnicodeDecodeError is one too
        return InputError(where, f"no JSON ({error})", "an object with url and html")
    if not isinstance(row, dict):
        return InputError(where, f"a {type(row).__name__}", "an object with url and html")
    url = normal_form(row["url"]) if isinstance(row.get("url"), str) else ""
    if not url:
        return InputError(where, f"url is {str(row.get('url'))[:80]!r}", "an http(s) address")
    is_text = "html" not in row and "text" in row
    content = row.get("text" if is_text else "html")
    if not isinstance(content, str) or not content.strip():
        return InputError(where, "html is missing or empty", "the page as a string")
    fetched = time_of(row.get("fetched"), changed)
    if fetched is None:
        return InputError(where, f"fetched is {str(row['fetched'])[:40]!r}", "a time in ISO 8601")
    return Page(
        url=url,
        body=content.encode("utf-8", "replace")[: rules.max_bytes + 1],
        fetched=fetched,
        final_url=normal_form(row["final_url"]) if isinstance(row.get("final_url"), str) else "",
        content_type="text/plain; charset=utf-8" if is_text else "text/html; charset=utf-8",
        hint=hint_of(row),
    )


def hint_of(row: dict[str, Any]) -> Hint:
    """What the line claims of its page, in the place of a feed."""
    claims = {key: row[key] for key in ("title", "byline", "language") if isinstance(row.get(key), str)}
    return Hint(**claims, published=time_of(row.get("published"), None))


def time_of(value: object, default: datetime | None) -> datetime | None:
    """ISO 8601 text as an aware UTC time; `default` for nothing; None for what is no time."""
    if value is None or value == "":
        return default
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
