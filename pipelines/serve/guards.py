"""What stands before every page: whose name was asked for, and what a browser may do with the answer.

A page of the web can point a name of its own at 127.0.0.1 and read what answers there. So the name a browser asked for must be this
machine's; an address in digits is, because no page of the web has one as its origin. And what a hostile title smuggled past the
escaping could do, the headers forbid: no script but ours, no style, no picture, no request to anywhere else.
"""

from __future__ import annotations

from ipaddress import ip_address

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MISDIRECTED = 421


class Guard:
    """ASGI middleware: refuses strange names, adds the headers to every answer."""

    def __init__(self, app: ASGIApp, names: tuple[str, ...] = ()) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        asked = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if len(asked) == 1 and self.is_ours(asked[0]):
            await self._app(scope, receive, send_guarded)
            return
        refusal = PlainTextResponse("this name is not served here; open http://127.0.0.1 with the port\n", MISDIRECTED)
        await refusal(scope, receive, send_guarded)

    def is_ours(self, host: str) -> bool:
        """True for localhost, what the owner named, and addresses in digits."""
        name = host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
        if name.lower() in self._names:
            return True
        try:
            ip_address(name)
        except ValueError:
            return False
        return True
