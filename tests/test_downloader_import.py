"""What is imported faster is what would have been imported."""

import inspect
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOOK = """
import inspect
usual = inspect.stack
{first}
from scrapy.core.downloader import contextfactory, tls
assert inspect.stack is usual
print(contextfactory.ScrapyClientContextFactory.__module__, contextfactory.AcceptableProtocolsContextFactory.__module__, tls.ScrapyClientTLSOptions.__module__)
"""


def names(first):
    command = [sys.executable, "-W", "ignore", "-c", LOOK.format(first=first)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_deprecated_names_say_where_they_are_from():
    found = names("from crawler.imports import import_downloader; import_downloader()")
    assert found == names("")
    assert "contextfactory" in found


def test_stacks_are_whole_again_afterwards():
    from crawler.imports import bare_stacks

    with bare_stacks():
        assert inspect.stack()[0][0] is inspect.currentframe()
        assert len(inspect.stack()[0]) == 1
    assert inspect.stack()[0].function == "test_stacks_are_whole_again_afterwards"
