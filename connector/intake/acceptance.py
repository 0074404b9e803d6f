"""Accepting a national document: translated, completed, checked, and durable when it is said so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from lxml import etree

from connector.envelope.binding import NAMESPACE
from connector.envelope.check import check
from connector.envelope.header import Header
from connector.envelope.identify import identify
from connector.envelope.model import Envelope
from connector.envelope.place import line_of, path_of
from connector.envelope.xml_read import ROOT, read, without_signatures
from connector.envelope.xml_write import write_element
from connector.errors import ConnectorError, Problem, unacceptable
from connector.errors import Kind as ErrorKind
from connector.exchange.context import Connector
from connector.exchange.departure import ENVELOPE_NAME
from connector.exchange.records import (
    AuditEntry,
    Direction,
    Kind,
    MessageRecord,
    Part,
    PartRole,
    PayloadRef,
    Timer,
    job_for,
)
from connector.exchange.states import State, TimerName
from connector.intake.attachments import Attached, attach
from connector.intake.completion import Answered, Facts, complete, expiry_of, lane_of
from connector.intake.submission import Acceptance, Submission, Wishes
from connector.translation.formats import AttachmentReference, Read
from connector.xml import DEFAULT_LIMITS, Element, parse

ENVELOPE_FORMAT: Final = "envelope"
"""Name of the format of documents that are e-MLA envelopes already."""
LARGEST_DOCUMENT: Final = DEFAULT_LIMITS.max_bytes
"""Bytes of a document; attachments may have any size."""
_XML: Final = "application/xml"
_E: Final = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True)
class _Draft:
    """A document as an envelope that is not complete yet."""

    format: str
    root: Element
    media_type: str
    read: Read | None
    """None for a document that was an envelope to begin with."""

    def located(self, problems: Sequence[Problem], file: str) -> tuple[Problem, ...]:
        """Problems of the envelope, with places in the document that was handed over."""
        if self.read is None:
            return tuple(replace(each, file=file) for each in problems)
        return self.read.account.locate(problems, file=file)


@dataclass(frozen=True, slots=True)
class _Work:
    """A submission with what was found out about it."""

    submission: Submission
    draft: _Draft
    attached: Sequence[Attached]
    answered: Answered | None


def accept(connector: Connector, submission: Submission) -> Acceptance:
    """Take a document over: when this returns, it is this connector's to deliver.

    Raises `ConnectorError`: unacceptable with everything that is wrong (`translation.*`,
    `intake.*`, `envelope.*`, `directory.*`), each problem with its place in the document; transient
    (`store.*`) when nothing can be stored at the moment.
    """
    known = _known(connector, submission.message_id)
    if known is not None:
        return Acceptance(record=known, warnings=(), repeated=True)
    draft = _drafted(connector, submission)
    file = submission.document.name
    attached, problems = attach(
        draft.root,
        submission.document,
        draft.media_type,
        submission.attachments,
        draft.read.attachments if draft.read else _references(draft.root, submission.wishes),
        file=file,
    )
    if draft.read:
        problems = [*draft.read.problems, *problems]
    if problems:
        raise ConnectorError(ErrorKind.UNACCEPTABLE, *problems)
    work = _Work(submission, draft, attached, _answered(connector, draft, file))
    envelope = _completed(connector, work)
    element = write_element(envelope)
    if wrong := check(element, file=None):
        raise ConnectorError(ErrorKind.UNACCEPTABLE, *draft.located(wrong, file))
    return _store(connector, work, envelope, element)


def _known(connector: Connector, message_id: str) -> MessageRecord | None:
    with connector.store.reading() as reading:
        return reading.message(message_id)


def _drafted(connector: Connector, submission: Submission) -> _Draft:
    document = submission.document
    if document.payload.size > LARGEST_DOCUMENT:
        raise unacceptable(
            "intake.document-too-large",
            f"The document has {document.payload.size} bytes; {LARGEST_DOCUMENT} are allowed.",
            mend="Hand large files over as attachments, in a folder with the document.",
            file=document.name,
        )
    data = connector.store.payloads.read(document.payload)
    wanted = submission.wishes.format
    if wanted in (None, ENVELOPE_FORMAT) and NAMESPACE.encode() in data[:4096]:
        root = parse(data, file=document.name)
        if root.tag == ROOT:
            return _Draft(ENVELOPE_FORMAT, without_signatures(root), _XML, None)
    if wanted == ENVELOPE_FORMAT:
        raise unacceptable(
            "intake.not-an-envelope",
            "The document is no e-MLA envelope.",
            mend="Leave the format out, so that it is found out.",
            file=document.name,
        )
    name = wanted or connector.formats.identify(data, document.name)
    found = connector.formats.read(data, name, filename=document.name)
    return _Draft(name, found.envelope, connector.formats[name].media_type, found)


def _references(envelope: Element, wishes: Wishes) -> Sequence[AttachmentReference]:
    """The files that an envelope states digests of. Samples of tests come without their files, so
    that any others stand in for them."""
    header = envelope.find(f"{_E}Header")
    if header is None:
        return ()
    test = (header.findtext(f"{_E}TestFlag") or "").strip() in {"true", "1"}
    if test if wishes.test is None else wishes.test:
        return ()
    return [
        AttachmentReference(
            name=" ".join((each.findtext(f"{_E}Name") or "").split()),
            id=None,
            media_type=None,
            role=None,
            sha256=(each.findtext(f"{_E}Sha256") or "").strip().lower() or None,
            place=path_of(each),
            line=line_of(each),
        )
        for each in header.iterchildren(f"{_E}Attachment")
    ]


def _answered(connector: Connector, draft: _Draft, file: str) -> Answered | None:
    """The message from abroad that the draft answers: by its id, or by its conversation."""
    told = identify(draft.root)
    if told is None or told.message_type == "Request":
        return None
    wanted = (draft.root.findtext(f"{_E}Header/{_E}InReplyTo") or "").strip()
    with connector.store.reading() as reading:
        record = reading.message_by_ebms_id(Direction.INBOUND, wanted) if wanted else None
    if record is None and told.conversation_id:
        for each in connector.store.messages(
            conversation_id=told.conversation_id, direction=Direction.INBOUND
        ):
            if each.kind is Kind.BUSINESS and (not wanted or each.ebms_id == wanted):
                record = each
                break
    if record is None:
        problem = Problem(
            code="intake.unknown-request",
            what=f"The document answers {wanted or told.conversation_id or 'nothing'!r}; no such "
            "message has arrived here.",
            mend="State the id of the message that it answers, as it was delivered.",
            path="Envelope/Header/InReplyTo",
        )
        raise ConnectorError(ErrorKind.UNACCEPTABLE, *draft.located([problem], file))
    return Answered(
        ebms_id=record.ebms_id,
        lane=record.lane,
        header=_header_of(connector, record),
        conversation_id=record.conversation_id,
        sender=record.sender,
        recipient=record.recipient,
    )


def _header_of(connector: Connector, record: MessageRecord) -> Header | None:
    """The header of a message that was verified when it arrived."""
    with connector.store.reading() as reading:
        parts = reading.parts(record.id)
    envelope = next((part for part in parts if part.role is PartRole.ENVELOPE), None)
    if envelope is None or record.state in {State.ARRIVED.value, State.TURNED_AWAY.value}:
        return None
    return read(parse(connector.store.payloads.read(envelope.payload))).header


def _completed(connector: Connector, work: _Work) -> Envelope:
    submission, draft = work.submission, work.draft
    facts = Facts(
        identity=connector.identity,
        directory=connector.directory,
        ebms_id=connector.ebms_id(submission.message_id),
        now=connector.clock(),
        wishes=submission.wishes,
        answered=work.answered,
        attached=work.attached,
    )
    try:
        return complete(draft.root, facts)
    except ConnectorError as error:
        located = draft.located(error.problems, submission.document.name)
        raise ConnectorError(error.kind, *located) from error


def _store(connector: Connector, work: _Work, envelope: Envelope, element: Element) -> Acceptance:
    now = connector.clock()
    submission, draft = work.submission, work.draft
    header = envelope.header
    sender, receiver = header.sending_authority.identifier, header.receiving_authority.identifier
    assert sender is not None and receiver is not None  # from the directory
    record = MessageRecord(
        id=submission.message_id,
        direction=Direction.OUTBOUND,
        kind=Kind.BUSINESS,
        state=State.ACCEPTED.value,
        lane=lane_of(envelope, work.answered),
        message_type=header.message_type.value,
        conversation_id=header.conversation_id,
        ebms_id=header.message_id,
        ref_to=header.in_reply_to,
        backend_id=header.sender_reference,
        sender=sender.value,
        recipient=receiver.value,
        from_party=connector.identity.party,
        to_party=connector.directory.get(receiver.value).party,
        format=draft.format,
        subject=f"{header.message_type.value} {header.sender_reference or header.message_id}",
        created_at=now,
        updated_at=now,
        expires_at=expiry_of(envelope, now),
    )
    warnings = draft.read.warnings if draft.read else ()
    parts = _parts(connector, record, work, element)
    with connector.store.transaction() as tx:
        fresh = tx.insert_message(record, parts)
        if fresh:
            tx.append_audit(
                AuditEntry(at=now, message_id=record.id, event="accepted", to_state=record.state)
            )
            limit = connector.limits.get(TimerName.SUBMISSION, timedelta())
            if limit:
                due = now + limit
                tx.set_timer(Timer(message_id=record.id, name=TimerName.SUBMISSION.value, due=due))
            tx.enqueue(job_for(record, connector.new_id(), now))
    return Acceptance(record=record, warnings=warnings, repeated=not fresh)


def _parts(
    connector: Connector,
    record: MessageRecord,
    work: _Work,
    element: Element,
) -> list[Part]:
    payloads = connector.store.payloads
    submission, draft = work.submission, work.draft

    def part(role: PartRole, name: str, media_type: str, payload: PayloadRef) -> Part:
        return Part(
            message_id=record.id, role=role, name=name, media_type=media_type, payload=payload
        )

    text = etree.tostring(element, encoding="UTF-8", xml_declaration=True)
    parts = [
        part(
            PartRole.ORIGINAL,
            submission.document.name,
            draft.media_type,
            submission.document.payload,
        ),
        part(PartRole.ENVELOPE, ENVELOPE_NAME, _XML, payloads.put(text)),
    ]
    parts.extend(
        replace(
            part(PartRole.ATTACHMENT, each.info.name, each.info.media_type, each.payload),
            description=each.info.role.value,
        )
        for each in work.attached
    )
    if draft.read is not None:
        told = {
            "account": draft.read.account.as_json(),
            "warnings": [problem.as_json() for problem in draft.read.warnings],
        }
        report = json.dumps(told, ensure_ascii=False).encode()
        parts.append(part(PartRole.REPORT, "intake.json", "application/json", payloads.put(report)))
    return parts
