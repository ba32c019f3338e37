"""Copies among the lines of a file: every line back in its place, with what was found."""

import io
import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config import DedupConfig
from pipelines.dedup import batch, dedup, dedup_lines
from pipelines.dedup.batch import OUTPUT_KEYS, as_json, seconds
from pipelines.dedup.pairs import candidate_pairs
from pipelines.dedup.spill import Spill
from tests.cli_helpers import run_cli
from tests.dedup_texts import CHINESE, FIRE, KOREAN, OTHER, STORY, prose


def run(lines, **options):
    """The report and the lines that came out, read."""
    source = b"".join(line if isinstance(line, bytes) else as_json(line) + b"\n" for line in lines)
    out = io.BytesIO()
    report = dedup_lines(io.BytesIO(source), out, **options)
    return report, out.getvalue().splitlines(keepends=True)


def found(lines, **options):
    return [json.loads(line) for line in run(lines, **options)[1]]


def texts(*several):
    return [{"id": f"n{number}", "text": text} for number, text in enumerate(several)]


def test_copies_share_the_cluster_of_the_first_line():
    copy, part = "EASTMERE (Wire) — " + STORY.replace('"', "“"), " ".join(STORY.split()[:70]) + " Read more"
    lines = found(texts(OTHER, STORY, copy, KOREAN, part, STORY.upper(), CHINESE, KOREAN + " 끝"))
    assert [line["cluster"] for line in lines] == ["n0", "n1", "n1", "n3", "n1", "n1", "n6", "n3"]
    assert [line["relation"] for line in lines] == [
        "original",
        "original",
        "near",
        "original",
        "contained",
        "exact",
        "original",
        "near",
    ]
    assert [line["canonical"] for line in lines] == [True, True, False, True, False, False, True, False]
    assert lines[5]["similarity"] == 1.0
    assert 0.8 < lines[2]["similarity"] < 1.0


def test_with_times_the_earliest_is_canonical_and_old_words_are_news_again():
    days = ["2026-03-05", "2026-03-03T10:00:00Z", "Tue, 03 Mar 2026 09:00:00 GMT", "2026-08-01", ""]
    lines = [{"id": number, "text": f"Line {number} here. {STORY}", "day": day} for number, day in enumerate(days)]
    assert [line["cluster"] for line in found(lines, time_field="day")] == [2, 2, 2, 3, 2]
    note = "The harbour office leaves its fees for visiting boats unchanged until further notice, it said."
    notes = [{"id": number, "text": note, "day": day} for number, day in enumerate(days[:4])]
    assert [line["cluster"] for line in found(notes, time_field="day")] == [2, 2, 2, 3]
    assert [line["cluster"] for line in found(notes)] == [0, 0, 0, 0]


def test_templates_and_footers_are_counted_over_the_whole_file():
    chance = random.Random(1)
    fires = [
        FIRE.format(
            town=chance.choice(["Eastmere", "Holm", "Vika"]), what="flat", road=f"{chance.choice(['Mill', 'Park', 'High'])} Road", time=f"{chance.randint(1, 12)}.{chance.randint(10, 59)}pm",
            day="Monday", engines=chance.choice(["Two", "Four"]), people=chance.randint(2, 90), hours=chance.randint(2, 9), phone="555 0101",
        ) for _ in range(8)
    ]  # fmt: skip
    footer = prose(77, 6)
    pages = [f"{prose(200 + number, 4)}\n{footer}" for number in range(8)]
    lines = found(texts(*fires, *pages, pages[3].replace("a", "A") + " Ends here."))
    assert [line["cluster"] for line in lines] == [f"n{number}" for number in range(16)] + ["n11"]


def test_walls_empty_and_tiny_texts_match_nothing():
    same = [
        "",
        "",
        "Read more",
        "Read more",
        "Please enable JavaScript to continue reading this.",
        "Please enable JavaScript to continue reading this.",
    ]
    assert all(line["canonical"] for line in found(texts(*same)))


def test_broken_lines_come_back_as_they_came_and_are_reported():
    lines = [
        b'{"id": 1, "text": "cut off\n',
        b"\n",
        {"id": 2, "text": STORY},
        b"[1]\n",
        b'{"id": 4}\n',
        b"\xff\xfe\n",
        {"id": 5, "text": 7},
        {"id": 6, "text": STORY},
        b"[" * 100_000 + b"\n",
    ]
    report, out = run(lines)
    assert len(out) == len(lines)
    assert [number for number, _ in report.broken] == [1, 4, 5, 6, 7, 9]
    assert [out[at] for at in (0, 1, 3, 4, 5, 8)] == [lines[at] for at in (0, 1, 3, 4, 5, 8)]
    assert json.loads(out[7])["cluster"] == 2
    assert (report.lines, report.clusters, report.copies) == (9, 1, 1)


def test_the_bytes_of_a_line_stay_and_old_answers_are_replaced():
    raw = b'\xef\xbb\xbf{ "id" : "a",  "text":"caf\\u00e9 \\ud83d",   "n": 1.50 }  \r\n'
    again = json.dumps({"id": "b", "text": OTHER, "cluster": "old", "story": "old"}).encode()
    _, out = run([raw, b"{}\n", again])
    assert out[0].startswith(b'{ "id" : "a",  "text":"caf\\u00e9 \\ud83d",   "n": 1.50, "cluster": "a"')
    assert out[1] == b"{}\n"
    assert json.loads(out[2]) == {
        "id": "b",
        "text": OTHER,
        "cluster": "b",
        "canonical": True,
        "relation": "original",
        "similarity": 1.0,
    }


def test_an_id_used_twice_does_not_join_what_is_different():
    lines = found(
        [{"id": 1, "text": STORY}, {"id": 1, "text": OTHER}, {"text": KOREAN}, {"id": "\ud800", "text": CHINESE}]
    )
    assert [line["cluster"] for line in lines] == [1, "1#2", 3, "\ud800"]


@given(
    st.lists(st.sampled_from([STORY, OTHER, KOREAN, "", "Short.", STORY[:300], OTHER + STORY]), max_size=12),
    st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_no_line_is_lost_doubled_or_moved(several, stories):
    lines = [{"id": number, "text": text, "extra": [number]} for number, text in enumerate(several)]
    report, out = run(lines, stories=stories)
    assert report.lines == len(lines) == len(out)
    clusters = {}
    for line, raw in zip(lines, out, strict=True):
        record = json.loads(raw)
        assert {key: value for key, value in record.items() if key not in OUTPUT_KEYS} == line
        assert ("story" in record) == stories
        clusters.setdefault(record["cluster"], []).append(record["canonical"])
    assert all(marks.count(True) == 1 for marks in clusters.values())


@given(st.permutations(range(7)))
@settings(max_examples=15, deadline=None)
def test_clusters_do_not_depend_on_the_order_of_lines(order):
    several = texts(STORY, OTHER, "Wire: " + STORY, KOREAN, " ".join(STORY.split()[:90]), OTHER.upper(), KOREAN[:150])
    groups = {}
    for line in found([several[at] for at in order]):
        groups.setdefault(line["cluster"], set()).add(line["id"])
    assert sorted(map(sorted, groups.values())) == [["n0", "n2", "n4"], ["n1", "n5"], ["n3", "n6"]]


def test_records_get_placements_in_their_order():
    placements = list(dedup([{"text": OTHER}, {"text": STORY}, {"body": "x"}, {"text": "News: " + STORY}]))
    assert [(place.relation, place.of, place.cluster) for place in placements] == [
        ("original", None, 0), ("original", None, 1), ("original", None, 2), ("near", 1, 1),
    ]  # fmt: skip
    assert placements[3].evidence


def test_the_threshold_is_a_setting():
    halves = texts(prose(1, 30) + prose(2, 30), prose(1, 30) + prose(3, 30))
    assert len({line["cluster"] for line in found(halves)}) == 2
    assert len({line["cluster"] for line in found(halves, config=DedupConfig(containment=0.3))}) == 1


def test_a_text_with_many_copies_is_one_cluster():
    lines = found(texts(*(f"Paper {number} of {number + 100}: {STORY} Seen by {number}." for number in range(120))))
    assert {line["cluster"] for line in lines} == {"n0"}


def test_pairs_are_those_that_share_two_fingerprints():
    prints = {0: [1, 2, 3], 1: [2, 3, 9], 2: [3, 7, 8], 3: [7, 8, 20]}
    rows = [(value, text) for text, values in prints.items() for value in values]
    one, other = candidate_pairs(
        np.array([row[0] for row in rows], np.uint64), np.array([row[1] for row in rows], np.uint32)
    )
    assert list(zip(one.tolist(), other.tolist(), strict=True)) == [(0, 1), (2, 3)]
    nothing, _ = candidate_pairs(np.empty(0, np.uint64), np.empty(0, np.uint32))
    assert len(nothing) == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0.0),
        ("1970-01-02", 86400.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 60.0),
        ("soon", None),
        (None, None),
        (True, None),
        (float("inf"), None),
        ({}, None),
    ],
)
def test_times_in_the_forms_files_have(value, expected):
    assert seconds(value) == pytest.approx(expected) if expected is not None else np.isnan(seconds(value))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("tiem", "2026-03-02", "no line has the field 'tiem'"),
        ("time", "soon", "no line has a time that can be read in the field 'time'"),
        ("time", "2026-03-02", ""),
    ],
)
def test_a_time_field_that_no_line_has_is_told_once(tmp_path, capsys, field, value, told):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(as_json({"text": STORY, "time": value}) + b"\n" for _ in range(3)))
    done = run_cli(capsys, "dedup", "--time", field, path)
    assert (done.code, len(done.rows)) == (0, 3)
    assert [line.partition(":")[0] for line in done.err.splitlines() if "no line" in line] == ([told] if told else [])


def test_what_is_spilled_comes_back_and_takes_no_memory():
    spill = Spill()
    arrays = [np.arange(size, dtype=np.uint64) * 3 for size in (0, 1, 500, 0, 7)]
    for hashes in arrays:
        spill.append(hashes)
    spill.finish()
    assert len(spill) == 5
    for number, hashes in enumerate(arrays):
        assert spill.length(number) == len(hashes)
        assert (spill[number] == hashes).all()
    spill.close()


def test_a_line_that_does_not_name_its_language_is_looked_at_for_stories(monkeypatch):
    seen = []
    monkeypatch.setattr(batch, "group", lambda items: seen.extend(items) or {item.id: str(item.id) for item in items})
    run([{"text": KOREAN}, {"text": STORY}, {"text": CHINESE, "lang": "zh-TW"}, {"text": ""}], stories=True)
    assert [item.language for item in seen] == ["ko", "en", "zh", ""]
