"""A short soak: two days of cron in half a minute, one run killed, faults on and off. `make soak` is the long form."""

import pytest

from tests.soak.__main__ import soak
from tests.soak.oracle import Findings, check_articles, check_clusters
from tests.soak.world import START, last_visit, make_world


@pytest.mark.crawl
def test_after_days_of_faults_and_a_kill_the_corpus_is_what_the_world_says(tmp_path):
    soaked, found = soak(tmp_path, seed=1, publishers=6, articles=60, runs=6, step=10, killed_every=6)
    assert found.mistakes == {}
    assert found.articles > 50
    assert found.clusters < found.articles, "without copies nothing is shown of clusters"
    assert (soaked.kills, found.unfinished) == (1, 1)
    assert soaked.trouble == []
    assert soaked.private == 0
    assert set(soaked.codes) <= {0, 3, 4, -9}
    assert {3, 4} & set(soaked.codes), "nothing went wrong: nothing was tried"


def test_a_world_has_all_that_happens_to_pages_and_comes_to_rest():
    world = make_world(1, 30, 5000, 199)
    fates = {
        "copies": sum(piece.copy_of is not None and piece.share == 1.0 for piece in world.pieces),
        "cut copies": sum(piece.copy_of is not None and piece.share < 1.0 for piece in world.pieces),
        "changed": sum(piece.changed is not None for piece in world.pieces),
        "moved": sum(piece.moved is not None for piece in world.pieces),
        "gone": sum(piece.gone is not None for piece in world.pieces),
        "stubs": sum(bool(piece.stub_until) for piece in world.pieces),
        "never": sum(bool(piece.never) for piece in world.pieces),
    }
    assert min(fates.values()) > 50, fates
    for piece in world.pieces:
        assert piece.published < START.replace(day=28)
        changes = [hour for hour in (piece.changed, piece.moved) if hour is not None]
        assert all(piece.born < hour < piece.born + last_visit(piece.born, 199) for hour in changes)


def test_the_oracle_is_not_asked_what_the_crawl_saw():
    """Expected texts differ from what stood there before a change; a copy has a part of its original's."""
    world = make_world(1, 6, 400, 199)
    texts = world.expected()
    changed = next(piece for piece in world.pieces if piece.changed is not None)
    before = "\n\n".join(world.paragraphs(changed, changed.born))
    assert texts[changed.number] != before
    cut = next(piece for piece in world.pieces if piece.copy_of is not None and piece.share < 1)
    assert texts[cut.number] in "\n\n".join(world.paragraphs(world.pieces[cut.copy_of], 0))
    assert len(set(texts.values())) > 300


def test_the_oracle_sees_what_is_lost_too_much_or_wrong():
    world = make_world(1, 6, 400, 199)
    pieces = {f"http://p{publisher}{path}": piece for (publisher, path), piece in world.by_path.items()}
    address = {piece.number: url for url, piece in pieces.items() if piece.path in url}
    texts = world.expected()
    rows = [
        {"url": address[number], "text": text, "cluster": world.cluster_of(world.pieces[number]), "canonical": 1}
        for number, text in texts.items()
        if world.pieces[number].copy_of is None
    ]
    copy = next(piece for piece in world.pieces if piece.copy_of is not None)
    ghost = next(piece for piece in world.pieces if piece.never)
    found = Findings()
    rows[0]["text"] += " and more"
    rows[1]["cluster"] = rows[2]["cluster"]
    rows.append({**rows[3], "url": address[copy.number], "text": texts[copy.number]})
    rows.append({**rows[4], "url": address[ghost.number]})
    rows.append(rows[5])
    check_articles(found, rows[:6] + rows[7:], pieces, world)
    check_clusters(found, rows, [rows[8]["url"], *(row["url"] for row in rows)], pieces, world)
    lost = pieces[rows[6]["url"]].path
    assert lost in found.lost
    assert found.wrong_text == [rows[0]["url"]]
    assert found.extra == [address[ghost.number]]
    twice = [pieces[rows[5]["url"]].path, pieces[rows[8]["url"]].path, world.pieces[world.cluster_of(copy)].path]
    assert set(found.duplicated) == {rows[5]["url"], *twice}
    assert found.wrong_canonical == [address[copy.number]]
    assert len(found.wrong_cluster) >= 2
    assert set(found.mistakes) >= {"lost", "duplicated", "extra", "wrong_text", "wrong_cluster", "wrong_canonical"}
