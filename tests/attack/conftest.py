from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attack.hostile import Rig, rig


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made
