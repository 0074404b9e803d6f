"""Evidences about a message: issuing them, sending them, taking in those of the other side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from connector.errors import ConnectorError, Problem, unacceptable
from connector.errors import Kind as ErrorKind
from connector.evidence.build import build_evidence, follow_up, submission_acceptance
from connector.evidence.model import Address, Entity, Evidence, MessageDetails, PostalAddress
from connector.evidence.parse import parse_evidence
from connector.evidence.read import ReadEvidence, check_message, read_evidence
from connector.evidence.types import EvidenceType, Profile, Reason
from connector.exchange.context import Connector
from connector.exchange.ports import PayloadStore, Transaction
from connector.exchange.records import (
    Direction,
    EvidenceOrigin,
    EvidenceRecord,
    Kind,
    MessageRecord,
    Part,
    PartRole,
    job_for,
)
from connector.exchange.states import State
from connector.xml import DEFAULT_LIMITS, parse

MEDIA_TYPE: Final = "text/xml"


def first_evidence(
    connector: Connector, record: MessageRecord, sha256: str, now: datetime
) -> Evidence:
    """SUBMISSION_ACCEPTANCE for the business document with that SHA-256 (hex), not yet signed."""
    return submission_acceptance(
        identifier=connector.new_id(),
        issuer=_issuer(connector),
        at=now,
        sender=record.sender,
        recipient=record.recipient,
        message=MessageDetails(
            subject=record.subject,
            ua_identifier=record.backend_id or "",
            remmd_identifier=record.ebms_id,
            digest=bytes.fromhex(sha256),
        ),
    )


def issue(
    connector: Connector,
    record: MessageRecord,
    kind: EvidenceType,
    now: datetime,
    *,
    reason: Reason | None = None,
    problem: Problem | None = None,
) -> EvidenceRecord:
    """Make, sign and store an evidence about `record`, chained to the first one of the message.

    The record is not written: that belongs to the commit of the step that calls for it.
    """
    evidence = follow_up(
        _chain(connector, record, now),
        kind,
        identifier=connector.new_id(),
        issuer=_issuer(connector),
        at=now,
        reason=reason,
        details=_details(problem),
    )
    inbound = record.direction is Direction.INBOUND
    partner = record.from_party if inbound else record.to_party
    return sign_and_store(connector, record, evidence, connector.profile(partner))


def sign_and_store(
    connector: Connector, record: MessageRecord, evidence: Evidence, profile: Profile
) -> EvidenceRecord:
    """The signed evidence as stored content, and its record."""
    signed = build_evidence(evidence, connector.keys.evidence, evidence.event_time, profile)
    return EvidenceRecord(
        id=evidence.identifier,
        message_id=record.id,
        type=evidence.type.value,
        origin=EvidenceOrigin.ISSUED,
        payload=connector.store.payloads.put(signed),
        at=evidence.event_time,
        reason=evidence.reason_text,
    )


def _chain(connector: Connector, record: MessageRecord, now: datetime) -> Evidence:
    """The message's SUBMISSION_ACCEPTANCE; made up from the record where none was ever read."""
    with connector.store.reading() as reading:
        known = reading.evidences(record.id)
    for each in known:
        if each.type == EvidenceType.SUBMISSION_ACCEPTANCE:
            # Its signature was verified before it was stored.
            root = parse(connector.store.payloads.read(each.payload), file="evidence")
            return _completed(parse_evidence(root)[0], record)
    with connector.store.reading() as reading:
        parts = reading.parts(record.id)
    document = next((p for p in parts if p.role is PartRole.ENVELOPE), None) or next(
        (p for p in parts if p.role is PartRole.ORIGINAL), None
    )
    digest = document.payload.sha256 if document else ""
    return first_evidence(connector, record, digest, now)


def _completed(first: Evidence, record: MessageRecord) -> Evidence:
    """What e-CODEX leaves out, and the schema wants in those that follow."""
    message = replace(
        first.message,
        subject=first.message.subject or record.subject,
        remmd_identifier=first.message.remmd_identifier or record.ebms_id,
    )
    return replace(first, message=message)


def _issuer(connector: Connector) -> Entity:
    identity = connector.identity
    return Entity(
        names=(identity.party,),
        postal=PostalAddress(
            streets=(identity.street,),
            locality=identity.locality,
            postal_code=identity.postal_code,
            country=identity.country,
        ),
        addresses=(Address(f"{identity.party}@emla"),),
    )


def _details(problem: Problem | None) -> str:
    """What the other side is told: the fault and its place in the document, never our files."""
    return str(replace(problem, file=None)) if problem else ""


def send_evidence(
    tx: Transaction,
    connector: Connector,
    about: MessageRecord,
    evidence: EvidenceRecord,
    now: datetime,
) -> None:
    """Queue an evidence for the other side, as a message of its own with its own job."""
    message = MessageRecord(
        id=connector.new_id(),
        direction=Direction.OUTBOUND,
        kind=Kind.EVIDENCE,
        state=State.EVIDENCE_READY.value,
        lane=about.lane,
        message_type=evidence.type,
        conversation_id=about.conversation_id,
        ebms_id=connector.ebms_id(evidence.id),
        ref_to=about.ebms_id,
        sender=about.recipient,
        recipient=about.sender,
        from_party=about.to_party,
        to_party=about.from_party,
        created_at=now,
        updated_at=now,
    )
    part = Part(
        message_id=message.id,
        role=PartRole.EVIDENCE,
        name=evidence.type,
        media_type=MEDIA_TYPE,
        payload=evidence.payload,
    )
    if tx.insert_message(message, [part]):
        tx.enqueue(job_for(message, connector.new_id(), now))


def read_document(payloads: PayloadStore, part: Part) -> bytes:
    """The content of a part that has to be read whole.

    Raises `xml.too-large` (unacceptable) before anything is read, and as `PayloadStore.read`.
    """
    if part.payload.size > DEFAULT_LIMITS.max_bytes:
        raise unacceptable(
            "xml.too-large",
            f"The part {part.name!r} has {part.payload.size} bytes; {DEFAULT_LIMITS.max_bytes} are "
            "allowed.",
            mend="Send large content as an attachment in the container.",
        )
    return payloads.read(part.payload)


def read_about(connector: Connector, part: Part, parts: Sequence[Part]) -> ReadEvidence:
    """Verify the evidence in `part`, and by the envelope's digest that it is about the message
    with `parts`.

    Raises `ConnectorError` (unacceptable): see `read_document`, `read_evidence`, `check_message`.
    """
    data = read_document(connector.store.payloads, part)
    found = read_evidence(data, connector.trust, connector.policy, connector.clock())
    envelope = next(part for part in parts if part.role is PartRole.ENVELOPE)
    check_message(
        found.evidence,
        bytes.fromhex(envelope.payload.sha256),
        lambda: connector.store.payloads.read(envelope.payload),
    )
    return found


def received(
    connector: Connector, business: MessageRecord, found: ReadEvidence, part: Part
) -> EvidenceRecord:
    """The record of an evidence of the other side, kept as the very bytes that came."""
    evidence = found.evidence
    return EvidenceRecord(
        id=evidence.identifier,
        message_id=business.id,
        type=evidence.type.value,
        origin=EvidenceOrigin.RECEIVED,
        payload=part.payload,
        at=evidence.event_time,
        reason=evidence.reason_text,
    )


def business_message(
    connector: Connector, record: MessageRecord
) -> tuple[MessageRecord, Sequence[Part]]:
    """The message of ours that the evidence message `record` is about, with its parts.

    Raises `evidence.unknown-message`, `evidence.wrong-party`.
    """
    with connector.store.reading() as reading:
        business = record.ref_to and reading.message_by_ebms_id(Direction.OUTBOUND, record.ref_to)
        if not business or business.kind is not Kind.BUSINESS:
            raise unacceptable(
                "evidence.unknown-message",
                f"The evidence is about the message {record.ref_to!r}, which is none of ours.",
            )
        if business.to_party != record.from_party:
            raise unacceptable(
                "evidence.wrong-party",
                f"{record.from_party} attests a message that went to {business.to_party}.",
            )
        return business, reading.parts(business.id)


def problem_of(error: ConnectorError) -> Problem:
    """What to state of a refusal: its first problem, with the number of further ones."""
    first, *more = error.problems
    return replace(first, what=f"{first.what} (And {len(more)} more.)") if more else first


def problem_json(problem: Problem | None) -> str | None:
    """As the record of a message keeps it."""
    return json.dumps(problem.as_json(), ensure_ascii=False) if problem else None


def is_final(error: ConnectorError) -> bool:
    """Whether trying again is of no use, whatever a person mends on this side. Stored content that
    is damaged or gone is this side's trouble, and may be restored."""
    return error.kind is ErrorKind.UNACCEPTABLE and not error.code.startswith("store.")
