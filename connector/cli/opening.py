"""The parts of a home that a command works on, opened and closed again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from connector.settings import load

if TYPE_CHECKING:
    from connector.exchange.ports import Queue
    from connector.runtime.assembly import Assembly
    from connector.store.sql_store import SqlStore


def _logs_aside() -> None:
    """Standard output is for the command's answer: warnings of the parts go to standard error."""
    import logging

    import structlog

    if not structlog.is_configured():
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            # Looked up anew each time, since the stream may be exchanged.
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )


@contextmanager
def home_store(home: Path | None) -> Iterator[SqlStore]:
    """The store of the home; needs neither keys nor partners. Raises `settings.*`, `store.*`."""
    from connector.runtime.assembly import open_home_store

    _logs_aside()
    store = open_home_store(load(home or Path()))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def home_store_and_queue(home: Path | None) -> Iterator[tuple[SqlStore, Queue]]:
    """The store with a connection to the queue. Raises further `queue.*`."""
    from connector.runtime.assembly import open_home_queue

    loaded = load(home or Path())
    with home_store(home) as store:
        queue = open_home_queue(loaded, store)
        try:
            yield store, queue
        finally:
            queue.close()


@contextmanager
def home_assembly(home: Path | None) -> Iterator[Assembly]:
    """All parts of the connector. Raises as `assemble`."""
    from connector.runtime.assembly import assemble

    _logs_aside()
    assembly = assemble(load(home or Path()))
    try:
        yield assembly
    finally:
        assembly.close()


def who() -> str:
    """The user at the keyboard, as the audit log notes it."""
    import getpass
    import os

    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user that has no name here
        return str(os.getuid())
