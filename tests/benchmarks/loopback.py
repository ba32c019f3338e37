"""A news internet on loopback: so many hosts, each with a feed and its articles, all of it in memory.

    python -m tests.benchmarks.loopback folder

The folder is what `Material` made. One process, no thread, every answer is made before the first question: some ten thousand pages a
second, so that it is never what is measured. Hosts are 127.0.0.11, .12, …; `/__count` tells how many articles were asked for.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from tests.benchmarks.own_pages import SETS

ROOT = Path(__file__).parents[2]
FIRST_HOST = 11  # of 127.0.0.x
LEAST_BYTES = 2000  # a page with less is an error page that somebody saved
DOMAIN = "newswire-test.com"
DELAY_S = 0.001  # no politeness among our own


@dataclass(frozen=True, slots=True)
class Material:
    """Articles as files in a folder, and which host has which."""

    folder: Path
    hosts: int
    articles: int

    @classmethod
    def made(cls, folder: Path, sets: Sequence[Path], hosts: int, articles: int) -> Material:
        """Write pages of these sets (our own when there are none), again from the first when they do not suffice."""
        folder.mkdir(parents=True)
        bodies = list(pages(sets))
        for number in range(articles):
            (folder / f"{number}.html").write_bytes(bodies[number % len(bodies)])
        (folder / "material.json").write_text(json.dumps({"hosts": hosts, "articles": articles}), "utf-8")
        return cls(folder, hosts, articles)

    @classmethod
    def read(cls, folder: Path) -> Material:
        return cls(folder, **json.loads((folder / "material.json").read_text("utf-8")))

    @property
    def paths(self) -> list[Path]:
        return [self.folder / f"{number}.html" for number in range(self.articles)]

    @property
    def names(self) -> list[str]:
        """What the hosts are called by those who come as to a proxy."""
        return [f"n{number}.{DOMAIN}" for number in range(self.hosts)]

    def host_of(self, number: int) -> str:
        return f"127.0.0.{FIRST_HOST + number % self.hosts}"

    def bases(self, port: int) -> list[str]:
        return [f"http://127.0.0.{FIRST_HOST + number}:{port}" for number in range(self.hosts)]

    def url_of(self, number: int, port: int) -> str:
        return f"http://{self.host_of(number)}:{port}/story/{number}.html"

    def sources(self, port: int) -> str:
        """The source list of these hosts."""
        return "\n".join(
            f'[host-{number}]\nname = "Host {number}"\nkind = "feed"\nurl = "{base}/feed.xml"\nlocal = true\n'
            f"delay_s = {DELAY_S}\nmax_items_first_run = {self.articles}\n"
            for number, base in enumerate(self.bases(port))
        )


def pages(sets: Sequence[Path]) -> Iterator[bytes]:
    """Each page once."""
    seen = set()
    rows = (row["html"] for make in SETS.values() for row in make()) if not sets else saved(sets)
    for markup in rows:
        body = markup.encode("utf-8", "replace")
        if body not in seen and len(body) >= LEAST_BYTES:
            seen.add(body)
            yield body


def saved(sets: Sequence[Path]) -> Iterator[str]:
    for path in sets:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from (json.loads(line)["html"] for line in lines)


def feed(material: Material, host: int, base: str) -> bytes:
    """The host's articles, the newest first."""
    now = datetime.now(UTC)
    items = "".join(
        f"<item><title>Story {number}</title><link>{base}/story/{number}.html</link>"
        f"<pubDate>{format_datetime(now - timedelta(minutes=number))}</pubDate></item>\n"
        for number in range(host, material.articles, material.hosts)
    )
    head = f"<title>Host {host}</title><link>{base}/</link><description>.</description>"
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def answer(kind: str, body: bytes, *, is_packed: bool = True) -> bytes:
    """A whole answer, compressed as servers send it; not the home page, which some ask for without saying that they can unpack."""
    sent = gzip.compress(body, 6, mtime=0) if is_packed else body
    coding = "Content-Encoding: gzip\r\n" if is_packed else ""
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{coding}Content-Length: {len(sent)}\r\n\r\n".encode() + sent


class Connection(asyncio.Protocol):
    """Answers what is asked on one connection."""

    def __init__(self, answers: dict[tuple[str, str], bytes], asked: Counter[str]) -> None:
        self.answers, self.asked, self.buffer = answers, asked, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.host = transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            path = self.buffer.split(b" ", 2)[1].decode("latin-1")
            self.buffer = self.buffer[end + 4 :]
            host = self.host
            if path.startswith("http://"):  # as to a proxy, by the names of those who take no port
                host, _, path = path.removeprefix("http://").partition("/")
                path = f"/{path}"
            self.asked[path.split("/")[1]] += 1
            if path == "/__count":
                self.transport.write(answer("text/plain", str(self.asked["story"]).encode()))
            else:
                missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                self.transport.write(self.answers.get((host, path), missing))


def fill(answers: dict[tuple[str, str], bytes], material: Material, port: int) -> None:
    """Make every answer there will be."""
    for host, (base, name) in enumerate(zip(material.bases(port), material.names, strict=True)):
        address = f"127.0.0.{FIRST_HOST + host}"
        for called, place in ((address, base), (name, f"http://{name}")):
            home = (
                f'<html><head><link rel="alternate" type="application/rss+xml" href="{place}/feed.xml"></head></html>'
            )
            answers[called, "/"] = answer("text/html", home.encode(), is_packed=False)
            answers[called, "/feed.xml"] = answer("application/rss+xml", feed(material, host, place))
            answers[called, "/robots.txt"] = answer("text/plain", b"User-agent: *\nAllow: /\n")
        for number in range(host, material.articles, material.hosts):
            page = answer("text/html; charset=utf-8", (material.folder / f"{number}.html").read_bytes())
            answers[address, f"/story/{number}.html"] = answers[name, f"/story/{number}.html"] = page


async def serve(material: Material) -> None:
    """Serve until the process is ended; print the port."""
    loop, asked = asyncio.get_running_loop(), Counter[str]()
    answers: dict[tuple[str, str], bytes] = {}
    first = await loop.create_server(lambda: Connection(answers, asked), material.host_of(0), 0, backlog=512)
    port = first.sockets[0].getsockname()[1]
    servers = [first]
    servers += [
        await loop.create_server(lambda: Connection(answers, asked), material.host_of(host), port, backlog=512)
        for host in range(1, material.hosts)
    ]
    fill(answers, material, port)
    print(port, flush=True)
    await asyncio.Event().wait()


@contextmanager
def site(material: Material) -> Iterator[int]:
    """Serve the material from another process; give the port."""
    command = [sys.executable, "-m", "tests.benchmarks.loopback", str(material.folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def asked_for(port: int) -> int:
    """How many articles the site was asked for so far."""
    with urllib.request.urlopen(f"http://127.0.0.{FIRST_HOST}:{port}/__count") as found:
        return int(gzip.decompress(found.read()))


if __name__ == "__main__":
    asyncio.run(serve(Material.read(Path(sys.argv[1]))))
