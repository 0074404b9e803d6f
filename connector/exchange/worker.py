"""The worker: takes a job, moves its message on as far as it goes, and only then lets go of it.

A job says which message; what to do stands in the message's state. So a job that comes twice, or
comes back after a worker was killed, finds the state where the last commit left it and goes on
from there. Workers hold nothing between jobs: any number may run, in any process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from connector.errors import ConnectorError, Problem
from connector.errors import Kind as ErrorKind
from connector.exchange import arrival, attestation, departure, handover
from connector.exchange.context import Connector
from connector.exchange.ports import Delivery, Queue
from connector.exchange.records import Job, MessageRecord
from connector.exchange.states import WORKABLE, Event, State
from connector.exchange.transition import Change, commit
from connector.queueing.retry import Park, next_try

log = structlog.get_logger("emla.worker")

_STEPS: dict[State, Callable[[Connector, MessageRecord], MessageRecord]] = {
    State.ACCEPTED: departure.seal_message,
    State.SEALED: departure.submit,
    State.ARRIVED: arrival.verify,
    State.VERIFIED: handover.hand_over,
    State.EVIDENCE_READY: departure.submit,
    State.EVIDENCE_ARRIVED: attestation.take_in,
}


class Worker:
    """One worker thread's loop over one queue connection."""

    def __init__(self, connector: Connector, queue: Queue) -> None:
        self._connector = connector
        self._queue = queue

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; the job in hand is finished first."""
        while not stop.is_set():
            try:
                deliveries = self._queue.take(limit=4, wait=0.5)
            except ConnectorError as error:
                log.warning("queue.unreachable", problem=str(error))
                stop.wait(1.0)
                continue
            except Exception:  # a defect of ours, or of what the queue stands on: not the end
                log.exception("worker.defect")
                stop.wait(1.0)
                continue
            for delivery in deliveries:
                if stop.is_set():
                    break  # what is not begun goes back when the queue is closed
                self.work(delivery)
            self._safely(self._queue.relay)

    def work(self, delivery: Delivery) -> None:
        """Do one job and end it: done, later again, or set aside for a person."""
        job = delivery.job
        try:
            self.handle(job)
        except ConnectorError as error:
            self._failed(delivery, error.problems[0], retry=error.kind is ErrorKind.TRANSIENT)
        except Exception as error:
            # A defect of ours must neither lose the message nor stop the worker.
            log.exception("worker.defect", message_id=job.message_id, action=job.action)
            problem = Problem(
                code="internal.defect",
                what=f"The connector failed on this message: {type(error).__name__}: {error}",
                mend="Report it with the log; `emla queue retry` tries again.",
            )
            self._failed(delivery, problem, retry=True)
        else:
            self._safely(delivery.ack)

    def handle(self, job: Job) -> None:
        """Move the job's message on until it waits for somebody else."""
        connector = self._connector
        with connector.store.reading() as reading:
            record = reading.message(job.message_id)
        if record is None:
            log.warning("job.without-message", message_id=job.message_id)
            return
        if job.action.startswith("event:"):
            record = self._fire(record, Event(job.action.removeprefix("event:")))
        while State(record.state) in WORKABLE:
            record = _STEPS[State(record.state)](connector, record)
        attestation.tell_backend(connector, record)

    def _fire(self, record: MessageRecord, event: Event) -> MessageRecord:
        reason = attestation.timeout_reason(event)
        return commit(self._connector, record, Change(event=event, reason=reason))

    def _failed(self, delivery: Delivery, problem: Problem, *, retry: bool) -> None:
        decision = next_try(
            delivery.job,
            permanent=not retry,
            now=self._connector.clock(),
            jitter=self._connector.random(),
            ladder=self._connector.ladder,
        )
        log.warning(
            "job.failed",
            message_id=delivery.job.message_id,
            code=problem.code,
            problem=str(problem),
            parked=isinstance(decision, Park),
        )
        if isinstance(decision, Park):
            self._safely(lambda: delivery.park(problem))
        else:
            self._safely(lambda: delivery.retry(decision.after, problem))

    @staticmethod
    def _safely(call: Callable[[], object]) -> None:
        """A call to the queue. If it fails, the job comes back by itself sooner or later, and then
        finds its message already moved on."""
        try:
            call()
        except ConnectorError as error:
            log.warning("queue.unreachable", problem=str(error))
        except Exception:
            log.exception("worker.defect")
