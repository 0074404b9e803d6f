"""Two access points on this machine, with keys, PModes and a receiver that keeps what it gets."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import uvicorn

from connector.errors import ConnectorError
from connector.signature.keys import DecryptionKey, SigningKey
from connector.signature.pki import Authority
from gateway_client.as4.client import As4Client
from gateway_client.as4.endpoint import EndpointLimits, as4_app
from gateway_client.as4.namespaces import INITIATOR, RESPONDER
from gateway_client.model import (
    Party,
    PartyId,
    Payload,
    PayloadSource,
    Property,
    Service,
    UserMessage,
)
from gateway_client.pmode.model import PartnerTrust, PMode, PModes, Security

NOW = datetime.now(UTC)
ROOT = Authority.root("Test root", NOW)
RED_KEY = ROOT.issue("red", NOW, encipherment=True)
BLUE_KEY = ROOT.issue("blue", NOW, encipherment=True)
PARTY_TYPE = "urn:oasis:names:tc:ebcore:partyid-type:unregistered"
RED = PartyId("red", PARTY_TYPE)
BLUE = PartyId("blue", PARTY_TYPE)
SERVICE = Service("urn:mla", "urn:services")


def decryption(key: SigningKey) -> DecryptionKey:
    return DecryptionKey(key.private, key.certificate)  # type: ignore[arg-type]


def pmode(endpoint: str | None = None, *, own: SigningKey = RED_KEY, **changes: Any) -> PMode:
    """Red to blue, as seen by whoever holds `own`."""
    partner = BLUE_KEY if own is RED_KEY else RED_KEY
    mode = PMode(
        id="red-blue",
        initiator=Party(RED, INITIATOR),
        responder=Party(BLUE, RESPONDER),
        services=(SERVICE,),
        actions=("Request",),
        endpoint=endpoint,
        security=Security(
            trust=PartnerTrust(certificates=(partner.certificate,)),
            encrypt_for=partner.certificate,
        ),
        connect_timeout=5,
        answer_timeout=20,
    )
    return replace(mode, **changes)


def secured(mode: PMode, **changes: Any) -> PMode:
    """`mode` with other terms of security."""
    return replace(mode, security=replace(mode.security, **changes))


class Writer:
    """Keeps a payload in memory, and whether it was let go."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.committed = False
        self.aborted = False

    def write(self, chunk: bytes) -> object:
        assert not self.committed and not self.aborted
        self.data += chunk
        return None

    def commit(self) -> PayloadSource:
        self.committed = True
        return Source(bytes(self.data))

    def abort(self) -> None:
        self.aborted = not self.committed


@dataclass
class Source:
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


@dataclass
class Inbox:
    """A receiver in memory that eliminates duplicates."""

    writers: list[Writer] = field(default_factory=list)
    messages: dict[str, UserMessage] = field(default_factory=dict)
    raw: list[bytes] = field(default_factory=list)
    calls: int = 0
    failure: ConnectorError | None = None

    def writer(self) -> Writer:
        self.writers.append(Writer())
        return self.writers[-1]

    def receive(self, message: UserMessage, raw: bytes) -> bool:
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        self.raw.append(raw)
        if message.message_id in self.messages:
            return False
        self.messages[message.message_id] = message
        return True


def payload(
    content: bytes, name: str = "p1", mime_type: str = "application/xml", *more: Property
) -> Payload:
    return Payload(name, mime_type, Source(content), more)


def message(*payloads: Payload, id: str = "m1@red", **changes: Any) -> UserMessage:
    made = UserMessage(
        message_id=id,
        timestamp=NOW,
        sender=Party(RED, INITIATOR),
        recipient=Party(BLUE, RESPONDER),
        service=SERVICE,
        action="Request",
        conversation_id="c1",
        properties=(Property("originalSender", "urn:a"), Property("finalRecipient", "urn:b", "x")),
        payloads=payloads,
    )
    return replace(made, **changes)


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """The URL where `app` is served by uvicorn while the block runs."""
    # With the protocol named, asyncio switches Nagle off, which costs 40 ms a message otherwise.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="error", http="httptools", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def blue_endpoint(
    inbox: Inbox, mode: PMode | None = None, limits: EndpointLimits | None = None
) -> Iterator[str]:
    """Blue's access point; its URL."""
    modes = PModes((mode or pmode(own=BLUE_KEY),))
    app = as4_app(modes, BLUE_KEY, decryption(BLUE_KEY), inbox, limits=limits)
    with serving(app) as url:
        yield f"{url}/as4"


def red_client(mode: PMode, scratch: Path, **options: Any) -> As4Client:
    return As4Client(PModes((mode,)), RED_KEY, scratch=scratch, **options)
