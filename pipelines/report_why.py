"""The page `copydesk why` prints: what the corpus knows of one address, in the order a doubting reader asks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from pipelines.report import KIND_WORDS, RELATION_WORDS, VERDICT_WORDS, aligned, clip, flat, moment, plural, share

Row = Mapping[str, Any]
Section = tuple[str, list[str]]

REASON_WORDS = {  # reasons that are not plain from their one word
    "not_html": "what came was no web page",
    "parse_error": "the page could not be read",
    "parse_timeout": "reading the page took too long",
    "parser_killed": "reading the page ended its process",
    "parser_memory": "reading the page took too much memory",
    "wall": "a consent, script or rate wall stood in place of the article",
    "too_short": "too little text is left to be an article",
    "off_topic": "a general source, and the page is not about AI safety",
    "robots": "the site's robots.txt says no",
    "noindex": "the page asks not to be kept",
    "coding": "it came packed in a way nobody asked for",
    "forbidden_address": "it does not lie on the public internet",
}
SHOWN_BLOCKS = 4  # of each kind; the rest is counted (`--json` and `--html` have all)
SHOWN_FETCHES = 8


def why_sections(known: Row, columns: int) -> Iterator[Section]:
    """Give the sections that have something to say, each a heading and its lines."""
    article = known["article"]
    if article is None:
        yield verdict_of_unkept(known)
    else:
        yield verdict_of_kept(article, known["removed"], columns)
        yield "relevance", term_lines(article, known["terms"], columns)
        if known["removed"]:
            yield f"left out: {plural(len(known['removed']), 'block')}", list(removed_lines(known["removed"], columns))
        yield "copies", copy_lines(article, known["copies"], columns)
        if known["story"]:
            yield "story", list(story_part(known["story"], article, columns))
        if known["versions"]:
            yield (
                f"versions before this one: {len(known['versions'])}",
                [f"  {moment(version['seen'])}" for version in known["versions"]],
            )
    if known["rejections"] and article is not None:
        yield "rejected at other times", rejection_lines(known["rejections"])
    yield "fetches", fetch_lines(known["fetches"])


def verdict_of_unkept(known: Row) -> Section:
    if not known["rejections"]:
        return f"not here: {known['url']}", ["  it was fetched, and no article came of it (yet)"]
    return f"not kept: {known['url']}", rejection_lines(known["rejections"])


def rejection_lines(rejections: Sequence[Row]) -> list[str]:
    """When and at which stage it was turned away, the reason in words and the detail."""
    lines = []
    for row in rejections[:SHOWN_FETCHES]:
        words = REASON_WORDS.get(row["reason"])
        lines.append(
            f"  {moment(row['time'])}  at stage {row['stage']}: {row['reason']}" + (f" ({words})" if words else "")
        )
        if row["detail"]:
            lines.append(f"    {flat(row['detail'])}")
    return lines


def verdict_of_kept(article: Row, removed: Sequence[Row], columns: int) -> Section:
    lines = [f"  {article['url']}"]
    published = moment(article["published"])
    origin = f" (from {article['published_origin']})" if article.get("published_origin") else ""
    who = [
        flat(article["publisher"]),
        flat(article["byline"]),
        f"published {published}{origin}" if published else "no date found",
    ]
    lines.append("  " + " · ".join(part for part in who if part))
    size = [
        f"{article['words']:,} words kept",
        f"{plural(len(removed), 'block')} left out",
        flat(article["language"]) or "language unknown",
    ]
    lines.append("  " + " · ".join([*size, f"source {article['source']}"]))
    return clip(f"{article['id']}  {flat(article['title']) or '(no title)'}", columns), lines


def term_lines(article: Row, terms: Sequence[Row], columns: int) -> list[str]:
    verdict = VERDICT_WORDS.get(str(article.get("verdict", "")), "")
    first = f"  score {float(article['relevance'] or 0):g}" + (f": {verdict}" if verdict else "")
    if not terms:
        return [first + ", no term of the vocabulary matched"]
    strongest = sorted(terms, key=lambda term: (-abs(float(term["weight"])), term["term"]))
    rows = [
        [f"  {float(term['weight']):+g}", flat(term["term"]), clip(flat(term["concept"]), columns // 2)]
        for term in strongest
    ]
    return [first, *aligned(rows)]


def removed_lines(removed: Sequence[Row], columns: int) -> Iterator[str]:
    """The blocks by kind, the most frequent kind first, each with its reason and what gave it away."""
    by_kind = sorted(
        ((kind, list(rows)) for kind, rows in groupby(sorted(removed, key=kind_of), key=kind_of)),
        key=lambda item: -len(item[1]),
    )
    for kind, rows in by_kind:
        yield f"  {KIND_WORDS.get(kind, kind)} ({len(rows)})"
        for row in rows[:SHOWN_BLOCKS]:
            yield f"    “{clip(flat(row['text']), columns - 8)}”"
            cause = " — ".join(part for part in (flat(row["reason"]), flat(row["evidence"])) if part)
            if cause:
                yield f"      because: {clip(cause, columns - 15)}"
        if len(rows) > SHOWN_BLOCKS:
            yield f"    … and {len(rows) - SHOWN_BLOCKS} more"


def kind_of(row: Row) -> str:
    return str(row["kind"])


def copy_lines(article: Row, copies: Sequence[Row], columns: int) -> list[str]:
    """Whose copy it is and who copied it."""
    lines = []
    for row in copies:
        is_copy = row["article"] == article["id"]
        word = RELATION_WORDS.get(row["relation"], row["relation"])
        other = flat(row.get("publisher")) or flat(row.get("url"))
        number = row["of"] if is_copy else row["article"]
        direction = f"a copy of {number}" if is_copy else f"copied by {number}"
        alike = f"{word}, {share(row['similarity'])} alike, {share(row['containment'])} of the shorter text"
        lines.append(f"  {clip(f'{direction} ({other})' if other else direction, columns // 2)}: {alike}")
        if row.get("evidence"):
            lines.append(f"    {clip(flat(row['evidence']), columns - 4)}")
    return lines or ["  none known: the only one with this text"]


def fetch_lines(fetches: Sequence[Row]) -> list[str]:
    """When it was asked for and what came back."""
    rows = [
        [
            f"  {moment(fetch['time'])}",
            str(fetch["status"] or "no answer"),
            f"{fetch['bytes'] or 0:,} bytes",
            flat(fetch["error"]),
        ]
        for fetch in fetches[:SHOWN_FETCHES]
    ]
    if not rows:
        return ["  none: it came from a file"]
    left = len(fetches) - SHOWN_FETCHES
    return [*aligned(rows), *([f"  … and {left} more"] if left > 0 else [])]


def story_part(story: Row, article: Row, columns: int) -> Iterator[str]:
    """The other articles that tell of the same event."""
    others = [item for item in story["items"] if item["cluster"] != article["cluster"]]
    if not others:
        yield "  the only article on this event so far"
        return
    yield f"  {clip(flat(story['title']), columns - 2)}, told by {plural(int(story['publishers']), 'publisher')}; also:"
    for item in others[:SHOWN_FETCHES]:
        yield f"  {item['id']:>5}  {clip(flat(item['publisher']) + ': ' + flat(item['title']), columns - 9)}"
