"""Certificates out of PEM, DER, PKCS#12 and Java key stores."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import ConnectorError, Kind
from connector.signature import jks
from connector.signature.trust_files import certificates_in, trust_of
from tests.signature.conftest import TestPki
from tests.signature.refusals import refused

PASSWORD = b"secret"


def test_pem_and_der(tmp_path: Path, pki: TestPki) -> None:
    root, issuer = pki.root.key.certificate, pki.issuer.key.certificate
    path = tmp_path / "any"
    path.write_bytes(root.public_bytes(Encoding.PEM) + issuer.public_bytes(Encoding.PEM))
    assert certificates_in(path) == [root, issuer]
    path.write_bytes(root.public_bytes(Encoding.DER))
    assert certificates_in(path) == [root]


def test_pkcs12(tmp_path: Path, pki: TestPki) -> None:
    path = tmp_path / "store.p12"
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"x", None, None, [pki.root.key.certificate, pki.key.certificate], NoEncryption()
        )
    )
    store = trust_of(certificates_in(path))
    assert store.anchors == (pki.root.key.certificate,)
    assert store.pinned == {pki.key.certificate}


@pytest.fixture(scope="module", params=["JKS", "JCEKS", "PKCS12"])
def made_store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pki: TestPki
) -> Path:
    """As keytool makes it: trusted certificates, and a key with its chain."""
    tmp_path = tmp_path_factory.mktemp("store")
    if shutil.which("keytool") is None:
        pytest.skip("keytool is not installed (apt install default-jre-headless)")
    path = tmp_path / "trust.store"
    common = ["-keystore", str(path), "-storepass", "secret", "-storetype", request.param]
    for name, certificate in (("root", pki.root.key.certificate), ("ü", pki.key.certificate)):
        (tmp_path / "c.der").write_bytes(certificate.public_bytes(Encoding.DER))
        run("-importcert", "-noprompt", "-alias", name, "-file", str(tmp_path / "c.der"), *common)
    run("-genkeypair", "-alias", "own", "-keyalg", "EC", "-dname", "CN=own", "-keypass", "secret",
        *common)  # fmt: skip
    return path


def run(*arguments: str) -> None:
    command = ["keytool", "-J-XX:TieredStopAtLevel=1", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def java_store(made_store: Path, tmp_path: Path) -> Path:
    """A copy."""
    return Path(shutil.copy(made_store, tmp_path))


def test_java_key_stores(java_store: Path, pki: TestPki) -> None:
    found = certificates_in(java_store, PASSWORD)
    assert {pki.root.key.certificate, pki.key.certificate} <= set(found)
    assert len(found) == 3
    with pytest.raises(ConnectorError) as caught:
        certificates_in(java_store, b"other")
    assert caught.value.code in {"trust.wrong-password", "trust.unreadable"}
    assert caught.value.problems[0].file == str(java_store)


def test_an_altered_java_key_store(java_store: Path) -> None:
    data = bytearray(java_store.read_bytes())
    if data[:4] not in jks.MAGIC:
        return
    data[40] ^= 1
    java_store.write_bytes(data)
    with refused("trust.wrong-password", Kind.CONFIGURATION):
        certificates_in(java_store, PASSWORD)


@settings(max_examples=200)
@given(st.sampled_from(jks.MAGIC), st.binary(max_size=80))
def test_any_bytes_after_the_magic(magic: bytes, rest: bytes) -> None:
    with pytest.raises(ConnectorError):
        jks.certificates(magic + b"\0\0\0\2\0\0\0\1" + rest, None)


def test_files_that_are_no_use(tmp_path: Path) -> None:
    with refused("trust.missing", Kind.CONFIGURATION):
        certificates_in(tmp_path / "none")
    path = tmp_path / "x"
    for data in (b"", b"words"):
        path.write_bytes(data)
        with refused("trust.unreadable", Kind.CONFIGURATION):
            certificates_in(path)
