"""The demo's story: what each section says of the rows it is given, and that no line is too wide or lost."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.demo import play, tour
from pipelines.config import PROJECT_ROOT
from pipelines.errors import ConfigError
from pipelines.report import width

WORDS = " ".join(f"w{one}{other}" for one in "abcdefghij" for other in "abcdefghijkl")


def text_of(lines):
    return [text for text, _ in lines]


def block(
    article=1,
    kind="comment",
    text="I would like to see the numbers behind this.",
    reason="comment thread",
    evidence="Comments (2)",
):
    return {"article": article, "kind": kind, "text": text, "reason": reason, "evidence": evidence}


def article(number, text, *, story=None, publisher="Meridian Wire", title="A title", cluster=None):
    return {
        "id": number, "url": f"http://127.0.0.1:1/{number}", "publisher": publisher, "title": title, "text": text, "story": story,
        "cluster": cluster or number, "published": f"2026-11-1{number}T08:00:00Z", "fetched": "2026-11-21T08:00:00Z",
    }  # fmt: skip


def a_crawl(**changes):
    requests = [("/robots.txt", 200), ("/rss.xml", 200), ("/news/one", 200), ("/gone", 404)]
    return tour.Crawl(
        **{"summary": "copydesk crawl: 2 sources", "seconds": 1.24, "run": {"new": 3}, "requests": requests, **changes}
    )


def test_a_crawl_is_told_with_requests_statuses_and_seconds():
    first, cost = text_of(tour.crawl_lines(a_crawl(), 100))
    assert first == "  copydesk crawl: 2 sources"
    assert cost == "  4 requests: 1 × robots.txt, 2 × 200, 1 × 404 not found · 3 new articles · 1.2 s"


def test_the_second_crawl_says_how_often_nothing_had_changed():
    _, cost = text_of(tour.crawl_lines(a_crawl(requests=[("/rss.xml", 304), ("/feed", 304)], run={"new": 0}), 100))
    assert cost == "  2 requests: 2 × 304 not modified · 0 new articles · 1.2 s"


def test_a_narrow_window_gets_more_lines_not_longer_ones():
    lines = text_of(tour.crawl_lines(a_crawl(summary="copydesk crawl: " + "9 sources, " * 9), 60))
    assert len(lines) > 2
    assert all(width(line) <= 60 for line in lines)


def test_the_table_of_publishers_is_straight_in_every_script_and_sums_up():
    rows = [
        {"source": "hanbit", "fetched": 5, "new": 4, "copies": 1, "rejected": 0},
        {"source": "gizmo", "fetched": 12, "new": 2, "copies": 0, "rejected": 10},
    ]
    lines = text_of(tour.publisher_lines(rows, {"hanbit": "한빛기술신문", "gizmo": "Gizmo Parade"}, 100))
    assert len({width(line) for line in lines}) == 1
    assert lines[1].split() == ["한빛기술신문", "5", "4", "1", "0"]
    assert lines[-1].split() == ["all", "17", "6", "1", "10"]


def test_removed_blocks_are_counted_by_kind_with_one_example_and_its_reason():
    rows = [
        block(),
        block(text="x"),
        block(kind="share", text="Share this article", reason="share and reading tools", evidence="share*"),
    ]
    lines = text_of(tour.removed_lines(rows, 100))
    assert lines[0].startswith("  2  reader comments")
    assert "“I would like to see the numbers behind this.”" in lines[0]
    assert lines[1].strip() == "because: comment thread — Comments (2)"
    assert lines[2].startswith("  1  share buttons")


def test_the_example_is_a_long_line_of_what_people_wrote_that_still_fits():
    long, short, good = block(text="w " * 200), block(text="ok"), block(text="A line to be read at a glance")
    assert tour.example([short, long, good], 60) is good
    assert tour.example([block(text="x" * 90), block(text="y" * 70)], 60)["text"] == "y" * 70


def test_the_example_of_furniture_is_what_stands_there_most_often():
    often, once = block(kind="share", text="Copy link"), block(kind="share", text="A title that only looks like it")
    assert tour.example([once, often, often], 60) is often


def test_evidence_is_told_only_where_it_tells_something():
    assert (
        tour.cause(block(text="Share", reason="share and reading tools", evidence="Share"))
        == "because: share and reading tools"
    )
    assert tour.cause(block(reason="links in a menu", evidence="/html/body/nav")) == "because: links in a menu"


def test_weekly_figures_and_follow_ups_are_told_as_alike_but_two():
    weeks = [article(1, f"{WORDS} cases 41 reports 17 labs 5"), article(2, f"{WORDS} cases 52 reports 29 labs 8")]
    (pair,) = tour.alike(weeks)
    assert not pair.figures_agree
    assert "other figures" in tour.why_two(pair)
    chapters = [article(1, WORDS, story=7), article(2, WORDS.replace("w", "t"), story=7)]
    (pair,) = tour.alike(chapters)
    assert pair.containment == 0
    assert tour.why_two(pair) == "the story goes on in new words"


def test_copies_and_strangers_are_no_such_pair():
    copies = [article(1, WORDS), article(2, WORDS, cluster=1)]
    strangers = [article(1, WORDS, story=7), article(2, WORDS.replace("w", "t"), story=7, publisher="Tidewatch")]
    assert not tour.alike(copies)
    assert not tour.alike(strangers)


def test_how_alike_copies_are_is_never_cut_off():
    first = article(1, "", title="A title")
    copy = article(2, "", title="A title", publisher="A publisher with a rather long name") | {
        "relation": "near",
        "similarity": 0.87,
        "containment": 0.9,
    }
    lines = text_of(tour.copy_lines([{"canonical": first, "members": [copy]}], 60))
    assert "nearly the same words, 87 % alike" in lines[-1]
    assert all(width(line) <= 60 for line in lines)


def test_more_pairs_than_are_shown_are_counted():
    pairs = [tour.Pair(first=article(1, ""), second=article(2, ""), containment=0.5, figures_agree=True)] * (
        tour.SHOWN_PAIRS + 2
    )
    lines = text_of(tour.pair_lines(pairs, 100))
    assert lines[-1] == "  and 2 more pairs"
    assert lines[2].strip() == "Meridian Wire: 50 % of the shorter one's wording: too little for a copy"


def test_rejected_pages_stand_one_a_line_under_stage_and_reason():
    rows = [
        {"url": "http://127.0.0.1:1/2026/lamp?x=1", "stage": "relevance", "reason": "off_topic", "detail": "score 0"},
        {"url": "http://127.0.0.1:1/2026/buds", "stage": "relevance", "reason": "off_topic", "detail": "score 1"},
        {"url": "http://127.0.0.1:1/gone", "stage": "fetch", "reason": "http_404", "detail": "the page is gone"},
    ]
    assert text_of(tour.rejection_lines(rows, 100)) == [
        "  fetch: http_404 — the page is gone",
        "    /gone",
        "  relevance: off_topic — a general source, and the page is not about AI safety",
        "    /2026/buds",
        "    /2026/lamp?x=1",
    ]


def test_only_stories_in_several_publishers_own_words_are_shared():
    own, other, copy = (
        {"id": 1, "title": "T", "publisher": name, "canonical": number}
        for name, number in (("A", 1), ("B", 1), ("B", 0))
    )
    assert not tour.is_told_by_many({"items": [own, copy]})
    assert tour.is_told_by_many({"items": [own, other]})
    lines = text_of(tour.shared_story_lines([{"title": "T", "items": [own, copy]}], 100))
    assert lines == ["  T", "      1  A: T", "      1  B (a copy): T"]


def test_the_article_with_most_comments_is_looked_at_next():
    assert tour.most_commented([block(1), block(2), block(2), block(3, kind="share")]) == 2
    assert tour.most_commented([block(3, kind="share")]) is None


@pytest.mark.parametrize("columns", [60, 100])
def test_the_last_lines_are_three_whole_commands(columns):
    lines = text_of(
        tour.next_lines("copydesk", "data/demo/corpus.db", "http://127.0.0.1:40000/news/a-rather-long-name", columns)
    )
    commands = [line[line.index("copydesk ") :] for line in lines if "copydesk " in line]
    assert [command.split()[1] for command in commands] == ["search", "why", "export"]
    assert all(command.endswith("--db data/demo/corpus.db") for command in commands)


def test_a_section_with_nothing_to_tell_is_silent():
    assert not list(tour.section("Not kept", []))


any_text = st.text(alphabet=st.sampled_from("ab c。한國é—“%\n"), max_size=200)


@given(
    st.lists(st.builds(block, kind=any_text, text=any_text, reason=any_text, evidence=any_text), max_size=5),
    st.integers(60, 100),
)
def test_no_line_about_blocks_is_wider_than_the_window(rows, columns):
    rows = [row | {"kind": row["kind"][:12]} for row in rows]
    assert all(width(line) <= columns for line in text_of(tour.removed_lines(rows, columns)))


def test_the_crawls_know_nothing_of_the_users_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("COPYDESK_CRAWL__CONTACT", "somebody@example.org")
    monkeypatch.setenv("COPYDESK_DATABASE", "/elsewhere.db")
    found = {
        name: value
        for name, value in play.environment(tmp_path / "c.db", tmp_path / "s.toml").items()
        if name.startswith("COPYDESK_")
    }
    assert found == {
        "COPYDESK_DATABASE": str(tmp_path / "c.db"),
        "COPYDESK_SOURCES": str(tmp_path / "s.toml"),
        "COPYDESK_SHIPPED_SOURCES": "false",
    }


def test_a_new_demo_starts_from_an_empty_corpus(tmp_path):
    database = tmp_path / "corpus.db"
    for name in ("corpus.db", "corpus.db-wal", "sources.toml"):
        (tmp_path / name).write_text("x")
    play.clear(database)
    assert not database.exists()
    assert not (tmp_path / "corpus.db-wal").exists()
    assert (tmp_path / "sources.toml").exists()


def test_paths_are_short_where_they_can_be_and_always_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert play.near(tmp_path / "demo" / "corpus.db") == "demo/corpus.db"
    assert play.near(tmp_path.parent / "corpus.db") == str(tmp_path.parent / "corpus.db")


def test_what_a_failing_crawl_said_is_shown_and_the_demo_ends_with_1(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(play, "run_apart", lambda *_, **__: (3, ["1 of 9 sources failed"], ["gizmo: no answer"]))
    site = type("Site", (), {"requests": []})()
    with pytest.raises(play.CrawlFailedError):
        play.crawl(site, tmp_path / "c.db", tmp_path / "s.toml")
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "gizmo: no answer",
        "1 of 9 sources failed",
        "copydesk demo: the crawl ended with exit code 3, expected 0",
    ]


LISTENER = """
import signal, sys, time
from pathlib import Path
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
Path("up").touch()
while not heard:
    time.sleep(0.02)
time.sleep(0.1)
Path("heard").write_text(str(len(heard)))
"""
CALLER = """
import sys
from pathlib import Path
from crawler.demo import play
try:
    play.run_apart([sys.executable, "-c", sys.argv[1]], dict(__import__("os").environ), folder=Path(sys.argv[2]))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_addresses_stay_the_same_with_a_corpus_that_is_kept(tmp_path):
    sources = tmp_path / "sources.toml"
    assert play.free_ports(sources) == play.free_ports(None)
    with socket.socket() as taken:
        taken.bind((play.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        sources.write_text(f'[tidewatch]\nurl = "http://127.0.0.1:{port}/feed/"\n')
        with pytest.raises(ConfigError, match="in use"):
            play.free_ports(sources)


def test_the_whole_demo_tells_its_story_and_its_last_commands_work(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    assert play.play(tmp_path / "demo", is_kept=False, is_served=False) == 0
    lines = capsys.readouterr().out.splitlines()
    headings = [line.split(":")[0] for line in lines if line and not line.startswith(" ")]
    assert headings == [
        "First crawl", "Publishers", "Left out of the articles", "Collapsed", "Alike, and still two articles", "Not kept",
        "Told by several publishers", "Second crawl, at once after the first", "Try next",
    ]  # fmt: skip
    *story, last = "\n".join(lines).partition("Try next:")
    assert all(width(line) <= 100 for line in "".join(story).splitlines())
    second = story[0].rpartition("Second crawl")[2]
    assert "304 not modified" in second
    assert " 0 new articles" in second
    assert "한빛기술신문" in story[0]
    commands = [shlex.split(line.partition("copydesk ")[2]) for line in last.splitlines() if "copydesk " in line]
    assert [command[0] for command in commands] == ["search", "why", "export"]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "crawler", *command],
            env=os.environ | {"PYTHONPATH": str(PROJECT_ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout or command[0] == "export"
    assert (tmp_path / "articles.jsonl").stat().st_size > 10_000


def test_ctrl_c_is_handed_to_the_crawl_once_and_waited_for(tmp_path):
    command = [sys.executable, "-W", "error", "-c", CALLER, LISTENER, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 10
        while not (tmp_path / "up").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=10)
    assert process.returncode == 130, complaints
    assert (tmp_path / "heard").read_text() == "1"
