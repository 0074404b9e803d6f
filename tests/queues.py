"""Queues for tests, on each engine over each database; the fixture is in `conftest.py`."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from connector.exchange.ports import Delivery, Queue
from connector.exchange.records import Job, Lane
from connector.queueing.open import open_queue
from connector.store import SqlStore

ENGINES = [
    pytest.param((queue, database), id=f"{queue}-{database}")
    for queue in ("embedded", "rabbitmq")
    for database in ("sqlite", "postgresql")
]


def new_job(lane: Lane = Lane.ROUTINE, message_id: str = "message", **fields: object) -> Job:
    """A job that is due now."""
    values = {"id": str(uuid.uuid4()), "message_id": message_id, "action": "advance", "lane": lane}
    return Job(**({"created_at": datetime.now(UTC)} | values | fields))  # type: ignore[arg-type]


@dataclass
class Bench:
    """A store, and queues over it that are closed at the end."""

    store: SqlStore
    url: str
    prefix: str
    queues: list[Queue] = field(default_factory=list)

    def queue(self, lease: timedelta = timedelta(seconds=5)) -> Queue:
        """Another queue, as a further worker has."""
        self.queues.append(open_queue(self.url, self.store, prefix=self.prefix, lease=lease))
        return self.queues[-1]

    def enqueue(self, *jobs: Job, delay: timedelta = timedelta()) -> None:
        """Enqueue in one transaction."""
        with self.store.transaction() as tx:
            for job in jobs:
                tx.enqueue(job, delay=delay)


def take_one(queue: Queue, wait: float = 10) -> Delivery:
    """The next job, which must come."""
    (delivery,) = queue.take(limit=1, wait=wait)
    return delivery
