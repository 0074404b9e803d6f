"""The request for assistance.

What each element means, and the article it comes from, is said in `schemas/emla/1.0/request.xsd`;
dates of type `str` may be incomplete (YYYY, YYYY-MM or YYYY-MM-DD).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connector.envelope.binding import Extension, Text, tag
from connector.envelope.case_codes import (
    MeasureType,
    ObjectType,
    OffenceCategory,
    Position,
    ProceedingsStage,
    ProceedingsType,
    RequestRelation,
)
from connector.envelope.parties import (
    Address,
    Authority,
    ContactPoint,
    LegalPerson,
    NaturalPerson,
    Period,
    Signatory,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proceedings:
    """The proceedings for which assistance is asked (UNTOC 18(15)(b), EIO Annex A section F)."""

    type: ProceedingsType
    stage: ProceedingsStage | None = None
    subject_matter: Text
    case_reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """A provision of law."""

    reference: str
    text: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """An offence (UNTOC 18(15)(c), EIO Annex A section G)."""

    id: str
    description: Text
    provisions: tuple[Provision, ...] = field(default=(), metadata=tag("Provision"))
    penalty: Text | None = None
    maximum_months: int | None = None
    categories: tuple[OffenceCategory, ...] = field(default=(), metadata=tag("Category"))
    iccs_code: str | None = None
    period: Period | None = None
    place: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody concerned by the request (UNTOC 18(15)(e), EIO Annex A section E)."""

    id: str
    who: NaturalPerson | LegalPerson
    position: Position
    position_description: str | None = None
    location: Text | None = None
    in_custody: bool | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseObject:
    """An object or identifier that the request is about."""

    id: str
    type: ObjectType
    value: str
    port: int | None = None
    observed_at: tuple[datetime, ...] = field(default=(), metadata=tag("ObservedAt"))
    holder: str | None = None
    holder_country: str | None = None
    person_ref: str | None = None
    description: Text | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Assistance that is asked for (UNTOC 18(15)(d), EIO Annex A sections C and H)."""

    id: str
    type: MeasureType
    description: Text
    reason: Text | None = None
    person_refs: tuple[str, ...] = field(default=(), metadata=tag("PersonRef"))
    object_refs: tuple[str, ...] = field(default=(), metadata=tag("ObjectRef"))
    offence_refs: tuple[str, ...] = field(default=(), metadata=tag("OffenceRef"))
    attachment_refs: tuple[str, ...] = field(default=(), metadata=tag("AttachmentRef"))
    period: Period | None = None
    place: Address | None = None
    procedure: Text | None = None
    officials_present: Text | None = None
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedRequest:
    """Another request that has to do with this one (EIO Annex A section D)."""

    relation: RequestRelation
    reference: str
    authority: str | None = None
    country: str | None = None
    date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimit:
    """By when the assistance is needed (UNTOC 18(24), EIO art. 12(2))."""

    until: str
    reason: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for assistance."""

    requesting_authority: Authority | None = None
    conducting_authority: Authority | None = None
    validating_authority: Authority | None = None
    proceedings: Proceedings
    offences: tuple[Offence, ...] = field(metadata=tag("Offence"))
    facts: Text | None = None
    persons: tuple[Person, ...] = field(default=(), metadata=tag("Person"))
    objects: tuple[CaseObject, ...] = field(default=(), metadata=tag("Object"))
    measures: tuple[Measure, ...] = field(metadata=tag("Measure"))
    purpose: Text
    evidence_form: Text | None = None
    time_limit: TimeLimit | None = None
    use_limitation: Text | None = None
    costs: Text | None = None
    return_of_evidence: Text | None = None
    legal_remedies: Text | None = None
    related_requests: tuple[RelatedRequest, ...] = field(default=(), metadata=tag("RelatedRequest"))
    contact_points: tuple[ContactPoint, ...] = field(default=(), metadata=tag("ContactPoint"))
    signatory: Signatory | None = None
    extension: Extension | None = None
