"""The tables. Their history is in `migrations/`; a test holds the two against each other.

Times are microseconds since 1970 in UTC: both engines compare and index them alike. Child tables
are read by message, so each has an index that starts with `message_id`.
"""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite makes only `INTEGER PRIMARY KEY` the row's own number.
_Number = BigInteger().with_variant(Integer(), "sqlite")


def _table(name: str, *columns: SchemaItem) -> Table:
    return Table(name, metadata, *columns)


def _order() -> Column[int]:
    return Column("seq", _Number, primary_key=True, autoincrement=True)


def _of_message() -> Column[str]:
    return Column("message_id", Text, ForeignKey("message.id"), nullable=False)


message = _table(
    "message",
    _order(),
    Column("id", Text, nullable=False, unique=True),
    Column("direction", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("lane", Text, nullable=False),
    Column("message_type", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("ebms_id", Text, nullable=False),
    Column("ref_to", Text),
    Column("backend_id", Text),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("from_party", Text, nullable=False),
    Column("to_party", Text, nullable=False),
    Column("format", Text),
    Column("subject", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("problem", Text),
    UniqueConstraint("direction", "ebms_id"),
    Index(None, "state", "seq"),
    Index(None, "conversation_id", "seq"),
    Index(None, "ref_to", "direction", "seq"),
)

part = _table(
    "part",
    _order(),
    _of_message(),
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("description", Text, nullable=False),
    UniqueConstraint("message_id", "role", "name"),
)

evidence = _table(
    "evidence",
    _order(),
    _of_message(),
    Column("id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    # By message: a partner must not be able to suppress an evidence by using its id elsewhere.
    UniqueConstraint("message_id", "id"),
)

timer = _table(
    "timer",
    Column("message_id", Text, ForeignKey("message.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("due", BigInteger, nullable=False, index=True),
)

audit = _table(
    "audit",
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index(None, "message_id", "seq"),
)


class Place(IntEnum):
    """Where a job is."""

    HERE = 0
    """To be taken from this table: by a worker, or by the relay to the broker."""
    PARKED = 1
    """Set aside for a person."""
    BROKER = 2
    """On the broker's retry ladder; the row only tells people when it is due."""


job = _table(
    "job",
    _order(),
    Column("id", Text, nullable=False, unique=True),
    Column("message_id", Text, nullable=False, index=True),
    Column("action", Text, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("place", SmallInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("lease", Text),
    Column("losses", Integer, nullable=False),
    Column("parked_at", BigInteger),
    Column("reason", Text, nullable=False),
    Index(None, "place", "lane", "due_at", "seq"),
)
