"""The worker: what may pass is tried again, what may not is parked; nothing stops it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from connector.errors import ConnectorError, Problem, misconfigured, transient, unacceptable
from connector.exchange.ports import Delivery, Queue
from connector.exchange.records import Job, Lane, MessageRecord, ParkedJob
from connector.exchange.states import State
from connector.exchange.worker import Worker
from connector.queueing.open import open_queue
from tests.exchange.world import World
from tests.network import moment, sample

LADDER = [30, 120, 600, 3600, 6 * 3600]


def parked(pair: World, record: MessageRecord) -> ParkedJob:
    (found,) = [p for p in pair.de.queue.parked() if p.job.message_id == record.id]
    return found


def test_a_passing_failure_goes_up_the_ladder_and_then_aside(pair: World) -> None:
    pair.wire.failures = [transient("as4.no-answer", "Nobody is there.")] * 6
    sent = pair.de.accept()
    pair.settle()
    for seconds in LADDER:
        assert pair.de.queue.waiting(sent.id) == pair.clock() + timedelta(seconds=seconds)
        pair.tick(seconds=seconds - 1)
        assert pair.de.queue.waiting(sent.id) == pair.clock() + timedelta(seconds=1)
        pair.tick(seconds=1)
    assert pair.de.queue.waiting(sent.id) is None
    assert parked(pair, sent).job.attempt == len(LADDER)
    pair.de.queue.replay(parked(pair, sent).job.id)
    pair.settle()
    assert pair.de.state(sent) is State.DELIVERED


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (misconfigured("pmode.no-endpoint", "The PMode has no endpoint."), State.SEALED),
        (unacceptable("pmode.unknown-recipient", "Nothing is agreed."), State.REFUSED),
    ],
    ids=["a person must mend it", "the message is to blame"],
)
def test_a_lasting_failure_is_not_tried_again(
    pair: World, error: ConnectorError, state: State
) -> None:
    pair.wire.failures = [error]
    sent = pair.de.accept()
    pair.settle()
    assert pair.de.state(sent) is state
    assert pair.de.queue.waiting(sent.id) is None
    if state is State.SEALED:
        waiting = parked(pair, sent)
        assert waiting.job.attempt == 0
        assert json.loads(waiting.reason) == error.problems[0].as_json()
        pair.de.queue.replay(waiting.job.id)
        pair.settle()
        assert pair.de.state(sent) is State.DELIVERED


def test_it_is_not_tried_beyond_its_deadline(pair: World) -> None:
    deadline = moment(pair.clock(), timedelta(minutes=2))
    urgent = sample(CreatedAt=moment(pair.clock(), -timedelta(hours=1)), Urgency_Deadline=deadline)
    pair.wire.failures = [transient("as4.no-answer", "Nobody is there.")] * 9
    sent = pair.de.accept(urgent)
    assert sent.expires_at == pair.clock() + timedelta(minutes=2) and sent.lane is Lane.URGENT
    pair.settle()
    pair.tick(seconds=30)
    # The next try would come too late: a person hears of it now, not then.
    assert parked(pair, sent).job.attempt == 1


def test_a_defect_of_ours_neither_loses_the_message_nor_stops_the_worker(pair: World) -> None:
    class Broken:
        def submit(self, message: object) -> object:
            raise ZeroDivisionError("a defect")

    worker = Worker(replace(pair.de.connector, gateway=Broken()), pair.de.queue)  # type: ignore[arg-type]
    sent = pair.de.accept()
    (delivery,) = pair.de.queue.take(limit=1, wait=0)
    worker.work(delivery)
    assert pair.de.state(sent) is State.SEALED
    assert pair.de.queue.waiting(sent.id) == pair.clock() + timedelta(seconds=30)
    pair.tick(seconds=30)
    assert pair.de.state(sent) is State.DELIVERED


def test_a_job_that_comes_twice_does_nothing_the_second_time(pair: World) -> None:
    sent, received = pair.send()
    before = pair.de.timeline(sent), pair.br.timeline(received)
    for side, record in ((pair.de, sent), (pair.br, received)):
        side.worker.handle(_job(record.id))
    assert (pair.de.timeline(sent), pair.br.timeline(received)) == before


def test_a_job_whose_message_is_gone(pair: World) -> None:
    pair.de.worker.handle(_job("no such message"))


def test_an_emergency_does_not_wait_behind_others(pair: World) -> None:
    pair.wire.held = []
    ordinary = [pair.de.accept() for _ in range(3)]
    emergency = pair.de.accept(sample("emergency-request"), {})
    (first,) = pair.de.queue.take(limit=1, wait=0)
    assert first.job.message_id == emergency.id
    pair.de.worker.work(first)
    pair.settle()
    assert all(pair.de.state(each) is State.SUBMITTED for each in ordinary)


def _job(message_id: str, action: str = "advance") -> Job:
    return Job(
        id=f"{message_id}-again",
        message_id=message_id,
        action=action,
        lane=Lane.ROUTINE,
        created_at=datetime.now(UTC),
    )


# --- The loop ---------------------------------------------------------------------------------


@dataclass
class _Delivery:
    job: Job
    ended: list[str]

    def ack(self) -> None:
        self.ended.append(f"ack {self.job.id}")

    def retry(self, after: timedelta, reason: Problem) -> None:
        self.ended.append(f"retry {self.job.id}")

    def park(self, reason: Problem) -> None:
        self.ended.append(f"park {self.job.id}")


@dataclass
class _Scripted:
    """A queue that gives, or raises, one thing after the other; then it stops the worker."""

    script: list[Exception | list[_Delivery]]
    stop: threading.Event = field(default_factory=threading.Event)
    relayed: int = 0

    def take(self, *, limit: int = 1, wait: float = 1.0) -> Sequence[Delivery]:
        if not self.script:
            self.stop.set()
            return []
        now = self.script.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    def relay(self) -> int:
        self.relayed += 1
        raise transient("queue.down", "The broker is down.")


@pytest.fixture
def run(pair: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[_Scripted], None]]:
    def running(queue: _Scripted) -> None:
        monkeypatch.setattr(queue.stop, "wait", lambda seconds: None)
        Worker(pair.de.connector, queue).run(queue.stop)  # type: ignore[arg-type]

    yield running


def test_the_loop_outlives_whatever_the_queue_does(run: Callable[[_Scripted], None]) -> None:
    ended: list[str] = []
    queue = _Scripted(
        [
            transient("queue.down", "The broker is down."),
            RuntimeError("a defect of the queue"),
            [_Delivery(_job("nobody"), ended)],
        ]
    )
    run(queue)
    assert ended == ["ack nobody-again"] and queue.relayed == 2


@pytest.mark.parametrize("failure", [transient("queue.down", "Down."), OSError("broken")])
def test_the_loop_outlives_an_ending_that_fails(
    run: Callable[[_Scripted], None], failure: Exception
) -> None:
    class Failing(_Delivery):
        def ack(self) -> None:
            raise failure

    ended: list[str] = []
    run(_Scripted([[Failing(_job("one"), ended), _Delivery(_job("two"), ended)]]))
    assert ended == ["ack two-again"]


def test_told_to_stop_it_finishes_the_job_in_hand_and_begins_no_other(
    pair: World, run: Callable[[_Scripted], None]
) -> None:
    ended: list[str] = []
    queue = _Scripted([])

    class Last(_Delivery):
        def ack(self) -> None:
            queue.stop.set()
            super().ack()

    queue.script = [[Last(_job("one"), ended), _Delivery(_job("two"), ended)]]
    run(queue)
    assert ended == ["ack one-again"]


def test_what_was_not_begun_goes_back_at_once(pair: World) -> None:
    """E.g. because the worker is told to stop with four jobs in hand."""
    records = [pair.de.accept() for _ in range(3)]
    queue: Queue = open_queue("embedded", pair.de.assembly.store, clock=pair.clock)
    assert len(queue.take(limit=4, wait=0)) == 3
    assert pair.de.queue.take(limit=4, wait=0) == []
    queue.close()
    pair.settle()
    assert all(pair.de.state(each) is State.DELIVERED for each in records)
