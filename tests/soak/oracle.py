"""What a corpus holds beside what it must hold."""

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from pipelines.store import Corpus


@dataclass
class Findings:
    """Each list names pages; all must be empty."""

    articles: int = 0  # pages that had to be there
    clusters: int = 0
    lost: list = field(default_factory=list)
    duplicated: list = field(default_factory=list)
    extra: list = field(default_factory=list)
    wrong_text: list = field(default_factory=list)
    wrong_cluster: list = field(default_factory=list)
    wrong_canonical: list = field(default_factory=list)
    damage: list = field(default_factory=list)
    runs: int = 0
    unfinished: int = 0

    @property
    def mistakes(self):
        kinds = ("lost", "duplicated", "extra", "wrong_text", "wrong_cluster", "wrong_canonical", "damage")
        return {kind: found for kind in kinds if (found := getattr(self, kind))}


def compare(database, world, net):
    """Look at every row of the corpus and every page of the world."""
    with Corpus.open(database, read_only=True) as corpus:
        found = Findings(damage=[problem.what for problem in corpus.check()])
    connection = sqlite3.connect(database)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute("select id, url, text, cluster, canonical from articles")]
    shown = [row["url"] for row in connection.execute("select url from corpus")]
    runs = connection.execute("select count(*), sum(finished is null) from runs").fetchone()
    connection.close()
    found.runs, found.unfinished = runs[0], runs[1] or 0
    pieces = {net.base(publisher) + path: piece for (publisher, path), piece in world.by_path.items()}
    check_articles(found, rows, pieces, world)
    check_clusters(found, rows, shown, pieces, world)
    return found


def check_articles(found, rows, pieces, world):
    expected = world.expected()
    found.articles = len(expected)
    seen = Counter(row["url"] for row in rows)
    found.duplicated += [url for url, count in seen.items() if count > 1]
    kept = set()
    for row in rows:
        piece = pieces.get(row["url"])
        if piece is None or piece.never:
            found.extra.append(row["url"])
            continue
        kept.add(piece.number)
        if row["text"] != expected[piece.number]:
            found.wrong_text.append(row["url"])
    found.lost += [world.pieces[number].path for number in expected if number not in kept]


def check_clusters(found, rows, shown, pieces, world):
    """Copies and moved addresses of a text are one cluster; the original stands for it; it is shown once."""
    clusters = defaultdict(set)
    texts = defaultdict(set)
    for row in rows:
        piece = pieces.get(row["url"])
        if piece is not None and not piece.never:
            clusters[row["cluster"]].add(world.cluster_of(piece))
            texts[world.cluster_of(piece)].add(row["cluster"])
            if row["canonical"] and piece.copy_of is not None:
                found.wrong_canonical.append(row["url"])
    found.clusters = len(texts)
    found.wrong_cluster += [f"{key}: {sorted(numbers)}" for key, numbers in clusters.items() if len(numbers) > 1]
    found.wrong_cluster += [f"text {number} in {sorted(keys)}" for number, keys in texts.items() if len(keys) > 1]
    times = Counter(world.cluster_of(pieces[url]) for url in shown if url in pieces)
    found.duplicated += [world.pieces[number].path for number, count in times.items() if count > 1]
