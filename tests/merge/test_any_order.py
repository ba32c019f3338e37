"""`merge`: the same whatever came first and however often."""

import itertools
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.records import Entry, Fetch, Rejection
from pipelines.store import Corpus
from tests.helpers import NOW
from tests.merge.shelf import TEXTS, Shelf, content, read

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
