"""Embedded engine: leases that run out, and jobs that take their workers down with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connector.queueing.losses import MAX_LOSSES
from connector.queueing.open import open_queue
from connector.store import SqlStore, open_store
from tests.queues import new_job


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(f"sqlite:///{tmp_path}/emla.db", tmp_path / "payloads")
    yield store
    store.close()


def test_a_lease_that_ran_out_gives_the_job_to_another_and_the_first_cannot_end_it(
    store: SqlStore,
) -> None:
    job = new_job()
    with store.transaction() as tx:
        tx.enqueue(job)
    now = datetime.now(UTC)

    def take(holder: str, at: datetime) -> list[str]:
        until = at + timedelta(seconds=10)
        taken = store.jobs.take(holder, now=at, until=until, limit=5)
        return [one.job.id for one in taken]

    assert take("first", now) == [job.id]
    assert take("second", now + timedelta(seconds=9)) == []
    assert take("second", now + timedelta(seconds=11)) == [job.id]
    store.jobs.done("first", [job.id])
    store.jobs.retry("first", job.id, now, "")
    store.jobs.park_held("first", job.id, now, "")
    assert take("third", now + timedelta(seconds=20)) == []
    assert store.jobs.parked() == []
    store.jobs.done("second", [job.id])
    assert take("third", now + timedelta(days=1)) == []


def test_a_job_whose_workers_vanish_again_and_again_is_parked(store: SqlStore) -> None:
    now = datetime.now(UTC) - timedelta(hours=1)
    job = new_job(created_at=now)
    with store.transaction() as tx:
        tx.enqueue(job)
    for number in range(MAX_LOSSES + 1):
        at = now + timedelta(seconds=2 * number)
        (taken,) = store.jobs.take(str(number), now=at, until=at + timedelta(seconds=1), limit=1)
        assert taken.losses == number
    queue = open_queue("embedded", store)
    assert queue.take(wait=0) == []
    (parked,) = queue.parked()
    assert parked.job.id == job.id
    assert json.loads(parked.reason)["code"] == "queue.worker-lost"
    assert queue.replay(job.id)
    (delivery,) = queue.take(wait=1)
    delivery.ack()
    queue.close()
