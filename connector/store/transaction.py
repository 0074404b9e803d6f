"""One unit of work on the store: the statements of `statements`, in the order they must come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection

from connector.exchange.records import (
    AuditEntry,
    Direction,
    EvidenceRecord,
    Job,
    MessageRecord,
    Part,
    Timer,
)
from connector.store import rows
from connector.store.audit import GENESIS, chain_hash
from connector.store.database import Database, conflict
from connector.store.tables import Place

T = TypeVar("T")

_AUDIT_LOCK = 0x656D6C61  # "emla": the advisory lock that lets one writer at a time end the chain


class SqlTransaction:
    """Implements `connector.exchange.ports.Transaction`."""

    def __init__(self, database: Database, connection: Connection, *, writable: bool) -> None:
        self._database = database
        self._sql = database.statements
        self._connection = connection
        self._writable = writable
        self._audit: list[AuditEntry] = []
        self._timers: list[rows.Values] = []
        self.enqueued = 0
        """Jobs published by this transaction."""

    # --- Writes ---------------------------------------------------------------------------

    def _check_writable(self) -> None:
        if not self._writable:
            raise RuntimeError("a read-only unit of work cannot write")

    def _write(self, statement: str, values: Any) -> int:
        self._check_writable()
        return self._connection.exec_driver_sql(statement, values).rowcount

    def insert_message(self, record: MessageRecord, parts: Sequence[Part] = ()) -> bool:
        """See `Transaction`."""
        if not self._write(self._sql.insert_message, rows.message_values(record)):
            return False
        self.add_parts(parts)
        return True

    def update_message(self, record: MessageRecord) -> MessageRecord:
        """See `Transaction`."""
        changed = replace(record, version=record.version + 1)
        values = rows.message_values(changed)
        values["the_id"], values["the_version"] = values.pop("id"), record.version
        del values["direction"], values["ebms_id"]  # what a message is known by never changes
        if not self._write(self._sql.update_message, values):
            raise conflict(f"Message {record.id} is no longer at version {record.version}.")
        return changed

    def add_parts(self, parts: Sequence[Part]) -> None:
        """See `Transaction`."""
        for part in parts:
            self._write(self._sql.upsert_part, rows.part_values(part))

    def add_evidence(self, evidence: EvidenceRecord) -> bool:
        """See `Transaction`."""
        return bool(self._write(self._sql.insert_evidence, rows.evidence_values(evidence)))

    def append_audit(self, entry: AuditEntry) -> None:
        """Kept back until the commit: the chain is locked for as short a time as possible."""
        self._check_writable()
        self._audit.append(entry)

    def enqueue(self, job: Job, *, delay: timedelta = timedelta()) -> None:
        """See `Transaction`."""
        values = rows.job_values(job)
        values |= {"place": int(Place.HERE), "due_at": rows.micros(job.created_at + delay)}
        values |= {"losses": 0, "reason": ""}
        self.enqueued += self._write(self._sql.insert_job, values)

    def set_timer(self, timer: Timer) -> None:
        """Kept back until the commit: timers come in handfuls, and go in one round trip."""
        self._check_writable()
        self._timers.append(rows.timer_values(timer))

    def cancel_timers(self, message_id: str, names: Sequence[str] = ()) -> None:
        """See `Transaction`."""
        self._write_timers()
        of_message = {"of_message": message_id}
        if names:
            self._write(self._sql.cancel_timer, [of_message | {"the_name": n} for n in names])
        else:
            self._write(self._sql.cancel_timers, of_message)

    def finish(self) -> None:
        """Write what was kept back; the commit must follow at once."""
        self._write_timers()
        self._write_audit()

    def _write_timers(self) -> None:
        if self._timers:
            self._write(self._sql.upsert_timer, self._timers)
            self._timers = []

    def _write_audit(self) -> None:
        if not self._audit:
            return
        number, previous = self._end_of_chain()
        values = []
        for entry in self._audit:
            number += 1
            previous = chain_hash(previous, number, entry)
            values.append(rows.audit_values(entry) | {"seq": number, "hash": previous})
        self._audit = []
        self._write(self._sql.insert_audit, values)

    def _end_of_chain(self) -> tuple[int, str]:
        if self._database.is_sqlite:
            row = self._connection.exec_driver_sql(self._sql.last_audit).first()
            return (0, GENESIS) if row is None else (row[0], row[1])
        # Both in one round trip. The second statement gets its snapshot after the lock.
        cursor = self._connection.connection.cursor()
        try:
            lock = f"SELECT pg_advisory_xact_lock({_AUDIT_LOCK}); "
            cursor.execute(lock + self._sql.last_audit)
            cursor.nextset()
            found = cursor.fetchone()
            return (0, GENESIS) if found is None else (found[0], found[1])
        finally:
            cursor.close()

    # --- Reads ----------------------------------------------------------------------------

    def _all(self, make: Callable[[rows.Row], T], statement: str, **values: str) -> list[T]:
        return [make(row) for row in self._connection.exec_driver_sql(statement, values)]

    def _one(self, statement: str, **values: str) -> MessageRecord | None:
        return next(iter(self._all(rows.message_of, statement, **values)), None)

    def message(self, message_id: str) -> MessageRecord | None:
        """See `Transaction`."""
        return self._one(self._sql.message, the_id=message_id)

    def message_by_ebms_id(self, direction: Direction, ebms_id: str) -> MessageRecord | None:
        """See `Transaction`."""
        return self._one(
            self._sql.message_by_ebms_id, of_direction=direction.value, the_ebms_id=ebms_id
        )

    def messages_about(self, ref_to: str, direction: Direction) -> Sequence[MessageRecord]:
        """See `Transaction`."""
        return self._all(
            rows.message_of,
            self._sql.messages_about,
            the_ref=ref_to,
            of_direction=direction.value,
        )

    def parts(self, message_id: str) -> Sequence[Part]:
        """See `Transaction`."""
        return self._all(rows.part_of, self._sql.parts, of_message=message_id)

    def evidences(self, message_id: str) -> Sequence[EvidenceRecord]:
        """See `Transaction`."""
        return self._all(rows.evidence_of, self._sql.evidences, of_message=message_id)
