"""Sender and receiver for a measurement: in this process, or as processes of their own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from connector.demo.network import Plan, make_network
from connector.runtime.service import Service
from connector.settings import Home
from connector.signature.pki import KeyType
from tests.bench.documents import FORMAT
from tests.connectors import ConnectorProcess

SENDER, RECEIVER = "DE", "BR"


@dataclass(frozen=True)
class Engines:
    """Where queue and store are."""

    name: str
    amqp: str | None = None
    """URL of the broker; None for the embedded queue."""
    postgresql: str | None = None
    """URL of the server; None for SQLite."""


@dataclass(frozen=True)
class Homes:
    """The two connectors' homes."""

    sender: Home
    receiver: Home


@contextmanager
def homes(folder: Path, engines: Engines, key_type: KeyType, workers: int) -> Iterator[Homes]:
    """Fresh homes; databases and queues are dropped afterwards."""
    run = uuid.uuid4().hex[:8]
    names = {country: f"emla_bench_{country.lower()}_{run}" for country in (SENDER, RECEIVER)}
    extra: dict[str, dict[str, Any]] = {country: {} for country in names}
    for country, name in names.items():
        if engines.postgresql:
            _on_server(engines.postgresql, f"CREATE DATABASE {name}")
            url = make_url(engines.postgresql).set(database=name)
            extra[country]["store"] = {"url": url.render_as_string(hide_password=False)}
        if engines.amqp:
            extra[country]["queue"] = {"url": engines.amqp, "prefix": name}
    plan = Plan(
        countries=(SENDER, RECEIVER),
        formats={SENDER: FORMAT, RECEIVER: "register-csv"},
        key_type=key_type,
        common={"run": {"workers": workers}},
        extra=extra,
    )
    try:
        made = make_network(folder, plan, datetime.now(UTC))
        yield Homes(made[SENDER], made[RECEIVER])
    finally:
        for name in names.values():
            if engines.postgresql:
                _on_server(engines.postgresql, f"DROP DATABASE {name} WITH (FORCE)")
            if engines.amqp:
                from tests.conftest import delete_topology

                delete_topology(engines.amqp, name)


def _on_server(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@contextmanager
def in_this_process(both: Homes) -> Iterator[tuple[Service, Service]]:
    """Both connectors as threads of this process."""
    services = Service(both.sender), Service(both.receiver)
    for service in services:
        service.start()
    try:
        yield services
    finally:
        for service in services:
            service.stop()


@contextmanager
def as_processes(both: Homes, workers: int) -> Iterator[None]:
    """Each connector as `emla run` runs it, with worker processes."""
    processes = [ConnectorProcess(both.sender), ConnectorProcess(both.receiver)]
    try:
        for process in processes:
            process.start()
        for process in processes:
            process.wait_until_up(workers)
        yield
        for process in processes:
            process.stop()
    finally:
        for process in processes:
            process.end()
