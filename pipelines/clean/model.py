"""The block model: shallow trees over what is known of a block, for the blocks that the rules leave in doubt.

Rules know what a line announces; whether an unannounced paragraph is the article's or the page's, a hundred weak hints
decide together better than any order of rules. The trees are read from model.json, which a script of this repository
makes from pages with gold text; nothing but numpy is needed to ask them. Every answer can be taken apart into what
each hint added, and is, wherever the model overrules the rules.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pipelines.clean.features import NAMES, features
from pipelines.clean.memory import SiteMemory
from pipelines.clean.view import Fate, Fates, View
from pipelines.reading.layout import FORMS
from pipelines.reading.trees import Column, Flags, Trees, logit, read_trees
from pipelines.reading.words import LINKED
from pipelines.records import Block

UNSURE = (  # reasons of the rules that say only where a block stands; what its words or its twin gave away stays away
    "outside the main text", "a heading with nothing after it", "above the title",
)  # fmt: skip
AMID = 0.1  # amid the text a block must be this unlikely to go: sub-headings look like labels and are not
BODY_BOX = 0.3  # share of the kept prose from which a box is a place of the body
BESIDE_TEXT = ("rule_keeps", "is_main", "is_prose", "kept_in_box")
TOLD = 3  # hints named as evidence


@lru_cache(maxsize=1)
def shipped() -> Trees:
    """The model that ships with the program; read once a process."""
    return read_trees("pipelines.clean", "model.json", NAMES)


def in_doubt(fates: Sequence[Fate], rows: Column) -> Flags:
    """True for blocks the model is asked about: what the rules kept, what the first reading took, prose, and their company."""
    is_near = (rows[:, [NAMES.index(name) for name in BESIDE_TEXT]] > 0).any(axis=1)
    found: Flags = is_near & np.array([fate.is_kept or fate.reason in UNSURE for fate in fates])
    return found


def judge(view: View, fates: Sequence[Fate], memory: SiteMemory, model: Trees | None = None) -> Fates:
    """Fates of the blocks that the model sees otherwise than the rules; none when it would leave nothing of the page."""
    if view.is_text or not view.blocks:  # trained on pages with places and links
        return {}
    model = model or shipped()
    rows = features(view, fates, memory.seen, memory.pages)
    asked = np.flatnonzero(in_doubt(fates, rows))
    if not len(asked):
        return {}
    odds = model.log_odds(rows[asked])
    is_kept = odds >= np.where(amid(rows[asked]), logit(AMID), logit(model.threshold))
    before = np.array([fate.is_kept for fate in fates])
    after = before.copy()
    after[asked] = is_kept
    changed = np.flatnonzero(is_kept != before[asked])
    if not len(changed) or (before.any() and not after.any()):  # a page with a text must not be emptied by a guess
        return {}
    hints = model.hints(rows[asked[changed]])
    return {
        int(asked[at]): overruled(
            view.blocks[asked[at]], float(odds[at]), bool(is_kept[at]), told(rows[asked[at]], hint)
        )
        for at, hint in zip(changed, hints, strict=True)
    }


def amid(rows: Column) -> Flags:
    """True for what the rules kept amid the text: at the body's own place, lists and quotes in company, its first heading."""
    column = dict(zip(NAMES, rows.T, strict=True))
    form = column["form"]
    at_body = column["kept_in_box"] >= BODY_BOX
    has_company = (column["kept_previous"] > 0) & (column["kept_next"] > 0)
    is_inside = (column["from_first_kept"] > 0) & (column["from_last_kept"] < 0)
    is_list_or_quote = (form == FORMS.index("list_item")) | (form == FORMS.index("quote"))
    opens = (form == FORMS.index("heading")) & at_body & (column["from_first_kept"] == -1)
    is_text = (column["rule_keeps"] > 0) & (column["links"] < LINKED)
    return np.asarray(is_text & (opens | (is_inside & (at_body | (is_list_or_quote & has_company)))), dtype=np.bool_)


def overruled(block: Block, odds: float, is_kept: bool, evidence: str) -> Fate:
    share = 100 / (1 + math.exp(-odds))
    if is_kept:
        return Fate("article", is_kept=True, reason=f"the block model: {share:.0f} % the article's", evidence=evidence)
    kind = "navigation" if block.link_density >= LINKED else "other"
    return Fate(kind, is_kept=False, reason=f"the block model: only {share:.0f} % the article's", evidence=evidence)


def told(row: Column, hints: Column) -> str:
    """The strongest hints in words: name, value, weight."""
    strongest = np.argsort(-np.abs(hints))[:TOLD].tolist()
    return ", ".join(f"{NAMES[at]} {row[at]:.4g} ({hints[at]:+.1f})" for at in strongest)
