"""Every statement of the hot path: written in SQLAlchemy Core, compiled once for each engine.

Executing Core expressions costs several times what SQLite itself needs for them; the compiled
text, run with plain values, does not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    Dialect,
    Executable,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.expression import ClauseElement

from connector.store import rows, tables


def columns(table: Any, names: tuple[str, ...]) -> list[Any]:
    """The table's columns of these names."""
    return [table.c[name] for name in names]


@dataclass(frozen=True, slots=True)
class Statements:
    """SQL text by what it is for."""

    insert_message: str
    update_message: str
    message: str
    message_by_ebms_id: str
    messages_about: str
    upsert_part: str
    parts: str
    insert_evidence: str
    evidences: str
    last_audit: str
    insert_audit: str
    upsert_timer: str
    cancel_timer: str
    cancel_timers: str
    insert_job: str


def compile_all(dialect: Dialect) -> Statements:
    """The statements in the words of one engine."""
    insert_or = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    message, part, evidence, timer = tables.message, tables.part, tables.evidence, tables.timer
    audit, job = tables.audit, tables.job

    # "Inline": nobody asks back for the number that a row gets.
    add_message = insert_or(message).inline().values(named(rows.MESSAGE))
    add_part = insert_or(part).inline().values(named(rows.PART))
    add_timer = insert_or(timer).inline().values(named(rows.TIMER))
    add_job = (
        insert_or(job).inline().values(named((*rows.JOB, "place", "due_at", "losses", "reason")))
    )
    all_messages = select(*columns(message, rows.MESSAGE))
    core: dict[str, Executable] = {
        "insert_message": add_message.on_conflict_do_nothing(
            index_elements=["direction", "ebms_id"]
        ),
        "update_message": update(message)
        .where(message.c.id == bindparam("the_id"), message.c.version == bindparam("the_version"))
        .values(named(tuple(n for n in rows.MESSAGE if n not in ("id", "direction", "ebms_id")))),
        "message": all_messages.where(message.c.id == bindparam("the_id")),
        "message_by_ebms_id": all_messages.where(
            message.c.direction == bindparam("of_direction"),
            message.c.ebms_id == bindparam("the_ebms_id"),
        ),
        "messages_about": all_messages.where(
            message.c.ref_to == bindparam("the_ref"),
            message.c.direction == bindparam("of_direction"),
        ).order_by(message.c.seq),
        "upsert_part": add_part.on_conflict_do_update(
            index_elements=["message_id", "role", "name"],
            set_={n: add_part.excluded[n] for n in rows.PART[3:]},
        ),
        "parts": select(*columns(part, rows.PART))
        .where(part.c.message_id == bindparam("of_message"))
        .order_by(part.c.seq),
        "insert_evidence": insert_or(evidence)
        .inline()
        .values(named(rows.EVIDENCE))
        .on_conflict_do_nothing(index_elements=["message_id", "id"]),
        "evidences": select(*columns(evidence, rows.EVIDENCE))
        .where(evidence.c.message_id == bindparam("of_message"))
        .order_by(evidence.c.seq),
        "last_audit": select(audit.c.seq, audit.c.hash)
        .order_by(audit.c.seq.desc())
        .limit(constant(1))
        .offset(constant(0)),
        "insert_audit": insert(audit).values(named(("seq", *rows.AUDIT, "hash"))),
        "upsert_timer": add_timer.on_conflict_do_update(
            index_elements=["message_id", "name"], set_={"due": add_timer.excluded.due}
        ),
        "cancel_timer": delete(timer).where(
            timer.c.message_id == bindparam("of_message"), timer.c.name == bindparam("the_name")
        ),
        "cancel_timers": delete(timer).where(timer.c.message_id == bindparam("of_message")),
        "insert_job": add_job.on_conflict_do_nothing(index_elements=["id"]),
    }
    texts = {name: text_of(statement, dialect) for name, statement in core.items()}
    return Statements(**{field.name: texts[field.name] for field in fields(Statements)})


def named(names: tuple[str, ...]) -> dict[str, Any]:
    """A parameter for each column, of the column's name."""
    return {name: bindparam(name) for name in names}


def constant(value: int) -> Any:
    """A number in the text itself: compiled parameters would have to be passed each time."""
    return literal_column(str(int(value)))


def text_of(statement: Executable, dialect: Dialect) -> str:
    """The statement in the words of one engine."""
    assert isinstance(statement, ClauseElement)
    compiled = statement.compile(dialect=dialect)
    return str(compiled)
