"""`merge`: everything that several corpora hold, once, whatever came first and however often."""

import itertools
import json
import shutil
import sqlite3
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.config import Config
from pipelines.dedup import sign
from pipelines.errors import ConfigError, StorageError
from pipelines.merge import merge
from pipelines.records import Entry, Fetch, Hint, Rejection, Relevance, Term
from pipelines.settling import settle_page
from pipelines.store import Corpus
from tests.cli_helpers import run_cli
from tests.helpers import NOW
from tests.storing import make_article, make_page

TEXTS = (
    "The council published a paper on how models that resist being switched off should be tested before summer ends.",
    "A laboratory reported that its newest system had copied parts of its own instructions into a file nobody reads.",
    "Parliament wants every developer to name a person who answers for incidents, and gives them until the spring.",
    "Three universities will share one supercomputer, so that students can look inside large networks for a semester.",
)
TABLES = {  # table: SQL of its rows, told by addresses instead of numbers
    "articles": """
        SELECT a.url, a.text, a.text_hash, a.title, a.publisher, a.source, a.published, a.fetched, a.updated, a.canonical, c.url AS first,
            r.command, r.started FROM articles AS a JOIN articles AS c ON c.id = a.cluster LEFT JOIN runs AS r ON r.id = a.run""",
    "stories": "SELECT group_concat(url, ' ') FROM (SELECT story, url FROM articles ORDER BY url) WHERE story IS NOT NULL GROUP BY story",
    "versions": "SELECT a.url, v.seen, v.text, v.diff, v.replaced FROM versions AS v JOIN articles AS a ON a.id = v.article",
    "copies": """
        SELECT a.url, o.url AS of, c.relation, c.similarity FROM copies AS c JOIN articles AS a ON a.id = c.article
        JOIN articles AS o ON o.id = c.of""",
    "removed": "SELECT a.url, r.position, r.kind, r.reason, r.evidence, r.text FROM removed AS r JOIN articles AS a ON a.id = r.article",
    "terms": "SELECT a.url, t.concept, t.term, t.weight FROM relevance_terms AS t JOIN articles AS a ON a.id = t.article",
    "origins": "SELECT a.url, o.name FROM origins AS o JOIN articles AS a ON a.id = o.article",
    "signatures": "SELECT a.url, s.recipe, s.fingerprints FROM signatures AS s JOIN articles AS a ON a.id = s.article",
    "bands": "SELECT a.url, b.fingerprint FROM bands AS b JOIN articles AS a ON a.id = b.article",
    "found": "SELECT a.url FROM articles_fts AS f JOIN articles AS a ON a.id = f.rowid WHERE articles_fts MATCH 'council'",
    "fetches": "SELECT f.url, f.time, f.status, f.source, f.kind, r.started FROM fetches AS f LEFT JOIN runs AS r ON r.id = f.run",
    "rejections": "SELECT j.url, j.stage, j.reason, j.time, r.started FROM rejections AS j LEFT JOIN runs AS r ON r.id = j.run",
    "runs": "SELECT command, started, finished, exit_code, new, counts FROM runs",
    "source_runs": "SELECT r.started, s.source, s.outcome, s.new FROM source_runs AS s JOIN runs AS r ON r.id = s.run",
    **{
        table: f"SELECT * FROM {table}"
        for table in (
            *("block_memory", "blocks", "fates", "frontier", "hosts", "index_pages", "inputs", "moved", "open_indexes"),
            *("raw_pages", "source_state", "validators"),
        )
    },
}


def content(path):
    """All rows of a corpus as sorted text."""
    connection = sqlite3.connect(path)
    try:
        return {name: sorted(map(repr, connection.execute(sql))) for name, sql in TABLES.items()}
    finally:
        connection.close()


def read(corpus, run, url, text, hour, *, source="alpha", removed=(), origin="", day=0):
    """A page of this text, fetched at this hour, goes all its way into the corpus."""
    fetched = NOW + timedelta(hours=hour)
    plain = make_article(
        url, text, published=NOW + timedelta(days=day), fetched=fetched, removed=removed, source=source
    )
    relevance = Relevance(
        score=7.0, verdict="relevant", terms=(Term(concept="methods", term=text.split()[1], weight=2.0),)
    )
    article = sign(plain.document, text, relevance)
    if origin:
        from dataclasses import replace

        article = replace(article, origin=origin)
    fetch = Fetch(url=url, source=source, kind="page", time=fetched, status=200, bytes=len(text), etag=f'"{hour}"')
    page = make_page(url, text.encode(), fetched, source=source)
    corpus.offer(source, [Entry(url=url, hint=Hint(title=text[:9]))], fetched)
    return settle_page(corpus, page, article, frozenset({len(text), 7}), fetched, run, fetch)


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """An empty corpus to copy: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("blank") / "blank.db"
    Corpus.open(path, create=True).close()
    return path


@pytest.fixture
def desk(tmp_path, blank):
    return Shelf(tmp_path, blank)


class Shelf:
    """Corpora in a folder, by name."""

    def __init__(self, folder, blank):
        self.folder, self.blank = folder, blank

    def path(self, name):
        return self.folder / f"{name}.db"

    def new(self, name):
        shutil.copy(self.blank, self.path(name))
        return Corpus.open(self.path(name))

    def merge(self, target, *names):
        return merge(Config(database=str(self.path(target))), [self.path(name) for name in names], NOW)


def two_corpora(desk):
    for number, name in enumerate(("one", "two")):
        with desk.new(name) as corpus:
            run = corpus.start_run("crawl", NOW + timedelta(minutes=number))
            corpus.start_source_run(run, name, NOW)
            read(
                corpus,
                run,
                f"https://{name}.example/own",
                TEXTS[number] + f" Only {name} has it.",
                1 + number,
                source=name,
                removed=("Share this", name),
            )
            read(corpus, run, f"https://{name}.example/copy", TEXTS[2], 2, source=name, day=number)
            read(corpus, run, "https://both.example/page", TEXTS[3], 3 + number, source="both")
            corpus.reject(
                Rejection(url=f"https://{name}.example/bad", stage="clean", reason="wall", source=name), run, NOW
            )
            corpus.finish_source_run(run, name, NOW, "ok", {"new": 3})
            corpus.finish_run(run, NOW, 0, {"new": 3})


def test_everything_of_both_is_there_once(desk):
    two_corpora(desk)
    done = desk.merge("all", "one", "two")
    assert (done["corpora"], done["articles"], done["joined"], done["copies"], done["fetches"]) == (2, 5, 1, 1, 6)
    all_of_it, one = content(desk.path("all")), content(desk.path("one"))
    for name in ("removed", "terms", "fetches", "rejections", "runs", "source_runs", "blocks", "fates", "source_state"):
        assert set(one[name]) <= set(all_of_it[name]), name
    with Corpus.open(desk.path("all")) as corpus:
        assert corpus.check() == []
        assert corpus.article("https://two.example/copy")["canonical"] == 0  # a day later than the other
        assert [row["url"] for row in corpus.search("Only two has it")] == ["https://two.example/own"]
        both = corpus.article("https://both.example/page")
        assert (both["fetched"], both["updated"]) == ((NOW + timedelta(hours=3)).isoformat(), None)
        assert corpus.versions(both["id"]) == []  # read twice, one text


def test_twice_is_once(desk):
    two_corpora(desk)
    desk.merge("all", "one", "two")
    before = content(desk.path("all"))
    for names in (("one", "two"), ("two",), ("two", "one", "two")):
        again = desk.merge("all", *names)
        assert (again["articles"], again["fetches"], again["rejections"], again["clusters_changed"]) == (0, 0, 0, 0)
        assert content(desk.path("all")) == before


def test_the_corpora_poured_in_are_only_read(desk):
    two_corpora(desk)
    before = desk.path("one").read_bytes(), desk.path("two").read_bytes()
    desk.merge("all", "one", "two")
    assert (desk.path("one").read_bytes(), desk.path("two").read_bytes()) == before


def test_numbers_do_not_depend_on_how_the_corpora_are_named(desk):
    two_corpora(desk)
    desk.merge("forth", "one", "two")
    desk.merge("back", "two", "one")
    numbered = "SELECT id, url, cluster, story, run FROM articles ORDER BY id"
    tables = [sqlite3.connect(desk.path(name)).execute(numbered).fetchall() for name in ("forth", "back")]
    assert tables[0] == tables[1]


def test_a_corpus_keeps_its_numbers_when_another_is_poured_in(desk):
    two_corpora(desk)
    with Corpus.open(desk.path("one")) as corpus:
        before = {row["url"]: row["id"] for row in corpus._rows("SELECT id, url FROM articles")}
    desk.merge("one", "two")
    with Corpus.open(desk.path("one")) as corpus:
        assert {url: corpus.known(url).id for url in before} == before


def test_of_two_texts_of_an_address_the_later_one_counts_and_the_other_is_a_version(desk):
    for name, text, hour in (
        ("one", "The first text of this address.", 1),
        ("two", "The second text of this address.", 5),
    ):
        with desk.new(name) as corpus:
            read(
                corpus,
                None,
                "https://both.example/page",
                text,
                hour,
                removed=(f"button {name}",),
                origin=f"Wire {name}",
            )
    for order in (("one", "two"), ("two", "one")):
        target = "-".join(order)
        for name in order:
            desk.merge(target, name)
        with Corpus.open(desk.path(target)) as corpus:
            row = corpus.article("https://both.example/page")
            assert row["text"] == "The second text of this address."
            assert (row["fetched"], row["updated"]) == tuple(
                (NOW + timedelta(hours=hour)).isoformat() for hour in (1, 5)
            )
            (version,) = corpus.versions(row["id"])
            assert version["text"] == "The first text of this address."
            assert "-The first text of this address." in version["diff"]
            assert [block["text"] for block in corpus.removed(row["id"])] == ["button two"]
            assert corpus._value("SELECT name FROM origins") == "Wire two"
            assert [hit["url"] for hit in corpus.search('"second text"')] == ["https://both.example/page"]
            assert corpus.search('"first text"') == []
            assert corpus.check() == []


def test_a_text_that_was_confirmed_later_is_the_later_one(desk):
    """One corpus was told "unchanged" after the other had read something else: the address says what it said before."""
    url, same = "https://both.example/page", "A text that came back after a correction was withdrawn."
    with desk.new("one") as corpus:
        read(corpus, None, url, same, 1)
        corpus.fetched(Fetch(url=url, source="alpha", kind="page", time=NOW + timedelta(hours=9), status=304))
    with desk.new("two") as corpus:
        read(corpus, None, url, "A correction that was withdrawn later in the day.", 5)
    desk.merge("all", "two", "one")
    with Corpus.open(desk.path("all")) as corpus:
        row = corpus.article(url)
        assert row["text"] == same
        assert [version["text"] for version in corpus.versions(row["id"])] == [
            "A correction that was withdrawn later in the day.",
            same,
        ]


def test_a_run_that_was_at_work_has_ended_the_next_time(desk):
    with desk.new("one") as corpus:
        run = corpus.start_run("crawl", NOW)
    desk.merge("all", "one")
    with Corpus.open(desk.path("one")) as corpus:
        corpus.finish_run(run, NOW + timedelta(minutes=5), 0, {"new": 4})
    desk.merge("all", "one")
    with Corpus.open(desk.path("all")) as corpus:
        (row,) = corpus.runs()
        assert (row["exit_code"], row["new"]) == (0, 4)


def test_what_two_corpora_know_of_an_address_is_joined_by_what_came_later(desk):
    url, early, late = "https://a.example/1", NOW, NOW + timedelta(hours=2)
    for name, time, status in (("one", early, 200), ("two", late, 404)):
        with desk.new(name) as corpus:
            corpus.offer("alpha", [Entry(url=url)], time)
            corpus.fetched(Fetch(url=url, source="alpha", kind="page", time=time, status=status, etag=f'"{name}"'))
            corpus.keep_robots("a.example", name.encode(), time)
            corpus.close_host("a.example", time + timedelta(hours=3 if name == "one" else 0))
            corpus.set_source_state("alpha", last_success=time, failures=1 if name == "one" else 0, note=name)
            corpus.remember("a.example", {1, 2} if name == "one" else {2, 3}, time)
    desk.merge("all", "one", "two")
    with Corpus.open(desk.path("all")) as corpus:
        row = corpus.frontier_row(url)
        assert (row["first_seen"], row["last_fetch"], row["ended"]) == (
            early.isoformat(),
            late.isoformat(),
            "not_found",
        )
        assert corpus.validators(url) == ('"one"', "")  # the 404 brought none
        assert corpus.robots_copy("a.example", late) == b"two"
        assert corpus.closed_hosts(early) == {"a.example": early + timedelta(hours=3)}
        assert corpus.source_state("alpha")["note"] == "two"
        memory = corpus._rows("SELECT block_hash, pages, first_seen, last_seen FROM block_memory ORDER BY 1")
        times = [(row["first_seen"], row["last_seen"]) for row in memory]
        assert [(row["block_hash"], row["pages"]) for row in memory] == [(1, 1), (2, 1), (3, 1)]
        assert times == [(early.isoformat(),) * 2, (early.isoformat(), late.isoformat()), (late.isoformat(),) * 2]


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # whose corpus
        st.integers(0, 4),  # which address
        st.integers(0, 30),  # at which hour
        st.sampled_from(["page", "unchanged", "rejected", "index", "host"]),
    ),
    min_size=2,
    max_size=14,
)


def text_at(address, hour):
    """What an address says at this hour: some change once or twice, two of them always say the same."""
    changes = (hour >= 10) + (hour >= 20) if address in (1, 3) else 0
    return f"{TEXTS[min(address, 2)]} {'Corrected ' * changes}" + (
        "" if address >= 2 else f"Told for the {address} time."
    )


def happen(corpora, runs, events):
    for whose, address, full_hour, what in sorted(events, key=lambda event: event[2]):
        hour = full_hour + (whose + 1) / 10  # no two machines read a page in the same microsecond
        corpus, url, time = corpora[whose], f"https://site-{address}.example/page", NOW + timedelta(hours=hour)
        if what == "page":
            read(corpus, runs[whose], url, text_at(address, hour), hour, removed=("Share", str(address)), day=address)
        elif what == "unchanged" and corpus.known(url) and corpus.known(url).text_hash:
            row = corpus.article(url)
            if row["text"] == text_at(address, hour):  # a server says so only of what it says now
                corpus.fetched(Fetch(url=url, source="alpha", kind="page", time=time, status=304), runs[whose])
        elif what == "rejected":
            corpus.reject(Rejection(url=url, stage="clean", reason="too_short"), runs[whose], time)
        elif what == "index":
            corpus.offer(f"s{address}", [Entry(url=url), Entry(url=f"{url}/{hour}")], time)
            corpus.open_index(f"s{address}", f"{url}/index", full_hour % 3)
            corpus.keep_index_pages(f"s{address}", url, [(f"{url}/a", str(hour)), (f"{url}/b", "")])
            corpus.set_source_state(f"s{address}", last_success=time, failures=full_hour % 2)
        elif what == "host":
            corpus.keep_robots(f"site-{address}.example", str(hour).encode(), time)
            corpus.moved(url, f"{url}/{hour}", time)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(events=EVENTS)
def test_any_order_any_grouping_and_any_number_of_times_give_the_same(events, tmp_path_factory, blank):
    desk = Shelf(tmp_path_factory.mktemp("merge"), blank)
    names = ("a", "b", "c")
    corpora = [desk.new(name) for name in names]
    runs = [corpus.start_run("crawl", NOW + timedelta(seconds=number)) for number, corpus in enumerate(corpora)]
    happen(corpora, runs, events)
    for corpus in corpora:
        corpus.close()
    desk.merge("together", *names)
    wanted = content(desk.path("together"))
    for number, order in enumerate(itertools.permutations(names)):
        if number % 2:  # one after another
            for name in order:
                desk.merge(f"row-{number}", name)
        else:  # two first, then those with the third; and all again
            desk.merge(f"pair-{number}", *order[:2])
            desk.merge(f"row-{number}", order[2], f"pair-{number}")
            desk.merge(f"row-{number}", *order)
        assert content(desk.path(f"row-{number}")) == wanted
    with Corpus.open(desk.path("together")) as corpus:
        assert corpus.check() == []


# trouble


def test_a_corpus_of_another_schema_is_one_line(desk, capsys):
    two_corpora(desk)
    for version, word in ((1, "older version"), (999, "newer version")):
        shutil.copy(desk.path("one"), desk.path("other"))
        connection = sqlite3.connect(desk.path("other"))
        connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        done = run_cli(capsys, "merge", desk.path("two"), desk.path("other"), "--db", desk.path("all"))
        assert done.code == StorageError.exit_code
        assert word in done.err
        assert len(done.err.splitlines()) == 1
        assert not desk.path("all").exists()  # nothing was begun


@pytest.mark.parametrize("what", ["missing", "text", "empty"])
def test_what_is_no_corpus_is_one_line_and_nothing_is_written(desk, capsys, what):
    two_corpora(desk)
    if what != "missing":
        desk.path("bad").write_text("a letter" if what == "text" else "")
    done = run_cli(capsys, "merge", desk.path("one"), desk.path("bad"), "--db", desk.path("all"))
    assert (done.code, len(done.err.splitlines())) == (5, 1)
    assert not desk.path("all").exists()


def test_a_corpus_is_not_poured_into_itself(desk):
    desk.new("one").close()
    with pytest.raises(ConfigError, match="poured into"):
        desk.merge("one", "one")


def test_another_run_at_work_is_waited_for_by_nobody(desk, capsys):
    from pipelines.lock import run_lock

    two_corpora(desk)
    with run_lock(desk.path("all")):
        assert run_cli(capsys, "merge", desk.path("one"), "--db", desk.path("all")).code == 75


def test_one_that_breaks_half_way_leaves_nothing_of_itself(desk, monkeypatch):
    two_corpora(desk)
    desk.merge("all", "one")
    before = content(desk.path("all"))
    monkeypatch.setattr(Corpus, "_take_validators", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        desk.merge("all", "two")
    monkeypatch.undo()
    assert content(desk.path("all")) == before
    desk.merge("all", "two")
    desk.merge("fresh", "two", "one")
    assert content(desk.path("all")) == content(desk.path("fresh"))


def test_the_command_says_what_came_of_it(desk, capsys):
    two_corpora(desk)
    done = run_cli(capsys, "merge", desk.path("one"), desk.path("two"), "--db", desk.path("all"))
    assert done.code == 0
    assert done.out.splitlines() == [
        "2 corpora: 5 new articles, 1 known ones joined, 6 fetches, 2 rejections",
        "now 5 articles: 1 copy of 1 text, 4 stories",
    ]
    assert (
        json.loads(run_cli(capsys, "merge", desk.path("one"), "--db", desk.path("all"), "--json").out)["articles"] == 0
    )
