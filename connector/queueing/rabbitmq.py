"""The RabbitMQ engine: the store's job table is the outbox, the broker carries the jobs.

What a transaction enqueues is published by `relay` and deleted when the broker has confirmed it.
`topology` says what stands on the broker, `link` how it is talked to.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connector.errors import ConnectorError, Problem, transient
from connector.exchange.records import Job, Lane, ParkedJob
from connector.queueing.confirms import Outgoing
from connector.queueing.link import Incoming, Link
from connector.queueing.losses import lost_too_often
from connector.queueing.topology import Topology, body_of, milliseconds
from connector.store.sql_store import SqlStore
from connector.store.tables import Place

POLL_SECONDS = 0.05
"""How soon the relay sees a job that another process has enqueued."""
MAX_RETURNS = 60
"""The broker counts each time a job is given back, whether or not its worker vanished."""
_BATCH = 200
_LONGEST_MS = 2**32 - 1
_FIRST_SECONDS = 0.01


class RabbitQueue:
    """Implements `connector.exchange.ports.Queue`."""

    def __init__(
        self,
        url: str,
        store: SqlStore,
        *,
        prefix: str,
        ladder: Sequence[timedelta],
        clock: Callable[[], datetime],
        lease: timedelta,
    ) -> None:
        self._url = url
        self._store = store
        self._jobs = store.jobs
        self._topology = Topology(prefix, tuple(ladder))
        self._clock = clock
        self._lease = lease
        self._holder = uuid.uuid4().hex
        self._stirred = threading.Condition()
        self._enqueued = True
        self._forget_store = store.on_enqueued(self._note_enqueued)
        self._current: Link | None = None
        self._closed = False

    def _note_enqueued(self) -> None:
        with self._stirred:
            self._enqueued = True
            self._stirred.notify_all()

    def _link(self) -> Link:
        if self._closed:
            raise transient("queue.closed", "The queue is closed.")
        if self._current is None or self._current.lost:
            self._drop()
            self._current = Link(self._url, self._topology, self._stirred)
        return self._current

    def _drop(self) -> None:
        link, self._current = self._current, None
        if link is not None:
            link.close()

    # --- Taking ---------------------------------------------------------------------------

    def take(self, *, limit: int = 1, wait: float = 1.0) -> Sequence[RabbitDelivery]:
        """See `Queue`."""
        deadline = time.monotonic() + wait
        link = self._link()
        if link.attend():
            time.sleep(_FIRST_SECONDS)  # so that the most urgent lane is not overtaken
        while True:
            with self._stirred:
                picked = link.pick(limit)
                remaining = deadline - time.monotonic()
                if not picked and remaining > 0 and not self._enqueued:
                    self._stirred.wait(min(remaining, POLL_SECONDS))
                    picked = link.pick(limit)
            if picked:
                return self._deliveries(link, picked)
            if remaining <= 0:
                return []
            link.attend()
            self.relay()

    def _deliveries(self, link: Link, picked: Sequence[Incoming]) -> list[RabbitDelivery]:
        again = [incoming.job.id for incoming in picked if incoming.again]
        if again:
            self._jobs.back_from_broker(again)
        deliveries = []
        for incoming in picked:
            delivery = RabbitDelivery(self, link, incoming)
            if incoming.returns > MAX_RETURNS:
                delivery.park(lost_too_often(incoming.returns))
            else:
                deliveries.append(delivery)
        return deliveries

    def retry(self, link: Link, incoming: Incoming, after: timedelta, reason: Problem) -> None:
        """Put the job on the ladder, then let go of it here."""
        job = replace(incoming.job, attempt=incoming.job.attempt + 1)
        message = Outgoing(
            id=job.id,
            exchange=self._topology.retry,
            key=self._topology.retry_key(after, job.lane),
            body=body_of(job),
            expires_ms=min(max(0, milliseconds(after)), _LONGEST_MS),
        )
        # The note first: the job may come back before it could be written.
        self._jobs.put(job, Place.BROKER, self._clock() + after, _as_text(reason))
        if link.publish([message]):
            raise _refused()
        link.ack(incoming.tag)

    def park(self, link: Link, incoming: Incoming, reason: Problem) -> None:
        """Set the job aside in the store, then let go of it here."""
        self._jobs.put(incoming.job, Place.PARKED, self._clock(), _as_text(reason))
        link.ack(incoming.tag)

    # --- Publishing -----------------------------------------------------------------------

    def relay(self) -> int:
        """See `Queue`."""
        total, published = 0, 0
        with self._stirred:
            self._enqueued = False
        while self._jobs.any_due(self._clock()):
            link = self._link()
            published = self._relay_batch(link)
            total += published
            if published < _BATCH:
                break
        return total

    def _relay_batch(self, link: Link) -> int:
        now = self._clock()
        taken = self._jobs.take(self._holder, now=now, until=now + self._lease, limit=_BATCH)
        jobs = [one.job for one in taken]
        try:
            refused = link.publish([self._outgoing(job) for job in jobs])
        except ConnectorError:
            self._jobs.give_back(self._holder, [job.id for job in jobs], now)
            raise
        if refused:
            self._jobs.give_back(self._holder, sorted(refused), now)
        self._jobs.done(self._holder, [job.id for job in jobs if job.id not in refused])
        if refused:
            self._drop()  # a new link declares again what somebody may have deleted
            raise _refused()
        return len(jobs)

    def _outgoing(self, job: Job) -> Outgoing:
        return Outgoing(
            id=job.id, exchange=self._topology.jobs, key=job.lane.value, body=body_of(job)
        )

    # --- For people ------------------------------------------------------------------------

    def parked(self) -> Sequence[ParkedJob]:
        """See `Queue`."""
        return self._jobs.parked()

    def replay(self, job_id: str) -> bool:
        """See `Queue`. The job goes out with the next `relay`."""
        found = self._jobs.replay(job_id, self._clock())
        self._store.tell_enqueued()
        return found

    def discard(self, job_id: str) -> bool:
        """See `Queue`."""
        return self._jobs.discard(job_id)

    def depth(self) -> dict[Lane, int]:
        """See `Queue`. Jobs on the retry ladder are not counted: `waiting` tells of them."""
        link = self._link()
        outbox, buffered = self._jobs.depth(self._clock()), link.buffered()
        return {lane: outbox[lane] + buffered[lane] + link.depth(lane) for lane in Lane}

    def waiting(self, message_id: str) -> datetime | None:
        """See `Queue`. A job in a lane's queue is due already, and not told of."""
        return self._jobs.waiting(message_id, self._clock())

    def close(self) -> None:
        """See `Queue`."""
        self._closed = True
        self._forget_store()
        self._drop()


class RabbitDelivery:
    """Implements `connector.exchange.ports.Delivery`. Each method raises `queue.down` if the link
    that brought the job is lost; the job then comes again by itself."""

    def __init__(self, queue: RabbitQueue, link: Link, incoming: Incoming) -> None:
        self._queue = queue
        self._link = link
        self._incoming = incoming

    @property
    def job(self) -> Job:
        """What to do."""
        return self._incoming.job

    def ack(self) -> None:
        """See `Delivery`."""
        self._link.ack(self._incoming.tag)

    def retry(self, after: timedelta, reason: Problem) -> None:
        """See `Delivery`."""
        self._queue.retry(self._link, self._incoming, after, reason)

    def park(self, reason: Problem) -> None:
        """See `Delivery`."""
        self._queue.park(self._link, self._incoming, reason)


def _as_text(problem: Problem) -> str:
    return json.dumps(problem.as_json(), ensure_ascii=False)


def _refused() -> ConnectorError:
    return transient(
        "queue.down",
        "RabbitMQ did not take a job (a queue is gone, or has lost its majority).",
        mend="Look at the broker's queues and its log; the connector tries again by itself.",
    )
