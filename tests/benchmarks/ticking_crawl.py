"""`copydesk crawl` with a ticker in its event loop; nothing else is changed."""

import crawler.run as subject
from crawler.cli import main
from tests.benchmarks import ticking

watch = subject.watch


def watch_and_tick(*arguments):
    watch(*arguments)
    ticking.start()


if __name__ == "__main__":  # worker processes import this module again
    subject.watch = watch_and_tick
    main()
