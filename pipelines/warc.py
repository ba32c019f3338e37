"""Web archives: the HTML responses of a WARC as pages, and pages as a WARC. warcio is imported here and nowhere else.

Archives are often cut off (a full disk, an aborted download) and sometimes wrong. What can be read is given, then
one error as a value: the caller goes on with its other files.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

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


def write_pages(pages: Iterable[Page], out: BinaryIO, now: datetime, *, is_packed: bool = True) -> int:
    """Write pages as the responses of a WARC, each a gzip member of its own when packed; return how many.

    Of a response's head the status and the type are known, so these are given. The same pages give the same bytes.
    """
    try:
        from warcio.warcwriter import WARCWriter
    except ImportError:
        raise MissingExtraError(
            "--format warc",
            "writing web archives needs warcio, which is not installed",
            "",
            "pip install 'copydesk[warc]'",
        ) from None
    writer = WARCWriter(out, gzip=is_packed, warc_version="1.1")
    about = {"software": f"copydesk/{metadata.version('copydesk')}", "format": "WARC file version 1.1"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in about.items()).encode()
    head = {
        "WARC-Date": warc_text(now),
        "WARC-Record-ID": record_id("warcinfo", now),
        "Content-Type": "application/warc-fields",
    }
    writer.write_record(
        writer.create_warc_record("", "warcinfo", BytesIO(lines), length=len(lines), warc_headers_dict=head)
    )
    count = 0
    for page in pages:
        count += 1
        writer.write_record(record_of(writer, page))
    return count


def record_of(writer: Any, page: Page) -> Any:
    """A page as a response record."""
    from warcio.statusandheaders import StatusAndHeaders

    kind = " ".join(page.content_type.encode("ascii", "ignore").decode().split()) or "text/html"
    headers = [("Content-Type", kind), ("Content-Length", str(len(page.body)))]
    head = {"WARC-Date": warc_text(page.fetched), "WARC-Record-ID": record_id(page.url, page.fetched)}
    return writer.create_warc_record(
        page.url,
        "response",
        payload=BytesIO(page.body),
        length=len(page.body),  # or it is copied to a file that nobody closes
        http_headers=StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1"),
        warc_headers_dict=head,
    )


def warc_text(time: datetime) -> str:
    """A time as WARC 1.1 has it, to the microsecond: to the second, pages of one second would lose their order."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def record_id(subject: str, time: datetime) -> str:
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{subject} {warc_text(time)}')}>"
