"""The publishers on loopback, a port each, and all that goes wrong with them while faults are switched on."""

import hashlib
import random
import threading
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.soak.world import KINDS, address, is_over

SLOW_S = 0.3
WINDOW_H = 3  # how long a publisher's bad time lasts
ROBOTS = b"User-agent: *\nDisallow: /private/\n"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A crawl that is killed hangs up: nothing to tell."""


class Internet:
    """`with Internet(world, seed) as net: net.hour = 7`; `net.on_request(count)` is called at each request."""

    def __init__(self, world, seed):
        self.world, self.seed = world, seed
        self.hour = 0
        self.has_faults = True
        self.requests = 0
        self.private = []  # addresses asked for that robots.txt forbids
        self.on_request = lambda: None
        self._lock = threading.Lock()
        self._servers = [Server(("127.0.0.1", 0), self._handler(number)) for number in range(world.publishers)]
        self.ports = [server.server_address[1] for server in self._servers]

    def __enter__(self):
        for server in self._servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def base(self, publisher):
        return f"http://127.0.0.1:{self.ports[publisher]}"

    def sources(self):
        """The source list that leads to them."""
        lines = []
        for number in range(self.world.publishers):
            kind = KINDS[number % len(KINDS)]
            lines += [f"[p{number}]", f'name = "Publisher {number}"', f'kind = "{kind}"', "local = true"]
            lines += [f'url = "{self.base(number)}/{kind}"', 'url_pattern = "/(a|private)/"', "cadence_hours = 1"]
            lines += ["delay_s = 0.001", "max_items_first_run = 1000", 'language = "en"', ""]
        return "\n".join(lines)

    def trouble(self, publisher, path):
        """What is wrong with this answer, "" for nothing: a publisher's bad hours, or one page's."""
        if not self.has_faults:
            return ""
        hours = random.Random(f"{self.seed} {publisher} {self.hour // WINDOW_H}")
        if hours.random() < 0.06:
            return hours.choice(["down", "busy", "cut", "slow"])
        page = random.Random(f"{self.seed} {path} {self.hour}")
        return page.choice(["down", "cut", "slow", "hang up"]) if page.random() < 0.02 else ""

    def answer(self, publisher, path):
        """Status, body, content type, extra headers."""
        world, hour = self.world, self.hour
        if path == "/robots.txt":
            return 200, ROBOTS, "text/plain", {}
        if path.strip("/") in KINDS:
            kind = path.strip("/")
            body, content_type = INDEXES[kind](self.base(publisher), world.listed(publisher, hour), hour)
            return 200, body, content_type, {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
        piece = world.by_path.get((publisher, path))
        if piece is None or piece.born > hour or piece.never == "ghost" or is_over(piece, hour):
            is_gone = piece is not None and piece.gone is not None and piece.number % 2
            return 410 if is_gone else 404, b"<html><body>not here</body></html>", "text/html", {}
        has_moved = piece.moved is not None and piece.moved <= hour
        if has_moved and path == piece.path:
            return 301, b"", "text/html", {"Location": self.base(publisher) + piece.new_path}
        if not has_moved and path == piece.new_path:
            return 404, b"", "text/html", {}
        body = page(piece, world.paragraphs(piece, hour))
        headers = {}
        if publisher % 3 == 0:
            headers = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
        elif publisher % 3 == 1:
            headers = {"Last-Modified": format_datetime(piece.modified(hour), usegmt=True)}
        return 200, body, "text/html; charset=utf-8", headers

    def _handler(net, publisher):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with net._lock:
                    net.requests += 1
                    if self.path.startswith("/private/"):
                        net.private.append(self.path)
                    net.on_request()
                trouble = net.trouble(publisher, self.path)
                if trouble == "hang up":
                    self.close_connection = True
                    return
                if trouble == "slow":
                    threading.Event().wait(SLOW_S)
                status, body, content_type, headers = net.answer(publisher, self.path)
                if trouble == "down":
                    status, body, headers = 500, b"<html><body>oops</body></html>", {}
                elif trouble == "busy":
                    status, body, headers = 429, b"", {"Retry-After": "3600"}
                asked = {self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")} - {None}
                if status == 200 and asked & {headers.get("ETag"), headers.get("Last-Modified")}:
                    status, body = 304, b""
                self.say(status, body, content_type, headers, is_cut=trouble == "cut")

            def say(self, status, body, content_type, headers, *, is_cut):
                self.send_response(status)
                for name, value in {"Content-Type": content_type, "Content-Length": len(body), **headers}.items():
                    self.send_header(name, str(value))
                self.close_connection = self.close_connection or is_cut
                self.end_headers()
                try:
                    self.wfile.write(body[: len(body) // 2] if is_cut else body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler


def page(piece, paragraphs):
    body = "".join(f"<p>{escape(text)}</p>\n" for text in paragraphs)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(piece.title)}</title>'
        f'<meta property="article:published_time" content="{piece.published.isoformat()}"></head><body>'
        '<header><nav><a href="/">Home</a> <a href="/about">About us</a></nav></header>'
        f"<main><article><h1>{escape(piece.title)}</h1>\n{body}</article></main>"
        "<footer><p>All rights reserved by the publisher</p></footer></body></html>"
    ).encode()


def feed(base, pieces, hour):
    items = "".join(
        f"<item><title>{escape(piece.title)}</title><link>{base}{address(piece, hour)}</link>"
        f"<pubDate>{format_datetime(piece.published, usegmt=True)}</pubDate></item>\n"
        for piece in pieces
    )
    text = f'<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><link>{base}/</link>{items}</channel></rss>'
    return text.encode(), "application/rss+xml"


def sitemap(base, pieces, hour):
    items = "".join(
        f"<url><loc>{base}{address(piece, hour)}</loc><lastmod>{piece.modified(hour).isoformat()}</lastmod></url>\n"
        for piece in pieces
    )
    text = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{items}</urlset>'
    return text.encode(), "application/xml"


def listing(base, pieces, hour):
    items = "".join(f'<li><a href="{address(piece, hour)}">{escape(piece.title)}</a></li>\n' for piece in pieces)
    text = (
        f'<!doctype html><html><head><title>News</title></head><body><a href="/">Home</a><ul>{items}</ul></body></html>'
    )
    return text.encode(), "text/html; charset=utf-8"


INDEXES = {"feed": feed, "sitemap": sitemap, "listing": listing}
