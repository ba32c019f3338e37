"""An article's place among those already known. Pure: the caller has looked up the candidates, the store obeys.

Clusters are not joined later: an article goes to the cluster of its best match and stays. Joining clusters through
middlemen chains templates together (pair precision .65 became cluster precision .41).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np

from pipelines.config import DedupConfig
from pipelines.dedup.compare import (
    NEAR_JACCARD,
    NOTHING_COMMON,
    SHORT_WORDS,
    Likeness,
    Sketch,
    is_copy,
    likeness,
    sketch,
    window_days,
)
from pipelines.dedup.shingles import Hashes, normalise
from pipelines.records import Article, Candidate, Placement
from pipelines.urls import is_same_site, site

COMMON_CLUSTERS = 4  # a shingle in more clusters than this among the candidates is common property
MIN_SHARED_FINGERPRINTS = 2  # one is chance or a quotation
VERSION_JACCARD = 0.7  # so much of the text stays when a publisher corrects or extends it
MAX_POSTINGS = 64  # articles looked at for one fingerprint, newest first
ORIGINAL = Placement(relation="original")


def decide(article: Article, candidates: Sequence[Candidate], config: DedupConfig) -> Placement:
    """Say whether an article is new, or which known one it copies and how.

    A short text repeated after three days is news again ("rates unchanged"), a longer one never is.

    What `candidates` should hold (the store's look-up): every article with the same text hash, whenever it came; and
    of the last `config.window_days` the articles that share at least MIN_SHARED_FINGERPRINTS fingerprints, looking at
    most at MAX_POSTINGS articles for one fingerprint, newest first, ranked by `rank_candidates`.
    """
    if not article.signature.minhash:
        return ORIGINAL  # too short or a wall: matches nothing
    others = [candidate for candidate in candidates if candidate.url != article.url]
    exact = [
        candidate
        for candidate in others
        if candidate.text_hash == article.text_hash
        and (article.words >= SHORT_WORDS or is_within(article, candidate, article.words, config))
    ]
    if exact:
        first = min(exact, key=age)
        return Placement(
            relation="exact",
            of=first.id,
            cluster=first.cluster,
            similarity=1.0,
            containment=1.0,
            evidence=f"same text as {named(first)}",
        )
    near = [candidate for candidate in others if is_within(article, candidate, SHORT_WORDS, config)]
    return best_match(article, near[: config.max_candidates], config)


def best_match(article: Article, candidates: Sequence[Candidate], config: DedupConfig) -> Placement:
    """Measure every candidate; the most alike of those that pass the rule wins, the earlier one of equals."""
    if not candidates:  # most articles: nothing to measure their text against
        return ORIGINAL
    own = sketch(article.text)
    sketches = [sketch(candidate.text) for candidate in candidates]
    common = common_shingles(own, sketches, [candidate.cluster for candidate in candidates])
    best: tuple[float, float, tuple[datetime, datetime, str]] | None = None
    placement = ORIGINAL
    for candidate, other in zip(candidates, sketches, strict=True):
        found = likeness(own, other, common)
        same_site = is_same_publisher(article, candidate)
        shorter = min(own.words, other.words)
        if not is_copy(found, shorter, config.containment, is_same_site=same_site):
            continue
        if not is_within(article, candidate, shorter, config):
            continue
        rank = (-found.jaccard, -found.containment, age(candidate))
        if best is None or rank < best:
            best, placement = rank, placed(article, candidate, found, is_same_site=same_site)
    return placement


def age(candidate: Candidate) -> tuple[datetime, datetime, str]:
    """What puts candidates in order, the earliest first, whatever numbers they were given when they came."""
    return candidate.published or candidate.fetched, candidate.fetched, candidate.url


def placed(article: Article, candidate: Candidate, found: Likeness, *, is_same_site: bool) -> Placement:
    """Name the relation of a copy and say in one line what was seen."""
    relation = "near" if found.jaccard >= NEAR_JACCARD else "contained"
    if is_same_site and relation == "near" and is_version(article, candidate, found.jaccard):
        relation = "version"
    evidence = f"shares {found.shared} of {found.smaller} five-word runs with {named(candidate)}"
    if relation == "contained":
        evidence += (
            f", which is {found.larger / found.smaller:.1f} times as long" if found.larger > found.smaller else ""
        )
        if len(sketch(article.text).shingles) > len(sketch(candidate.text).shingles):
            evidence = f"holds {found.shared} of the {found.smaller} five-word runs of {named(candidate)}"
    return Placement(
        relation=relation,
        of=candidate.id,
        cluster=candidate.cluster,
        similarity=round(found.jaccard, 4),
        containment=round(found.containment, 4),
        evidence=evidence,
    )


def is_version(article: Article, candidate: Candidate, jaccard: float) -> bool:
    """True when one publisher tells the same again later: same title, or nearly the same text, in changed words."""
    is_later = (article.document.published or article.document.fetched) >= (candidate.published or candidate.fetched)
    return is_later and (jaccard >= VERSION_JACCARD or normalise(article.document.title) == normalise(candidate.title))


def is_same_publisher(article: Article, candidate: Candidate) -> bool:
    if article.document.publisher and article.document.publisher == candidate.publisher:
        return True
    return is_same_site(article.url, candidate.url)


def is_within(article: Article, candidate: Candidate, shorter_words: int, config: DedupConfig) -> bool:
    """True unless times are known and lie further apart: copies travel in days, templates come back.

    The time of the cluster counts too, or a template that comes every week would make one cluster of a year.
    """
    one = article.document.published
    window = timedelta(days=window_days(shorter_words, config.window_days))
    others = candidate.published, candidate.cluster_published
    return one is None or all(other is None or abs(one - other) <= window for other in others)


def common_shingles(own: Sketch, others: Sequence[Sketch], clusters: Sequence[int]) -> Hashes:
    """Those of an article's shingles that stand in too many different clusters to prove anything."""
    by_cluster: dict[int, list[Hashes]] = defaultdict(list)
    for other, cluster in zip(others, clusters, strict=True):
        by_cluster[cluster].append(other.shingles)
    if len(by_cluster) <= COMMON_CLUSTERS:
        return NOTHING_COMMON
    seen = np.zeros(len(own.shingles), np.int64)
    for members in by_cluster.values():
        seen += np.isin(own.shingles, np.concatenate(members))
    return own.shingles[seen > COMMON_CLUSTERS]


def rank_candidates(postings: Iterable[tuple[int, Sequence[int]]], limit: int) -> list[tuple[int, int]]:
    """Rank what an index look-up found: (article, fingerprints shared), most telling first, at most `limit`.

    `postings`: for each fingerprint of the article its articles, newest first. A fingerprint in few articles weighs
    more than one in many, and articles that share only one are left out.
    """
    shared: dict[int, int] = defaultdict(int)
    weight: dict[int, float] = defaultdict(float)
    for _, articles in postings:
        for article in articles[:MAX_POSTINGS]:
            shared[article] += 1
            weight[article] += 1 / len(articles[:MAX_POSTINGS])
    found = [article for article in shared if shared[article] >= MIN_SHARED_FINGERPRINTS]
    found.sort(key=lambda article: (-weight[article], -shared[article], -article))
    return [(article, shared[article]) for article in found[:limit]]


def named(candidate: Candidate) -> str:
    """How a person recognises an article."""
    return f"#{candidate.id} “{candidate.title[:80]}” ({candidate.publisher or site(candidate.url)})"
