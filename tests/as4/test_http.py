"""Client and endpoint over sockets: refusals, retries, duplicates, limits."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from connector.errors import ConnectorError, Kind, transient, unacceptable
from gateway_client.as4.ebms import ReportedError, SignalMessage
from gateway_client.as4.ebms_reading import read_messaging
from gateway_client.as4.endpoint import EndpointLimits, as4_app
from gateway_client.as4.soap import read_envelope
from gateway_client.model import PartyId
from gateway_client.pmode.model import PModes, Retry, Tls
from tests.as4.access_points import (
    BLUE_KEY,
    Inbox,
    blue_endpoint,
    decryption,
    message,
    payload,
    pmode,
    red_client,
    secured,
    serving,
)
from tests.as4.forging import joined, sent

ONE = message(payload(b"content"))
ONCE = Retry(delays=())


def failure(url: str, scratch: Path, **changes: object) -> ConnectorError:
    """How sending to `url` fails."""
    client = red_client(pmode(url, retry=ONCE, **changes), scratch)
    with pytest.raises(ConnectorError) as caught:
        client.submit(ONE)
    client.close()
    return caught.value


def post(url: str, entity: tuple[str, bytes]) -> tuple[int, ReportedError]:
    answer = urllib3.request("POST", url, body=entity[1], headers={"Content-Type": entity[0]})
    signal = read_messaging(read_envelope(answer.data).messaging)
    assert isinstance(signal, SignalMessage)
    return answer.status, signal.errors[0]


def test_duplicates_get_a_receipt_of_their_own_and_are_taken_once(tmp_path: Path) -> None:
    inbox = Inbox()
    with blue_endpoint(inbox) as url:
        client = red_client(pmode(url), tmp_path)
        receipts = {client.submit(ONE).receipt for _ in range(3)}
    assert inbox.calls == 3 and len(inbox.messages) == 1 and len(receipts) == 3


def test_many_at_once(tmp_path: Path) -> None:
    inbox = Inbox()
    with blue_endpoint(inbox) as url, ThreadPoolExecutor(8) as pool:
        client = red_client(pmode(url), tmp_path)
        content = os.urandom(300_000)
        many = [message(payload(content), id=f"m{i}@red") for i in range(40)]
        assert all(s.delivered for s in pool.map(client.submit, many))
    assert len(inbox.messages) == 40


def test_the_receivers_failures_reach_the_sender(tmp_path: Path) -> None:
    inbox = Inbox(failure=transient("store.full", "The disk is full."))
    with blue_endpoint(inbox) as url:
        error = failure(url, tmp_path)
        assert (error.code, error.kind) == ("as4.refused-by-partner", Kind.TRANSIENT)
        assert "EBMS:0202" in str(error) and "disk" not in str(error)
        inbox.failure = unacceptable("envelope.unknown", "No such authority.")
        error = failure(url, tmp_path)
        assert (error.code, error.kind) == ("as4.refused-by-partner", Kind.UNACCEPTABLE)
        assert "No such authority" in str(error)
        inbox.failure = None
        assert red_client(pmode(url), tmp_path).submit(ONE).delivered


def test_a_program_error_in_the_receiver_is_no_receipt(tmp_path: Path) -> None:
    class Broken(Inbox):
        def receive(self, message: object, raw: bytes) -> bool:
            raise RuntimeError("bug")

    with blue_endpoint(Broken()) as url:
        error = failure(url, tmp_path)
    assert (error.code, error.kind) == ("as4.no-answer", Kind.TRANSIENT)


def test_a_disk_that_fills_up_while_a_payload_arrives(tmp_path: Path) -> None:
    class Full(Inbox):
        def writer(self):  # type: ignore[no-untyped-def]
            writer = super().writer()
            writer.write = lambda chunk: (_ for _ in ()).throw(transient("store.full", "Full."))
            return writer

    inbox = Full()
    with blue_endpoint(inbox) as url:
        error = failure(url, tmp_path)
    assert error.kind is Kind.TRANSIENT and inbox.calls == 0
    assert all(w.aborted for w in inbox.writers)


def test_what_the_partner_refuses(tmp_path: Path) -> None:
    with blue_endpoint(Inbox()) as url:
        renamed = replace(ONE.sender, id=PartyId("eve"))
        stranger = pmode(url, initiator=renamed, retry=ONCE)
        with pytest.raises(ConnectorError, match=r"EBMS:0010.*pmode.unknown-sender"):
            red_client(stranger, tmp_path).submit(replace(ONE, sender=renamed))
        wrong = failure(url, tmp_path, security=secured(pmode(), encrypt=False).security)
        assert "EBMS:0103" in str(wrong) and wrong.kind is Kind.UNACCEPTABLE


def test_what_is_not_agreed_is_not_sent(tmp_path: Path) -> None:
    client = red_client(pmode(None), tmp_path)
    for sent_message, code in (
        (ONE, "pmode.no-endpoint"),
        (replace(ONE, action="Other"), "pmode.no-match"),
    ):
        with pytest.raises(ConnectorError) as caught:
            client.submit(sent_message)
        assert caught.value.code == code
    nobody = secured(pmode("http://127.0.0.1:9/"), encrypt_for=None)
    with pytest.raises(ConnectorError, match=r"pmode\.no-encryption-certificate"):
        red_client(nobody, tmp_path).submit(ONE)
    absent = pmode("https://127.0.0.1:9/", tls=Tls(ca_file=tmp_path / "absent.pem"))
    with pytest.raises(ConnectorError, match=r"as4\.tls"):
        red_client(absent, tmp_path).submit(ONE)


@contextmanager
def scripted(*answers: bytes | None) -> Iterator[tuple[str, list[int]]]:
    """A server that reads some of a request, gives the next answer (None: hangs) and closes."""
    requests: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                requests.append(len(connection.recv(65536)))
                if answer is None:
                    held.append(connection)
                else:
                    connection.sendall(answer)
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/as4", requests
        for connection in held:
            connection.close()


def test_nobody_there_hangs_garbage_and_cut_connections(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/", tmp_path).code == "as4.no-answer"
    for answer, code in (
        (b"", "as4.no-answer"),
        (b"garbage\r\n\r\n", "as4.no-answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "as4.no-answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "as4.no-receipt"),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "as4.no-answer"),
        (None, "as4.no-answer"),
    ):
        with scripted(answer) as (url, _):
            error = failure(url, tmp_path, answer_timeout=0.3)
        assert (error.code, error.kind) == (code, Kind.TRANSIENT), answer


def test_the_same_message_is_sent_again_as_often_as_the_pmode_says(tmp_path: Path) -> None:
    waited: list[float] = []
    retry = Retry(delays=(timedelta(seconds=1), timedelta(seconds=5)))
    with scripted(b"", b"", b"") as (url, requests):
        client = red_client(pmode(url, retry=retry), tmp_path, sleep=waited.append)
        with pytest.raises(ConnectorError, match=r"as4\.no-answer"):
            client.submit(ONE)
    assert len(requests) == 3 and waited == [1.0, 5.0]
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
    with scripted(refusal, b"") as (url, requests):
        client = red_client(pmode(url, retry=retry), tmp_path, sleep=waited.append)
        with pytest.raises(ConnectorError, match=r"as4\.http-refused"):
            client.submit(ONE)
    assert len(requests) == 1


def test_a_connection_gone_stale_between_two_messages(tmp_path: Path) -> None:
    inbox = Inbox()
    modes = PModes((pmode(own=BLUE_KEY),))

    def app():  # type: ignore[no-untyped-def]
        return as4_app(modes, BLUE_KEY, decryption(BLUE_KEY), inbox)

    with serving(app()) as url:
        client = red_client(pmode(f"{url}/as4"), tmp_path)
        client.submit(ONE)
    with serving(app(), port=urlsplit(url).port or 0):
        assert client.submit(message(id="m2@red")).delivered
    assert len(inbox.messages) == 2


def test_requests_that_are_no_message() -> None:
    with blue_endpoint(Inbox()) as url:
        assert urllib3.request("GET", url).status == 405
        health = urllib3.request("GET", url.replace("/as4", "/health"))
        assert (health.status, health.json()) == (200, {"status": "up"})
        status, error = post(url, ("text/plain", b"hello"))
        assert (status, error.code) == (415, "EBMS:0007")
        status, error = post(url, ("application/soap+xml", b"hello"))
        assert (status, error.code) == (400, "EBMS:0009")
        content_type, body = joined(sent(ONE))
        status, error = post(url, (content_type, body[:-20]))
        assert (status, error.code) == (200, "EBMS:0007")
        assert error.ref_to_message == "m1@red"


def test_a_soap_fault_for_what_must_be_understood() -> None:
    envelope = sent(message())[0].data.replace(
        b"</env:Header>", b'<x xmlns="urn:x" env:mustUnderstand="1"/></env:Header>'
    )
    with blue_endpoint(Inbox()) as url:
        headers = {"Content-Type": "application/soap+xml"}
        answer = urllib3.request("POST", url, body=envelope, headers=headers)
    assert answer.status == 500 and b"env:MustUnderstand" in answer.data


def test_messages_that_are_too_large(tmp_path: Path) -> None:
    limits = EndpointLimits(max_message_bytes=100_000)
    with blue_endpoint(Inbox(), limits=limits) as url:
        big = message(payload(os.urandom(6_000_000), mime_type="image/jpeg"))
        client = red_client(pmode(url, retry=ONCE), tmp_path)
        with pytest.raises(ConnectorError) as caught:
            client.submit(big)
        # Said in the answer if it still finds the sender listening, by a closed connection else.
        assert caught.value.code in {"as4.refused-by-partner", "as4.no-answer"}
        status, error = post(url, ("application/soap+xml", b" " * 100_001))
        assert (status, "as4.message-too-large" in error.detail) == (413, True)


def request_head(url: str, length: int, content_type: str = "application/soap+xml") -> bytes:
    return (
        f"POST /as4 HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def test_slow_senders_are_bounded_and_hold_nobody_up(tmp_path: Path) -> None:
    limits = EndpointLimits(idle_seconds=0.4, least_rate=1000, threads=1)
    with blue_endpoint(Inbox(), limits=limits) as url:
        address = ("127.0.0.1", urlsplit(url).port or 0)
        silent = socket.create_connection(address)
        silent.sendall(request_head(url, 100_000))
        dripping = socket.create_connection(address)
        dripping.sendall(request_head(url, 100_000))
        started = time.monotonic()
        assert red_client(pmode(url), tmp_path).submit(ONE).delivered
        assert time.monotonic() - started < 0.4
        assert silent.recv(100).startswith(b"HTTP/1.1 408")
        answer = b""
        dripping.settimeout(0.1)
        while not answer and time.monotonic() - started < 5:
            try:
                dripping.sendall(b" ")
                answer = dripping.recv(100)
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < 3
        silent.close()
        dripping.close()


def test_no_more_at_once_than_allowed(tmp_path: Path) -> None:
    with blue_endpoint(Inbox(), limits=EndpointLimits(max_concurrent=1)) as url:
        address = ("127.0.0.1", urlsplit(url).port or 0)
        with socket.create_connection(address) as busy:
            busy.sendall(request_head(url, 100))
            time.sleep(0.1)
            error = failure(url, tmp_path)
            assert error.kind is Kind.TRANSIENT and "503" in str(error)
        time.sleep(0.1)
        assert red_client(pmode(url), tmp_path).submit(ONE).delivered


def test_a_sender_that_goes_away_leaves_nothing() -> None:
    inbox = Inbox()
    content_type, body = joined(sent(message(payload(os.urandom(4_000_000)))))
    with blue_endpoint(inbox) as url:
        with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as connection:
            connection.sendall(request_head(url, len(body), content_type) + body[:3_000_000])
            until = time.monotonic() + 5
            while not inbox.writers and time.monotonic() < until:
                time.sleep(0.01)
        while not all(w.aborted for w in inbox.writers) and time.monotonic() < until:
            time.sleep(0.01)
    assert inbox.writers and all(w.aborted for w in inbox.writers) and inbox.calls == 0


def test_scratch_files_go_when_sending_fails(tmp_path: Path) -> None:
    client = red_client(pmode("http://127.0.0.1:9/", retry=ONCE), tmp_path)
    with pytest.raises(ConnectorError):
        client.submit(message(payload(os.urandom(3_000_000))))
    assert list(tmp_path.iterdir()) == []
    gone = red_client(pmode("http://127.0.0.1:9/"), tmp_path / "gone")
    with pytest.raises(ConnectorError) as caught:
        gone.submit(message(payload(os.urandom(3_000_000))))
    assert (caught.value.code, caught.value.kind) == ("as4.scratch", Kind.TRANSIENT)
