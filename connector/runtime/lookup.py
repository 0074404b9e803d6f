"""What a person can ask about messages: one of them with all that belongs to it, or a list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.errors import misconfigured
from connector.exchange.ports import Queue, Store
from connector.exchange.records import (
    AuditEntry,
    Direction,
    EvidenceRecord,
    Kind,
    MessageRecord,
    ParkedJob,
    Part,
    Timer,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStatus:
    """A message and everything that is known of it."""

    record: MessageRecord
    timeline: Sequence[AuditEntry]
    parts: Sequence[Part]
    evidences: Sequence[EvidenceRecord]
    related: Sequence[MessageRecord]
    """Other messages of the conversation, oldest first, without those that carry evidences."""
    next_try: datetime | None
    """When a job of it is due next."""
    parked: Sequence[ParkedJob]
    """Its jobs that wait for a person."""

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "message": message_json(self.record),
            "timeline": [timeline_json(entry) for entry in self.timeline],
            "parts": [part_json(part) for part in self.parts],
            "evidences": [evidence_json(evidence) for evidence in self.evidences],
            "conversation": [message_json(record) for record in self.related],
            "nextTry": self.next_try.isoformat() if self.next_try else None,
            "parked": [parked_json(parked) for parked in self.parked],
        }


def find_message(store: Store, wanted: str) -> MessageRecord:
    """The message with this id of ours, eb:MessageId, or the only one with this beginning of an id.

    Raises `message.unknown`, `message.ambiguous` (configuration: wrong use).
    """
    with store.reading() as reading:
        exact = reading.message(wanted) or next(
            (
                found
                for direction in Direction
                if (found := reading.message_by_ebms_id(direction, wanted)) is not None
            ),
            None,
        )
    if exact is not None:
        return exact
    near = [
        record
        for record in store.messages(text=wanted, limit=20)
        if record.id.startswith(wanted) or record.ebms_id.startswith(wanted)
    ]
    if len(near) == 1:
        return near[0]
    if near:
        raise misconfigured(
            "message.ambiguous",
            f"{len(near)} messages have an id that begins with {wanted!r}.",
            mend=f"Write more of it: {', '.join(record.id for record in near[:5])}.",
        )
    raise misconfigured(
        "message.unknown",
        f"There is no message {wanted!r} here.",
        mend="`emla list` shows the messages of this connector.",
    )


def status_of(store: Store, queue: Queue | None, record: MessageRecord) -> MessageStatus:
    """Everything about one message. Without a queue nothing is said about its next try."""
    with store.reading() as reading:
        parts = reading.parts(record.id)
        evidences = reading.evidences(record.id)
    conversation = store.messages(conversation_id=record.conversation_id, limit=1000)
    return MessageStatus(
        record=record,
        timeline=store.timeline(record.id),
        parts=parts,
        evidences=evidences,
        related=[
            each
            for each in reversed(conversation)
            if each.kind is Kind.BUSINESS and each.id != record.id
        ],
        next_try=queue.waiting(record.id) if queue else None,
        parked=[each for each in queue.parked() if each.job.message_id == record.id]
        if queue
        else (),
    )


def message_json(record: MessageRecord) -> dict[str, Any]:
    """A message as plain data, absent fields left out."""
    told = {
        "id": record.id,
        "ebmsId": record.ebms_id,
        "direction": record.direction.value,
        "kind": record.kind.value,
        "type": record.message_type,
        "state": record.state,
        "lane": record.lane.value,
        "conversationId": record.conversation_id,
        "refTo": record.ref_to,
        "reference": record.backend_id,
        "sender": record.sender,
        "recipient": record.recipient,
        "fromParty": record.from_party,
        "toParty": record.to_party,
        "format": record.format,
        "subject": record.subject,
        "createdAt": record.created_at.isoformat(),
        "updatedAt": record.updated_at.isoformat(),
        "expiresAt": record.expires_at.isoformat() if record.expires_at else None,
        "problem": json.loads(record.problem) if record.problem else None,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def timeline_json(entry: AuditEntry) -> dict[str, Any]:
    """A line of the timeline."""
    told = {
        "at": entry.at.isoformat(),
        "event": entry.event,
        "from": entry.from_state,
        "to": entry.to_state,
        "detail": json.loads(entry.detail) if entry.detail else None,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def part_json(part: Part) -> dict[str, Any]:
    """A part, without its content."""
    return {
        "role": part.role.value,
        "name": part.name,
        "mediaType": part.media_type,
        "size": part.payload.size,
        "sha256": part.payload.sha256,
        **({"description": part.description} if part.description else {}),
    }


def evidence_json(evidence: EvidenceRecord) -> dict[str, Any]:
    """An evidence, without its content."""
    return {
        "id": evidence.id,
        "type": evidence.type,
        "origin": evidence.origin.value,
        "at": evidence.at.isoformat(),
        "sha256": evidence.payload.sha256,
        **({"reason": evidence.reason} if evidence.reason else {}),
    }


def parked_json(parked: ParkedJob) -> dict[str, Any]:
    """A job that waits for a person."""
    return {
        "job": parked.job.id,
        "messageId": parked.job.message_id,
        "action": parked.job.action,
        "attempts": parked.job.attempt,
        "parkedAt": parked.parked_at.isoformat(),
        "problem": json.loads(parked.reason) if parked.reason else None,
    }


def timer_json(timer: Timer) -> dict[str, Any]:
    """A timer that runs."""
    return {"name": timer.name, "due": timer.due.isoformat()}
