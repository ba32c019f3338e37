"""Hosts on loopback with lists of pages, and workers that crawl them over a Redis, to be killed in all ways."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

WORKER = Path(__file__).with_name("frontier_worker.py")


class Hosts:
    """So many hosts (127.0.0.1, 127.0.0.2, …) on one port; `lists` lists of `pages` pages each, spread over them."""

    def __init__(self, hosts=5, lists=4, pages=50, delay_s=0.05, list_delay_s=0.0):
        self.delay_s, self.list_delay_s = delay_s, list_delay_s
        self.arrived = []  # paths, as they are asked for
        self.asked = []  # (host, path, when it began, when it ended)
        self.servers = []
        for number in range(1, hosts + 1):
            port = self.servers[0].server_address[1] if self.servers else 0
            server = ThreadingHTTPServer((f"127.0.0.{number}", port), self._handler())
            server.daemon_threads = True
            server.handle_error = lambda *_: None  # who is killed hangs up
            self.servers.append(server)
        port = self.servers[0].server_address[1]
        self.bases = [f"http://127.0.0.{number}:{port}" for number in range(1, hosts + 1)]
        self.lists = [f"{self.bases[number % hosts]}/list/{number}" for number in range(lists)]
        self.of_list = {
            f"/list/{number}": [f"{self.bases[(number + page) % hosts]}/page/{number}-{page}" for page in range(pages)]
            for number in range(lists)
        }
        self.pages = {url for urls in self.of_list.values() for url in urls}

    def __enter__(self):
        for server in self.servers:
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def _handler(site):  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                began = time.monotonic()
                site.arrived.append(self.path)
                links = site.of_list.get(self.path)
                time.sleep(site.delay_s if links is None else site.list_delay_s)
                body = "".join(f"<a href='{url}'>x</a>" for url in links or ()).encode() or b"<p>A page.</p>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                site.asked.append((self.headers["Host"], self.path, began, time.monotonic()))

            def log_message(self, *_):
                pass

        return Handler

    def gaps(self):
        """Of each host the seconds from the end of a request to the beginning of the next, the smallest first."""
        times = defaultdict(list)
        for host, _, began, ended in self.asked:
            times[host].append((began, ended))
        return {
            host: sorted(after[0] - before[1] for before, after in pairwise(spans))
            for host, spans in ((host, sorted(spans)) for host, spans in times.items())
        }


class Crew:
    """Workers by name, and the items they made together."""

    def __init__(self, kind, redis, hosts, folder, **environment):
        self.kind, self.redis, self.hosts = kind, redis, hosts
        self.file = folder / "items.txt"
        self.file.touch()
        self.environment = {f"WORKER_{name.upper()}": str(value) for name, value in environment.items()}
        self.workers = {}
        self.told = []

    def start(self, name, **environment):
        own = {f"WORKER_{key.upper()}": str(value) for key, value in environment.items()}
        command = [sys.executable, str(WORKER), self.kind, self.redis.url, str(self.file), *self.hosts.lists]
        self.workers[name] = subprocess.Popen(
            command,
            env={**os.environ, **self.environment, **own},
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def send(self, name, number):
        self.workers[name].send_signal(number)
        if number == signal.SIGKILL:
            self.workers.pop(name).communicate()

    def until(self, what, seconds=60.0):
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, "it never came to that"
            time.sleep(0.02)

    def until_items(self, count):
        self.until(lambda: len(self.items) >= count)

    @property
    def items(self):
        return self.file.read_text("utf-8").split()

    def finish(self, seconds=90.0):
        """Wait for all workers; return the pages that are lost, and how many came more than once."""
        end = time.monotonic() + seconds
        for worker in self.workers.values():
            _, said = worker.communicate(timeout=max(1.0, end - time.monotonic()))
            self.told += said.splitlines()
        counts = Counter(self.items)
        return self.hosts.pages - set(counts), sum(count - 1 for count in counts.values())

    def end(self):
        for worker in self.workers.values():
            worker.send_signal(signal.SIGCONT)
            worker.kill()
            worker.communicate()
