"""What a person does about a job that is parked: have it tried again, or give it up for a reason.

Giving up an `advance` job gives up its message: whoever waits for it is told by an evidence, with
the reason (DISCARDED in the state table). Giving up any other job leaves its message as it is.
Each can be done again after it was interrupted, and ends the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from connector.errors import Problem, misconfigured
from connector.evidence.types import Reason
from connector.exchange.attestation import tell_backend
from connector.exchange.context import Connector
from connector.exchange.ports import Queue
from connector.exchange.records import (
    AuditEntry,
    EvidenceOrigin,
    EvidenceRecord,
    MessageRecord,
    ParkedJob,
)
from connector.exchange.states import Event
from connector.exchange.transition import Change, commit


@dataclass(frozen=True, slots=True)
class Discarded:
    """What came of giving a job up."""

    record: MessageRecord | None
    """The message as it is now; None if the job had none."""
    issued: tuple[EvidenceRecord, ...]
    """Evidences that say so to whoever waits."""


def find_parked(queue: Queue, wanted: str) -> ParkedJob:
    """The parked job with this id, or of the message with this id.

    Raises `queue.not-parked`, `queue.several-parked` (configuration: wrong use).
    """
    parked = queue.parked()
    found = [each for each in parked if each.job.id == wanted] or [
        each for each in parked if each.job.message_id == wanted
    ]
    if not found:
        raise misconfigured(
            "queue.not-parked",
            f"No job is parked under the id {wanted!r}.",
            mend="`emla queue list` shows what is parked; what still waits is tried by itself.",
        )
    if len(found) > 1:
        raise misconfigured(
            "queue.several-parked",
            f"{len(found)} jobs of the message {wanted!r} are parked.",
            mend=f"Name one of the jobs: {', '.join(each.job.id for each in found)}.",
        )
    return found[0]


def retry(connector: Connector, queue: Queue, wanted: str, *, by: str) -> ParkedJob:
    """Have a parked job tried again, its attempts counted anew. `by` is who asked for it.

    Raises as `find_parked`; `queue.*`, `store.*` (transient).
    """
    parked = find_parked(queue, wanted)
    _log(connector, parked, "retried", by)
    queue.replay(parked.job.id)
    return parked


def discard(
    connector: Connector,
    queue: Queue,
    wanted: str,
    why: str,
    *,
    by: str,
    reason: Reason = Reason.OTHER,
) -> Discarded:
    """Give a parked job up. `why` and `reason` go into the evidence, so the other side may read
    them; `by` is who decided it, and stays here.

    Raises as `find_parked`; `queue.no-reason` (configuration); `queue.*`, `store.*`, `delivery.*`
    (transient; the job is then still parked).
    """
    if not why.strip():
        raise misconfigured(
            "queue.no-reason",
            "A message is only given up for a reason.",
            mend="Say why, in a sentence that the other side may read.",
        )
    parked = find_parked(queue, wanted)
    outcome = Discarded(None, ())
    with connector.store.reading() as reading:
        record = reading.message(parked.job.message_id)
    if record is not None and parked.job.action == "advance":
        outcome = _give_up(connector, record, why.strip(), reason, by)
    elif record is not None:
        _log(connector, parked, "job-discarded", by)
        outcome = Discarded(record, ())
    queue.discard(parked.job.id)
    return outcome


def _give_up(
    connector: Connector, record: MessageRecord, why: str, reason: Reason, by: str
) -> Discarded:
    with connector.store.reading() as reading:
        before = {each.id for each in reading.evidences(record.id)}
    change = Change(
        event=Event.DISCARDED,
        reason=reason,
        problem=Problem(code="message.discarded", what=why),
        note=f"by {by}",
    )
    record = commit(connector, record, change)
    tell_backend(connector, record)
    with connector.store.reading() as reading:
        evidences = reading.evidences(record.id)
    issued = [e for e in evidences if e.id not in before and e.origin is EvidenceOrigin.ISSUED]
    return Discarded(record, tuple(issued))


def _log(connector: Connector, parked: ParkedJob, event: str, by: str) -> None:
    """An entry of the message's timeline that changes no state."""
    with connector.store.transaction() as tx:
        record = tx.message(parked.job.message_id)
        state = record.state if record else ""
        tx.append_audit(
            AuditEntry(
                at=connector.clock(),
                message_id=parked.job.message_id,
                event=event,
                from_state=state,
                to_state=state,
                detail=json.dumps({"note": f"by {by}", "action": parked.job.action}),
            )
        )
