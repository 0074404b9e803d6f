"""Structured mutation: whatever is done to a document, a report comes out, and nothing that was
altered is said to count.
"""

from __future__ import annotations

import copy
from base64 import b64decode, b64encode
from dataclasses import dataclass

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from connector.errors import ConnectorError
from connector.signature.algorithms import SHA256
from connector.signature.revocation import RevocationData
from connector.signature.revocation_checking import gather
from connector.signature.xades_levels import Level, Services, extend
from connector.signature.xades_packaging import Signing, sign_beside
from connector.signature.xades_unsigned import SIGNATURE
from connector.validation import ValidationReport
from connector.validation.cms_signatures import validate_cms
from connector.validation.pdf_signatures import validate_pdf
from connector.validation.text import as_text
from connector.validation.xades_process import validate_xml
from connector.validation.xml_report import as_xml
from connector.xml import Element, parse, serialize
from tests.signature.certomancer_pki import NOW, Pki
from tests.signature.test_xades import elements
from tests.validation.making import basis, key, raised, revocation, services
from tests.validation.test_cms_and_pdf import CONTENT, archived, cades, pades

ENCAPSULATED = (
    "EncapsulatedTimeStamp", "EncapsulatedX509Certificate", "EncapsulatedCRLValue",
    "EncapsulatedOCSPValue", "X509Certificate", "IssuerSerialV2",
)  # fmt: skip
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Known:
    """Revocation data that was fetched once, so that examples are quick."""

    data: RevocationData

    def find(self, certificate: x509.Certificate, issuer: x509.Certificate) -> RevocationData:
        return self.data


def known(ca: Pki) -> Known:
    names = (("signer", "ca", "root"), ("tsa", "root"))
    paths = [tuple(ca.certificate(each) for each in path) for path in names]
    source = revocation(ca)
    return Known(gather(paths[0], source) + gather(paths[1], source))


def looked_at(data: bytes, ca: Pki, source: Known) -> ValidationReport | None:
    try:
        report = validate_xml(data, basis(ca, NOW, revocation=source))
    except ConnectorError:
        return None
    assert as_text(report) and as_xml(report)
    return report


def content(root: Element) -> bytes:
    copied = copy.deepcopy(root)
    for signature in list(copied.iter(SIGNATURE)):
        signature.getparent().remove(signature)  # type: ignore[union-attr]
    return etree.tostring(copied, method="c14n", exclusive=True, with_comments=False)


def test_bytes(ca: Pki) -> None:
    document, source = raised(ca, Level.LTA), known(ca)
    signed = content(parse(document))

    @QUICK
    @given(
        st.integers(0, len(document) - 1),
        st.integers(0, 40),
        st.binary(max_size=12) | st.sampled_from([b"<a/>", b"&#9;", b"<!-- -->", b"-->", b'"']),
    )
    def check(at: int, gone: int, put: bytes) -> None:
        altered = document[:at] + put + document[at + gone :]
        report = looked_at(altered, ca, source)
        if report is None or not any(s.conclusion.passed for s in report.signatures):
            return
        assert content(parse(altered)) == signed

    check()


def test_values(ca: Pki) -> None:
    """A byte inside of a certificate, a CRL, an OCSP response or a timestamp."""
    document, source = raised(ca, Level.LTA), known(ca)
    wanted = [
        number
        for number, each in enumerate(parse(document).iter())
        if isinstance(each.tag, str) and etree.QName(each).localname in ENCAPSULATED
    ]

    @QUICK
    @given(st.sampled_from(wanted), st.integers(0, 10**4), st.integers(1, 255))
    def check(number: int, at: int, flip: int) -> None:
        root = parse(document)
        element = list(root.iter())[number]
        octets = bytearray(b64decode(element.text or ""))
        octets[at % len(octets)] ^= flip
        element.text = b64encode(octets).decode()
        looked_at(serialize(root), ca, source)

    check()


def test_structure(ca: Pki) -> None:
    """Elements taken away, doubled, or put somewhere else."""
    document, source = raised(ca, Level.LTA), known(ca)
    count = sum(1 for _ in parse(document).iter())
    signed = content(parse(document))
    numbers = st.integers(1, count - 1)

    @QUICK
    @given(numbers, numbers, st.sampled_from(["remove", "double", "move", "rename", "empty"]))
    def check(number: int, other: int, how: str) -> None:
        root = parse(document)
        found = list(root.iter())
        element, place = found[number], found[other]
        parent = element.getparent()
        if parent is None:
            return
        match how:
            case "remove":
                parent.remove(element)
            case "double":
                parent.append(copy.deepcopy(element))
            case "move" if element not in {place, *place.iterancestors()}:
                place.append(element)
            case "rename":
                element.tag = place.tag
            case "empty":
                for child in list(element):
                    element.remove(child)
        report = looked_at(serialize(root), ca, source)
        if report is not None and any(s.conclusion.passed for s in report.signatures):
            assert content(root) == signed

    check()


class Stamps:
    """The PKI's timestamp authority, asked without HTTP."""

    digest_method = SHA256

    def __init__(self, ca: Pki) -> None:
        self._ca = ca

    def stamp(self, digest: bytes) -> bytes:
        from asn1crypto import tsp
        from certomancer.registry import ServiceLabel

        stamper = self._ca.architecture.service_registry.summon_timestamper(
            ServiceLabel("tsa"), self._ca.now
        )
        imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest}
        request = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "cert_req": True})
        token: bytes = stamper.request_tsa_response(request)["time_stamp_token"].dump()
        return token


def test_any_document_is_raised_and_validated(ca: Pki) -> None:
    source = known(ca)
    given_services: Services = services(ca, authority=Stamps(ca), revocation=source)
    how = Signing(key=key(ca), time=NOW)

    @settings(max_examples=20, deadline=None)
    @given(elements(), st.integers(1, 2), st.sampled_from([Level.T, Level.LT, Level.LTA]))
    def check(element: Element, signers: int, level: Level) -> None:
        document = etree.tostring(element, encoding="UTF-8")
        if parse(document).tag == SIGNATURE:
            return
        for _ in range(signers):
            document = sign_beside(parse(document), how)
        before = content(parse(document))
        for number in range(signers):
            document = extend(document, level, given_services, NOW, number=number)
        report = looked_at(document, ca, source)
        assert report is not None and len(report.signatures) == signers
        for signature in report.signatures:
            assert signature.conclusion.passed, signature.conclusion
            assert signature.level == level.name
        assert content(parse(document)) == before

    check()


@pytest.mark.parametrize("form", ["CMS", "PDF"])
def test_bytes_of_other_forms(ca: Pki, form: str) -> None:
    if form == "CMS":
        document = cades(ca, stamped=True)
    else:
        document = archived(ca, pades(ca, stamped=True), "signer", NOW)
    source = known(ca)
    reads = validate_cms if form == "CMS" else validate_pdf

    @QUICK
    @given(st.integers(0, len(document) - 1), st.integers(0, 3), st.binary(max_size=3))
    def check(at: int, gone: int, put: bytes) -> None:
        altered = document[:at] + put + document[at + gone :]
        try:
            report = reads(altered, basis(ca, NOW, revocation=source))
        except ConnectorError:
            return
        assert as_text(report) and as_xml(report)
        if form == "CMS" and any(s.conclusion.passed for s in report.signatures):
            assert CONTENT in altered

    check()
