"""`copydesk demo`: the bundled news site, crawled twice, and the story of what came of it."""

from __future__ import annotations

import click

from pipelines.cli import cli


@cli.command()
@click.option("--keep", is_flag=True, help="Go on with the corpus of the last demo instead of an empty one.")
@click.option("--serve", is_flag=True, help="Keep the site up until Ctrl-C, to look at it in a browser.")
def demo(*, keep: bool, serve: bool) -> int:
    """Crawl the bundled news site and tell what came of it.

    It is crawled twice, then you read what was kept, removed and collapsed, and why. Nine invented publishers on this machine; nothing of the internet is asked. The corpus stays in the folder `demo`
    beside yours, to be searched and looked at.

    Example: copydesk demo
             copydesk demo --serve
    """
    from crawler.demo.play import play
    from pipelines.config import default_folder

    return play(default_folder() / "demo", is_kept=keep, is_served=serve)
