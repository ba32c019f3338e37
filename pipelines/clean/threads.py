"""Sections that a line announces and that go on after it: threads, forms, other stories, questions, summaries.

Where a section begins is said by its first line; where it ends is not said at all. So each kind has its own rule for
when the body goes on: a thread after the text never ends, a box of links ends where prose at the body's own place
returns. With class names or without, in HTML or flattened: what is known is used, order and wording always.
"""

from __future__ import annotations

from pipelines.clean.view import Fate, Fates, View
from pipelines.reading.words import LINKED, container, ends_well

SECTIONS = {  # cue: kind of the blocks, reason; the order is the one in which they are believed
    "comment": ("comment", "comment thread"),
    "comment_form": ("comment_form", "comment form"),
    "insights": ("related", "list of suggested questions"),
    "related": ("related", "list of other stories"),
    "topics": ("related", "list of topics"),
}
BEFORE_WORDS = 40  # a section after the text needs text before it; a link "Comments (10)" above the text is only a link
SWALLOWED_SHARE = 0.5  # a box of stories holds little whole prose; more is a body under a misleading heading
CUE_WORDS = 12  # a heading is short
SENTENCE_WORDS = 6
TEASER_WORDS = 60  # other stories are told in a sentence or two
QUESTIONS = 3  # this many questions in a row that nobody answers are suggestions
SUMMARY_BLOCKS = 12
UNLINKED_BLOCKS = 12  # boxes of other stories rarely hold more than six titles with six teasers, and they hold links

STRAY_LINKS = 0.1  # of such a list: a shop, a source


def sections(view: View) -> Fates:
    """Decide every announced section, from the top of the page down."""
    found: Fates = {}
    index = 0
    while index < len(view.blocks):
        cue = section_cue(view, index)
        if cue and not view.blocks[index].is_hidden:
            end = section_end(view, index, cue)
            kind, reason = SECTIONS[cue]
            for inner in range(index, end):
                if is_elsewhere(view, index, inner, cue):
                    continue
                found[inner] = Fate(
                    kind,
                    is_kept=False,
                    reason=reason,
                    evidence=view.cues[index].get(cue) or view.blocks[index].text[:60],
                )
            index = max(end, index + 1)
        else:
            index += 1
    return found


def is_elsewhere(view: View, start: int, index: int, cue: str) -> bool:
    """True for what follows a thread in another part of the page, out of the main text: it has a name of its own."""
    if view.is_text or cue not in ("comment", "comment_form") or view.blocks[index].is_main:
        return False
    around = container(container(view.blocks[start].path))
    return not view.blocks[index].path.startswith(around + "/")


def section_cue(view: View, index: int) -> str:
    """The kind of section this block announces, "" for none."""
    if not view.cues[index] or view.words[index] > CUE_WORDS or index < view.start:
        return ""
    if view.is_prose[index]:
        return ""
    for cue in SECTIONS:
        if cue in view.cues[index] and (cue != "insights" or questions_after(view, index + 1) >= QUESTIONS - 1):
            return cue if cue != "topics" or not in_the_middle(view, index) else ""
    return ""


def in_the_middle(view: View, index: int) -> bool:
    """True when body prose stands directly before and after: then the line is a heading of the text."""
    after = next(
        (later for later in range(index + 1, min(index + 3, len(view.blocks))) if view.is_candidate(later)), None
    )
    return after is not None and view.is_prose[after] and view.blocks[after].path in view.body_paths


def section_end(view: View, start: int, cue: str) -> int:
    """Index after the section's last block."""
    before = [index for index in view.body if index < start]
    before_words = sum(view.words[index] for index in before)
    after_words = sum(view.words[index] for index in view.body if index > start)
    if cue in ("comment", "comment_form"):
        is_tail = before_words >= BEFORE_WORDS and (
            before_words >= after_words or is_alone_in_place(view, start, before)
        )
        if not is_tail:
            return start + 1
        return thread_end(view, start, before)
    if cue == "insights":
        return start + 1 + questions_after(view, start + 1)
    end = stories_end(view, start, before)
    if leads_nowhere(view, start + 1, end):
        return start + 1
    swallowed = sum(view.words[index] for index in view.body if start < index < end)
    return start + 1 if not view.is_text and swallowed > SWALLOWED_SHARE * before_words else end


def leads_nowhere(view: View, start: int, end: int) -> bool:
    """True for many blocks of the main text with hardly a link among them: a list of things, not of other stories."""
    inner = [view.blocks[index] for index in range(start, end) if view.is_candidate(index)]
    linked = sum(block.link_density >= LINKED for block in inner)
    return not view.is_text and len(inner) >= UNLINKED_BLOCKS and linked <= STRAY_LINKS * len(inner)


def is_alone_in_place(view: View, start: int, before: list[int]) -> bool:
    """True when nothing after the line stands where the body stands."""
    if view.is_text:
        return True
    paths = view.paths_of(before)
    return not any(index > start and view.blocks[index].path in paths for index in view.body)


def thread_end(view: View, start: int, before: list[int]) -> int:
    """A thread goes to the end of the page, unless the title follows, or the body's own place is left and comes back."""
    for index in range(start + 1, len(view.blocks)):
        if index in view.fates and view.fates[index].kind == "title":
            return index
    if not view.is_text:
        paths = view.paths_of(before) | view.body_paths
        around = container(view.blocks[start].path)
        for index in range(start + 1, len(view.blocks)):
            path = view.blocks[index].path
            if (
                view.is_prose[index]
                and view.is_candidate(index)
                and path in paths
                and not path.startswith(around + "/")
            ):
                return index
    return len(view.blocks)


def stories_end(view: View, start: int, before: list[int]) -> int:
    """Other stories: titles, links and teasers, until prose of the body returns."""
    paths = view.paths_of(before) | view.body_paths
    around = container(view.blocks[start].path)
    pairs = 0
    for index in range(start + 1, len(view.blocks)):
        if section_cue(view, index) in ("comment", "comment_form"):  # a thread after the stories is a thread
            return index
        if not is_text_again(view, index):
            continue
        path = view.blocks[index].path
        if not view.is_text and path not in paths:
            continue
        if not view.is_text and not path.startswith(around + "/"):
            return heading_before(view, index, start)
        if not view.is_prose[index] and is_story_title(view, index - 1):
            continue
        if (
            view.words[index] <= TEASER_WORDS
            and is_story_title(view, index - 1)
            and (pairs or teasers_after(view, index))
        ):
            pairs += 1
            continue
        return heading_before(view, index, start)
    return len(view.blocks)


def is_text_again(view: View, index: int) -> bool:
    """True for whole sentences, even a short one where the page's structure speaks for it."""
    if view.is_text or not view.is_open(index) or not view.blocks[index].is_main:
        return view.is_text and view.is_prose[index] and view.is_open(index)
    block = view.blocks[index]
    return (
        block.form != "heading"
        and view.words[index] >= SENTENCE_WORDS
        and block.link_density < LINKED
        and ends_well(block.text)
    )


def heading_before(view: View, index: int, start: int) -> int:
    """A heading directly before returning prose belongs to it, when it stands at the body's place and is no link."""
    block = view.blocks[index - 1]
    is_heading = (
        block.form == "heading"
        and container(block.path) == container(view.blocks[index].path)
        and block.link_density < LINKED
    )
    return index - 1 if is_heading and index - 1 > start and not view.cues[index - 1] else index


def is_story_title(view: View, index: int) -> bool:
    """True for a short line that is a link or, in flattened text, ends without a full stop."""
    block = view.blocks[index]
    if view.words[index] > 30 or view.is_prose[index] or view.cues[index]:
        return False
    return block.link_density >= LINKED or block.form == "heading" or not block.text.endswith((".", "。", "!", "?"))


def teasers_after(view: View, index: int) -> bool:
    """True when a second pair of title and teaser follows: one alone may be the body going on."""
    return index + 2 < len(view.blocks) and is_story_title(view, index + 1) and not view.is_prose[index + 1]


def questions_after(view: View, index: int) -> int:
    """How many questions stand in a row from here."""
    count = 0
    while index + count < len(view.blocks) and is_question(view, index + count):
        count += 1
    return count


def is_question(view: View, index: int) -> bool:
    return view.blocks[index].text.endswith(("?", "？", "?”", '?"')) and 3 <= view.words[index] <= 40


def question_lists(view: View) -> Fates:
    """Five questions or more in a row with nobody answering, after the text: suggestions, with or without a heading."""
    found: Fates = {}
    index = view.start
    while index < len(view.blocks):
        count = questions_after(view, index)
        if count >= QUESTIONS + 2 and any(body < index for body in view.body):
            for inner in range(index, index + count):
                found[inner] = Fate(
                    "related",
                    is_kept=False,
                    reason="list of suggested questions",
                    evidence=f"{count} questions in a row",
                )
        index += max(1, count)
    return found


def summaries(view: View) -> Fates:
    """A summary a machine made: its announcing line and the list after (or, at the end of a list, before)."""
    found: Fates = {}
    for index, cues in enumerate(view.cues):
        if "summary" not in cues or view.words[index] > CUE_WORDS + 8:
            continue
        around = container(view.blocks[index].path)
        reason = "summary made by a machine"
        found[index] = Fate("summary", is_kept=False, reason=reason, evidence=cues["summary"])
        for inner in range(index + 1, min(index + SUMMARY_BLOCKS, len(view.blocks))):
            block = view.blocks[inner]
            is_inside = block.form == "list_item" or (
                not view.is_text and block.path not in view.body_paths and block.path.startswith(around + "/")
            )
            if not is_inside or block.form == "heading":
                break
            found[inner] = Fate("summary", is_kept=False, reason=reason, evidence=cues["summary"])
    return found


def tail(view: View) -> Fates:
    """What stands after the first section that follows the last prose of the body: nothing there is the article's."""
    prose = [
        index
        for index, block in enumerate(view.blocks)
        if is_text_again(view, index) and (view.is_text or block.path in view.body_paths)
    ]
    if not prose:
        return {}
    cue = next((index for index in range(prose[-1] + 1, len(view.blocks)) if is_end(view, index)), None)
    if cue is None:
        return {}
    return {
        index: Fate("other", is_kept=False, reason="after the end of the article", evidence=view.blocks[cue].text[:60])
        for index in range(cue + 1, len(view.blocks))
        if view.is_open(index)
    }


def is_end(view: View, index: int) -> bool:
    """True for a block that a section took."""
    fate = view.fates.get(index)
    return fate is not None and fate.kind in ("comment", "comment_form", "related") and fate.reason in END_REASONS


END_REASONS = {reason for _, reason in SECTIONS.values()}
