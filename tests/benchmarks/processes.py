"""Runs a command and tells what it cost with every process it started, also those that outlive it for a moment.

    python -m tests.benchmarks.processes result.json command argument…

Why a process of its own: it becomes the foster parent of all orphans (Linux), so a server that forks workers is waited for, too, and the
kernel's own count of CPU for waited children is exact. Memory is looked at twice a second.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PR_SET_CHILD_SUBREAPER = 36
LOOK_S = 0.5  # between two looks at the memory: each takes a process a millisecond, in which it may not ask for more
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command and all its descendants took."""

    cpu_s: float
    wall_s: float
    peak_rss_mb: float  # the sum over all processes at its highest: pages that forked processes share count for each
    peak_pss_mb: float  # the same, shared pages shared out
    exit_code: int
    out: str = ""
    complaint: str = ""


def descendants(root: int) -> list[int]:
    """The processes below this one."""
    children = defaultdict(list)
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended
            stat = (folder / "stat").read_text("utf-8")
            children[int(stat.rpartition(")")[2].split()[1])].append(int(folder.name))
    found, waiting = [], [root]
    while waiting:
        below = children[waiting.pop()]
        found += below
        waiting += below
    return found


def memory(process: int) -> tuple[float, float]:
    """RSS and PSS of a process in MB; nothing when it ended."""
    try:
        rss = int(Path(f"/proc/{process}/statm").read_text("utf-8").split()[1]) * PAGE_BYTES / 1e6
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text("utf-8").splitlines()
        pss = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1e3
    except (OSError, StopIteration, IndexError):
        return 0.0, 0.0
    return rss, pss


class Looker:
    """A thread that remembers the highest sums."""

    def __init__(self) -> None:
        self.rss = self.pss = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_S):
            seen = [memory(process) for process in descendants(os.getpid())]
            self.rss = max(self.rss, sum(rss for rss, _ in seen))
            self.pss = max(self.pss, sum(pss for _, pss in seen))

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()


def foster_orphans() -> None:
    """Descendants whose parent ends become children of this process."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def watched(command: Sequence[str]) -> Cost:
    """Run the command here; this process must have had no child before."""
    foster_orphans()
    looker, began = Looker(), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False)
    wall = time.monotonic() - began
    with contextlib.suppress(ChildProcessError):  # nobody is left
        while True:
            os.waitpid(-1, 0)
    looker.stop()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(used.ru_utime + used.ru_stime, wall, looker.rss, looker.pss, done.returncode, done.stdout, done.stderr)


def cost_of(command: Sequence[str], folder: Path, **environment: str) -> Cost:
    """Run the command in a process that fosters its orphans."""
    result = folder / "cost.json"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    path = os.pathsep.join([str(ROOT), kept.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.processes", str(result), *command],
        cwd=folder,
        env={**kept, "PYTHONPATH": path, **environment},
        check=True,
    )
    return Cost(**json.loads(result.read_text("utf-8")))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(asdict(watched(sys.argv[2:]))), "utf-8")
