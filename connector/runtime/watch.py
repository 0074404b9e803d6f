"""What happens by itself: timers that fall due, deliveries that are fetched, messages to poll."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event as Flag
from typing import Final

import structlog

from connector.errors import ConnectorError
from connector.exchange.context import Connector
from connector.exchange.records import Job, MessageRecord, job_for
from connector.exchange.states import Event, State
from gateway_client.model import PullGateway, Receiver

log = structlog.get_logger("emla.watch")

_BATCH: Final = 200


def fire_timers(connector: Connector) -> int:
    """Turn every timer that is due into a job; how many there were.

    The job's id says which timer it is of: several connectors on one store may look at the same
    moment, and the job is there once.
    """
    fired = 0
    while True:
        due = connector.store.due_timers(connector.clock(), limit=_BATCH)
        for timer in due:
            with connector.store.transaction() as tx:
                record = tx.message(timer.message_id)
                tx.cancel_timers(timer.message_id, [timer.name])
                if record is not None:
                    stamp = timer.due.strftime("%Y%m%dT%H%M%S%f")
                    tx.enqueue(
                        event_job(connector, record, Event(timer.name), f"{timer.name}@{stamp}")
                    )
        fired += len(due)
        if len(due) < _BATCH:
            return fired


def notice_fetched(connector: Connector) -> int:
    """Tell the exchange of everything that the national system has taken; how much it was."""
    noticed = 0
    for message_id in connector.backend.taken():
        with connector.store.transaction() as tx:
            record = tx.message(message_id)
            if record is not None and record.state == State.VERIFIED:
                continue  # it was faster than our own note that the message is handed over
            if record is not None:
                tx.enqueue(event_job(connector, record, Event.FETCHED, Event.FETCHED.value))
        # Killed before this it is noticed again, and found to be done already.
        connector.backend.forget(message_id)
        noticed += 1
    return noticed


def event_job(connector: Connector, record: MessageRecord, event: Event, name: str) -> Job:
    """A job that tells a message of an event from outside."""
    return job_for(record, f"{record.id}/{name}", connector.clock(), action=f"event:{event.value}")


def poll(gateway: PullGateway, receiver: Receiver) -> int:
    """Fetch what waits at a gateway that does not push; how much it was."""
    return len(gateway.poll(receiver))


def repeat(name: str, work: Callable[[], int], stop: Flag, *, every: float, at_most: float) -> None:
    """Do `work` until `stop`, at least `every` seconds apart and less often the longer it takes.

    After a failure the pause doubles up to `at_most` seconds. Work that found something is done
    again at once.
    """
    pause = every
    while not stop.is_set():
        started = time.monotonic()
        try:
            found = work()
            took = time.monotonic() - started
            pause = 0.0 if found else min(max(every, took * 10), at_most)
        except ConnectorError as error:
            pause = min(max(pause, every) * 2, at_most)
            log.warning(f"{name}.failed", problem=str(error), again_in=pause)
        except Exception:  # a defect of ours: the others go on
            pause = min(max(pause, every) * 2, at_most)
            log.exception(f"{name}.defect")
        stop.wait(pause)
