"""Turn a page's bytes into text we can trust: the right letters, and none that drive a terminal or break a parser.

Servers lie about charsets and pages carry control characters; one of either costs a whole article. Only names of
the WHATWG encoding standard are believed (Python also knows "idna", "zip" and "rot13"), and only when the result
looks like text.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

HEAD_BYTES = 4096  # browsers look for <meta charset> in the first 1024; some pages put comments before it
MAX_REPLACED = 0.01  # share of undecodable characters above which the claimed charset is a lie
FEWEST_RUNS, MOST_RUNS = 3, 0.95  # of what is not ASCII must be readable as UTF-8 again; real text: under a tenth
SAMPLE_BYTES = 200_000  # enough to detect a charset; detection is slow
LEFT_AFTER_STRIP = 0.15  # less of the markup left than this share of its text means an unbalanced script swallowed it

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_TITLE, _TITLE_END = re.compile(r"<title\b[^>]{0,500}>", re.IGNORECASE), re.compile(r"</title", re.IGNORECASE)
_ENDS = re.compile(r"</(?:body|html)\s{0,20}>", re.IGNORECASE)
_META = re.compile(rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})""", re.IGNORECASE)
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
# the standard's labels that name something; each is a Python codec or maps to one
_LABELS = {
    "utf-8": "utf-8", "utf8": "utf-8", "unicode-1-1-utf-8": "utf-8", "ascii": "cp1252", "us-ascii": "cp1252",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "l1": "cp1252", "iso8859-1": "cp1252", "windows-1252": "cp1252", "cp1252": "cp1252",
    "iso-8859-9": "cp1254", "windows-1254": "cp1254", "latin5": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "windows-874": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030", "chinese": "gb18030",
    "big5": "big5hkscs", "big5-hkscs": "big5hkscs", "x-x-big5": "big5hkscs", "cn-big5": "big5hkscs",
    "euc-jp": "euc_jp", "x-euc-jp": "euc_jp", "iso-2022-jp": "iso2022_jp",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms_kanji": "cp932", "windows-31j": "cp932",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "ksc5601": "cp949", "korean": "cp949", "windows-949": "cp949", "cp949": "cp949",
    "koi8-r": "koi8_r", "koi8": "koi8_r", "koi8-u": "koi8_u", "macintosh": "mac_roman", "x-mac-cyrillic": "mac_cyrillic", "ibm866": "cp866",
    "utf-16": "utf-16-le", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be",
    **{f"windows-125{n}": f"cp125{n}" for n in (0, 1, 3, 5, 6, 7, 8)},
    **{f"cp125{n}": f"cp125{n}" for n in (0, 1, 3, 5, 6, 7, 8)},
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    "latin2": "iso8859_2", "greek": "iso8859_7", "cyrillic": "iso8859_5",
}  # fmt: skip
# C0 and C1 but tab and line end, lone surrogates, marks that turn text round, zero width, noncharacters
_UNSAFE = dict.fromkeys(
    [
        *(code for code in range(32) if code not in (9, 10, 13)),
        *range(0x7F, 0x85), *range(0x86, 0xA0), 0xAD, *range(0xD800, 0xE000),
        0x061C, 0x180E, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC), 0xFFFE, 0xFFFF,
    ]
)  # fmt: skip
# Windows-1252 as servers use it: the five bytes it does not define stand for themselves, and so may all others
_BYTES = {chr(byte): byte for byte in range(0x80, 0x100)} | {
    bytes((byte,)).decode("cp1252"): byte for byte in range(0x80, 0x100) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}
_TWICE = re.compile(
    rb"\xc3[\x82-\xb4](?:\xc2[\x80-\xbf]|[\xc5\xc6\xcb\xe2])"
)  # a first byte of two or more, then another
_HIGH = re.compile(f"[{re.escape(''.join(_BYTES))}]+")
_OUTSIDE = re.compile(rf"[^\x00-\x7f{re.escape(''.join(_BYTES))}]")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|(\d{1,9}));?")
_CONTROLS = [chr(code) for code in (*range(9), 0x0B, *range(0x0E, 0x20))]
_NO_LETTERS = re.compile(r"[\W_]+")  # what str.isalnum says no to, twice as fast
# of Windows-1252, which has the letters and marks of western Europe: the same in a fifth of the time
_NOT_LETTERS = bytes(byte for byte in range(256) if not bytes((byte,)).decode("cp1252", "replace").isalnum())
_NEEDS_CARE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0300-\U0010ffff]")
_OPENING = re.compile(r"<((?a:style|svg|script))\b", re.IGNORECASE)  # ASCII: or "ſ" would be an s
_CLOSING = {name: re.compile(rf"</(?a:{name})\s*>", re.IGNORECASE) for name in ("style", "svg", "script")}


def decode(body: bytes, content_type: str) -> str:
    """Return the page's text: byte-order mark, header, meta, then detection; the first that gives text."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    if not body.isascii() and b"\0" not in body[:HEAD_BYTES]:
        try:  # text of another charset is never valid UTF-8 by chance, and pages re-saved as UTF-8 keep their old meta
            return once_encoded(body.decode("utf-8")) if _TWICE.search(body) else body.decode("utf-8")
        except UnicodeDecodeError:
            pass  # a cut last character or another charset: the claims are asked
    for codec in claimed_codecs(body, content_type):
        if codec.startswith("utf-16") and b"<" in body[:200] and b"\0" not in body[:200]:
            continue  # readable as ASCII, so it is not
        text = body.decode(codec, "replace")
        if is_text(text):
            return text
    return detected(body)


def claimed_codecs(body: bytes, content_type: str) -> Iterator[str]:
    """Python's codecs for the charsets that the header and the page name, as far as the names are any."""
    labels = (label.lower() for label in claimed(body, content_type))
    yield from dict.fromkeys(_LABELS[label] for label in labels if label in _LABELS)


def once_encoded(text: str) -> str:
    """Undo a second encoding: bytes of UTF-8 that a server took for Windows-1252 and encoded again ("Ã©" for "é").

    Only when nearly all that is not ASCII is such bytes: then it cannot be meant.
    """
    if _OUTSIDE.search(text):
        return text
    runs = [match.group() for match in _HIGH.finditer(text)]
    readable = {run: read for run in set(runs) if (read := read_again(run))}
    if len(runs) < FEWEST_RUNS or sum(run in readable for run in runs) < MOST_RUNS * len(runs):
        return text
    return _HIGH.sub(lambda match: readable.get(match.group(), match.group()), text)


def read_again(run: str) -> str:
    """The characters as the bytes they stand for, read as UTF-8; "" when they are none."""
    try:
        return bytes(_BYTES[letter] for letter in run).decode("utf-8")
    except UnicodeDecodeError:
        return ""


def claimed(body: bytes, content_type: str) -> list[str]:
    found = [match.group(1) for match in [_HEADER.search(content_type)] if match]
    found += [
        match.group(1).decode("ascii", "replace")
        for match in (_META.search(body[:HEAD_BYTES]), _XML.search(body[:200]))
        if match
    ]
    return [*found, "utf-8"]


def is_text(text: str) -> bool:
    return text.count("\ufffd") <= MAX_REPLACED * len(text)


def detected(body: bytes) -> str:
    """Guess the charset from the bytes themselves."""
    from charset_normalizer import from_bytes

    best = from_bytes(body[:SAMPLE_BYTES]).best()
    name = best.encoding if best is not None else "utf-8"
    return body.decode(name, "replace")


def without_control_references(text: str) -> str:
    """`&#1;`, or the character itself, makes the extractor give up the whole page: put a space there, or nothing."""
    if not text.isascii():
        text = text.replace("\ufffe", "").replace("\uffff", "")
    for control in _CONTROLS:  # one by one: none is in most pages, and a pattern for them all takes ten times as long
        if control in text:
            text = text.replace(control, "")
    return _REFERENCE.sub(_safe_reference, text)


def _safe_reference(match: re.Match[str]) -> str:
    code = int(match.group(1), 16) if match.group(1) else int(match.group(2))
    is_bad = (
        code > 0x10FFFF or (code < 32 and code not in (9, 10, 13)) or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE
    )
    return " " if is_bad else match.group()


def without_scripts(text: str) -> str:
    """The markup without scripts, styles and drawings, half of the bytes of a page; unchanged when that would cost text."""
    stripped = " ".join(outside_scripts(text))
    return (
        stripped
        if len(stripped) >= LEFT_AFTER_STRIP * len(text) or stripped.lower().count("<p") >= text.lower().count("<p")
        else text
    )


def outside_scripts(text: str) -> Iterator[str]:
    """What stands between scripts (not those with JSON-LD), styles and drawings.

    In one pass: with a pattern for the whole, 400 kB of openings that nobody closes took a minute.
    """
    done, tag_end, json_at = 0, -1, -1
    unclosed: set[str] = set()
    for match in _OPENING.finditer(text):
        name, inside = match[1].lower(), match.end()
        if match.start() < done or name in unclosed:
            continue
        if tag_end < inside:
            tag_end = text.find(">", inside)
            if tag_end < 0:
                break
            found = text[inside:tag_end].lower().rfind("ld+json")
            json_at = inside + found if found >= 0 else -1
        if name == "script" and json_at >= inside:
            continue
        closing = _CLOSING[name].search(text, tag_end + 1)
        if closing is None:
            unclosed.add(name)
            continue
        yield text[done : match.start()]
        done = closing.end()
    yield text[done:]


def with_closed_title(markup: str) -> str:
    """Close a title that is never closed where the next tag begins: parsers take the whole page for it otherwise."""
    begin = _TITLE.search(markup)
    if begin is None or _TITLE_END.search(markup, begin.end()):
        return markup
    end = markup.find("<", begin.end())
    return markup if end < 0 else f"{markup[:end]}</title>{markup[end:]}"


def with_one_end(markup: str) -> str:
    """Leave out all ends of body and page but the last: parsers stop at the first, which may be an advertisement's."""
    found = list(_ENDS.finditer(markup))
    inner = [end for end in found[:-2] if markup.find("<p", end.end()) > 0 or markup.find("<div", end.end()) > 0]
    for end in reversed(inner):
        markup = markup[: end.start()] + " " + markup[end.end() :]
    return markup


@lru_cache(maxsize=1024)  # a block's letters are asked for three times on its way
def letters_of(text: str) -> str:
    """Letters and digits only, without case: what stays the same when quotes, dashes and spaces differ."""
    folded = text.casefold()
    try:
        return folded.encode("cp1252").translate(None, _NOT_LETTERS).decode("cp1252")
    except UnicodeEncodeError:
        return _NO_LETTERS.sub("", folded)


def normalise(text: str) -> str:
    """The one spelling of text we keep: NFC, single spaces, no control, bidirectional or zero-width characters."""
    text = " ".join(text.split())
    if (text.isascii() and text.isprintable()) or not _NEEDS_CARE.search(text):
        return text
    return " ".join(unicodedata.normalize("NFC", text.translate(_UNSAFE)).split())
