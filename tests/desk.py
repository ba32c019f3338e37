"""A corpus, a source list and `copydesk crawl` over both, as a subprocess that is watched."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# runs the command line and writes down what no report tells: memory at its highest, open ports, names and addresses asked
WATCH = """
import atexit, json, os, runpy, sys
seen = {"listening": [], "names": [], "dialled": []}
def doors():
    open_files = {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{fd}")}
    for name in ("tcp", "tcp6"):
        for line in open(f"/proc/net/{name}").read().splitlines()[1:]:
            parts = line.split()
            if parts[3] == "0A" and f"socket:[{parts[9]}]" in open_files: seen["listening"].append(parts[1])
def hear(event, arguments):
    if event == "socket.connect" and len(seen["dialled"]) % 10 == 5 and os.path.exists("/proc/net/tcp"): doors()
    if event in ("socket.getaddrinfo", "socket.gethostbyname"): seen["names"].append(str(arguments[0]))
    elif event == "socket.connect" and isinstance(arguments[1], tuple): seen["dialled"].append(list(arguments[1][:2]))
def write():
    # not getrusage: its peak begins with that of the process that started us
    kib = int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
    with open(os.environ["WATCH_FILE"], "w") as file: json.dump(seen | {"megabytes": kib / 1024}, file)
sys.addaudithook(hear)
atexit.register(write)
sys.argv = ["copydesk", "crawl", *sys.argv[1:]]
if __name__ == "__main__": runpy.run_module("crawler", run_name="__main__")
"""


class Desk:
    """A corpus, a source list, and `copydesk crawl` over both."""

    def __init__(self, folder):
        self.folder = folder
        self.database = folder / "corpus.db"
        self.tables = []

    def source(self, name, url, **values):
        values = {"name": name.title(), "url": url, "kind": "feed", "local": True, "delay_s": 0.01, **values}
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        self.tables.append(f"[{name}]\n" + "\n".join(lines))
        (self.folder / "sources.toml").write_text("\n\n".join(self.tables) + "\n", "utf-8")

    @property
    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
        given = {
            "COPYDESK_DATABASE": str(self.database),
            "COPYDESK_SHIPPED_SOURCES": "false",
            "COPYDESK_CRAWL__WORKERS": "1",
        }
        return {**kept, **given, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}

    def start(self, *arguments, **environment):
        limit = int(environment.pop("WATCH_FILE_LIMIT", 0))  # bytes a file may have: a disk that is full
        command = [sys.executable, "-m", "crawler", "crawl", *arguments]
        if limit:
            small = f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}));"
            small += "sys.argv = ['copydesk', *sys.argv[1:]]; runpy.run_module('crawler', run_name='__main__')"
            command = [sys.executable, "-c", small, "crawl", *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def crawl(self, *arguments, **environment):
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def watched(self, *arguments, **environment):
        """A crawl, and what was seen of its process: megabytes, listening, names, dialled."""
        script, file = self.folder / "watch.py", self.folder / "watched.json"
        script.write_text(WATCH, "utf-8")
        process = subprocess.run(
            [sys.executable, str(script), *arguments],
            cwd=self.folder,
            env={**self.environment, "WATCH_FILE": str(file), **environment},
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in process.stderr, process.stderr
        return process, json.loads(file.read_text("utf-8"))

    def change(self, sql, *values):
        """Write to the corpus, as time would."""
        with sqlite3.connect(self.database) as connection:
            connection.execute(sql, values)
        connection.close()

    def rejected(self, source=None):
        """The last part of each rejected address, with the reason."""
        rows = self.rows("select url, reason from rejections where ?1 is null or source = ?1 order by id", source)
        return {row["url"].rpartition("/")[2]: row["reason"] for row in rows}

    def kept(self, source=None):
        """The last part of each kept address."""
        rows = self.rows("select url from articles where ?1 is null or source = ?1", source)
        return {row["url"].rpartition("/")[2] for row in rows}

    def rows(self, sql, *values):
        connection = sqlite3.connect(self.database)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql, values)]
        finally:
            connection.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
