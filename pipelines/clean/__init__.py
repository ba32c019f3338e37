"""Decide the fate of every block of a document: kept, or dropped with a reason and what was seen.

Why it stands alone: what a reader of the corpus misses or meets too often is decided here and nowhere else. The passes
run in the order below; each is a pure function from the view of the document to the fates it is sure of, and what one
has decided no later one changes. When nothing speaks against a block that the first reading took for the text, it stays.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelines.clean.furniture import bylines, captions, crumbs, forms, lines, menus, titles
from pipelines.clean.memory import SiteMemory, site_template
from pipelines.clean.model import judge
from pipelines.clean.repeats import repeats
from pipelines.clean.teasers import above, body, closing, rescue, teasers
from pipelines.clean.threads import question_lists, sections, summaries, tail
from pipelines.clean.view import Fate, Fates, View
from pipelines.records import Document

__all__ = ["CORRECTIONS", "PASSES", "by_model", "by_rules", "by_words", "clean"]

HIDDEN_SHARE = 0.5  # when more than this of the main text is hidden, a script shows it: then hidden means nothing

NOTHING_KNOWN = SiteMemory()
Pass = Callable[[View], Fates]


def clean(document: Document, memory: SiteMemory | frozenset[int] = NOTHING_KNOWN) -> Document:
    """Return the document with every block's kind, fate, reason and evidence.

    `memory`: what other pages of the site hold, with counts or as the hashes of its template alone.
    """
    known = memory if isinstance(memory, SiteMemory) else SiteMemory.of_template(memory)
    return by_model(by_rules(by_words(document), known.template), known)


def by_model(view: View, memory: SiteMemory = NOTHING_KNOWN) -> Document:
    """The document, with what the block model says of the blocks the rules only guessed at, where there is doubt."""
    if view.document.is_sure:
        return view.decided()
    return view.with_fates(judge(view, view.all_fates(), memory), is_final=True).decided()


def by_words(document: Document) -> View:
    """The document with the fates that need nothing but the page."""
    view = View(document, {})
    for one in ALONE:
        view = view.with_fates(one(view))
    return view


def by_rules(view: View, template: frozenset[int] = frozenset()) -> View:
    """The view with all fates that the passes give, before the block model is asked."""
    view = view.of_site(template)
    for one in PASSES[len(ALONE) :]:
        view = view.with_fates(one(view))
    for one in CORRECTIONS:
        view = view.with_fates(one(view), is_final=True)
    return view


def hidden(view: View) -> Fates:
    """Copies nobody sees: display:none, templates, mobile versions."""
    if not any(block.is_hidden for block in view.blocks):
        return {}
    shown = sum(view.words[index] for index, block in enumerate(view.blocks) if block.is_main and not block.is_hidden)
    unseen = sum(view.words[index] for index, block in enumerate(view.blocks) if block.is_main and block.is_hidden)
    is_believed = unseen <= HIDDEN_SHARE * (shown + unseen)
    visible = {letters for index, letters in enumerate(view.letters) if not view.blocks[index].is_hidden}
    return {
        index: Fate(
            "repeat" if view.letters[index] in visible else "other",
            is_kept=False,
            reason="hidden",
            evidence=block.path[-80:],
        )
        for index, block in enumerate(view.blocks)
        if block.is_hidden and (is_believed or view.letters[index] in visible or not block.is_main)
    }


PASSES: tuple[Pass, ...] = (
    hidden,
    captions,
    crumbs,
    menus,
    forms,
    titles,
    repeats,
    summaries,
    sections,
    question_lists,
    teasers,
    bylines,
    lines,
    site_template,
    tail,
    above,
    body,
)
ALONE = PASSES[: PASSES.index(site_template)]  # what they decide does not depend on the site
CORRECTIONS: tuple[Pass, ...] = (closing, rescue)  # these look at all fates and may change them
