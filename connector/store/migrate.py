"""Bringing the tables up to date when the store is opened."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from connector.errors import misconfigured
from connector.store.database import Database, sqlite_file, translated

HEAD = "0001"
"""The revision this version of emla works with."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x656D6C62


def upgrade(database: Database) -> None:
    """Run the migrations that are missing, one process at a time.

    Raises `ConnectorError`: `store.newer-schema` (configuration) if a newer emla has been at work.
    """
    if revision(database) == HEAD:
        return
    with translated(), _one_process(database), database.engine.connect() as connection:
        if revision(database) == HEAD:
            return  # another process was faster
        _run(database, connection)
        connection.commit()


def revision(database: Database) -> str | None:
    """The revision the tables are at; None before the first."""
    try:
        with database.reading() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError:
        return None  # no such table yet


def _run(database: Database, connection: Connection) -> None:
    # Imported here: opening a store that is up to date must be fast.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    found = revision(database)
    try:
        if found is not None:
            ScriptDirectory.from_config(config).get_revision(found)
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise misconfigured(
            "store.newer-schema",
            f"The store's tables are at revision {found}, which this version of emla "
            "does not know.",
            mend="Install the version of emla that was used last, or a newer one.",
        ) from error


@contextmanager
def _one_process(database: Database) -> Iterator[None]:
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            yield
        return
    file = sqlite_file(database.url)
    with file.with_name(f".{file.name}.migration").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
