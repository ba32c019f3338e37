# ruff: noqa: INP001 - Datasette loads every file of this folder, so it is no package
"""What Datasette needs to search a corpus: our segmenter, in place of its own way with queries; and a look at the Host.

A name that resolves to this machine lets any page on the web read what is served here, so only the machine's own names are
answered. Datasette loads this file by its path, so it imports what it needs by its whole name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from datasette import hookimpl

from pipelines.errors import ConfigError
from pipelines.store.search import phrases_of, snippet, spaced, words_of

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
NOTHING = '""'  # matches no article

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@hookimpl(trylast=True)  # type: ignore[untyped-decorator]  # after Datasette's own, whose escape_fts ours replaces
def prepare_connection(conn: Any) -> None:
    """Give SQL our words: `seg(text)`, `phrases(query)`, `snippet_of(text, query)`."""
    conn.create_function("seg", 1, segmented, deterministic=True)
    conn.create_function("phrases", 1, phrases, deterministic=True)
    conn.create_function("escape_fts", 1, phrases, deterministic=True)
    conn.create_function("snippet_of", 2, snippet_of, deterministic=True)


def segmented(text: object) -> str:
    return spaced(str(text or ""))


def phrases(query: object) -> str:
    """What a person typed, as the search index wants it: Han, Kana and Hangul apart, every word quoted."""
    try:
        return phrases_of(words_of(str(query or ""))) or NOTHING
    except ConfigError:  # empty or far too long: it finds nothing, as any query that is in no text
        return NOTHING


def snippet_of(text: object, query: object) -> str:
    """The part of a text around what was searched for."""
    try:
        return snippet(str(text or ""), words_of(str(query or "")))
    except ConfigError:
        return snippet(str(text or ""), [])


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper() -> Callable[[App], App]:
    """Answer this machine only."""

    def wrapped(app: App) -> App:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or is_ours(dict(scope["headers"]).get(b"host", b"")):
                await app(scope, receive, send)
                return
            await send({"type": "http.response.start", "status": 421, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"this corpus answers its own machine only\n"})

        return guarded

    return wrapped


def is_ours(host: bytes) -> bool:
    """True for a Host header that names this machine, whatever the port."""
    name, colon, port = host.decode("latin-1").rpartition(":")
    return (name if colon and port.isdigit() else host.decode("latin-1")) in HOSTS
