"""trafilatura alone, over files, in one process or several: the ruler of the table.

python -m tests.benchmarks.bare PROCESSES folder
"""

import json
import multiprocessing
import sys
from pathlib import Path

import trafilatura

AT_ONCE = 8  # files handed to a process together


def kept(path):
    found = trafilatura.bare_extraction(path.read_bytes(), f"http://127.0.0.11/story/{path.name}", with_metadata=True)
    return bool(found and found.text)


def main(processes, folder):
    paths = sorted(Path(folder).glob("*.html"))
    if processes == 1:
        count = sum(map(kept, paths))
    else:
        with multiprocessing.get_context("fork").Pool(processes) as pool:
            count = sum(pool.imap_unordered(kept, paths, AT_ONCE))
    print(json.dumps({"articles": count}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
