"""Revocation data: where it comes from, how long it is used, what it says about a path."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from connector.errors import Kind
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.fetching import HttpFetcher, Timeouts
from connector.signature.revocation import (
    Checking,
    HttpRevocation,
    RevocationData,
    RevocationSource,
    StoredRevocation,
    Together,
)
from connector.signature.revocation_checking import RevocationChecker, check_path, gather
from connector.signature.trust import TrustStore
from tests.signature.certomancer_pki import NOW, REVOKED_SINCE, Pki, running
from tests.signature.refusals import refused

POLICY = AlgorithmPolicy()
QUICK = Timeouts(connect=0.5, read=0.5, total=1)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    with running(tmp_path_factory.mktemp("pki")) as pki:
        yield pki


@pytest.fixture
def ca(_running: Pki) -> Pki:
    _running.at(NOW)
    _running.requests.clear()
    return _running


def online(ca: Pki, cache: Path | None = None) -> HttpRevocation:
    return HttpRevocation(HttpFetcher(QUICK), cache=cache, now=lambda: ca.now)


def path(ca: Pki, label: str = "signer") -> tuple[x509.Certificate, ...]:
    return tuple(ca.certificate(each) for each in (label, "ca", "root"))


def checker(
    ca: Pki, source: RevocationSource, checking: Checking = Checking.DECLARED
) -> TrustStore:
    revocation = RevocationChecker(source, checking, now=lambda: ca.now)
    return TrustStore([ca.certificate("root")], revocation=revocation)


def validate(store: TrustStore, ca: Pki, label: str = "signer") -> None:
    store.validate(ca.certificate(label), [ca.certificate("ca")], ca.now, POLICY)


def test_in_the_trust_store(ca: Pki) -> None:
    store = checker(ca, online(ca))
    validate(store, ca)
    asked = list(ca.requests)
    validate(store, ca)
    assert ca.requests == asked, "a good path is remembered"
    ca.at(NOW + timedelta(minutes=11))
    validate(store, ca)
    assert ca.requests != asked, "but not for long"
    with refused("certificate.revoked"):
        validate(store, ca, "revoked")


def test_revoked_later_did_count_then(ca: Pki) -> None:
    """A message of last year is processed again: what was revoked since did count."""
    data = gather(path(ca, "revoked"), online(ca))
    check_path(path(ca, "revoked"), data, REVOKED_SINCE - DAY)
    with refused("certificate.revoked"):
        check_path(path(ca, "revoked"), data, REVOKED_SINCE + DAY)


@pytest.mark.parametrize("checking", list(Checking))
def test_what_must_be_known(ca: Pki, checking: Checking) -> None:
    nothing = Together([])
    store = checker(ca, nothing, checking)
    if checking is Checking.NONE:
        validate(store, ca)
        return
    with refused("certificate.revocation-unknown", Kind.TRANSIENT):
        validate(store, ca)


def test_undeclared(ca: Pki) -> None:
    """A certificate that names neither CRL nor responder."""
    members = (ca.certificate("stranger"), ca.certificate("stranger-ca"))
    check_path(members, RevocationData(), NOW, Checking.DECLARED)
    with refused("certificate.revocation-unknown", Kind.TRANSIENT):
        check_path(members, RevocationData(), NOW, Checking.REQUIRED)


def test_ocsp_first_then_crl(ca: Pki) -> None:
    found = online(ca).find(ca.certificate("signer"), ca.certificate("ca"))
    assert len(found.ocsps) == 1 and not found.crls
    for answer in (lambda _: 500, lambda _: b"words", lambda _: b"\x30\x03\x0a\x01\x06"):
        with ca.answering("/pki/ocsp/ca", answer):
            found = online(ca).find(ca.certificate("signer"), ca.certificate("ca"))
        assert len(found.crls) == 1 and not found.ocsps
    with (
        ca.answering("/pki/ocsp/ca", lambda _: 500),
        ca.answering("/pki/crls/ca/latest.crl", lambda _: b"words"),
    ):
        assert not online(ca).find(ca.certificate("signer"), ca.certificate("ca"))


def test_kept_until_there_is_newer_data(ca: Pki, tmp_path: Path) -> None:
    source = online(ca, tmp_path)
    first = gather(path(ca), source)
    ca.requests.clear()
    assert gather(path(ca), source) == first and ca.requests == []
    ca.at(NOW + timedelta(minutes=15))  # OCSP responses of the PKI are good for ten minutes
    assert gather(path(ca), source) != first
    assert ca.requests == ["/pki/ocsp/ca"]
    # What lies there may be anything by now.
    for file in tmp_path.iterdir():
        file.write_bytes(b"words")
    assert gather(path(ca), source).ocsps and not list(tmp_path.glob(".new-*"))


def test_old_data_is_given_when_nothing_can_be_fetched(ca: Pki, tmp_path: Path) -> None:
    source = online(ca, tmp_path)
    first = gather(path(ca), source)
    ca.at(NOW + 90 * DAY)
    with (
        ca.answering("/pki/ocsp/ca", lambda _: 500),
        ca.answering("/pki/crls/ca/latest.crl", lambda _: 500),
        ca.answering("/pki/crls/root/latest.crl", lambda _: 500),
    ):
        old = gather(path(ca), source)
    assert old.ocsps == first.ocsps
    with refused("certificate.revocation-unknown", Kind.TRANSIENT):
        check_path(path(ca), old, ca.now)


def test_from_a_folder(ca: Pki, tmp_path: Path) -> None:
    found = gather(path(ca), online(ca))
    for number, der in enumerate(found.ocsps):
        (tmp_path / f"{number}.ocsp").write_bytes(der)
    for number, der in enumerate(found.crls):
        (tmp_path / f"{number}.crl").write_bytes(der)
    (tmp_path / "README").write_text("not revocation data")
    (tmp_path / "broken.crl").write_bytes(b"words")
    source = StoredRevocation(tmp_path)
    check_path(path(ca), gather(path(ca), source), NOW, Checking.REQUIRED)
    with refused("revocation.no-folder", Kind.CONFIGURATION):
        StoredRevocation(tmp_path / "none")
    with refused("revocation.no-folder", Kind.CONFIGURATION):
        HttpRevocation(HttpFetcher(QUICK), cache=tmp_path / "none")


# --- Times are bounded ---


@contextmanager
def dripping(head: bytes, drop: bytes, pause: float) -> Iterator[str]:
    """A server that answers a little at a time, for ever."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    try:
                        connection.sendall(head)
                        while not stop.wait(pause):
                            connection.sendall(drop)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize(
    ("head", "drop", "pause"),
    [
        (b"", b"", 60),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"", 60),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x", 0.1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.1),
    ],
)
def test_slow_servers(head: bytes, drop: bytes, pause: float) -> None:
    with dripping(head, drop, pause) as url:
        begun = time.monotonic()
        with refused("web.unreachable", Kind.TRANSIENT):
            HttpFetcher(QUICK).get(url, limit=10**6)
        assert time.monotonic() - begun < 5


def test_endless_answers() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    with dripping(head, b"x" * 65536, 0.001) as url, refused("web.too-large", Kind.TRANSIENT):
        HttpFetcher(QUICK).get(url, limit=10**6)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "x", ""])
def test_other_addresses(url: str) -> None:
    with refused("web.refused", Kind.TRANSIENT):
        HttpFetcher(QUICK).get(url, limit=100)


def test_nobody_there() -> None:
    with refused("web.unreachable", Kind.TRANSIENT):
        HttpFetcher(QUICK).get("http://127.0.0.1:9/", limit=100)
