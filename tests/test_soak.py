"""A short soak: two days of cron in half a minute, one run killed, faults on and off. `make soak` is the long form."""

import pytest

from tests.soak.__main__ import soak
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
