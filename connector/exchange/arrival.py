"""A message of theirs on its way in: verified before anything of it is used, then handed over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from lxml import etree

from connector.container.asic import open_container
from connector.container.check import CheckedContent, check
from connector.container.signed_token import read_token
from connector.envelope.check import require_valid
from connector.envelope.header import Header
from connector.envelope.xml_read import read
from connector.errors import ConnectorError, Problem, unacceptable
from connector.errors import Kind as ErrorKind
from connector.evidence.types import EvidenceType
from connector.exchange import evidences
from connector.exchange.context import Connector
from connector.exchange.reasons import reason_of
from connector.exchange.records import (
    EvidenceRecord,
    Handover,
    MessageRecord,
    Part,
    PartRole,
    PayloadRef,
)
from connector.exchange.states import Event
from connector.exchange.transition import Change, commit
from connector.signature import xades
from connector.translation.formats import Written
from connector.xml import Element, parse

ACCOUNT_NAME: Final = "translation.json"
VERIFICATION_NAME: Final = "verification.json"


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a message by what they are."""

    all: Sequence[Part]

    def of(self, role: PartRole) -> tuple[Part, ...]:
        return tuple(part for part in self.all if part.role is role)

    def one(self, role: PartRole, what: str) -> Part:
        found = self.of(role)
        if len(found) != 1:
            raise unacceptable(
                "wire.missing-part",
                f"The message comes without {what}.",
                mend="Send business document, container and token together.",
            )
        return found[0]


def verify(connector: Connector, record: MessageRecord) -> MessageRecord:
    """Check everything that came: envelope, token, container, evidence, and that they fit.

    What is wrong for good turns the message away with the reason; everything that arrived stays
    stored. Raises only what may pass.
    """
    try:
        parts, came_with, note = _verified(connector, record)
    except ConnectorError as error:
        if not evidences.is_final(error):
            raise
        change = Change(
            event=Event.NOT_ACCEPTABLE,
            reason=reason_of(error.code),
            problem=evidences.problem_of(error),
        )
        return commit(connector, record, change)
    return commit(
        connector,
        record,
        Change(event=Event.VERIFIED, parts=parts, evidence=came_with, note=note),
    )


def _verified(
    connector: Connector, record: MessageRecord
) -> tuple[list[Part], tuple[EvidenceRecord, ...], str]:
    now = connector.clock()
    payloads = connector.store.payloads
    with connector.store.reading() as reading:
        parts = _Parts(reading.parts(record.id))
    envelope = parts.one(PartRole.ENVELOPE, "a business document")
    container = parts.one(PartRole.CONTAINER, "a container")
    token_part = parts.one(PartRole.TOKEN_XML, "a token")

    verified = verified_envelope(connector, payloads.read(envelope.payload), now)
    require_valid(verified.root)
    header = read(verified.root).header
    _check_parties(connector, record, header, verified.certificate.subject.rfc4514_string())

    token = read_token(payloads.read(token_part.payload), connector.trust, connector.policy, now)
    opened = open_container(
        payloads.source(container.payload),
        connector.trust,
        connector.policy,
        now,
        payloads.writer,
    )
    content = check(opened, token.token, bytes.fromhex(envelope.payload.sha256))
    attachments = list(_attachments(record, header, content))
    came_with = tuple(
        evidences.received(
            connector, record, evidences.read_about(connector, data, parts.all), part
        )
        for part in parts.of(PartRole.EVIDENCE)
        for data in [payloads.read(part.payload)]
        if part.name in EvidenceType.__members__
    )
    weaknesses = [
        *verified.weaknesses,
        *token.weaknesses,
        *opened.weaknesses,
        *content.weaknesses,
    ]
    report = _report(record, verified, weaknesses)
    attachments.append(
        Part(
            message_id=record.id,
            role=PartRole.REPORT,
            name=VERIFICATION_NAME,
            media_type="application/json",
            payload=payloads.put(report),
        )
    )
    return attachments, came_with, f"{len(weaknesses)} reservations" if weaknesses else ""


def verified_envelope(connector: Connector, data: bytes, at: datetime) -> xades.VerifiedDocument:
    """The envelope as its signature covers it. Raises `xml.*`, `signature.*`, `certificate.*`."""
    return xades.verify_enveloped(
        parse(data, file="envelope.xml"), connector.trust, connector.policy, at
    )


def _check_parties(
    connector: Connector, record: MessageRecord, header: Header, signer: str
) -> None:
    """The signed header must say the same as the gateway's, and each party speak for its own."""
    if header.message_id != record.ebms_id:
        raise unacceptable(
            "wire.other-message-id",
            f"The envelope {header.message_id!r} travels as the message {record.ebms_id!r}.",
            mend="Send each envelope under its own Header/MessageId.",
            path="Envelope/Header/MessageId",
        )
    for field, stated, outside, party in (
        ("SendingAuthority", header.sending_authority, record.sender, record.from_party),
        ("ReceivingAuthority", header.receiving_authority, record.recipient, record.to_party),
    ):
        identifier = stated.identifier.value if stated.identifier else ""
        path = f"Envelope/Header/{field}/Identifier/Value"
        if outside and identifier != outside:
            raise unacceptable(
                "wire.other-authority",
                f"The envelope names {identifier!r}, the message that carries it {outside!r}.",
                path=path,
            )
        known = connector.directory.get(identifier)
        if known.party != party:
            raise unacceptable(
                "directory.wrong-party",
                f"{identifier} is served by {known.party}, not by {party}, who "
                f"{'sends' if field == 'SendingAuthority' else 'receives'} the message "
                f"(signed by {signer}).",
                mend="Mend the directory, or send through the connector that it names.",
                path=path,
            )


def _attachments(record: MessageRecord, header: Header, content: CheckedContent) -> Sequence[Part]:
    """What the signed header lists and what the container holds must be the same files."""
    by_name = {file.name: file for file in content.attachments}
    parts: list[Part] = []
    for stated in header.attachments:
        file = by_name.pop(stated.name, None)
        if file is None:
            raise unacceptable(
                "container.attachment-missing",
                f"The envelope lists {stated.name!r}, which is not in the container.",
                path="Envelope/Header/Attachment",
            )
        if file.size != stated.size or file.sha256.hex() != stated.sha256:
            raise unacceptable(
                "container.attachment-altered",
                f"{stated.name!r} in the container is not the file that the envelope lists: it has "
                f"{file.size} bytes and the SHA-256 {file.sha256.hex()}.",
                path="Envelope/Header/Attachment",
            )
        parts.append(
            Part(
                message_id=record.id,
                role=PartRole.ATTACHMENT,
                name=stated.name,
                media_type=stated.media_type,
                payload=_ref(file.source, file.size, file.sha256.hex()),
                description=stated.role.value,
            )
        )
    if by_name:
        raise unacceptable(
            "container.attachment-unlisted",
            f"The container holds {', '.join(map(repr, sorted(by_name)))}, which the envelope does "
            "not list.",
            path="Envelope/Header",
        )
    return parts


def _ref(source: object, size: int, sha256: str) -> PayloadRef:
    """Our payload writers give sources that know their address."""
    ref = getattr(source, "ref", None)
    return ref if isinstance(ref, PayloadRef) else PayloadRef(sha256=sha256, size=size)


def _report(
    record: MessageRecord, verified: xades.VerifiedDocument, weaknesses: Sequence[Problem]
) -> bytes:
    """What was found on arrival, for whoever asks later (JSON)."""
    certificate = verified.certificate
    told = {
        "message": record.ebms_id,
        "signedBy": certificate.subject.rfc4514_string(),
        "issuedBy": certificate.issuer.rfc4514_string(),
        "serialNumber": f"{certificate.serial_number:x}",
        "signatureMethod": verified.signature_method,
        "signingTime": verified.signing_time.isoformat() if verified.signing_time else None,
        "reservations": [problem.as_json() for problem in weaknesses],
    }
    return json.dumps(told, ensure_ascii=False, indent=2).encode()


def hand_over(connector: Connector, record: MessageRecord) -> MessageRecord:
    """Translate a verified message into the national format and place it for the national system.

    Raises `delivery.untranslatable` (configuration) where the mapping cannot express it: a person
    mends the mapping and has it tried again, or the time runs out and the sender is told.
    """
    now = connector.clock()
    payloads = connector.store.payloads
    with connector.store.reading() as reading:
        parts = _Parts(reading.parts(record.id))
    envelope = parts.one(PartRole.ENVELOPE, "a business document")
    written = _translated(connector, payloads.read(envelope.payload), now)
    document = payloads.put(written.data)
    account = payloads.put(
        json.dumps(written.account.as_json(), ensure_ascii=False, indent=1).encode()
    )
    made = (
        Part(
            message_id=record.id,
            role=PartRole.NATIONAL,
            name=written.filename,
            media_type=written.media_type,
            payload=document,
        ),
        Part(
            message_id=record.id,
            role=PartRole.REPORT,
            name=ACCOUNT_NAME,
            media_type="application/json",
            payload=account,
        ),
    )
    proofs = (
        *parts.of(PartRole.ENVELOPE),
        *parts.of(PartRole.CONTAINER),
        *parts.of(PartRole.TOKEN_XML),
        *parts.of(PartRole.REPORT),
        made[1],
    )
    connector.backend.hand_over(
        Handover(
            record=record,
            document_name=written.filename,
            document=document,
            attachments=parts.of(PartRole.ATTACHMENT),
            proofs=tuple({part.name: part for part in proofs}.values()),
        )
    )
    return commit(connector, record, Change(event=Event.HANDED_OVER, parts=made))


def _translated(connector: Connector, data: bytes, now: datetime) -> Written:
    # The certificate may have expired since it was verified on arrival; what counts for the
    # content is only that these are the signed bytes, so the signature is taken out, not judged.
    root = _without_signature(parse(data, file="envelope.xml"))
    written = connector.formats.write(root, connector.backend.format)
    if written.problems:
        raise ConnectorError(
            ErrorKind.CONFIGURATION,
            Problem(
                code="delivery.untranslatable",
                what=f"The message cannot be written as {written.format}: {written.problems[0]}",
                mend="Mend the mapping, then `emla queue retry`; the message waits here.",
            ),
            *written.problems,
        )
    return written


def _without_signature(root: Element) -> Element:
    """The content of an envelope whose signature has been verified before it was stored."""
    for child in list(root):
        if isinstance(child.tag, str) and etree.QName(child).localname == "Signature":
            root.remove(child)
    etree.strip_tags(root, etree.Comment)
    return root
