"""No job is lost: workers killed at any moment, the broker stopped, killed and started."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pika
import pytest

from connector.errors import ConnectorError, Problem
from connector.exchange.ports import Delivery, Queue
from connector.exchange.records import Lane
from connector.queueing.open import open_queue
from connector.store import open_store
from tests.fault.queue_worker import LEASE
from tests.queues import Bench, new_job, take_one

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]
JOBS = 300
KILLS = 25
PROBLEM = Problem(code="gateway.down", what="No route.")


def enqueue(bench: Bench, count: int, first: int = 0) -> set[str]:
    names = [str(number) for number in range(first, first + count)]
    for name in names:
        lane = random.choice(list(Lane))
        bench.enqueue(new_job(lane, message_id=name))
    return set(names)


def worked(bench: Bench) -> set[str]:
    return {entry.message_id for _, entry, _ in bench.store.audit_entries()}


def wait_until_worked(bench: Bench, expected: set[str], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if worked(bench) == expected:
            return
        time.sleep(0.2)
    missing = sorted(expected - worked(bench), key=int)
    pytest.fail(f"never worked: {missing}; depth {bench.queue().depth()}")


class Workers:
    """Worker processes, replaced as they are killed."""

    def __init__(self, bench: Bench, folder: Path, count: int) -> None:
        url = bench.store.database.url.render_as_string(hide_password=False)
        self._arguments = [url, str(folder / "payloads"), bench.url, bench.prefix]
        self._log = (folder / "workers.log").open("w")
        self.processes = [self._start() for _ in range(count)]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.fault.queue_worker", *self._arguments],
            cwd=ROOT,
            stdout=self._log,
            stderr=self._log,
        )

    def kill_one(self) -> None:
        victim = random.choice(self.processes)
        victim.kill()
        victim.wait()
        self.processes[self.processes.index(victim)] = self._start()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self._log.close()


def test_no_job_is_lost_when_workers_are_killed(bench: Bench, tmp_path: Path) -> None:
    workers = Workers(bench, tmp_path, 3)
    try:
        expected: set[str] = set()
        for kill in range(KILLS):
            expected |= enqueue(bench, JOBS // KILLS, first=kill * (JOBS // KILLS))
            time.sleep(random.uniform(0.2, 0.8))
            workers.kill_one()
        assert len(expected) == JOBS
        wait_until_worked(bench, expected, 30 + LEASE.total_seconds())
        assert bench.store.verify_audit()[1] is None
        assert bench.store.jobs.parked() == []
    finally:
        workers.stop()


# --- The broker -----------------------------------------------------------------------------


class Broker:
    """A RabbitMQ of our own, to be stopped and killed."""

    def __init__(self, folder: Path) -> None:
        self._environment = {**os.environ, "EMLA_SERVICES": str(folder)}
        self.url = self.start()

    def start(self) -> str:
        output = self._run("start", "rabbitmq")
        return output.strip().removeprefix("export EMLA_TEST_AMQP=")

    def halt(self, *, kill: bool) -> None:
        self._run("halt", *(["-k"] if kill else []), "rabbitmq")

    def remove(self) -> None:
        self._run("stop", "rabbitmq")

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(ROOT / "deploy" / "services.sh"), *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if "EMLA_TEST_AMQP" not in os.environ:
        pytest.skip("RabbitMQ is not asked for (EMLA_TEST_AMQP is not set); run `make test`")
    broker = Broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.remove()


@pytest.fixture
def own(broker: Broker, tmp_path: Path) -> Iterator[Bench]:
    """A bench on the broker of our own."""
    store = open_store(f"sqlite:///{tmp_path}/emla.db", tmp_path / "payloads")
    bench = Bench(store, broker.url, tmp_path.name)
    yield bench
    for each in bench.queues:
        each.close()
    store.close()


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_jobs_flow_on_after_the_broker_was_gone(
    broker: Broker, own: Bench, tmp_path: Path, kill: bool
) -> None:
    workers = Workers(own, tmp_path, 2)
    try:
        expected = enqueue(own, 150)
        time.sleep(1.5)
        broker.halt(kill=kill)
        expected |= enqueue(own, 50, first=150)
        time.sleep(1)
        assert worked(own) < expected
        broker.start()
        expected |= enqueue(own, 50, first=200)
        wait_until_worked(own, expected, 60)
    finally:
        workers.stop()


def test_a_queue_says_that_the_broker_is_down_and_recovers(broker: Broker, own: Bench) -> None:
    queue = own.queue()
    own.enqueue(new_job(message_id="in-hand"), new_job(message_id="laddered"))
    laddered, in_hand = _two(queue)
    laddered.retry(timedelta(seconds=1), PROBLEM)
    broker.halt(kill=True)
    started = time.monotonic()
    for _ in range(3):
        with pytest.raises(ConnectorError) as caught:
            queue.take(wait=1)
        assert caught.value.code == "queue.down"
    with pytest.raises(ConnectorError) as caught:
        in_hand.ack()
    assert caught.value.code == "queue.down"
    own.enqueue(new_job(message_id="meanwhile"))
    with pytest.raises(ConnectorError) as caught:
        queue.relay()
    assert caught.value.code == "queue.down"
    assert time.monotonic() - started < 5
    broker.start()
    seen: dict[str, int] = {}
    deadline = time.monotonic() + 30
    while len(seen) < 3 and time.monotonic() < deadline:
        for delivery in queue.take(limit=4, wait=1):
            seen[delivery.job.message_id] = delivery.job.attempt
            delivery.ack()
    assert seen == {"in-hand": 0, "laddered": 1, "meanwhile": 0}
    assert queue.take(wait=1) == []


def _two(queue: Queue) -> tuple[Delivery, Delivery]:
    queue.relay()
    found = [take_one(queue), take_one(queue)]
    found.sort(key=lambda delivery: delivery.job.message_id, reverse=True)
    return found[0], found[1]


def test_parked_jobs_outlive_the_broker(broker: Broker, own: Bench) -> None:
    queue = own.queue()
    job = new_job()
    own.enqueue(job)
    take_one(queue).park(PROBLEM)
    broker.halt(kill=True)
    assert [parked.job.id for parked in queue.parked()] == [job.id]
    assert queue.replay(job.id)
    assert queue.waiting(job.message_id) is not None
    broker.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            delivery = take_one(queue)
        except ConnectorError as error:
            assert error.code == "queue.down"
            time.sleep(0.5)
        else:
            break
    assert delivery.job.id == job.id
    delivery.ack()


def test_messages_of_strangers_do_not_stop_the_lanes(
    amqp_url: str, amqp_prefix: str, tmp_path: Path
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/emla.db", tmp_path / "payloads")
    queue = open_queue(amqp_url, store, prefix=amqp_prefix)
    queue.take(wait=0.1)
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        for body in (b"", b"\xff\x00", b"[]", b'{"id": 1}', b"{" * 100_000):
            channel.basic_publish(f"{amqp_prefix}.jobs", "emergency", body)
        job = new_job()
        with store.transaction() as tx:
            tx.enqueue(job)
        assert take_one(queue).job == job
        time.sleep(0.5)
        found = channel.queue_declare(f"{amqp_prefix}.unreadable", passive=True)
        assert found.method.message_count == 5
    queue.close()
    store.close()
