"""One connection to the broker, with the thread that serves it.

The thread answers heartbeats however long the worker is busy, and lets many messages be published
before the first confirm is waited for. Methods are called from the worker's thread; names with a
leading underscore run in the connection's own, unless they say otherwise.

A lost link stays lost: whoever uses it opens a new one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, TypeVar

import pika
import pika.exceptions

from connector.errors import ConnectorError
from connector.exchange.records import Job, Lane
from connector.queueing.amqp_failures import bad_url, failure, no_answer
from connector.queueing.confirms import Confirms, Outgoing
from connector.queueing.topology import Step, Topology, job_of

T = TypeVar("T")

PREFETCH = 8
"""Jobs a lane sends ahead, those in the worker's hands included."""
PATIENCE_SECONDS = 0.25
"""A worker that is busy for longer gives back what was sent ahead, so that others may have it."""
_ANSWER_SECONDS = 10.0
_HEARTBEAT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Incoming:
    """A job as it came, with what is needed to acknowledge it."""

    job: Job
    tag: int
    returns: int
    """How often it has been given back or lost."""
    again: bool
    """Whether it may have been in somebody's hands before."""


class Link:
    """Opening raises `ConnectorError`: `queue.down` (transient), or `queue.url`, `queue.refused`,
    `queue.mismatch` (configuration)."""

    def __init__(self, url: str, topology: Topology, arrived: threading.Condition) -> None:
        self._topology = topology
        self.arrived = arrived
        """Notified for each job that arrives, and when the link is lost; guards `_lanes`."""
        self._lanes: dict[Lane, deque[Incoming]] = {lane: deque() for lane in Lane}
        self._consumers: dict[str, Lane] = {}
        self._busy_ticks = 0
        self._confirms = Confirms()
        self._lost: ConnectorError | None = None
        self._ready: Future[None] = Future()
        self._questions: set[Future[Any]] = {self._ready}
        self._channel: Any = None
        self._connection: Any = self._connect(url)
        self._thread = threading.Thread(
            target=self._connection.ioloop.start, name="emla-amqp", daemon=True
        )
        self._thread.start()
        try:
            self._wait(self._ready)
        except ConnectorError:
            self.close()
            raise

    # --- Opening --------------------------------------------------------------------------

    def _connect(self, url: str) -> Any:
        try:
            parameters = pika.URLParameters(url)
        except (ValueError, TypeError) as error:
            raise bad_url() from error
        if parameters.heartbeat is None:
            parameters.heartbeat = _HEARTBEAT_SECONDS
        parameters.socket_timeout = parameters.stack_timeout = _ANSWER_SECONDS / 2
        parameters.connection_attempts = 1
        return pika.SelectConnection(
            parameters,
            on_open_callback=lambda connection: connection.channel(on_open_callback=self._opened),
            on_open_error_callback=lambda _, error: self._ended(error),
            on_close_callback=lambda _, error: self._ended(error),
        )

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _, error: self._fail(error))
        channel.add_on_return_callback(
            lambda _, __, properties, ___: self._confirms.returned(properties.message_id)
        )
        channel.confirm_delivery(ack_nack_callback=self._confirmed)
        self._perform(iter([*self._topology.steps(), ("basic_qos", {"prefetch_count": PREFETCH})]))

    def _perform(self, steps: Iterator[Step]) -> None:
        step = next(steps, None)
        if step is None:
            self._questions.discard(self._ready)
            self._ready.set_result(None)
            self._tick()
            return
        method, arguments = step
        getattr(self._channel, method)(callback=lambda _: self._perform(steps), **arguments)

    # --- Ending ---------------------------------------------------------------------------

    @property
    def lost(self) -> bool:
        """Whether the connection is gone; any thread."""
        return self._lost is not None

    def _fail(self, error: BaseException) -> None:
        with self.arrived:
            if self._lost is not None:
                return
            self._lost = failure(error)
            for lane in self._lanes.values():
                lane.clear()  # the broker gives them to others
            self.arrived.notify_all()
        for question in tuple(self._questions):
            question.set_exception(self._lost)
        self._questions.clear()
        self._confirms.forget()
        if self._connection.is_open:
            self._connection.close()

    def _ended(self, error: BaseException) -> None:
        self._fail(error)
        self._connection.ioloop.stop()

    def close(self) -> None:
        """Close the connection; jobs that were not acknowledged go back to their lanes."""
        if self._thread.is_alive():
            gone = pika.exceptions.ConnectionClosedByClient(200, "closed")
            self._soon(lambda: self._fail(gone))
            self._thread.join(_ANSWER_SECONDS)

    # --- Between the threads ----------------------------------------------------------------

    def _soon(self, action: Callable[[], object]) -> None:
        """Any thread: have `action` run in the connection's."""
        self._connection.ioloop.add_callback_threadsafe(action)

    def _ask(self, question: Callable[[Future[T]], object]) -> T:
        """Any other thread: run `question` and wait for its answer."""
        answer: Future[T] = Future()

        def run() -> None:
            if self._lost is not None:
                answer.set_exception(self._lost)
                return
            self._questions.add(answer)
            answer.add_done_callback(self._questions.discard)
            question(answer)

        self._soon(run)
        return self._wait(answer)

    def _wait(self, answer: Future[T]) -> T:
        try:
            return answer.result(_ANSWER_SECONDS)
        except FutureTimeout:
            error = no_answer(_ANSWER_SECONDS)
            self._soon(lambda: self._fail(error))
            raise error from None

    # --- Publishing ---------------------------------------------------------------------------

    def publish(self, messages: Sequence[Outgoing]) -> set[str]:
        """Publish and wait until the broker has answered for each; ids of those it refused."""

        def run(answer: Future[set[str]]) -> None:
            self._confirms.expect(messages, answer)
            for message in messages:
                self._publish(message)

        return self._ask(run) if messages else set()

    def _publish(self, message: Outgoing) -> None:
        expires = None if message.expires_ms is None else str(message.expires_ms)
        self._channel.basic_publish(
            message.exchange,
            message.key,
            message.body,
            pika.BasicProperties(
                content_type="application/json",
                delivery_mode=2,
                message_id=message.id,
                expiration=expires,
            ),
            mandatory=True,
        )

    def _confirmed(self, frame: Any) -> None:
        self._confirms.settle(
            frame.method.delivery_tag,
            up_to=frame.method.multiple,
            confirmed=isinstance(frame.method, pika.spec.Basic.Ack),
        )

    # --- Consuming ----------------------------------------------------------------------------

    def attend(self) -> bool:
        """The worker is ready for jobs; True if the lanes have only now begun to send."""
        self._busy_ticks = 0
        if self._consumers:
            return False
        self._ask(self._consume)
        return True

    def _consume(self, answer: Future[None]) -> None:
        lanes = iter(Lane)

        def on_job(_: Any, method: Any, properties: Any, body: bytes) -> None:
            self._take_in(method, properties, body)

        def consume_next(_: Any = None) -> None:
            lane = next(lanes, None)
            if lane is None:
                answer.set_result(None)
                return
            tag = self._channel.basic_consume(
                self._topology.lane(lane), on_job, callback=consume_next
            )
            self._consumers[tag] = lane

        consume_next()

    def _take_in(self, method: Any, properties: Any, body: bytes) -> None:
        lane = self._consumers.get(method.consumer_tag)
        if lane is None:  # it was on its way when we stepped back
            self._channel.basic_nack(method.delivery_tag, requeue=True)
            return
        job = job_of(body)
        if job is None:
            self._channel.basic_nack(method.delivery_tag, requeue=False)
            return
        returns = (properties.headers or {}).get("x-delivery-count", 0)
        again = method.redelivered or job.attempt > 0
        with self.arrived:
            self._lanes[lane].append(Incoming(job, method.delivery_tag, returns, again))
            self.arrived.notify_all()

    def pick(self, limit: int) -> list[Incoming]:
        """Up to `limit` jobs that have arrived, the most urgent lane first. The caller holds
        `arrived`. Raises `queue.down` when the link is lost."""
        if self._lost is not None:
            raise self._lost
        picked: list[Incoming] = []
        for lane in self._lanes.values():
            while lane and len(picked) < limit:
                picked.append(lane.popleft())
        return picked

    def _tick(self) -> None:
        if self._lost is not None:
            return
        self._connection.ioloop.call_later(PATIENCE_SECONDS, self._tick)
        self._busy_ticks += 1
        if self._busy_ticks > 1 and self._consumers:
            self._step_back()

    def _step_back(self) -> None:
        with self.arrived:
            waiting = [incoming for lane in self._lanes.values() for incoming in lane]
            for lane in self._lanes.values():
                lane.clear()
        consumers, self._consumers = self._consumers, {}
        for tag in consumers:
            self._channel.basic_cancel(tag)
        for incoming in waiting:
            self._channel.basic_nack(incoming.tag, requeue=True)

    def ack(self, tag: int) -> None:
        """The job is done. Raises `queue.down` when the link is lost: the job comes again."""
        if self._lost is not None:
            raise self._lost
        self._soon(lambda: None if self._lost else self._channel.basic_ack(tag))

    def buffered(self) -> dict[Lane, int]:
        """Jobs that have arrived and nobody has picked."""
        with self.arrived:
            return {lane: len(waiting) for lane, waiting in self._lanes.items()}

    def depth(self, lane: Lane) -> int:
        """Jobs in the lane's queue that no consumer has."""

        def run(answer: Future[int]) -> None:
            self._channel.queue_declare(
                self._topology.lane(lane),
                passive=True,
                callback=lambda frame: answer.set_result(frame.method.message_count),
            )

        return self._ask(run)
