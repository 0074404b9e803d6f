"""Stores as they are after many messages, made without sending them.

Rows as each message leaves them (with a chained audit log), and what lies in the delivery folder.
Payload files of old messages are left out: nothing on the way of a new message looks at them.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from connector.delivery.folder import READY, folder_name
from connector.exchange.records import AuditEntry
from connector.runtime.assembly import open_home_store
from connector.settings import Home
from connector.store import rows, tables
from connector.store.audit import GENESIS, chain_hash
from tests.bench.network import Homes

_BATCH = 2_000
_COPIED = ("message", "part", "evidence", "timer")


def fill(both: Homes, messages: int) -> None:
    """As if `messages` more had been sent and delivered: each a copy of one that was."""
    for home in (both.sender, both.receiver):
        store = open_home_store(home)
        try:
            with store.database.engine.begin() as connection:
                made = _copy(connection, messages)
            if store.database.is_sqlite:
                with store.database.engine.connect() as connection:
                    connection.exec_driver_sql("ANALYZE")
        finally:
            store.close()
        if home is both.receiver:
            _deliver(home, made)


def _copy(connection: Connection, messages: int) -> list[tuple[str, str]]:
    """Insert copies of a finished business message and its evidence messages; (id, ebms id)s of
    the copies of the business message."""
    state = {"DELIVERED", "HANDED_OVER"}
    message = tables.message
    model = connection.execute(select(message).where(message.c.state.in_(state)).limit(1)).one()
    about = connection.execute(select(message).where(message.c.ref_to == model.ebms_id)).all()
    models = [model, *about]
    children = {m.id: _children(connection, m.id) for m in models}
    audit = {m.id: _audit_of(connection, m.id) for m in models}
    made: list[tuple[str, str]] = []
    chain = _end_of_chain(connection)
    numbers = iter(range(messages))
    while batch := list(islice(numbers, _BATCH)):
        values: dict[str, list[dict[str, Any]]] = {name: [] for name in (*_COPIED, "audit")}
        for _ in batch:
            ebms_id = f"{uuid.uuid4()}@connector"
            for each in models:
                own = str(uuid.uuid4())
                row = dict(each._mapping) | {"id": own}
                del row["seq"]
                if each is model:
                    row["ebms_id"] = ebms_id
                    made.append((own, ebms_id))
                else:
                    row |= {"ebms_id": f"{uuid.uuid4()}@connector", "ref_to": ebms_id}
                values["message"].append(row)
                for name, found in children[each.id].items():
                    values[name] += [_own(name, child, own) for child in found]
                chain = _chained(values["audit"], audit[each.id], own, chain)
        for name in (*_COPIED, "audit"):
            if values[name]:
                connection.execute(insert(getattr(tables, name)), values[name])
    return made


def _children(connection: Connection, message_id: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name in _COPIED[1:]:
        table: Table = getattr(tables, name)
        query = select(table).where(table.c.message_id == message_id)
        found[name] = [dict(row._mapping) for row in connection.execute(query)]
    return found


def _own(name: str, child: dict[str, Any], message_id: str) -> dict[str, Any]:
    row = child | {"message_id": message_id}
    row.pop("seq", None)
    if "sha256" in row:
        row["sha256"] = hashlib.sha256(os.urandom(16)).hexdigest()
    if name == "evidence":
        row["id"] = str(uuid.uuid4())
    return row


def _audit_of(connection: Connection, message_id: str) -> list[AuditEntry]:
    audit = tables.audit
    columns = [audit.c[name] for name in rows.AUDIT]
    query = select(*columns).where(audit.c.message_id == message_id).order_by(audit.c.seq)
    return [rows.audit_of(row) for row in connection.execute(query)]


def _end_of_chain(connection: Connection) -> tuple[int, str]:
    audit = tables.audit
    last = connection.execute(select(func.max(audit.c.seq))).scalar()
    if last is None:
        return 0, GENESIS
    return last, connection.execute(select(audit.c.hash).where(audit.c.seq == last)).scalar_one()


def _chained(
    values: list[dict[str, Any]], entries: list[AuditEntry], message_id: str, end: tuple[int, str]
) -> tuple[int, str]:
    number, previous = end
    for entry in entries:
        own = AuditEntry(
            at=datetime.now(UTC),
            message_id=message_id,
            event=entry.event,
            from_state=entry.from_state,
            to_state=entry.to_state,
            detail=entry.detail,
        )
        number += 1
        previous = chain_hash(previous, number, own)
        values.append(rows.audit_values(own) | {"seq": number, "hash": previous})
    return number, previous


def _deliver(home: Home, made: list[tuple[str, str]]) -> None:
    """What lies in the receiver's delivery folder: none of it has been taken yet."""
    delivered = home.path(home.settings.delivery.path)
    for message_id, ebms_id in made:
        name = folder_name(ebms_id)
        (delivered / name).mkdir()
        (delivered / name / READY).touch()
        (delivered / ".handed-over" / f"{message_id}~{name}").touch()
