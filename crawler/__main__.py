"""`python -m crawler`: the same as `copydesk`."""

from crawler.cli import main

if __name__ == "__main__":
    main()
