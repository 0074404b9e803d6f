"""The peers, one of each for a session, and the matrix of what they said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.signature.pki import KeyType
from tests.interop.key_files import KeyFiles
from tests.interop.matrix import matrix
from tests.interop.peers import Peer
from tests.interop.signatures import Surroundings, surroundings
from tests.signature.certomancer_pki import running

__all__ = ["matrix"]

KINDS = [KeyType.RSA_2048, KeyType.P256, KeyType.ED25519]
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is an interoperability test."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker("interop")
            item.add_marker(pytest.mark.timeout(900))  # the first may wait for Maven's downloads


@pytest.fixture(scope="session")
def phase4(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """The AS4 access point of phase4."""
    yield from _peer("phase4", tmp_path_factory)


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    """Keys and certificates for phase4."""
    return KeyFiles(tmp_path)


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


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[KeyType, Surroundings]]:
    """A PKI for each kind of key, its services running."""
    # A few minutes ago, so that its clock can be put forward between one timestamp and the next.
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    with ExitStack() as stack:
        made = {}
        for kind in KINDS:
            folder = tmp_path_factory.mktemp(f"pki-{kind}")
            pki = stack.enter_context(running(folder, kind))
            pki.at(now)
            made[kind] = surroundings(pki, kind, folder / "files")
        yield made


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, places: dict[KeyType, Surroundings]) -> Surroundings:
    """Each PKI in turn."""
    return places[request.param]
