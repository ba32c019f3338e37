"""Let somebody know how a crawl went: a request to a watchdog on the web, and a command of the user's own.

Why it stands alone: a run from cron has nobody to look at it, and whoever is told must never cost the run anything. So
every way in which telling can fail ends here as a line of text, and none takes longer than the settings allow.

The watchdog is one that wants a request from every run and raises the alarm when none comes (healthchecks and its
kin): URL/start, then URL or URL/fail, with the report as the body.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit, urlunsplit

from pipelines.errors import LockedError, one_line
from pipelines.urls import is_web

if TYPE_CHECKING:
    from pipelines.config import NotifyConfig

PING_URL = "notify.ping_url"  # as errors name it
START, SUCCESS, FAIL = "/start", "", "/fail"
MAX_BODY_BYTES = 10_000  # what such services keep of a body
MAX_VARIABLE_CHARS = 4_000  # Linux takes 128 kB a variable; nobody reads that
GOOD_CODES = (0, LockedError.exit_code)  # another run at work is no failure, and it will tell how it went
MAX_WAIT_S = 3600.0  # a setting of "inf" must not become an error of the clock's
SHELL = "/bin/sh"


class Notice:
    """What is told of one run. Nothing raises; each method returns what went wrong, a line each."""

    def __init__(self, config: NotifyConfig) -> None:
        self._config = config
        self._start: Errand | None = None

    def started(self) -> None:
        """Tell that a run begins, while it begins."""
        if self._config.ping_url:
            self._start = self._ping(START, "")

    def ended(self, exit_code: int, summary: str, lines: Sequence[str] = ()) -> list[str]:
        """Tell how it ended, and run the user's command when it did not end well."""
        report = "\n".join([summary, *lines])
        troubles: list[str] = []
        end = None
        if self._start is not None:
            troubles += self._start.wait()  # a start that comes after the end would look like a run that hangs
            if exit_code != LockedError.exit_code:
                end = self._ping(FAIL if exit_code else SUCCESS, report)
        if self._config.on_failure and exit_code not in GOOD_CODES:
            troubles += run_command(self._config, exit_code, summary, report)
        troubles += end.wait() if end is not None else []
        return list(dict.fromkeys(troubles))  # start and end often fail alike

    def _ping(self, ending: str, body: str) -> Errand:
        url, seconds = self._config.ping_url, bounded(self._config.ping_timeout_s)
        return Errand(lambda: ping(url, ending, body, seconds), seconds)


def bounded(seconds: float) -> float:
    return max(0.0, seconds) if seconds <= MAX_WAIT_S else MAX_WAIT_S


class Errand:
    """Work on a thread that is waited for only until its time is up; it returns a line when it went wrong."""

    def __init__(self, work: Callable[[], str], seconds: float, setting: str = PING_URL) -> None:
        self._setting = setting
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self._told: list[str] = []
        self._thread = threading.Thread(target=lambda: self._told.append(work()), daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:  # no more threads on this machine
            self._told.append(f"{setting}: {one_line(error)}")

    def wait(self) -> list[str]:
        """What went wrong: nothing, one line, or that it takes too long."""
        if self._thread.ident is not None:  # it was started
            self._thread.join(max(0.0, self._until - time.monotonic()))
        if self._thread.is_alive():
            return [f"{self._setting}: no answer within {self._seconds:g} s"]
        return [line for line in self._told if line]


def ping(url: str, ending: str, body: str, timeout_s: float) -> str:
    """Tell the watchdog; return "" or what went wrong."""
    if problem := unusable(url):
        return problem
    parts = urlsplit(url)
    address = urlunsplit(parts._replace(path=parts.path.rstrip("/") + ending, fragment=""))
    data = body.encode("utf-8", "replace")[:MAX_BODY_BYTES]
    return post(address, data, "text/plain; charset=utf-8", timeout_s, PING_URL)


def post(url: str, data: bytes, content_type: str, timeout_s: float, setting: str) -> str:
    """Send one request; return "" or what went wrong. The address is a secret: only its host is named."""
    if problem := unusable(url, setting):
        return problem
    try:
        request = urllib.request.Request(  # noqa: S310 - its scheme was looked at
            url, data=data, headers={"User-Agent": "copydesk", "Content-Type": content_type}
        )
        with opener().open(request, timeout=timeout_s):
            return ""
    except (OSError, HTTPException, ValueError) as error:
        return f"{setting}: {urlsplit(url).hostname}: {one_line(told(error))}"


def unusable(url: str, setting: str = PING_URL) -> str:
    """Why the address cannot be asked; "" when it can, or when there is none."""
    is_plain = url.isascii() and url.isprintable() and " " not in url  # http.client would tell the whole address
    if not url or (is_web(url) and is_plain):
        return ""
    return f"{setting}: no http or https address in plain letters without user name and password"


def told(error: Exception) -> BaseException:
    """What the system said, where urllib has wrapped it; an answer like 500 says enough itself."""
    inner = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error
    return inner if isinstance(inner, BaseException) else error


def opener() -> urllib.request.OpenerDirector:
    """Ask by http and https only, also after a redirect: Python's usual opener reads files and FTP as well."""
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        director.add_handler(handler)
    return director


def run_command(config: NotifyConfig, exit_code: int, summary: str, report: str) -> list[str]:
    """Give the report to the user's command; what it starts ends with it when its time is up."""
    variables = {
        "CRAWL_EXIT_CODE": str(exit_code),  # not COPYDESK_…: those are settings, and the command may be ours
        "CRAWL_SUMMARY": summary.replace("\0", "").encode("utf-8", "replace").decode()[:MAX_VARIABLE_CHARS],
    }
    seconds = bounded(config.on_failure_timeout_s)
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is the user's own
            [SHELL, "-c", config.on_failure],
            stdin=subprocess.PIPE,
            stdout=2,  # our stdout is for answers
            env={**os.environ, **variables},
            start_new_session=True,  # so that it can be ended with all it has started
        )
    except (OSError, ValueError) as error:
        return [f"notify.on_failure: {one_line(error)}"]
    try:
        process.communicate((report + "\n").encode("utf-8", "replace"), timeout=seconds)
    except subprocess.TimeoutExpired:
        return [f"notify.on_failure: ended after {seconds:g} s"]
    except OSError as error:
        return [f"notify.on_failure: {one_line(error)}"]
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError, PermissionError):  # it may have ended just now
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdin is not None:
            with suppress(OSError):  # what it did not want to read
                process.stdin.close()
    return [f"notify.on_failure: exit code {process.returncode}"] if process.returncode else []
