"""The command that makes a letter of what came in."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from pipelines.cli import answer_json, cli, remark, with_config
from pipelines.cli.options import (
    Moment,
    json_option,
    language_option,
    limit_option,
    reading,
    remark_unknown,
    source_option,
    topic_option,
    until_option,
    utc_now,
)
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pipelines.config import Config
    from pipelines.digest import Digest

FORMATS = ("text", "html", "markdown")
LATE = timedelta(days=7)  # feeds list posts up to a week late; what is older came with a new source's archive


@cli.command()
@click.option(
    "--since", type=Moment(), default="1d", show_default=True, help="What came in from then on: 7d, 12h or a day."
)
@until_option
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="For mail programs: html."
)
@click.option("--to", "receiver", metavar="ADDRESS", default="", help="A whole mail, text and HTML, for `sendmail -t`.")
@topic_option
@source_option
@language_option
@limit_option(30)
@json_option
@with_config
def digest(
    *,
    since: datetime,
    until: datetime | None,
    form: str,
    receiver: str,
    topic: str,
    source: str,
    language: str,
    limit: int,
    is_json: bool,
    config: Config,
) -> None:
    """Tell what came in, story by story.

    Each with who was first, who else told it, who copied, and two sentences of the article itself. The most told come
    first. When nothing came in, nothing is printed.

    Example: copydesk digest --since 7d --format html
             copydesk digest --to you@example.org | /usr/sbin/sendmail -t
    """
    from pipelines.digest import digest_of
    from pipelines.store.filters import Filter

    check_receiver(receiver)
    now = utc_now()
    until = until or now
    with reading(config) as corpus:
        rows = corpus.news(since, until, LATE, Filter(source=source, topic=topic, language=language))
        if not rows:
            remark_unknown(corpus, source, topic)
        found = digest_of(rows, since, until, limit, lambda key: str((corpus.article(key) or {})["text"]))
    if not found.items:
        if not receiver:  # cron would mail it
            remark("nothing came in; try an earlier --since")
    elif is_json:
        answer_json([item.as_plain() for item in found.items])
    else:
        give(found, form, receiver, now)


def give(found: Digest, form: str, receiver: str, now: datetime) -> None:
    """Print the letter, or the whole mail."""
    from pipelines.digest import RENDERERS, as_mail

    if receiver:
        sys.stdout.buffer.write(as_mail(found, receiver, now))
        sys.stdout.buffer.flush()
    else:
        click.echo(RENDERERS[form](found), nl=False)


def check_receiver(receiver: str) -> None:
    """Refuse what would be no address in the head of a mail."""
    is_fine = receiver.isprintable() and not set(receiver) & set("<>,;: \"'()[]\\")
    name, at, host = receiver.partition("@")
    if receiver and not (is_fine and name and at and host and "@" not in host):
        raise ConfigError(f"--to {receiver!r}", "no mail address", "one like you@example.org")
