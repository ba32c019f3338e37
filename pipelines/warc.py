"""Read web archives: the HTML responses of a WARC as pages. warcio is imported here and nowhere else.

Archives are often cut off (a full disk, an aborted download) and sometimes wrong. What can be read is given, then
one error as a value: the caller goes on with its other files.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.errors import InputError, MissingExtraError
from pipelines.records import Page
from pipelines.urls import normal_form

HTML_TYPES = ("text/html", "application/xhtml+xml")


def read_pages(path: Path, max_bytes: int) -> Iterator[Page | InputError]:
    """Give every HTML response with status 200; of a body at most one byte more than `max_bytes`, so that too much shows.

    A body that ends before its Content-Length is no page: half an article must not pass for one.
    """
    try:
        from warcio.archiveiterator import ArchiveIterator
        from warcio.exceptions import ArchiveLoadFailed
    except ImportError:
        raise MissingExtraError(
            str(path), "reading web archives needs warcio, which is not installed", "", "pip install 'copydesk[warc]'"
        ) from None
    number = 0
    try:
        with path.open("rb") as stream:
            records = ArchiveIterator(stream)
            records.INC_RECORD = ""  # its own warning: three lines on stderr; we tell it below, in one
            for record in records:
                if records.err_count:
                    break
                page = page_of(record, max_bytes)
                number += 1
                if page is not None:
                    yield page
            missing = path.stat().st_size - records.offset  # a head cut in two ends the loop without a word
            if records.err_count or (number and missing > 0):
                raise EOFError("what follows is no record")  # noqa: TRY301 - told like every other fault
    except (ArchiveLoadFailed, EOFError, OSError, ValueError, zlib.error) as error:
        reason = str(error).strip() or type(error).__name__
        yield InputError(
            str(path),
            f"broken after record {number} ({' '.join(reason.split())[:120]})",
            "a whole WARC",
            "what came before is kept",
        )
        return
    if not number:
        yield InputError(str(path), "no record in it", "a WARC file")


def page_of(record: Any, max_bytes: int) -> Page | None:
    """Return the page a record holds; None for requests, redirects, images and what is not on the web."""
    if record.rec_type != "response" or record.http_headers is None:
        return None
    content_type = record.http_headers.get_header("Content-Type") or ""
    if (
        record.http_headers.get_statuscode() != "200"
        or content_type.partition(";")[0].strip().lower() not in HTML_TYPES
    ):
        return None
    address = record.rec_headers.get_header("WARC-Target-URI") or ""
    url = normal_form(address.strip("<>"))
    if not url:
        return None
    declared = record.rec_headers.get_header("Content-Length")
    body = record.content_stream().read(max_bytes + 1)
    if len(body) <= max_bytes and getattr(record.raw_stream, "limit", 0) > 0:
        raise EOFError(f"{url}: cut off, its record should have {declared} bytes")
    return Page(
        url=url,
        body=body,
        fetched=warc_time(record.rec_headers.get_header("WARC-Date") or ""),
        content_type=content_type,
    )


def warc_time(text: str) -> datetime:
    """WARC-Date is ISO 8601 in UTC, with or without fractions of a second."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"WARC-Date {text!r} is no date") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
