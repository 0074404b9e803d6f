"""Which engine a connector uses: one line of its settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from connector.errors import misconfigured
from connector.exchange.ports import Queue
from connector.queueing.embedded import EmbeddedQueue
from connector.queueing.retry import LADDER
from connector.store.sql_store import SqlStore

LEASE = timedelta(seconds=15)
"""How long a job stays with a process that has vanished with it."""


def open_queue(
    url: str,
    store: SqlStore,
    *,
    prefix: str = "emla",
    ladder: Sequence[timedelta] = LADDER,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    lease: timedelta = LEASE,
) -> Queue:
    """A queue for one worker thread over `store`'s jobs.

    `url` is `embedded`, or `amqp://user:password@host/vhost` (`amqps://` for TLS). `prefix` begins
    the names of everything on the broker, so that several connectors can share one; `ladder` names
    its retry queues. `lease` is how long a job stays with a process that has vanished with it
    (embedded: the worker; RabbitMQ: whoever published). Opening does not connect yet.

    Raises `queue.url` (configuration) if the URL is neither.
    """
    if url == "embedded":
        return EmbeddedQueue(store, clock=clock, lease=lease)
    if url.startswith(("amqp://", "amqps://")):
        from connector.queueing.rabbitmq import RabbitQueue

        return RabbitQueue(url, store, prefix=prefix, ladder=ladder, clock=clock, lease=lease)
    raise misconfigured(
        "queue.url",
        "The queue's URL is neither `embedded` nor an amqp:// URL.",
        mend="Write `embedded`, or amqp://user:password@host:5672/vhost.",
    )
