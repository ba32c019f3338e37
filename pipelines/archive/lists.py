"""Which files of an archive are meant: web archives, folders of them, and lists of paths as Common Crawl publishes them.

A list names its files from the top of the bucket (`crawl-data/CC-NEWS/2026/11/….warc.gz`) and lies among them, so a line
is looked for from the list's own folder upwards, then by its name beside the list. Nothing is fetched.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pipelines.errors import InputError
from pipelines.inputs import kind_of_name

LIST_ENDS = (".paths", ".paths.gz")
MOST_LIST_BYTES = 50_000_000  # all of CC-NEWS has 55,000 files, some 5 MB of paths
EXPECTED = "web archives (*.warc, *.warc.gz), folders of them, or lists of their paths (*.paths, *.paths.gz)"


def is_list(path: Path) -> bool:
    return path.name.lower().endswith(LIST_ENDS)


def archives(paths: Iterable[Path]) -> Iterator[Path | InputError]:
    """Give every web archive once, sorted; what is none, or is not there, as an error."""
    found: dict[Path, None] = {}
    for path in paths:
        for one in files_of(path):
            if isinstance(one, InputError):
                yield one
            else:
                found[one.resolve()] = None
    yield from sorted(found)


def files_of(path: Path) -> Iterator[Path | InputError]:
    if path.is_dir():
        inner: list[Path | InputError] = [
            file for file in path.rglob("*") if file.is_file() and kind_of_name(file) == "warc"
        ]
        yield from inner or [InputError(str(path), "no web archive in this folder", "files named *.warc, *.warc.gz")]
    elif not path.is_file():
        yield InputError(str(path), "no such file or folder", EXPECTED)
    elif is_list(path):
        yield from listed(path)
    elif kind_of_name(path) == "warc":
        yield path
    else:
        yield InputError(str(path), "no web archive", EXPECTED, "leave out --engine to read it")


def listed(path: Path) -> Iterator[Path | InputError]:
    """The files a list names."""
    try:
        lines = lines_of(path)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        yield InputError(str(path), f"cannot be read ({' '.join(str(error).split())[:120]})", "a path a line")
        return
    if not lines:
        yield InputError(str(path), "an empty list", "a path a line")
    for number, line in enumerate(lines, 1):
        found = beside(path, line) if line.strip() else None
        if found:
            yield found
        elif line.strip():
            yield InputError(
                f"{path}:{number}",
                f"{line.strip()[:120]} is not here",
                "a file in a folder above the list, or beside it",
            )


def lines_of(path: Path) -> list[str]:
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as stream:
        packed = stream.read(MOST_LIST_BYTES + 1)
    if len(packed) > MOST_LIST_BYTES:
        raise OSError(f"more than {MOST_LIST_BYTES} bytes")
    return packed.decode("utf-8").splitlines()


def beside(path: Path, line: str) -> Path | None:
    """Where the file of a line is; None when it is nowhere, and for a line that points out of these folders."""
    wanted = PurePosixPath(line.strip())
    if wanted.is_absolute() or ".." in wanted.parts or kind_of_name(Path(wanted.name)) != "warc":
        return None
    places = [folder / wanted for folder in path.resolve().parents] + [path.resolve().parent / wanted.name]
    return next((place for place in places if place.is_file()), None)
