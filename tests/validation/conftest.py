"""The PKI with its services, once for each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.signature.certomancer_pki import NOW, Pki, running


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    with running(tmp_path_factory.mktemp("pki")) as pki:
        yield pki


@pytest.fixture
def ca(_running: Pki) -> Pki:
    """Its clock says `NOW` at first."""
    _running.at(NOW)
    _running.requests.clear()
    return _running
