"""The embedded engine: jobs are taken straight from the store's job table, under leases.

Two threads share the state of a queue: the worker's, and one that renews the leases of jobs in
hand and writes down ended ones that nobody has written down yet.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from connector.errors import ConnectorError, Problem, transient
from connector.exchange.records import Job, Lane, ParkedJob
from connector.queueing.losses import MAX_LOSSES, lost_too_often
from connector.store.jobs import Taken
from connector.store.sql_store import SqlStore

POLL_SECONDS = 0.05
"""How soon a job is seen that another process has enqueued."""


class EmbeddedQueue:
    """Implements `connector.exchange.ports.Queue`."""

    def __init__(self, store: SqlStore, *, clock: Callable[[], datetime], lease: timedelta) -> None:
        self._store = store
        self._jobs = store.jobs
        self._clock = clock
        self._lease = lease
        self._holder = uuid.uuid4().hex
        self._wake = threading.Event()
        self._forget_store = store.on_enqueued(self._wake.set)
        self._lock = threading.Lock()
        self._in_hand: set[str] = set()
        self._done: list[str] = []
        """Ended, but still in the table: deleted with the next `take`, which saves a commit."""
        self._idle = True
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None

    def take(self, *, limit: int = 1, wait: float = 1.0) -> Sequence[EmbeddedDelivery]:
        """See `Queue`."""
        deadline = time.monotonic() + wait
        while True:
            self._wake.clear()
            found = self._take_now(limit)
            remaining = deadline - time.monotonic()
            if found or remaining <= 0 or self._closed.is_set():
                return found
            self._wake.wait(min(remaining, POLL_SECONDS))

    def _take_now(self, limit: int) -> list[EmbeddedDelivery]:
        with _queue_down(), self._lock:
            now = self._clock()
            # While there is nothing, only look: that takes no write lock.
            if self._idle and not self._done and not self._jobs.any_due(now):
                return []
            taken = self._jobs.take(
                self._holder, now=now, until=now + self._lease, limit=limit, done=self._done
            )
            self._done.clear()
            self._idle = not taken
            self._in_hand.update(one.job.id for one in taken)
        self._keep_leases()
        return [EmbeddedDelivery(self, one.job) for one in taken if not self._lost(one)]

    def _lost(self, taken: Taken) -> bool:
        """Set aside a job that takes its workers down with it."""
        if taken.losses <= MAX_LOSSES:
            return False
        self.park(taken.job.id, lost_too_often(taken.losses))
        return True

    # --- Ends of a job ---------------------------------------------------------------------

    def ack(self, job_id: str) -> None:
        """The job is done."""
        with self._lock:
            self._in_hand.discard(job_id)
            self._done.append(job_id)

    def retry(self, job_id: str, after: timedelta, reason: Problem) -> None:
        """The job comes again later."""
        with _queue_down(), self._lock:
            # First: if the write fails, the lease must run out and not be renewed for ever.
            self._in_hand.discard(job_id)
            self._jobs.retry(self._holder, job_id, self._clock() + after, as_text(reason))

    def park(self, job_id: str, reason: Problem) -> None:
        """The job waits for a person."""
        with _queue_down(), self._lock:
            self._in_hand.discard(job_id)
            self._jobs.park_held(self._holder, job_id, self._clock(), as_text(reason))

    # --- Leases ----------------------------------------------------------------------------

    def _keep_leases(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="emla-leases", daemon=True)
            self._keeper.start()

    def _keep(self) -> None:
        while not self._closed.wait(self._lease.total_seconds() / 3):
            # If it fails now, the next round comes before the lease ends.
            self._quietly(self._renew)

    def _renew(self) -> None:
        with self._lock:
            self._jobs.done(self._holder, self._done)
            self._done.clear()
            if self._in_hand:
                until = self._clock() + self._lease
                self._jobs.renew(self._holder, sorted(self._in_hand), until)

    @staticmethod
    def _quietly(action: Callable[[], None]) -> None:
        try:
            action()
        except ConnectorError:
            return  # the lease runs out and the job comes again: nothing is lost

    # --- For people -------------------------------------------------------------------------

    def relay(self) -> int:
        """See `Queue`: nothing to publish."""
        return 0

    def parked(self) -> Sequence[ParkedJob]:
        """See `Queue`."""
        with _queue_down():
            return self._jobs.parked()

    def replay(self, job_id: str) -> bool:
        """See `Queue`."""
        with _queue_down():
            found = self._jobs.replay(job_id, self._clock())
        self._store.tell_enqueued()
        return found

    def discard(self, job_id: str) -> bool:
        """See `Queue`."""
        with _queue_down():
            return self._jobs.discard(job_id)

    def depth(self) -> dict[Lane, int]:
        """See `Queue`."""
        with _queue_down():
            return self._jobs.depth(self._clock())

    def waiting(self, message_id: str) -> datetime | None:
        """See `Queue`."""
        with _queue_down():
            return self._jobs.waiting(message_id, self._clock())

    def close(self) -> None:
        """See `Queue`."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._wake.set()
        self._forget_store()
        self._quietly(self._hand_back)
        if self._keeper is not None:
            self._keeper.join()

    def _hand_back(self) -> None:
        with self._lock:
            self._jobs.done(self._holder, self._done)
            self._done.clear()
            if self._in_hand:
                self._jobs.give_back(self._holder, sorted(self._in_hand), self._clock())
            self._in_hand.clear()


class EmbeddedDelivery:
    """Implements `connector.exchange.ports.Delivery`."""

    def __init__(self, queue: EmbeddedQueue, job: Job) -> None:
        self._queue = queue
        self._job = job

    @property
    def job(self) -> Job:
        """What to do."""
        return self._job

    def ack(self) -> None:
        """See `Delivery`."""
        self._queue.ack(self._job.id)

    def retry(self, after: timedelta, reason: Problem) -> None:
        """See `Delivery`."""
        self._queue.retry(self._job.id, after, reason)

    def park(self, reason: Problem) -> None:
        """See `Delivery`."""
        self._queue.park(self._job.id, reason)


def as_text(problem: Problem) -> str:
    """The problem as the job table keeps it: JSON."""
    return json.dumps(problem.as_json(), ensure_ascii=False)


@contextmanager
def _queue_down() -> Iterator[None]:
    """The store cannot be reached: for this engine that is the queue."""
    try:
        yield
    except ConnectorError as error:
        if error.code != "store.down":
            raise
        first = error.problems[0]
        raise transient("queue.down", first.what, mend=first.mend) from error
