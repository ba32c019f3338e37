"""The bundled site itself: one web server a publisher on loopback, and a list of what was asked of it.

A server a publisher, because politeness, robots.txt and site memory are held per host and port. Everything answered
carries an ETag and Last-Modified, so that a second crawl can be told "not modified".
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import blake2b
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from crawler.demo import indexes
from crawler.demo.articles import DemoArticle, load_articles
from crawler.demo.indexes import Line
from crawler.demo.publishers import PUBLISHERS, Publisher
from crawler.demo.render import archive_page, article_page, front_page, login_page, missing_page
from crawler.demo.styles.parts import Frame

HOST = "127.0.0.1"
IDLE_SECONDS = 10  # an idle connection is closed after this
DELAY_S = 0.02  # between two requests to one of our servers; a second, as elsewhere, would make the demo long
CADENCE_HOURS = 0.1  # the shortest there is; a second crawl at once needs --force
WITHDRAWN = ("tidewatch", "/2026/11/withdrawn-post/")  # linked, and gone
NO_ARTICLE = (("gizmo", "/account/login"), ("tidewatch", "/archive/"))  # linked, and no article
CLOSED = (("meridian", "embargoed-report"), ("ledger", "unedited-column"))  # linked, and closed by robots.txt
MOVED_PUBLISHER = "castellan"  # its oldest article is linked by its old address
HTML, XML, TEXT = "text/html; charset=utf-8", "application/xml; charset=utf-8", "text/plain; charset=utf-8"


class Request(NamedTuple):
    """One request the site has answered; times are monotonic seconds."""

    time: float
    publisher: str
    path: str
    status: int
    was_conditional: bool
    ended: float  # just before the answer was written


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a path gives."""

    body: bytes
    content_type: str = HTML
    changed: datetime
    status: int = 200
    location: str = ""
    slow_seconds: float = 0.0

    @property
    def etag(self) -> str:
        return f'"{blake2b(self.body, digest_size=8).hexdigest()}"'


class DemoSite:
    """`with DemoSite() as site: site.urls["tidewatch"]`; it serves until the block ends.

    `first_port` 0: any free ports, else that one and the following.
    """

    def __init__(self, articles: Mapping[str, DemoArticle] | None = None, *, first_port: int = 0) -> None:
        self.articles = dict(load_articles() if articles is None else articles)
        self.requests: list[Request] = []
        self._first_port = first_port
        self._servers: dict[str, Server] = {}
        self._threads: list[threading.Thread] = []
        self.urls: dict[str, str] = {}

    def __enter__(self) -> Self:
        try:
            self._prepare()
        except BaseException:  # a port in use, a mistake in a page: leave no socket behind
            for server in self._servers.values():
                server.server_close()
            raise
        for server in self._servers.values():
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def _prepare(self) -> None:
        """Bind every server, then make its pages: they link each other by the ports."""
        for number, publisher in enumerate(PUBLISHERS):
            port = self._first_port + number if self._first_port else 0
            server = Server(publisher, self.requests, port)
            self._servers[publisher] = server
            self.urls[publisher] = f"http://{HOST}:{server.server_address[1]}"
        for publisher, server in self._servers.items():
            server.missing = missing_page(PUBLISHERS[publisher]).encode()
            server.answers = self.answers(PUBLISHERS[publisher])

    def __exit__(self, *_: object) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.hang_up()
            server.server_close()
        for thread in self._threads:
            thread.join()
        self._servers.clear()
        self._threads.clear()

    # addresses

    def home(self, article: DemoArticle) -> str:
        """Where the article's page stands."""
        return self.urls[article.publisher] + PUBLISHERS[article.publisher].path_of(article)

    def address(self, key: str) -> str:
        """The address by which indexes link an article; for a moved one that is the old one, which leads to `home`."""
        article = self.articles[key]
        if key == self.moved:
            return f"{self.urls[MOVED_PUBLISHER]}/publications/{article.slug}"
        return self.home(article)

    @property
    def moved(self) -> str:
        """The key of the article that is linked by its old address, "" when its publisher has none."""
        listed = self.of(MOVED_PUBLISHER)
        return listed[-1].key if listed else ""

    @property
    def withdrawn(self) -> str:
        return self.urls[WITHDRAWN[0]] + WITHDRAWN[1]

    @property
    def no_articles(self) -> tuple[str, ...]:
        """The addresses that indexes link and that hold links or a form only."""
        return tuple(self.urls[name] + path for name, path in NO_ARTICLE)

    @property
    def closed(self) -> tuple[str, ...]:
        """The addresses that indexes link and robots.txt closes."""
        return tuple(f"{self.urls[name]}{PUBLISHERS[name].forbidden}{slug}" for name, slug in CLOSED)

    def of(self, publisher: str) -> list[DemoArticle]:
        """A publisher's articles, newest first."""
        found = [article for article in self.articles.values() if article.publisher == publisher]
        return sorted(found, key=lambda article: (article.published, article.key), reverse=True)

    # pages

    def frame(self, publisher: Publisher, address: str) -> Frame:
        return Frame(
            publisher=publisher,
            base=self.urls[publisher.id],
            address=address,
            latest=tuple(
                (article.title, self.home(article))
                for article in self.of(publisher.id)
                if self.home(article) != address
            ),
            links={article.title: self.home(article) for article in self.articles.values()},
        )

    def answers(self, publisher: Publisher) -> dict[str, Answer]:
        """Everything one server gives, by path."""
        base, lines = self.urls[publisher.id], self.lines(publisher)
        changed = indexes.newest(lines)
        found: dict[str, Answer] = {}
        for article in self.of(publisher.id):
            home = self.home(article)
            found[home.removeprefix(base)] = Answer(
                body=article_page(article, self.frame(publisher, home)).encode(),
                changed=article.published,
                slow_seconds=article.slow_seconds,
            )
            if article.key == self.moved:
                path = self.address(article.key).removeprefix(base)
                found[path] = Answer(body=b"", changed=changed, status=HTTPStatus.MOVED_PERMANENTLY, location=home)
        front = self.frame(publisher, f"{base}/")
        found["/"] = Answer(body=front_page(front).encode(), changed=changed)
        found["/robots.txt"] = Answer(body=indexes.robots(publisher, base).encode(), content_type=TEXT, changed=changed)
        for name, path in NO_ARTICLE:
            if name == publisher.id:
                markup = login_page(front) if path.endswith("login") else archive_page(front)
                found[path] = Answer(body=markup.encode(), changed=changed)
        for url in self.closed:
            if url.startswith(base + "/"):  # it is there: only politeness keeps the crawler away
                found[url.removeprefix(base)] = Answer(body=front_page(front).encode(), changed=changed)
        for path, markup in self.index_files(publisher, lines).items():
            content_type = HTML if publisher.kind == "listing" else XML
            found[path] = Answer(body=markup.encode(), content_type=content_type, changed=changed)
        return found

    def lines(self, publisher: Publisher) -> list[Line]:
        """What the publisher's index lists, newest first: its articles, and what it should not have listed."""
        found = [
            Line(
                url=self.address(article.key),
                title=article.title,
                published=article.published,
                byline=article.byline,
                text=article.paragraphs[0],
            )
            for article in self.of(publisher.id)
        ]
        titles = {self.withdrawn: "A post we have withdrawn"} | dict.fromkeys(self.no_articles, "For our readers")
        titles |= dict.fromkeys(self.closed, "For editors only: not yet released")
        oldest = min((line.published for line in found), default=datetime(2026, 11, 10, tzinfo=UTC))
        base = self.urls[publisher.id]
        return found + [
            Line(url=url, title=title, published=oldest - timedelta(hours=number))
            for number, (url, title) in enumerate(titles.items(), 1)
            if url.startswith(base + "/")
        ]

    def index_files(self, publisher: Publisher, lines: list[Line]) -> dict[str, str]:
        base = self.urls[publisher.id]
        if publisher.kind == "listing":
            return indexes.listing(publisher, lines)
        if publisher.kind == "sitemap":
            children = [f"{base}/sitemap-news.xml", f"{base}/sitemap-pages.xml"]
            return {
                publisher.index: indexes.sitemap_index(children, indexes.newest(lines)),
                "/sitemap-news.xml": indexes.news_sitemap(publisher, lines),
                "/sitemap-pages.xml": indexes.plain_sitemap([f"{base}/about", f"{base}/contact"]),
            }
        write = indexes.atom if "atom" in publisher.index else indexes.rss
        return {publisher.index: write(publisher, base, lines)}

    def write_sources(self, path: Path) -> None:
        """Write the source list that leads to this site."""
        path.write_text("\n".join(self.source_table(publisher) for publisher in PUBLISHERS.values()), "utf-8")

    def source_table(self, publisher: Publisher) -> str:
        values: dict[str, Any] = {
            "name": publisher.name,
            "kind": publisher.kind,
            "url": self.urls[publisher.id] + publisher.index,
            "home": self.urls[publisher.id] + "/",
            "language": publisher.language,
            "timezone": publisher.timezone,
            "url_pattern": publisher.url_pattern,
            "topical_filter": publisher.is_topical,
            "local": True,
            "delay_s": DELAY_S,
            "cadence_hours": CADENCE_HOURS,
            "max_items_first_run": 50,
        }
        # JSON's strings, numbers and booleans are TOML's too
        lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value != "")
        return f"[{publisher.id}]\n" + "\n".join(lines) + "\n"


class Server(ThreadingHTTPServer):
    """One publisher's server. It remembers open connections, so that it can end them: none may outlive the site."""

    daemon_threads = False  # server_close waits for the threads
    block_on_close = True
    request_queue_size = 32

    def __init__(self, publisher: str, log: list[Request], port: int) -> None:
        self.publisher = publisher
        self.log = log
        self.answers: dict[str, Answer] = {}
        self.missing = b""
        self.open_connections: set[socket.socket] = set()
        self.guard = threading.Lock()
        super().__init__((HOST, port), Handler)

    def hang_up(self) -> None:
        with self.guard:
            for connection in self.open_connections:
                with suppress(OSError):  # it hung up first
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """A crawler that is stopped hangs up in the middle: nothing to tell."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server: Server

    def setup(self) -> None:
        super().setup()
        with self.server.guard:
            self.server.open_connections.add(self.connection)

    def finish(self) -> None:
        with self.server.guard:
            self.server.open_connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        began = time.monotonic()
        answer = self.server.answers.get(self.path)
        if answer is None:
            changed = datetime(2026, 11, 1, tzinfo=UTC)
            answer = Answer(body=self.server.missing, changed=changed, status=HTTPStatus.NOT_FOUND)
        if answer.slow_seconds:
            time.sleep(answer.slow_seconds)
        stamp = format_datetime(answer.changed.astimezone(UTC), usegmt=True)
        asked = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        is_known = asked[0] == answer.etag if asked[0] else asked[1] == stamp
        status = HTTPStatus.NOT_MODIFIED if is_known and answer.status == HTTPStatus.OK else answer.status
        body = b"" if status == HTTPStatus.NOT_MODIFIED else answer.body
        self.send_response(status)
        headers = {"Content-Type": answer.content_type, "ETag": answer.etag, "Last-Modified": stamp}
        headers |= {"Location": answer.location, "Content-Length": str(len(body))}
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        request = Request(began, self.server.publisher, self.path, int(status), any(asked), time.monotonic())
        self.server.log.append(request)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the site keeps its own list."""
