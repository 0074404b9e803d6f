"""Publisher confirms: what was published in one go, and the broker's answer to each message.

The broker numbers what a channel publishes from 1, and answers by number: one at a time or "all up
to here". A message that reached no queue is returned first and confirmed all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import takewhile


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to publish; `id` says which ones the broker has refused."""

    id: str
    exchange: str
    key: str
    body: bytes
    expires_ms: int | None = None


@dataclass(slots=True)
class _Batch:
    answer: Future[set[str]]
    open: int
    refused: set[str] = field(default_factory=set)


class Confirms:
    """The open answers of one channel."""

    def __init__(self) -> None:
        self._number = 0
        self._open: dict[int, tuple[_Batch, str]] = {}

    def expect(self, messages: Sequence[Outgoing], answer: Future[set[str]]) -> None:
        """`messages` are published now, in this order; `answer` gets the ids of those that were
        refused when the last one is settled."""
        batch = _Batch(answer, open=len(messages))
        for message in messages:
            self._number += 1
            self._open[self._number] = (batch, message.id)

    def settle(self, number: int, *, up_to: bool, confirmed: bool) -> None:
        """The broker has answered."""
        numbers = list(takewhile(lambda each: each <= number, self._open)) if up_to else [number]
        for each in numbers:
            batch, message_id = self._open.pop(each)
            if not confirmed:
                batch.refused.add(message_id)
            batch.open -= 1
            if not batch.open:
                batch.answer.set_result(batch.refused)

    def returned(self, message_id: str) -> None:
        """No queue took the message: somebody has deleted a queue."""
        for batch, each in self._open.values():
            if each == message_id:
                batch.refused.add(message_id)

    def forget(self) -> None:
        """The channel is gone; whoever waits has been told so."""
        self._open.clear()
