"""Datasette over the corpus: every table to browse, filter and query, with a search that finds Korean and Chinese.

The file is only read, and only this machine may ask. What Datasette should know of the tables stands in metadata.yml, what it
needs to search them in plugins/. Datasette and its server are imported here and in plugins/.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.errors import ConfigError, MissingExtraError, one_line

HOST = "127.0.0.1"
HERE = Path(__file__).parent
METADATA = HERE / "metadata.yml"
PLUGINS = HERE / "plugins"
SETTINGS = {
    "default_page_size": 50,
    "max_returned_rows": 2_000,
    "sql_time_limit_ms": 5_000,  # one's own machine, and a corpus of a million articles
    "facet_time_limit_ms": 1_000,
    "truncate_cells_html": 200,  # the whole text is on an article's own page
    "suggest_facets": False,  # one query a column of each page; ours are named in the metadata
    "allow_download": False,  # the log beside the file would be missing in it; `copydesk backup` makes a whole copy
}

Tell = Callable[[str], None]


def explorer(path: Path) -> Any:
    """Datasette over this corpus, not serving yet; raise `MissingExtraError` where it is not installed."""
    try:
        from datasette.app import Datasette
        from datasette.utils import parse_metadata
    except ImportError:
        raise MissingExtraError(
            "explore", "needs Datasette, which is not installed", "", "pip install 'copydesk[explore]'"
        ) from None
    about = parse_metadata(METADATA.read_text("utf-8"))
    about["databases"] = {path.stem: about["databases"]["corpus"]}
    files: dict[str, list[str]] = {"immutables" if is_still(path) else "files": [str(path)]}
    return Datasette(**files, metadata=about, plugins_dir=str(PLUGINS), settings=SETTINGS)


def is_still(path: Path) -> bool:
    """True where SQLite may not make the log that a changing file needs; nobody can be writing then."""
    return not os.access(path.resolve().parent, os.W_OK) and not Path(f"{path}-wal").exists()


def explore(path: Path, port: int, tell: Tell, visit: Callable[[str], object] | None = None) -> None:
    """Serve until Ctrl-C; `tell` hears the address once it answers, `visit` is given it to open."""
    datasette = explorer(path)
    with listening(port) as door:
        address = f"http://{HOST}:{door.getsockname()[1]}/"
        try:
            asyncio.run(serve(datasette, door, lambda: reached(address, tell, visit)))
        except KeyboardInterrupt:
            return
        finally:
            for database in datasette.databases.values():
                database.close()


def reached(address: str, tell: Tell, visit: Callable[[str], object] | None) -> None:
    tell(address)
    if visit:
        visit(address)


def listening(port: int) -> socket.socket:
    """A door that only this machine can knock at; 0: any that is free."""
    door = socket.socket()
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((HOST, port))
    except (OSError, OverflowError) as error:
        door.close()
        raise ConfigError(f"--port {port}", one_line(error), "a port that is free", "--port 0 takes any") from None
    return door


async def serve(datasette: Any, door: socket.socket, started: Callable[[], None]) -> None:
    import uvicorn

    await datasette.invoke_startup()
    settings = uvicorn.Config(datasette.app(), lifespan="on", log_level="warning", access_log=False)
    server = uvicorn.Server(settings)

    ordinary = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await ordinary(sockets=sockets)
        await asyncio.to_thread(started)

    setattr(server, "startup", startup)  # noqa: B010 - mypy minds a method assigned
    await server.serve(sockets=[door])
