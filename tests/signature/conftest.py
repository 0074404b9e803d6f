"""A PKI for each kind of key, made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest

from connector.signature.keys import SigningKey
from connector.signature.pki import Authority, KeyType
from connector.signature.trust import TrustStore
from tests.signature.moments import NOW


@dataclass(frozen=True, slots=True)
class TestPki:
    """A root, a CA below it and a key that the CA issued."""

    __test__ = False
    root: Authority
    issuer: Authority
    key: SigningKey
    trust: TrustStore


@cache
def made(key_type: KeyType) -> TestPki:
    root = Authority.root("Root", NOW, key_type=key_type)
    issuer = root.authority("CA", NOW, country="DE", key_type=key_type)
    key = issuer.issue("Connector Ä, DE", NOW, country="DE", key_type=key_type)
    return TestPki(root, issuer, key, TrustStore([root.key.certificate]))


@pytest.fixture(params=[KeyType.RSA_2048, KeyType.P256, KeyType.P384, KeyType.ED25519])
def any_pki(request: pytest.FixtureRequest) -> TestPki:
    """One PKI for each kind of key."""
    return made(request.param)


@pytest.fixture(scope="session")
def pki() -> TestPki:
    """The quick one."""
    return made(KeyType.P256)


@pytest.fixture(scope="session")
def rsa_pki() -> TestPki:
    """The one that every reader knows."""
    return made(KeyType.RSA_2048)
