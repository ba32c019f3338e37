"""Articles as a folder that data tools load as it is: shards below data/, and a card that names columns and types.

`datasets.load_dataset("folder")` (Hugging Face), pandas, DuckDB and Spark read it. The types stand in the card, because a
reader that guesses them from the first lines takes a column that is empty there for one of nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.export.delivered import ENDING, Delivered, Receipt, Seen, key_of, version_of
from pipelines.export.files import make_folder, size_of, whole_file
from pipelines.export.lines import as_json_line, yaml_value
from pipelines.export.parquet import TYPES, write_parquet
from pipelines.report import plural

Row = Mapping[str, Any]

SHARD_ARTICLES = 10_000  # some 60 MB as JSON; what an interrupted export loses at most
CARD = "README.md"
MARK = "<!-- written by copydesk export; delete this line to keep a card of your own -->"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_SHARD = re.compile(r"articles-(\d{5,})\.(?:jsonl|parquet)")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
TIME = "timestamp[us, tz=UTC]"
CARD_TYPES = {"jsonl": {"time": TIME, "bool": "int64"}, "parquet": {"time": TIME}}
COLUMN_WORDS = {
    "id": "number of the article in its corpus",
    "url": "its address in normal form: what makes two rows one article",
    "final_url": "where redirects ended",
    "source": "id of the source it came by",
    "publisher": "who published it",
    "title": "headline",
    "byline": "authors as named on the page",
    "published": "when it was published (UTC), if known",
    "published_origin": "where that is said: feed, json-ld, meta, visible, url",
    "fetched": "when it was first fetched (UTC)",
    "updated": "when a changed text was seen (UTC)",
    "language": "ISO 639-1",
    "words": "number of words",
    "text": "the article and nothing else of its page, paragraphs parted by a blank line",
    "text_hash": "digest of the normalised text",
    "relevance": "score for the topic of the corpus",
    "canonical": "true for the one article that stands for its cluster of copies",
    "cluster": "id of that article",
    "story": "articles with the same number tell of the same event",
    "verdict": "relevant, borderline or off_topic",
    "canonical_url": "the address the page claims for itself",
}

CARD_TEXT = """---
pretty_name: copydesk corpus
license: other
{languages}task_categories:
- text-generation
- text-classification
tags:
- news
- ai-safety
size_categories:
- {size}
configs:
- config_name: default
  data_files: data/*.{kind}
dataset_info:
  features:
{features}
---

{mark}

# News articles, each once

{count}, {first} to {last}: {spoken}.
Collected, cleaned and freed of copies by copydesk.

The texts belong to their publishers; what you may do with them is between you and them.

```python
from datasets import load_dataset

articles = load_dataset("path/to/this/folder", split="train")
```

An article that changed after it was exported comes again in a later shard: of the rows with the same `url` the last one counts.

| column | what it is |
|---|---|
{columns}

What was exported when is kept in `{memory}`; it may be deleted, then the next `--since last` begins anew.
"""


@dataclass(frozen=True, slots=True)
class Shards:
    """The folder data/ of a dataset."""

    folder: Path
    kind: str  # jsonl or parquet

    def present(self) -> dict[str, int]:
        """Names and numbers of the shards that are there, of either kind."""
        found = ((path.name, _SHARD.fullmatch(path.name)) for path in self.folder.iterdir())
        return {name: int(match[1]) for name, match in found if match}

    def name(self, number: int) -> str:
        return f"articles-{number:05}.{self.kind}"

    def remove_all_but(self, names: Iterable[str]) -> None:
        for name in set(self.present()) - set(names):
            (self.folder / name).unlink()


def write_dataset(rows: Iterable[Row], out: Path, kind: str, *, is_since_last: bool) -> int:
    """Write shards and the card; with `is_since_last` only what is not there yet, into further shards. Return how many."""
    shards = Shards(out / "data", kind)
    make_folder(shards.folder)
    delivered = Delivered(out, kind)
    if is_since_last:
        # the rest is of an export that was killed; its articles come again
        shards.remove_all_but(Path(name).name for name in delivered.names)
    else:
        delivered.forget()
    first = max(shards.present().values(), default=-1) + 1 if is_since_last else 0
    count = 0
    written: list[str] = []
    fresh = delivered.news(rows)
    for number, part in enumerate(in_parts(fresh), first):
        name = shards.name(number)
        count += write_shard(part, shards.folder / name, kind, delivered)
        written.append(name)
    if not is_since_last:
        shards.remove_all_but(written)
    write_card(out, kind, delivered.seen)
    return count


def in_parts(rows: Iterator[Row]) -> Iterator[Iterator[Row]]:
    """The rows a shard at a time, none empty; each part must be used up before the next."""
    for first in rows:
        yield chain([first], islice(rows, SHARD_ARTICLES - 1))


def write_shard(rows: Iterable[Row], path: Path, kind: str, delivered: Delivered) -> int:
    entries: list[tuple[str, str]] = []

    def noted() -> Iterator[Row]:
        for row in rows:
            entries.append((key_of(row), version_of(row)))
            yield row

    with whole_file(path) as file:
        count = write_parquet(noted(), file) if kind == "parquet" else write_lines(noted(), file)
        file.flush()
        name, size = f"{path.parent.name}/{path.name}", file.tell()
        delivered.note((key, Receipt(version, size, name)) for key, version in entries)
    return count


def write_lines(rows: Iterable[Row], file: BinaryIO) -> int:
    count = 0
    for row in rows:
        count += 1
        file.write(as_json_line({name: row.get(name) for name in TYPES}).encode("utf-8", "replace"))
    return count


def write_card(out: Path, kind: str, seen: Seen) -> None:
    """Write README.md, unless somebody has made it their own."""
    path = out / CARD
    if size_of(path) and MARK not in path.read_text("utf-8", "replace"):
        return
    with whole_file(path) as file:
        file.write(card(kind, seen).encode("utf-8", "replace"))


def card(kind: str, seen: Seen) -> str:
    """The card: what machines read in its front matter, what people read below."""
    languages = "".join(
        f"- {yaml_value(language)}\n" for language in sorted(seen.languages) if _LANGUAGE.fullmatch(language)
    )
    spoken = sorted(seen.languages.items(), key=lambda item: (-item[1], item[0]))
    return CARD_TEXT.format(
        languages=f"language:\n{languages}" if languages else "",
        size=next((word for limit, word in SIZES if seen.articles < limit), "n>1M"),
        kind=kind,
        features="\n".join(f"  - name: {name}\n    dtype: {card_type(column, kind)}" for name, column in TYPES.items()),
        mark=MARK,
        count=f"{plural(seen.articles, 'article')} of {plural(len(seen.publishers), 'publisher')}",
        first=seen.earliest[:10] or "no date",
        last=seen.latest[:10] or "no date",
        spoken=", ".join(f"{count:,} in {name or 'no known language'}" for name, count in spoken) or "none",
        columns="\n".join(f"| `{name}` | {COLUMN_WORDS[name]} |" for name in TYPES),
        memory=ENDING,
    )


def card_type(column: str, kind: str) -> str:
    found = CARD_TYPES[kind].get(column, column)
    return yaml_value(found) if "[" in found else found
