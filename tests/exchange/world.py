"""Two connectors with real stores, keys and queues, a clock that is set by hand, and a wire between
them that does what a test says. Everything but clock and wire is what `emla run` works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from connector.errors import ConnectorError, transient
from connector.exchange.attestation import told
from connector.exchange.context import Connector
from connector.exchange.ports import Queue
from connector.exchange.reception import Reception
from connector.exchange.records import (
    AuditEntry,
    Direction,
    EvidenceRecord,
    Kind,
    MessageRecord,
    Part,
    PartRole,
)
from connector.exchange.states import State, TimerName
from connector.exchange.worker import Worker
from connector.intake.acceptance import accept
from connector.intake.submission import NO_WISHES, GivenFile, Submission, Wishes
from connector.queueing.open import open_queue
from connector.runtime import watch
from connector.runtime.assembly import Assembly, assemble, new_id
from connector.settings import Home
from gateway_client.model import Payload, UserMessage
from gateway_client.model import Submission as Taken
from tests.network import ATTACHMENTS, homes, sample, shipped_formats


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Wire:
    """A gateway that brings messages straight to the other side's reception."""

    clock: Clock
    receptions: dict[str, Reception] = field(default_factory=dict)
    failures: list[ConnectorError] = field(default_factory=list)
    """Raised one after the other before anything is brought."""
    lost_receipts: int = 0
    """So many messages are brought, and then fail all the same."""
    held: list[UserMessage] | None = None
    """If a list: messages that the sender takes for brought, and that lie here."""
    change: Callable[[UserMessage], UserMessage] | None = None
    """What becomes of messages on their way."""
    meanwhile: Callable[[UserMessage], None] | None = None
    """Called when a message has been brought, before its sender hears of it."""
    sent: list[UserMessage] = field(default_factory=list)

    def reset(self) -> None:
        """Works again."""
        self.failures, self.lost_receipts, self.held = [], 0, None
        self.change = self.meanwhile = None

    def submit(self, message: UserMessage) -> Taken:
        if self.failures:
            raise self.failures.pop(0)
        if self.held is not None:
            self.held.append(message)
        else:
            self.bring(message)
        if self.meanwhile is not None:
            self.meanwhile(message)
        if self.lost_receipts:
            self.lost_receipts -= 1
            raise transient("as4.no-receipt", "The receipt was lost.")
        return Taken(
            message_id=message.message_id, taken_at=self.clock(), delivered=True, receipt=b"<r/>"
        )

    def bring(self, message: UserMessage) -> bool:
        """Hand a message to its recipient, its payloads copied as a gateway does."""
        self.sent.append(message)
        if self.change is not None:
            message = self.change(message)
        reception = self.receptions[message.recipient.id.value]
        payloads = tuple(_copied(reception, payload) for payload in message.payloads)
        return reception.receive(replace(message, payloads=payloads), b"<soap/>")

    def close(self) -> None:
        pass


def _copied(reception: Reception, payload: Payload) -> Payload:
    writer = reception.writer()
    with payload.source.open() as stream:
        while piece := stream.read(1 << 20):
            writer.write(piece)
    return replace(payload, source=writer.commit())


@dataclass
class Side:
    """One connector."""

    home: Home
    assembly: Assembly
    connector: Connector
    queue: Queue
    worker: Worker
    reception: Reception

    @property
    def store(self) -> Any:
        return self.connector.store

    def accept(
        self,
        document: bytes | None = None,
        attachments: Mapping[str, bytes] = ATTACHMENTS,
        wishes: Wishes = NO_WISHES,
        message_id: str | None = None,
        name: str = "document.xml",
    ) -> MessageRecord:
        """Take a document in; nothing is worked on yet."""
        put = self.store.payloads.put
        return accept(
            self.connector,
            Submission(
                message_id=message_id or new_id(),
                document=GivenFile(name=name, payload=put(document or sample())),
                attachments=[GivenFile(name=n, payload=put(d)) for n, d in attachments.items()],
                wishes=wishes,
            ),
        ).record

    def work(self, most: int = 1000) -> int:
        """Work until no job is due; how many there were."""
        for count in range(most):
            deliveries = self.queue.take(limit=1, wait=0)
            if not deliveries:
                return count
            for delivery in deliveries:
                self.worker.work(delivery)
        raise AssertionError("there is always another job")

    def record(self, message_id: str) -> MessageRecord:
        with self.store.reading() as reading:
            found = reading.message(message_id)
        assert found is not None
        return found

    def state(self, record: MessageRecord) -> State:
        return State(self.record(record.id).state)

    def received(self, ebms_id: str) -> MessageRecord:
        with self.store.reading() as reading:
            found = reading.message_by_ebms_id(Direction.INBOUND, ebms_id)
        assert found is not None
        return found

    def evidences(self, record: MessageRecord) -> list[EvidenceRecord]:
        with self.store.reading() as reading:
            return list(reading.evidences(record.id))

    def types(self, record: MessageRecord) -> list[str]:
        return [each.type for each in self.evidences(record)]

    def parts(self, record: MessageRecord, role: PartRole | None = None) -> list[Part]:
        with self.store.reading() as reading:
            return [p for p in reading.parts(record.id) if role in (None, p.role)]

    def timeline(self, record: MessageRecord) -> list[AuditEntry]:
        return list(self.store.timeline(record.id))

    def events(self, record: MessageRecord) -> list[str]:
        return [entry.event for entry in self.timeline(record)]

    def timers(self, record: MessageRecord) -> dict[str, datetime]:
        never = datetime(9999, 1, 1, tzinfo=UTC)
        due = self.store.due_timers(never, limit=10_000)
        return {timer.name: timer.due for timer in due if timer.message_id == record.id}

    def told(self, record: MessageRecord) -> list[str]:
        """Evidences that the national system's folder holds, in order, with the reasons."""
        folder = self.home.folder / "delivered" / "evidences" / record.ebms_id
        if not folder.is_dir():
            return []
        names = sorted(p.name for p in folder.iterdir())
        assert [int(name[:2]) for name in names] == list(range(1, len(names) + 1)), names
        known = told(self.state(record), self.evidences(record))
        for name, evidence in zip(names, known, strict=True):
            data = (folder / name).read_bytes()
            assert data == self.store.payloads.read(evidence.payload)
        return [name[3:].removesuffix(".xml") for name in names]

    def evidence_messages(self) -> list[MessageRecord]:
        return [m for m in self.store.messages(limit=1000) if m.kind is Kind.EVIDENCE]

    def delivered(self, record: MessageRecord) -> Path:
        return self.home.folder / "delivered" / record.ebms_id

    def fetch(self, record: MessageRecord) -> None:
        """What the national system does when it has taken a message."""
        (self.delivered(record) / "READY").unlink()


@dataclass
class World:
    """Two sides, the clock and the wire."""

    clock: Clock
    wire: Wire
    de: Side
    br: Side

    def settle(self) -> None:
        """Work on both sides until nothing is due."""
        while self.de.work() + self.br.work():
            pass

    def tick(self, **time: float) -> None:
        """Let time pass; timers fire, fetched messages are noticed, everything due is worked."""
        self.clock.now += timedelta(**time)
        for side in (self.de, self.br):
            with suppress(ConnectorError):
                watch.FetchWatch(side.connector).notice()
            watch.fire_timers(side.connector)
        self.settle()

    def send(self, **options: Any) -> tuple[MessageRecord, MessageRecord]:
        """A request from DE to BR, everything worked; its records there and here."""
        sent = self.de.accept(**options)
        self.settle()
        return sent, self.br.received(sent.ebms_id)


@contextmanager
def world(folder: Path, **settings: Any) -> Iterator[World]:
    clock = Clock()
    wire = Wire(clock)
    made = homes(folder, "DE", "BR", **settings)
    sides: dict[str, Side] = {}
    try:
        with patch("connector.runtime.assembly.home_formats", lambda home: shipped_formats()):
            for country, home in made.items():
                sides[country] = _side(home, clock, wire)
        yield World(clock, wire, sides["DE"], sides["BR"])
    finally:
        for side in sides.values():
            side.queue.close()
            side.assembly.close()


def _side(home: Home, clock: Clock, wire: Wire) -> Side:
    assembly = assemble(home)
    connector = replace(assembly.connector, gateway=wire, clock=clock, random=lambda: 0.0)
    queue = open_queue("embedded", assembly.store, clock=clock, lease=timedelta(minutes=5))
    reception = Reception(
        assembly.store,
        home.settings.connector.party,
        handover=connector.limits[TimerName.HANDOVER],
        clock=clock,
        new_id=new_id,
    )
    wire.receptions[home.settings.connector.party] = reception
    return Side(home, assembly, connector, queue, Worker(connector, queue), reception)
