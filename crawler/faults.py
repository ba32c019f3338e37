"""One word and one line for everything that can go wrong with a request.

The word goes into `fetches.error` and can be counted; the line is what a person reads in the report. Libraries
below us raise a dozen kinds of exception for five kinds of trouble, so they are told apart here, once.
"""

from __future__ import annotations

from collections.abc import Iterator

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)

from crawler.guard import ForbiddenAddressError, HeadersTooLargeError
from pipelines.errors import one_line

# the run's own decisions, no fault of the URL: it stays due
RUN_ENDED = frozenset({"interrupted", "storage", "run_budget"})
POSTPONED = RUN_ENDED | {"budget", "host_budget", "hanging", "retry_later"}
# trouble on the way to a host: says nothing of the file that was asked for
CONNECTION_WORDS = frozenset({"dns", "refused_connection", "connection", "timeout", "tls", "forbidden_address"})

LINES = {
    "dns": "no connection to {host} (name not found)",
    "refused_connection": "no connection to {host} (connection refused)",
    "connection": "no connection to {host} ({detail})",
    "timeout": "no answer from {host} in time",
    "tls": "no trustworthy connection to {host} ({detail})",
    "truncated": "{host} sent half an answer",
    "too_large": "the answer of {host} is too large",
    "forbidden_address": "{host} is not a public web address ({detail})",
    "robots": "robots.txt of {host} does not allow it",
    "robots_unreachable": "robots.txt of {host} cannot be read ({detail}), which means no",
    "retry_later": "{host} asks to be left alone ({detail})",
    "budget": "the time for this source is up ({detail}); the rest stays due",
    "coding": "{host} packs its answer in a way we did not ask for ({detail})",
    "host_budget": "enough asked of {host} for one run; the rest stays due",
    "unsent": "its pages could not be sent to the writer; the rest stays due",
    "hanging": "too many pages of {host} cannot be read in time; the rest stays due",
    "redirects": "{host} redirects too often",
    "not_a_feed": "the answer is no feed",
    "bad_feed": "the feed cannot be read",
    "not_a_sitemap": "the answer is no sitemap",
    "bad_sitemap": "the sitemap cannot be read",
    "noindex": "the page asks not to be kept (noindex)",
    "not_html": "the answer is no web page",
    "parse_timeout": "reading the answer of {host} took too long",
    "parse_error": "the answer of {host} cannot be read ({detail})",
    "gone": "{host} says the address is gone for good (410)",
    "not_found": "{host} does not know the address (404)",
    "forbidden": "{host} refuses us ({detail})",
}


class Refused(IgnoreRequest):
    """A request we do not make; `reason` is the one word."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what lies below it, Twisted's lists of reasons too."""
    waiting: list[BaseException] = [error]
    for _ in range(20):
        if not waiting:
            return
        found = waiting.pop(0)
        yield found
        if found.__cause__ is not None:
            waiting.append(found.__cause__)
        for reason in getattr(found, "reasons", ()):
            value = getattr(reason, "value", None)
            if isinstance(value, BaseException):
                waiting.append(value)


def classify(error: BaseException) -> tuple[str, str]:  # noqa: PLR0911 - a table read top to bottom
    """Return the one word for an error, and a detail for a person."""
    below = list(causes(error))
    for found in below:
        if isinstance(found, Refused):
            return found.reason, found.detail
        if isinstance(found, ForbiddenAddressError):
            return "forbidden_address", one_line(found)
        if isinstance(found, HeadersTooLargeError):
            return "too_large", one_line(found)
        if type(found).__module__.startswith(("OpenSSL", "service_identity", "ssl")):
            return "tls", tls_detail(found)
    kinds = {
        CannotResolveHostError: "dns",
        DownloadConnectionRefusedError: "refused_connection",
        DownloadTimeoutError: "timeout",
        DownloadCancelledError: "too_large",
        ResponseDataLossError: "truncated",
        UnsupportedURLSchemeError: "scheme",
    }
    for kind, word in kinds.items():
        if isinstance(error, kind):
            return word, one_line(error)
    if isinstance(error, IgnoreRequest):
        text = one_line(error)
        if "DOWNLOAD_MAXSIZE" in text:  # while unpacking
            return "too_large", text
        return ("redirects" if "redirection" in text else "robots" if "robots" in text else "ignored"), text
    if isinstance(error, DownloadFailedError | OSError):
        return "connection", one_line(below[-1])
    return "error", f"{type(error).__name__}: {one_line(error)}"


def tls_detail(error: BaseException) -> str:
    """The words inside OpenSSL's nested tuples, or what the verifier said."""
    text = one_line(error)
    for known in ("certificate verify failed", "wrong version number", "unexpected eof"):
        if known in text:
            return known
    return "certificate is for another host" if "VerificationError" in type(error).__name__ else text[:80]


def status_word(status: int) -> str:
    """The one word for an HTTP status that is no success."""
    words = {
        401: "forbidden",
        403: "forbidden",
        404: "not_found",
        410: "gone",
        429: "retry_later",
        451: "forbidden",
        503: "retry_later",
    }
    return words.get(status, f"http_{status}")


def told(word: str, host: str, detail: str = "") -> str:
    """The line for a person."""
    if word.startswith("http_"):
        return f"{host} answers with status {word.removeprefix('http_')}"
    return LINES.get(word, "{detail}" if detail else word).format(host=host, detail=detail or "no reason given")
