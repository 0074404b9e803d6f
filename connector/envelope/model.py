"""The e-MLA message as typed, frozen data: everything that other packages need of the model.

The parts are in `header`, `parties`, `request` and `replies`; `xml_read` and `xml_write` turn an
`Envelope` from and into XML, `check` says whether a document follows the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.envelope.binding import NAMESPACE, Extension
from connector.envelope.case_codes import (
    ClarificationReason,
    EvidenceType,
    Handling,
    MeasureType,
    ObjectType,
    OffenceCategory,
    Outcome,
    Position,
    ProceedingsStage,
    ProceedingsType,
    RequestRelation,
    ResponseKind,
)
from connector.envelope.codes import (
    AttachmentRole,
    AuthorityRole,
    Classification,
    HopAction,
    IdentityDocumentType,
    Instrument,
    MessageType,
    NameKind,
    Sex,
    UrgencyLevel,
    UrgencyReason,
)
from connector.envelope.header import (
    AttachmentInfo,
    Confidentiality,
    Header,
    Hop,
    LegalBasis,
    Translation,
    Urgency,
)
from connector.envelope.parties import (
    Address,
    Authority,
    ContactPoint,
    Identifier,
    IdentityDocument,
    LegalPerson,
    LocalText,
    NaturalPerson,
    Period,
    PersonName,
    Signatory,
)
from connector.envelope.replies import (
    Acknowledgement,
    Clarification,
    ClarificationAnswer,
    ClarificationItem,
    ClarificationRequest,
    Custody,
    EvidenceItem,
    Response,
    Result,
)
from connector.envelope.request import (
    CaseObject,
    Measure,
    Offence,
    Person,
    Proceedings,
    Provision,
    RelatedRequest,
    Request,
    TimeLimit,
)

__all__ = [
    "NAMESPACE",
    "VERSION",
    "Acknowledgement",
    "Address",
    "AttachmentInfo",
    "AttachmentRole",
    "Authority",
    "AuthorityRole",
    "Body",
    "CaseObject",
    "Clarification",
    "ClarificationAnswer",
    "ClarificationItem",
    "ClarificationReason",
    "ClarificationRequest",
    "Classification",
    "Confidentiality",
    "ContactPoint",
    "Custody",
    "Envelope",
    "EvidenceItem",
    "EvidenceType",
    "Extension",
    "Handling",
    "Header",
    "Hop",
    "HopAction",
    "Identifier",
    "IdentityDocument",
    "IdentityDocumentType",
    "Instrument",
    "LegalBasis",
    "LegalPerson",
    "LocalText",
    "Measure",
    "MeasureType",
    "MessageType",
    "NameKind",
    "NaturalPerson",
    "ObjectType",
    "Offence",
    "OffenceCategory",
    "Outcome",
    "Period",
    "Person",
    "PersonName",
    "Position",
    "Proceedings",
    "ProceedingsStage",
    "ProceedingsType",
    "Provision",
    "RelatedRequest",
    "Request",
    "RequestRelation",
    "Response",
    "ResponseKind",
    "Result",
    "Sex",
    "Signatory",
    "TimeLimit",
    "Translation",
    "Urgency",
    "UrgencyLevel",
    "UrgencyReason",
]

VERSION = "1.0"
"""The version of the schema that is written."""

Body = Request | Acknowledgement | ClarificationRequest | Clarification | Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One message: header and body. Signatures belong to the document, not to the model."""

    header: Header
    body: Request | Acknowledgement | ClarificationRequest | Clarification | Response
