"""What is lost when workers or Redis are killed: our frontier beside stock scrapy-redis; politeness; growth.

    python -m tests.benchmarks.frontier              # the loss table: 1,000 pages behind 10 lists on 20 hosts
    python -m tests.benchmarks.frontier --polite     # gaps between two requests to a host, with one and two workers
    python -m tests.benchmarks.frontier --growth     # pages a second with one and two workers

Needs redis-server and copydesk[cluster]; all on loopback.
"""

import argparse
import signal
import tempfile
import time
from pathlib import Path

from tests.frontier_site import Crew, Hosts
from tests.redis_server import RedisServer

LEASE_S = 6
KILL_AT = 400


def nobody(crew, _redis):
    crew.start("two")


def killed(crew, _redis):
    crew.start("two")
    crew.until_items(KILL_AT)
    crew.send("two", signal.SIGKILL)
    crew.start("two")


def killed_for_good(crew, _redis):
    crew.start("two")
    crew.until_items(KILL_AT)
    crew.send("two", signal.SIGKILL)


def terminated(crew, _redis):
    crew.start("two")
    crew.until_items(KILL_AT)
    crew.send("two", signal.SIGTERM)


def stopped(crew, _redis):
    crew.start("two")
    crew.until_items(KILL_AT)
    crew.send("two", signal.SIGSTOP)
    time.sleep(LEASE_S + 2)
    crew.send("two", signal.SIGCONT)


def lists_in_hand(crew, _redis):
    crew.until(lambda: len(crew.hosts.arrived) >= 10)
    crew.send("one", signal.SIGKILL)
    crew.start("one")


def redis_away(crew, redis):
    crew.start("two")
    crew.until_items(KILL_AT)
    redis.kill()
    time.sleep(3)
    redis.start()


def redis_away_at_the_lists(crew, redis):
    crew.until(lambda: len(crew.hosts.arrived) >= 10)
    redis.kill()
    time.sleep(3)
    redis.start()


SCENES = {
    "nobody is killed": nobody,
    "a worker is killed and comes back": killed,
    "a worker is killed and stays away": killed_for_good,
    "a worker gets TERM": terminated,
    "a worker is stopped longer than its lease": stopped,
    "the only worker is killed, lists in hand": lists_in_hand,
    "Redis is killed, back after 3 s": redis_away,
    "the same, lists in hand": redis_away_at_the_lists,
}


def played(kind, scene, **sizes):
    """Pages lost, pages that came twice, seconds."""
    slow_lists = 2.0 if scene in (lists_in_hand, redis_away_at_the_lists) else 0.0
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer(Path(folder) / "redis") as redis,
        Hosts(hosts=20, lists=10, list_delay_s=slow_lists, **sizes) as hosts,
    ):
        crew = Crew(kind, redis, hosts, Path(folder), lease_s=LEASE_S)
        crew.start("one")
        try:
            scene(crew, redis)
            lost, twice = crew.finish(150)
        finally:
            crew.end()
    return len(lost), twice, time.monotonic() - began


def losses(pages):
    print(f"{10 * pages} pages behind 10 lists on 20 hosts, two workers of 16 requests each\n")
    print(f"{'':45}{'stock: lost / twice':>22}{'ours: lost / twice':>22}")
    for name, scene in SCENES.items():
        cells = []
        for kind in ("stock", "ours"):
            try:
                lost, twice, _ = played(kind, scene, pages=pages)
                cells.append(f"{lost} / {twice}")
            except Exception as error:  # noqa: BLE001 - stock workers may hang: that is a result
                cells.append(type(error).__name__)
        print(f"{name:45}{cells[0]:>22}{cells[1]:>22}", flush=True)


def crawled(kind, count, hosts, **environment):
    """The hosts after so many workers have crawled them."""
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder) / "redis") as redis, hosts:
        crew = Crew(kind, redis, hosts, Path(folder), **environment)
        for name in range(count):
            crew.start(name)
        crew.finish()
    return hosts


def politeness():
    print("half a second between two requests to a host, three hosts, 30 pages\n")
    print(f"{'':10}{'workers':>8}{'requests a second and host':>30}{'smallest gap':>16}")
    for kind in ("stock", "ours"):
        for count in (1, 2):
            hosts = crawled(kind, count, Hosts(hosts=3, lists=1, pages=30, delay_s=0.01), delay_s=0.5)
            spans = {}
            for host, _, began, ended in hosts.asked:
                first, last, number = spans.get(host, (began, ended, 0))
                spans[host] = min(first, began), max(last, ended), number + 1
            rates = [(number - 1) / (last - first) for first, last, number in spans.values()]
            smallest = min(gaps[0] for gaps in hosts.gaps().values())
            print(f"{kind:10}{count:>8}{sum(rates) / len(rates):>30.2f}{smallest:>14.2f} s", flush=True)


def growth():
    print("500 pages of half a second each on 60 hosts: pages a second\n")
    for kind in ("stock", "ours"):
        for count in (1, 2):
            hosts = crawled(kind, count, Hosts(hosts=60, lists=10, pages=50, delay_s=0.5))
            began, ended = min(row[2] for row in hosts.asked), max(row[3] for row in hosts.asked)
            print(f"{kind:10}{count:>8} {len(hosts.pages) / (ended - began):>8.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100, help="behind each of ten lists")
    parser.add_argument("--polite", action="store_true")
    parser.add_argument("--growth", action="store_true")
    given = parser.parse_args()
    if given.polite:
        politeness()
    elif given.growth:
        growth()
    else:
        losses(given.pages)


if __name__ == "__main__":
    main()
