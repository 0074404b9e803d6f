"""What happens by itself: timers that fall due, deliveries that are fetched, messages to poll."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
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


class FetchWatch:
    """Tells the exchange of everything that the national system has taken."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._not_before: dict[str, float] = {}
        """When to look again at a message that has been dealt with."""

    def notice(self) -> int:
        """Look once; how many messages were found to have been taken since the last time."""
        now = time.monotonic()
        found = 0
        for message_id in self._connector.backend.taken():
            if self._not_before.get(message_id, now) <= now:
                found += self._deal_with(message_id, now)
        return found

    def _deal_with(self, message_id: str, now: float) -> bool:
        connector = self._connector
        known = message_id in self._not_before
        with connector.store.reading() as reading:
            record = reading.message(message_id)
        state = State(record.state) if record else None
        if record is not None and (
            state is State.HANDED_OVER or (state is State.UNFETCHED and not known)
        ):
            with connector.store.transaction() as tx:
                tx.enqueue(event_job(connector, record, Event.FETCHED, Event.FETCHED.value))
            self._not_before[message_id] = now + _LOOK_AGAIN
            return True
        if record is None or (state in _PAST and _long_past(connector, record)):
            self._not_before.pop(message_id, None)
            connector.backend.forget(message_id)
        elif state in _PAST:
            self._not_before[message_id] = now + _LOOK_AGAIN
        # Else a worker has yet to note that it has handed it over.
        return False


_PAST: Final = frozenset({State.FETCHED, State.UNFETCHED, State.TURNED_AWAY})
_LOOK_AGAIN: Final = 60.0
"""Seconds. By then the exchange has long been told, or must be told again."""
_KEPT: Final = timedelta(hours=1)
"""How long a delivery stays marked after its end: as long as a worker might lag behind that still
means to hand the same message over."""


def _long_past(connector: Connector, record: MessageRecord) -> bool:
    return connector.clock() - record.updated_at > _KEPT


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
