"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything."""
    _messages()
    _of_messages()
    _jobs()
    _audit()


def _order() -> "sa.Column[int]":
    return sa.Column("seq", _NUMBER, primary_key=True, autoincrement=True)


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=nullable)


def _big(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _messages() -> None:
    op.create_table(
        "message",
        _order(),
        _text("id"),
        _text("direction"),
        _text("kind"),
        _text("state"),
        sa.Column("version", sa.Integer, nullable=False),
        _text("lane"),
        _text("message_type"),
        _text("conversation_id"),
        _text("ebms_id"),
        _text("ref_to", nullable=True),
        _text("backend_id", nullable=True),
        _text("sender"),
        _text("recipient"),
        _text("from_party"),
        _text("to_party"),
        _text("format", nullable=True),
        _text("subject"),
        _big("created_at"),
        _big("updated_at"),
        _big("expires_at", nullable=True),
        _text("problem", nullable=True),
        sa.PrimaryKeyConstraint("seq", name="pk_message"),
        sa.UniqueConstraint("id", name="uq_message_id"),
        sa.UniqueConstraint("direction", "ebms_id", name="uq_message_direction_ebms_id"),
    )
    op.create_index("ix_message_state_seq", "message", ["state", "seq"])
    op.create_index("ix_message_conversation_id_seq", "message", ["conversation_id", "seq"])
    op.create_index("ix_message_ref_to_direction_seq", "message", ["ref_to", "direction", "seq"])


def _of_messages() -> None:
    op.create_table(
        "part",
        _order(),
        _text("message_id"),
        _text("role"),
        _text("name"),
        _text("media_type"),
        _text("sha256"),
        _big("size"),
        _text("description"),
        sa.PrimaryKeyConstraint("seq", name="pk_part"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_part_message_id"),
        sa.UniqueConstraint("message_id", "role", "name", name="uq_part_message_id_role_name"),
    )
    op.create_table(
        "evidence",
        _order(),
        _text("message_id"),
        _text("id"),
        _text("type"),
        _text("origin"),
        _text("sha256"),
        _big("size"),
        _big("at"),
        _text("reason"),
        sa.PrimaryKeyConstraint("seq", name="pk_evidence"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_evidence_message_id"),
        sa.UniqueConstraint("message_id", "id", name="uq_evidence_message_id_id"),
    )
    op.create_table(
        "timer",
        _text("message_id"),
        _text("name"),
        _big("due"),
        sa.PrimaryKeyConstraint("message_id", "name", name="pk_timer"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_timer_message_id"),
    )
    op.create_index("ix_timer_due", "timer", ["due"])


def _jobs() -> None:
    op.create_table(
        "job",
        _order(),
        _text("id"),
        _text("message_id"),
        _text("action"),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        _big("created_at"),
        _big("expires_at", nullable=True),
        sa.Column("place", sa.SmallInteger, nullable=False),
        _big("due_at"),
        _text("lease", nullable=True),
        sa.Column("losses", sa.Integer, nullable=False),
        _big("parked_at", nullable=True),
        _text("reason"),
        sa.PrimaryKeyConstraint("seq", name="pk_job"),
        sa.UniqueConstraint("id", name="uq_job_id"),
    )
    op.create_index("ix_job_message_id", "job", ["message_id"])
    op.create_index("ix_job_place_lane_due_at_seq", "job", ["place", "lane", "due_at", "seq"])


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", _NUMBER, autoincrement=False),
        _big("at"),
        _text("message_id"),
        _text("event"),
        _text("from_state"),
        _text("to_state"),
        _text("detail"),
        _text("hash"),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_message_id_seq", "audit", ["message_id", "seq"])
    dialect = op.get_bind().dialect.name
    for statement in _APPEND_ONLY[dialect]:
        op.execute(statement)


# The chain shows that the log was changed; these keep it from being changed by mistake.
_APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit "
        "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ],
}
