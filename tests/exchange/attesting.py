"""Evidences as a partner makes them, true and false ones."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from connector.evidence.build import build_evidence, follow_up
from connector.evidence.model import Evidence
from connector.evidence.parse import parse_evidence
from connector.evidence.types import EvidenceType, Reason
from connector.exchange.records import MessageRecord
from connector.exchange.wire import PARTY_TYPE, ROLE, SERVICE
from connector.signature.keys import SigningKey
from connector.xml import parse
from gateway_client.as4.send import BytesSource
from gateway_client.model import Party, PartyId, Payload, Property, UserMessage
from tests.exchange.world import World


def attested(
    pair: World, sent: MessageRecord, kind: EvidenceType, reason: Reason | None = None
) -> Evidence:
    """What BR says about a request of DE, unsigned."""
    first = pair.de.evidences(sent)[0]
    accepted, _ = parse_evidence(parse(pair.de.store.payloads.read(first.payload)))
    return follow_up(
        accepted,
        kind,
        identifier=str(uuid.uuid4()),
        issuer=accepted.issuer,
        at=pair.clock(),
        reason=reason,
    )


def signed(pair: World, evidence: Evidence, key: SigningKey | None = None) -> bytes:
    return build_evidence(evidence, key or pair.br.connector.keys.evidence, pair.clock())


def party(name: str) -> Party:
    return Party(PartyId(name, PARTY_TYPE), ROLE)


def carrying(
    sent: MessageRecord, data: bytes, kind: str = "RELAY_REMMD_ACCEPTANCE", **changes: Any
) -> UserMessage:
    """The message in which an evidence about `sent` travels back."""
    labels = (Property("name", kind), Property("description", kind))
    identifier = f"{uuid.uuid4()}@connector-br.emla"
    made = UserMessage(
        message_id=identifier,
        timestamp=sent.created_at,
        sender=party(sent.to_party),
        recipient=party(sent.from_party),
        service=SERVICE,
        action=EvidenceType[kind].action,
        conversation_id=sent.conversation_id,
        ref_to_message_id=sent.ebms_id,
        payloads=(Payload("evidence", "text/xml", BytesSource(data), labels),),
    )
    return replace(made, **changes)


def take(pair: World, message: UserMessage) -> MessageRecord:
    """DE gets it and works on it; the record of the evidence message."""
    assert pair.wire.bring(message)
    pair.de.work()
    return pair.de.received(message.message_id)


def attest(
    pair: World, sent: MessageRecord, kind: EvidenceType, reason: Reason | None = None
) -> MessageRecord:
    """A true evidence of BR, taken in."""
    data = signed(pair, attested(pair, sent, kind, reason))
    return take(pair, carrying(sent, data, kind.value))


def lying_on_the_wire(pair: World) -> MessageRecord:
    """A request that DE has submitted and BR never gets to see."""
    pair.wire.held = []
    sent = pair.de.accept()
    pair.de.work()
    pair.wire.held = None
    return sent
