"""No connection to an address that is not public, unless the user declared it a local source.

Feeds, redirects and DNS answers are written by strangers, and the crawler stands inside somebody's network. A check
of the URL's text is not enough: `2130706433`, `127.1` and a public name may all mean 127.0.0.1. So the check sits
where the connection is dialled, after every spelling was resolved, on every hop.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

WEB_PORTS = frozenset({80, 443})
# Python 3.11's is_global calls these public
_ALSO_PRIVATE = (
    ipaddress.ip_network("192.0.0.0/24"),  # IETF protocol assignments
    ipaddress.ip_network("192.88.99.0/24"),  # 6to4 relays, withdrawn
    ipaddress.ip_network("2001::/23"),  # IETF protocol assignments, Teredo among them
)
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all public IPv6 there is; the rest is local or unassigned
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # an IPv4 address inside
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


MAX_HEADER_BYTES = 256 * 1024  # of one answer; curl stops at 300 KiB, Twisted never


class HeadersTooLargeError(Exception):
    """The headers of an answer do not end."""


class ForbiddenAddressError(Exception):
    """The address is not public and no source declares it."""


def is_public(address: str) -> bool:
    """True for an IP address literal of the public internet; False for all else, names too."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0].strip("[]"))
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = hidden_in(found)
        if inner is not None:
            return is_public(str(inner))
        if found not in _GLOBAL_UNICAST:
            return False
    if found.is_multicast or any(found in network for network in _ALSO_PRIVATE if network.version == found.version):
        return False
    return found.is_global


def hidden_in(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if address in _SIX_TO_FOUR:
        return ipaddress.IPv4Address(address.packed[2:6])
    return ipaddress.IPv4Address(address.packed[12:]) if address in _TRANSLATED else address.ipv4_mapped


def host_and_port(url: str) -> tuple[str, int]:
    """The host and port a URL would be dialled at; ("", 0) for what is no web address."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return "", 0
    return (parts.hostname or "", port) if parts.scheme in ("http", "https") else ("", 0)


def dialled(urls: Collection[str]) -> frozenset[tuple[str, int]]:
    """The addresses that local sources' URLs lead to: (IP literal, port)."""
    found: set[tuple[str, int]] = set()
    for url in urls:
        host, port = host_and_port(url)
        with suppress(OSError, UnicodeError):
            found.update(
                (str(answer[4][0]), port) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
    return frozenset(found)


def check(address: str, port: int, local: Collection[tuple[str, int]]) -> None:
    """Raise `ForbiddenAddressError` unless the address is public and the port the web's, or both declared."""
    if (address, port) in local:
        return
    if not is_public(address):
        raise ForbiddenAddressError(f"{address} is not a public address")
    if port not in WEB_PORTS:
        raise ForbiddenAddressError(f"port {port} is not a web port")


@contextmanager
def guarded(reactor: Any, local: Collection[tuple[str, int]]) -> Iterator[None]:
    """While the block runs, every TCP connection of the reactor is checked first. Twisted dials literals only here."""
    dial = reactor.connectTCP

    def checked(host: str, port: int, *arguments: Any, **keywords: Any) -> Any:
        check(host, port, local)
        return dial(host, port, *arguments, **keywords)

    reactor.connectTCP = checked
    try:
        yield
    finally:
        del reactor.connectTCP  # the class's own method shows again


@contextmanager
def limited_headers() -> Iterator[None]:
    """While the block runs, an answer whose headers grow past the limit is given up. Scrapy has no setting for it."""
    from scrapy.core.downloader.handlers.http11 import _LenientHTTPClientParser as Parser

    receive = Parser.lineReceived

    def counted(parser: Any, line: bytes) -> None:
        parser.header_bytes = getattr(parser, "header_bytes", 0) + len(line)
        if parser.header_bytes > MAX_HEADER_BYTES:
            raise HeadersTooLargeError(f"more than {MAX_HEADER_BYTES} bytes of headers")
        receive(parser, line)

    setattr(Parser, "lineReceived", counted)  # noqa: B010 - mypy minds a method assigned
    try:
        yield
    finally:
        setattr(Parser, "lineReceived", receive)  # noqa: B010
