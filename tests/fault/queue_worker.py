"""A worker process to be killed: takes jobs, notes each in the audit log, lets go of it.

python -m tests.fault.queue_worker STORE_URL PAYLOADS QUEUE_URL PREFIX
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connector.errors import ConnectorError, Problem
from connector.exchange.ports import Delivery, Queue
from connector.exchange.records import AuditEntry
from connector.queueing.open import open_queue
from connector.store import SqlStore, open_store

LEASE = timedelta(seconds=2)


def main(store_url: str, payloads: str, queue_url: str, prefix: str) -> None:
    store = open_store(store_url, Path(payloads))
    queue = open_queue(queue_url, store, prefix=prefix, lease=LEASE)
    print("ready", flush=True)
    while True:
        try:
            step(store, queue)
        except ConnectorError as error:
            print(error, flush=True)
            time.sleep(0.2)


def step(store: SqlStore, queue: Queue) -> None:
    """Take some jobs and end each; every third takes one turn on the retry ladder."""
    for delivery in queue.take(limit=4, wait=0.5):
        work(store, delivery)
    queue.relay()


def work(store: SqlStore, delivery: Delivery) -> None:
    job = delivery.job
    time.sleep(0.005)
    if job.attempt == 0 and int(job.message_id) % 3 == 0:
        delivery.retry(timedelta(seconds=0.2), Problem(code="test.again", what="Once more."))
        return
    with store.transaction() as tx:
        tx.append_audit(AuditEntry(at=datetime.now(UTC), message_id=job.message_id, event="worked"))
    delivery.ack()


if __name__ == "__main__":
    main(*sys.argv[1:])
