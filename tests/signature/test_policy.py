"""What a policy permits, and how it is written down."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import Kind
from connector.signature.algorithms import (
    CURVES,
    ECDSA_SHA1,
    RSA_SHA1,
    RSA_SHA256,
    SHA1,
    SHA256,
    SIGNATURE_METHODS,
    WEAK,
    AlgorithmPolicy,
)
from connector.signature.policy_file import load_policy
from tests.signature.refusals import refused


def test_the_default_refuses_what_is_weak() -> None:
    policy = AlgorithmPolicy()
    for uri in WEAK:
        with refused("signature.weak-algorithm"):
            policy.digest_method(uri) if uri == SHA1 else policy.signature_method(uri)
    accepted = [uri for uri in SIGNATURE_METHODS if uri not in WEAK]
    assert [policy.signature_method(uri).uri for uri in accepted] == accepted


def test_a_permission_is_for_what_it_names() -> None:
    policy = AlgorithmPolicy(permitted=frozenset({RSA_SHA1}))
    assert policy.signature_method(RSA_SHA1).hash_name == "sha1"
    for uri in (ECDSA_SHA1, "http://www.w3.org/2000/09/xmldsig#hmac-sha1"):
        with pytest.raises(Exception, match="signature"):
            policy.signature_method(uri)
    with refused("signature.weak-algorithm"):
        policy.digest_method(SHA1)


def test_unknown_algorithms_cannot_be_permitted() -> None:
    policy = AlgorithmPolicy(permitted=frozenset({"urn:none", "urn:md5"}))
    with refused("signature.unknown-algorithm"):
        policy.signature_method("urn:none")
    with refused("signature.weak-algorithm"):
        policy.digest_method("urn:md5")
    with refused("signature.unknown-algorithm"):
        policy.digest_method(RSA_SHA256)
    with refused("signature.unknown-algorithm"):
        policy.signature_method(SHA256)


def test_other_kinds_of_keys() -> None:
    with refused("signature.unknown-key"):
        AlgorithmPolicy().check_key(object())


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('permit = ["rsa-sha1", "sha1"]\nrsa_bits = 1024\n')
    found = load_policy(path)
    assert found == AlgorithmPolicy(frozenset({RSA_SHA1, SHA1}), 1024, CURVES)
    path.write_text("")
    assert load_policy(path) == load_policy(None) == AlgorithmPolicy()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("permit =", "policy.malformed"),
        ('permit = ["md5"]', "policy.invalid"),
        ('permit = "sha1"', "policy.invalid"),
        ("permit = [[]]", "policy.invalid"),
        ("rsa_bits = 512", "policy.invalid"),
        ("rsa_bits = true", "policy.invalid"),
        ('rsa_bits = "2048"', "policy.invalid"),
        ("allow = []", "policy.invalid"),
    ],
)
def test_files_that_are_wrong(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with refused(code, Kind.CONFIGURATION):
        load_policy(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with refused("policy.missing", Kind.CONFIGURATION):
        load_policy(tmp_path / "policy.toml")
