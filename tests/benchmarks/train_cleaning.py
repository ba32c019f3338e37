"""Train the glance and the block model on pages with gold text and write their files.

    python -m tests.benchmarks.train_cleaning SET.jsonl.gz … [--write] [--ablate]

Each line of a set: {"site", "url", "html", "gold", "extra"}. Prints F1, precision, recall and the share of exact pages of
each set: for what the glance and trafilatura found, for the rules alone, for the block model asked about every page and
asked where the glance is in doubt. All of them are asked about pages of sites they have not seen (five folds by site).
`--write` then trains on everything. Needs LightGBM: pip install 'copydesk[train]'.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from pipelines.clean import by_rules, by_words
from pipelines.clean.features import NAMES, features
from pipelines.clean.memory import SiteMemory, learnable
from pipelines.clean.model import AMID, UNSURE, amid, in_doubt
from pipelines.config import Config
from pipelines.extract import extract
from pipelines.main_text import keeps_too_little
from pipelines.reading import glance
from pipelines.reading.layout import Layout
from pipelines.reading.trees import trees_of
from pipelines.records import Document, Page
from pipelines.urls import site
from tests.benchmarks.scoring import TITLE_LINES, address_of, grams, name_of, read_set, titles_of, tokens, untitled

PIPELINES = pathlib.Path(__file__).parents[2] / "pipelines"
MODEL, GLANCE = PIPELINES / "clean" / "model.json", PIPELINES / "reading" / "glance.json"
ROUNDS = 120  # trees; more gain nothing on sites not seen, and every tree is read for every block
SETTINGS = {
    "objective": "binary", "learning_rate": 0.08, "num_leaves": 24, "max_depth": 7, "min_data_in_leaf": 40, "feature_fraction": 0.5,
    "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 5.0, "verbose": -1, "num_threads": 2, "seed": 3, "deterministic": True,
}  # fmt: skip
THRESHOLD = 0.48
GLANCE_ROUNDS, GLANCE_THRESHOLD = 30, 0.45
GLANCE_SETTINGS = {**SETTINGS, "learning_rate": 0.15, "num_leaves": 32}
FOLDS = 5
UNSURE_ODDS = -1.4  # a fifth: not taken, and as much doubt as there can be
RIGHT = 0.5  # share of a block's 4-grams in the gold from which the block counts as the article's
SHARE_POWER = 0.7  # a block weighs by its share of its page's gold: a lost paragraph costs more than a stray word
SHARE_BOUNDS = (0.0005, 0.3)
LEAST_GOLD = 50  # words; shorter gold does not make its blocks weigh more


@dataclass
class Sample:
    """One page: its blocks' features and what the gold says of them."""

    name: str
    site: str
    gold: list[str]
    titles: set[str]
    words: list[list[str]]  # of each block
    is_title: list[bool]
    right: Any  # share of each block that is gold's
    document: Document  # with what trafilatura kept
    first: Any  # what the glance is told
    template: frozenset[int] = frozenset()
    rows: Any = None  # what the block model is told
    asked: Any = None
    by_rules: Any = None


@contextmanager
def always_in_doubt() -> Iterator[None]:
    """A glance that takes nothing and would not bet on it, so that trafilatura is asked about every page."""
    kept, unsure = glance.shipped, trees_of(constant(UNSURE_ODDS), glance.NAMES)
    glance.shipped = lambda: unsure  # type: ignore[assignment]
    try:
        yield
    finally:
        glance.shipped = kept


def constant(log_odds: float) -> dict[str, Any]:
    """A glance that says the same of every block."""
    leaf = {"feature": [-1], "at": [0], "left": [0], "right": [0], "value": [log_odds]}
    return {"features": list(glance.NAMES), "trees": [leaf], "threshold": GLANCE_THRESHOLD, "base": 0.0, "depth": 1}


def read(path: pathlib.Path) -> list[tuple[str, int, dict[str, Any]]]:
    return [(name_of(path), number, row) for number, row in enumerate(read_set(path))]


def document_of(job: tuple[str, int, dict[str, Any]]) -> Document | None:
    name, number, row = job
    address = address_of(row, name, number)
    page = Page(url=address, body=row["html"].encode("utf-8", "replace"), fetched=datetime(2026, 1, 1, tzinfo=UTC), content_type="text/html; charset=utf-8")  # fmt: skip
    found = extract(page, Config().extract)
    return found if isinstance(found, Document) else None


def memories(found: list[tuple[str, Document]]) -> list[SiteMemory]:
    """What each page's site holds besides it, as `copydesk clean` works it out."""
    learned = [learnable(by_rules(by_words(document)).decided()) for _, document in found]
    seen: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    pages: Counter[tuple[str, str]] = Counter()
    for (name, document), blocks in zip(found, learned, strict=True):
        seen[name, site(document.url)].update(blocks)
        pages[name, site(document.url)] += 1
    return [
        SiteMemory(seen[name, site(document.url)], pages[name, site(document.url)]).without(blocks)
        for (name, document), blocks in zip(found, learned, strict=True)
    ]


def rightness(blocks: list[list[str]], gold: list[str]) -> Any:
    """Share of each block's 4-grams that the gold has; short blocks count where they stand beside their neighbour."""
    known, run = grams(gold), f" {' '.join(gold)} "
    found = []
    for at, words in enumerate(blocks):
        if len(words) >= 6:
            of_block = [tuple(words[start : start + 4]) for start in range(len(words) - 3)]
            found.append(sum(gram in known for gram in of_block) / len(of_block))
            continue
        line = " ".join(words)
        before = " ".join(blocks[at - 1][-3:]) if at else ""
        after = " ".join(blocks[at + 1][:3]) if at + 1 < len(blocks) else ""
        is_beside = (before and f" {before} {line} " in run) or (after and f" {line} {after} " in run)
        found.append(float(bool(words) and bool(is_beside)))
    return np.array(found)


def samples(paths: list[pathlib.Path]) -> list[Sample]:
    jobs = [job for path in paths for job in read(path)]
    with always_in_doubt(), ProcessPoolExecutor() as pool:
        documents = list(pool.map(document_of, jobs, chunksize=8))
    made = []
    for (name, _, row), document in zip(jobs, documents, strict=True):
        if document is None:
            continue
        titles = titles_of(row)
        gold = tokens(untitled(row["gold"], titles))
        words = [tokens(block.text) for block in document.blocks]
        is_title = [" ".join(tokens(block.text.lower())) in titles for block in document.blocks]
        first = glance.rows_of(Layout(document.blocks))
        made.append(Sample(name, f"{name}:{row['site']}", gold, titles, words, is_title, rightness(words, gold), document, first))  # fmt: skip
    return made


def judged(pages: list[Sample], seen: Sequence[glance.Glance]) -> list[Sample]:
    """The pages with what the rules make of them and what the block model is told; where trafilatura keeps too little the glance's choice counts."""
    documents = [
        with_marks(page.document, one.is_main, is_added=True)
        if keeps_too_little(page.document.blocks)
        else page.document
        for page, one in zip(pages, seen, strict=True)
    ]
    known = memories([(page.name, document) for page, document in zip(pages, documents, strict=True)])
    return [told_of(page, document, memory) for page, document, memory in zip(pages, documents, known, strict=True)]


def told_of(page: Sample, document: Document, memory: SiteMemory) -> Sample:
    view = by_rules(by_words(document), memory.template)
    fates = view.all_fates()
    rows = features(view, fates, memory.seen, memory.pages)
    kept = np.array([fate.is_kept for fate in fates])
    return replace(
        page, document=document, template=memory.template, rows=rows, asked=in_doubt(fates, rows), by_rules=kept
    )


def with_marks(document: Document, marks: Any, *, is_added: bool = False) -> Document:
    """The document with these blocks marked as its text, instead of those that are, or as well."""
    pairs = zip(document.blocks, marks.tolist(), strict=True)
    return replace(
        document,
        blocks=tuple(block.changed(is_main=is_main or (is_added and block.is_main)) for block, is_main in pairs),
    )


def text_of(sample: Sample, kept: Any) -> list[str]:
    chosen = [at for at, is_kept in enumerate(kept) if is_kept]
    return [word for place, at in enumerate(chosen) if place >= TITLE_LINES or not sample.is_title[at] for word in sample.words[at]]  # fmt: skip


def report(label: str, pages: list[Sample], decisions: list[Any]) -> float:
    """Print one line; return the mean F1 of the sets."""
    by_set: dict[str, list[tuple[float, float, bool]]] = defaultdict(list)
    for sample, kept in zip(pages, decisions, strict=True):
        got = text_of(sample, kept)
        wanted, given = grams(sample.gold), grams(got)
        right = sum((wanted & given).values())
        precision = right / sum(given.values()) if given else 0.0
        recall = right / sum(wanted.values()) if wanted else 0.0
        by_set[sample.name].append((precision, recall, got == sample.gold))
    parts, scores, exact = [], [], []
    for name, rows in sorted(by_set.items()):
        precision, recall = statistics.mean(row[0] for row in rows), statistics.mean(row[1] for row in rows)
        scores.append(2 * precision * recall / max(1e-9, precision + recall))
        exact.append(statistics.mean(row[2] for row in rows))
        parts.append(f"{name} {scores[-1]:.4f} ({precision:.3f} {recall:.3f})")
    print(
        f"{label:24} mean {statistics.mean(scores):.4f} exact {statistics.mean(exact):.3f}  " + "  ".join(parts),
        flush=True,
    )
    return statistics.mean(scores)


def weights_of(page: Sample) -> Any:
    """What each block weighs: its share of the page's gold, within bounds."""
    shares = np.array([len(words) for words in page.words]) / max(LEAST_GOLD, len(page.gold))
    return np.clip(shares, *SHARE_BOUNDS) ** SHARE_POWER


def trained(pages: list[Sample], columns: list[int]) -> Any:
    """The block model, of all blocks it will be asked about."""
    rows = np.concatenate([page.rows[page.asked] for page in pages])[:, columns]
    answers = np.concatenate([page.right[page.asked] for page in pages]) > RIGHT
    weights = np.concatenate([weights_of(page)[page.asked] for page in pages])
    return fitted(rows, answers, weights, [NAMES[at] for at in columns], SETTINGS, ROUNDS)


def glance_of(pages: list[Sample]) -> dict[str, Any]:
    """The glance as glance.json holds it, of all blocks."""
    rows = np.concatenate([page.first for page in pages])
    answers = np.concatenate([page.right for page in pages]) > RIGHT
    weights = np.concatenate([weights_of(page) for page in pages])
    model = fitted(rows, answers, weights, list(glance.NAMES), GLANCE_SETTINGS, GLANCE_ROUNDS)
    return plain(model, list(glance.NAMES), GLANCE_THRESHOLD)


def fitted(rows: Any, answers: Any, weights: Any, names: list[str], settings: dict[str, Any], rounds: int) -> Any:
    import lightgbm

    data = lightgbm.Dataset(rows, label=answers, weight=weights / weights.mean(), feature_name=names)
    return lightgbm.train(settings, data, num_boost_round=rounds)


def folds(pages: list[Sample]) -> dict[str, int]:
    """The fold of each site."""
    sites = sorted({page.site for page in pages})
    np.random.default_rng(7).shuffle(sites)
    return {name: at % FOLDS for at, name in enumerate(sites)}


def glances(pages: list[Sample]) -> list[glance.Glance]:
    """Every page seen by a glance that saw no page of its site."""
    fold = folds(pages)
    models = [
        trees_of(glance_of([page for page in pages if fold[page.site] != number]), glance.NAMES)
        for number in range(FOLDS)
    ]
    return [glance.seen(Layout(page.document.blocks), page.first, models[fold[page.site]]) for page in pages]


def validated(pages: list[Sample], columns: list[int]) -> list[Any]:
    """Every page decided by a block model that saw no page of its site."""
    fold = folds(pages)
    decisions: list[Any] = [None] * len(pages)
    for number in range(FOLDS):
        model = trained([page for page in pages if fold[page.site] != number], columns)
        for at, page in enumerate(pages):
            if fold[page.site] == number:
                decisions[at] = decided(page, model, columns)
    return decisions


def decided(page: Sample, model: Any, columns: list[int]) -> Any:
    kept = page.by_rules.copy()
    if page.asked.any():
        edges = np.where(amid(page.rows[page.asked]), AMID, THRESHOLD)
        kept[page.asked] = model.predict(page.rows[page.asked][:, columns]) >= edges
    return kept if kept.any() else page.by_rules


def by_glance(page: Sample, seen: glance.Glance) -> Any:
    """What the rules keep of a page whose text was seen at a glance."""
    document = with_marks(page.document, seen.is_main)
    return np.array([fate.is_kept for fate in by_rules(by_words(document), page.template).all_fates()])


def in_turn(pages: list[Sample], seen: Sequence[glance.Glance], decisions: list[Any]) -> list[Any]:
    """What comes of each page: the rules' choice where the glance is sure, the block model's elsewhere."""
    return [
        by_glance(page, one) if one.is_sure else decision
        for page, one, decision in zip(pages, seen, decisions, strict=True)
    ]


def plain(model: Any, names: list[str] | None = None, threshold: float = THRESHOLD) -> dict[str, Any]:
    """The model as its file holds it: for each tree its nodes in rows, the root first."""
    dumped = model.dump_model()
    trees = []
    deepest = 0
    for tree in dumped["tree_info"]:
        rows: dict[str, list[Any]] = {"feature": [], "at": [], "left": [], "right": [], "value": []}

        def add(node: dict[str, Any], depth: int, rows: dict[str, list[Any]] = rows) -> int:
            nonlocal deepest
            deepest = max(deepest, depth)
            at = len(rows["feature"])
            is_leaf = "leaf_value" in node
            rows["feature"].append(-1 if is_leaf else node["split_feature"])
            rows["at"].append(0 if is_leaf else float(f"{node['threshold']:.7g}"))
            rows["value"].append(round(node["leaf_value"] if is_leaf else node["internal_value"], 5))
            rows["left"].append(0)
            rows["right"].append(0)
            if not is_leaf:
                rows["left"][at] = add(node["left_child"], depth + 1)
                rows["right"][at] = add(node["right_child"], depth + 1)
            return at

        add(tree["tree_structure"], 0)
        trees.append(rows)
    return {
        "features": names or list(NAMES),
        "threshold": threshold,
        "base": 0.0,
        "depth": deepest,
        "trees": trees,
    }


def write(path: pathlib.Path, made: dict[str, Any]) -> None:
    count = len(made["trees"])
    trees = ",\n".join(json.dumps(tree, separators=(",", ":")) for tree in made.pop("trees"))
    path.write_text(f'{json.dumps(made, indent=1)[:-2]},\n "trees": [\n{trees}\n]}}\n', "utf-8")
    print(f"{path.name}: {count} trees, {path.stat().st_size / 1000:.0f} kB")


GROUPS = {  # what the ablation leaves out
    "what the rules decided": ("rule_", "kept_", "is_outside", "kind_", "from_first_kept", "from_last_kept", "to_average"),
    "what trafilatura kept": ("is_main", "main_", "from_first_main", "from_last_main"),
    "other pages of the site": ("seen", "pages"),
    "place on the page": ("prose_at", "prose_in", "prose_two", "box_", "blocks_", "links_in_box", "path_", "depth", "in_article", "in_cell", "tag", "from_article"),
    "neighbours": ("words_previous", "links_previous", "words_next", "links_next", "words_before", "words_after", "links_before", "links_after"),
    "the words themselves": ("words", "chars", "ends_well", "is_prose", "capitals", "commas", "sentences", "language"),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", type=pathlib.Path)
    parser.add_argument("--write", action="store_true", help="train on everything and write model.json")
    parser.add_argument("--ablate", action="store_true", help="leave out one group of features at a time")
    options = parser.parse_args()
    try:
        import lightgbm  # noqa: F401 - said before ten minutes of work
    except ImportError:
        sys.exit("train_cleaning: LightGBM is not installed; pip install 'copydesk[train]'")
    pages = samples(options.sets)
    every = list(range(len(NAMES)))
    seen = glances(pages)
    pages = judged(pages, seen)
    asked = statistics.mean(not one.is_sure for one in seen)
    always = validated(pages, every)
    report("the glance", pages, [one.is_main for one in seen])
    report("trafilatura", pages, [np.array([block.is_main for block in page.document.blocks]) for page in pages])
    report("glance and rules", pages, [by_glance(page, one) for page, one in zip(pages, seen, strict=True)])
    report("trafilatura and rules", pages, [page.by_rules for page in pages])
    report("a perfect choice", pages, [page.right > RIGHT for page in pages])
    report("perfect where asked", pages, [np.where(page.asked, page.right > RIGHT, page.by_rules) for page in pages])
    report("block model, all pages", pages, always)
    report(f"block model, {asked:.0%} of them", pages, in_turn(pages, seen, always))
    if options.ablate:
        for label, prefixes in GROUPS.items():
            columns = [at for at in every if not NAMES[at].startswith(prefixes)]
            report(f"- {label}"[:24], pages, in_turn(pages, seen, validated(pages, columns)))
    if options.write:
        write(GLANCE, glance_of(pages))
        made = plain(trained(pages, every))
        write(MODEL, {"asked_about": ["what the rules keep", *UNSURE], **made})


if __name__ == "__main__":
    main()
