"""A store on each database."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.exchange.records import (
    AuditEntry,
    Direction,
    EvidenceOrigin,
    EvidenceRecord,
    Kind,
    MessageRecord,
    Part,
    PartRole,
    PayloadRef,
)
from connector.store import SqlStore, open_store

NOW = datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)
REF = PayloadRef(sha256="ab" * 32, size=7)


def new_message(**fields: object) -> MessageRecord:
    """A message with ids of its own."""
    unique = uuid.uuid4().hex
    values = {
        "id": unique,
        "direction": Direction.OUTBOUND,
        "kind": Kind.BUSINESS,
        "state": "ACCEPTED",
        "message_type": "Request",
        "conversation_id": f"conversation-{unique}",
        "ebms_id": f"{unique}@de.emla",
        "sender": "DE-1",
        "recipient": "FR-1",
        "from_party": "de",
        "to_party": "fr",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return MessageRecord(**(values | fields))  # type: ignore[arg-type]


def new_part(message: MessageRecord, role: PartRole = PartRole.ORIGINAL, **fields: object) -> Part:
    """A part of `message`."""
    values = {"message_id": message.id, "role": role, "name": "a.xml", "media_type": "text/xml"}
    return Part(**({"payload": REF} | values | fields))  # type: ignore[arg-type]


def new_evidence(message: MessageRecord, id_: str = "e1") -> EvidenceRecord:
    """An evidence about `message`."""
    return EvidenceRecord(
        id=id_,
        message_id=message.id,
        type="DELIVERY",
        origin=EvidenceOrigin.RECEIVED,
        payload=REF,
        at=NOW,
        reason="because",
    )


def entry(message_id: str = "m", event: str = "accepted", **fields: str) -> AuditEntry:
    """An audit entry."""
    return AuditEntry(at=NOW, message_id=message_id, event=event, **fields)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgresql_url"))
    return f"sqlite:///{tmp_path}/emla.db"


@pytest.fixture
def open_again(store_url: str, tmp_path: Path) -> Iterator[Callable[[], SqlStore]]:
    """Opens the store, as another process would."""
    opened: list[SqlStore] = []

    def open_it() -> SqlStore:
        opened.append(open_store(store_url, tmp_path / "payloads"))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Callable[[], SqlStore]) -> SqlStore:
    """The store."""
    return open_again()
