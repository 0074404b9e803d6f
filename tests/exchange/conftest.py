from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.exchange.world import World, world
from tests.network import plain_logs

plain_logs()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def pair(shared: World) -> Iterator[World]:
    """Two connectors that are shared by the tests of a module, with a wire that works."""
    yield shared
    shared.wire.reset()
    shared.settle()
