"""The reading room as one ASGI application: which address is which view, and what becomes of its answer or its trouble.

Starlette is imported here and in `guards`. Views run on the readers' threads, so the event loop only passes things on.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipelines.config import Config
from pipelines.errors import CopydeskError, one_line
from pipelines.serve.asked import Asked, Elsewhere, Feed, NotHereError, View
from pipelines.serve.guards import Guard
from pipelines.serve.kept import Trends
from pipelines.serve.readers import Readers
from pipelines.serve.rendering import STATIC, make_templates, render
from pipelines.serve.source_list import Lists
from pipelines.serve.views import feeds, health, pieces, search, today

if TYPE_CHECKING:
    from pipelines.store.room import Room

T = TypeVar("T")

Answer = View | Feed | Elsewhere
Seen = Callable[["Room", Asked], Answer]
COOKIE_SECONDS = 400 * 86_400  # browsers keep none longer
YEAR_SECONDS = 31_536_000


def help_page(_room: Room, _asked: Asked) -> View:
    return View(template="help.html")


PAGES: tuple[tuple[str, Seen], ...] = (
    ("/", today.today),
    ("/story/{story:int}", pieces.story),
    ("/article/{article:int}", pieces.article),
    ("/article/{article:int}/page", pieces.page),
    ("/article/{article:int}/version/{version:int}", pieces.two_versions),
    ("/compare/{left:int}/{right:int}", pieces.two_articles),
    ("/address", pieces.address),
    ("/search", search.search),
    ("/sources", health.sources),
    ("/source/{source:path}", health.source),
    ("/borderline", health.borderline),
    ("/rejected", health.rejected),
    ("/runs", health.runs),
    ("/run/{run:int}", health.run),
    ("/trends", health.trends),
    ("/help", help_page),
    ("/feed.atom", feeds.atom),
    ("/feed.json", feeds.json_feed),
)


def utc_now() -> datetime:
    """The only look at the clock of the room."""
    return datetime.now(UTC)


def make_app(config: Config, *, names: tuple[str, ...] = (), clock: Callable[[], datetime] = utc_now) -> Guard:
    """The application over the corpus of these settings; `names`: what it may be called beside localhost."""
    desk = Desk(config, clock)
    app = Starlette(
        routes=[
            *(Route(path, desk.shows(view)) for path, view in PAGES),
            Route("/favicon.ico", lambda _request: RedirectResponse("/static/icon.svg")),
            Mount("/static", KeptFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: desk.refuse, Exception: desk.fail},
        lifespan=desk.open,
    )
    return Guard(app, names)  # outside of everything, so that the page of a bug has its headers, too


class KeptFiles(StaticFiles):
    """Our own files; their address changes with their content, so a browser need not ask again."""

    def file_response(self, *arguments: Any, **values: Any) -> Response:
        response = super().file_response(*arguments, **values)
        response.headers["Cache-Control"] = f"max-age={YEAR_SECONDS}, immutable"
        return response


class Desk:
    """What all requests share: the readers, the templates, the kept counts."""

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        self._config, self._clock = config, clock
        self._templates = make_templates()
        self._lists = Lists(config)
        self._readers: Readers | None = None
        # browsers keep cookies by host, not by port: each corpus that is served here has one of its own
        place = hashlib.blake2b(str(config.database_path.resolve()).encode(), digest_size=4).hexdigest()
        self._cookie = f"visit-{place}"
        self._trends = Trends(self.ask, clock)

    @property
    def readers(self) -> Readers:
        if self._readers is None:
            raise RuntimeError("the room is not open")
        return self._readers

    def ask(self, work: Callable[[Room], T]) -> Future[T]:
        """Have `work` done by a reader."""
        return self.readers.ask(work)

    @asynccontextmanager
    async def open(self, _app: Starlette) -> AsyncIterator[None]:
        """Open the corpus for as long as the room is open, and count once what takes long."""
        self._readers = Readers(self._config.database_path, self._config)
        first = self._readers.ask(self._trends.count)
        try:
            yield
        finally:
            first.cancel()
            await asyncio.to_thread(self._readers.close)

    def shows(self, view: Seen) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that gives what the view gives."""

        async def endpoint(request: Request) -> Response:
            asked = self.asked(request)
            return await asyncio.wrap_future(self.readers.ask(lambda room: self.respond(view, room, asked, request)))

        return endpoint

    def asked(self, request: Request) -> Asked:
        return Asked(
            path=request.url.path,
            query={name: value for name, value in request.query_params.items() if value},
            places=request.path_params,
            visit=request.cookies.get(self._cookie, ""),
            now=self._clock(),
            base=f"{request.url.scheme}://{request.headers.get('host', '')}",
            sources=self._lists.now(),
            trends=self._trends,
        )

    def respond(self, view: Seen, room: Room, asked: Asked, request: Request) -> Response:
        """Ask the view and write its answer, on a reader's thread."""
        asked = replace(asked, sources=asked.sources.with_unlisted(room.source_names()))
        try:
            answer = view(room, asked)
        except NotHereError as error:
            return self.trouble(404, "There is no such page", f"{error}: not in this corpus.", asked)
        except feeds.BadFeedError as error:
            return PlainTextResponse(f"{error}\n", 400)
        except CopydeskError as error:
            return self.trouble(503, "The corpus does not answer", str(error), asked)
        if isinstance(answer, Elsewhere):
            return RedirectResponse(answer.path, 303)
        if isinstance(answer, Feed):
            return unchanged(request, answer)
        page = self.page(answer.template, answer.values, asked)
        if answer.visit:
            page.set_cookie(self._cookie, answer.visit, max_age=COOKIE_SECONDS, httponly=True, samesite="lax")
        return page

    def page(self, template: str, values: dict[str, Any], asked: Asked, status: int = 200) -> Response:
        shared = {"asked": asked, "now": asked.now, "sources": asked.sources}
        text = render(self._templates, template, shared | values)
        return HTMLResponse(text.encode("utf-8", "replace"), status, headers={"Cache-Control": "no-cache"})

    def trouble(self, status: int, title: str, message: str, asked: Asked) -> Response:
        return self.page("error.html", {"title": title, "message": message}, asked, status)

    async def refuse(self, request: Request, error: Exception) -> Response:
        """What Starlette itself refuses: an address or a method that is not ours."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        title = "There is no such page" if status == 404 else "That is not possible"
        return self.trouble(
            status, title, "This address leads nowhere." if status == 404 else one_line(error), self.asked(request)
        )

    async def fail(self, request: Request, error: Exception) -> Response:
        """A bug: one line for the reader, the whole for the terminal (Starlette raises it again)."""
        return self.trouble(
            500, "Something went wrong", f"{type(error).__name__}: {one_line(error)}", self.asked(request)
        )


def unchanged(request: Request, feed: Feed) -> Response:
    """The feed, or 304 for a reader that has this very one."""
    tag = f'"{hashlib.blake2b(feed.body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(feed.body, media_type=feed.media_type, headers=headers)
