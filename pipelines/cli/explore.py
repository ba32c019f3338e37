"""The command that puts Datasette over the corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.cli import answer, cli, remark, with_config
from pipelines.cli.options import reading

if TYPE_CHECKING:
    from pipelines.config import Config

PORT = 8001  # Datasette's own


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0: any that is free.")
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser.")
@with_config
def explore(*, port: int, is_opened: bool, config: Config) -> None:
    """Browse and query the tables with Datasette.

    With facets, the queries of the README and a search that knows Korean and Chinese. The file is only read, and only
    this machine may ask. Needs the extra: pip install 'copydesk[explore]'. Ctrl-C ends it.

    Example: copydesk explore --open
    """
    import webbrowser

    from pipelines.explore import explore as serve

    with reading(config):
        pass  # what is no corpus is told here, in one line
    remark("Ctrl-C ends it")
    serve(config.database_path, port, answer, webbrowser.open if is_opened else None)
