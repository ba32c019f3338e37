"""The story the demo tells: rows of the corpus and of the site's request log, turned into lines.

Pure, so that every sentence of it can be tested without a crawl: nothing is asked, nothing printed, no clock. A line is
a pair of its text and its tone; the printer decides what a tone looks like on a terminal.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

from pipelines.report import KIND_WORDS, aligned, clip, cluster_lines, flat, pad, plural, share, width, wrap
from pipelines.report_why import REASON_WORDS

Row = Mapping[str, Any]
Line = tuple[str, str]  # text, tone: heading | plain | quiet

WIDE_COLUMNS = 80  # from here on an example has room beside the name of its kind
WRITTEN = ("comment", "related", "repeat", "summary", "caption")  # kinds of blocks that hold prose
ALIKE = 0.1  # of the shorter text's word runs; unrelated articles of the site share none
HARDLY_ANY = 0.01
SHOWN_PAIRS = 6
PAIR_INDENT = 7
ROBOTS = "/robots.txt"
STATUS_WORDS = {301: " moved", 304: " not modified", 404: " not found"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """One of the demo's crawls: its last line, its rows, and what the site saw of it."""

    summary: str
    seconds: float
    run: Row
    sources: Sequence[Row] = ()
    rejections: Sequence[Row] = ()
    requests: Sequence[tuple[str, int]] = ()  # path and status of every request the site answered, in order


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two articles that share wording, or a story and a publisher, and are still two."""

    first: Row
    second: Row
    containment: float
    figures_agree: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All the tour tells, as rows."""

    first: Crawl
    second: Crawl
    names: Mapping[str, str] = field(default_factory=dict)  # source id: publisher's name
    removed: Sequence[Row] = ()
    clusters: Sequence[Row] = ()
    pairs: Sequence[Pair] = ()
    stories: Sequence[Row] = ()


def tour(found: Findings, columns: int) -> Iterator[Line]:
    """The whole story but its end, section by section."""
    yield from section("First crawl", crawl_lines(found.first, columns))
    yield from section("Publishers", publisher_lines(found.first.sources, found.names, columns))
    blocks = len(found.removed)
    yield from section(f"Left out of the articles: {plural(blocks, 'block')}", removed_lines(found.removed, columns))
    copies = sum(len(cluster["members"]) for cluster in found.clusters)
    told = plural(copies, "copy", "copies")
    yield from section(
        f"Collapsed: {told} of {plural(len(found.clusters), 'text')}", copy_lines(found.clusters, columns)
    )
    yield from section("Alike, and still two articles", pair_lines(found.pairs, columns))
    rejected = plural(len(found.first.rejections), "page")
    yield from section(f"Not kept: {rejected}", rejection_lines(found.first.rejections, columns))
    told_by_many = [story for story in found.stories if is_told_by_many(story)]
    yield from section("Told by several publishers", shared_story_lines(told_by_many, columns))
    yield from section("Second crawl, at once after the first", crawl_lines(found.second, columns))


def section(heading: str, lines: Iterable[Line]) -> Iterator[Line]:
    """A heading with its lines and a blank one; nothing at all when there is nothing to tell."""
    body = list(lines)
    if body:
        yield heading, "heading"
        yield from body
        yield "", "plain"


def crawl_lines(crawl: Crawl, columns: int) -> Iterator[Line]:
    """The run's own line, then what it cost the site."""
    yield from wrapped(crawl.summary, "plain", columns)
    robots = sum(path == ROBOTS for path, _ in crawl.requests)
    answers = Counter(status for path, status in crawl.requests if path != ROBOTS)
    parts = [f"{robots} × robots.txt"] if robots else []
    parts += [f"{count} × {status}{STATUS_WORDS.get(status, '')}" for status, count in sorted(answers.items())]
    asked = plural(len(crawl.requests), "request")
    new = plural(int(crawl.run.get("new") or 0), "new article")
    yield from wrapped(f"{asked}: {', '.join(parts)} · {new} · {crawl.seconds:.1f} s", "quiet", columns)


def wrapped(text: str, tone: str, columns: int) -> Iterator[Line]:
    """A sentence in as many lines as it needs."""
    for line in wrap(text, columns - 2):
        yield f"  {line}", tone


def publisher_lines(sources: Sequence[Row], names: Mapping[str, str], columns: int) -> Iterator[Line]:
    """A table: pages fetched, kept as new, copies, rejected."""
    heads = ("pages", "kept", "copies", "rejected")
    rows = [
        [
            clip(names.get(row["source"], row["source"]), columns - 40),
            *(counted(row, name) for name in ("fetched", "new", "copies", "rejected")),
        ]
        for row in sources
    ]
    if not rows:
        return
    total = [sum(int(row[index]) for row in rows) for index in range(1, len(heads) + 1)]
    table = [["", *heads], *rows, ["all", *(str(number) for number in total)]]
    straight = [[row[0], *(cell.rjust(len(head)) for cell, head in zip(row[1:], heads, strict=True))] for row in table]
    for number, line in enumerate(aligned(straight)):
        yield f"  {line}", "quiet" if number == 0 else "plain"


def counted(row: Row, name: str) -> str:
    return str(row.get(name) or 0)


def removed_lines(removed: Sequence[Row], columns: int) -> Iterator[Line]:
    """Each kind of block, the most frequent first: how many, one of them, and what gave it away."""
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in removed:
        kinds[row["kind"]].append(row)
    if not kinds:
        return
    ordered = sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
    number_wide = max(len(str(len(rows))) for rows in kinds.values())
    name_wide = max(width(KIND_WORDS.get(kind, kind)) for kind in kinds)
    is_wide = columns >= WIDE_COLUMNS
    indent = " " * (number_wide + 4 + (name_wide + 2 if is_wide else 0))
    room = columns - width(indent) - 2
    for kind, rows in ordered:
        row = example(rows, room)
        start = f"  {len(rows):>{number_wide}}  {pad(KIND_WORDS.get(kind, kind), name_wide)}"
        quoted = f"“{clip(flat(row['text']), room)}”"
        yield (f"{start}  {quoted}" if is_wide else start.rstrip()), "plain"
        if not is_wide:
            yield f"{indent}{quoted}", "plain"
        yield clip(f"{indent}{cause(row)}", columns), "quiet"


def example(rows: Sequence[Row], room: int) -> Row:
    """A block that shows what its kind is: one that fits and was told by its words rather than by its place.

    What people wrote is best seen in a long line, furniture in the one that stands there most often.
    """
    counts = Counter(row["text"] for row in rows)

    def rank(row: Row) -> tuple[bool, bool, int, int]:
        size = width(flat(row["text"]))
        often = 0 if row["kind"] in WRITTEN else counts[row["text"]]
        return (
            size <= room,
            bool(row["evidence"]) and not is_path(row["evidence"]),
            often,
            size if size <= room else -size,
        )

    return max(rows, key=rank)


def cause(row: Row) -> str:
    """Reason and evidence; the evidence only where it is words, and more than the text shown above it."""
    reason, evidence = flat(row["reason"]), flat(row["evidence"])
    if not evidence or is_path(evidence) or flat(row["text"]).startswith(evidence):
        return f"because: {reason}"
    return f"because: {reason} — {evidence}"


def is_path(evidence: str) -> bool:
    """True for a place in the page's structure, which tells a reader of the demo nothing."""
    return "/" in evidence and " " not in evidence


def copy_lines(clusters: Sequence[Row], columns: int) -> Iterator[Line]:
    """Who was first and who copied, as `copydesk duplicates` tells it."""
    for cluster in clusters:
        first, *others = cluster_lines(cluster, columns)
        yield first, "plain"
        for line in others:
            yield clip(line, columns), "quiet"


def alike(articles: Sequence[Row]) -> list[Pair]:
    """Pairs of articles in different clusters that share wording, or a story and a publisher; the most alike first."""
    from pipelines.dedup.compare import likeness, sketch

    sketches = {row["id"]: sketch(row["text"]) for row in articles}
    found: list[Pair] = []
    for first, second in combinations(
        sorted(articles, key=lambda row: (row["published"] or row["fetched"], row["id"])), 2
    ):
        likely = likeness(sketches[first["id"]], sketches[second["id"]])
        is_follow_up = (
            first["story"] is not None
            and first["story"] == second["story"]
            and first["publisher"] == second["publisher"]
        )
        if first["cluster"] != second["cluster"] and (likely.containment >= ALIKE or is_follow_up):
            found.append(
                Pair(first=first, second=second, containment=likely.containment, figures_agree=likely.figures_agree)
            )
    return sorted(found, key=lambda pair: (-pair.containment, pair.first["id"], pair.second["id"]))


def pair_lines(pairs: Sequence[Pair], columns: int) -> Iterator[Line]:
    """What looks like a copy and is none: weekly figures in the same sentences, the next chapter of a story."""
    for pair in pairs[:SHOWN_PAIRS]:
        for row in (pair.first, pair.second):
            yield clip(f"  {row['id']:>3}  {flat(row['title'])}", columns), "plain"
        who = " and ".join(dict.fromkeys(flat(row["publisher"]) for row in (pair.first, pair.second)))
        for line in wrap(f"{who}: {why_two(pair)}", columns - PAIR_INDENT):
            yield " " * PAIR_INDENT + line, "quiet"
    if len(pairs) > SHOWN_PAIRS:
        yield f"  and {plural(len(pairs) - SHOWN_PAIRS, 'more pair')}", "quiet"


def why_two(pair: Pair) -> str:
    """Why the two are not copies, in half a sentence."""
    shared = f"{share(pair.containment)} of the shorter one's wording"
    if not pair.figures_agree:
        return f"{shared}, but other figures: the next report"
    if pair.first["story"] is not None and pair.first["story"] == pair.second["story"]:
        return "the story goes on" + (f", with {shared}" if pair.containment >= HARDLY_ANY else " in new words")
    return f"{shared}: too little for a copy"


def rejection_lines(rejections: Sequence[Row], columns: int) -> Iterator[Line]:
    """A line for each stage and reason, then one a page: its path."""
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rejections:
        grouped[row["stage"], row["reason"]].append(row)
    for (stage, reason), rows in sorted(grouped.items()):
        more = REASON_WORDS.get(reason, "") or flat(rows[0]["detail"])
        yield from wrapped(f"{stage}: {reason}" + (f" — {more}" if more else ""), "quiet", columns)
        for path in sorted({path_of(row) for row in rows}):
            yield clip(f"    {path}", columns), "plain"


def path_of(row: Row) -> str:
    parts = urlsplit(row["url"])
    return parts.path + (f"?{parts.query}" if parts.query else "")


def is_told_by_many(story: Row) -> bool:
    """True when publishers told it in their own words; copies alone do not count."""
    return len({item["publisher"] for item in story["items"] if item["canonical"]}) > 1


def shared_story_lines(stories: Sequence[Row], columns: int) -> Iterator[Line]:
    """A story's name, then who told it under which title; copies are marked."""
    for story in stories:
        yield clip(f"  {flat(story['title'])}", columns), "plain"
        for item in story["items"]:
            who = flat(item["publisher"]) + ("" if item["canonical"] else " (a copy)")
            yield clip(f"  {item['id']:>5}  {who}: {flat(item['title'])}", columns), "quiet"


def next_lines(program: str, database: str, page: str, columns: int) -> Iterator[Line]:
    """Three commands to go on with. Never cut: they are there to be typed."""
    yield "Try next:", "heading"
    commands = [
        ("find it in Korean", f"{program} search '종료 저항' --db {database}"),
        *([("what was cut, and why", f"{program} why {page} --db {database}")] if page else []),
        ("take it with you", f"{program} export articles.jsonl --db {database}"),
    ]
    wide = max(width(words) for words, _ in commands)
    fits = all(width(command) + wide + 4 <= columns for _, command in commands)
    for words, command in commands:
        if fits:
            yield f"  {pad(words, wide)}  {command}", "plain"
        else:
            yield f"  {words}:", "quiet"
            yield f"  {command}", "plain"


def most_commented(removed: Sequence[Row]) -> int | None:
    """The article that lost most comments; None when none lost any."""
    counts = Counter(row["article"] for row in removed if row["kind"] == "comment")
    return min(counts, key=lambda article: (-counts[article], article)) if counts else None
