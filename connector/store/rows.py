"""Records as rows, and rows as records."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connector.exchange.records import (
    AuditEntry,
    Direction,
    EvidenceOrigin,
    EvidenceRecord,
    Job,
    Kind,
    Lane,
    MessageRecord,
    ParkedJob,
    Part,
    PartRole,
    PayloadRef,
    Timer,
)

Row = Sequence[Any]
Values = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
LANES = tuple(Lane)
"""Most urgent first; a lane's place here is its number in the table."""
_LANE_NUMBER = {lane: number for number, lane in enumerate(LANES)}


def lane_number(lane: Lane) -> int:
    """The lane as the table has it: 0 is the most urgent."""
    return _LANE_NUMBER[lane]


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """The time that `micros` made a number of."""
    return _EPOCH + timedelta(microseconds=at)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def _moment(at: int | None) -> datetime | None:
    return None if at is None else moment(at)


MESSAGE = (
    "id", "direction", "kind", "state", "version", "lane", "message_type", "conversation_id",
    "ebms_id", "ref_to", "backend_id", "sender", "recipient", "from_party", "to_party", "format",
    "subject", "created_at", "updated_at", "expires_at", "problem",
)  # fmt: skip
PART = ("message_id", "role", "name", "media_type", "sha256", "size", "description")
EVIDENCE = ("id", "message_id", "type", "origin", "sha256", "size", "at", "reason")
AUDIT = ("at", "message_id", "event", "from_state", "to_state", "detail")
TIMER = ("message_id", "name", "due")
JOB = ("id", "message_id", "action", "lane", "attempt", "created_at", "expires_at")


def message_values(record: MessageRecord) -> Values:
    """A message as its row."""
    return {
        "id": record.id,
        "direction": record.direction.value,
        "kind": record.kind.value,
        "state": record.state,
        "version": record.version,
        "lane": record.lane.value,
        "message_type": record.message_type,
        "conversation_id": record.conversation_id,
        "ebms_id": record.ebms_id,
        "ref_to": record.ref_to,
        "backend_id": record.backend_id,
        "sender": record.sender,
        "recipient": record.recipient,
        "from_party": record.from_party,
        "to_party": record.to_party,
        "format": record.format,
        "subject": record.subject,
        "created_at": micros(record.created_at),
        "updated_at": micros(record.updated_at),
        "expires_at": _micros(record.expires_at),
        "problem": record.problem,
    }


def message_of(row: Row) -> MessageRecord:
    """A row in the order of `MESSAGE`."""
    values = dict(zip(MESSAGE, row, strict=True))
    values["direction"] = Direction(values["direction"])
    values["kind"] = Kind(values["kind"])
    values["lane"] = Lane(values["lane"])
    values["created_at"] = moment(values["created_at"])
    values["updated_at"] = moment(values["updated_at"])
    values["expires_at"] = _moment(values["expires_at"])
    return MessageRecord(**values)


def part_values(part: Part) -> Values:
    """A part as its row."""
    return {
        "message_id": part.message_id,
        "role": part.role.value,
        "name": part.name,
        "media_type": part.media_type,
        "sha256": part.payload.sha256,
        "size": part.payload.size,
        "description": part.description,
    }


def part_of(row: Row) -> Part:
    """A row in the order of `PART`."""
    message_id, role, name, media_type, sha256, size, description = row
    return Part(
        message_id=message_id,
        role=PartRole(role),
        name=name,
        media_type=media_type,
        payload=PayloadRef(sha256=sha256, size=size),
        description=description,
    )


def evidence_values(evidence: EvidenceRecord) -> Values:
    """An evidence as its row."""
    return {
        "id": evidence.id,
        "message_id": evidence.message_id,
        "type": evidence.type,
        "origin": evidence.origin.value,
        "sha256": evidence.payload.sha256,
        "size": evidence.payload.size,
        "at": micros(evidence.at),
        "reason": evidence.reason,
    }


def evidence_of(row: Row) -> EvidenceRecord:
    """A row in the order of `EVIDENCE`."""
    id_, message_id, type_, origin, sha256, size, at, reason = row
    return EvidenceRecord(
        id=id_,
        message_id=message_id,
        type=type_,
        origin=EvidenceOrigin(origin),
        payload=PayloadRef(sha256=sha256, size=size),
        at=moment(at),
        reason=reason,
    )


def audit_values(entry: AuditEntry) -> Values:
    """An entry as its row, without its place in the chain."""
    return {
        "at": micros(entry.at),
        "message_id": entry.message_id,
        "event": entry.event,
        "from_state": entry.from_state,
        "to_state": entry.to_state,
        "detail": entry.detail,
    }


def audit_of(row: Row) -> AuditEntry:
    """A row in the order of `AUDIT`."""
    at, message_id, event, from_state, to_state, detail = row
    return AuditEntry(
        at=moment(at),
        message_id=message_id,
        event=event,
        from_state=from_state,
        to_state=to_state,
        detail=detail,
    )


def timer_values(timer: Timer) -> Values:
    """A timer as its row."""
    return {"message_id": timer.message_id, "name": timer.name, "due": micros(timer.due)}


def timer_of(row: Row) -> Timer:
    """A row in the order of `TIMER`."""
    message_id, name, due = row
    return Timer(message_id=message_id, name=name, due=moment(due))


def job_values(job: Job) -> Values:
    """A job as its row, without where it is."""
    return {
        "id": job.id,
        "message_id": job.message_id,
        "action": job.action,
        "lane": lane_number(job.lane),
        "attempt": job.attempt,
        "created_at": micros(job.created_at),
        "expires_at": _micros(job.expires_at),
    }


def job_of(row: Row) -> Job:
    """A row in the order of `JOB`."""
    id_, message_id, action, lane, attempt, created_at, expires_at = row
    return Job(
        id=id_,
        message_id=message_id,
        action=action,
        lane=LANES[lane],
        attempt=attempt,
        created_at=moment(created_at),
        expires_at=_moment(expires_at),
    )


def parked_of(row: Row) -> ParkedJob:
    """A row in the order of `JOB`, then `parked_at` and `reason`."""
    *job, parked_at, reason = row
    return ParkedJob(job=job_of(job), parked_at=moment(parked_at), reason=reason)
