"""No byte goes to an address that is not public, whatever the spelling."""

import contextlib
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address

from crawler.guard import ForbiddenAddressError, check, dialled, guarded, host_and_port, is_public
from crawler.resolving import CheckedNames

NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.5", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "198.18.0.1", "192.0.0.8", "192.0.2.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b::a00:5", "2002:7f00:1::", "2002:a00:5::",
    "2001:0:1::1", "100::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1:7f00:0:100:808:808", "5f00::1", "localhost", "example.org", "", "127.1", "2130706433", "0x7f.1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700::1111",
    "2001:4860:4860::8888",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
@pytest.mark.fault("S01", "S02")
def test_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    assert is_public(address)


@given(st.ip_addresses(v=4))
@pytest.mark.fault("S02")
def test_an_address_hidden_in_another_is_judged_by_itself(address):
    mapped = str(ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed))
    assert is_public(mapped) == is_public(str(address))
    if is_public(str(address)):
        assert address.is_global


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 8099])
@pytest.mark.fault("S06")
def test_only_web_ports(port):
    with pytest.raises(ForbiddenAddressError, match=str(port)):
        check("8.8.8.8", port, ())


def test_a_declared_local_address_is_allowed_with_its_port_only():
    local = dialled(["http://127.0.0.1:8123/feed"])
    check("127.0.0.1", 8123, local)
    check("8.8.8.8", 443, local)
    with pytest.raises(ForbiddenAddressError):
        check("127.0.0.1", 8124, local)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://a.test/x", ("a.test", 80)),
        ("https://a.test", ("a.test", 443)),
        ("http://a.test:8080/", ("a.test", 8080)),
        ("http://[::1]:80/", ("::1", 80)),
        ("file:///etc/passwd", ("", 0)),
        ("gopher://a.test", ("", 0)),
        ("http://a.test:x/", ("", 0)),
    ],
)
def test_host_and_port(url, place):
    assert host_and_port(url) == place


class Reactor:
    def __init__(self):
        self.dialled = []

    def connectTCP(self, host, port, factory, timeout=30):  # noqa: N802
        self.dialled.append((host, port))


def test_the_reactor_dials_nothing_forbidden_and_is_itself_again_afterwards():
    reactor = Reactor()
    with guarded(reactor, {("127.0.0.1", 8123)}):
        reactor.connectTCP("127.0.0.1", 8123, None)
        reactor.connectTCP("8.8.8.8", 80, None, timeout=3)
        for host, port in [("127.0.0.1", 80), ("169.254.169.254", 80), ("8.8.8.8", 22)]:
            with pytest.raises(ForbiddenAddressError):
                reactor.connectTCP(host, port, None)
    assert reactor.dialled == [("127.0.0.1", 8123), ("8.8.8.8", 80)]
    reactor.connectTCP("10.0.0.1", 80, None)
    assert len(reactor.dialled) == 3


class Answers:
    def __init__(self):
        self.addresses = []

    def resolutionBegan(self, resolution):  # noqa: N802
        pass

    def addressResolved(self, address):  # noqa: N802
        self.addresses.append(address)

    def resolutionComplete(self):  # noqa: N802
        self.addresses.append("end")


class Names:
    """Answers every question with the same addresses."""

    def __init__(self, *hosts):
        self.hosts = hosts

    def resolveHostName(self, receiver, name, port, *_):  # noqa: N802
        receiver.resolutionBegan(self)
        for host in self.hosts:
            kind = IPv6Address if ":" in host else IPv4Address
            receiver.addressResolved(kind("TCP", host, port))
        receiver.resolutionComplete()


@pytest.mark.fault("S03")
def test_a_strangers_name_cannot_be_pointed_at_a_declared_local_address():
    """A DNS answer of 127.0.0.1 for a public name, where a source of one's own is at 127.0.0.1:80."""
    local_names, local_addresses = {("my.test", 80)}, {("127.0.0.1", 80)}
    checked = CheckedNames(Names("127.0.0.1", "::1", "93.184.216.34"), local_names)
    for name, port, dialled_at in [
        ("my.test", 80, ["127.0.0.1", "93.184.216.34"]),
        ("paper.example", 80, ["93.184.216.34"]),
        ("my.test", 443, ["93.184.216.34"]),
        ("127.0.0.1", 80, ["93.184.216.34"]),
    ]:
        answers = Answers()
        checked.resolveHostName(answers, name, port)
        *addresses, end = answers.addresses
        reactor = Reactor()
        with guarded(reactor, local_addresses):
            for address in addresses:
                with contextlib.suppress(ForbiddenAddressError):
                    reactor.connectTCP(address.host, address.port, None)
        assert ([host for host, _ in reactor.dialled], end) == (dialled_at, "end"), (name, port)
