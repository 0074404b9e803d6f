"""Carrying out a step of the state table: everything that belongs to it in one commit.

The evidence a step calls for is made and stored before the commit, since content must be durable
before anything refers to it. If another worker was faster, nothing of ours is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from connector.errors import ConnectorError, Problem
from connector.evidence.types import Reason
from connector.exchange.context import Connector
from connector.exchange.evidences import issue, problem_json, send_evidence
from connector.exchange.ports import Transaction
from connector.exchange.records import (
    AuditEntry,
    Direction,
    EvidenceOrigin,
    EvidenceRecord,
    MessageRecord,
    Part,
    PartRole,
    Timer,
)
from connector.exchange.states import FINAL, Event, State, Step, implied, step

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An event with what came of the work that led to it."""

    event: Event
    found: State | None = None
    """The state in which the work was done that the event is the outcome of. If the message has
    left it by the time of the commit, somebody else has done that work, and the event is only
    logged. None for events from outside, which count in whatever state they meet."""
    reason: Reason | None = None
    """Why, for the evidence that the event may call for."""
    problem: Problem | None = None
    parts: Sequence[Part] = ()
    evidence: Sequence[EvidenceRecord] = ()
    """Evidence that came with the event: received, or travelling with the message."""
    note: str = ""
    """For the timeline."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """One event as the table takes it."""

    event: Event
    source: State
    step: Step | None


def commit(connector: Connector, record: MessageRecord, change: Change) -> MessageRecord:
    """Apply `change` to the message as it stands now; the record afterwards.

    The state is read again if another worker was faster, and the event applied to what it is by
    then: events that no longer fit leave the state alone but are logged. Raises `store.*`
    (transient), LookupError if there is no such message.
    """
    for _ in range(_TRIES):
        try:
            return _commit_once(connector, record, change)
        except ConnectorError as error:
            if error.code != "store.conflict":
                raise
        with connector.store.reading() as reading:
            found = reading.message(record.id)
        if found is None:
            raise LookupError(record.id)
        record = found
    return _commit_once(connector, record, change)


def _commit_once(connector: Connector, record: MessageRecord, change: Change) -> MessageRecord:
    now = connector.clock()
    taken = _taken(State(record.state), change)
    issued = [
        issue(
            connector,
            record,
            each.step.issue,
            now,
            reason=change.reason,
            problem=change.problem,
        )
        for each in taken
        if each.step and each.step.issue
    ]
    last = taken[-1]
    # What a slower worker made for a step that is already taken is left aside: the parts of the
    # faster one have been signed, and perhaps sent. What others have signed is always kept.
    applies = last.step is not None
    with connector.store.transaction() as tx:
        changed = tx.update_message(
            replace(
                record,
                state=(last.step.to if last.step else last.source).value,
                updated_at=now,
                problem=(applies and problem_json(change.problem)) or record.problem,
            )
        )
        if kept := [part for part in change.parts if applies or part.role is PartRole.RECEIPT]:
            tx.add_parts(kept)
        for evidence in change.evidence:
            if applies or evidence.origin is EvidenceOrigin.RECEIVED:
                tx.add_evidence(evidence)
        for evidence in issued:
            tx.add_evidence(evidence)
            if record.direction is Direction.INBOUND:
                send_evidence(tx, connector, record, evidence, now)
        for each in taken:
            tx.append_audit(_entry(record, each, change, now))
            if each.step:
                _set_timers(tx, connector, record, each.step, now)
    return changed


def _taken(state: State, change: Change) -> list[_Taken]:
    """The event and what it implies, each with the state that it finds."""
    if change.found not in (None, state):
        return [_Taken(change.event, state, None)]
    taken: list[_Taken] = []
    for each in (implied(state, change.event), change.event):
        if each is not None:
            done = step(state, each)
            taken.append(_Taken(each, state, done))
            state = done.to if done else state
    return taken


def _entry(record: MessageRecord, taken: _Taken, change: Change, now: datetime) -> AuditEntry:
    detail: dict[str, object] = {}
    if change.problem:
        detail["problem"] = change.problem.as_json()
    if change.evidence:
        detail["evidence"] = [evidence.type for evidence in change.evidence]
    if change.note:
        detail["note"] = change.note
    if taken.step is None:
        detail["unchanged"] = True
    else:
        if taken.step.warn:
            detail["warning"] = True
        if taken.step.issue:
            detail["issued"] = taken.step.issue.name
    return AuditEntry(
        at=now,
        message_id=record.id,
        event=taken.event.value,
        from_state=taken.source.value,
        to_state=(taken.step.to if taken.step else taken.source).value,
        detail=json.dumps(detail, ensure_ascii=False) if detail else "",
    )


def _set_timers(
    tx: Transaction, connector: Connector, record: MessageRecord, done: Step, now: datetime
) -> None:
    # The sender's clock runs since it handed the message to its gateway; ours must not be behind.
    begin = record.created_at if record.direction is Direction.INBOUND else now
    for name in done.start:
        if limit := connector.limits[name]:
            tx.set_timer(Timer(message_id=record.id, name=name.value, due=begin + limit))
    if done.to in FINAL:
        tx.cancel_timers(record.id)
    elif done.stop:
        tx.cancel_timers(record.id, [name.value for name in done.stop])
