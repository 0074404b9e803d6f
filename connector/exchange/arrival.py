"""A message of theirs on its way in: verified before anything of it is used."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.container.asic import open_container
from connector.container.check import CheckedContent, check
from connector.container.signed_token import read_token
from connector.envelope.check import require_valid
from connector.envelope.header import Header
from connector.envelope.xml_read import read
from connector.errors import ConnectorError, Problem, unacceptable
from connector.evidence.types import EvidenceType
from connector.exchange import evidences
from connector.exchange.context import Connector
from connector.exchange.ports import ref_of
from connector.exchange.reasons import reason_of
from connector.exchange.records import (
    EvidenceRecord,
    MessageRecord,
    Part,
    PartRole,
)
from connector.exchange.states import Event, State
from connector.exchange.transition import Change, commit
from connector.signature import xades
from connector.xml import parse

VERIFICATION_NAME: Final = "verification.json"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a message by what they are."""

    all: Sequence[Part]

    def of(self, role: PartRole) -> tuple[Part, ...]:
        """All of one role."""
        return tuple(part for part in self.all if part.role is role)

    def one(self, role: PartRole, what: str) -> Part:
        """The only one of its role. Raises `wire.missing-part`."""
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
        return commit(connector, record, not_acceptable(error, State.ARRIVED))
    return commit(
        connector,
        record,
        Change(
            event=Event.VERIFIED,
            found=State.ARRIVED,
            parts=parts,
            evidence=came_with,
            note=note,
        ),
    )


def not_acceptable(error: ConnectorError, found: State) -> Change:
    """What a refusal for good does to a message of theirs in the state `found`."""
    return Change(
        event=Event.NOT_ACCEPTABLE,
        found=found,
        reason=reason_of(error.code),
        problem=evidences.problem_of(error),
    )


def _verified(
    connector: Connector, record: MessageRecord
) -> tuple[list[Part], tuple[EvidenceRecord, ...], str]:
    now = connector.clock()
    payloads = connector.store.payloads
    with connector.store.reading() as reading:
        parts = Parts(reading.parts(record.id))
    envelope = parts.one(PartRole.ENVELOPE, "a business document")
    container = parts.one(PartRole.CONTAINER, "a container")
    token_part = parts.one(PartRole.TOKEN_XML, "a token")
    _check_nothing_unsealed(parts)

    verified = verified_envelope(connector, evidences.read_document(payloads, envelope), now)
    require_valid(verified.root)
    header = read(verified.root).header
    _check_parties(connector, record, header, verified.certificate.subject.rfc4514_string())

    token_xml = evidences.read_document(payloads, token_part)
    token = read_token(token_xml, connector.trust, connector.policy, now)
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
        _submission_evidence(connector, record, part, parts.all)
        for part in parts.of(PartRole.EVIDENCE)
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


def _check_nothing_unsealed(parts: Parts) -> None:
    """Before it is verified a message has no attachments but those in its container."""
    if beside := parts.of(PartRole.ATTACHMENT):
        raise unacceptable(
            "wire.unsealed-part",
            f"The part {beside[0].name!r} travels beside the container, so nothing seals it.",
            mend="Send attachments in the container, and list them in the envelope.",
        )


def _submission_evidence(
    connector: Connector, record: MessageRecord, part: Part, parts: Sequence[Part]
) -> EvidenceRecord:
    """The one evidence that may travel with a message: that its sender's side has taken it."""
    found = evidences.read_about(connector, part, parts)
    if found.evidence.type is not EvidenceType.SUBMISSION_ACCEPTANCE:
        raise unacceptable(
            "evidence.out-of-place",
            f"The message comes with a {found.evidence.type}, which its sender cannot attest.",
            mend="Send SUBMISSION_ACCEPTANCE with a message, and no other evidence.",
        )
    return evidences.received(connector, record, found, part)


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
        known = connector.directory.find(identifier)
        if known is None:
            kind = "sender" if field == "SendingAuthority" else "authority"
            raise unacceptable(
                f"directory.unknown-{kind}",
                f"The directory of the receiving side has no authority {identifier!r}.",
                mend="Correct the identifier, or ask for the authority to be added there.",
                path=path,
            )
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
                payload=ref_of(file.source),
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
