"""What a forger might try on the validation itself."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import md5, sha1

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from connector.signature.algorithms import RSA_SHA1, SHA1
from connector.signature.dsig_model import DS, Reference
from connector.signature.keys import SigningKey
from connector.signature.pki import Authority, KeyType
from connector.signature.revocation import Checking
from connector.signature.trust import TrustStore
from connector.signature.xades_levels import Level
from connector.signature.xades_unsigned import (
    ARCHIVE_TIMESTAMP,
    SIGNATURE,
    unsigned_properties,
)
from connector.validation import SubIndication, load_validation_policy
from connector.validation.basis import Basis
from connector.validation.policy import ValidationPolicy
from connector.validation.xades_process import validate_xml
from connector.xml import parse, serialize
from tests.signature.certomancer_pki import NOW, Pki
from tests.signature.forging import EXCLUSIVE, WHOLE, handmade, over
from tests.validation.making import only, raised, signed, sub, validated

S = SubIndication
BODY = b'<request Id="r"><amount>100</amount></request>'
LENIENT = load_validation_policy(None, Checking.NONE)
ROOT = Authority.root("Root", NOW, key_type=KeyType.RSA_2048)


def judged(
    data: bytes, policy: ValidationPolicy = LENIENT, root: Authority = ROOT
) -> SubIndication | None:
    trust = TrustStore([root.key.certificate])
    basis = Basis(trust=trust, timestamp_trust=trust, at=NOW, policy=policy)
    return only(validate_xml(data, basis)).conclusion.sub


def enveloping(signature: bytes) -> bytes:
    return BODY.replace(b"</request>", signature + b"</request>")


def test_the_handmade_signature_itself_passes() -> None:
    key = ROOT.issue("x", NOW, key_type=KeyType.P256)
    assert judged(enveloping(handmade(key, [over(BODY)]))) is None


@pytest.mark.parametrize(
    ("uri", "made_by", "expected"),
    [
        (SHA1, sha1, S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE),
        ("http://www.w3.org/2001/04/xmldsig-more#md5", md5, S.CRYPTO_CONSTRAINTS_FAILURE),
    ],
)
def test_digests_with_collisions(uri: str, made_by: object, expected: SubIndication) -> None:
    key = ROOT.issue("x", NOW, key_type=KeyType.P256)
    digest = made_by(etree.tostring(parse(BODY), method="c14n", exclusive=True)).digest()  # type: ignore[operator]
    assert judged(enveloping(handmade(key, [Reference("", digest, uri, WHOLE)]))) is expected


def test_signed_with_sha1() -> None:
    key = ROOT.issue("x", NOW, key_type=KeyType.RSA_2048)

    class Old(SigningKey):
        @property
        def algorithm(self) -> str:  # type: ignore[override]
            return RSA_SHA1

    old = Old(key.private, key.certificate, key.intermediates)
    assert judged(enveloping(handmade(old, [over(BODY)]))) is S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE


def test_a_short_key() -> None:
    key = ROOT.issue("x", NOW, private=rsa.generate_private_key(65537, 1024))
    assert judged(enveloping(handmade(key, [over(BODY)]))) is S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE


def test_an_issuer_with_a_short_key() -> None:
    root = Authority.root("Root", NOW, key_type=KeyType.RSA_2048)
    weak = rsa.generate_private_key(65537, 1024)
    issuer = Authority(root.issue("CA", NOW, private=weak), is_root=False)
    key = issuer.issue("x", NOW, key_type=KeyType.P256)
    found = judged(enveloping(handmade(key, [over(BODY)])), root=root)
    assert found in {S.CERTIFICATE_CHAIN_GENERAL_FAILURE, S.CRYPTO_CONSTRAINTS_FAILURE_NO_POE}


def test_a_curve_that_nobody_named() -> None:
    key = ROOT.issue("x", NOW, private=ec.generate_private_key(ec.SECP256K1()))
    assert judged(enveloping(handmade(key, [over(BODY)]))) is S.CRYPTO_CONSTRAINTS_FAILURE


def test_wrapped(ca: Pki) -> None:
    """The true document inside a forged one."""
    outer = parse(BODY.replace(b"100", b"900"))
    outer.append(parse(signed(ca)))
    assert sub(serialize(outer), ca) is S.HASH_FAILURE


def test_a_signed_part_is_not_the_whole(ca: Pki) -> None:
    """The report names what is signed: whoever reads it sees that it is a part."""
    key = ROOT.issue("x", NOW, key_type=KeyType.P256)
    part = b'<amount Id="a">100</amount>'
    reference = over(part, "#a", (EXCLUSIVE,))
    data = enveloping(handmade(key, [reference])).replace(b"<amount>", b'<amount Id="a">')
    trust = TrustStore([ROOT.key.certificate])
    found = only(
        validate_xml(data, Basis(trust=trust, timestamp_trust=trust, at=NOW, policy=LENIENT))
    )
    assert found.conclusion.passed and found.covers == ("the element a",)
    twice = data.replace(b"<request ", b"<request>" + part + b"<request ", 1) + b"</request>"
    assert judged(twice) is S.FORMAT_FAILURE


@pytest.mark.parametrize("order", [True, False])
def test_archive_timestamps_in_another_place(ca: Pki, order: bool) -> None:
    """Moved before what it covers, or doubled: then it is about something else."""
    document = raised(ca, Level.LTA)
    root = parse(document)
    found = list(unsigned_properties(next(root.iter(SIGNATURE))))
    archive = next(each for each in found if each.tag == ARCHIVE_TIMESTAMP)
    if order:
        found[0].addprevious(archive)
    else:
        found[0].addprevious(parse(etree.tostring(archive)))
    report = only(validated(serialize(root), ca))
    assert S.HASH_FAILURE in [each.conclusion.sub for each in report.timestamps]


def test_certificates_of_others_among_the_values(ca: Pki) -> None:
    """Unsigned validation data can be put in by anybody: it must not make anybody trusted."""
    document = raised(ca, Level.LT)
    root = parse(document)
    found = list(unsigned_properties(next(root.iter(SIGNATURE))))
    for each in found:
        for value in each.iter("{http://uri.etsi.org/01903/v1.3.2#}EncapsulatedX509Certificate"):
            value.text = "AAAA"
    assert sub(serialize(root), ca) is None
    stranger = signed(ca, "stranger")
    assert sub(stranger, ca) is S.NO_CERTIFICATE_CHAIN_FOUND


def test_properties_that_cannot_be_read(ca: Pki) -> None:
    document = raised(ca, Level.T).replace(b"<xades:EncapsulatedTimeStamp>", b"<xades:Other>")
    document = document.replace(b"</xades:EncapsulatedTimeStamp>", b"</xades:Other>")
    assert sub(document, ca) is S.FORMAT_FAILURE


def test_malleable_values(ca: Pki) -> None:
    """(r, n - s) verifies like (r, s): the value is another, and no timestamp of it holds."""
    document = raised(ca, Level.T)
    root = parse(document)
    value = root.find(f".//{{{DS}}}SignatureValue")
    assert value is not None
    raw = b64decode(value.text or "")
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    value.text = b64encode(r.to_bytes(32, "big") + (order - s).to_bytes(32, "big")).decode()
    found = only(validated(serialize(root), ca))
    assert found.timestamps[0].conclusion.sub is S.HASH_FAILURE
