"""Messages and receivers for the tests of the Domibus client."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from gateway_client.model import (
    Party,
    PartyId,
    Payload,
    PayloadSource,
    Property,
    Service,
    UserMessage,
)

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Bytes:
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


@dataclass(frozen=True)
class File:
    path: Path

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        return self.path.open("rb")


def message(message_id: str = "m-1@emla", *payloads: Payload, **changes: object) -> UserMessage:
    fields: dict[str, object] = {
        "message_id": message_id,
        "timestamp": NOW,
        "sender": Party(PartyId("blue", "urn:x:type"), "urn:x:initiator"),
        "recipient": Party(PartyId("red", "urn:x:type"), "urn:x:responder"),
        "service": Service("mla", "urn:x:services"),
        "action": "Form_A",
        "conversation_id": "c-1",
        "properties": (Property("originalSender", "fr"), Property("finalRecipient", "at")),
        "payloads": payloads or (payload("p1", b"<request/>"),),
    }
    return UserMessage(**(fields | changes))  # type: ignore[arg-type]


def payload(content_id: str, data: bytes, mime_type: str = "text/xml") -> Payload:
    return Payload(content_id, mime_type, Bytes(data), (Property("name", f"file {content_id}"),))


@dataclass
class MemoryWriter:
    data: bytearray = field(default_factory=bytearray)
    aborted: bool = False
    committed: bool = False

    def write(self, chunk: bytes) -> object:
        self.data += chunk
        return None

    def commit(self) -> PayloadSource:
        self.committed = True
        return Bytes(bytes(self.data))

    def abort(self) -> None:
        self.aborted = not self.committed


@dataclass
class DigestWriter:
    """For content that fits no memory."""

    digest: object = field(default_factory=hashlib.sha256)
    size: int = 0

    def write(self, chunk: bytes) -> object:
        self.digest.update(chunk)
        self.size += len(chunk)
        return None

    def commit(self) -> PayloadSource:
        return Bytes(self.digest.digest())

    def abort(self) -> None:
        """Nothing to undo."""


@dataclass
class MemoryReceiver:
    """Takes a message once, as the connector does."""

    before: Callable[[UserMessage], None] = lambda message: None
    """Called before a message is taken; may raise."""
    taken: dict[str, tuple[UserMessage, bytes]] = field(default_factory=dict)
    writers: list[MemoryWriter] = field(default_factory=list)
    seen_again: list[str] = field(default_factory=list)

    def writer(self) -> MemoryWriter:
        self.writers.append(MemoryWriter())
        return self.writers[-1]

    def receive(self, message: UserMessage, raw: bytes) -> bool:
        self.before(message)
        if message.message_id in self.taken:
            self.seen_again.append(message.message_id)
            return False
        self.taken[message.message_id] = (message, raw)
        return True

    def contents(self, message_id: str) -> list[bytes]:
        found = []
        for each in self.taken[message_id][0].payloads:
            with each.source.open() as stream:
                found.append(stream.read())
        return found
