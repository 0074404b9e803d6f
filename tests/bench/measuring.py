"""One measurement after the other, and what comes of each."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from connector.runtime.assembly import open_home_store
from connector.signature.pki import KeyType
from tests.bench import ceiling, growth
from tests.bench.network import Engines, Homes, as_processes, homes, in_this_process
from tests.bench.stages import Breakdown, measuring
from tests.bench.traffic import Feeders, Timing, send_from_here

WARM_UP = 20
EMBEDDED = Engines("embedded + SQLite")

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Ceiling:
    """What the keys alone would allow."""

    operations: Counter[ceiling.Operation]
    """Of one message."""
    seconds: dict[ceiling.Operation, float]
    """Of processor time for one of each."""
    cores: int

    @property
    def milliseconds(self) -> float:
        """Processor time that the keys need for one message."""
        return 1000 * sum(self.seconds[each] * count for each, count in self.operations.items())

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.cores * 1000 / self.milliseconds


@dataclass(frozen=True)
class Run:
    """One measurement of the whole way."""

    engines: str
    keys: str
    timing: Timing
    ceiling: Ceiling
    cpu: float
    """Processor milliseconds a message, over all of emla's processes."""
    first: float
    """The same for the first tenth after the 100th message (or after the first)."""
    last: float
    """The same for the last tenth."""
    stored_before: int = 0
    """Messages that were in the stores already."""

    @property
    def share(self) -> float:
        """Of the ceiling."""
        return self.timing.rate / self.ceiling.rate


@dataclass
class Results:
    """All of it."""

    cores: int
    python: str = platform.python_version()
    runs: list[Run] = field(default_factory=list)
    breakdowns: dict[str, tuple[int, Breakdown]] = field(default_factory=dict)
    """By keys: messages, and what they took."""


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="emla-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure_ceiling(key_type: KeyType) -> Ceiling:
    """Count the operations of one message, and time them."""
    with (
        _folder() as folder,
        homes(folder, EMBEDDED, key_type, workers=0) as both,
        in_this_process(both) as (sender, receiver),
    ):
        send_from_here(sender.assembly.connector, 2)
        _settle(sender.assembly.store, receiver.assembly.store, 2)
        with ceiling.counting() as operations:
            send_from_here(sender.assembly.connector, 1, first=2)
            _settle(sender.assembly.store, receiver.assembly.store, 3)
    return Ceiling(operations, ceiling.seconds_of(operations), len(os.sched_getaffinity(0)))


def _settle(sender: object, receiver: object, messages: int) -> None:
    """Wait until the last evidences are through, too."""
    deadline = time.monotonic() + 60
    while True:
        counts = sender.counts(), receiver.counts()  # type: ignore[attr-defined]
        if (
            counts[0].get("EVIDENCE_APPLIED") == 2 * messages
            and counts[1].get("EVIDENCE_SENT") == 2 * messages
        ):
            return
        assert time.monotonic() < deadline, counts
        time.sleep(0.05)


def measure_stages(key_type: KeyType, messages: int) -> Breakdown:
    """Processor time by stage, both connectors in this process."""
    with (
        _folder() as folder,
        homes(folder, EMBEDDED, key_type, workers=0) as both,
        in_this_process(both) as (sender, receiver),
    ):
        stores = sender.assembly.store, receiver.assembly.store
        send_from_here(sender.assembly.connector, WARM_UP)
        _settle(*stores, WARM_UP)
        with measuring() as breakdown:
            send_from_here(sender.assembly.connector, messages, first=WARM_UP)
            _settle(*stores, WARM_UP + messages)
    return breakdown


def measure_rate(
    engines: Engines,
    key_type: KeyType,
    limit: Ceiling,
    messages: int,
    *,
    workers: int,
    feeders: int,
    stored: int = 0,
    tell: Tell,
) -> list[Run]:
    """Messages a second through connectors as processes; with `stored`, once more after so many
    further messages have been put into the stores."""
    with _folder() as folder, homes(folder, engines, key_type, workers) as both:
        runs = [_rate(both, engines, key_type, limit, messages, workers, feeders, 0)]
        if stored:
            tell(f"  putting {stored} messages into both stores ...")
            growth.fill(both, stored)
            runs.append(_rate(both, engines, key_type, limit, messages, workers, feeders, stored))
        return runs


def _rate(
    both: Homes,
    engines: Engines,
    key_type: KeyType,
    limit: Ceiling,
    messages: int,
    workers: int,
    feeders: int,
    stored: int,
) -> Run:
    store = open_home_store(both.sender)
    meter = _Meter()
    try:
        with as_processes(both, workers):
            intake = Feeders(both.sender.folder, feeders)
            try:
                first = 10_000_000 if stored else 0
                intake.send(store, WARM_UP, first)
                meter.start()
                timing = intake.send(store, messages, first + WARM_UP, meter.note)
                meter.note(messages)
            finally:
                intake.close()
    finally:
        store.close()
    tenth = max(1, messages // 10)
    start = 100 if messages > 300 else 0
    return Run(
        engines=engines.name,
        keys=key_type.value,
        timing=timing,
        ceiling=limit,
        cpu=meter.cost(0, messages),
        first=meter.cost(start, start + tenth),
        last=meter.cost(messages - tenth, messages),
        stored_before=stored,
    )


class _Meter:
    """Processor time of emla's processes as messages are delivered."""

    def __init__(self) -> None:
        self._points: list[tuple[int, float]] = []

    def start(self) -> None:
        self._points = [(0, _cpu_seconds())]

    def note(self, delivered: int) -> None:
        if delivered - self._points[-1][0] >= 20:
            self._points.append((delivered, _cpu_seconds()))

    def cost(self, first: int, last: int) -> float:
        """Milliseconds a message between these two, as near as was noted."""
        begin = min(self._points, key=lambda point: abs(point[0] - first))
        end = min(self._points, key=lambda point: abs(point[0] - last))
        if end[0] == begin[0]:
            return 0.0
        return 1000 * (end[1] - begin[1]) / (end[0] - begin[0])


def _cpu_seconds() -> float:
    """Of all descendants of this process that live, this one aside."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
