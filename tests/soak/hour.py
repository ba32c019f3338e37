"""One hourly run at a simulated time, in a process of its own, as cron would start it.

`python -m tests.soak.hour 2026-03-02T00:00:00+00:00` crawls what the environment names and prints how it went as JSON.
"""

import json
import sys
from datetime import datetime
from pathlib import Path


def main():
    from crawler.run import crawl
    from crawler.sources import load_sources
    from pipelines.config import load

    config = load()
    report = crawl(config, load_sources(config), now=datetime.fromisoformat(sys.argv[1]))
    status = Path("/proc/self/status")  # not getrusage: its peak begins with that of the process that started us
    lines = status.read_text("ascii").splitlines() if status.exists() else ["VmHWM: 0 kB"]
    kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    print(json.dumps(report.as_plain() | {"megabytes": kib / 1024}))
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main())
