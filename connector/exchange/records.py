"""The plain data of an exchange: messages, their parts, evidences, jobs, timers, audit entries.

The store keeps these records, the queue carries the jobs; what they mean is decided in
`states.py`. All times are timezone-aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Direction(StrEnum):
    """Seen from this connector."""

    OUTBOUND = "OUTBOUND"
    INBOUND = "INBOUND"


class Kind(StrEnum):
    """What travels: a message of a case, or an evidence about one."""

    BUSINESS = "BUSINESS"
    EVIDENCE = "EVIDENCE"


class Lane(StrEnum):
    """One queue lane per urgency; a lane is only served when the ones above it are empty."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    ROUTINE = "routine"


class PartRole(StrEnum):
    """What a stored payload is to its message."""

    ORIGINAL = "ORIGINAL"
    """The document exactly as the national system handed it over."""
    ATTACHMENT = "ATTACHMENT"
    ENVELOPE = "ENVELOPE"
    """The signed e-MLA envelope (the business XML on the wire)."""
    CONTAINER = "CONTAINER"
    TOKEN_XML = "TOKEN_XML"  # noqa: S105 - the name of a part
    TOKEN_PDF = "TOKEN_PDF"  # noqa: S105
    NATIONAL = "NATIONAL"
    """The document in the format of the country that receives it."""
    EVIDENCE = "EVIDENCE"
    REPORT = "REPORT"
    """Account of a translation, or a validation report (JSON)."""
    RECEIPT = "RECEIPT"
    SOAP = "SOAP"
    """The ebMS SOAP envelope as received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadRef:
    """Stored content, addressed by its SHA-256."""

    sha256: str
    """Lower-case hex."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One stored payload of a message, in order."""

    message_id: str
    role: PartRole
    name: str
    media_type: str
    payload: PayloadRef
    description: str = ""
    """e-CODEX attachment identifier, language or other short label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """A message and where it stands. `version` grows by one with every change of the row."""

    id: str
    """The connector's own id (UUID), never reused."""
    direction: Direction
    kind: Kind
    state: str
    """Name of a `states.State`."""
    version: int = 1
    lane: Lane = Lane.ROUTINE
    message_type: str
    """e.g. `Request`, `Response`; for evidences e.g. `RELAY_REMMD_ACCEPTANCE`."""
    conversation_id: str
    ebms_id: str
    """eb:MessageId; unique together with the direction."""
    ref_to: str | None = None
    """eb:MessageId of the message that this one answers or attests."""
    backend_id: str | None = None
    """The national system's own id or reference."""
    sender: str
    """Identifier of the authority that sends (originalSender)."""
    recipient: str
    """Identifier of the authority that receives (finalRecipient)."""
    from_party: str
    to_party: str
    """AS4 party names."""
    format: str | None = None
    """National format it came in, or is delivered in."""
    subject: str = ""
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    """After this nobody needs it any more: it is not retried further."""
    problem: str | None = None
    """JSON of the problem that stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What the national system gets of a message that arrived."""

    record: MessageRecord
    document_name: str
    document: PayloadRef
    """In the national format."""
    attachments: tuple[Part, ...]
    """As the sender named them, the sender's own document among them."""
    proofs: tuple[Part, ...]
    """Signed envelope, container, token, account of the translation."""


class EvidenceOrigin(StrEnum):
    """Who made an evidence."""

    ISSUED = "ISSUED"
    RECEIVED = "RECEIVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRecord:
    """An evidence about a business message."""

    id: str
    """EvidenceIdentifier."""
    message_id: str
    """The business message's record id."""
    type: str
    """e.g. `SUBMISSION_ACCEPTANCE`."""
    origin: EvidenceOrigin
    payload: PayloadRef
    at: datetime
    """EventTime."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the append-only log; also the message's timeline."""

    at: datetime
    message_id: str
    event: str
    from_state: str = ""
    to_state: str = ""
    detail: str = ""
    """JSON, no secrets, no personal data beyond ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """At `due` the message is looked at again for `name` (e.g. `relay`, `relay-warn`)."""

    message_id: str
    name: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work for a worker: move this message on. What to do stands in the message's state."""

    id: str
    """UUID; a job published twice under one id is worked at most once at a time."""
    message_id: str
    action: str
    """`advance`, or `event:<name>` for an event from outside (a timer, the national system)."""
    lane: Lane
    attempt: int = 0
    """Tries already made."""
    created_at: datetime
    expires_at: datetime | None = None


ADVANCE: Final = "advance"


def job_for(record: MessageRecord, job_id: str, now: datetime, *, action: str = ADVANCE) -> Job:
    """A job about `record`, in its lane; one that moves it on gives up when nobody needs the
    message any more, an event is told in any case."""
    return Job(
        id=job_id,
        message_id=record.id,
        action=action,
        lane=record.lane,
        created_at=now,
        expires_at=record.expires_at if action == ADVANCE else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedJob:
    """A job that waits for a person."""

    job: Job
    parked_at: datetime
    reason: str
    """JSON of a `Problem`."""
