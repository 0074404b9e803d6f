"""What tests share: a database, a broker prefix, a store with queues of their own.

`make test` starts RabbitMQ and PostgreSQL and says where they are; without them (a bare `pytest`)
the tests that need them are skipped. `eval "$(deploy/services.sh start)"` brings them up by hand.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest
from hypothesis import settings
from sqlalchemy import create_engine, make_url, text

from connector.queueing.retry import LADDER
from connector.queueing.topology import Topology
from connector.store import open_store
from tests.interop.matrix import pytest_terminal_summary  # noqa: F401 a hook
from tests.queues import ENGINES, Bench

# The machines that run these tests are shared: how long one example took says nothing.
settings.register_profile("emla", deadline=None)
settings.load_profile("emla")

_START = 'run `make test`, or first: eval "$(deploy/services.sh start)"'


def _service(variable: str) -> str:
    if url := os.environ.get(variable):
        return url
    pytest.skip(f"{variable} is not set; {_START}")


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """The URL of a fresh, empty database."""
    server = _service("EMLA_TEST_POSTGRESQL")
    name = f"emla_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()


@pytest.fixture
def amqp_url() -> str:
    """The URL of the broker. Use `amqp_prefix` for the names of queues."""
    return _service("EMLA_TEST_AMQP")


@pytest.fixture
def amqp_prefix(amqp_url: str) -> Iterator[str]:
    """A prefix nobody else uses; what was declared under it is deleted afterwards."""
    prefix = f"test-{uuid.uuid4().hex[:12]}"
    yield prefix
    delete_topology(amqp_url, prefix)


def delete_topology(url: str, prefix: str) -> None:
    """Delete the exchanges and queues of a prefix, whatever its ladder was."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for method, arguments in Topology(prefix, LADDER).steps():
            if method == "queue_declare":
                channel.queue_delete(arguments["queue"])
            elif method == "exchange_declare":
                channel.exchange_delete(arguments["exchange"])


@pytest.fixture(params=ENGINES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """One bench for each pair of engines."""
    queue, database = request.param
    store_url = f"sqlite:///{tmp_path}/emla.db"
    if database == "postgresql":
        store_url = request.getfixturevalue("postgresql_url")
    url, prefix = "embedded", ""
    if queue == "rabbitmq":
        url = request.getfixturevalue("amqp_url")
        prefix = request.getfixturevalue("amqp_prefix")
    store = open_store(store_url, tmp_path / "payloads")
    bench = Bench(store, url, prefix)
    try:
        yield bench
    finally:
        for each in bench.queues:
            each.close()
        store.close()
