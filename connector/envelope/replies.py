"""Acknowledgement, questions and answers, response.

What each element means, and the article it comes from, is said in `schemas/emla/1.0/replies.xsd`;
dates of type `str` may be incomplete (YYYY, YYYY-MM or YYYY-MM-DD).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connector.envelope.binding import Extension, Text, tag
from connector.envelope.case_codes import (
    ClarificationReason,
    EvidenceType,
    Handling,
    Outcome,
    ResponseKind,
)
from connector.envelope.parties import Authority, ContactPoint, Signatory


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Receipt of a request (EIO art. 16(1), Annex B), within one week."""

    received_at: datetime
    handling: Handling
    competent_authority: Authority | None = None
    languages: tuple[str, ...] = field(default=(), metadata=tag("Language"))
    expected_by: str | None = None
    remark: Text | None = None
    contact_points: tuple[ContactPoint, ...] = field(default=(), metadata=tag("ContactPoint"))
    signatory: Signatory | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarificationItem:
    """One question."""

    id: str
    path: str | None = None
    reason: ClarificationReason
    question: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarificationRequest:
    """Questions on a request (UNTOC 18(16), EIO art. 16(2))."""

    items: tuple[ClarificationItem, ...] = field(metadata=tag("Item"))
    deadline: datetime | None = None
    consequence: Text | None = None
    contact_points: tuple[ContactPoint, ...] = field(default=(), metadata=tag("ContactPoint"))
    signatory: Signatory | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClarificationAnswer:
    """One answer."""

    item_ref: str
    answer: Text
    attachment_refs: tuple[str, ...] = field(default=(), metadata=tag("AttachmentRef"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clarification:
    """Answers to questions on a request (UNTOC 18(16))."""

    answers: tuple[ClarificationAnswer, ...] = field(metadata=tag("Answer"))
    remark: Text | None = None
    contact_points: tuple[ContactPoint, ...] = field(default=(), metadata=tag("ContactPoint"))
    signatory: Signatory | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one measure."""

    measure_ref: str
    outcome: Outcome
    executed_on: str | None = None
    authority: str | None = None
    reason: Text | None = None
    description: Text | None = None
    officials_present: Text | None = None
    evidence_refs: tuple[str, ...] = field(default=(), metadata=tag("EvidenceRef"))
    attachment_refs: tuple[str, ...] = field(default=(), metadata=tag("AttachmentRef"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """One hand-over in the chain of custody."""

    at: datetime
    from_: str
    to: str
    purpose: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceItem:
    """One item of evidence."""

    id: str
    type: EvidenceType
    description: Text
    attachment_refs: tuple[str, ...] = field(default=(), metadata=tag("AttachmentRef"))
    acquired_at: datetime | None = None
    acquired_by: str | None = None
    acquisition_method: Text | None = None
    custody: tuple[Custody, ...] = field(default=(), metadata=tag("Custody"))
    return_required: bool | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Results and evidence (UNTOC 18(24), EIO art. 13)."""

    kind: ResponseKind
    results: tuple[Result, ...] = field(metadata=tag("Result"))
    evidence_items: tuple[EvidenceItem, ...] = field(default=(), metadata=tag("EvidenceItem"))
    certificate: Text | None = None
    use_limitation: Text | None = None
    return_of_evidence: Text | None = None
    costs: Text | None = None
    remedies_pending: Text | None = None
    remark: Text | None = None
    contact_points: tuple[ContactPoint, ...] = field(default=(), metadata=tag("ContactPoint"))
    signatory: Signatory | None = None
    extension: Extension | None = None
