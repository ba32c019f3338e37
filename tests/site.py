"""A small web server on loopback that behaves and misbehaves as told, and remembers who asked for what, and when."""

import gzip
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = (  # noqa: SIM905 - forty words read better as text
    "council harbour valley engine ledger window meadow signal copper bridge lantern orchard river market village "
    "granite paper summer winter station garden bottle ladder mirror candle pepper saddle thunder ribbon basket"
).split()


def prose(seed, sentences=14):
    """Sentences that no other seed shares, long enough to be an article."""
    lines = []
    for number in range(sentences):
        picked = [WORDS[(seed * 7 + number * 11 + k * (3 + seed % 5)) % len(WORDS)] for k in range(9)]
        lines.append(
            f"Report {seed} point {number} says the {' '.join(picked)} {seed * 100 + number} matter to alignment."
        )
    return lines


def article(title, seed, extra=""):
    """An article page as publishers write them."""
    body = "".join(f"<p>{line}</p>\n" for line in prose(seed))
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title><meta charset="utf-8"></head><body>'
        f"<header><nav><a href='/'>Home</a></nav></header><main><article><h1>{title}</h1>\n{body}{extra}</article></main>"
        "<footer>All rights reserved</footer></body></html>"
    )


def rss(links, title="A feed"):
    """An RSS feed of (url, title) pairs."""
    items = "".join(
        f"<item><title>{name}</title><link>{url}</link><pubDate>Sat, 21 Nov 2026 0{number % 9}:00:00 GMT</pubDate>"
        f"<description>About {name}.</description></item>"
        for number, (url, name) in enumerate(links)
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>{title}</title><link>/</link>{items}</channel></rss>'
    )


@dataclass
class Reply:
    """What a path answers. `etag` and `modified` make it answer 304 to whoever has it already."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: dict = field(default_factory=dict)
    etag: str = ""
    modified: float = 0.0
    delay: float = 0.0  # seconds before the first byte
    cut: int = 0  # promise the whole body, send only so many bytes
    raw: Callable | None = None  # called with `send`, which takes bytes and tells whether somebody still listens


@dataclass(frozen=True)
class Seen:
    """One request."""

    path: str
    start: float
    end: float
    headers: dict
    status: int


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, handler, context=None):
        super().__init__(address, handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        """A crawl that is killed hangs up: nothing to tell."""


class Site:
    """`with Site() as site: site.page("/a", "...")`; `site.requests` tells what was asked."""

    def __init__(self, context=None):
        """`context`: an SSLContext to speak TLS with."""
        self.replies = {}
        self.requests = []
        self.sent = Counter()  # bytes of raw replies
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), self._handler(), context)
        self.port = self._server.server_address[1]
        self.base = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def reply(self, path, body="", **values):
        self.replies[path] = Reply(body=body if isinstance(body, bytes) else body.encode(), **values)
        return self.base + path

    def page(self, path, seed, title="", **values):
        title = title or f"Story {seed}"
        return self.reply(path, article(title, seed), etag=values.pop("etag", f'"page-{seed}"'), **values)

    def feed(self, path, links, **values):
        etag = values.pop("etag", f'"feed-{len(links)}"')
        return self.reply(path, rss(links), content_type="application/rss+xml", etag=etag, **values)

    def raw(self, path, function):
        """`function(send)` writes the whole answer, status line and all; bytes stand for themselves."""
        if isinstance(function, bytes):
            whole = function
            function = lambda send: send(whole)  # noqa: E731
        self.replies[path] = Reply(raw=function)
        return self.base + path

    def redirect(self, path, to, status=302):
        return self.reply(path, status=status, headers={"Location": to})

    def paths(self, status=None):
        return [seen.path for seen in self.requests if status in (None, seen.status) and seen.path != "/robots.txt"]

    def forget(self):
        self.requests.clear()

    def _handler(site):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                start = time.monotonic()
                reply = site.replies.get(self.path, Reply(b"<html><body>not here</body></html>", status=404))
                if reply.delay:
                    time.sleep(reply.delay)
                status = self.answer(reply)
                with site._lock:
                    site.requests.append(Seen(self.path, start, time.monotonic(), dict(self.headers), status))

            def send_raw(self, reply, path):
                def send(data):
                    try:
                        self.wfile.write(data)
                    except OSError:
                        return False
                    site.sent[path] += len(data)
                    return True

                self.close_connection = True
                send.connection = self.connection
                reply.raw(send)
                return 200

            def answer(self, reply):
                if reply.raw:
                    return self.send_raw(reply, self.path)
                status, body = reply.status, reply.body
                date = formatdate(reply.modified, usegmt=True) if reply.modified else ""
                known = reply.etag and self.headers.get("If-None-Match") == reply.etag
                if known or (date and not reply.etag and self.headers.get("If-Modified-Since") == date):
                    status, body = 304, b""
                self.send_response(status)
                self.send_header("Content-Type", reply.content_type)
                for name, value in {"ETag": reply.etag, "Last-Modified": date, **reply.headers}.items():
                    if value:
                        self.send_header(name, value)
                if reply.headers.get("Content-Encoding") == "gzip" and body and not body.startswith(b"\x1f\x8b"):
                    body = gzip.compress(body)
                self.send_header("Content-Length", str(len(body)))
                if reply.cut:
                    self.send_header("Connection", "close")
                    self.close_connection = True
                self.end_headers()
                try:
                    self.wfile.write(body[: reply.cut] if reply.cut else body)
                except ConnectionError:
                    return 0
                return status

            def log_message(self, *_):
                pass

        return Handler
