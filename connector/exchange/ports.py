"""What the exchange needs of the outside world: a store, a payload store, a queue.

`connector.store` and `connector.queueing` implement these protocols; nothing else of them is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from connector.errors import Problem
from connector.exchange.records import (
    AuditEntry,
    Direction,
    EvidenceRecord,
    Handover,
    Job,
    Lane,
    MessageRecord,
    ParkedJob,
    Part,
    PayloadRef,
    Timer,
)
from gateway_client.model import PayloadSource, PayloadWriter


class StoredWriter(PayloadWriter, Protocol):
    """A payload being written; knows its address once committed."""

    def commit(self) -> StoredSource:
        """As `PayloadWriter.commit`; the source knows its address."""
        ...

    def commit_ref(self) -> PayloadRef:
        """As `commit`, but the address. Content that is already stored is not written twice."""
        ...


class StoredSource(PayloadSource, Protocol):
    """Stored content as gateways and containers read it."""

    @property
    def ref(self) -> PayloadRef:
        """Its address."""
        ...


def ref_of(source: PayloadSource) -> PayloadRef:
    """The address of content that was written by a `StoredWriter`. Raises TypeError for any other:
    whoever was given the writer did not use it."""
    ref = getattr(source, "ref", None)
    if not isinstance(ref, PayloadRef):
        raise TypeError("this content is not in the store")
    return ref


class PayloadStore(Protocol):
    """Content-addressed files: written once, fsynced, digest checked when read."""

    def writer(self) -> StoredWriter:
        """A new payload; nothing is visible before its commit."""
        ...

    def put(self, data: bytes) -> PayloadRef:
        """Store small content in one go."""
        ...

    def read(self, ref: PayloadRef) -> bytes:
        """Whole content, digest checked. For documents, never for attachments."""
        ...

    def open(self, ref: PayloadRef) -> BinaryIO:
        """A stream that raises `ConnectorError` `store.payload-altered` at its end if the
        bytes do not fit the address."""
        ...

    def source(self, ref: PayloadRef) -> StoredSource:
        """The content as a gateway wants it."""
        ...

    def path(self, ref: PayloadRef) -> Path:
        """The file (read-only) behind the content."""
        ...

    def scratch(self) -> Path:
        """A folder on the same file system for temporary files, emptied at start-up."""
        ...


class Transaction(Protocol):
    """One atomic commit. Leaving the block normally commits, an exception rolls back."""

    def insert_message(self, record: MessageRecord, parts: Sequence[Part] = ()) -> bool:
        """False, and nothing written, if (direction, ebms_id) is there already."""
        ...

    def update_message(self, record: MessageRecord) -> MessageRecord:
        """Write `record` if the row still has `record.version`; returns it with the version
        grown. Raises `store.conflict` (transient) if another worker was faster."""
        ...

    def add_parts(self, parts: Sequence[Part]) -> None:
        """Append parts; a part with the same message, role and name replaces the older one."""
        ...

    def add_evidence(self, evidence: EvidenceRecord) -> bool:
        """False if an evidence of that id is there already."""
        ...

    def append_audit(self, entry: AuditEntry) -> None:
        """Append to the hash chain."""
        ...

    def enqueue(self, job: Job, *, delay: timedelta = timedelta()) -> None:
        """Publish with this commit (transactional outbox)."""
        ...

    def set_timer(self, timer: Timer) -> None:
        """Set or move the timer of that name."""
        ...

    def cancel_timers(self, message_id: str, names: Sequence[str] = ()) -> None:
        """Those named, or all of the message."""
        ...

    # Reads inside the transaction, consistent with its writes.
    def message(self, message_id: str) -> MessageRecord | None:
        """By the connector's own id."""
        ...

    def message_by_ebms_id(self, direction: Direction, ebms_id: str) -> MessageRecord | None:
        """By eb:MessageId."""
        ...

    def messages_about(self, ref_to: str, direction: Direction) -> Sequence[MessageRecord]:
        """Messages that answer or attest `ref_to`, oldest first."""
        ...

    def parts(self, message_id: str) -> Sequence[Part]:
        """In the order they were added."""
        ...

    def evidences(self, message_id: str) -> Sequence[EvidenceRecord]:
        """In the order they were added."""
        ...


class Store(Protocol):
    """Messages and all that belongs to them."""

    @property
    def payloads(self) -> PayloadStore:
        """Where the bytes are."""
        ...

    def transaction(self) -> AbstractContextManager[Transaction]:
        """A read-write unit of work."""
        ...

    def reading(self) -> AbstractContextManager[Transaction]:
        """A read-only unit of work: takes no write lock; writing in it is an error."""
        ...

    def messages(
        self,
        *,
        state: str | None = None,
        direction: Direction | None = None,
        conversation_id: str | None = None,
        text: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[MessageRecord]:
        """Newest first. `text` looks in ids, subject and authorities."""
        ...

    def timeline(self, message_id: str) -> Sequence[AuditEntry]:
        """The message's audit entries, oldest first."""
        ...

    def audit_entries(self, *, after: int = 0) -> Iterator[tuple[int, AuditEntry, str]]:
        """All entries as (sequence number, entry, hash), in order."""
        ...

    def verify_audit(self) -> tuple[int, Problem | None]:
        """Recompute the hash chain: entries checked, and the first break if there is one."""
        ...

    def due_timers(self, now: datetime, *, limit: int = 100) -> Sequence[Timer]:
        """Timers whose time has come. The caller turns each into a job and cancels it."""
        ...

    def counts(self) -> dict[str, int]:
        """Messages by state."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...


class Backend(Protocol):
    """The national system's side. Everything is idempotent by message id."""

    @property
    def format(self) -> str:
        """The national format that documents are handed over in."""
        ...

    def hand_over(self, handover: Handover) -> None:
        """Place a document that arrived where the national system finds it, all or nothing.

        Raises `ConnectorError` (transient) while the place cannot be written to.
        """
        ...

    def tell(self, record: MessageRecord, order: int, evidence: EvidenceRecord) -> None:
        """Give the national system an evidence about one of its messages; the `order`-th."""
        ...

    def taken(self) -> Iterator[str]:
        """Record ids of what was handed over and has been taken by the national system since;
        each comes again until `forget` is called for it."""
        ...

    def forget(self, message_id: str) -> None:
        """What was handed over under that record id needs no more watching."""
        ...


class Delivery(Protocol):
    """A job in a worker's hands: exactly one of the three methods ends it."""

    @property
    def job(self) -> Job:
        """What to do."""
        ...

    def ack(self) -> None:
        """Done; its effects are durable."""
        ...

    def retry(self, after: timedelta, reason: Problem) -> None:
        """Give it back for later, its attempt counted."""
        ...

    def park(self, reason: Problem) -> None:
        """Set it aside for a person."""
        ...


class Queue(Protocol):
    """Jobs in lanes by urgency, at least once, with retries that do not block others."""

    def take(self, *, limit: int = 1, wait: float = 1.0) -> Sequence[Delivery]:
        """Up to `limit` jobs, the most urgent lane first; waits up to `wait` seconds for one.

        A job taken but not ended comes back (lease or connection lost). Raises `queue.down`
        (transient) while the engine cannot be reached; the next call tries again.
        """
        ...

    def relay(self) -> int:
        """Publish what committed transactions have enqueued; the number of jobs. (The embedded
        engine needs no relay: 0.)"""
        ...

    def parked(self) -> Sequence[ParkedJob]:
        """Oldest first."""
        ...

    def replay(self, job_id: str) -> bool:
        """Put a parked job back, its attempts reset; False if there is none of that id."""
        ...

    def discard(self, job_id: str) -> bool:
        """Drop a parked job; False if there is none of that id."""
        ...

    def depth(self) -> dict[Lane, int]:
        """Jobs that wait, by lane."""
        ...

    def waiting(self, message_id: str) -> datetime | None:
        """When the message's next job is due, if one waits (for `emla status`)."""
        ...

    def close(self) -> None:
        """Give back what is in hand, close connections."""
        ...
