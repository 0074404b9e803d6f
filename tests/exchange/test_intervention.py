"""What a person does about parked jobs: tried again, or given up so that everybody hears of it."""

from __future__ import annotations

import json

import pytest

from connector.errors import ConnectorError, Kind, misconfigured, transient
from connector.evidence.types import Reason
from connector.exchange import intervention
from connector.exchange.records import MessageRecord, ParkedJob
from connector.exchange.states import Event, State
from connector.runtime.watch import event_job
from tests.exchange.world import Side, World

BY = "clerk@ministry"
A = "SUBMISSION_ACCEPTANCE"


def parked(side: Side, record: MessageRecord) -> ParkedJob:
    return intervention.find_parked(side.queue, record.id)


@pytest.fixture
def stuck(pair: World) -> MessageRecord:
    """A request of DE that is parked after it was sealed."""
    pair.wire.failures = [misconfigured("pmode.no-endpoint", "The PMode has no endpoint.")]
    sent = pair.de.accept()
    pair.settle()
    assert pair.de.state(sent) is State.SEALED
    return sent


@pytest.fixture
def stuck_here(pair: World) -> tuple[MessageRecord, MessageRecord]:
    """A request that BR has verified and cannot write in its format; here, and there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair.br.connector.backend, "_format", "no-such-format")
        sent, received = pair.send()
    assert pair.br.state(received) is State.VERIFIED
    return sent, received


def discard(side: Side, wanted: str, why: str = "Sent by mistake.") -> intervention.Discarded:
    return intervention.discard(side.connector, side.queue, wanted, why, by=BY)


def test_tried_again(pair: World, stuck: MessageRecord) -> None:
    job = parked(pair.de, stuck).job
    found = intervention.retry(pair.de.connector, pair.de.queue, job.id, by=BY)
    assert found.job == job
    pair.settle()
    assert pair.de.state(stuck) is State.DELIVERED
    entry = next(e for e in pair.de.timeline(stuck) if e.event == "retried")
    assert json.loads(entry.detail)["note"] == f"by {BY}"
    assert entry.from_state == entry.to_state == "SEALED"


def test_given_up_before_it_left(pair: World, stuck: MessageRecord) -> None:
    outcome = discard(pair.de, stuck.id)
    assert outcome.record is not None and State(outcome.record.state) is State.REFUSED
    assert [e.type for e in outcome.issued] == ["SUBMISSION_REJECTION"]
    assert outcome.issued[0].reason == "OTHER: Sent by mistake. [message.discarded]"
    assert pair.de.told(stuck) == ["SUBMISSION_REJECTION"]
    assert pair.de.timers(stuck) == {}
    assert json.loads(pair.de.timeline(stuck)[-1].detail)["note"] == f"by {BY}"
    with pytest.raises(ConnectorError) as caught:
        parked(pair.de, stuck)
    assert caught.value.code == "queue.not-parked" and caught.value.kind is Kind.CONFIGURATION


def test_given_up_before_it_was_verified(pair: World) -> None:
    pair.wire.held = []
    sent = pair.de.accept()
    pair.de.work()
    (message,), pair.wire.held = pair.wire.held, None
    pair.wire.bring(message)
    received = pair.br.received(sent.ebms_id)
    token = next(p for p in pair.br.parts(received) if p.role == "TOKEN_XML")
    pair.br.store.payloads.path(token.payload).unlink()
    pair.settle()
    discard(pair.br, received.id, "Our disk lost it; please send it again.")
    pair.settle()
    assert pair.br.state(received) is State.TURNED_AWAY
    assert pair.de.told(sent) == [A, "RELAY_REMMD_REJECTION"]
    assert "please send it again" in pair.de.evidences(sent)[-1].reason


def test_given_up_before_it_was_handed_over(
    pair: World, stuck_here: tuple[MessageRecord, MessageRecord]
) -> None:
    sent, received = stuck_here
    problem = json.loads(parked(pair.br, received).reason)
    assert problem["code"] == "delivery.untranslatable"
    intervention.discard(
        pair.br.connector,
        pair.br.queue,
        received.id,
        "Not for us.",
        by=BY,
        reason=Reason.RECIPIENT_REJECTION,
    )
    pair.settle()
    assert pair.br.state(received) is State.TURNED_AWAY
    assert pair.de.told(sent) == [A, "RELAY_REMMD_ACCEPTANCE", "NON_DELIVERY"]
    assert pair.de.evidences(sent)[-1].reason.startswith("RECIPIENT_REJECTION: Not for us.")
    assert not pair.br.delivered(received).exists()


def test_a_mended_mapping_and_tried_again(
    pair: World, stuck_here: tuple[MessageRecord, MessageRecord]
) -> None:
    sent, received = stuck_here
    intervention.retry(pair.br.connector, pair.br.queue, received.id, by=BY)
    pair.settle()
    assert pair.br.state(received) is State.HANDED_OVER
    assert pair.de.state(sent) is State.DELIVERED


def test_an_evidence_that_is_given_up(pair: World) -> None:
    pair.wire.held = []
    sent = pair.de.accept()
    pair.de.work()
    (message,), pair.wire.held = pair.wire.held, None
    pair.wire.bring(message)
    pair.wire.failures = [misconfigured("pmode.no-endpoint", "The PMode has no endpoint.")] * 2
    pair.settle()
    received = pair.br.received(sent.ebms_id)
    assert pair.br.state(received) is State.HANDED_OVER
    waiting = [m for m in pair.br.evidence_messages() if m.ref_to == sent.ebms_id]
    assert {m.state for m in waiting} == {"EVIDENCE_READY"}
    for each in waiting:
        outcome = discard(pair.br, each.id, "The partner has closed.")
        assert outcome.record is not None and outcome.issued == ()
        assert State(outcome.record.state) is State.EVIDENCE_FAILED
    assert pair.br.state(received) is State.HANDED_OVER


def test_a_job_about_an_event_leaves_its_message_alone(pair: World, stuck: MessageRecord) -> None:
    job = event_job(pair.de.connector, stuck, Event.SUBMISSION_DUE, "by hand")
    with pair.de.store.transaction() as tx:
        tx.enqueue(job)
    (delivery,) = pair.de.queue.take(limit=1, wait=0)
    delivery.park(transient("delivery.cannot-write", "Full.").problems[0])
    with pytest.raises(ConnectorError) as caught:
        parked(pair.de, stuck)
    assert caught.value.code == "queue.several-parked"
    assert job.id in str(caught.value)
    outcome = discard(pair.de, job.id, "Looked after by hand.")
    assert outcome.issued == () and pair.de.state(stuck) is State.SEALED
    assert pair.de.events(stuck)[-1] == "job-discarded"
    assert parked(pair.de, stuck).job.action == "advance"


def test_only_for_a_reason(pair: World, stuck: MessageRecord) -> None:
    with pytest.raises(ConnectorError) as caught:
        discard(pair.de, stuck.id, "  ")
    assert caught.value.code == "queue.no-reason"
    assert pair.de.state(stuck) is State.SEALED and parked(pair.de, stuck)


def test_interrupted_and_done_again(pair: World, stuck: MessageRecord) -> None:
    """The national system's folder cannot be written to just then."""
    folder = pair.de.home.folder / "delivered"
    folder.rename(folder.with_name("aside"))
    folder.write_text("in the way")
    with pytest.raises(ConnectorError) as caught:
        discard(pair.de, stuck.id)
    assert caught.value.kind is Kind.TRANSIENT
    assert pair.de.state(stuck) is State.REFUSED and parked(pair.de, stuck)
    folder.unlink()
    folder.with_name("aside").rename(folder)
    outcome = discard(pair.de, stuck.id)
    assert outcome.record is not None and State(outcome.record.state) is State.REFUSED
    assert pair.de.told(stuck) == ["SUBMISSION_REJECTION"]
    assert not [p for p in pair.de.queue.parked() if p.job.message_id == stuck.id]
