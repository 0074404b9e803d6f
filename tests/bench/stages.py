"""Where the time goes: processor time of each stage, counted per thread, without what is inside.

Both connectors run in this one process for it; the names are those of the functions on the way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.bench.replacing import replaced

STAGES: tuple[tuple[str, str], ...] = (
    # label, function: module:name or module:Class.method
    ("intake: translate", "connector.translation.formats:Formats.read"),
    ("intake: complete and check", "connector.intake.acceptance:accept"),
    ("seal: sign the envelope", "connector.signature.xades:sign_enveloped"),
    ("seal: token PDF", "connector.container.token_pdf:token_pdf"),
    ("seal: token XML", "connector.container.signed_token:build_token"),
    ("seal: container", "connector.container.asic:seal"),
    ("seal: the rest", "connector.exchange.departure:seal_message"),
    ("evidence: make", "connector.exchange.evidences:sign_and_store"),
    ("evidence: take in", "connector.exchange.attestation:take_in"),
    ("evidence: verify", "connector.exchange.evidences:read_about"),
    ("evidence: tell the national system", "connector.exchange.attestation:tell_backend"),
    ("AS4: prepare and sign", "gateway_client.as4.send:prepare"),
    ("AS4: encrypt", "gateway_client.as4.send:PreparedMessage.entity"),
    ("AS4: HTTP client", "gateway_client.as4.client:As4Client._exchange"),
    ("AS4: check the receipt", "gateway_client.as4.answers:check_answer"),
    ("AS4: submit, the rest", "connector.exchange.departure:submit"),
    ("AS4: receive, decrypt, verify", "gateway_client.as4.receive:Reception.feed"),
    ("AS4: receive, the rest", "gateway_client.as4.receive:Reception.finish"),
    ("AS4: receipt", "gateway_client.as4.signals:receipt_envelope"),
    ("AS4: HTTP server", "gateway_client.as4.endpoint:_Endpoint._finish"),
    ("arrival: record", "connector.exchange.reception:Reception.receive"),
    ("arrival: verify the envelope", "connector.exchange.arrival:verified_envelope"),
    ("arrival: schema and rules", "connector.envelope.check:require_valid"),
    ("arrival: token", "connector.container.signed_token:read_token"),
    ("arrival: container", "connector.container.asic:open_container"),
    ("arrival: the rest", "connector.exchange.arrival:verify"),
    ("handover: translate", "connector.translation.formats:Formats.write"),
    ("handover: place", "connector.delivery.folder:FolderBackend.hand_over"),
    ("handover: the rest", "connector.exchange.handover:hand_over"),
    ("state: commit", "connector.exchange.transition:commit"),
    ("store: transactions", "connector.store.sql_store:SqlStore.transaction"),
    ("store: reads", "connector.store.sql_store:SqlStore.reading"),
    ("store: payloads written", "connector.store.payloads:FilePayloads.put"),
    ("store: payloads written", "connector.store.payloads:FileWriter.commit_ref"),
    ("store: payloads read", "connector.store.payloads:FilePayloads.read"),
    ("queue: take", "connector.queueing.embedded:EmbeddedQueue.take"),
    ("queue: take", "connector.queueing.rabbitmq:RabbitQueue.take"),
    ("queue: relay", "connector.queueing.rabbitmq:RabbitQueue.relay"),
    ("worker: the rest", "connector.exchange.worker:Worker.handle"),
    ("keys", "connector.signature.keys:SigningKey.sign_der"),
    ("keys", "connector.signature.keys:DecryptionKey.unwrap"),
    ("keys", "connector.signature.keys:wrap"),
    ("keys", "connector.signature.algorithms:verify"),
)


@dataclass
class Stage:
    """What one stage took, over all threads."""

    calls: int = 0
    cpu: float = 0.0
    """Seconds of processor time, without stages inside."""
    wall: float = 0.0
    """Seconds on the clock, without stages inside."""


@dataclass
class Breakdown:
    """Stages by label, and the processor time of the whole process."""

    stages: dict[str, Stage] = field(default_factory=dict)
    total: float = 0.0


class _Frame:
    def __init__(self) -> None:
        self.cpu, self.wall = time.thread_time(), time.perf_counter()
        self.inner_cpu = self.inner_wall = 0.0


@contextmanager
def measuring() -> Iterator[Breakdown]:
    """Measure every stage until the end of the block."""
    breakdown = Breakdown()
    lock, local = threading.Lock(), threading.local()
    with ExitStack() as stack:
        for label, place in STAGES:
            measured = partial(_measured, label=label, breakdown=breakdown, lock=lock, local=local)
            stack.enter_context(replaced(place, measured))
        began = time.process_time()
        yield breakdown
        breakdown.total = time.process_time() - began


def _measured(
    original: Callable[..., Any], *, label: str, breakdown: Breakdown, lock: Any, local: Any
) -> Callable[..., Any]:
    def begin() -> _Frame:
        stack = local.__dict__.setdefault("stack", [])
        stack.append(_Frame())
        return stack[-1]

    def end(frame: _Frame) -> None:
        cpu, wall = time.thread_time() - frame.cpu, time.perf_counter() - frame.wall
        stack = local.stack
        stack.pop()
        if stack:
            stack[-1].inner_cpu += cpu
            stack[-1].inner_wall += wall
        with lock:
            stage = breakdown.stages.setdefault(label, Stage())
            stage.calls += 1
            stage.cpu += cpu - frame.inner_cpu
            stage.wall += wall - frame.inner_wall

    def measured(*arguments: Any, **named: Any) -> Any:
        frame = begin()
        try:
            found = original(*arguments, **named)
        finally:
            end(frame)
        return _MeasuredBlock(found, begin, end) if hasattr(found, "__enter__") else found

    return measured


class _MeasuredBlock:
    """A context manager whose entering and leaving belong to the stage, its block does not."""

    def __init__(
        self, inner: Any, begin: Callable[[], _Frame], end: Callable[[_Frame], None]
    ) -> None:
        self._inner, self._begin, self._end = inner, begin, end

    def __enter__(self) -> Any:
        frame = self._begin()
        try:
            return self._inner.__enter__()
        finally:
            self._end(frame)

    def __exit__(self, *error: Any) -> Any:
        frame = self._begin()
        try:
            return self._inner.__exit__(*error)
        finally:
            self._end(frame)
