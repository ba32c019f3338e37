"""A Redis of one's own for each test."""

import pytest

from tests.redis_server import RedisServer


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path / "redis") as server:
        yield server
