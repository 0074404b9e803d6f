"""One step is one commit: what several workers and late notes make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.errors import Problem, transient
from connector.evidence.types import EvidenceType, Reason
from connector.exchange import arrival, departure, handover
from connector.exchange.records import (
    EvidenceOrigin,
    EvidenceRecord,
    MessageRecord,
    Part,
    PartRole,
    PayloadRef,
)
from connector.exchange.states import Event, State
from connector.exchange.transition import Change, commit
from connector.exchange.worker import Worker
from connector.queueing.open import open_queue
from tests.exchange.world import Side, World

DAY = timedelta(days=1)


def test_the_timers_of_a_request_at_every_step(pair: World) -> None:
    start = pair.clock()
    sent = pair.de.accept()
    assert pair.de.timers(sent) == {"submission-due": start + timedelta(hours=12)}
    pair.wire.held = []
    pair.de.work()
    assert pair.de.timers(sent) == {
        "relay-warn": start + timedelta(hours=1),
        "relay-due": start + timedelta(hours=12),
        "delivery-warn": start + timedelta(hours=12),
        "delivery-due": start + timedelta(hours=24),
        "retrieval-warn": start + timedelta(hours=24),
        "retrieval-due": start + timedelta(hours=36),
    }
    pair.clock.now += timedelta(minutes=5)
    (message,), pair.wire.held = pair.wire.held, None
    pair.wire.bring(message)
    received = pair.br.received(sent.ebms_id)
    arrived = pair.clock()
    assert pair.br.timers(received) == {"handover-due": arrived + timedelta(hours=24)}
    pair.br.work()
    # From the moment it came, as the sender's clock runs from the moment it went.
    assert pair.br.timers(received) == {"fetch-due": arrived + timedelta(hours=36)}
    pair.de.work()
    assert set(pair.de.timers(sent)) == {"retrieval-warn", "retrieval-due"}
    pair.br.fetch(received)
    pair.tick(seconds=1)
    assert pair.de.timers(sent) == {} and pair.br.timers(received) == {}


def test_the_timeline_tells_every_step_and_its_evidence(pair: World) -> None:
    sent, received = pair.send()
    told = [(e.event, e.from_state, e.to_state) for e in pair.de.timeline(sent)]
    assert told == [
        ("accepted", "", "ACCEPTED"),
        ("sealed", "ACCEPTED", "SEALED"),
        ("gateway-took", "SEALED", "SUBMITTED"),
        ("relay-accepted", "SUBMITTED", "RELAYED"),
        ("delivered", "RELAYED", "DELIVERED"),
    ]
    details = [json.loads(e.detail or "{}") for e in pair.br.timeline(received)]
    assert details == [
        {},
        {"evidence": ["SUBMISSION_ACCEPTANCE"], "issued": "RELAY_REMMD_ACCEPTANCE"},
        {"issued": "DELIVERY"},
    ]
    for side in (pair.de, pair.br):
        count, broken = side.store.verify_audit()
        assert count >= 5 and broken is None


def test_two_workers_that_seal_one_message_leave_one_container(pair: World) -> None:
    sent = pair.de.accept()
    first = departure.seal_message(pair.de.connector, sent)
    parts, evidences = pair.de.parts(sent), pair.de.evidences(sent)
    pair.clock.now += timedelta(seconds=1)  # the other one's signatures differ
    second = departure.seal_message(pair.de.connector, sent)
    assert State(second.state) is State.SEALED and second.version == first.version + 1
    assert pair.de.parts(sent) == parts and pair.de.evidences(sent) == evidences
    assert json.loads(pair.de.timeline(sent)[-1].detail)["unchanged"] is True
    pair.settle()
    assert pair.de.state(sent) is State.DELIVERED


def test_a_refusal_of_a_slower_worker_counts_for_nothing(pair: World) -> None:
    """E.g. a certificate that expired between two verifications of one message."""
    pair.wire.held = []
    sent = pair.de.accept()
    pair.de.work()
    (message,), pair.wire.held = pair.wire.held, None
    pair.wire.bring(message)
    stale = pair.br.received(sent.ebms_id)
    verified = arrival.verify(pair.br.connector, stale)
    assert State(verified.state) is State.VERIFIED
    later = replace(pair.br.connector, clock=lambda: pair.clock() + 10_000 * DAY)
    outcome = arrival.verify(later, stale)
    assert State(outcome.state) is State.VERIFIED and outcome.problem is None
    entry = pair.br.timeline(stale)[-1]
    assert entry.event == "not-acceptable" and json.loads(entry.detail)["unchanged"] is True
    assert pair.br.types(stale) == ["SUBMISSION_ACCEPTANCE", "RELAY_REMMD_ACCEPTANCE"]
    pair.settle()
    assert pair.de.state(sent) is State.DELIVERED


def test_two_workers_that_hand_over_one_message_deliver_it_once(pair: World) -> None:
    pair.wire.held = []
    sent = pair.de.accept()
    pair.de.work()
    (message,), pair.wire.held = pair.wire.held, None
    pair.wire.bring(message)
    verified = arrival.verify(pair.br.connector, pair.br.received(sent.ebms_id))
    handover.hand_over(pair.br.connector, verified)
    pair.br.fetch(verified)
    handover.hand_over(pair.br.connector, verified)
    assert not (pair.br.delivered(verified) / "READY").exists()
    assert pair.br.types(verified).count("DELIVERY") == 1
    pair.tick(seconds=1)
    assert pair.de.state(sent) is State.RETRIEVED


@pytest.fixture
def other(pair: World) -> Iterator[Side]:
    """DE with a second worker, on a queue connection of its own."""
    queue = open_queue(
        "embedded", pair.de.assembly.store, clock=pair.clock, lease=timedelta(minutes=5)
    )
    yield replace(pair.de, queue=queue, worker=Worker(pair.de.connector, queue))
    queue.close()


def test_evidence_that_overtakes_our_own_note(pair: World, other: Side) -> None:
    """The other side has answered before the gateway's receipt is written down here."""

    def meanwhile(message: object) -> None:
        pair.wire.meanwhile = None
        pair.br.work()
        other.work()

    pair.wire.meanwhile = meanwhile
    sent, _ = pair.send()
    told = [(e.event, e.from_state, e.to_state) for e in pair.de.timeline(sent)[2:]]
    assert told == [
        ("gateway-took", "SEALED", "SUBMITTED"),
        ("relay-accepted", "SUBMITTED", "RELAYED"),
        ("delivered", "RELAYED", "DELIVERED"),
        ("gateway-took", "DELIVERED", "DELIVERED"),
    ]
    assert pair.de.told(sent) == ["SUBMISSION_ACCEPTANCE", "RELAY_REMMD_ACCEPTANCE", "DELIVERY"]
    assert set(pair.de.timers(sent)) == {"retrieval-warn", "retrieval-due"}
    # What the partner's access point has signed is kept, though the step was taken already.
    assert len(pair.de.parts(sent, PartRole.RECEIPT)) == 1


def test_a_message_that_was_taken_but_whose_receipt_was_lost_arrives_once(pair: World) -> None:
    pair.wire.lost_receipts = 2
    sent, received = pair.send()
    assert pair.de.state(sent) is State.DELIVERED  # proven by the evidence
    assert pair.de.told(sent)[0] == "SUBMISSION_ACCEPTANCE"
    pair.tick(seconds=31)
    pair.tick(minutes=3)
    assert [m.id for m in pair.br.store.messages(text=sent.ebms_id)] == [received.id]
    assert pair.br.types(received).count("DELIVERY") == 1
    assert pair.de.types(sent) == ["SUBMISSION_ACCEPTANCE", "RELAY_REMMD_ACCEPTANCE", "DELIVERY"]


class _Busy:
    """A store in which others are always faster."""

    def __init__(self, side: Side, times: int) -> None:
        self._side, self.times = side, times

    def __getattr__(self, name: str) -> object:
        return getattr(self._side.store, name)

    def transaction(self) -> object:
        if self.times:
            self.times -= 1
            raise transient("store.conflict", "Another worker was faster.")
        return self._side.store.transaction()


def _change() -> Change:
    return Change(
        event=Event.DISCARDED,
        reason=Reason.OTHER,
        problem=Problem(code="message.discarded", what="Sent by mistake."),
    )


@pytest.mark.parametrize("times", [1, 5])
def test_a_conflict_is_tried_again(pair: World, times: int) -> None:
    sent = pair.de.accept()
    busy = replace(pair.de.connector, store=_Busy(pair.de, times))  # type: ignore[arg-type]
    assert State(commit(busy, sent, _change()).state) is State.REFUSED
    assert pair.de.types(sent) == ["SUBMISSION_REJECTION"]


def test_conflict_after_conflict_goes_back_to_the_queue(pair: World) -> None:
    sent = pair.de.accept()
    busy = replace(pair.de.connector, store=_Busy(pair.de, 100))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="faster") as caught:
        commit(busy, sent, _change())
    assert caught.value.code == "store.conflict"  # type: ignore[attr-defined]
    assert pair.de.state(sent) is State.ACCEPTED and pair.de.types(sent) == []


def test_nothing_of_a_commit_is_left_when_it_fails(pair: World) -> None:
    """Evidence, evidence message, job, timers and timeline belong to the state they come with."""
    sent = pair.de.accept()

    class Failing(_Busy):
        def transaction(self) -> object:
            @contextmanager
            def failing() -> Iterator[object]:
                with self._side.store.transaction() as tx:
                    yield tx
                    raise transient("store.disk-full", "The disk is full.")

            return failing()

    broken = replace(pair.de.connector, store=Failing(pair.de, 0))  # type: ignore[arg-type]
    with pytest.raises(Exception, match="full"):
        commit(broken, sent, _change())
    assert pair.de.record(sent.id) == sent
    assert pair.de.types(sent) == [] and pair.de.events(sent) == ["accepted"]
    assert set(pair.de.timers(sent)) == {"submission-due"}


def test_an_event_that_does_not_fit_is_logged_with_what_came_with_it(pair: World) -> None:
    sent, _ = pair.send()
    late = _received(pair.de, sent)
    after = commit(
        pair.de.connector,
        sent,
        Change(event=Event.RELAY_FAILED, evidence=(late,), parts=(_part(sent),)),
    )
    assert State(after.state) is State.DELIVERED
    assert pair.de.types(sent)[-1] == "RELAY_REMMD_FAILURE"
    assert not [p for p in pair.de.parts(sent) if p.name == "left aside"]


def _received(side: Side, record: MessageRecord) -> EvidenceRecord:
    known = side.evidences(record)[-1]
    return replace(
        known,
        id=f"late-{record.id}",
        type=EvidenceType.RELAY_REMMD_FAILURE.value,
        origin=EvidenceOrigin.RECEIVED,
    )


def _part(record: MessageRecord) -> Part:
    return Part(
        message_id=record.id,
        role=PartRole.CONTAINER,
        name="left aside",
        media_type="text/plain",
        payload=PayloadRef(sha256="0" * 64, size=0),
    )
