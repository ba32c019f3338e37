"""`copydesk serve`: the reading room in a browser on this machine.

It reads and never takes the run lock, so cron's crawls go on while it is open. Starlette, Jinja and uvicorn are an extra: a machine that
only crawls needs no web server.
"""

from __future__ import annotations

import errno
import socket
import webbrowser
from contextlib import closing
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli import EXIT_INTERRUPTED, cli, remark, with_config
from pipelines.cli.options import require_corpus, stopped_gently
from pipelines.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from pipelines.config import Config

PORT = 8360  # nobody's by name
LIBRARIES = ("starlette", "jinja2", "uvicorn")
BACKLOG = 64
LAST_WORDS_S = 3  # a page that is being written is finished; a browser that holds its line open is not waited for


@cli.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Where to listen; 0: any free port."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="An address of this machine.")
@click.option(
    "--allow-network",
    is_flag=True,
    help="With a --host others can reach: everybody there may read the whole corpus, without a password.",
)
@click.option("--open", "is_opened", is_flag=True, help="Open the browser, too.")
@with_config
def serve(*, port: int, host: str, allow_network: bool, is_opened: bool, config: Config) -> int:
    """Open the reading room, for a browser on this machine.

    It reads the corpus and changes nothing; crawls go on meanwhile. Ctrl-C closes it.

    Example: copydesk serve --open
             copydesk serve --port 0 --db other.db
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            "serve", f"{', '.join(missing)} not installed", "the extra `serve`", "pip install 'copydesk[serve]'"
        )
    host = checked(host, is_allowed=allow_network)
    require_corpus(config)
    with stopped_gently(), closing(listen(host, port)) as listener:
        return run_room(listener, config, is_opened=is_opened)


def checked(host: str, *, is_allowed: bool) -> str:
    """The address to listen at; raises `ConfigError` for one of the network, unless that is wanted."""
    try:
        is_own = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        raise ConfigError("--host", repr(host), "an address in digits, such as 127.0.0.1 or ::1") from None
    if is_own:
        return "127.0.0.1" if host == "localhost" else host
    if not is_allowed:
        raise ConfigError(
            "--host",
            f"{host} can be reached by others",
            "an address of loopback",
            "add --allow-network if they may read it all",
        )
    remark(f"copydesk: everybody who reaches {host} can read the whole corpus; there is no password and no encryption")
    return host


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; one line when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        saw = {errno.EADDRINUSE: "taken", errno.EACCES: "not ours to use"}.get(
            error.errno or 0, (error.strerror or str(error)).lower()
        )
        raise ConfigError(f"{address(host, port)}", saw, "a free port", "choose another with --port (0: any)") from None
    return listener


def address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def run_room(listener: socket.socket, config: Config, *, is_opened: bool) -> int:
    """Serve until somebody stops it; 130 as every command that is interrupted."""
    import uvicorn

    from pipelines.serve.app import make_app
    from pipelines.store.room import Room

    Room.enter(config.database_path, config).close()  # what is wrong with the file is told before a browser opens
    host, port = listener.getsockname()[:2]
    is_network = not ip_address(host).is_loopback
    names = (socket.gethostname(), f"{socket.gethostname()}.local") if is_network else ()
    url = address(host, port)

    class Server(uvicorn.Server):
        """Tells when it is ready."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                remark(f"the reading room is open: {url} (Ctrl-C closes it)")
                if is_opened:
                    webbrowser.open(url)

    settings: dict[str, Any] = {
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "date_header": False,
    }
    server = Server(
        uvicorn.Config(make_app(config, names=names), **settings, ws="none", timeout_graceful_shutdown=LAST_WORDS_S)
    )
    try:
        server.run([listener])
    except KeyboardInterrupt:  # uvicorn raises it again when it has closed
        remark("closed")
    return EXIT_INTERRUPTED
