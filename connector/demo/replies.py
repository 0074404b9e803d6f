"""What the demonstration's authorities write back, as envelopes. Pure.

Every function takes the message that is answered, as its receiver has read it, and gives the whole
answer; ids that only the connector can give are made up here and replaced there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connector.demo.casework import topic_of, unclear
from connector.demo.national import SentFile
from connector.envelope.case_codes import (
    ClarificationReason,
    EvidenceType,
    Handling,
    Outcome,
    ResponseKind,
)
from connector.envelope.codes import AttachmentRole, MessageType, UrgencyLevel
from connector.envelope.header import AttachmentInfo, Header, Urgency
from connector.envelope.model import Envelope
from connector.envelope.parties import ContactPoint
from connector.envelope.replies import (
    Acknowledgement,
    Clarification,
    ClarificationAnswer,
    ClarificationItem,
    ClarificationRequest,
    EvidenceItem,
    Response,
    Result,
)
from connector.envelope.request import Request

LANGUAGE = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """What an answer is made from besides the message that it answers."""

    message_id: str
    """A fresh id."""
    reference: str
    """Our own reference of the case."""
    now: datetime
    contact: ContactPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A file that goes with an answer, and what it is."""

    file: SentFile
    id: str
    media_type: str
    description: str
    kind: EvidenceType | None = None
    """None for a file that is no evidence."""
    method: str = ""
    """How the evidence was obtained."""

    def info(self) -> AttachmentInfo:
        """As the header lists it."""
        return AttachmentInfo(
            id=self.id,
            name=self.file.name,
            media_type=self.media_type,
            size=self.file.size,
            sha256=self.file.sha256,
            role=AttachmentRole.EVIDENCE if self.kind else AttachmentRole.ANNEX,
            language=LANGUAGE,
            description=self.description,
        )


def acknowledgement(request: Envelope, answering: Answering) -> Envelope:
    """The request has come, and this authority is competent (EIO Annex B)."""
    emergency = request.header.urgency.level is UrgencyLevel.EMERGENCY
    expected = answering.now + (timedelta(hours=6) if emergency else timedelta(days=28))
    body = Acknowledgement(
        received_at=answering.now,
        handling=Handling.COMPETENT,
        languages=(LANGUAGE,),
        expected_by=expected.date().isoformat(),
        remark="The duty officer is working on it." if emergency else None,
        contact_points=(answering.contact,),
    )
    return Envelope(
        header=_header(request.header, answering, MessageType.ACKNOWLEDGEMENT), body=body
    )


def question(request: Envelope, answering: Answering) -> Envelope:
    """One question about the request."""
    topic = unclear(_request(request))
    body = ClarificationRequest(
        items=(
            ClarificationItem(
                id="q1",
                path=topic.path,
                reason=ClarificationReason.FURTHER_INFORMATION,
                question=topic.question,
            ),
        ),
        deadline=(answering.now + timedelta(days=7)).replace(microsecond=0),
        consequence=topic.consequence,
        contact_points=(answering.contact,),
    )
    return Envelope(
        header=_header(request.header, answering, MessageType.CLARIFICATION_REQUEST), body=body
    )


def clarification(
    asked: ClarificationRequest, to: Header, answering: Answering, annex: Item
) -> Envelope:
    """An answer to every question, with a file that shows it."""
    answers = tuple(
        ClarificationAnswer(
            item_ref=item.id,
            answer=topic_of(item.question).answer,
            attachment_refs=(annex.id,),
        )
        for item in asked.items
    )
    header = _header(to, answering, MessageType.CLARIFICATION)
    return Envelope(
        header=replace(header, attachments=(annex.info(),)),
        body=Clarification(answers=answers, contact_points=(answering.contact,)),
    )


def response(
    request: Envelope, answering: Answering, authority: str, items: Sequence[Item]
) -> Envelope:
    """Every measure carried out, the evidence with it."""
    now = answering.now
    evidence = tuple(
        EvidenceItem(
            id=f"evidence{number}",
            type=item.kind,
            description=item.description,
            attachment_refs=(item.id,),
            acquired_at=now.replace(microsecond=0),
            acquired_by=authority,
            acquisition_method=item.method or None,
        )
        for number, item in enumerate(items, 1)
        if item.kind
    )
    results = tuple(
        Result(
            measure_ref=measure.id,
            outcome=Outcome.EXECUTED,
            executed_on=now.date().isoformat(),
            authority=authority,
            evidence_refs=tuple(item.id for item in evidence),
        )
        for measure in _request(request).measures
    )
    header = _header(request.header, answering, MessageType.RESPONSE)
    return Envelope(
        header=replace(header, attachments=tuple(item.info() for item in items)),
        body=Response(
            kind=ResponseKind.FINAL,
            results=results,
            evidence_items=evidence,
            certificate="The records are true copies of those that the holders keep.",
            use_limitation="Not to be used for other proceedings without consent "
            "(UNTOC art. 18(19)).",
            contact_points=(answering.contact,),
        ),
    )


def _header(theirs: Header, answering: Answering, kind: MessageType) -> Header:
    """The way back: parties exchanged, references crossed, the case's legal basis kept."""
    return Header(
        message_id=answering.message_id,
        message_type=kind,
        created_at=answering.now,
        conversation_id=theirs.conversation_id,
        in_reply_to=theirs.message_id,
        sender_reference=answering.reference,
        receiver_reference=theirs.sender_reference,
        sending_authority=theirs.receiving_authority,
        receiving_authority=theirs.sending_authority,
        legal_bases=theirs.legal_bases,
        urgency=Urgency(level=UrgencyLevel.ORDINARY),
        language=LANGUAGE,
        test_flag=theirs.test_flag,
    )


def _request(envelope: Envelope) -> Request:
    assert isinstance(envelope.body, Request)
    return envelope.body
