"""Names become addresses here, and a name that may not lead to a private one does not.

The guard at the dial sees an address and a port, but no name. When a source of one's own lives on 127.0.0.1:80, a
stranger's name that resolves to 127.0.0.1 would be dialled, too. So the permission is tied to the name here, and to
address and port there.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.address import IPv4Address, IPv6Address

from crawler.guard import is_public

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from twisted.internet.base import ReactorBase

PLACES_SETTING = "COPYDESK_LOCAL_PLACES"  # (host as written, port) of the declared local sources
NO_PORT = 0  # no source declares it: the guard refuses it and names the address


class Resolver(CachingThreadedResolver):
    """Scrapy's resolver, each of whose answers is checked against the name it was given for."""

    local: Collection[tuple[str, int]] = ()

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> Self:
        resolver = super().from_crawler(crawler, reactor)
        resolver.local = frozenset(crawler.settings.get(PLACES_SETTING, ()))
        return resolver

    def install_on_reactor(self) -> None:
        super().install_on_reactor()
        names: Any = CheckedNames(self.reactor.nameResolver, self.local)
        self.reactor.installNameResolver(names)


class CheckedNames:
    """Hands questions on, and spoils the answers that a name may not have."""

    def __init__(self, inner: Any, local: Collection[tuple[str, int]]) -> None:
        self._inner = inner
        self._local = local

    def resolveHostName(  # noqa: N802 - Twisted's name
        self,
        receiver: Any,
        hostName: str,  # noqa: N803
        portNumber: int = 0,  # noqa: N803
        *arguments: Any,
        **keywords: Any,
    ) -> Any:
        if (hostName, portNumber) not in self._local:
            receiver = CheckedAnswers(receiver)
        return self._inner.resolveHostName(receiver, hostName, portNumber, *arguments, **keywords)


class CheckedAnswers:
    """Takes a resolver's answers; a private address loses its port, so that it cannot be dialled but is named."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        self._inner.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        if isinstance(address, IPv4Address | IPv6Address) and not is_public(address.host):
            address = type(address)(address.type, address.host, NO_PORT)
        self._inner.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._inner.resolutionComplete()
