"""The headline among all that a page calls its title.

Share buttons, browsers, search engines and readers are each told another title, with the site's or the section's name
before or behind it. The one that readers see is meant: a heading that the others speak of. Where no heading is marked
up, what the title tag and a short visible line have in common; where the tag names the site alone, the line above the
text whose words the text takes up.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from pipelines.claims import Claims, site_names
from pipelines.decode import letters_of, normalise
from pipelines.reading.words import LINKED
from pipelines.records import Block, Page

FEWEST_LETTERS = 8  # a shorter heading may stand in the title tag by chance
SHARED_WORDS = 0.5  # of the shorter of two titles; so much is the same headline in other words
TAKEN_UP = 0.5  # share of a headline's words that its text has; site names have next to none
SAID = 0.34  # a title tag with less of its words in the text is not about it
LEAST_PART = 0.4  # share of a title that its visible part must make up where the title has no site in it
FIRST_BLOCKS = 120  # a headline stands in the first of them, under the menus
LINE_CHARS = 250
TITLE_CHARS = 2000  # no headline is longer; an unclosed element may hold the whole page
PROSE_CHARS = 120  # a paragraph of the text
BODY_CHARS = 4000
NAME_WORDS = 4  # a site's name has seldom more
LINE_WORDS = (3, 30)
MIDDLE = " |-–—:»«·•/_>@"

_SEPARATOR = re.compile(r"\s+[|\-–—:»«·•/>@]+\s+|\s*[|_»>]\s*|(?<=[^\s\d])-\s+")
_KICKER = re.compile(r"^[^:/|]{2,60}(?::| /)\s(?=\w|[^\w\s–—-])")
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]{3,}|\d+")
_CRUMBS = re.compile(r">|»|\|")  # a trail of sections, no headline
_MARKUP = re.compile(r"</?[a-zA-Z!].*", re.DOTALL)


def title_of(claims: Claims, page: Page, blocks: Sequence[Block] = ()) -> str:
    """The headline without the site's name."""
    names = site_names(claims, page)
    shared = without_site(plain(claims.metas.get("og:title", "") or claims.metas.get("twitter:title", "")), names)
    tag = without_site(plain(claims.title_tag), names)
    linked = next((plain(str(node["headline"])) for node in claims.linked if isinstance(node.get("headline"), str)), "")
    told = [text for text in (shared, tag, without_site(linked, names)) if text]
    headings = headings_of(claims, names)
    names |= {letters_of(heading) for heading in map(plain, claims.headings) if heading and heading not in headings}
    heading = told_heading(headings, claims, told)
    if heading:
        return with_kicker(without_site(heading, names), told)
    hint = letters_of(page.hint.title)
    if len(hint) >= FEWEST_LETTERS and any(hint in letters_of(text) for text in told):
        return page.hint.title
    found = seen_whole(told, blocks) or reworded(headings, told, page)
    if found:
        return without_site(found, names)
    for text, least in ((shared, LEAST_PART), (tag, LEAST_PART / 2)):
        part = seen_part(text, blocks, names)
        if len(letters_of(part)) > least * len(letters_of(text)):
            return part
    if not shared and not page.hint.title and not is_about(tag, blocks):
        unspoken = (text for text in headings if not is_site_name(text, names) and (not tag or is_about(text, blocks)))
        return line_above(blocks, names) or next(unspoken, "") or tag or linked
    return shared or tag or linked or page.hint.title or next(iter(headings), "")


def plain(text: str) -> str:
    """A title without the entities that were escaped twice and the markup that an unclosed tag let in."""
    text = text[:TITLE_CHARS]
    return normalise(_MARKUP.sub("", html.unescape(text) if "&" in text else text))


def is_site_name(text: str, names: set[str]) -> bool:
    """True for the site's name, a part of it, and a few words with it ("Name News")."""
    letters = letters_of(text)
    if not letters or letters in names:
        return True
    if any(len(letters) > 3 and letters in name for name in names):
        return True
    words = text.split()
    return len(words) <= NAME_WORDS and any(
        (len(name) > 2 and name in map(letters_of, words)) or (len(name) > 3 and letters.startswith(name))
        for name in names
    )


def without_site(title: str, names: set[str]) -> str:
    """Take the site's name from both ends; from `Story | Name` also a name that we do not know."""
    parts = _SEPARATOR.split(title)
    while len(parts) > 1 and is_site_name(parts[-1], names):
        title = title[: title.rindex(parts.pop())].rstrip(MIDDLE)
    while len(parts) > 1 and is_site_name(parts[0], names):
        title = title[len(parts.pop(0)) :].lstrip(MIDDLE)
        parts = _SEPARATOR.split(title)
    opening, colon, rest = title.partition(": ")
    if colon and rest and letters_of(opening) in names:
        return rest
    start, bar, end = title.rpartition(" | ")
    return start if bar and len(start.split()) > 1 and len(end.split()) <= NAME_WORDS else title


def headings_of(claims: Claims, names: set[str]) -> list[str]:
    """The main headings but the masthead."""
    seen = dict.fromkeys(plain(heading) for heading in claims.headings)
    return [heading for heading in seen if heading and not is_masthead(heading, claims, names)]


def told_heading(headings: Sequence[str], claims: Claims, told: Sequence[str]) -> str:
    """The first main heading that another title contains; "" for none."""
    whole = [letters_of(text) for text in (*told, claims.title_tag)]
    for heading in headings:
        letters = letters_of(heading)
        if letters in whole or (len(letters) >= FEWEST_LETTERS and any(letters in text for text in whole)):
            return heading
    return ""


def reworded(headings: Sequence[str], told: Sequence[str], page: Page) -> str:
    """The first main heading that says in other words what another title or the address says; "" for none.

    Where it only has a kicker before the other title, the other title.
    """
    address = re.sub(r"[\W_]+", " ", page.url.partition("//")[2].partition("/")[2])
    for heading in headings:
        inside = next((text for text in told if is_ending(text, heading)), "")
        if inside or any(is_alike(heading, text) for text in (*told, address)):
            return inside or heading
    return ""


def is_ending(text: str, heading: str) -> bool:
    letters = letters_of(text)
    return len(letters) >= FEWEST_LETTERS and letters_of(heading).endswith(letters)


def is_masthead(heading: str, claims: Claims, names: set[str]) -> bool:
    """True when this heading is the masthead: an end of the title tag, while the rest of it is told elsewhere as the title."""
    letters, tag = letters_of(heading), letters_of(plain(claims.title_tag))
    if letters in names or any(len(letters) > 3 and letters in name for name in names):
        return True
    if letters == tag or not (tag.startswith(letters) or tag.endswith(letters)):
        return False
    rest = tag.removeprefix(letters) if tag.startswith(letters) else tag.removesuffix(letters)
    shared = letters_of(claims.metas.get("og:title", ""))
    others = [letters_of(other) for other in claims.headings]
    return rest == shared or (len(rest) >= FEWEST_LETTERS and rest in others)


def with_kicker(heading: str, told: Sequence[str]) -> str:
    """The heading with the words before it ("Place: Headline") when two of the other titles have the same ones."""
    letters = letters_of(heading)
    whole = [text for text in told if letters_of(text).endswith(letters) and _KICKER.match(text)]
    if len({letters_of(text) for text in whole}) == 1 and len(whole) > 1 and letters_of(whole[0]) != letters:
        return whole[0]
    return heading


def words_of(text: str) -> set[str]:
    """What two titles are compared by; a character is a word where words are not parted."""
    return set(_WORD.findall(text.casefold()))


def is_alike(heading: str, text: str) -> bool:
    """True when the shorter has most of its words from the longer, and a heading is not a list of headlines."""
    first, second = words_of(heading), words_of(text)
    common = len(first & second)
    return common > 1 and common >= SHARED_WORDS * min(len(first), len(second)) and len(heading) < LINE_CHARS


def visible_lines(blocks: Sequence[Block], names: set[str]) -> Iterator[Block]:
    for block in blocks[:FIRST_BLOCKS]:
        if not block.is_hidden and len(block.text) < LINE_CHARS and not is_site_name(block.text, names):
            yield block


def seen_whole(told: Sequence[str], blocks: Sequence[Block]) -> str:
    """The first of the other titles that stands on the page as a heading."""
    seen = {
        letters_of(block.text) for block in blocks[:FIRST_BLOCKS] if block.form == "heading" and not block.is_hidden
    }
    return next((text for text in told if letters_of(text) in seen and len(words_of(text)) > 1), "")


def seen_part(title: str, blocks: Sequence[Block], names: set[str]) -> str:
    """The longest line a reader sees that the title contains; "" for none."""
    letters = letters_of(title)
    parts = {letters_of(part) for part in _SEPARATOR.split(title)}
    best = ""
    for block in visible_lines(blocks, names):
        line = letters_of(block.text)
        is_part = line in parts and (len(block.text.split()) > 1 or block.level == 1)
        is_long = len(block.text.split()) >= LINE_WORDS[0] or (not block.text.isascii() and len(line) >= FEWEST_LETTERS)
        if line in letters and (is_part or is_long) and len(line) > len(letters_of(best)):
            best = block.text
    return best


def body_of(blocks: Sequence[Block]) -> set[str]:
    """The words of the text's beginning."""
    prose = " ".join(block.text for block in blocks if block.is_main and len(block.text) >= PROSE_CHARS)
    return words_of(prose[:BODY_CHARS])


def is_about(title: str, blocks: Sequence[Block]) -> bool:
    """True when the text takes up the title's words, or nothing can be said."""
    words, body = words_of(title), body_of(blocks)
    return bool(title) and (not body or len(words & body) > SAID * len(words))


def line_above(blocks: Sequence[Block], names: set[str]) -> str:
    """The line above the text that speaks of the same: a heading before others, the nearest before farther ones."""
    body = body_of(blocks)
    first = next((at for at, block in enumerate(blocks) if block.is_main and len(block.text) >= PROSE_CHARS), 0)
    best, rank = "", (False, 0.0, -1)
    for block in visible_lines(blocks[:first], names):
        words, at = words_of(block.text), len(block.text.split())
        share = len(words & body) / max(1, len(words))
        if (
            not LINE_WORDS[0] <= at <= LINE_WORDS[1]
            or share < TAKEN_UP
            or block.link_density >= LINKED
            or block.text.endswith(".")
        ):
            continue
        if _CRUMBS.search(block.text):
            continue
        mine = (block.form == "heading", share, len(words))
        if mine > rank:
            best, rank = block.text, mine
    return best
