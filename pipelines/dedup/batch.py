"""Copies among the lines of a file, without a corpus: what `copydesk dedup` does.

Lines are read twice: once for what comparing needs, once to write them back with what was found. In between only
numbers stay in memory. Every line comes back in its place; one that cannot be read comes back as it came and is reported.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite, isnan, nan
from typing import Any, BinaryIO

from pipelines.config import DedupConfig
from pipelines.dedup.clusters import Texts, clusters_of
from pipelines.dedup.compare import NEAR_JACCARD
from pipelines.dedup.origin import is_origin, named_origin
from pipelines.dedup.stories import StoryItem, group
from pipelines.language import language_of
from pipelines.records import Placement
from pipelines.urls import site

OUTPUT_KEYS = ("cluster", "canonical", "relation", "similarity", "story")
PUBLISHER_FIELDS = ("publisher", "source")
STORY_CHARS = 4000  # the event is told at the start
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of a file of lines."""

    lines: int  # read and written, broken and blank ones included
    clusters: int
    copies: int  # lines that are not canonical
    stories: int  # 0 unless asked for
    broken: tuple[tuple[int, str], ...]  # (line number from 1, what is wrong): passed through as they came
    with_time_field: int = 0  # lines that have the field named for times…
    timed: int = 0  # …and those in which it is a time


@dataclass(slots=True)
class Publishers:
    """Who published each text, as far as the records say, and whom some of the texts name as their origin."""

    names: list[tuple[str, str]] = field(default_factory=list)  # name and site of each text's publisher, or ("", "")
    origins: dict[int, str] = field(default_factory=dict)
    _known: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # each pair once

    def add(self, record: Mapping[str, Any], text: str) -> None:
        """Nothing is looked for in a text whose publisher is unknown: it can neither be the origin nor yield to one."""
        known = [value for key in PUBLISHER_FIELDS if isinstance(value := record.get(key), str) and value]
        url = record.get("url")
        names = known[0] if known else "", site(url) if isinstance(url, str) else ""
        number = len(self.names)
        self.names.append(self._known.setdefault(names, names))
        if any(names) and (name := named_origin(text)):
            self.origins[number] = sys.intern(name)

    def of_origin(self, labels: Sequence[int]) -> Iterator[int]:
        """The texts by a publisher that a text of their cluster names."""
        named: dict[int, set[str]] = {}
        for number, name in self.origins.items():
            named.setdefault(labels[number], set()).add(name)
        for number, (publisher, host) in enumerate(self.names) if named else ():
            if any(is_origin(name, publisher, f"https://{host}/") for name in named.get(labels[number], ())):
                yield number


@dataclass(slots=True)
class Lines:
    """What is remembered of each line that could be read, in order."""

    texts: Texts
    publishers: Publishers = field(default_factory=Publishers)
    with_time_field: int = 0
    ids: list[str | int | float] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)  # line number from 0
    broken: list[tuple[int, str]] = field(default_factory=list)
    count: int = 0


def dedup(
    records: Iterable[Mapping[str, Any]],
    *,
    text_field: str = "text",
    time_field: str | None = None,
    config: DedupConfig | None = None,
) -> Iterator[Placement]:
    """Place each record among all of them; `of` and `cluster` count records from 0, in the order they came.

    All records are read before the first placement comes. Memory holds their fingerprints, not their texts.
    """
    config = config or DedupConfig()
    texts, publishers = Texts(config.window_days), Publishers()
    try:
        for record in records:
            value = record.get(text_field)
            text = value if isinstance(value, str) else ""
            texts.add(text, seconds(record.get(time_field)) if time_field else nan)
            publishers.add(record, text)
        yield from placements(texts, clusters_of(texts, config), publishers)
    finally:
        texts.close()


def placements(texts: Texts, labels: Sequence[int], publishers: Publishers) -> Iterator[Placement]:
    """Say of each text how it stands to its cluster's canonical text: of the named origin, else the earliest, else the first."""
    canonical = earliest(texts, labels, range(len(labels))) | earliest(texts, labels, publishers.of_origin(labels))
    for number, label in enumerate(labels):
        yield placement(texts, number, canonical[label])


def earliest(texts: Texts, labels: Sequence[int], numbers: Iterable[int]) -> dict[int, int]:
    """The earliest of these texts, else the first, in each cluster."""
    found: dict[int, int] = {}
    for number in numbers:
        best = found.setdefault(labels[number], number)
        if best != number and earlier(texts.times[number], texts.times[best]):
            found[labels[number]] = number
    return found


def placement(texts: Texts, number: int, canonical: int) -> Placement:
    if number == canonical:
        return Placement(relation="original", cluster=canonical)
    first, own = texts.first_of[canonical], texts.first_of[number]
    if first == own:
        return Placement(
            relation="exact", of=canonical, cluster=canonical, similarity=1.0, containment=1.0, evidence="same text"
        )
    found = texts.likeness(own, first)
    return Placement(
        relation="near" if found.jaccard >= NEAR_JACCARD else "contained",
        of=canonical,
        cluster=canonical,
        similarity=round(found.jaccard, 4),
        containment=round(found.containment, 4),
        evidence=f"shares {found.shared} of {found.smaller} five-word runs",
    )


def earlier(one: float, other: float) -> bool:
    return not isnan(one) and (isnan(other) or one < other)


def dedup_lines(
    source: Iterable[bytes],
    out: BinaryIO,
    *,
    text_field: str = "text",
    id_field: str = "id",
    time_field: str | None = None,
    stories: bool = False,
    config: DedupConfig | None = None,
) -> Report:
    """Write every line of JSONL `source` to `out`, in order, with cluster, canonical, relation, similarity (and story).

    `cluster` is the id of the cluster's canonical line: that of the publisher a text names as its origin (where lines have
    `publisher`, `source` or `url`), else the earliest by `time_field`, else the first. A line
    without an id has its number for one. Nothing is written before the whole source was read, so `out` may be its file's successor.
    """
    config = config or DedupConfig()
    lines = Lines(Texts(config.window_days))
    try:
        with tempfile.TemporaryFile() as copy:
            for raw in source:
                copy.write(raw if raw.endswith(b"\n") else raw + b"\n")
                read_line(lines, raw, text_field, id_field, time_field)
            found = list(placements(lines.texts, clusters_of(lines.texts, config), lines.publishers))
            copy.seek(0)
            told = tell_stories(lines, found, copy, text_field) if stories else None
            copy.seek(0)
            write_lines(copy, out, lines, found, told)
    finally:
        lines.texts.close()
    clusters = len({place.cluster for place in found})
    return Report(
        lines=lines.count,
        clusters=clusters,
        copies=len(found) - clusters,
        stories=len(set(told)) if told else 0,
        broken=tuple(lines.broken),
        with_time_field=lines.with_time_field,
        timed=sum(not isnan(time) for time in lines.texts.times),
    )


def read_line(lines: Lines, raw: bytes, text_field: str, id_field: str, time_field: str | None) -> None:
    """Take what is needed of one line, or report it as broken."""
    number, lines.count = lines.count, lines.count + 1
    if not raw.strip():
        return
    try:
        record = parsed(raw)
        text = record[text_field]
    except (ValueError, RecursionError) as error:
        lines.broken.append((number + 1, f"no JSON object in UTF-8: {error}"))
        return
    except KeyError:
        lines.broken.append((number + 1, f"no field {text_field!r}"))
        return
    if text is not None and not isinstance(text, str):
        lines.broken.append((number + 1, f"field {text_field!r} is no string"))
        return
    identity = record.get(id_field)
    lines.ids.append(identity if isinstance(identity, str | int | float) else number + 1)
    lines.publishers.add(record, text or "")
    lines.positions.append(number)
    lines.with_time_field += time_field in record
    lines.texts.add(text or "", seconds(record.get(time_field)) if time_field else nan)


def parsed(raw: bytes) -> dict[str, Any]:
    """The line's object; ValueError when it is none."""
    record = json.loads(raw.removeprefix(_BYTE_ORDER_MARK).decode("utf-8"))
    if not isinstance(record, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of error for all that is wrong with a line
    return record


def seconds(value: object) -> float:
    """A time as seconds since 1970: a number, ISO 8601 or the form of mail and feeds; nan when it is none."""
    if isinstance(value, bool) or value is None:
        return nan
    if isinstance(value, int | float):
        return float(value) if isfinite(value) else nan
    try:
        time = datetime.fromisoformat(str(value).strip())
    except ValueError:
        try:
            time = parsedate_to_datetime(str(value))
        except (ValueError, TypeError):
            return nan
    try:
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return nan


def as_time(time: float) -> datetime | None:
    """Seconds as a time; None for none, and for one that no calendar has."""
    try:
        return None if isnan(time) else datetime.fromtimestamp(time, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def tell_stories(lines: Lines, found: Sequence[Placement], copy: BinaryIO, text_field: str) -> list[str | int | float]:
    """Group the canonical lines into stories; a copy is in the story of its original. One id a line."""
    items = []
    number = 0
    for position, raw in enumerate(copy):
        if number == len(lines.positions) or position != lines.positions[number]:
            continue
        if found[number].relation == "original":
            record = parsed(raw)
            title, time = record.get("title"), lines.texts.times[number]
            text = (record[text_field] or "")[:STORY_CHARS]
            items.append(
                StoryItem(
                    id=number,
                    title=title if isinstance(title, str) else "",
                    text=text,
                    language=language_of(text, (str(record.get("language") or record.get("lang") or ""),)),
                    published=as_time(time),
                )
            )
        number += 1
    told = group(items)
    return [
        lines.ids[int(told[place.cluster if place.cluster is not None else number])]
        for number, place in enumerate(found)
    ]


def write_lines(
    copy: BinaryIO, out: BinaryIO, lines: Lines, found: Sequence[Placement], told: Sequence[str | int | float] | None
) -> None:
    """Write each line back with what was found of it; broken and blank ones as they came."""
    names = cluster_names(lines.ids, found)
    number = 0
    for position, raw in enumerate(copy):
        if number == len(lines.positions) or position != lines.positions[number]:
            out.write(raw)
            continue
        place = found[number]
        added: dict[str, Any] = {
            "cluster": names[place.cluster if place.cluster is not None else number],
            "canonical": place.relation == "original",
            "relation": place.relation,
            "similarity": 1.0 if place.relation == "original" else place.similarity,
        }
        if told is not None:
            added["story"] = told[number]
        out.write(extended(raw, added))
        number += 1


def cluster_names(ids: Sequence[str | int | float], found: Sequence[Placement]) -> dict[int, str | int | float]:
    """The id of each canonical line, made distinct where a file uses one id for different texts."""
    taken: set[str | int | float] = set()
    names: dict[int, str | int | float] = {}
    for number, place in enumerate(found):
        if place.relation == "original":
            name = ids[number]
            while name in taken:
                name = f"{name}#{number + 1}"
            taken.add(name)
            names[number] = name
    return names


def extended(raw: bytes, added: Mapping[str, Any]) -> bytes:
    """The line with keys added at its end; its own bytes stay as they are, unless it has these keys already."""
    body = raw.removeprefix(_BYTE_ORDER_MARK).rstrip()
    if any(f'"{key}"'.encode() in body for key in OUTPUT_KEYS):
        record = parsed(body)
        if any(key in record for key in OUTPUT_KEYS):
            kept = {key: value for key, value in record.items() if key not in OUTPUT_KEYS}
            return as_json(kept | dict(added)) + b"\n"
    comma = b"" if body[:-1].rstrip().endswith(b"{") else b", "
    return body[:-1].rstrip() + comma + as_json(added)[1:] + b"\n"


def as_json(record: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8; escaped where half a surrogate pair came in escaped."""
    try:
        return json.dumps(record, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(record).encode("ascii")
