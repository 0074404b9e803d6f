"""Key files: what is read, what is refused, and that nothing is shown."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed448
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, pkcs12

from connector.errors import Kind
from connector.signature.algorithms import (
    ECDSA_SHA256,
    ECDSA_SHA384,
    ED25519,
    RSA_SHA256,
    SIGNATURE_METHODS,
    verify,
)
from connector.signature.keys import (
    DecryptionKey,
    SigningKey,
    load_decryption_key,
    load_signing_key,
    wrap,
)
from connector.signature.pki import KeyType, make_pki, write_key
from connector.signature.trust import Purpose, TrustStore
from tests.signature.conftest import TestPki, made
from tests.signature.moments import NOW
from tests.signature.refusals import refused
from tests.signature.test_xades import POLICY


def same(one: SigningKey, other: SigningKey) -> bool:
    return (
        one.certificate == other.certificate
        and one.intermediates == other.intermediates
        and one.private.public_key() == other.private.public_key()
    )


def test_pem_round_trip(tmp_path: Path, any_pki: TestPki) -> None:
    path = tmp_path / "key.pem"
    write_key(path, any_pki.key)
    assert path.stat().st_mode & 0o777 == 0o600
    assert same(load_signing_key(path), any_pki.key)


def protected(key: SigningKey, password: bytes, *, as_pem: bool) -> bytes:
    if as_pem:
        private = key.private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, serialization.BestAvailableEncryption(password)
        )
        # The certificate stands last here: their order in a file is anybody's choice.
        certificates = (*key.intermediates, key.certificate)
        return private + b"".join(c.public_bytes(Encoding.PEM) for c in certificates)
    return pkcs12.serialize_key_and_certificates(
        b"emla",
        key.private,
        key.certificate,
        key.intermediates,
        serialization.BestAvailableEncryption(password),
    )


@pytest.mark.parametrize("as_pem", [True, False])
def test_with_password(tmp_path: Path, any_pki: TestPki, as_pem: bool) -> None:
    path = tmp_path / "key"
    path.write_bytes(protected(any_pki.key, b"geheim", as_pem=as_pem))
    path.chmod(0o400)
    assert same(load_signing_key(path, b"geheim"), any_pki.key)
    for wrong in (b"wrong", None):
        with refused("key.unreadable", Kind.CONFIGURATION):
            load_signing_key(path, wrong)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_keys_that_others_may_use(tmp_path: Path, pki: TestPki, mode: int) -> None:
    path = tmp_path / "key.pem"
    write_key(path, pki.key)
    path.chmod(mode)
    with refused("key.readable-by-others", Kind.CONFIGURATION):
        load_signing_key(path)


def test_files_that_are_no_keys(tmp_path: Path, pki: TestPki, rsa_pki: TestPki) -> None:
    path = tmp_path / "key.pem"
    with refused("key.missing", Kind.CONFIGURATION):
        load_signing_key(path)

    def refuse(data: bytes, code: str) -> None:
        path.write_bytes(data)
        path.chmod(0o600)
        with refused(code, Kind.CONFIGURATION):
            load_signing_key(path)

    def private(key: object) -> bytes:
        return key.private_bytes(  # type: ignore[attr-defined,no-any-return]
            Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    refuse(b"words", "key.unreadable")
    refuse(b"", "key.unreadable")
    refuse(pki.key.certificate.public_bytes(Encoding.PEM), "key.unreadable")
    refuse(private(pki.key.private), "key.no-certificate")
    other = rsa_pki.key.certificate.public_bytes(Encoding.PEM)
    refuse(private(pki.key.private) + other, "key.no-certificate")
    refuse(private(ed448.Ed448PrivateKey.generate()) + other, "key.no-certificate")


def test_nothing_is_shown(any_pki: TestPki) -> None:
    shown = f"{any_pki.key!r} {any_pki.key}"
    assert "certificate=" in shown
    assert "private" not in shown.lower()
    assert "Key object" not in shown


def test_default_methods() -> None:
    wanted = {
        KeyType.RSA_2048: RSA_SHA256,
        KeyType.P256: ECDSA_SHA256,
        KeyType.P384: ECDSA_SHA384,
        KeyType.ED25519: ED25519,
    }
    assert {kind: made(kind).key.algorithm for kind in wanted} == wanted


def test_every_method_signs_what_it_verifies(any_pki: TestPki) -> None:
    key = any_pki.key
    public = POLICY.check_key(key.certificate.public_key())
    for uri, method in SIGNATURE_METHODS.items():
        if not method.fits(key.private):
            with refused("signature.wrong-key", Kind.CONFIGURATION):
                key.sign(b"data", uri)
            assert not verify(public, method, b"x" * 64, b"data")
            continue
        value = key.sign(b"data", uri)
        assert verify(public, method, value, b"data")
        assert not verify(public, method, value, b"Data")
        assert not verify(public, method, value[:-1], b"data")
        assert not verify(public, method, value + b"\0", b"data")
        assert not verify(public, method, b"", b"data")


def test_unknown_method(pki: TestPki) -> None:
    with refused("signature.wrong-key", Kind.CONFIGURATION):
        pki.key.sign(b"data", "urn:none")


def test_content_keys(tmp_path: Path, pki: TestPki) -> None:
    country = make_pki(tmp_path, ["DE"], NOW).countries["DE"]
    key = load_decryption_key(country.transport)
    content_key = secrets.token_bytes(16)
    wrapped = wrap(content_key, key.certificate)
    assert key.unwrap(wrapped) == content_key
    other = load_decryption_key(make_pki(tmp_path / "2", ["DE"], NOW).countries["DE"].transport)
    for wrong, by in ((wrapped, other), (wrapped[:-1], key), (b"", key), (b"\0" * 256, key)):
        with refused("encryption.unwrap"):
            by.unwrap(wrong)
    with refused("encryption.wrong-key", Kind.CONFIGURATION):
        wrap(content_key, pki.key.certificate)
    assert "private" not in repr(key)
    assert isinstance(key, DecryptionKey)


def test_a_key_that_cannot_decrypt(tmp_path: Path, pki: TestPki) -> None:
    write_key(tmp_path / "key.pem", pki.key)
    with refused("key.unknown-type", Kind.CONFIGURATION):
        load_decryption_key(tmp_path / "key.pem")


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, KeyType.P256, KeyType.ED25519])
def test_a_demonstration_pki(tmp_path: Path, key_type: KeyType) -> None:
    pki = make_pki(tmp_path / "pki", ["DE", "FR"], NOW, key_type=key_type)
    store = TrustStore.from_folder(pki.trust)
    for country, keys in pki.countries.items():
        for path in (keys.signature, keys.seal, keys.evidence, keys.transport):
            assert path.stat().st_mode & 0o777 == 0o600
            key = load_signing_key(path)
            store.validate(key.certificate, key.intermediates, NOW, POLICY)
            assert f"C={country}" in key.certificate.subject.rfc4514_string()
        transport = load_decryption_key(keys.transport)
        intermediates = load_signing_key(keys.transport).intermediates
        store.validate(transport.certificate, intermediates, NOW, POLICY, Purpose.ENCRYPTION)
        assert b"PRIVATE" not in keys.transport_certificate.read_bytes()
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and "ca" in p.name.split(".")]
    with pytest.raises(FileExistsError):
        make_pki(tmp_path / "pki", ["DE"], NOW, key_type=key_type)


def test_keys_are_written_for_their_owner_alone(tmp_path: Path, pki: TestPki) -> None:
    before = os.umask(0)
    try:
        write_key(tmp_path / "key.pem", pki.key)
    finally:
        os.umask(before)
    assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
