"""Opening a store: migrations, several processes at once, and what is refused."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from connector.errors import ConnectorError, Kind
from connector.store import SqlStore, migrate, open_store
from connector.store.tables import metadata
from tests.store.conftest import entry, new_message

_spawn = multiprocessing.get_context("spawn")


def test_the_migrations_make_the_tables_that_the_code_uses(store: SqlStore) -> None:
    with store.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_head_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


def _open_and_write(url: str, folder: Path, number: int) -> None:
    store = open_store(url, folder)
    for _ in range(10):
        with store.transaction() as tx:
            tx.insert_message(new_message())
            tx.append_audit(entry(str(number)))
    store.close()


def test_processes_open_a_new_store_at_once(
    store_url: str, tmp_path: Path, open_again: Callable[[], SqlStore]
) -> None:
    processes = [
        _spawn.Process(target=_open_and_write, args=(store_url, tmp_path / "payloads", number))
        for number in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    store = open_again()
    assert store.verify_audit() == (40, None)
    assert store.counts() == {"ACCEPTED": 40}


def test_a_store_of_a_newer_version_is_left_alone(
    store: SqlStore, open_again: Callable[[], SqlStore]
) -> None:
    with store.database.engine.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num='9999'"))
        connection.commit()
    with pytest.raises(ConnectorError) as caught:
        open_again()
    assert caught.value.code == "store.newer-schema"
    assert caught.value.kind is Kind.CONFIGURATION


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/db", "oracle://host/db"],
)
def test_other_urls_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConnectorError) as caught:
        open_store(url, tmp_path)
    assert caught.value.code == "store.url"
    assert caught.value.kind is Kind.CONFIGURATION


def test_no_password_in_the_refusal(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError) as caught:
        open_store("mysql+pymysql://user:hunter2@host/db", tmp_path)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_down_is_transient(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError) as caught:
        open_store("postgresql://user:hunter2@127.0.0.1:1/emla", tmp_path)
    assert caught.value.code == "store.down"
    assert caught.value.kind is Kind.TRANSIENT
    assert "hunter2" not in str(caught.value)


def test_a_wrong_password_is_for_a_person(postgresql_url: str, tmp_path: Path) -> None:
    head, _, tail = postgresql_url.partition("://emla:")
    with pytest.raises(ConnectorError) as caught:
        open_store(f"{head}://emla:wrong@{tail.partition('@')[2]}", tmp_path)
    assert caught.value.code == "store.refused"
    assert caught.value.kind is Kind.CONFIGURATION


def test_a_file_that_is_no_database_is_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "emla.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConnectorError) as caught:
        open_store(f"sqlite:///{tmp_path}/emla.db", tmp_path / "payloads")
    assert caught.value.code == "store.damaged"


def test_a_lost_connection_is_transient_and_the_next_call_works(
    postgresql_url: str, tmp_path: Path
) -> None:
    store = open_store(postgresql_url, tmp_path)
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    other = open_store(postgresql_url, tmp_path)
    with pytest.raises(ConnectorError) as caught, store.transaction() as tx:
        tx.insert_message(new_message())
        with other.database.engine.connect() as connection:
            connection.execute(kill)
        tx.insert_message(new_message())
    assert caught.value.code == "store.down"
    assert caught.value.kind is Kind.TRANSIENT
    message = new_message()
    with store.transaction() as tx:
        assert tx.insert_message(message)
    assert store.messages() == [message]
    store.close()
    other.close()
