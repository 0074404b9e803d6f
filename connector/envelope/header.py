"""What every message carries.

What each element means, and the article it comes from, is said in `schemas/emla/1.0/header.xsd`;
dates of type `str` may be incomplete (YYYY, YYYY-MM or YYYY-MM-DD).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connector.envelope.binding import Extension, Text, tag
from connector.envelope.codes import (
    AttachmentRole,
    Classification,
    HopAction,
    Instrument,
    MessageType,
    UrgencyLevel,
    UrgencyReason,
)
from connector.envelope.parties import Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One step in the chain of transmission."""

    authority: Authority
    action: HopAction
    at: datetime | None = None
    remark: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalBasis:
    """The treaty or law that the message is founded on (UNTOC 18(7), EIO art. 1)."""

    instrument: Instrument
    title: str | None = None
    article: str | None = None
    reciprocity: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidentiality:
    """How secret the message is to be kept (UNTOC 18(20), EIO art. 19)."""

    requested: bool
    reason: Text | None = None
    until: str | None = None
    not_to_be_told: tuple[str, ...] = field(default=(), metadata=tag("NotToBeTold"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Urgency:
    """How fast it must be dealt with, and why (UNTOC 18(13), EIO Annex A section B)."""

    level: UrgencyLevel
    reason: UrgencyReason | None = None
    facts: Text | None = None
    deadline: datetime | None = None
    deadline_reason: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A translation of the message."""

    language: str
    attachment_ref: str
    certified: bool | None = None
    translator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentInfo:
    """A file that travels with the message, beside it in the container."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    role: AttachmentRole
    language: str | None = None
    description: str | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What every message carries, whatever its type."""

    message_id: str
    message_type: MessageType
    created_at: datetime
    conversation_id: str
    in_reply_to: str | None = None
    sender_reference: str | None = None
    receiver_reference: str | None = None
    sending_authority: Authority
    receiving_authority: Authority
    transmission_hops: tuple[Hop, ...] = field(default=(), metadata=tag("TransmissionHop"))
    legal_bases: tuple[LegalBasis, ...] = field(metadata=tag("LegalBasis"))
    classification: Classification | None = None
    confidentiality: Confidentiality | None = None
    urgency: Urgency
    language: str
    translations: tuple[Translation, ...] = field(default=(), metadata=tag("Translation"))
    attachments: tuple[AttachmentInfo, ...] = field(default=(), metadata=tag("Attachment"))
    test_flag: bool
    extension: Extension | None = None
