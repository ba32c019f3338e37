"""A year of cron: what is remembered from run to run, what a run says, and how it ends."""

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from scrapy.exceptions import DropItem

from crawler.item_pipelines import FetchedPage, PreparePipeline
from crawler.ledger import MAX_HUNG, Run, Tally
from crawler.outcome import (
    DORMANT_FAILURES,
    Report,
    SourceReport,
    close_source,
    silence_of,
    skipped_source,
    verdict,
    waits,
)
from crawler.politeness import HostGate
from crawler.sources import Source
from pipelines.config import Config
from pipelines.lock import run_lock
from pipelines.records import Fetch, Placement, Rejection
from pipelines.store import Corpus
from pipelines.workers import Prepared
from tests.desk import Desk
from tests.helpers import NOW
from tests.site import Site
from tests.storing import make_article, make_page

ROOT = Path(__file__).parents[1]
DAY = timedelta(days=1)
FEED = Source(id="a", name="A", kind="feed", url="https://a.example/feed")


def a_run(corpus):
    return SimpleNamespace(gate=HostGate(), number=corpus.start_run("crawl", NOW), is_offline=lambda: False)


def failed(word="dns"):
    tally = Tally(FEED, has_begun=True)
    tally.fail(word, "no connection")
    return SourceReport(id="a", outcome="failed", error="no connection"), tally


@pytest.mark.fault("P08", "P09")
def test_a_source_that_is_down_is_asked_ever_less_often_and_never_forgotten(monkeypatch):
    """Sixty days of hourly runs."""
    monkeypatch.setattr(random, "uniform", lambda *_: 1.0)
    asked = []
    with Corpus.open(":memory:", create=True) as corpus:
        run = a_run(corpus)
        for hour in range(24 * 60):
            now = NOW + timedelta(hours=hour)
            if corpus.sources_due(["a"], now):
                asked.append(hour)
                closed = close_source(corpus, run, *failed(), now, now)
        gaps = [later - earlier for earlier, later in itertools.pairwise(asked)]
        assert gaps[:6] == [1, 2, 4, 8, 16, 24]
        assert gaps == sorted(gaps)
        assert gaps[-1] == 24 * 7
        assert len(asked) < 30
        assert closed.is_dormant
        skipped = skipped_source(corpus, "a")
        assert skipped.is_dormant
        assert "no connection" in skipped.note
        report = Report(run=1, exit_code=0, sources=[skipped, SourceReport(id="b", outcome="ok")], seconds=1.0)
        assert "1 dormant" in report.summary
        due = corpus.source_state("a")["next_due"]
        assert corpus.sources_due(["a"], due + timedelta(days=20)) == ["a"], "the machine was off for weeks"
        ok = SourceReport(id="a", outcome="ok")
        assert not close_source(corpus, run, ok, Tally(FEED, has_begun=True), due, due).is_dormant
        assert corpus.source_state("a")["failures"] == 0


@pytest.mark.fault("P03")
@pytest.mark.parametrize(
    ("outcomes", "state", "code"),
    [
        (["ok", "ok"], {}, 0),
        (["ok", "failed"], {}, 3),
        (["failed", "failed"], {}, 4),
        (["ok"], {"bugs": ["KeyError: 'x'"]}, 1),
        (["failed"], {"storage_error": OSError("disk full")}, 5),
        (["unfinished"], {"stop_reason": "interrupted"}, 130),
        (["ok", "unfinished"], {"stop_reason": "run_budget"}, 3),
        (["ok"], {"bugs": ["x"], "storage_error": OSError("disk full")}, 5),
    ],
)
def test_each_kind_of_end_has_its_code(outcomes, state, code):
    run = SimpleNamespace(**{"storage_error": None, "stop_reason": "", "bugs": [], "config": Config(), **state})
    found, error = verdict(run, [SourceReport(id=str(number), outcome=word) for number, word in enumerate(outcomes)])
    assert found == code
    assert bool(error) == bool(state)


def test_waits_never_shrink():
    spans = [waits(failures) for failures in range(1, 60)]
    assert spans == sorted(spans)
    assert waits(DORMANT_FAILURES - 1) == DAY


def test_a_feed_that_is_gone_for_good_is_asked_once_a_week():
    with Corpus.open(":memory:", create=True) as corpus:
        closed = close_source(corpus, a_run(corpus), *failed("gone"), NOW, NOW)
        assert closed.is_dormant
        assert corpus.source_state("a")["next_due"] - NOW > 6 * DAY


def test_a_source_that_falls_silent_is_told_once_and_again_after_it_spoke():
    with Corpus.open(":memory:", create=True) as corpus:
        for number in range(8):
            url = f"https://a.example/{number}"
            found = make_article(url, f"Text {number} on shutdown.", published=NOW - number * 2 * DAY, source="a")
            corpus.keep(found, Placement(relation="original"))
        assert silence_of(corpus, "a", NOW + 5 * DAY) == ("", False)
        line, is_news = silence_of(corpus, "a", NOW + 7 * DAY)
        assert (line, is_news) == ("nothing new for 7 days, usually something every 2 days", True)
        assert silence_of(corpus, "a", NOW + 8 * DAY) == (
            "nothing new for 8 days, usually something every 2 days",
            False,
        )
        corpus.set_source_state("a", last_new=NOW + 9 * DAY)
        assert silence_of(corpus, "a", NOW + 10 * DAY) == ("", False)
        assert silence_of(corpus, "a", NOW + 20 * DAY)[1]
        assert silence_of(corpus, "b", NOW) == ("", False), "nobody knows its pace"
        report = SourceReport(id="a", outcome="ok", silent=line)
        assert Report(run=1, exit_code=0, sources=[report], seconds=1).trouble == [f"a: {line}"]


@pytest.mark.crawl
@pytest.mark.fault("P02")
def test_a_run_killed_while_its_worker_hangs_leaves_no_lock_behind(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        hangs = "<html><body><p " + " ".join(f"a{number}=1" for number in range(60_000)) + ">x</p></body></html>"
        desk.source("one", site.feed("/feed.xml", [(site.reply("/hangs", hangs), "Hangs")]))
        process = desk.start()
        while "/hangs" not in site.paths():
            time.sleep(0.02)
        time.sleep(1.0)  # the worker has begun
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        process.stdout.close()
        process.stderr.close()
        with run_lock(desk.database):
            assert desk.database.exists()
        assert desk.rows("select finished from runs") == [{"finished": None}], "an unfinished run is seen as one"


@pytest.mark.crawl
@pytest.mark.fault("P04")
def test_killed_three_times_and_still_every_page_once(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        links = [(site.page(f"/k{number}", 700 + number), f"K{number}") for number in range(12)]
        desk.source("one", site.feed("/feed.xml", links), delay_s=0.03)
        for kills in range(1, 4):  # a kill behind the feed, one in the middle, one near the end
            process = desk.start("--force")
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline and len([path for path in site.paths() if "/k" in path]) < kills * 3:
                time.sleep(0.01)
            process.kill()
            process.communicate()
        assert desk.crawl("--force").returncode == 0
    assert desk.kept() == {f"k{number}" for number in range(12)}
    assert len(desk.rows("select id from articles")) == 12


@pytest.mark.crawl
@pytest.mark.fault("E08", "E07")
def test_no_server_writes_lines_or_colours_into_our_output(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        answer = (
            b"HTTP/1.1 200 \x1b[31mOK\r\nContent-Encoding: \x1b]52;c;AAAA\x07\r\nContent-Length: 9\r\n\r\nfrom\nhere"
        )
        desk.source("one", site.raw("/feed.xml", answer))
        desk.source("two", site.redirect("/two.xml", "/\x1b[2Jthree\x85.xml"))
        done = desk.crawl()
    said = done.stdout + done.stderr
    assert "one: " in said
    assert not {letter for letter in said if ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0} - {"\n"}
    assert len(said.splitlines()) == 3


@pytest.mark.fault("E09")
@pytest.mark.parametrize(
    "variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {}]
)
def test_an_output_that_is_not_utf_8_costs_no_answer(tmp_path, variables):
    (tmp_path / "page.txt").write_text(
        "제목 하나\n\n" + "안전 연구소가 두 번째 평가 결과를 공개했다고 밝혔다. " * 12, "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "clean", "page.txt"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], **variables},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert "안전".encode() in done.stdout or rb"\uc548\uc804" in done.stdout


@pytest.mark.crawl
def test_what_moved_for_good_is_asked_for_where_it_is(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        site.feed("/new.xml", [(site.page("/a", 800), "A")])
        site.feed("/now.xml", [])
        desk.source("good", site.redirect("/old.xml", "/new.xml", status=301))
        desk.source("while", site.redirect("/then.xml", "/now.xml", status=302))
        assert "moved for good to" in desk.crawl("--json").stdout
        site.forget()
        assert desk.crawl("--force").returncode == 0
        assert sorted(site.paths()) == ["/new.xml", "/now.xml", "/then.xml"], "a temporary move is not learned"
        site.reply("/new.xml", status=404)
        assert desk.crawl("good").returncode == 4
        site.forget()
        site.feed("/old.xml", [(site.page("/b", 801), "B")], etag='"back"')
        assert desk.crawl("good").returncode == 0
        assert site.paths() == ["/old.xml", "/b"], "what moved there and away again is asked for at the old place"


@pytest.mark.crawl
def test_another_pattern_is_heeded_although_the_index_is_unchanged(tmp_path):
    desk = Desk(tmp_path)
    with Site() as site:
        url = site.feed("/feed.xml", [(site.page("/news/a", 810), "A"), (site.page("/blog/b", 811), "B")])
        desk.source("one", url, url_pattern="/news/")
        assert desk.crawl().returncode == 0
        assert desk.kept() == {"a"}
        desk.tables.clear()
        desk.source("one", url, url_pattern="/(news|blog)/")
        assert desk.crawl("--force").returncode == 0
        assert desk.kept() == {"a", "b"}


@pytest.mark.crawl
def test_of_a_sitemap_index_only_files_that_changed_are_asked_for(tmp_path):
    """Unchanged: the index and its newest file, however many files it names."""
    desk = Desk(tmp_path)
    with Site() as site:

        def index(changed):
            rows = [
                f"<sitemap><loc>{site.base}/s{number}.xml</loc><lastmod>{day}</lastmod></sitemap>"
                for number, day in changed
            ]
            body = f"<sitemapindex>{''.join(rows)}</sitemapindex>"
            site.reply("/index.xml", body, content_type="application/xml", etag=f'"{changed[0][1]}"')

        def file(number, pages):
            rows = "".join(f"<url><loc>{site.page(f'/p{page}', 820 + page)}</loc></url>" for page in pages)
            site.reply(f"/s{number}.xml", f"<urlset>{rows}</urlset>", etag=f'"s{number}-{len(pages)}"')

        for number in range(4):
            file(number, [number])
        index([(number, f"2026-11-1{number}") for number in range(4)])
        desk.source("one", site.base + "/index.xml", kind="sitemap")
        assert desk.crawl().returncode == 0
        assert desk.kept() == {"p0", "p1", "p2", "p3"}
        site.forget()
        assert desk.crawl("--force").returncode == 0
        assert site.paths() == site.paths(304) == ["/index.xml", "/s3.xml"]
        site.forget()
        file(1, [1, 5])
        index([(1, "2026-11-20"), *((number, f"2026-11-1{number}") for number in (0, 2, 3))])
        assert desk.crawl("--force").returncode == 0
        assert sorted(site.paths(200)) == ["/index.xml", "/p5", "/s1.xml"]
        site.forget()
        desk.change("update index_pages set read = '2026-11-01T00:00:00+00:00'")
        assert desk.crawl("--force").returncode == 0
        assert sorted(site.paths(304)) == ["/index.xml", "/s0.xml", "/s1.xml", "/s2.xml", "/s3.xml"], "once a day all"


class SlowWorkers:
    """Of each page they say that it took too long, but for those of one source."""

    def __init__(self):
        self.asked = []

    def prepare(self, page, template):
        self.asked.append(page.source)
        done = Future()
        reason = "too_short" if page.source == "well" else "parse_timeout"
        done.set_result(
            Prepared(Rejection(url=page.url, stage="extract", reason=reason, source=page.source), frozenset())
        )
        return done


@pytest.mark.fault("H02")
def test_a_source_whose_pages_hang_does_not_keep_the_workers_from_the_others():
    async def template(_):
        return frozenset()

    async def prepare_all():
        workers, tallies = SlowWorkers(), {"well": Tally(FEED), "hostile": Tally(FEED)}
        run = SimpleNamespace(
            ask=template, workers=workers, tallies=tallies, stop_reason="", preparing=asyncio.Semaphore(1)
        )
        run.leave = partial(Run.leave, run)
        pipeline = PreparePipeline(SimpleNamespace(spider=SimpleNamespace(run=run)))
        sources = ["hostile"] * 12 + ["well"] * 2
        fetch = Fetch(url="", source="", kind="page", time=NOW, status=200)
        items = [FetchedPage(make_page(source=source), fetch) for source in sources]
        ends = await asyncio.gather(*map(pipeline.process_item, items), return_exceptions=True)
        return workers.asked, tallies, [isinstance(end, DropItem) for end in ends]

    asked, tallies, left = asyncio.run(prepare_all())
    assert asked == ["hostile"] * MAX_HUNG + ["well"] * 2
    assert left == [False] * MAX_HUNG + [True] * (12 - MAX_HUNG) + [False] * 2
    assert tallies["hostile"].is_unfinished, "the others stay due"
    assert not tallies["well"].is_unfinished
