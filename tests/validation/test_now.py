"""Signatures at the time at which they are validated: each fault has its sub-indication."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from connector.signature.revocation import Checking
from connector.signature.trust import TrustStore
from connector.signature.xades_levels import Level
from connector.validation import Indication, SubIndication, load_validation_policy
from tests.signature.certomancer_pki import NOW, Pki
from tests.validation.making import only, raised, signed, sub, validated

S = SubIndication


@pytest.mark.parametrize("level", list(Level))
def test_every_level_passes(ca: Pki, level: Level) -> None:
    report = validated(raised(ca, level), ca)
    found = only(report)
    assert found.conclusion.passed, found.conclusion
    assert report.indication is Indication.TOTAL_PASSED
    assert found.level == level.name
    assert found.covers == ("the whole document",)
    assert found.best_signature_time == NOW
    assert found.signing_time == NOW
    assert found.path == tuple(ca.certificate(name) for name in ("signer", "ca", "root"))
    assert all(stamp.conclusion.passed for stamp in found.timestamps)
    assert len(found.timestamps) == min(level, 1) + (level is Level.LTA)
    assert found.weaknesses == ()


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("signer", None),
        ("crl-signer", None),
        ("revoked", S.REVOKED_NO_POE),
        ("expired", S.OUT_OF_BOUNDS_NO_POE),
        ("future", S.OUT_OF_BOUNDS_NO_POE),
        ("cipher", S.CHAIN_CONSTRAINTS_FAILURE),
        ("under-gone", S.REVOKED_CA_NO_POE),
        ("outside", S.CERTIFICATE_CHAIN_GENERAL_FAILURE),
        ("too-deep", S.CERTIFICATE_CHAIN_GENERAL_FAILURE),
        ("stranger", S.NO_CERTIFICATE_CHAIN_FOUND),
    ],
)
def test_certificates(ca: Pki, label: str, expected: SubIndication | None) -> None:
    report = validated(signed(ca, label), ca)
    found = only(report)
    assert found.conclusion.sub is expected, found.conclusion
    assert found.certificate == ca.certificate(label)
    assert bool(found.conclusion.why) is (expected is not None)


def test_nothing_is_fetched_for_strangers(ca: Pki) -> None:
    validated(signed(ca, "stranger"), ca)
    assert ca.requests == []


def test_nobody_answers(ca: Pki) -> None:
    with (
        ca.answering("/pki/ocsp/ca", lambda _: 500),
        ca.answering("/pki/crls/ca/latest.crl", lambda _: 404),
    ):
        assert sub(signed(ca), ca) is S.TRY_LATER
    assert sub(signed(ca), ca, online=False) is S.TRY_LATER
    lenient = load_validation_policy(None, Checking.NONE)
    assert sub(signed(ca), ca, online=False, policy=lenient) is None


def test_a_pinned_certificate(ca: Pki) -> None:
    store = TrustStore([], pinned=[ca.certificate("signer")])
    assert sub(signed(ca), ca, online=False, trust=store) is None
    store = TrustStore([], pinned=[ca.certificate("expired")])
    assert sub(signed(ca, "expired"), ca, trust=store) is S.OUT_OF_BOUNDS_NO_POE


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Grüße", "Grüsse", S.HASH_FAILURE),
        ("2026-03-14T09", "2026-03-14T08", S.HASH_FAILURE),
        ("<ds:SignatureMethod", "<!-- --><ds:SignatureMethod", S.FORMAT_FAILURE),
        ("xades:QualifyingProperties", "xades:Properties", S.FORMAT_FAILURE),
        ("ecdsa-sha256", "hmac-sha256", S.CRYPTO_CONSTRAINTS_FAILURE),
        ("ecdsa-sha256", "ecdsa-sha384", S.SIG_CRYPTO_FAILURE),
        ('URI=""', 'URI="#other"', S.SIG_CRYPTO_FAILURE),
    ],
)
def test_altered(ca: Pki, old: str, new: str, expected: SubIndication) -> None:
    text = signed(ca).decode()
    assert old in text
    found = only(validated(text.replace(old, new).encode(), ca))
    assert found.conclusion.sub is expected
    assert found.conclusion.indication is expected.indication


def test_another_certificate_with_the_same_key(ca: Pki) -> None:
    """The signing certificate is the one that was signed, not any that fits the key."""
    own, other = (
        b64encode(ca.certificate(label).public_bytes(Encoding.DER))
        for label in ("signer", "crl-signer")
    )
    assert sub(signed(ca).replace(own, other), ca) is S.NO_SIGNING_CERTIFICATE_FOUND


def test_no_signature(ca: Pki) -> None:
    report = validated(b"<a/>", ca)
    assert report.signatures == ()
    assert report.indication is Indication.INDETERMINATE


def test_timestamps_of_nobody_prove_nothing(ca: Pki) -> None:
    """Now the signature counts without; the report says that it has no proof."""
    document = raised(ca, Level.T)
    found = only(validated(document, ca, timestamp_trust=TrustStore([])))
    assert found.conclusion.passed
    assert found.timestamps[0].conclusion.sub is S.NO_CERTIFICATE_CHAIN_FOUND
    assert [w.code for w in found.weaknesses] == ["timestamp.no-proof"]


def test_claims_of_the_future(ca: Pki) -> None:
    document = signed(ca, at=NOW + timedelta(hours=2))
    assert [w.code for w in only(validated(document, ca)).weaknesses] == [
        "signature.from-the-future"
    ]
