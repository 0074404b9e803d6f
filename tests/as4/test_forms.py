"""Forms in which other access points write, and that are accepted too."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import replace

import pytest
from asn1crypto import core as asn1_core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from connector.signature.algorithms import SHA256
from connector.signature.trust import TrustStore
from gateway_client.as4.ebms import PartInfo
from gateway_client.as4.namespaces import (
    BASE64_BINARY,
    DS,
    SOAP,
    THUMBPRINT_SHA1,
    WSSE,
    WSU,
    X509_PKI_PATH,
    X509_SKI,
    X509_V3,
)
from gateway_client.as4.octets import digest_of
from gateway_client.pmode.model import AES256_GCM, PartnerTrust
from tests.as4.access_points import (
    BLUE_KEY,
    NOW,
    RED_KEY,
    ROOT,
    Inbox,
    message,
    payload,
    pmode,
    secured,
)
from tests.as4.forging import CONTENT, Forge, altered, joined, reference, refused, sent, take

BLUE_MODE = pmode(own=BLUE_KEY)
ONE = message(payload(b""))


def str_(content: str) -> bytes:
    return (
        f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}">{content}</wsse:SecurityTokenReference>'
    ).encode()


def key_identifier(kind: str, value: bytes) -> bytes:
    return str_(
        f'<wsse:KeyIdentifier EncodingType="{BASE64_BINARY}" ValueType="{kind}">'
        f"{b64encode(value).decode()}</wsse:KeyIdentifier>"
    )


SKI = RED_KEY.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
ISSUER_SERIAL = (
    f'<ds:X509Data xmlns:ds="{DS}"><ds:X509IssuerSerial><ds:X509IssuerName>CN=Test root'
    f"</ds:X509IssuerName><ds:X509SerialNumber>{RED_KEY.certificate.serial_number}"
    "</ds:X509SerialNumber></ds:X509IssuerSerial></ds:X509Data>"
)


@pytest.mark.parametrize(
    "key_info",
    [
        key_identifier(X509_SKI, SKI),
        key_identifier(THUMBPRINT_SHA1, hashlib.sha1(RED_KEY.certificates[0]).digest()),
        key_identifier(X509_V3, RED_KEY.certificates[0]),
        str_(ISSUER_SERIAL),
        ISSUER_SERIAL.encode(),
    ],
)
def test_references_to_the_signers_certificate(key_info: bytes) -> None:
    made = Forge(ONE, {"p1": b"one"}, key_info=key_info)
    assert take(joined(made.parts())).fresh
    stranger = secured(BLUE_MODE, trust=PartnerTrust(certificates=(BLUE_KEY.certificate,)))
    assert refused(joined(made.parts()), stranger) == "as4.security-untrusted"


def test_a_pki_path_under_a_trusted_ca() -> None:
    ca = ROOT.authority("CA", NOW)
    key = ca.issue("red ap", NOW)
    members = [asn1_x509.Certificate.load(der) for der in reversed(key.certificates)]

    class Path(asn1_core.SequenceOf):  # type: ignore[misc]
        _child_spec = asn1_x509.Certificate

    token = (
        f'<wsse:BinarySecurityToken EncodingType="{BASE64_BINARY}" ValueType="{X509_PKI_PATH}"'
        f' wsu:Id="T">{b64encode(Path(members).dump()).decode()}</wsse:BinarySecurityToken>'
    ).encode()
    info = str_(f'<wsse:Reference URI="#T" ValueType="{X509_PKI_PATH}"/>')
    made = Forge(ONE, {"p1": b"one"}, key=key, token=token, key_info=info)
    store = TrustStore([ROOT.key.certificate])
    trust = PartnerTrust(store=store, subject="CN=red ap")
    assert take(joined(made.parts()), mode=secured(BLUE_MODE, trust=trust)).fresh
    other = PartnerTrust(store=store, subject="CN=green ap")
    assert (
        refused(joined(made.parts()), secured(BLUE_MODE, trust=other)) == "as4.security-untrusted"
    )


def test_aes_256() -> None:
    parts = joined(
        sent(message(payload(b"x" * 99)), secured(pmode("x"), encryption_method=AES256_GCM))
    )
    assert take(parts).fresh
    strict = secured(BLUE_MODE, encryption_accepted=frozenset())
    assert refused(parts, strict) == "as4.policy-encryption"


def test_key_transport_other_than_agreed() -> None:
    weaker = altered(
        sent(message(payload(b"x"))),
        lambda d: d.replace(b"xmlenc11#rsa-oaep", b"xmlenc#rsa-oaep-mgf1p"),
    )
    assert refused(joined(weaker)) == "as4.policy-key-transport"


@pytest.mark.parametrize(
    ("media_type", "octets", "signed"),
    [
        ("text/plain", b"a\nb\r\nc\r", b"a\r\nb\r\nc\r\n"),
        ("application/xml", b"<?xml version='1.0'?>\n<a  b='1'/>", b'<a b="1"></a>'),
        ("image/svg+xml", b"<a/>", b"<a></a>"),
    ],
)
def test_text_that_was_normalised_before_it_was_digested(
    media_type: str, octets: bytes, signed: bytes
) -> None:
    made = Forge(ONE, {"p1": octets}, media_type=media_type)
    references = (*made.all_references()[:2], reference("cid:p1", signed, CONTENT))
    for encrypt in (True, False):
        inbox = Inbox()
        mode = secured(BLUE_MODE, encrypt=encrypt)
        changed = replace(made, references=references, encrypt=encrypt)
        assert take(joined(changed.parts()), inbox, mode).fresh
        assert bytes(inbox.writers[0].data) == octets
    binary = replace(made, references=references, media_type="image/png")
    assert refused(joined(binary.parts())) == "signature.digest-mismatch"


@given(st.binary(max_size=60).map(lambda b: b.replace(b"a", b"\r").replace(b"b", b"\n")), st.data())
def test_line_ends_in_any_pieces(octets: bytes, data: st.DataObject) -> None:
    digest = digest_of("text/plain", "sha256")
    left = octets
    while left:
        size = data.draw(st.integers(1, len(left)))
        digest.update(left[:size])
        left = left[size:]
    lines = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    assert digest.matches(hashlib.sha256(lines).digest())
    assert digest.matches(hashlib.sha256(octets).digest())
    assert not digest.matches(hashlib.sha256(octets + b"x").digest())


def test_a_payload_in_the_body_and_no_payload_at_all() -> None:
    body = (
        f'<env:Body xmlns:env="{SOAP}" xmlns:wsu="{WSU}" wsu:Id="B">'
        '<a xmlns="urn:a">1</a></env:Body>'
    ).encode()
    made = Forge(message(), {}, body=body, infos=(PartInfo(None, None, False),))
    inbox = Inbox()
    soap = made.parts()[0]
    received = take((soap.content_type, soap.data), inbox)
    assert received.message.payloads[0].content_id == ""
    assert bytes(inbox.writers[0].data) == b'<a xmlns="urn:a">1</a>'
    hidden = replace(made, infos=()).parts()[0]
    assert refused((hidden.content_type, hidden.data)) == "as4.value-body"
    absent = replace(made, body=b"").parts()[0]
    assert refused((absent.content_type, absent.data)) == "as4.value-body"
    empty = sent(message())[0]
    assert take((empty.content_type, empty.data)).message.payloads == ()


def test_digest_methods_are_the_policys() -> None:
    made = Forge(ONE, {"p1": b"one"})
    weak = [*made.all_references()[:2], replace(made.all_references()[2], digest=b"\0" * 20)]
    weak[2] = replace(weak[2], digest_method="http://www.w3.org/2000/09/xmldsig#sha1")
    assert (
        refused(joined(replace(made, references=tuple(weak)).parts())) == "signature.weak-algorithm"
    )
    assert made.all_references()[2].digest_method == SHA256
