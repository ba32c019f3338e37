"""Turn rows into lines a person can read. Pure: nothing is printed here, and nothing is coloured.

A Korean or Chinese character is two columns wide on every terminal, so widths are measured, not counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

Row = Mapping[str, Any]
SHOWN_CONTESTED = 10  # the rest is counted; --json has all

KIND_WORDS = {  # kinds of blocks as a reader of the page would call them
    "comment": "reader comments",
    "comment_form": "comment form",
    "related": "related stories",
    "newsletter": "newsletter boxes",
    "share": "share buttons",
    "author_bio": "about the author",
    "navigation": "navigation",
    "legal": "legal notes",
    "paywall": "paywall notes",
    "repeat": "said before on the page",
    "site_template": "stands on the whole site",
    "summary": "summary boxes",
    "title": "the title again",
    "byline": "byline",
    "caption": "captions",
    "other": "other",
}
VERDICT_WORDS = {"relevant": "about AI safety", "borderline": "on the border", "off_topic": "not about AI safety"}
RELATION_WORDS = {
    "exact": "the same words",
    "near": "nearly the same words",
    "contained": "a part of it",
    "version": "a later version",
    "original": "the first",
}


# C0 and C1 but line end and tab, and the marks that turn text round: a title must not drive the terminal
UNSAFE = (
    *(code for code in range(32) if code not in (9, 10)),
    *range(127, 160),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    0x061C,
    0x200E,
    0x200F,
)
_PRINTABLE = dict.fromkeys(UNSAFE, "\ufffd")
# JSON says the same with them escaped; some readers end a line at U+2028 and U+2029
JSON_ESCAPES = {code: f"\\u{code:04x}" for code in (*UNSAFE, 0x2028, 0x2029) if code > 31}
_MARKUP = re.compile(r"<(?=[a-zA-Z/!?])|&(?=#?\w+;)")
_STRUCTURE = re.compile(r"^(\d{0,9})(?:(?<=\d)([.)])|(?<!\d)([#>*+\-=|`~_\[]))")


def printable(text: str) -> str:
    """The text without what would move the cursor, colour the screen or turn letters round."""
    return text.translate(_PRINTABLE)


def escape_markdown(line: str) -> str:
    """A line that holds no HTML, no link and no picture, and whose first characters make it no heading, list, quote or code."""
    line = _MARKUP.sub(lambda found: "&lt;" if found[0] == "<" else "&amp;", line.strip()).replace("](", "]\\(")
    return _STRUCTURE.sub(lambda found: f"{found[1]}\\{found[2] or found[3]}", line)


def width(text: str) -> int:
    """How many columns the text takes on a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def clip(text: str, columns: int) -> str:
    """The text, cut with "…" where it would be wider than `columns`."""
    if width(text) <= columns:
        return text
    taken, used = [], 0
    for char in text:
        used += width(char)
        if used > columns - 1:
            break
        taken.append(char)
    return "".join(taken).rstrip() + "…"


def pad(text: str, columns: int) -> str:
    return text + " " * max(0, columns - width(text))


def flat(value: object) -> str:
    """Any value in one line; times to the minute."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return " ".join(str(value).split())


def moment(value: object) -> str:
    """A stored time as a day and minute in UTC."""
    text = flat(value)
    return text[:16].replace("T", " ") if len(text) > 10 else text


def span(time: timedelta) -> str:
    """How long something took, to two digits or so."""
    seconds = time.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def day(value: object) -> str:
    return flat(value)[:10]


def aligned(rows: Sequence[Sequence[str]], gap: str = "  ") -> list[str]:
    """Rows of cells as lines with straight columns; the last one runs as long as it likes."""
    if not rows:
        return []
    columns = [max(width(row[index]) for row in rows) for index in range(len(rows[0]))]
    return [
        gap.join([*(pad(cell, wide) for cell, wide in zip(row[:-1], columns, strict=False)), row[-1]]).rstrip()
        for row in rows
    ]


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def paragraphs(text: str, columns: int) -> list[str]:
    """Text as lines no wider than `columns`, blank lines kept; words are not torn unless a script has no spaces."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += wrap(paragraph, columns)
    return lines


def wrap(text: str, columns: int) -> list[str]:
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if width(joined) <= columns:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while width(line) > columns:
            piece = head_of(line, columns)
            lines.append(piece)
            line = line[len(piece) :]
    return [*lines, line]


def head_of(text: str, columns: int) -> str:
    used = 0
    for index, char in enumerate(text):
        used += width(char)
        if used > columns:
            return text[: max(index, 1)]
    return text


def tally_lines(counts: Row, verb: str) -> list[str]:
    """The end of an ingest or reprocess: one line, and one more of why pages were rejected."""
    parts = [plural(counts["pages"], "page") + " " + verb]
    parts += [f"{counts[key]:,} {key}" for key in ("new", "updated", "unchanged") if counts[key]]
    if counts["copies"]:
        parts.append(plural(counts["copies"], "copy of a known article", "copies of known articles"))
    if counts["rejected"]:
        reasons = ", ".join(
            f"{reason} {count:,}"
            for reason, count in sorted(counts["reasons"].items(), key=lambda item: (-item[1], item[0]))
        )
        parts.append(f"{counts['rejected']:,} rejected ({reasons})")
    if counts["skipped"]:
        parts.append(plural(counts["skipped"], "file") + " read before")
    if counts["failed"]:
        parts.append(f"{counts['failed']:,} failed")
    stay = [f"  stays, though the rules of today reject it: {url}" for url in counts["contested"][:SHOWN_CONTESTED]]
    if len(counts["contested"]) > SHOWN_CONTESTED:
        stay.append(f"  and {len(counts['contested']) - SHOWN_CONTESTED:,} more")
    return [" · ".join(parts), *stay]


def indented(lines: Iterable[str], by: str = "  ") -> list[str]:
    return [f"{by}{line}" if line else "" for line in lines]


def cluster_lines(cluster: Row, columns: int) -> list[str]:
    """One cluster of copies: the first article, then who copied it and how alike they are."""
    first, members = cluster["canonical"], cluster["members"]
    lines = [
        f"{first['id']:>5}  {clip(flat(first['title']), columns - 7)}",
        f"       {day(first['published'] or first['fetched'])} · {first['publisher']} · first",
    ]
    for copy in members:
        if copy["id"] == first["id"]:
            continue
        word = RELATION_WORDS.get(copy["relation"], copy["relation"])
        alike = f"{word}, {share(copy['similarity'])} alike"
        if copy["relation"] == "contained":
            alike = f"{word}, {share(copy['containment'])} of the shorter text"
        line = f"       └ {copy['id']} {copy['publisher']} · {day(copy['published'] or copy['fetched'])}"
        joined = f"{line} · {alike}"
        # how alike they are must not be what is cut off
        lines += [joined] if width(joined) <= columns else [clip(line, columns), f"         {alike}"]
        if flat(copy["title"]) != flat(first["title"]):
            lines.append(f"         under the title “{clip(flat(copy['title']), columns - 28)}”")
    return lines


def story_lines(story: Row, columns: int) -> list[str]:
    """One story: title, span, why it is relevant, and its articles."""
    span = day(story["first_seen"])
    if day(story["last_seen"]) != span:
        span += f" – {day(story['last_seen'])}"
    listed = len(story["items"])
    counted = [span, plural(listed, "article")]
    if copies := story["articles"] - listed:
        counted.append(plural(copies, "copy", "copies") + " of " + ("it" if listed == 1 else "them"))
    counted.append(plural(story["publishers"], "publisher"))
    lines = [clip(flat(story["title"]), columns), "  " + " · ".join(counted)]
    if story["concepts"]:
        lines.append(clip("  about " + ", ".join(flat(concept) for concept in story["concepts"]), columns))
    for item in story["items"]:
        who = clip(flat(item["publisher"]), columns // 3)
        lines.append(f"  {item['id']:>5}  {clip(f'{who}: ' + flat(item['title']), columns - 9)}")
    return lines


def stats_lines(found: Row) -> list[tuple[str, list[str]]]:
    """What the corpus holds, under headings."""
    span = f"{day(found['first'])} – {day(found['last'])}" if found["articles"] else "no article yet"
    held = [
        ["articles", f"{found['articles']:,}", span],
        ["  texts", f"{found['canonical']:,}", f"{found['words']:,} words"],
        ["  copies of them", f"{found['copies']:,}", f"in {plural(found['clusters'], 'cluster')}"],
        ["stories", f"{found['stories']:,}", ""],
        ["earlier versions", f"{found['versions']:,}", ""],
        ["publishers", f"{found['publishers']:,}", f"from {plural(found['sources'], 'source')}"],
        ["raw pages", f"{found['raw_pages']:,}", f"{found['raw_bytes'] / 1e6:,.1f} MB compressed"],
        ["database", f"{found['database_bytes'] / 1e6:,.1f} MB", f"SQLite {found['sqlite']}"],
    ]
    tallies = [
        ("languages", found["languages"]),
        ("relevance", {VERDICT_WORDS.get(name, name): count for name, count in found["verdicts"].items()}),
        ("kinds of copies", {RELATION_WORDS.get(name, name): count for name, count in found["relations"].items()}),
        (
            "blocks left out of articles",
            {KIND_WORDS.get(name, name): count for name, count in found["removed"].items()},
        ),
        ("pages not kept, by reason", found["rejections"]),
    ]
    sections = [("corpus", indented(aligned([[name, count.rjust(8), more] for name, count, more in held])))]
    return sections + [(heading, tally_table(counts)) for heading, counts in tallies if counts]


def tally_table(counts: Mapping[str, int]) -> list[str]:
    wide = max(len(f"{count:,}") for count in counts.values())
    return [f"  {count:>{wide},}  {name or 'unknown'}" for name, count in counts.items()]


def share(value: object) -> str:
    return f"{float(value or 0) * 100:.0f} %"  # type: ignore[arg-type]
