"""What a person is told when the broker cannot be used."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pika
import pytest

from connector.errors import ConnectorError, Kind
from connector.queueing.open import open_queue
from connector.store import open_store


def code_of(url: str, folder: Path, prefix: str = "emla") -> tuple[str, Kind]:
    store = open_store(f"sqlite:///{folder}/emla.db", folder / "payloads")
    try:
        with pytest.raises(ConnectorError) as caught:
            open_queue(url, store, prefix=prefix).take(wait=0)
        assert "secret" not in str(caught.value)
        return caught.value.code, caught.value.kind
    finally:
        store.close()


@pytest.mark.parametrize("url", ["", "redis://host", "embedded2", "amqp://host:port/"])
def test_other_urls(url: str, tmp_path: Path) -> None:
    assert code_of(url, tmp_path) == ("queue.url", Kind.CONFIGURATION)


def test_nobody_listens(tmp_path: Path) -> None:
    url = "amqp://user:secret@127.0.0.1:1/"
    assert code_of(url, tmp_path) == ("queue.down", Kind.TRANSIENT)


def test_a_wrong_password(amqp_url: str, tmp_path: Path) -> None:
    parts = urlsplit(amqp_url)
    wrong = urlunsplit(parts._replace(netloc=f"emla:secret@127.0.0.1:{parts.port}"))
    assert code_of(wrong, tmp_path) == ("queue.refused", Kind.CONFIGURATION)


def test_an_unknown_virtual_host(amqp_url: str, tmp_path: Path) -> None:
    wrong = urlunsplit(urlsplit(amqp_url)._replace(path="/nowhere"))
    assert code_of(wrong, tmp_path) == ("queue.refused", Kind.CONFIGURATION)


def test_a_queue_made_otherwise(amqp_url: str, amqp_prefix: str, tmp_path: Path) -> None:
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        connection.channel().queue_declare(f"{amqp_prefix}.routine", durable=True)
    assert code_of(amqp_url, tmp_path, amqp_prefix) == ("queue.mismatch", Kind.CONFIGURATION)


def test_a_deleted_queue_is_noticed_and_made_again(
    amqp_url: str, amqp_prefix: str, tmp_path: Path
) -> None:
    from tests.queues import new_job, take_one

    store = open_store(f"sqlite:///{tmp_path}/emla.db", tmp_path / "payloads")
    queue = open_queue(amqp_url, store, prefix=amqp_prefix)
    queue.depth()
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        connection.channel().queue_delete(f"{amqp_prefix}.routine")
    job = new_job()
    with store.transaction() as tx:
        tx.enqueue(job)
    with pytest.raises(ConnectorError) as caught:
        queue.relay()
    assert caught.value.code == "queue.down"
    assert queue.relay() == 1
    assert take_one(queue).job == job
    queue.close()
    store.close()
