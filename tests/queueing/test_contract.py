"""What every queue does, on every engine and database."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from connector.errors import Problem
from connector.exchange.records import Lane
from tests.queues import Bench, new_job, take_one

PROBLEM = Problem(code="gateway.down", what="No route to the gateway.", mend="Wait.")


def test_a_committed_job_is_taken_once_and_done(bench: Bench) -> None:
    queue = bench.queue()
    job = new_job(expires_at=datetime(2031, 5, 1, 12, tzinfo=UTC))
    bench.enqueue(job)
    queue.relay()
    delivery = take_one(queue)
    assert delivery.job == job
    assert queue.take(limit=5, wait=0.3) == []
    delivery.ack()
    assert queue.take(limit=5, wait=0.3) == []
    queue.close()
    assert bench.queue().take(limit=5, wait=0.5) == []


def test_a_transaction_that_fails_enqueues_nothing(bench: Bench) -> None:
    queue = bench.queue()
    with pytest.raises(ZeroDivisionError), bench.store.transaction() as tx:
        tx.enqueue(new_job())
        raise ZeroDivisionError
    assert queue.relay() == 0
    assert queue.take(limit=5, wait=0.3) == []


def test_the_most_urgent_lane_comes_first_and_a_lane_keeps_its_order(bench: Bench) -> None:
    routine = [new_job(Lane.ROUTINE) for _ in range(3)]
    urgent = [new_job(Lane.URGENT) for _ in range(2)]
    emergency = [new_job(Lane.EMERGENCY) for _ in range(2)]
    bench.enqueue(*routine, *urgent, *emergency)
    queue = bench.queue()
    queue.relay()
    time.sleep(0.3)  # until the broker has them in their lanes
    taken = list(queue.take(limit=4, wait=5))
    while len(taken) < 7:
        taken += queue.take(limit=4, wait=5)
    assert [d.job.id for d in taken] == [j.id for j in (*emergency, *urgent, *routine)]


def test_an_emergency_does_not_wait_behind_bulk(bench: Bench) -> None:
    bench.enqueue(*(new_job() for _ in range(60)))
    queue = bench.queue()
    queue.relay()
    for _ in range(5):
        take_one(queue).ack()
    emergency = new_job(Lane.EMERGENCY)
    bench.enqueue(emergency)
    queue.relay()
    time.sleep(0.2)
    assert take_one(queue).job == emergency


def test_a_retry_comes_later_with_its_attempt_counted_and_blocks_nobody(bench: Bench) -> None:
    queue = bench.queue()
    first, second = new_job(message_id="m1"), new_job(message_id="m2")
    bench.enqueue(first)
    started = time.monotonic()
    take_one(queue).retry(timedelta(seconds=0.8), PROBLEM)
    due = queue.waiting("m1")
    assert due is not None
    assert 0 < (due - datetime.now(UTC)).total_seconds() <= 0.8
    bench.enqueue(second)
    other = take_one(queue)
    assert other.job.id == second.id
    other.ack()
    again = take_one(queue)
    assert time.monotonic() - started >= 0.8
    assert (again.job.id, again.job.attempt) == (first.id, 1)
    assert queue.waiting("m1") is None
    again.retry(timedelta(seconds=0.1), PROBLEM)
    last = take_one(queue)
    assert last.job.attempt == 2
    last.ack()
    assert queue.waiting("m1") is None


def test_a_parked_job_waits_for_a_person_who_replays_it(bench: Bench) -> None:
    queue = bench.queue()
    job = new_job(Lane.URGENT)
    bench.enqueue(job)
    take_one(queue).retry(timedelta(), PROBLEM)
    take_one(queue).park(PROBLEM)
    assert queue.take(wait=0.3) == []
    queue.close()

    other = bench.queue()
    (parked,) = other.parked()
    assert parked.job.id == job.id
    assert json.loads(parked.reason) == PROBLEM.as_json()
    assert abs((parked.parked_at - datetime.now(UTC)).total_seconds()) < 10
    assert other.waiting(job.message_id) is None
    assert other.take(wait=0.3) == []
    assert other.replay(job.id)
    assert not other.replay(job.id)
    assert other.parked() == []
    replayed = take_one(other)
    assert (replayed.job.id, replayed.job.attempt) == (job.id, 0)
    replayed.ack()
    assert other.take(wait=0.3) == []


def test_parked_jobs_are_listed_oldest_first_and_discarded_for_good(bench: Bench) -> None:
    queue = bench.queue()
    jobs = [new_job() for _ in range(3)]
    for job in jobs:
        bench.enqueue(job)
        take_one(queue).park(PROBLEM)
    assert [p.job.id for p in queue.parked()] == [j.id for j in jobs]
    assert queue.discard(jobs[1].id)
    assert not queue.discard(jobs[1].id)
    assert not queue.replay(jobs[1].id)
    assert [p.job.id for p in queue.parked()] == [jobs[0].id, jobs[2].id]


def test_only_parked_jobs_can_be_discarded(bench: Bench) -> None:
    queue = bench.queue()
    job = new_job()
    bench.enqueue(job)
    assert not queue.discard(job.id)
    assert not queue.replay(job.id)
    assert take_one(queue).job == job


def test_a_job_with_a_delay_is_not_due_before(bench: Bench) -> None:
    queue = bench.queue()
    bench.enqueue(new_job(message_id="later"), delay=timedelta(seconds=0.7))
    started = time.monotonic()
    assert queue.relay() == 0
    assert queue.waiting("later") is not None
    take_one(queue).ack()
    assert time.monotonic() - started >= 0.6


def test_a_job_enqueued_twice_under_one_id_is_worked_once(bench: Bench) -> None:
    queue = bench.queue()
    job = new_job()
    bench.enqueue(job, job)
    bench.enqueue(job)
    take_one(queue).ack()
    assert queue.take(wait=0.3) == []


def test_closing_gives_back_what_is_in_hand(bench: Bench) -> None:
    queue = bench.queue()
    jobs = [new_job() for _ in range(3)]
    bench.enqueue(*jobs)
    queue.relay()
    taken = {take_one(queue).job.id, take_one(queue).job.id}
    queue.close()
    other = bench.queue()
    again: set[str] = set()
    while len(again) < 3:
        again |= {d.job.id for d in other.take(limit=3, wait=5)}
    assert again == {j.id for j in jobs}
    assert taken < again


def test_depth_counts_what_waits_in_each_lane(bench: Bench) -> None:
    queue = bench.queue()
    bench.enqueue(*(new_job(Lane.ROUTINE) for _ in range(3)), new_job(Lane.EMERGENCY))
    expected = {Lane.EMERGENCY: 1, Lane.URGENT: 0, Lane.ROUTINE: 3}
    assert queue.depth() == expected
    queue.relay()
    time.sleep(0.3)
    assert queue.depth() == expected
    assert take_one(queue).job.lane is Lane.EMERGENCY
    assert queue.depth() == {**expected, Lane.EMERGENCY: 0}


def test_a_waiting_worker_wakes_at_once(bench: Bench) -> None:
    queue = bench.queue()
    queue.take(wait=0.1)
    seen: list[float] = []

    def work() -> None:
        delivery = take_one(queue, wait=10)
        seen.append(time.monotonic())
        delivery.ack()

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.3)
    committed = time.monotonic()
    bench.enqueue(new_job())
    worker.join(10)
    assert seen
    assert seen[0] - committed < 1


def test_workers_share_the_jobs_and_none_is_worked_twice(bench: Bench) -> None:
    jobs = [new_job() for _ in range(120)]
    bench.enqueue(*jobs)
    worked: Counter[str] = Counter()
    lock = threading.Lock()

    def work() -> None:
        queue = bench.queue()
        while deliveries := queue.take(limit=4, wait=1):
            for delivery in deliveries:
                with lock:
                    worked[delivery.job.id] += 1
                delivery.ack()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert worked == Counter(j.id for j in jobs)


def test_a_busy_worker_keeps_nothing_from_the_others(bench: Bench) -> None:
    busy, idle = bench.queue(), bench.queue()
    bench.enqueue(*(new_job(Lane.EMERGENCY) for _ in range(5)))
    in_hand = take_one(busy).job.id
    others: set[str] = set()
    deadline = time.monotonic() + 5
    while len(others) < 4 and time.monotonic() < deadline:
        others |= {d.job.id for d in idle.take(limit=4, wait=1)}
    assert len(others) == 4
    assert in_hand not in others


def test_a_long_job_stays_with_its_worker(bench: Bench) -> None:
    lease = timedelta(seconds=0.6)
    queue, other = bench.queue(lease), bench.queue(lease)
    bench.enqueue(new_job())
    delivery = take_one(queue)
    assert other.take(wait=1.3) == []
    delivery.ack()
    assert other.take(wait=0.3) == []
