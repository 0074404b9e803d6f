"""The peers, one of each for a session, and the matrix of what they said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.matrix import matrix
from tests.interop.peers import Peer

__all__ = ["matrix"]

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is an interoperability test."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker("interop")


@pytest.fixture(scope="session")
def phase4(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The AS4 access point of phase4."""
    yield from _peer("phase4", tmp_path_factory)


@pytest.fixture(scope="session")
def dss(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """EU DSS."""
    yield from _peer("dss", tmp_path_factory)


def _peer(module: str, factory: pytest.TempPathFactory) -> Iterator[Peer]:
    peer = Peer(module, factory.mktemp(module))
    try:
        yield peer
    finally:
        peer.close()
