"""https to the gateway: whom we trust, and whom we tell who we are."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.errors import ConnectorError, Kind
from gateway_client.domibus import DomibusGateway
from tests.domibus.standin import Standin


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Self-signed for 127.0.0.1; PEM of key and certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "gateway.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def https(standin: Standin, certificate: Path) -> str:
    """The stand-in behind TLS that demands a client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    standin.server.socket = context.wrap_socket(standin.server.socket, server_side=True)
    return standin.url.replace("http://", "https://")


def test_mutual_tls(https: str, connect: Callable[..., DomibusGateway], certificate: Path) -> None:
    client = connect(url=https, ca_file=certificate, client_certificate=certificate)
    assert client.pending() == ()


def test_unknown_authority(
    https: str, connect: Callable[..., DomibusGateway], certificate: Path
) -> None:
    with pytest.raises(ConnectorError) as caught:
        connect(url=https, client_certificate=certificate).pending()
    assert (caught.value.kind, caught.value.code) == (Kind.CONFIGURATION, "domibus.tls")


def test_another_host(
    https: str, connect: Callable[..., DomibusGateway], certificate: Path
) -> None:
    other = https.replace("127.0.0.1", "localhost")
    with pytest.raises(ConnectorError) as caught:
        connect(url=other, ca_file=certificate, client_certificate=certificate).pending()
    assert (caught.value.kind, caught.value.code) == (Kind.CONFIGURATION, "domibus.tls")


def test_without_own_certificate(
    https: str, connect: Callable[..., DomibusGateway], certificate: Path
) -> None:
    with pytest.raises(ConnectorError) as caught:
        connect(url=https, ca_file=certificate).pending()
    assert caught.value.code in ("domibus.unreachable", "domibus.connection-lost")


def test_certificate_that_is_none(connect: Callable[..., DomibusGateway], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ConnectorError) as caught:
        connect(url="https://127.0.0.1:1/x", ca_file=tmp_path / "ca.pem")
    assert (caught.value.kind, caught.value.code) == (Kind.CONFIGURATION, "domibus.tls-files")
