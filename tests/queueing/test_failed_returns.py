"""A job that could not be given back, since the store failed just then, comes again by itself."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import ConnectorError, Problem, transient
from connector.exchange.ports import Delivery
from connector.queueing.open import open_queue
from connector.store import open_store
from tests.queues import new_job, take_one

WHY = Problem(code="as4.no-answer", what="Nobody is there.")


def _retry(delivery: Delivery) -> None:
    delivery.retry(timedelta(seconds=30), WHY)


def _park(delivery: Delivery) -> None:
    delivery.park(WHY)


@pytest.mark.parametrize(("method", "end"), [("retry", _retry), ("park_held", _park)])
def test_the_lease_is_not_renewed_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, end: object
) -> None:
    def full(*_: object) -> None:
        raise transient("store.disk-full", "The disk is full.")

    store = open_store(f"sqlite:///{tmp_path}/emla.db", tmp_path / "payloads")
    queue = open_queue("embedded", store, lease=timedelta(seconds=0.6))
    other = open_queue("embedded", store, lease=timedelta(seconds=5))
    try:
        with store.transaction() as tx:
            tx.enqueue(new_job())
        delivery = take_one(queue)
        monkeypatch.setattr(store.jobs, method, full)
        with pytest.raises(ConnectorError):
            end(delivery)  # type: ignore[operator]
        started = time.monotonic()
        assert take_one(other, wait=5).job.id == delivery.job.id
        assert time.monotonic() - started < 3
    finally:
        queue.close()
        other.close()
        store.close()
