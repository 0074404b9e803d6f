"""Messages through both connectors: accepted at one end until they are delivered, with evidence."""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from connector.exchange.context import Connector
from connector.exchange.ports import Store
from connector.exchange.states import State
from connector.intake.acceptance import accept
from connector.runtime.assembly import assemble
from connector.settings import load
from tests.bench.documents import Documents

IN_FLIGHT = 64
"""Messages that are accepted and not yet delivered, at most."""
_DONE = frozenset({State.DELIVERED, State.RETRIEVED})
_PATIENCE = 120.0


@dataclass(frozen=True)
class Timing:
    """How long so many messages took, from the first acceptance to the last delivery."""

    messages: int
    seconds: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


def send_from_here(connector: Connector, messages: int, first: int = 0) -> Timing:
    """Accept in this thread, as fast as the window allows."""
    documents = Documents(connector)
    window = _Window(connector.store)
    began = time.perf_counter()
    for number in range(first, first + messages):
        window.wait_below(IN_FLIGHT)
        window.add(accept(connector, documents.submission(number)).record.id)
    window.wait_below(1)
    return Timing(messages, time.perf_counter() - began)


class Feeders:
    """Intake processes of the sender: each accepts what it is told to, and says so."""

    def __init__(self, home: Path, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._numbers: Any = context.Queue()
        self._accepted: Any = context.Queue()
        arguments = (str(home), self._numbers, self._accepted)
        self._processes = [context.Process(target=_feed, args=arguments) for _ in range(count)]
        for process in self._processes:
            process.start()
        for _ in self._processes:
            assert self._accepted.get(timeout=_PATIENCE) is None

    def send(
        self,
        store: Store,
        messages: int,
        first: int = 0,
        progress: Callable[[int], object] = lambda _: None,
    ) -> Timing:
        """Send so many messages; `progress` gets the number of delivered ones as it grows."""
        window = _Window(store)
        began = time.perf_counter()
        asked = accepted = 0
        deadline = began + _PATIENCE
        while window.delivered < messages:
            while asked < messages and asked - window.delivered < IN_FLIGHT:
                self._numbers.put(first + asked)
                asked += 1
            try:
                window.add(self._accepted.get(timeout=0.005))
                accepted += 1
                while accepted < asked:
                    window.add(self._accepted.get_nowait())
                    accepted += 1
            except Empty:
                pass
            before = window.delivered
            window.look()
            if window.delivered > before:
                progress(window.delivered)
                deadline = time.perf_counter() + _PATIENCE
            assert time.perf_counter() < deadline, f"stuck at {window.delivered}: {store.counts()}"
        return Timing(messages, time.perf_counter() - began)

    def close(self) -> None:
        """End the processes."""
        for _ in self._processes:
            self._numbers.put(None)
        for process in self._processes:
            process.join(30)
            process.kill()


def _feed(home: str, numbers: Any, accepted: Any) -> None:
    assembly = assemble(load(Path(home)))
    documents = Documents(assembly.connector)
    accepted.put(None)
    while (number := numbers.get()) is not None:
        accepted.put(accept(assembly.connector, documents.submission(number)).record.id)
    assembly.close()


class _Window:
    """Messages on their way; looked at in the order in which they were accepted."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[str] = deque()
        self.delivered = 0

    def add(self, message_id: str) -> None:
        self._waiting.append(message_id)

    def look(self) -> None:
        with self._store.reading() as reading:
            while self._waiting:
                record = reading.message(self._waiting[0])
                if record is None or State(record.state) not in _DONE:
                    return
                self._waiting.popleft()
                self.delivered += 1

    def wait_below(self, count: int) -> None:
        deadline = time.perf_counter() + _PATIENCE
        while True:
            self.look()
            if len(self._waiting) < count:
                return
            assert time.perf_counter() < deadline, f"stuck: {self._store.counts()}"
            time.sleep(0.005)
