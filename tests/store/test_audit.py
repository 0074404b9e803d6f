"""The audit log: append-only, and every change of it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connector.store import SqlStore
from connector.store.audit import GENESIS, chain_hash
from tests.store.conftest import entry


def fill(store: SqlStore, count: int = 10) -> None:
    for number in range(count):
        with store.transaction() as tx:
            tx.append_audit(entry(f"m{number % 2}", f"event-{number}", detail='{"n": 1}'))
            tx.append_audit(entry(f"m{number % 2}", "second", to_state="S"))


def tamper(store: SqlStore, *statements: str) -> None:
    """As somebody with the database's own rights would."""
    with store.database.engine.connect() as connection:
        if store.database.is_sqlite:
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(text("DROP TRIGGER audit_append_only ON audit"))
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()


def test_the_chain_holds_and_is_what_the_entries_say(store: SqlStore) -> None:
    assert store.verify_audit() == (0, None)
    fill(store)
    assert store.verify_audit() == (20, None)
    previous = GENESIS
    for number, one, digest in store.audit_entries():
        assert digest == chain_hash(previous, number, one)
        previous = digest
    assert [number for number, _, _ in store.audit_entries(after=17)] == [18, 19, 20]
    assert len(store.timeline("m1")) == 10


def test_the_chain_goes_on_after_opening_again(
    store: SqlStore, open_again: Callable[[], SqlStore]
) -> None:
    fill(store, 2)
    store.close()
    again = open_again()
    fill(again, 2)
    assert again.verify_audit() == (8, None)


@pytest.mark.parametrize("statement", ["UPDATE audit SET event='x'", "DELETE FROM audit"])
def test_the_database_refuses_changes(store: SqlStore, statement: str) -> None:
    fill(store, 1)
    with (
        pytest.raises(DBAPIError, match="append-only"),
        store.database.engine.connect() as connection,
    ):
        connection.execute(text(statement))
    assert store.verify_audit() == (2, None)


@pytest.mark.parametrize(
    ("statement", "code", "checked"),
    [
        ("UPDATE audit SET detail='{}' WHERE seq=7", "audit.broken", 6),
        ("UPDATE audit SET event='x' WHERE seq=20", "audit.broken", 19),
        ("UPDATE audit SET at=at+1 WHERE seq=1", "audit.broken", 0),
        ("UPDATE audit SET hash='0' WHERE seq=7", "audit.broken", 6),
        ("DELETE FROM audit WHERE seq=7", "audit.gap", 6),
        ("DELETE FROM audit WHERE seq=1", "audit.gap", 0),
        ("UPDATE audit SET message_id='m1' WHERE seq=1", "audit.broken", 0),
    ],
)
def test_a_change_breaks_the_chain_where_it_was_made(
    store: SqlStore, statement: str, code: str, checked: int
) -> None:
    fill(store)
    tamper(store, statement)
    count, problem = store.verify_audit()
    assert problem is not None
    assert (problem.code, count) == (code, checked)


def test_two_entries_swapped_break_the_chain(store: SqlStore) -> None:
    fill(store)
    tamper(
        store,
        "UPDATE audit SET seq=100 WHERE seq=5",
        "UPDATE audit SET seq=5 WHERE seq=6",
        "UPDATE audit SET seq=6 WHERE seq=100",
    )
    assert store.verify_audit()[0] == 4


def test_no_field_can_pass_for_another() -> None:
    one = entry("m", "a", from_state="b", to_state="c", detail="d")
    shifted = replace(one, from_state="bc", to_state="")
    assert chain_hash(GENESIS, 1, one) != chain_hash(GENESIS, 1, shifted)
    assert chain_hash(GENESIS, 1, one) != chain_hash(GENESIS, 2, one)
    assert chain_hash(GENESIS, 1, one) != chain_hash("1" * 64, 1, one)
