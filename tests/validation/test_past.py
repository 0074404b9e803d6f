"""Signatures years later: what their timestamps and validation data prove, and what they do not."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1_x509
from certomancer.services import TimeStamper
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as ser
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.signature.algorithms import SHA512
from connector.signature.revocation import Checking, RevocationData
from connector.signature.revocation_checking import gather
from connector.signature.timestamps import HttpAuthority
from connector.signature.trust import TrustStore
from connector.signature.xades_levels import Level, extend
from connector.signature.xades_packaging import Signing, countersign
from connector.signature.xades_unsigned import (
    ARCHIVE_TIMESTAMP,
    SIGNATURE,
    SIGNATURE_TIMESTAMP,
    unsigned_properties,
    with_properties,
)
from connector.validation import SubIndication, load_validation_policy
from connector.validation.report import Stamped
from connector.xml import Element, parse, serialize
from tests.signature.certomancer_pki import EXPIRY, NOW, REVOKED_SINCE, Pki
from tests.signature.refusals import refused
from tests.validation.making import (
    FETCHER,
    key,
    only,
    raised,
    revocation,
    services,
    signed,
    sub,
    validated,
)

S = SubIndication
DAY = timedelta(days=1)
BEFORE = REVOKED_SINCE - 30 * DAY
"""Before anything was revoked or expired."""


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (Level.B, S.REVOKED_NO_POE),
        (Level.T, None),
        (Level.LT, None),
        (Level.LTA, None),
    ],
)
def test_revoked_later(ca: Pki, level: Level, expected: SubIndication | None) -> None:
    document = raised(ca, level, "revoked", at=BEFORE)
    assert sub(document, ca, BEFORE) is None
    found = only(validated(document, ca, NOW))
    assert found.conclusion.sub is expected, found.conclusion
    assert found.best_signature_time == (BEFORE if level else NOW)


def test_stamped_after_revocation(ca: Pki) -> None:
    document = raised(ca, Level.T, "revoked", at=REVOKED_SINCE + DAY)
    assert sub(document, ca, NOW) is S.REVOKED_NO_POE


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (Level.B, S.OUT_OF_BOUNDS_NO_POE),
        (Level.LT, None),
        (Level.LTA, None),
    ],
)
def test_expired_later(ca: Pki, level: Level, expected: SubIndication | None) -> None:
    document = raised(ca, level, "expired", at=BEFORE)
    assert sub(document, ca, BEFORE) is None
    assert sub(document, ca, NOW) is expected
    assert sub(document, ca, NOW, online=False) is expected


def test_expired_and_no_data_from_before(ca: Pki) -> None:
    """Issuers forget what has expired: what they say today about it proves nothing."""
    document = raised(ca, Level.T, "expired", at=BEFORE)
    assert sub(document, ca, NOW) is S.REVOCATION_OUT_OF_BOUNDS_NO_POE


def test_offline_months_later(ca: Pki) -> None:
    """The data inside is out of date by now, but not for when the signature was made."""
    document = raised(ca, Level.LT, at=BEFORE)
    assert sub(document, ca, BEFORE + 200 * DAY, online=False) is None
    bare = raised(ca, Level.T, at=BEFORE)
    assert sub(bare, ca, BEFORE + 200 * DAY, online=False) is S.TRY_LATER


def test_timestamp_authority_expired(ca: Pki) -> None:
    """The timestamp of an authority that has expired proves nothing, unless archived in time."""
    stamped = raised(ca, Level.LT, "expired", at=BEFORE, tsa="old-tsa")
    after = EXPIRY + 10 * DAY
    assert sub(stamped, ca, BEFORE) is None
    found = only(validated(stamped, ca, after))
    assert found.conclusion.sub is S.OUT_OF_BOUNDS_NO_POE
    assert found.timestamps[0].conclusion.sub is S.OUT_OF_BOUNDS_NO_POE
    ca.at(EXPIRY - DAY)
    archived = extend(stamped, Level.LTA, services(ca, "late-tsa"), EXPIRY - DAY)
    assert sub(archived, ca, after) is None
    assert sub(archived, ca, after + 3000 * DAY) is None


def test_renewed_through_the_decades(ca: Pki) -> None:
    """Three generations of authorities; the signer, its CA and the root have all expired."""
    document = raised(ca, Level.LTA, "expired", at=BEFORE, tsa="old-tsa")
    for year in (2025, 2030, 2035):
        moment = datetime(year, 8, 1, tzinfo=UTC)
        ca.at(moment)
        document = extend(document, Level.LTA, services(ca, "late-tsa"), moment)
    for year in (2026, 2031, 2039):
        found = only(validated(document, ca, datetime(year, 9, 1, tzinfo=UTC)))
        assert found.conclusion.passed, (year, found.conclusion, found.timestamps)
        assert found.best_signature_time == BEFORE


@pytest.mark.parametrize("label", ["revoked", "expired"])
def test_raised_when_it_was_too_late_already(ca: Pki, label: str) -> None:
    """Stamped in time; the rest is added after the revocation. Issuers still tell of what was
    revoked, but may have forgotten what has expired."""
    document = raised(ca, Level.T, label, at=BEFORE)
    ca.at(NOW - DAY)
    document = extend(document, Level.LTA, services(ca), NOW - DAY)
    expected = None if label == "revoked" else S.REVOCATION_OUT_OF_BOUNDS_NO_POE
    assert sub(document, ca, NOW, online=False) is expected
    with refused("certificate.revoked" if label == "revoked" else "certificate.expired"):
        late = signed(ca, label, at=NOW)
        extend(late, Level.LT, services(ca), NOW)


def test_countersigned(ca: Pki) -> None:
    """The countersigner is judged by itself."""
    document = signed(ca)
    markup = countersign(parse(document)[-1], Signing(key=key(ca, "revoked"), time=NOW))
    report = only(validated(with_properties(document, 0, markup), ca))
    assert report.conclusion.passed
    (other,) = report.countersignatures
    assert other.conclusion.sub is S.REVOKED_NO_POE
    assert other.covers[0].startswith("the signature value")


def test_nothing_is_declared(ca: Pki) -> None:
    """A certificate that names neither responder nor CRL, expired since: nothing to ask."""
    declared = load_validation_policy(None, Checking.DECLARED)
    trust = TrustStore([ca.certificate("stranger-ca")])
    stamps = TrustStore([], pinned=[ca.certificate("late-tsa")])
    given: dict[str, Any] = {"trust": trust, "timestamp_trust": stamps, "policy": declared}
    later = datetime(2041, 1, 1, tzinfo=UTC)
    bare = raised(ca, Level.B, "stranger")
    stamped = extend(bare, Level.T, services(ca, "late-tsa"), NOW)
    assert sub(bare, ca, later, **given) is S.OUT_OF_BOUNDS_NO_POE
    assert sub(stamped, ca, later, **given) is None


# --- Timestamps that were tampered with ---


def properties(document: bytes) -> tuple[Element, list[Element]]:
    root = parse(document)
    signature = next(root.iter(SIGNATURE))
    return root, list(unsigned_properties(signature))


def without(document: bytes, tag: str) -> bytes:
    root, found = properties(document)
    for each in found:
        if each.tag == tag:
            each.getparent().remove(each)  # type: ignore[union-attr]
    return serialize(root)


def test_stripped_timestamps(ca: Pki) -> None:
    document = raised(ca, Level.LTA, "revoked", at=BEFORE)
    assert sub(document, ca, NOW) is None
    assert sub(without(document, ARCHIVE_TIMESTAMP), ca, NOW) is None
    # The archive timestamp covers the other: with that gone, it is about something else.
    stripped = without(document, SIGNATURE_TIMESTAMP)
    found = only(validated(stripped, ca, NOW))
    assert found.conclusion.sub is S.REVOKED_NO_POE
    assert [each.conclusion.sub for each in found.timestamps] == [S.HASH_FAILURE]


def test_a_timestamp_of_another_signature(ca: Pki) -> None:
    """A true timestamp from before the revocation, of something else."""
    early = raised(ca, Level.T, "signer", at=BEFORE)
    late = raised(ca, Level.T, "revoked", at=NOW)
    _, (true,) = properties(early)
    root, (own,) = properties(late)
    own.getparent().replace(own, true)  # type: ignore[union-attr]
    found = only(validated(serialize(root), ca, NOW))
    assert found.conclusion.sub is S.REVOKED_NO_POE
    assert found.timestamps[0].conclusion.sub is S.HASH_FAILURE


def altered_token(document: bytes, at: int) -> bytes:
    root, found = properties(document)
    value = next(each for each in found if each.tag == SIGNATURE_TIMESTAMP)[1]
    token = bytearray(b64decode(value.text or ""))
    token[at] ^= 1
    value.text = b64encode(token).decode()
    return serialize(root)


def test_an_altered_token(ca: Pki) -> None:
    document = raised(ca, Level.T, "revoked", at=BEFORE)
    found = only(validated(altered_token(document, -3), ca, NOW))
    assert found.conclusion.sub is S.REVOKED_NO_POE
    assert found.timestamps[0].conclusion.sub is S.SIG_CRYPTO_FAILURE


def test_a_backdated_token_by_another_certificate(ca: Pki) -> None:
    """Whoever has a certificate that is not for timestamps cannot stamp."""
    ca.at(BEFORE)
    document = signed(ca, "revoked", at=BEFORE)
    stamped = extend(document, Level.T, services(ca), BEFORE)
    with ca.answering("/pki/tsa/tsa", lambda body: forged_token(ca, body)):
        forged = extend(document, Level.T, services(ca), BEFORE)
    assert sub(stamped, ca, NOW) is None
    found = only(validated(forged, ca, NOW))
    assert found.timestamps[0].conclusion.sub is S.CHAIN_CONSTRAINTS_FAILURE
    assert found.conclusion.sub is S.REVOKED_NO_POE


def forged_token(ca: Pki, body: bytes) -> bytes:

    private = ca.keys["signer"].private_bytes(
        ser.Encoding.DER, ser.PrivateFormat.PKCS8, ser.NoEncryption()
    )
    certificate = ca.certificate("signer").public_bytes(ser.Encoding.DER)
    stamper = TimeStamper(
        asn1_x509.Certificate.load(certificate),
        keys.PrivateKeyInfo.load(private),
        certs_to_embed=[],
        fixed_dt=BEFORE,
    )
    answer: bytes = stamper.request_tsa_response(tsp.TimeStampReq.load(body)).dump()
    return answer


def test_archive_older_than_what_it_covers(ca: Pki) -> None:
    """Clocks that run backwards: the archive timestamp cannot be older than the other."""
    document = raised(ca, Level.LT)
    ca.at(BEFORE)
    document = extend(document, Level.LTA, services(ca), NOW)
    assert sub(document, ca, NOW) is S.TIMESTAMP_ORDER_FAILURE


# --- Timestamps of the content: the signature is not older ---


def stamped_before(ca: Pki, label: str, at: datetime) -> bytes:
    ca.at(at)
    return signed(ca, label, at=at, content_authority=HttpAuthority(ca.tsa(), FETCHER))


def test_content_stamped(ca: Pki) -> None:
    document = extend(stamped_before(ca, "signer", NOW), Level.LTA, services(ca), NOW)
    found = only(validated(document, ca))
    assert found.conclusion.passed, found.conclusion
    assert [stamp.of for stamp in found.timestamps] == [
        Stamped.CONTENT, Stamped.SIGNATURE, Stamped.ARCHIVE,
    ]  # fmt: skip
    assert all(stamp.conclusion.passed for stamp in found.timestamps)


def test_signed_after_revocation(ca: Pki) -> None:
    """The content was stamped when the signer was revoked already: no doubt is left."""
    document = stamped_before(ca, "revoked", REVOKED_SINCE + DAY)
    assert sub(document, ca, NOW) is S.REVOKED
    assert sub(stamped_before(ca, "revoked", BEFORE), ca, NOW) is S.REVOKED_NO_POE


def test_signed_after_expiry(ca: Pki) -> None:
    assert sub(stamped_before(ca, "expired", EXPIRY + DAY), ca, NOW) is S.EXPIRED
    assert sub(stamped_before(ca, "expired", BEFORE), ca, NOW) is S.OUT_OF_BOUNDS_NO_POE


def test_content_stamped_after_the_signature(ca: Pki) -> None:
    document = stamped_before(ca, "signer", NOW)
    ca.at(BEFORE)
    document = extend(document, Level.T, services(ca), NOW)
    assert sub(document, ca, NOW) is S.TIMESTAMP_ORDER_FAILURE


def test_signed_before_the_certificate_was_valid(ca: Pki) -> None:
    document = raised(ca, Level.T, "future")
    ca.at(datetime(2027, 2, 1, tzinfo=UTC))
    assert sub(document, ca, datetime(2027, 2, 1, tzinfo=UTC)) is S.NOT_YET_VALID


# --- Revocation data that lies ---


def test_a_lying_responder(ca: Pki) -> None:
    """OCSP responses by whom the issuer did not appoint are no answer."""

    def lie(body: bytes) -> bytes:
        answer = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                ca.certificate("revoked"), ca.certificate("ca"), hashes.SHA1(),
                ocsp.OCSPCertStatus.GOOD, ca.now, ca.now + DAY, None, None,
            )
            .certificates([ca.certificate("stranger")])
            .responder_id(ocsp.OCSPResponderEncoding.HASH, ca.certificate("stranger"))
            .sign(ca.keys["stranger"], hashes.SHA256())
        )  # fmt: skip
        return answer.public_bytes(ser.Encoding.DER)

    document = signed(ca, "revoked")
    with ca.answering("/pki/ocsp/ca", lie):
        assert sub(document, ca, NOW) is S.TRY_LATER
    assert sub(document, ca, NOW) is S.REVOKED_NO_POE


def test_a_stale_crl(ca: Pki) -> None:
    document = signed(ca, "crl-signer")
    ca.at(NOW - 100 * DAY)
    old = FETCHER.get(f"{ca.url}/pki/crls/ca/latest.crl", limit=10**6)
    with ca.answering("/pki/crls/ca/latest.crl", lambda _: old):
        assert sub(document, ca, NOW) is S.TRY_LATER


def test_a_crl_of_another_issuer(ca: Pki) -> None:
    other = FETCHER.get(f"{ca.url}/pki/crls/narrow-ca/latest.crl", limit=10**6)
    with ca.answering("/pki/crls/ca/latest.crl", lambda _: other):
        assert sub(signed(ca, "crl-signer"), ca, NOW) is S.TRY_LATER


def test_any_broken_byte_of_a_token_proves_nothing(ca: Pki) -> None:
    """Whatever is done to the token, a revoked signer is believed only if it still holds."""
    document = raised(ca, Level.T, "revoked", at=BEFORE)
    _, (stamp,) = properties(document)
    length = len(b64decode(stamp[1].text or ""))
    ca.at(NOW)
    known = Known(gather(only(validated(document, ca, NOW)).path, revocation(ca)))
    known.data = known.data + gather(
        (ca.certificate("tsa"), ca.certificate("root")), revocation(ca)
    )

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, length - 1), st.integers(1, 255))
    def check(at: int, flip: int) -> None:
        root, (stamp,) = properties(document)
        token = bytearray(b64decode(stamp[1].text or ""))
        token[at] ^= flip
        stamp[1].text = b64encode(token).decode()
        found = only(validated(serialize(root), ca, NOW, revocation=known))
        stamps = [each.conclusion.passed for each in found.timestamps]
        # Bytes that nothing covers (a certificate that is not needed) may stay without effect.
        assert (found.conclusion.sub is None) == (stamps == [True])

    assert sub(document, ca, NOW, revocation=known) is None
    check()


@dataclass
class Known:
    """Revocation data that somebody has fetched already."""

    data: RevocationData

    def find(self, certificate: x509.Certificate, issuer: x509.Certificate) -> RevocationData:
        return self.data


def test_another_digest_in_the_timestamp(ca: Pki) -> None:

    ca.at(BEFORE)
    document = signed(ca, "revoked", at=BEFORE)
    authority = HttpAuthority(ca.tsa(), FETCHER, digest_method=SHA512)
    document = extend(document, Level.LTA, services(ca, authority=authority), BEFORE)
    assert sub(document, ca, NOW) is None
