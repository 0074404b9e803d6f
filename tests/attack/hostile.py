"""A partner turned bad: it has the keys and agreements of DE, and sends BR whatever it likes.

BR is a running connector, with its real endpoint, intake, worker and folders.
"""

from __future__ import annotations

import hashlib
import json
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog
import tomli_w
from cryptography.hazmat.primitives.serialization import Encoding

from connector.container.asic import Document, seal
from connector.container.signed_token import build_token
from connector.container.token import Token, TokenDocument, TokenIssuer, authentication_token
from connector.errors import ConnectorError
from connector.evidence.read import read_evidence
from connector.evidence.types import EvidenceType, Reason
from connector.exchange import departure
from connector.exchange.context import Connector
from connector.exchange.records import Direction, MessageRecord, Part, PartRole
from connector.exchange.states import FINAL, State
from connector.exchange.wire import PARTY_TYPE, user_message
from connector.intake.acceptance import accept
from connector.intake.submission import GivenFile, Submission
from connector.runtime.assembly import Assembly, assemble, new_id
from connector.runtime.service import Service
from connector.settings import FILE_NAME, Home, load
from connector.signature import xades
from connector.signature.keys import SigningKey
from connector.signature.pki import Authority
from connector.xml import parse
from gateway_client.as4.client import As4Client
from gateway_client.as4.endpoint import as4_app
from gateway_client.as4.send import BytesSource
from gateway_client.model import Party, PartyId, Payload, PayloadSource, UserMessage
from gateway_client.pmode.model import PMode, PModes
from tests.as4.access_points import Inbox, serving
from tests.network import ATTACHMENTS, homes, sample, shipped_formats

NOW = datetime.now(UTC)
OTHER = Authority.root("Another ministry's root, trusted by BR", NOW)
PATIENCE = 30.0
MAX_MESSAGE = 96 * 1024 * 1024
"""Bytes that BR's endpoint accepts."""


@dataclass
class Content:
    """A file that is attached, as its sender has it in memory."""

    name: str
    data: bytes


@dataclass(eq=False)
class Hostile:
    """What DE can do."""

    assembly: Assembly
    inbox: Inbox
    """Where its endpoint keeps what BR sends."""

    @property
    def connector(self) -> Connector:
        return self.assembly.connector

    @property
    def mode(self) -> PMode:
        """Its agreement for sending to BR."""
        return next(m for m in self.assembly.pmodes.modes if m.endpoint is not None)

    def genuine(
        self,
        document: bytes | None = None,
        attachments: Mapping[str, bytes] = ATTACHMENTS,
        connector: Connector | None = None,
    ) -> UserMessage:
        """A message as it should be, ready for the gateway."""
        own = connector or self.connector
        payloads = own.store.payloads
        record = accept(
            own,
            Submission(
                message_id=new_id(),
                document=GivenFile(name="r.xml", payload=payloads.put(document or sample())),
                attachments=[
                    GivenFile(name=n, payload=payloads.put(d)) for n, d in attachments.items()
                ],
            ),
        ).record
        sealed = departure.seal_message(own, record)
        with own.store.reading() as reading:
            parts = reading.parts(record.id)
        return user_message(sealed, parts, payloads.source, own.clock())

    def send(
        self, message: UserMessage, mode: PMode | None = None, key: SigningKey | None = None
    ) -> None:
        """By its real access point. Raises `ConnectorError` if BR's does not take it."""
        client = As4Client(
            PModes((mode or self.mode,)),
            key or self.assembly.transport,
            scratch=self.assembly.store.payloads.scratch(),
        )
        try:
            client.submit(message)
        finally:
            client.close()

    def evidences_about(self, ebms_id: str) -> list[tuple[EvidenceType, Reason | None]]:
        """What BR has said of a message, verified."""
        own = self.connector
        found = []
        for message in list(self.inbox.messages.values()):
            if message.ref_to_message_id == ebms_id:
                data = content(message.payloads[0])
                evidence = read_evidence(data, own.trust, own.policy, own.clock()).evidence
                reason = evidence.reasons[0].reason if evidence.reasons else None
                found.append((evidence.type, reason))
        return found

    # --- Taking a message apart --------------------------------------------------------------

    def resealed(
        self,
        message: UserMessage,
        *,
        files: Sequence[Content] | None = None,
        envelope: bytes | None = None,
        token: Callable[[Token], Token] = lambda token: token,
        key: SigningKey | None = None,
    ) -> UserMessage:
        """Container and token made anew by the same sender, over other files or another envelope,
        and without its evidence, which would no longer fit."""
        own, now = self.connector, self.connector.clock()
        body = envelope if envelope is not None else content(message.payloads[0])
        inside = [Content(n, d) for n, d in ATTACHMENTS.items()]
        inside.append(Content("r.xml", sample()))
        documents = [
            Document(departure.ENVELOPE_NAME, "application/xml", BytesSource(body)),
            *(
                Document(f.name, "application/octet-stream", BytesSource(f.data))
                for f in (files if files is not None else inside)
            ),
        ]
        target = own.store.payloads.writer()
        seal(target, documents, key or own.keys.seal, now)
        ref = target.commit_ref()
        made = token(token_about(own, body))
        return with_parts(
            replace(message, payloads=message.payloads[:3]),
            envelope=body,
            container=own.store.payloads.source(ref),
            token=build_token(made, own.keys.seal, now),
        )


def token_about(own: Connector, envelope: bytes) -> Token:
    return authentication_token(
        issuer=TokenIssuer(own.identity.name, own.identity.country),
        document=TokenDocument(
            filename=departure.ENVELOPE_NAME,
            media_type="application/xml",
            digest=hashlib.sha256(envelope).digest(),
        ),
        identity_provider=own.identity.name,
        username="nobody",
        at=own.clock(),
    )


def content(payload: Payload) -> bytes:
    with payload.source.open() as stream:
        return stream.read()


def with_parts(
    message: UserMessage,
    *,
    envelope: bytes | None = None,
    container: bytes | PayloadSource | None = None,
    token: bytes | None = None,
) -> UserMessage:
    """The message with other content in the parts that are given."""
    payloads = list(message.payloads)
    for place, data in enumerate((envelope, container, token)):
        if data is not None:
            source = BytesSource(data) if isinstance(data, bytes) else data
            payloads[place] = replace(payloads[place], source=source)
    return replace(message, payloads=tuple(payloads))


def signed_anew(envelope: bytes, key: SigningKey, **options: Any) -> bytes:
    """The envelope without its signature, signed by `key`."""
    root = parse(envelope)
    for child in [c for c in root if str(c.tag).endswith("}Signature")]:
        root.remove(child)
    return xades.sign_enveloped(root, key, NOW, media_type="application/xml", **options)


# --- The victim --------------------------------------------------------------------------------


@dataclass
class Rig:
    """BR, running, and DE, hostile."""

    br: Service
    de: Hostile
    homes: Mapping[str, Home]
    logs: list[dict[str, Any]] = field(default_factory=list)

    def record(self, ebms_id: str) -> MessageRecord | None:
        with self.br.assembly.store.reading() as reading:
            return reading.message_by_ebms_id(Direction.INBOUND, ebms_id)

    def ended(self, ebms_id: str) -> MessageRecord:
        """The message once BR's worker is done with it."""
        done = {*FINAL, State.HANDED_OVER}
        return wait_for(
            lambda: found if (found := self.record(ebms_id)) and found.state in done else None
        )

    def parts(self, record: MessageRecord) -> list[Part]:
        with self.br.assembly.store.reading() as reading:
            return list(reading.parts(record.id))

    def refused_code(self) -> str:
        """The code with which BR's endpoint has refused the latest message."""
        codes = [entry["code"] for entry in self.logs if entry["event"] == "as4.refused"]
        return str(codes[-1])

    def turned_away(self, message: UserMessage) -> tuple[str, Reason | None]:
        """Send what BR must take and then turn away: the code, and the reason that DE is told.

        Makes sure that nothing of it reaches the national system, that all that came is kept,
        that DE hears of it by a rejection and nothing else, and that BR goes on.
        """
        self.de.send(message)
        record = self.ended(message.message_id)
        assert record.state == State.TURNED_AWAY, record
        assert not list(self.delivered(message.message_id))
        kept = {
            part.payload.sha256: self.br.assembly.store.payloads.read(part.payload)
            for part in self.parts(record)
            if part.role is not PartRole.SOAP
        }
        assert sorted(kept.values()) == sorted({content(p) for p in message.payloads})
        told = wait_for(lambda: self.de.evidences_about(message.message_id))
        self.next_one_is_delivered()
        ((kind, reason),) = told
        assert kind is EvidenceType.RELAY_REMMD_REJECTION
        return str(json.loads(record.problem or "")["code"]), reason

    def delivered(self, ebms_id: str) -> Iterator[Path]:
        folder = self.homes["BR"].folder / "delivered"
        return (p for p in folder.iterdir() if p.name.startswith(ebms_id.partition("@")[0]))

    def next_one_is_delivered(self) -> None:
        good = self.de.genuine(sample("emergency-request"), {})
        self.de.send(good)
        assert self.ended(good.message_id).state == State.HANDED_OVER
        (folder,) = self.delivered(good.message_id)
        assert (folder / "READY").exists()

    def _arrived(self) -> int:
        """Messages that BR has taken. Its own evidences about earlier ones may still be leaving."""
        store = self.br.assembly.store
        return len(store.messages(direction=Direction.INBOUND, limit=100_000))

    def refused_at_the_door(self, send: Callable[[], None]) -> tuple[str, str]:
        """Send what BR's access point must refuse: its code, and the EBMS error that DE gets.

        Makes sure that nothing is kept of it as a message, and that BR goes on.
        """
        known = self._arrived()
        try:
            send()
        except ConnectorError as error:
            assert error.code == "as4.refused-by-partner", error
            told = str(error.problems[0].what)
        else:
            raise AssertionError("BR has taken it")
        code = self.refused_code()
        assert self._arrived() == known
        self.next_one_is_delivered()
        return code, told.partition("refused the message: ")[2].split()[0]


def wait_for(look: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """What `look` finds, as soon as that is something."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    made = homes(folder, "DE", "BR", "FR", BR={"gateway": {"max_message_bytes": MAX_MESSAGE}})
    _trust_another(made["BR"])
    _partner_with_an_expired_certificate(made["BR"])
    made["BR"] = load(made["BR"].folder)
    logs: list[dict[str, Any]] = []

    def keep(_: object, __: str, event: dict[str, Any]) -> dict[str, Any]:
        logs.append(dict(event))
        raise structlog.DropEvent

    before = structlog.get_config()["processors"]
    structlog.configure(processors=[keep])
    with patch("connector.runtime.assembly.home_formats", lambda home: shipped_formats()):
        service, own = Service(made["BR"]), assemble(made["DE"])
    inbox = Inbox()
    app = as4_app(own.pmodes, own.transport, own.decryption, inbox)
    port = int(made["DE"].settings.gateway.listen.rpartition(":")[2])
    try:
        with serving(app, port):
            service.start()
            try:
                yield Rig(service, Hostile(own, inbox), made, logs)
            finally:
                service.stop()
    finally:
        own.close()
        structlog.configure(processors=before)


def _trust_another(home: Home) -> None:
    (home.folder / "trust" / "other.pem").write_bytes(
        OTHER.key.certificate.public_bytes(Encoding.PEM)
    )


EXPIRED_TRANSPORT = OTHER.issue(
    "FR, transport, expired",
    NOW,
    encipherment=True,
    not_before=datetime(2020, 1, 1, tzinfo=UTC),
    not_after=datetime(2021, 1, 1, tzinfo=UTC),
)


def _partner_with_an_expired_certificate(home: Home) -> None:
    """FR, whose certificate nobody has renewed."""
    file = home.folder / "expired.pem"
    file.write_bytes(EXPIRED_TRANSPORT.certificate.public_bytes(Encoding.PEM))
    settings = tomllib.loads((home.folder / FILE_NAME).read_text("utf-8"))
    for partner in settings["partner"]:
        if partner["country"] == "FR":
            partner["certificate"] = "expired.pem"
    (home.folder / FILE_NAME).write_text(tomli_w.dumps(settings), "utf-8")


def posing_as(mode: PMode, party: str) -> PMode:
    """The agreement as that party would have it."""
    return replace(mode, initiator=Party(PartyId(party, PARTY_TYPE), mode.initiator.role))
