"""`python -m pipelines`: the corpus commands, also where Scrapy is not installed."""

from __future__ import annotations

from pipelines.cli import commands, main

assert commands  # imported for the commands it registers

if __name__ == "__main__":
    main()
