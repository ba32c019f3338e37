"""Shallow decision trees over a table of numbers, read from a file that a script of this repository makes.

Nothing but numpy is needed to ask them, and every answer can be taken apart into what each number added.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
Flags = NDArray[np.bool_]
LEAF = -1


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees laid end to end: one entry a node. A leaf has the feature `LEAF` and is its own next."""

    names: tuple[str, ...]  # of the columns
    threshold: float  # yes at or above this probability
    base: float
    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    at: Column
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Column  # of every node: what a row that got so far is worth, in log-odds
    depth: int

    def log_odds(self, rows: Column) -> Column:
        """One number a row: above 0 more likely yes than no."""
        node = self.start(rows)
        for _ in range(self.depth):
            node = self.below(rows, node)
        found: Column = self.base + self.value.take(node).sum(axis=1)
        return found

    def start(self, rows: Column) -> NDArray[np.int64]:
        """The root of every tree, for each row."""
        return np.broadcast_to(self.roots, (len(rows), len(self.roots)))

    def below(self, rows: Column, node: NDArray[np.int64]) -> NDArray[np.int64]:
        """The node each row comes to next in each tree. A leaf asks anything, and both its answers lead to itself."""
        asked = np.maximum(self.feature.take(node), 0)
        asked += np.arange(len(rows))[:, None] * rows.shape[1]
        return np.where(rows.take(asked) <= self.at.take(node), self.left.take(node), self.right.take(node))

    def hints(self, rows: Column) -> Column:
        """What each feature added to each row's log-odds, one column a feature: the difference every step made."""
        number = np.arange(len(rows))[:, None]
        node = self.start(rows)
        added = np.zeros((len(rows), len(self.names)))
        for _ in range(self.depth):
            after = self.below(rows, node)
            np.add.at(added, (number, np.maximum(self.feature[node], 0)), self.value[after] - self.value[node])
            node = after
        return added


def read_trees(package: str, name: str, names: Sequence[str]) -> Trees:
    """The trees in a file that ships with the program."""
    return trees_of(json.loads(files(package).joinpath(name).read_text("utf-8")), names)


def trees_of(plain: dict[str, Any], names: Sequence[str]) -> Trees:
    """Trees as their file has them; raises `ValueError` when they were trained for other features."""
    if plain["features"] != list(names):
        msg = "these trees were trained on other features: train them again"
        raise ValueError(msg)
    sizes = [len(tree["feature"]) for tree in plain["trees"]]
    roots = np.cumsum([0, *sizes[:-1]], dtype=np.int64)

    def joined(name: str) -> Column:
        return np.concatenate([np.array(tree[name], dtype=np.float64) for tree in plain["trees"]])

    feature = joined("feature").astype(np.int64)
    itself, offset = np.arange(len(feature)), np.repeat(roots, sizes)

    def child(name: str) -> NDArray[np.int64]:
        return np.where(feature == LEAF, itself, joined(name).astype(np.int64) + offset)

    return Trees(
        names=tuple(names),
        threshold=plain["threshold"],
        base=plain["base"],
        roots=roots,
        feature=feature,
        at=joined("at"),
        left=child("left"),
        right=child("right"),
        value=joined("value"),
        depth=plain["depth"],
    )


def logit(share: float) -> float:
    return math.log(share / (1 - share))


def likelihood(odds: Column) -> Column:
    """Log-odds as probabilities."""
    found: Column = 1.0 / (1.0 + np.exp(-odds))
    return found
