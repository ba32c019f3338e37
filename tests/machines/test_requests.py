"""A request of the shared frontier: waiting, in hand or done whatever happens, and out of Redis as it went in."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.records import Due, Hint
from tests.helpers import NOW
from tests.redis_server import RedisServer, needs_redis

pytestmark = needs_redis


def test_a_request_that_ends_its_workers_is_put_aside_and_told(redis):
    """Taken back six times over: it is kept, and in nobody's way."""
    from crawler.cluster import scripts

    client = redis.client()

    def ask(script, *arguments):
        return client.eval(script, 0, "copydesk:lists", *arguments)

    ask(scripts.PUSH, 1, "host", b"letter\n\x00", 0, "")
    for _ in range(6):
        client.delete("copydesk:busy")
        member = ask(scripts.POP, 1, 0, "copydesk:busy")
        assert member == b"1\nhost\nletter\n\x00"
        time.sleep(0.06)
        found = ask(scripts.BEAT, 60, 5, "copydesk:busy")
    assert found == [0, 1]
    assert client.zrange("copydesk:lists:given_up", 0, -1) == [member]
    assert ask(scripts.PENDING, 1, 60, "copydesk:busy") == 0


STEPS = st.lists(st.sampled_from(["push", "again", "pop", "done", "back", "expire"]), max_size=40)


@pytest.fixture(scope="module")
def shared_redis(tmp_path_factory):
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@settings(deadline=None)  # Redis is another process
@given(steps=STEPS)
def test_whatever_happens_a_request_is_waiting_in_hand_or_done(shared_redis, steps):
    from crawler.cluster import scripts

    client, prefix = shared_redis.client(), "copydesk:model"
    client.flushall()
    pushed, held, done = [], [], set()

    def ask(script, *arguments):
        return client.eval(script, 0, prefix, *arguments)

    for step in steps:
        client.delete("copydesk:busy")
        if step == "push":
            letter = b"%d" % len(pushed)
            pushed.append(letter)
            assert ask(scripts.PUSH, 1, b"host-%d" % (len(pushed) % 3), letter, 0, letter) == 1
        elif step == "again" and pushed:
            assert ask(scripts.PUSH, 1, b"host-0", pushed[0], 0, pushed[0]) == 0
        elif step == "pop":
            for host in range(3):
                client.zadd(f"{prefix}:ready:1", {f"host-{host}": 0}, xx=True)
            if member := ask(scripts.POP, 1, 60, "copydesk:busy"):
                held.append(member)
        elif step == "done" and held:
            member = held.pop()
            ask(scripts.DONE, member, 0, "copydesk:busy")
            done.add(member.split(b"\n", 2)[2])
        elif step == "back" and held:
            ask(scripts.GIVE_BACK, held.pop(0), 0, "copydesk:busy")
        elif step == "expire" and held:
            client.zadd(f"{prefix}:leases", {held.pop(0): 1})
            ask(scripts.BEAT, 60, 50, "copydesk:busy")
        waiting = {letter for host in range(3) for letter in client.zrange(f"{prefix}:queue:host-{host}", 0, -1)}
        leased = {member.split(b"\n", 2)[2] for member in client.zrange(f"{prefix}:leases", 0, -1)}
        assert waiting | leased | done == set(pushed)
        assert len(waiting) + len(leased) + len(done) == len(pushed)
        assert (ask(scripts.PENDING, 1, 60, "copydesk:busy") > 0) == bool(waiting or leased)


@settings(deadline=None)  # the first call imports Scrapy
@given(
    st.text(max_size=20),
    st.dictionaries(
        st.text(max_size=5), st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.none(), max_size=3
    ),
)
def test_a_request_comes_out_as_it_went_in(title, meta):
    from crawler.cluster.letters import dumps, loads, opened
    from crawler.sources import Source
    from crawler.spiders.base import Visit

    title = title.encode("utf-8", "replace").decode()
    source = Source(id="alpha", name="Alpha", kind="feed", url="https://a.example/feed")
    due = Due(
        url="https://a.example/1", source="alpha", hint=Hint(title=title, published=NOW), is_revisit=True, etag='"é"'
    )
    for arguments in ({"visit": Visit(source, "https://a.example/feed", 2)}, {"source": source, "due": due}, {}):
        headers = {b"If-None-Match": [b'"\xe9"']}
        request = {"url": "https://a.example/", "headers": headers, "meta": {"alpha": meta}, "cb_kwargs": arguments}
        assert opened(loads(dumps(request)), {"alpha": source}) == request


@settings(deadline=None)  # the first call imports
@given(st.binary(max_size=80))
def test_bytes_that_are_no_request_are_told_as_that(junk):
    from crawler.cluster.letters import UnreadableError, loads

    with pytest.raises(UnreadableError):
        loads(junk)


def test_a_letter_can_name_no_class_and_no_callback_but_ours():
    from crawler.cluster.letters import UnreadableError, dumps, loads, opened

    letter = {"url": "https://a.example/", "cb_kwargs": {}, "_class": "subprocess.Popen", "callback": "closed"}
    found = loads(dumps(letter))
    assert "_class" not in found
    with pytest.raises(UnreadableError, match="closed"):
        opened(found, {"alpha": None})


def test_a_source_that_is_not_in_the_list_is_none():
    from crawler.cluster.letters import UnknownSourceError, opened

    with pytest.raises(UnknownSourceError, match="stranger"):
        opened({"cb_kwargs": {"visit": ["stranger", "https://a.example/", 0]}}, {})
