"""Where a request is stopped before it is made, and where it is made: one at a time to a host.

`HostMiddleware` refuses what must not be asked at all, `RobotsMiddleware` asks the site, `PoliteHandler` waits for
the host's turn (innermost, so that nothing waits for a request that waits for it), `EncodingMiddleware` refuses
half a compressed body that would pass for a whole page.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import ResponseDataLossError
from scrapy.http import Response
from twisted.internet.defer import Deferred

from crawler.faults import CONNECTION_WORDS, POSTPONED, Refused, classify
from crawler.guard import WEB_PORTS, host_and_port
from crawler.politeness import host_key, retry_after
from pipelines.urls import is_web

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler

    from crawler.ledger import Run

ROBOTS_BYTES = 512 * 1024  # RFC 9309 asks for at least 500 KiB
ROBOTS_LINES = 20_000  # sites write hundreds; each is matched against every address
ROBOTS_MAXSIZE = 4 * 2**20  # larger ones are not even read to the limit above
ROBOTS_TIMEOUT_S = 10
MAX_CODINGS = 5  # curl's limit of nested content codings
LEAVE_ALONE = (429, 503)
GZIP = frozenset({b"gzip", b"x-gzip"})  # all we ask for: of the others nobody can say whether they came whole
PACKED = frozenset({b"deflate", b"br", b"zstd", b"compress", b"x-compress", b"dcb", b"dcz"})
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def run_of(crawler: Crawler) -> Run:
    """The run that the crawler's spider belongs to."""
    run: Run = crawler.spider.run  # type: ignore[union-attr]
    return run


def is_robots_file(request: Request) -> bool:
    return bool(request.meta.get("dont_obey_robotstxt")) and urlsplit(request.url).path == "/robots.txt"


class HostMiddleware:
    """Refuse what no robots.txt needs to be asked about; name the host's slot."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        run = run_of(self.crawler)
        run.refuse(request.url, request.meta.get("source", ""))
        host, port = host_and_port(request.url)
        source = request.meta.get("source")
        if not is_web(request.url):
            raise Refused("scheme", request.url[:100])
        if (host, port) in run.local_places:
            # a request without a source is one for robots.txt, but a redirect may have led it anywhere
            if not (is_robots_file(request) if source is None else run.is_local(source)):
                raise Refused("forbidden_address", "only local sources may lead there")
        elif host in run.local_names:
            raise Refused("forbidden_address", f"no source declares port {port} there")
        elif port not in WEB_PORTS:
            raise Refused("forbidden_address", f"port {port} is not a web port")
        request.meta["download_slot"] = host_key(request.url)
        if is_robots_file(request):
            seconds = min(ROBOTS_TIMEOUT_S, run.config.crawl.timeout_s)
            request.meta.update(download_timeout=seconds, download_maxsize=ROBOTS_MAXSIZE, dont_retry=True)


class PoliteHandler(HTTP11DownloadHandler):
    """Scrapy's HTTP handler, behind the process-wide gate."""

    async def download_request(self, request: Request) -> Response:
        run, host = run_of(self._crawler), host_key(request.url)
        source = request.meta.get("source", "")
        async with run.gate.turn(host):
            run.refuse(request.url, source)
            run.clock_started(source)
            if not is_robots_file(request):
                run.gate.asked(host)
            response = await super().download_request(request)
        if response.status in LEAVE_ALONE and not is_robots_file(request):
            wait = (response.headers.get(b"Retry-After") or b"").decode("latin-1")
            await run.manners.close(host, retry_after(wait, run.now()))
        return response


class Unreadable:
    """Stands for a robots.txt that could not be read: nothing is allowed."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail


class RobotsMiddleware(RobotsTxtMiddleware):
    """Scrapy's robots.txt, with RFC 9309's meaning of errors: 4xx no rules, 5xx and no answer "not now"."""

    def process_request_2(self, rp: Any, request: Request) -> None:
        if isinstance(rp, Unreadable):
            raise Refused(rp.reason, rp.detail)
        super().process_request_2(rp, request)

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500 or response.status == 429:
            raise Refused("robots_unreachable", f"status {response.status}")
        body = rules_of(response.body) if response.status < 300 else b""
        await run_of(self.crawler).manners.keep_robots(netloc, body)
        await super()._parse_robots(as_bytes(response, body), netloc, request)

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        super()._robots_error(exc, netloc)
        self._parsers[netloc] = self._unreadable(exc)

    async def robot_parser(self, request: Request) -> Any:
        netloc = urlsplit(request.url).netloc
        if netloc not in self._parsers:
            body = await run_of(self.crawler).manners.robots_copy(netloc)
            if body is not None and netloc not in self._parsers:  # another request may have begun to ask meanwhile
                self._parsers[netloc] = Deferred()
                await super()._parse_robots(Response(request.url, body=body), netloc, request)
        # the base class tells those who wait "no rules": they must look again
        await super().robot_parser(request)
        return self._parsers[netloc]

    @staticmethod
    def _unreadable(error: Exception) -> Any:
        word, detail = classify(error)
        is_about_robots = word not in CONNECTION_WORDS | POSTPONED
        return Unreadable("robots_unreachable" if is_about_robots else word, detail)


def rules_of(body: bytes) -> bytes:
    """As much of a robots.txt as is read: the first half megabyte, of it so many lines, in UTF-8."""
    is_longer, body = len(body) > ROBOTS_BYTES, body[:ROBOTS_BYTES]
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        body = body.decode("utf-16", "replace").encode()
    if is_longer:
        body = body[: body.rfind(b"\n") + 1]  # half a rule could say the opposite
    return b"\n".join(body.splitlines()[:ROBOTS_LINES])


class EncodingMiddleware:
    """See that a compressed body is whole: half of one decodes to half a page without a word."""

    def process_response(self, request: Request, response: Response) -> Response:
        codings = [
            coding.strip().lower()
            for line in response.headers.getlist(b"Content-Encoding")
            for coding in line.split(b",")
        ]
        codings = [coding for coding in codings if coding]
        if len(codings) > MAX_CODINGS:
            raise Refused("too_large", f"{len(codings)} layers of compression")
        if other := set(codings) - GZIP:
            if other & PACKED and not is_plain(response.body):
                raise Refused("coding", one_line_of(min(other)))
            response.headers.pop(b"Content-Encoding", None)  # the header lies, or speaks of something else
            return response
        if codings and codings[-1] in GZIP:
            if not response.body.startswith(b"\x1f\x8b"):  # the header lies: the body is plain
                response.headers.pop(b"Content-Encoding", None)
            else:
                return unpacked(response, len(codings), request.meta.get("download_maxsize", 5 * 2**20))
        return response


def unpacked(response: Response, codings: int, limit: int) -> Response:
    """The response with its body as it was before compression; what is not that simple is left to Scrapy, and told as mere bytes.

    Mere bytes, because Scrapy copies a response of text only after it has guessed the letters of the compressed body: up to a tenth
    of a second on the event loop. Raises `ResponseDataLossError` for half a body.
    """
    body, is_rest = gunzipped(response.body, limit)
    if body is None:
        raise ResponseDataLossError("the gzip stream is cut off")
    if codings > 1 or is_rest or len(body) > limit:
        return as_bytes(response, response.body)
    response.headers.pop(b"Content-Encoding", None)
    return as_bytes(response, body)


def gunzipped(body: bytes, limit: int) -> tuple[bytes | None, bool]:
    """The first gzip member, or as much of it as is past `limit` (then its size is the trouble, not its end), and whether more follows.

    None for half a member.
    """
    unzip = zlib.decompressobj(wbits=31)
    try:
        found = unzip.decompress(body, limit + 1)
    except zlib.error:
        return None, False
    return (found if unzip.eof or len(found) > limit else None), bool(unzip.unused_data)


def as_bytes(response: Response, body: bytes) -> Response:
    """The response without a guess at what its letters are."""
    return Response(
        response.url,
        status=response.status,
        headers=response.headers,
        body=body,
        flags=response.flags,
        request=response.request,
        certificate=response.certificate,
        ip_address=response.ip_address,
        protocol=response.protocol,
    )


def is_plain(body: bytes) -> bool:
    """True for what looks like text: two hundred packed bytes without a control character are next to impossible."""
    return _CONTROL.search(body[:200]) is None


def one_line_of(name: bytes) -> str:
    """A stranger's word, fit to print."""
    return name.decode("ascii", "backslashreplace")[:30]
