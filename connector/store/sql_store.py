"""The store: opening it, units of work on it, and what people and timers look up in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, or_, select

from connector.errors import Problem
from connector.exchange.ports import Transaction
from connector.exchange.records import AuditEntry, Direction, MessageRecord, Timer
from connector.store import rows, tables
from connector.store.audit import verify_chain
from connector.store.database import Database, sqlite_file
from connector.store.jobs import JobTable
from connector.store.migrate import upgrade
from connector.store.payloads import FilePayloads
from connector.store.transaction import SqlTransaction

_PAGE = 1000


def open_store(url: str, payload_folder: Path) -> SqlStore:
    """Open the store, its tables brought up to date; safe when several processes do so at once.

    `url` is `sqlite:////path/of/file.db` or `postgresql://user:password@host/database`. A process
    that forks must open the store in the child. Raises `ConnectorError`: configuration
    (`store.url`, `store.refused`, `store.newer-schema`, `store.damaged`, `store.folder`) or
    transient (`store.down`, `store.locked`, `store.cannot-open`).
    """
    database = Database(url)
    payloads = FilePayloads(payload_folder)
    if database.is_sqlite:
        sqlite_file(database.url).parent.mkdir(parents=True, exist_ok=True)
    try:
        upgrade(database)
    except BaseException:
        database.close()
        payloads.close()
        raise
    return SqlStore(database, payloads)


class SqlStore:
    """Implements `connector.exchange.ports.Store`. Shared between threads."""

    def __init__(self, database: Database, payloads: FilePayloads) -> None:
        self.database = database
        self._payloads = payloads
        self.jobs = JobTable(database)
        self._listeners: list[Callable[[], None]] = []
        self._listeners_lock = threading.Lock()

    @property
    def payloads(self) -> FilePayloads:
        """Where the bytes are."""
        return self._payloads

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See `Store`."""
        with self.database.writing() as connection:
            unit = SqlTransaction(self.database, connection, writable=True)
            yield unit
            unit.finish()
        if unit.enqueued:
            self.tell_enqueued()

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """See `Store`."""
        with self.database.reading() as connection:
            yield SqlTransaction(self.database, connection, writable=False)

    def on_enqueued(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have `wake` called after each commit of this process that enqueued jobs; it must not
        block. Returns what ends that."""
        with self._listeners_lock:
            self._listeners = [*self._listeners, wake]

        def stop() -> None:
            with self._listeners_lock:
                self._listeners = [other for other in self._listeners if other is not wake]

        return stop

    def tell_enqueued(self) -> None:
        """Wake whoever waits for jobs in this process."""
        for wake in tuple(self._listeners):
            wake()

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
        """See `Store`. Without `text` every condition has an index; `text` looks at each row."""
        message = tables.message.c
        query = select(*(message[name] for name in rows.MESSAGE))
        if state is not None:
            query = query.where(message.state == state)
        if direction is not None:
            query = query.where(message.direction == direction.value)
        if conversation_id is not None:
            query = query.where(message.conversation_id == conversation_id)
        if text:
            looked_in = (
                message.id, message.ebms_id, message.conversation_id, message.backend_id,
                message.subject, message.sender, message.recipient,
            )  # fmt: skip
            query = query.where(or_(*(c.icontains(text, autoescape=True) for c in looked_in)))
        query = query.order_by(message.seq.desc()).limit(limit).offset(offset)
        with self.database.reading() as connection:
            return [rows.message_of(row) for row in connection.execute(query)]

    def timeline(self, message_id: str) -> Sequence[AuditEntry]:
        """See `Store`."""
        audit = tables.audit.c
        query = (
            select(*(audit[name] for name in rows.AUDIT))
            .where(audit.message_id == message_id)
            .order_by(audit.seq)
        )
        with self.database.reading() as connection:
            return [rows.audit_of(row) for row in connection.execute(query)]

    def audit_entries(self, *, after: int = 0) -> Iterator[tuple[int, AuditEntry, str]]:
        """See `Store`. Read in pages: writers are not held up by a slow reader."""
        audit = tables.audit.c
        query = select(audit.seq, audit.hash, *(audit[name] for name in rows.AUDIT))
        while True:
            page = query.where(audit.seq > after).order_by(audit.seq).limit(_PAGE)
            with self.database.reading() as connection:
                found = connection.execute(page).all()
            for number, digest, *row in found:
                yield number, rows.audit_of(row), digest
            if len(found) < _PAGE:
                return
            after = found[-1][0]

    def verify_audit(self) -> tuple[int, Problem | None]:
        """See `Store`."""
        return verify_chain(self.audit_entries())

    def due_timers(self, now: datetime, *, limit: int = 100) -> Sequence[Timer]:
        """See `Store`."""
        timer = tables.timer.c
        query = (
            select(*(timer[name] for name in rows.TIMER))
            .where(timer.due <= rows.micros(now))
            .order_by(timer.due)
            .limit(limit)
        )
        with self.database.reading() as connection:
            return [rows.timer_of(row) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """See `Store`."""
        state = tables.message.c.state
        query = select(state, func.count()).group_by(state).order_by(state)
        with self.database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def close(self) -> None:
        """Release connections."""
        self.jobs.close()
        self.database.close()
        self._payloads.close()
