"""Walk a parsed page once and give its blocks in document order.

Everything later works on these blocks, so they hold what a decision needs: the text, what form it has, where it
stands, how much of it is links, and whether a reader sees it at all. The walk is a loop, not a recursion: pages
nest a thousand deep.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, cast

from lxml import etree

from pipelines.decode import normalise
from pipelines.records import Block

MAX_PATH_CHARS = 1000  # real paths have under 400; a page nested 1,000 deep must not make a megabyte of them
LAYOUT_CELL_CHARS = 400  # a cell with more text than this is a column of the page, not a value
MAX_CELLS = 200

HEADINGS = {f"h{level}": level for level in range(1, 7)}
LINK_END = ""  # texts are never empty, so this piece says that a link ended here
STREAMED = "S:"  # React sends parts of a page hidden under such an id, and its script moves them to their place
HIDING = {"template", "noscript"}
BLOCK_TAGS = {
    "address", "article", "aside", "blockquote", "body", "button", "caption", "center", "dd", "details", "dialog", "dir", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "frameset", "header", "hr", "html", "label", "legend", "li", "main", "menu", "nav", "ol",
    "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "template", "noscript", *HEADINGS,
}  # fmt: skip
# what an element is to the walk; all others are inline
BLOCK, LINK, BREAK, SKIPPED = "block", "link", "break", "skipped"
SKIPPED_TAGS = (
    "script", "style", "svg", "head", "iframe", "object", "embed", "canvas", "audio", "video", "select", "option", "textarea", "math",
)  # fmt: skip
ROLES = dict.fromkeys(BLOCK_TAGS, BLOCK) | dict.fromkeys(SKIPPED_TAGS, SKIPPED) | {"a": LINK, "br": BREAK}
FORMS = {
    "p": "paragraph", "li": "list_item", "dd": "list_item", "dt": "list_item", "blockquote": "quote", "figcaption": "caption", "caption": "caption",
    "pre": "code", "button": "other", "label": "other", "legend": "other", "summary": "other", "form": "other", "address": "other",
    **dict.fromkeys(HEADINGS, "heading"),
}  # fmt: skip
# an element's form goes by that of the one around it
FORM_IN = dict.fromkeys((*FORMS.values(), "paragraph"), FORMS) | {
    "quote": FORMS | {"p": "quote", "div": "quote"},
    "caption": FORMS | {"p": "caption", "div": "caption"},
    "list_item": FORMS | {"p": "list_item"},
}
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# of a page's thousand elements the dozens that `is_hidden` must look at; asked for by element it takes twice as long
_MAY_HIDE = etree.XPath("//@hidden|//@style|//@aria-hidden")
_NOT_A_NAME = re.compile(r"[^\w-]")
LAYING_OUT = (
    "p",
    "div",
    "table",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "form",
    "article",
)  # in no cell of a table of data


class Walker:
    """Gathers inline text until a block begins or ends, then makes a block of it.

    A page has a thousand elements and most say nothing: what is asked of each is asked before anything is called.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._pieces: list[str] = []  # never begins with white space: no block does
        self._link_chars = 0
        self._breaks = 0
        self._path, self._form, self._level = "", "paragraph", 0  # of the element we are in
        self._outer: list[tuple[str, str, int]] = []  # those of the elements around it
        self._hidden = 0
        self._links = 0
        self._last_row: Any = None  # the table's row that became a block as a whole

    def walk(self, root: Any) -> list[Block]:  # noqa: PLR0912 - as the docstring says
        """The blocks below this element, in order.

        Long because a call for each of a thousand elements would take as long as all that is done with it here.
        """
        pieces = self._pieces
        # kept: an element of lxml's is the same object only while somebody holds it
        perhaps_hidden = {attribute.getparent() for attribute in cast("list[Any]", _MAY_HIDE(root))}
        steps = etree.iterwalk(root, events=("start", "end"))
        for event, node in steps:
            tag = node.tag
            role = ROLES.get(tag)
            if event == "start":
                if role == SKIPPED or (tag == "tr" and self._row(node)):
                    steps.skip_subtree()
                    continue
                if role == BREAK:
                    self._break()
                    continue
                if role == BLOCK:
                    if pieces:
                        self._flush()
                    path, form = self._path, self._form
                    self._outer.append((path, form, self._level))
                    self._path = below(path, tag, node)
                    self._form = FORM_IN[form].get(tag, "paragraph")
                    self._level = HEADINGS.get(tag, 0)
                if self._hidden or tag in HIDING or (node in perhaps_hidden and is_hidden(node)):
                    self._hide(role)
                if role == LINK:
                    self._links += 1
                    if pieces and pieces[-1] == LINK_END:  # two links of a menu, parted by style alone
                        pieces.append(" ")
                text = node.text
            else:
                if role == BLOCK and node is not self._last_row:
                    if pieces:
                        self._flush()
                    self._path, self._form, self._level = self._outer.pop()
                if self._hidden and role not in (BREAK, SKIPPED) and node is not self._last_row:
                    self._show(role)
                if role == LINK:
                    self._links -= 1
                    if pieces:
                        pieces.append(LINK_END)
                text = node.tail if node is not root else None
            if text and (pieces or not text.isspace()):
                pieces.append(text)
                if self._breaks and not text.isspace():
                    self._breaks = 0
                if self._links:
                    self._link_chars += len(text.strip())
        self._flush()
        return self.blocks

    def _hide(self, role: str | None) -> None:
        """What begins here is hidden, or is inside of what is."""
        if not self._hidden and role != BLOCK:
            self._flush()
        self._hidden += 1

    def _show(self, role: str | None) -> None:
        """An element that is hidden, or is inside of one, ends."""
        if self._hidden == 1 and role != BLOCK:
            self._flush()
        self._hidden -= 1

    def _break(self) -> None:
        self._breaks += 1
        if self._breaks >= 2:
            self._flush()
        else:
            self._pieces.append(" ")

    def _flush(self) -> None:
        if self._pieces:
            text = normalise("".join(self._pieces))
            if text:
                self._add(text, self._form, self._link_chars, self._path)
            self._pieces.clear()
        self._link_chars = 0

    def _add(self, text: str, form: str, link_chars: int, path: str) -> None:
        self.blocks.append(
            Block(
                text=text,
                form=form,
                level=self._level if form == "heading" else 0,
                path=path,
                link_density=min(1.0, link_chars / len(text)),
                is_hidden=self._hidden > 0,
            )
        )

    def _row(self, row: Any) -> bool:
        """Give a table's row as one block; False when the table only lays out the page."""
        self._last_row = None
        if is_layout(row):
            return False
        cells = [normalise("".join(cell.itertext())) for cell in row[:MAX_CELLS] if isinstance(cell.tag, str)]
        if len(cells) < 2 or max(map(len, cells)) > LAYOUT_CELL_CHARS:
            return False
        self._flush()
        self._last_row = row
        text = " | ".join(cell for cell in cells if cell)
        if text:
            link_chars = sum(len(normalise("".join(link.itertext()))) for link in row.iter("a"))
            self._add(text, "table_row", link_chars, below(self._path, "tr", row))
        return True


def below(path: str, tag: str, node: Any) -> str:
    """The path of an element in the one with this path."""
    return f"{path}/{step(tag, node.get('class'), node.get('id'))}" if len(path) < MAX_PATH_CHARS else path


@lru_cache(maxsize=4096)
def step(tag: str, names: str | None, identity: str | None) -> str:
    """An element as one step of a path: its name, first class and id."""
    first = (names or "").split(None, 1)
    return (
        tag
        + ("." + _NOT_A_NAME.sub("", first[0])[:60] if first else "")
        + ("#" + _NOT_A_NAME.sub("", identity)[:60] if identity else "")
    )


def is_layout(row: Any) -> bool:
    """True for a table's row that only places things on the page: it holds whole blocks, or lines parted by empty ones."""
    if next(row.iter(LAYING_OUT), None) is not None:  # the first is enough: rows may be nested by the thousand
        return True
    return any(line.getnext() is not None and line.getnext().tag == "br" for line in row.iter("br"))


def is_hidden(node: Any) -> bool:
    """True for what a browser does not show by its attributes: hidden, display:none, aria-hidden."""
    attributes = node.attrib
    if "hidden" in attributes and attributes["hidden"].lower() != "until-found":
        return not attributes.get("id", "").startswith(STREAMED)
    style = attributes.get("style")
    return bool(style and _INVISIBLE.search(style)) or attributes.get("aria-hidden", "").lower() == "true"
