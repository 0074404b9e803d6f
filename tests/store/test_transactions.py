"""Units of work, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import ConnectorError, Kind
from connector.exchange.records import (
    Direction,
    Job,
    Lane,
    MessageRecord,
    PartRole,
    PayloadRef,
    Timer,
)
from connector.store import SqlStore
from tests.store.conftest import NOW, entry, new_evidence, new_message, new_part


def insert(store: SqlStore, *messages: MessageRecord) -> None:
    with store.transaction() as tx:
        for message in messages:
            assert tx.insert_message(message)


def test_a_message_with_parts_comes_back_as_it_was(store: SqlStore) -> None:
    message = new_message(
        lane=Lane.EMERGENCY,
        ref_to="other@fr.emla",
        backend_id="4 Ls 17/26",
        format="xjustiz",
        subject="Ersuchen – запит",
        expires_at=NOW + timedelta(days=1),
        problem='{"code": "x"}',
    )
    parts = [
        new_part(message, PartRole.ORIGINAL, name="ersuchen.xml"),
        new_part(message, PartRole.ATTACHMENT, name="a.pdf", description="ATT1"),
    ]
    with store.transaction() as tx:
        assert tx.insert_message(message, parts)
        assert tx.message(message.id) == message
    with store.reading() as tx:
        assert tx.message(message.id) == message
        assert tx.message_by_ebms_id(Direction.OUTBOUND, message.ebms_id) == message
        assert tx.message_by_ebms_id(Direction.INBOUND, message.ebms_id) is None
        assert tx.message("nobody") is None
        assert tx.parts(message.id) == parts
        assert tx.parts("nobody") == []


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    size=st.integers(0, 2**62),
    at=st.datetimes(timezones=st.just(UTC)),
)
def test_values_survive(store: SqlStore, text: str, size: int, at: object) -> None:
    message = new_message(subject=text, created_at=at, updated_at=at)
    part = new_part(message, name=text, payload=PayloadRef(sha256="0" * 64, size=size))
    with store.transaction() as tx:
        tx.insert_message(message, [part])
        tx.append_audit(entry(message.id, detail=text))
    with store.reading() as tx:
        assert tx.message(message.id) == message
        assert tx.parts(message.id) == [part]
    assert store.timeline(message.id)[0].detail == text
    assert store.verify_audit()[1] is None


def test_direction_and_ebms_id_are_unique_together(store: SqlStore) -> None:
    message = new_message()
    insert(store, message)
    again = new_message(ebms_id=message.ebms_id)
    theirs = new_message(ebms_id=message.ebms_id, direction=Direction.INBOUND)
    with store.transaction() as tx:
        assert not tx.insert_message(again, [new_part(again)])
        assert tx.insert_message(theirs)
    with store.reading() as tx:
        assert tx.message(again.id) is None
        assert tx.parts(again.id) == []
        assert tx.message_by_ebms_id(Direction.OUTBOUND, message.ebms_id) == message


def test_an_exception_rolls_everything_back(store: SqlStore) -> None:
    message = new_message()
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.insert_message(message, [new_part(message)])
        tx.append_audit(entry(message.id))
        tx.set_timer(Timer(message_id=message.id, name="relay-due", due=NOW))
        raise ZeroDivisionError
    assert store.messages() == []
    assert store.timeline(message.id) == []
    assert store.due_timers(NOW) == []


def test_an_update_grows_the_version_and_the_slower_worker_is_told(store: SqlStore) -> None:
    message = new_message()
    insert(store, message)
    with store.transaction() as tx:
        changed = tx.update_message(replace(message, state="SEALED"))
    assert changed == replace(message, state="SEALED", version=2)
    with pytest.raises(ConnectorError) as caught, store.transaction() as tx:
        tx.append_audit(entry(message.id, "must not stay"))
        tx.update_message(replace(message, state="REFUSED"))
    assert caught.value.code == "store.conflict"
    assert caught.value.kind is Kind.TRANSIENT
    with store.reading() as tx:
        assert tx.message(message.id) == changed
    assert store.timeline(message.id) == []


def test_many_workers_change_one_message_and_no_change_is_lost(store: SqlStore) -> None:
    message = new_message(subject="0")
    insert(store, message)

    def work() -> None:
        done = 0
        while done < 20:
            with store.reading() as tx:
                found = tx.message(message.id)
            assert found is not None
            try:
                with store.transaction() as tx:
                    tx.update_message(replace(found, subject=str(int(found.subject) + 1)))
                    tx.append_audit(entry(message.id))
                done += 1
            except ConnectorError as error:
                assert error.code == "store.conflict"

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    with store.reading() as tx:
        found = tx.message(message.id)
    assert found is not None
    assert (found.subject, found.version) == ("80", 81)
    assert store.verify_audit() == (80, None)


def test_a_later_part_of_the_same_name_replaces_the_older(store: SqlStore) -> None:
    message = new_message()
    old, other = new_part(message, PartRole.REPORT), new_part(message, PartRole.ENVELOPE)
    new = replace(old, payload=PayloadRef(sha256="cd" * 32, size=9), media_type="text/plain")
    with store.transaction() as tx:
        tx.insert_message(message, [old, other])
        tx.add_parts([new])
        assert tx.parts(message.id) == [new, other]


def test_an_evidence_is_added_once_for_each_message(store: SqlStore) -> None:
    first, second = new_message(), new_message()
    insert(store, first, second)
    with store.transaction() as tx:
        assert tx.add_evidence(new_evidence(first, "e1"))
        assert tx.add_evidence(new_evidence(first, "e0"))
        assert not tx.add_evidence(new_evidence(first, "e1"))
        assert tx.add_evidence(new_evidence(second, "e1"))
        assert tx.evidences(first.id) == [new_evidence(first, "e1"), new_evidence(first, "e0")]


def test_messages_about_another(store: SqlStore) -> None:
    about = [new_message(ref_to="x@fr", direction=Direction.INBOUND) for _ in range(3)]
    insert(store, *about, new_message(ref_to="x@fr"), new_message(ref_to="y@fr"))
    with store.reading() as tx:
        assert tx.messages_about("x@fr", Direction.INBOUND) == about


def test_timers_move_fire_in_order_and_are_cancelled(store: SqlStore) -> None:
    message, other = new_message(), new_message()
    insert(store, message, other)

    def timer(name: str, seconds: int, of: MessageRecord = message) -> Timer:
        return Timer(message_id=of.id, name=name, due=NOW + timedelta(seconds=seconds))

    with store.transaction() as tx:
        for each in (timer("b", 2), timer("a", 1), timer("c", 3), timer("a", 4, other)):
            tx.set_timer(each)
    assert store.due_timers(NOW) == []
    assert store.due_timers(NOW + timedelta(seconds=2)) == [timer("a", 1), timer("b", 2)]
    assert store.due_timers(NOW + timedelta(seconds=9), limit=1) == [timer("a", 1)]
    with store.transaction() as tx:
        tx.set_timer(timer("a", 8))
        tx.cancel_timers(message.id, ["b", "nobody"])
    assert store.due_timers(NOW + timedelta(seconds=9)) == [
        timer("c", 3),
        timer("a", 4, other),
        timer("a", 8),
    ]
    with store.transaction() as tx:
        tx.cancel_timers(message.id)
    assert store.due_timers(NOW + timedelta(seconds=9)) == [timer("a", 4, other)]


def test_a_reading_unit_of_work_cannot_write(store: SqlStore) -> None:
    message = new_message()
    job = Job(id="j", message_id="m", action="advance", lane=Lane.ROUTINE, created_at=NOW)
    with store.reading() as tx:
        for write in (
            lambda: tx.insert_message(message),
            lambda: tx.append_audit(entry()),
            lambda: tx.enqueue(job),
        ):
            with pytest.raises(RuntimeError):
                write()
    assert store.messages() == []


def test_a_reader_is_not_held_up_by_a_writer(store: SqlStore) -> None:
    message = new_message()
    insert(store, message)
    with store.transaction() as tx:
        tx.update_message(replace(message, state="SEALED"))
        with store.reading() as other:
            assert other.message(message.id) == message


def test_parts_need_their_message(store: SqlStore) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), store.transaction() as tx:
        tx.add_parts([new_part(new_message())])


def test_two_stores_over_one_database_see_each_other(
    store: SqlStore, open_again: Callable[[], SqlStore]
) -> None:
    other = open_again()
    message = new_message()
    insert(store, message)
    with other.transaction() as tx:
        assert tx.message(message.id) == message
        tx.append_audit(entry(message.id))
    with store.transaction() as tx:
        tx.append_audit(entry(message.id))
    assert store.verify_audit() == (2, None)


def test_lists_filter_page_and_search(store: SqlStore) -> None:
    first = new_message(subject="Haftbefehl 100% MÜLLER", state="SEALED")
    second = new_message(direction=Direction.INBOUND, conversation_id=first.conversation_id)
    third = new_message(backend_id="4 Ls 17/26")
    insert(store, first, second, third)
    assert store.messages() == [third, second, first]
    assert store.messages(limit=1, offset=1) == [second]
    assert store.messages(state="SEALED") == [first]
    assert store.messages(direction=Direction.INBOUND) == [second]
    assert store.messages(conversation_id=first.conversation_id) == [second, first]
    assert store.messages(text="haftbefehl") == [first]
    assert store.messages(text="100%") == [first]
    assert store.messages(text="4 ls") == [third]
    assert store.messages(text="%") == [first]
    assert store.messages(text="nothing of the kind") == []
    assert store.counts() == {"ACCEPTED": 2, "SEALED": 1}
