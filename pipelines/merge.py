"""Several corpora into one: what `copydesk merge` does.

N crawlers with a shard of the sources and a corpus each are the first step beyond one machine, and need no server. Here
their corpora come together; copies across them are found as if one crawler had read everything in order of publication,
and stories are grouped again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.config import Config
from pipelines.dedup.stories import group
from pipelines.errors import ConfigError
from pipelines.flow import MAX_REGROUPED, recluster
from pipelines.lock import run_lock
from pipelines.store import Corpus

BEGINNING = datetime.min.replace(tzinfo=UTC)  # stories of all times are grouped again


def merge(
    config: Config, paths: Sequence[Path], now: datetime, tell: Callable[[int], None] = lambda _: None
) -> dict[str, int]:
    """Pour the corpora at `paths` into the one of the settings; return what came of it.

    Each corpus comes in whole or not at all, and once in, pouring it again changes nothing. They are read in an order
    of their own, so that even numbers do not depend on how they were named. Keys: corpora, articles (new ones), joined
    (addresses both had), fetches, rejections, then what `recluster` counts, and stories.
    """
    target = config.database_path
    chosen = {path.resolve(): path for path in paths}
    if target.resolve() in chosen:
        raise ConfigError(
            str(target), "that is the corpus they are poured into", "other corpora", "name another with --db"
        )
    done = {"corpora": len(chosen), "articles": 0, "joined": 0, "fetches": 0, "rejections": 0}
    with run_lock(target):
        ordered = sorted(
            chosen.values(), key=content_key
        )  # opens each: one that cannot be used is told before anything is written
        with Corpus.open(target, config, create=True) as corpus:
            for path in ordered:
                taken = corpus.take_in(path)
                done |= {name: done[name] + count for name, count in taken.items()}
            placed = recluster(corpus, tell)
            with corpus.transaction():
                stories = regroup_all(corpus, now)
    return done | {"total": placed.pop("articles")} | placed | {"stories": stories}


def regroup_all(corpus: Corpus, now: datetime) -> int:
    """Group all articles into stories, so many at a time as memory allows, the newest first; return how many there are."""
    count = skip = 0
    while stories := group(corpus.story_items(BEGINNING, MAX_REGROUPED, skip)):
        corpus.assign_stories(stories, now)
        count += len(set(stories.values()))
        skip += MAX_REGROUPED
    return count


def content_key(path: Path) -> tuple[object, ...]:
    with Corpus.open(path, read_only=True) as corpus:
        return corpus.content_key()
