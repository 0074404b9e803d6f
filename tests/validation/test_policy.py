"""Policies from files, and until when algorithms count."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from connector.errors import Kind
from connector.signature.algorithms import ECDSA_SHA256, ED25519, RSA_SHA1, RSA_SHA256, SHA256
from connector.signature.revocation import Checking
from connector.signature.xades_statements import SignaturePolicy, Statements
from connector.validation import SubIndication, ValidationPolicy, load_validation_policy
from connector.validation.policy import ALWAYS, NEVER, default_policy
from tests.signature.certomancer_pki import NOW, Pki
from tests.signature.refusals import refused
from tests.validation.making import only, signed, sub, validated

RSA = rsa.generate_private_key(65537, 2048).public_key()


def test_the_shipped_dates() -> None:
    known = default_policy().algorithms
    assert known.digest("sha256") == ALWAYS
    assert known.digest("sha1") == datetime(2012, 8, 1, tzinfo=UTC)
    assert known.digest("ripemd160") == NEVER
    assert known.signature(RSA_SHA256, RSA) == datetime(2029, 1, 1, tzinfo=UTC)
    assert known.signature(RSA_SHA1, RSA) == known.digest("sha1")
    assert known.key(ec.generate_private_key(ec.SECP256R1()).public_key()) == ALWAYS
    assert known.key(ec.generate_private_key(ec.SECP256K1()).public_key()) == NEVER
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    assert known.signature(ED25519, key) == ALWAYS
    assert known.key(dsa.generate_private_key(1024).public_key()) == NEVER
    assert known.signature("urn:unknown", RSA) == NEVER


POLICY = """
name = "ours"
[digest]
sha256 = 2026-03-01
[[rsa]]
bits = 3000
until = true
[curve]
secp256r1 = true
"""


def test_from_a_file(tmp_path: Path, ca: Pki) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    policy = load_validation_policy(path, Checking.DECLARED)
    assert (policy.name, policy.checking) == ("ours", Checking.DECLARED)
    assert policy.algorithms.key(RSA) == NEVER
    assert policy.algorithms.signature(ECDSA_SHA256, RSA) == NEVER
    # SHA-256 counted until two weeks before the signature.
    expected = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    assert sub(signed(ca), ca, NOW, policy=policy) is expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x = [", "policy.malformed"),
        ("digests = 1", "policy.invalid"),
        ("digest = 1", "policy.invalid"),
        ("[digest]\nsha1 = 2012", "policy.invalid"),
        ("[digest]\nsha1 = false", "policy.invalid"),
        ("[rsa]\nbits = 1", "policy.invalid"),
        ("[[rsa]]\nbits = 1024", "policy.invalid"),
        ("[[rsa]]\nbits = true\nuntil = true", "policy.invalid"),
    ],
)
def test_policies_that_are_no_use(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with refused(code, Kind.CONFIGURATION):
        load_validation_policy(path)
    with refused("policy.missing", Kind.CONFIGURATION):
        load_validation_policy(tmp_path / "none")


def test_signature_policies(ca: Pki) -> None:
    """One that is known must be the very document; of others, nothing can be said."""
    said = Statements(policy=SignaturePolicy("urn:oid:1.2.3", SHA256, b"\1" * 32))
    document = signed(ca, statements=said)
    assert only(validated(document, ca)).conclusion.passed
    base = default_policy()
    known = ValidationPolicy(
        name="x", algorithms=base.algorithms, signature_policies={"urn:oid:1.2.3": b"rules"}
    )
    assert sub(document, ca, NOW, policy=known) is SubIndication.POLICY_PROCESSING_ERROR
