"""Single lines that serve the site, not the story: its title, bylines, share buttons, newsletter calls, legal notes.

Each is decided by its wording and its place; wording alone is believed only where it cannot be the story's own.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache

from pipelines.clean.view import Fate, Fates, View
from pipelines.decode import letters_of
from pipelines.reading.words import LINKED

TITLE_BLOCKS = 6  # among the first blocks kept; later the same words are a sub-heading
TITLE_ALIKE = 0.85  # share of letters; the headline on the page and in the head differ by a word
SHORT_WORDS = 14
LINE_WORDS = 45  # a newsletter call is a sentence or two
BYLINE_WORDS = 15
BY_LETTERS = 5  # "by", "von", "przez"

_LETTER = re.compile(r"[^\W_]")
_MENU = re.compile(r"/(?:nav|footer)(?:[./#]|$)")
# the innermost box or the one around it; "caption" alone names tables' headings too, and those are rare in news
_CAPTION = re.compile(
    r"[.#][\w-]*(?:caption|cutline|imgdesc|img-desc|photo-?credit|image-?credit|legende)[\w-]*(?:/[^/]+)?$",
    re.IGNORECASE,
)
_COUNTER = re.compile(r"^\d{1,5}\s?/\s?\d{2,5}$")
_DATE = re.compile(
    r"^\W*(?:\w+,?\s+)?(?:\d{1,2}(?:st|nd|rd|th|\.)?\s+\w{3,12}\.?,?\s+(?:19|20)\d\d|\w{3,12}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+(?:19|20)\d\d"
    r"|(?:19|20)\d\d[-./年년]\s?\d{1,2}[-./月월]\s?\d{1,2}[日일.]?|\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d)\W{0,4}(?:[\w:.,+|()-]{1,12}\s*){0,7}$"
)
_DOMAIN_END = re.compile(
    r"\b(?:at|on|visit|auf|sur|en|su)\s+(?:www\.)?[\w-]+\.(?:[a-z]{2,3}\.)?[a-z]{2,6}\W*$", re.IGNORECASE
)
_PROMO = re.compile(r"^(?:explore|discover|find|see|get|read|learn|visit|check|for)\b", re.IGNORECASE)
CAPTION_WORDS = 80  # longer texts that stand in such a box are a story's own
KINDS = {  # cue: (kind, reason, longest in words, where: any | ends | links)
    "related_line": ("related", "points to another story", 40, "any"),
    "newsletter": ("newsletter", "asks to subscribe or follow", LINE_WORDS, "any"),
    "share": ("share", "share and reading tools", 8, "any"),
    "legal": ("legal", "legal or agency notice", LINE_WORDS, "any"),
    "paywall": ("paywall", "asks to pay or log in", LINE_WORDS, "any"),
    "author_bio": ("author_bio", "about the author", LINE_WORDS, "ends"),
    "comment": ("comment", "comment counter or link", 8, "any"),
    "comment_form": ("comment_form", "comment form", 25, "any"),
    "related": ("related", "heading of other stories", 8, "any"),
    "caption": ("caption", "credit of a picture", 16, "any"),
    "topics": ("navigation", "topics or tags", 25, "ends"),
    "navigation": ("navigation", "navigation", 8, "any"),
}


def menus(view: View) -> Fates:
    """Links in what the page itself calls its navigation or its foot."""
    return {
        index: Fate("navigation", is_kept=False, reason="links in a menu", evidence=block.path[-80:])
        for index, block in enumerate(view.blocks)
        if block.link_density >= LINKED and _MENU.search(block.path) and view.is_open(index)
    }


def captions(view: View) -> Fates:
    """Text under a picture, by its element or by what the page itself calls the box around it."""
    return {
        index: Fate("caption", is_kept=False, reason="text under a picture", evidence=block.path[-80:])
        for index, block in enumerate(view.blocks)
        if view.words[index] <= CAPTION_WORDS
        and view.is_open(index)
        and block.form != "heading"
        and (block.form == "caption" or is_caption_box(block.path))
    }


@lru_cache(maxsize=4096)
def is_caption_box(path: str) -> bool:
    """Tell whether the innermost boxes of a path are called a caption; a page has few paths and many blocks."""
    return _CAPTION.search("/".join(path.rsplit("/", 2)[1:])) is not None


def crumbs(view: View) -> Fates:
    """Lines without a letter, such as the commas an empty list of categories leaves; counters of characters."""
    return {
        index: Fate("navigation", is_kept=False, reason="no words in it", evidence=block.text[:40])
        for index, block in enumerate(view.blocks)
        if not _LETTER.search(block.text) or _COUNTER.match(block.text)
    }


def forms(view: View) -> Fates:
    """What a form asks or makes readers agree to; where the page has prose besides, for some put everything into one."""
    inside = {
        index for index, block in enumerate(view.blocks) if view.is_candidate(index) and "/fieldset" in block.path
    }
    if not inside or not any(index not in inside for index in view.body):
        return {}
    return {
        index: Fate("other", is_kept=False, reason="in a form", evidence=view.blocks[index].path[-80:])
        for index in inside
    }


def titles(view: View) -> Fates:
    """The page's title above the text: it is kept as metadata and never opens the text."""
    wanted = letters_of(view.document.title)
    found: Fates = {}
    if len(wanted) < 4:
        return found
    limit = max(view.start, TITLE_BLOCKS) if view.start < len(view.blocks) else TITLE_BLOCKS
    for index in range(min(limit, len(view.blocks))):
        letters = view.letters[index]
        is_first_heading = view.blocks[index].form == "heading" and view.blocks[index].level == 1
        if letters == wanted or (is_first_heading and alike(letters, wanted)):
            found[index] = Fate("title", is_kept=False, reason="the title", evidence=view.document.title[:80])
    return found


def alike(one: str, other: str) -> bool:
    if not one or not other or min(len(one), len(other)) < 0.5 * max(len(one), len(other)):
        return False
    return one in other or other in one or SequenceMatcher(None, one, other, autojunk=False).ratio() >= TITLE_ALIKE


def bylines(view: View) -> Fates:
    """Writer and date between title and text."""
    found: Fates = {}
    writer = letters_of(view.document.byline)
    for index in range(min(view.start, len(view.blocks))):
        block, words = view.blocks[index], view.words[index]
        if words > BYLINE_WORDS or block.form in ("heading", "list_item"):
            continue
        if (
            "byline" in view.cues[index]
            or _DATE.match(block.text)
            or (writer and is_writer(view.letters[index], writer))
        ):
            found[index] = Fate(
                "byline",
                is_kept=False,
                reason="writer or date above the text",
                evidence=view.cues[index].get("byline", ""),
            )
    return found


def is_writer(letters: str, writer: str) -> bool:
    """True for the writer's name, alone or after "by" in any language."""
    return letters.endswith(writer) and len(letters) - len(writer) <= BY_LETTERS


def lines(view: View) -> Fates:
    """Every line whose wording says what it is for."""
    found: Fates = {}
    last = view.body[-1] if view.body else len(view.blocks)
    for index, cues in enumerate(view.cues):
        block = view.blocks[index]
        if not cues or not view.is_open(index):
            if (
                view.words[index] <= SHORT_WORDS
                and _PROMO.match(block.text)
                and _DOMAIN_END.search(block.text)
                and index > view.start
            ):
                found[index] = Fate("newsletter", is_kept=False, reason="points to the site", evidence=block.text[:60])
            continue
        for cue, (kind, reason, longest, where) in KINDS.items():
            if cue not in cues or view.words[index] > longest:
                continue
            if where == "ends" and view.start <= index <= last and block.link_density < LINKED:
                continue
            if block.form == "heading" and cue in ("navigation", "share", "topics") and view.start < index < last:
                continue  # a word such as "Help" or "About" may head a section of the text
            if block.form in ("table_row", "code", "quote"):
                continue
            found[index] = Fate(kind, is_kept=False, reason=reason, evidence=cues[cue])
            break
    return found
