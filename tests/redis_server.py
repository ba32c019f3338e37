"""A real redis-server on loopback, for the tests of what needs one: started, stopped, killed and started again."""

import importlib.util
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROGRAM = shutil.which("redis-server")
LIBRARIES = all(importlib.util.find_spec(name) for name in ("redis", "scrapy_redis"))
REASON = "needs redis-server and copydesk[cluster]: `make test-cluster` installs both"
needs_redis = pytest.mark.skipif(not (PROGRAM and LIBRARIES), reason=REASON)


class RedisServer:
    """`with RedisServer(folder) as server: server.url`; its log of writes is on disk, as DESIGN.md wants it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = None
        self.clients = []

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        for client in self.clients:
            client.close()

    def start(self):
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder), "--save", ""]
        options += ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"]
        self.process = subprocess.Popen([PROGRAM, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                if self.client().ping():
                    return
            except OSError:
                pass
            except Exception as error:  # redis' own, whose module may be missing where this is imported
                if "Loading" not in type(error).__name__ and "Connection" not in type(error).__name__:
                    raise
            time.sleep(0.05)
        raise RuntimeError("redis-server does not answer")

    def client(self):
        import redis

        if not self.clients:
            self.clients.append(redis.Redis(port=self.port, protocol=2))
        return self.clients[0]

    def link(self):
        from pipelines.stream import Link

        link = Link(self.url)
        self.clients.append(link.client)
        return link

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None
