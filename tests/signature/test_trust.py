"""Certificate paths: what counts, what does not, and why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from connector.errors import ConnectorError, Kind, unacceptable
from connector.signature.algorithms import RSA_SHA1, AlgorithmPolicy
from connector.signature.pki import Authority, KeyType
from connector.signature.trust import Purpose, TrustPath, TrustStore
from tests.signature.conftest import TestPki
from tests.signature.moments import NOW
from tests.signature.refusals import refused

POLICY = AlgorithmPolicy()
DAY = timedelta(days=1)


def pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(c.public_bytes(Encoding.PEM) for c in certificates)


def test_the_path_is_built_and_bounded_in_time(any_pki: TestPki) -> None:
    key = any_pki.key
    path = any_pki.trust.validate(key.certificate, key.intermediates, NOW, POLICY)
    assert path.certificates == (
        key.certificate,
        any_pki.issuer.key.certificate,
        any_pki.root.key.certificate,
    )
    assert path.not_after == key.certificate.not_valid_after_utc


def test_authorities_with_other_keys_than_the_leaf() -> None:
    for above, below in ((KeyType.ED25519, KeyType.RSA_2048), (KeyType.RSA_2048, KeyType.ED25519)):
        root = Authority.root("Root", NOW, key_type=above)
        issuer = root.authority("CA", NOW, key_type=KeyType.P384)
        key = issuer.issue("leaf", NOW, key_type=below)
        store = TrustStore([root.key.certificate])
        found = store.validate(key.certificate, key.intermediates, NOW, POLICY)
        assert len(found.certificates) == 3


def test_missing_intermediate(pki: TestPki) -> None:
    key = pki.key
    store = TrustStore([pki.root.key.certificate])
    with refused("certificate.unknown-issuer"):
        store.validate(key.certificate, (), NOW, POLICY)
    known = TrustStore([pki.root.key.certificate], intermediates=key.intermediates)
    known.validate(key.certificate, (), NOW, POLICY)


def test_time(pki: TestPki) -> None:
    """The cache must not make a path live longer than its certificates."""
    key = pki.issuer.issue("leaf", NOW, not_before=NOW, not_after=NOW + DAY, key_type=KeyType.P256)

    def check(days: float) -> None:
        pki.trust.validate(key.certificate, key.intermediates, NOW + days * DAY, POLICY)

    for _ in range(2):
        check(0)
        check(1)
        with refused("certificate.expired"):
            check(1.001)
        with refused("certificate.not-yet-valid"):
            check(-0.001)


def test_an_expired_authority(pki: TestPki) -> None:
    root = Authority.root("Root", NOW, key_type=KeyType.P256)
    issuer = root.authority("CA", NOW - 6 * 365 * DAY, key_type=KeyType.P256)
    key = issuer.issue("leaf", NOW, key_type=KeyType.P256)
    with refused("certificate.expired"):
        TrustStore([root.key.certificate]).validate(key.certificate, key.intermediates, NOW, POLICY)


def test_an_expired_anchor() -> None:
    root = Authority.root("Root", NOW - 11 * 365 * DAY, key_type=KeyType.P256)
    key = root.issue("leaf", NOW, key_type=KeyType.P256)
    with refused("certificate.expired"):
        TrustStore([root.key.certificate]).validate(key.certificate, (), NOW, POLICY)


def test_an_issuer_of_the_same_name_but_another_key(pki: TestPki) -> None:
    """A forger's root with our root's name."""
    other = Authority.root("Root", NOW, key_type=KeyType.P256)
    issuer = other.authority("CA", NOW, country="DE", key_type=KeyType.P256)
    key = issuer.issue("leaf", NOW, key_type=KeyType.P256)
    above = (*key.intermediates, other.key.certificate)
    with pytest.raises(ConnectorError) as caught:
        pki.trust.validate(key.certificate, above, NOW, POLICY)
    assert caught.value.code in {"certificate.unknown-issuer", "certificate.path-invalid"}


def test_an_end_entity_cannot_issue(pki: TestPki) -> None:
    """basicConstraints: the certificate of a connector is no CA's."""
    false_ca = Authority(pki.key, is_root=False)
    key = false_ca.issue("leaf", NOW, key_type=KeyType.P256)
    with refused("certificate.path-invalid"):
        pki.trust.validate(key.certificate, key.intermediates, NOW, POLICY)


def test_path_length(pki: TestPki) -> None:
    """A CA that may issue to end entities only makes another CA."""
    below = pki.issuer.authority("CA below", NOW, key_type=KeyType.P256)
    key = below.issue("leaf", NOW, key_type=KeyType.P256)
    with refused("certificate.path-invalid"):
        pki.trust.validate(key.certificate, key.intermediates, NOW, POLICY)


def test_usage(pki: TestPki) -> None:
    cipher = pki.issuer.issue(
        "leaf", NOW, key_type=KeyType.P256, signature=False, encipherment=True
    )
    pki.trust.validate(cipher.certificate, cipher.intermediates, NOW, POLICY, Purpose.ENCRYPTION)
    with refused("certificate.wrong-usage"):
        pki.trust.validate(cipher.certificate, cipher.intermediates, NOW, POLICY)
    with refused("certificate.wrong-usage"):
        pki.trust.validate(
            pki.key.certificate, pki.key.intermediates, NOW, POLICY, Purpose.ENCRYPTION
        )
    with refused("certificate.wrong-usage"):
        pki.trust.validate(pki.issuer.key.certificate, (), NOW, POLICY)


def test_self_signed_by_a_stranger(pki: TestPki) -> None:
    stranger = Authority.root("Stranger", NOW, key_type=KeyType.P256)
    false_leaf = stranger.issue("Stranger", NOW, private=stranger.key.private)
    for certificate in (stranger.key.certificate, false_leaf.certificate):
        with pytest.raises(ConnectorError) as caught:
            pki.trust.validate(certificate, (), NOW, POLICY)
        assert caught.value.code in {"certificate.unknown-issuer", "certificate.wrong-usage"}


def strange(root: Authority, algorithm: str) -> x509.Certificate:
    """Without extensions and without a name, signed by `root` with `algorithm`."""
    private = root.key.private
    assert isinstance(private, rsa.RSAPrivateKey)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(root.key.certificate.subject)
        .subject_name(x509.Name([]))
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
    )
    encoded = builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)
    made = asn1_x509.Certificate.load(encoded)
    for part in (made["tbs_certificate"]["signature"], made["signature_algorithm"]):
        part["algorithm"] = algorithm
    named = {"sha256_rsa": hashes.SHA256(), "sha1_rsa": hashes.SHA1()}
    tbs = made["tbs_certificate"].dump(force=True)
    made["signature_value"] = private.sign(tbs, padding.PKCS1v15(), named[algorithm])
    return x509.load_der_x509_certificate(made.dump(force=True))


def test_a_strange_but_good_certificate(rsa_pki: TestPki) -> None:
    """No extensions, no subject: RFC 5280 lets it be."""
    certificate = strange(rsa_pki.root, "sha256_rsa")
    rsa_pki.trust.validate(certificate, (), NOW, POLICY)


def test_certificates_signed_with_sha1(rsa_pki: TestPki) -> None:
    certificate = strange(rsa_pki.root, "sha1_rsa")
    with refused("certificate.weak-algorithm"):
        rsa_pki.trust.validate(certificate, (), NOW, POLICY)
    lenient = AlgorithmPolicy(permitted=frozenset({RSA_SHA1}))
    rsa_pki.trust.validate(certificate, (), NOW, lenient)


def test_pinned(pki: TestPki) -> None:
    store = TrustStore([], pinned=[pki.key.certificate])
    path = store.validate(pki.key.certificate, (), NOW, POLICY)
    assert path.certificates == (pki.key.certificate,)
    with refused("certificate.expired"):
        store.validate(pki.key.certificate, (), NOW + 4000 * DAY, POLICY)
    with refused("certificate.unknown-issuer"):
        other = pki.issuer.issue("other", NOW, key_type=KeyType.P256)
        store.validate(other.certificate, other.intermediates, NOW, POLICY)


def test_nobody_is_trusted_by_an_empty_store(pki: TestPki) -> None:
    with refused("certificate.unknown-issuer"):
        TrustStore([]).validate(pki.key.certificate, pki.key.intermediates, NOW, POLICY)


def test_too_many_certificates_from_the_sender(pki: TestPki) -> None:
    with refused("certificate.path-invalid"):
        pki.trust.validate(
            pki.issuer.issue("x", NOW, key_type=KeyType.P256).certificate,
            [pki.issuer.key.certificate] * 17,
            NOW,
            POLICY,
        )


def test_what_one_policy_permits_another_does_not_inherit(pki: TestPki) -> None:
    key = pki.issuer.issue("leaf", NOW, private=rsa.generate_private_key(65537, 1024))
    lenient = AlgorithmPolicy(rsa_bits=1024)
    pki.trust.validate(key.certificate, key.intermediates, NOW, lenient)
    with pytest.raises(ConnectorError) as caught:
        pki.trust.validate(key.certificate, key.intermediates, NOW, POLICY)
    assert caught.value.code in {"signature.weak-key", "certificate.weak-algorithm"}


def test_revocation_is_asked_every_time(pki: TestPki) -> None:
    asked: list[Any] = []

    def revocation(path: TrustPath, at: Any) -> None:
        asked.append((path.certificates[0], at))
        if len(asked) > 2:
            raise unacceptable("certificate.revoked", "Revoked.")

    store = TrustStore([pki.root.key.certificate], revocation=revocation)
    for _ in range(2):
        store.validate(pki.key.certificate, pki.key.intermediates, NOW, POLICY)
    with refused("certificate.revoked"):
        store.validate(pki.key.certificate, pki.key.intermediates, NOW, POLICY)
    assert asked == [(pki.key.certificate, NOW)] * 3


def test_inside_an_event_loop(pki: TestPki) -> None:
    import asyncio

    async def inside() -> TrustPath:
        store = TrustStore([pki.root.key.certificate])
        return store.validate(pki.key.certificate, pki.key.intermediates, NOW, POLICY)

    assert len(asyncio.run(inside()).certificates) == 3


def test_a_folder(tmp_path: Path, pki: TestPki, rsa_pki: TestPki) -> None:
    (tmp_path / "all.pem").write_bytes(pem(pki.root.key.certificate, pki.issuer.key.certificate))
    (tmp_path / "partner.crt").write_bytes(pem(rsa_pki.key.certificate))
    (tmp_path / "README").write_text("not a certificate")
    store = TrustStore.from_folder(tmp_path)
    assert store.anchors == (pki.root.key.certificate,)
    assert store.intermediates == (pki.issuer.key.certificate,)
    assert store.pinned == {rsa_pki.key.certificate}
    store.validate(pki.key.certificate, (), NOW, POLICY)
    store.validate(rsa_pki.key.certificate, (), NOW, POLICY)


def test_folders_that_are_no_use(tmp_path: Path) -> None:
    with refused("trust.missing", Kind.CONFIGURATION):
        TrustStore.from_folder(tmp_path / "none")
    with refused("trust.empty", Kind.CONFIGURATION):
        TrustStore.from_folder(tmp_path)
    (tmp_path / "a.pem").write_text("words")
    with refused("trust.unreadable", Kind.CONFIGURATION):
        TrustStore.from_folder(tmp_path)
