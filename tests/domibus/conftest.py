from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway_client.domibus import Access, DomibusGateway
from tests.domibus.messages import NOW
from tests.domibus.standin import Standin


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin() as gateway:
        yield gateway
    assert gateway.failures == []


@pytest.fixture
def connect(standin: Standin, tmp_path: Path) -> Iterator[Callable[..., DomibusGateway]]:
    """Opens clients of the stand-in, which share one spool."""
    opened = []

    def opener(**changes: object) -> DomibusGateway:
        access = {
            "url": standin.url,
            "user": "plugin",
            "password": "secret",
            "timeout": timedelta(seconds=10),
        } | changes
        gateway = DomibusGateway(Access(**access), tmp_path / "spool", clock=lambda: NOW)
        opened.append(gateway)
        return gateway

    yield opener
    for gateway in opened:
        gateway.close()


@pytest.fixture
def client(connect: Callable[..., DomibusGateway]) -> DomibusGateway:
    return connect()
