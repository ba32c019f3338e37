"""What a crawl writes into a file of its own, so that a year of cron can be read back.

Why it stands alone: a log that cannot be written must not cost the run it tells of, and what publishers say must not
forge its lines. Each begins with a time in UTC; what a message has beyond its first line is indented.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import one_line
from pipelines.report import printable

if TYPE_CHECKING:
    from pipelines.config import LogConfig

LOG = logging.getLogger("copydesk")
LOG.propagate = False  # into the file alone: what a person should see is printed
LOG.addHandler(logging.NullHandler())  # without one, Python prints what nobody writes down


class Lines(logging.Formatter):
    """One record, one line that begins with its time; nothing in it drives a terminal."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record)).replace("\n", "\n  ")


class CrawlLog(RotatingFileHandler):
    """A file that begins anew when it is full, and remembers what kept it from being written."""

    trouble = ""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own name
        self.trouble = self.trouble or one_line(sys.exc_info()[1] or OSError("not written"))

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:  # a full disk may show only here
            self.trouble = self.trouble or one_line(error)


@contextmanager
def log_file(config: LogConfig, troubles: list[str], unheard: Collection[str] = ()) -> Iterator[None]:
    """Write what is logged in the block into the file of the settings. What goes wrong with it is added to `troubles`.

    Of the libraries only warnings and errors are taken, of those `unheard` only errors.
    """
    if not config.file:
        yield
        return
    path = Path(config.file).expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = CrawlLog(
            path, maxBytes=config.max_bytes, backupCount=max(1, config.keep), encoding="utf-8", errors="replace"
        )
    except (OSError, ValueError) as error:
        troubles.append(f"log.file: {path}: {one_line(error)}")
        yield
        return
    handler.setFormatter(Lines())

    def is_wanted(record: logging.LogRecord) -> bool:
        least = logging.ERROR if record.name in unheard else logging.WARNING
        return record.name == LOG.name or record.levelno >= least

    handler.addFilter(is_wanted)
    LOG.setLevel(logging.INFO)
    for logger in (LOG, logging.getLogger()):
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in (LOG, logging.getLogger()):
            logger.removeHandler(handler)
        handler.close()
        if handler.trouble:
            troubles.append(f"log.file: {path}: {handler.trouble}")
