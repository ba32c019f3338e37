"""Parcels, a worker that sends them, and `copydesk write` as a process."""

import json
import os
import subprocess
import sys
from datetime import timedelta

from pipelines.parcels import Parcel, pack, version
from pipelines.records import Fetch, Hint, Traits
from pipelines.store import Corpus
from tests.desk import ROOT
from tests.helpers import NOW
from tests.storing import make_article, make_page


def parcel_of(number, *, hour=0, text=""):
    url, time = f"https://paper.example/{number}", NOW + timedelta(hours=hour)
    article = make_article(
        url,
        text or f"Report {number} tells of test {number} and nothing else at all.",
        fetched=time,
        removed=("Share",),
    )
    page = make_page(
        url,
        b"<p>" + str(number).encode() * 500,
        time,
        source="alpha",
        traits=Traits(publisher="A"),
        hint=Hint(title="T", published=time),
    )
    fetch = Fetch(url=url, source="alpha", kind="page", time=time, status=200, bytes=9, etag='"x"')
    return Parcel(page=page, fetch=fetch, article=article, learned=(2**62, 5))


def send(server, *parcels):
    link = server.link()
    link.greet(version(), "worker")
    for parcel in parcels:
        assert link.send(parcel if isinstance(parcel, bytes) else pack(parcel), version())
    return link


class Desktop:
    """`copydesk write` as a process."""

    def __init__(self, folder, server):
        self.database, self.server = folder / "corpus.db", server

    def start(self, *words, env=None):
        command = [
            sys.executable,
            "-m",
            "crawler",
            "write",
            "--from",
            self.server.url,
            "--db",
            str(self.database),
            *words,
        ]
        return subprocess.Popen(
            command,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
        )

    def drain(self):
        process = self.start("--drain", "--json")
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        return process.returncode, json.loads(out) if out else {}, err

    def kept(self):
        with Corpus.open(self.database, read_only=True) as corpus:
            urls = [row["url"] for row in corpus._rows("SELECT url FROM articles ORDER BY url")]
            fetches = corpus._value("SELECT count(*) FROM fetches")
            return urls, fetches, corpus.check()
