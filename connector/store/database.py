"""Connections and transactions on either engine, and what their failures mean.

SQLite: write-ahead log, every commit synced, writers queue for `BEGIN IMMEDIATE` (first behind a
lock of this process, so that they need not poll). PostgreSQL: read committed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connector.errors import ConnectorError, misconfigured, transient
from connector.store.statements import Statements, compile_all

BUSY_SECONDS = 30
"""How long a writer waits for other processes before it gives up with `store.locked`."""


class Database:
    """One engine with its compiled statements.

    `durable=False` gives a second view of the same database whose commits are atomic but may be
    lost when the machine (not the process) fails: leases and endings of jobs, which may come
    twice anyway, need no sync to disk of their own.
    """

    def __init__(
        self, url: str, *, durable: bool = True, write_lock: threading.Lock | None = None
    ) -> None:
        self.url = parse_url(url)
        self._text = url
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = self._engine(durable)
        self.statements: Statements = compile_all(self.engine.dialect)
        self._write_lock = write_lock or threading.Lock()

    def hasty(self) -> Database:
        """The same database, without a sync at each commit."""
        return Database(self._text, durable=False, write_lock=self._write_lock)

    def _engine(self, durable: bool) -> Engine:
        if not self.is_sqlite:
            options = "" if durable else "-c synchronous_commit=off"
            return create_engine(
                self.url,
                pool_size=8,
                max_overflow=64,
                pool_pre_ping=False,
                connect_args={"options": options, "connect_timeout": 10},
            )
        engine = create_engine(self.url, paramstyle="named", pool_size=8, max_overflow=64)
        event.listen(engine, "connect", _prepare_sqlite(durable))
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write; commits at the end, rolls back on any exception."""
        with translated(), self._alone(), self.engine.connect() as connection:
            yield connection
            connection.commit()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that takes no write lock."""
        with translated(), self.engine.connect() as connection:
            connection.execution_options(emla_reads=True)
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self.is_sqlite:
            yield
            return
        if not self._write_lock.acquire(timeout=BUSY_SECONDS):
            raise _locked()
        try:
            yield
        finally:
            self._write_lock.release()

    def close(self) -> None:
        """Release connections."""
        self.engine.dispose()


def parse_url(url: str) -> URL:
    """The URL, checked.

    Raises `store.url` (configuration) for anything but a SQLite file or PostgreSQL.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        raise _bad_url("The store's URL cannot be read") from error
    if parsed.drivername == "postgresql+psycopg":
        return parsed
    if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed
    raise _bad_url(f"The store cannot use {parsed.render_as_string(hide_password=True)!r}")


def _bad_url(what: str) -> ConnectorError:
    return misconfigured(
        "store.url",
        f"{what}.",
        mend="Write sqlite:////path/of/file.db or postgresql://user:password@host/database.",
    )


def sqlite_file(url: URL) -> Path:
    """The file of a SQLite URL."""
    return Path(url.database or "")


def _prepare_sqlite(durable: bool) -> Callable[[Any, Any], None]:
    pragmas = (
        f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}",
        "PRAGMA journal_mode=WAL",
        f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}",
        "PRAGMA foreign_keys=ON",
        "PRAGMA cache_size=-32768",
        "PRAGMA temp_store=MEMORY",
    )

    def prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours to say
        for pragma in pragmas:
            connection.execute(pragma)

    return prepare


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("emla_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def translated() -> Iterator[None]:
    """Database failures as `ConnectorError`s; a violated constraint stays what it is: a defect."""
    try:
        yield
    except PoolTimeout as error:
        raise transient(
            "store.busy", "All connections to the store are in use.", mend="Wait."
        ) from error
    except DBAPIError as error:
        failure = _sqlite_failure(error) or _postgresql_failure(error)
        if failure is None:
            raise
        raise failure from error


_SQLITE_BUSY = {5, 6}
_SQLITE_FULL = 13
_SQLITE_DISK = {10: "store.disk", 8: "store.read-only", 14: "store.cannot-open"}
_SQLITE_BROKEN = {11, 26}


def _sqlite_failure(error: DBAPIError) -> ConnectorError | None:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is None:
        return None
    code &= 0xFF  # without the extension
    if code in _SQLITE_BUSY:
        return _locked()
    if code == _SQLITE_FULL:
        return _full()
    if code in _SQLITE_DISK:
        return transient(
            _SQLITE_DISK[code],
            f"The store's database cannot be used: {error.orig}.",
            mend="Look at the disk and at the permissions of the database and its folder.",
        )
    if code in _SQLITE_BROKEN:
        return misconfigured(
            "store.damaged",
            f"The store's database is damaged or no database: {error.orig}.",
            mend="Restore it from a backup.",
        )
    return None


def _postgresql_failure(error: DBAPIError) -> ConnectorError | None:
    if not type(error.orig).__module__.startswith("psycopg"):
        return None
    state = cast("str | None", getattr(error.orig, "sqlstate", None))
    if state in _STATES:
        return _STATES[state]()
    message = str(error.orig).strip().split("\n", 1)[0][:300]
    # A connection that is refused carries no SQLSTATE.
    if state in _REFUSED or (state is None and any(word in str(error.orig) for word in _NO_ENTRY)):
        return misconfigured(
            "store.refused",
            f"PostgreSQL refuses the connector: {message}",
            mend="Check the user, password, database and rights in the store's URL.",
        )
    if error.connection_invalidated or isinstance(error, OperationalError):
        return transient(
            "store.down",
            f"PostgreSQL cannot be used at the moment: {message}",
            mend="Check that it runs; the connector tries again by itself.",
        )
    return None


def conflict(what: str) -> ConnectorError:
    """Two workers wanted to change the same thing; the other was faster."""
    return transient("store.conflict", what, mend="Read it again and decide anew.")


def _locked() -> ConnectorError:
    return transient(
        "store.locked",
        f"The store was locked by another writer for more than {BUSY_SECONDS} s.",
        mend="Look for a process that holds the database open.",
    )


def _full() -> ConnectorError:
    return transient(
        "store.disk-full", "The disk of the store's database is full.", mend="Make room."
    )


def _chosen() -> ConnectorError:
    return conflict("The database had to choose between two transactions.")


# SQLSTATEs: PostgreSQL manual, appendix A.
_STATES = {"40001": _chosen, "40P01": _chosen, "55P03": _locked, "53100": _full}
_REFUSED = {"28000", "28P01", "3D000", "42501"}
_NO_ENTRY = ("authentication failed", "does not exist", "no pg_hba.conf entry")
