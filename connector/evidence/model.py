"""An evidence as plain data (REMEvidenceType of TS 102 640-2), whatever its spelling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.evidence.types import EvidenceType, Reason

ECODEX_POLICY: Final = "http://uri.eu-ecodex.eu/eDeliveryPolicy"
SHA256: Final = "SHA-256"


@dataclass(frozen=True, slots=True)
class Address:
    """rem:AttributedElectronicAddress."""

    value: str
    scheme: str = "mailto"
    display_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """rem:PostalAddress; every field but the state must have text."""

    streets: tuple[str, ...]
    locality: str
    postal_code: str
    country: str
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """rem:EntityDetailsType: who issued, sent or gets something."""

    names: tuple[str, ...] = ()
    postal: PostalAddress | None = None
    addresses: tuple[Address, ...] = ()

    @property
    def address(self) -> str:
        """The first electronic address; empty if there is none."""
        return self.addresses[0].value if self.addresses else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDetails:
    """rem:MessageDetailsType: the message that the evidence is about."""

    subject: str = ""
    ua_identifier: str = ""
    """The sender's own id of the message (UAMessageIdentifier)."""
    remmd_identifier: str = ""
    """eb:MessageId (MessageIdentifierByREMMD)."""
    digest: bytes = b""
    """Of the business document's bytes."""
    digest_algorithm: str = SHA256
    """By its plain name: SHA-256, SHA-384, SHA-512; others as they were written."""
    is_notification: bool = False


@dataclass(frozen=True, slots=True)
class EventReason:
    """rem:EventReason: one reason for a negative evidence."""

    reason: Reason | None
    """None for a code that nobody here knows."""
    details: str = ""
    """For the person who must act; the reason's own text where empty."""
    code: str = ""
    """As written; only kept for a code that nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One evidence about one message."""

    type: EvidenceType
    identifier: str
    """EvidenceIdentifier, unique for ever."""
    issuer: Entity
    event_time: datetime
    """When it happened; aware."""
    submission_time: datetime | None = None
    """When the message was submitted; aware."""
    reply_to: Address | None = None
    sender: Entity
    recipients: tuple[Entity, ...]
    """At least one."""
    message: MessageDetails
    reasons: tuple[EventReason, ...] = ()
    policies: tuple[str, ...] = (ECODEX_POLICY,)

    @property
    def reason_text(self) -> str:
        """The reasons as one line for people."""
        return "; ".join(
            f"{reason.reason or reason.code}: {reason.details}" for reason in self.reasons
        )
