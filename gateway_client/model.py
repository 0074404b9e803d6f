"""What a gateway carries: an ebMS 3.0 user message, its parties and payloads, and what came of it.

All values are plain data. Payload content never sits in memory: a payload names a source that can
be opened as often as it is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final, Protocol

_EBMS: Final = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/"
TEST_SERVICE: Final = _EBMS + "service"
TEST_ACTION: Final = _EBMS + "test"


@dataclass(frozen=True, slots=True)
class PartyId:
    """eb:PartyId (ebMS 3.0 core, 5.2.2.4)."""

    value: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """A party in its role (eb:From, eb:To)."""

    id: PartyId
    role: str


@dataclass(frozen=True, slots=True)
class Service:
    """eb:Service (ebMS 3.0 core, 5.2.2.8)."""

    value: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Property:
    """eb:Property of a message or of a part."""

    name: str
    value: str
    type: str | None = None


class PayloadSource(Protocol):
    """Bytes that can be read again from the start as often as needed."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def open(self) -> BinaryIO:
        """A new stream at the first byte; the caller closes it."""
        ...


@dataclass(frozen=True, slots=True)
class Payload:
    """One eb:PartInfo with its content, as the application sees it (neither gzip nor cipher)."""

    content_id: str
    """Without `cid:`; e.g. `payload_3f0c…`. Empty for a payload in the SOAP Body."""
    mime_type: str
    source: PayloadSource
    properties: tuple[Property, ...] = ()
    """Without MimeType and CompressionType, which the gateway sets."""

    def property(self, name: str) -> str | None:
        """The value of the first property of that name."""
        return next((p.value for p in self.properties if p.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMessage:
    """eb:UserMessage (ebMS 3.0 core, 5.2.2)."""

    message_id: str
    timestamp: datetime
    sender: Party
    recipient: Party
    service: Service
    action: str
    conversation_id: str
    ref_to_message_id: str | None = None
    agreement_ref: str | None = None
    mpc: str | None = None
    properties: tuple[Property, ...] = ()
    payloads: tuple[Payload, ...] = ()

    @property
    def is_ping(self) -> bool:
        """Whether it is of the test service: answered like any other message, but never delivered
        (ebMS 3.0 core, 5.2.2.8 and 5.2.2.9)."""
        return self.service.value == TEST_SERVICE and self.action == TEST_ACTION

    def property(self, name: str) -> str | None:
        """The value of the first message property of that name."""
        return next((p.value for p in self.properties if p.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The gateway has taken a message: it is now the gateway's to deliver."""

    message_id: str
    """eb:MessageId under which it travels (a foreign gateway may have set its own)."""
    taken_at: datetime
    delivered: bool
    """True if the partner's access point has already answered with a verified receipt."""
    receipt: bytes | None = None
    """The verified receipt signal as received, for the archive."""


class Gateway(Protocol):
    """Outbound side of every gateway client."""

    def submit(self, message: UserMessage) -> Submission:
        """Hand over one message; calling again with the same message id has no second effect.

        Raises `ConnectorError`: transient where a later try may succeed (no route, time-out, no
        receipt, ebMS failure that the standard calls recoverable), else unacceptable.
        """
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class PayloadWriter(Protocol):
    """Receives one payload as it arrives; nothing is visible before `commit`."""

    def write(self, chunk: bytes) -> object:
        """Append bytes. Raises `ConnectorError` (transient) when the disk is full."""
        ...

    def commit(self) -> PayloadSource:
        """Make the content durable (fsync) and return it."""
        ...

    def abort(self) -> None:
        """Discard what was written; safe to call after `commit` (does nothing then)."""
        ...


class Receiver(Protocol):
    """What a gateway client calls for each message that arrives. The connector implements it."""

    def writer(self) -> PayloadWriter:
        """Where to put the next payload."""
        ...

    def receive(self, message: UserMessage, raw: bytes) -> bool:
        """Take a message whose signatures and digests have been verified.

        `raw` is the SOAP envelope as received, for the archive. Returns only when the message is
        durable; the gateway client sends its receipt after that. Returns False if the message id
        was seen before: nothing happens then, and the receipt is sent again.
        Raises `ConnectorError`: no receipt is sent, an ebMS error is.
        """
        ...


class PullGateway(Gateway, Protocol):
    """A gateway from which messages have to be fetched (Domibus without push)."""

    def poll(self, receiver: Receiver, *, limit: int = 500) -> Sequence[str]:
        """Fetch what is pending, hand each to `receiver`, acknowledge it after that; the ids."""
        ...
