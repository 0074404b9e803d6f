"""What evidences do: those of the other side move our messages, all of them reach the backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.errors import ConnectorError, unacceptable
from connector.evidence.model import Evidence
from connector.evidence.types import EvidenceType, Reason
from connector.exchange import evidences
from connector.exchange.context import Connector
from connector.exchange.records import EvidenceRecord, Kind, MessageRecord, PartRole
from connector.exchange.states import EVIDENCE_EVENTS, Event, State
from connector.exchange.transition import Change, commit

_NOT_YET_SUBMITTED: Final = frozenset({State.ACCEPTED, State.SEALED})


def take_in(connector: Connector, record: MessageRecord) -> MessageRecord:
    """Verify an evidence that arrived, apply it to the message of ours that it is about.

    Killed between the two commits it starts again: the evidence is then already with its message,
    and is not applied twice.
    """
    try:
        business, parts = evidences.business_message(connector, record)
        with connector.store.reading() as reading:
            part = next(p for p in reading.parts(record.id) if p.role is PartRole.EVIDENCE)
            known = {each.id for each in reading.evidences(business.id)}
        found = evidences.read_about(connector, part, parts)
        event = _event_of(found.evidence)
    except ConnectorError as error:
        if not evidences.is_final(error):
            raise
        refusal = Change(
            event=Event.NOT_ACCEPTABLE,
            found=State.EVIDENCE_ARRIVED,
            problem=evidences.problem_of(error),
        )
        return commit(connector, record, refusal)
    if found.evidence.identifier not in known:
        evidence = evidences.received(connector, business, found, part)
        business = commit(connector, business, Change(event=event, evidence=(evidence,)))
    tell_backend(connector, business)
    return commit(connector, record, Change(event=Event.APPLIED))


def _event_of(evidence: Evidence) -> Event:
    """Raises `evidence.not-theirs` for what only the sender's side can attest."""
    event = EVIDENCE_EVENTS.get(evidence.type)
    if event is None:
        raise unacceptable(
            "evidence.not-theirs",
            f"Whether a message of ours was submitted is ours to say; they sent {evidence.type}.",
        )
    return event


def tell_backend(connector: Connector, record: MessageRecord) -> None:
    """Give the national system every evidence about a message that it is to have by now, in order.

    Idempotent: what the backend has already is left as it is.
    """
    if record.kind is not Kind.BUSINESS:
        return
    with connector.store.reading() as reading:
        known = reading.evidences(record.id)
    for order, evidence in enumerate(told(State(record.state), known), 1):
        connector.backend.tell(record, order, evidence)


def told(state: State, known: Sequence[EvidenceRecord]) -> Sequence[EvidenceRecord]:
    """The evidences that the national system gets in `state`, in the order in which it gets them.

    SUBMISSION_ACCEPTANCE is held back until the gateway has taken the message, and for ever if it
    never did (e-CODEX tells it too early).
    """
    if state in _NOT_YET_SUBMITTED:
        return []
    if state is State.REFUSED:
        return [each for each in known if each.type != EvidenceType.SUBMISSION_ACCEPTANCE]
    return known


def timeout_reason(event: Event) -> Reason | None:
    """What the evidence that a timer calls for gives as its reason."""
    return _TIMEOUTS.get(event)


_TIMEOUTS: Final = {
    Event.SUBMISSION_DUE: Reason.UNREACHABLE,
    Event.RELAY_DUE: Reason.RELAY_REMMD_TIMEOUT,
    Event.DELIVERY_DUE: Reason.DELIVERY_EVIDENCE_TIMEOUT,
    Event.RETRIEVAL_DUE: Reason.RETENTION_PERIOD_EXPIRED,
    Event.HANDOVER_DUE: Reason.R_REMMD_MALFUNCTION,
    Event.FETCH_DUE: Reason.RETENTION_PERIOD_EXPIRED,
}
