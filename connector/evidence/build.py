"""Making evidences: the first of a chain, those that follow, and their signed XML."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from connector.evidence.markup import evidence_xml
from connector.evidence.model import Address, Entity, EventReason, Evidence, MessageDetails
from connector.evidence.types import EvidenceType, Profile, Reason
from connector.signature import xades
from connector.signature.keys import SigningKey
from connector.xml import parse


def submission_acceptance(
    *,
    identifier: str,
    issuer: Entity,
    at: datetime,
    sender: str,
    recipient: str,
    message: MessageDetails,
) -> Evidence:
    """The first evidence of a message: this connector has taken it.

    `sender` and `recipient` are the authorities' identifiers (originalSender, finalRecipient).
    """
    return Evidence(
        type=EvidenceType.SUBMISSION_ACCEPTANCE,
        identifier=identifier,
        issuer=issuer,
        event_time=at,
        submission_time=at,
        reply_to=Address(sender),
        sender=Entity(addresses=(Address(sender),)),
        recipients=(Entity(addresses=(Address(recipient),)),),
        message=message,
    )


def submission_rejection(
    *,
    identifier: str,
    issuer: Entity,
    at: datetime,
    sender: str,
    recipient: str,
    message: MessageDetails,
    reason: Reason,
    details: str = "",
) -> Evidence:
    """The first and last evidence of a message that never left, with the reason."""
    accepted = submission_acceptance(
        identifier=identifier,
        issuer=issuer,
        at=at,
        sender=sender,
        recipient=recipient,
        message=message,
    )
    return replace(
        accepted,
        type=EvidenceType.SUBMISSION_REJECTION,
        reasons=(EventReason(reason, details or reason.text),),
    )


def follow_up(
    previous: Evidence,
    kind: EvidenceType,
    *,
    identifier: str,
    issuer: Entity,
    at: datetime,
    reason: Reason | None = None,
    details: str = "",
) -> Evidence:
    """The evidence that comes after `previous` about the same message.

    Sender, recipients, reply address, submission time and message details are copied. Which
    evidence it follows does not matter: NON_DELIVERY can come though the relay was never
    confirmed. A negative evidence without reason gets `Reason.OTHER`.
    """
    reasons: tuple[EventReason, ...] = ()
    if not kind.positive:
        given = reason or Reason.OTHER
        reasons = (EventReason(given, details or given.text),)
    return replace(
        previous,
        type=kind,
        identifier=identifier,
        issuer=issuer,
        event_time=at,
        reasons=reasons,
    )


def build_evidence(
    evidence: Evidence,
    key: SigningKey,
    signing_time: datetime,
    profile: Profile = Profile.STRICT,
) -> bytes:
    """The evidence as XML in the spelling of `profile`, with an enveloped XAdES-B-B signature.

    Raises `ConnectorError`: see `markup.evidence_xml`, and what the key raises.
    """
    root = parse(evidence_xml(evidence, profile).encode())
    return xades.sign_enveloped(root, key, signing_time)
