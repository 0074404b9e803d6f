"""What the SignedProperties of a XAdES signature say (ETSI EN 319 132-1, clause 5.2)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from connector.errors import Problem
from connector.signature.algorithms import AlgorithmPolicy, weakness
from connector.signature.certificates import from_base64, issuer_serial
from connector.signature.dsig_model import DS, ParsedSignature, refused
from connector.signature.dsig_reading import base64_value
from connector.signature.trust import MAX_INTERMEDIATES
from connector.xml import Element, text_of
from connector.xml_values import read_date_time

XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES_TYPE: Final = "http://uri.etsi.org/01903#SignedProperties"

_X: Final = f"{{{XADES}}}"
_D: Final = f"{{{DS}}}"
_SIGNATURE_PROPERTIES: Final = f"{_X}SignedSignatureProperties/"
_CERTS: Final = tuple(
    f"{_SIGNATURE_PROPERTIES}{_X}{name}/{_X}Cert"
    for name in ("SigningCertificateV2", "SigningCertificate")
)
_ROLES: Final = tuple(
    f"{_SIGNATURE_PROPERTIES}{_X}{name}/{_X}ClaimedRoles/{_X}ClaimedRole"
    for name in ("SignerRoleV2", "SignerRole")
)


@dataclass(frozen=True, slots=True)
class CertificateDigest:
    """xades:Cert: which certificate the signer means."""

    digest: bytes
    method: str
    """URI of the algorithm."""
    issuer_serial: bytes | None
    """DER, where it says so in the newer form (V2)."""


@dataclass(frozen=True, slots=True)
class SignedProperties:
    """What the signer said about the signature; true once `element` is found to be covered."""

    element: Element
    signing_time: datetime | None
    certificates: tuple[CertificateDigest, ...]
    """The signer's, in each form in which it is given (V2, V1)."""
    roles: tuple[str, ...]


def read_signed_properties(parsed: ParsedSignature) -> SignedProperties:
    """The SignedProperties inside the signature itself.

    Raises `signature.not-xades`, `signature.malformed`, `signature.comment`,
    `xml.comment-in-value`, `xml.date-time`.
    """
    found = [
        (qualifying, signed)
        for each in parsed.objects
        for qualifying in each.iterfind(f"{_X}QualifyingProperties")
        for signed in qualifying.iterfind(f"{_X}SignedProperties")
    ]
    if len(found) != 1:
        raise refused(
            "not-xades",
            f"The signature has {len(found)} SignedProperties; exactly one is needed.",
            parsed.element,
            "Ask for a XAdES baseline signature (EN 319 132-1).",
        )
    qualifying, signed = found[0]
    if parsed.id is None or qualifying.get("Target") != f"#{parsed.id}":
        raise refused("not-xades", "QualifyingProperties mean another signature.", qualifying)
    certificates = tuple(
        _certificate_digest(cert)
        for path in _CERTS
        if (cert := signed.find(path)) is not None  # the first is the signer's (clause 5.2.2)
    )
    if not certificates:
        raise refused(
            "not-xades", "The signature does not say which certificate it belongs to.", signed
        )
    time = signed.find(f"{_SIGNATURE_PROPERTIES}{_X}SigningTime")
    roles = tuple(text_of(role) for path in _ROLES for role in signed.iterfind(path))
    moment = None if time is None else read_date_time(text_of(time))[0]
    return SignedProperties(signed, moment, certificates, roles)


def _certificate_digest(cert: Element) -> CertificateDigest:
    method = cert.find(f"{_X}CertDigest/{_D}DigestMethod")
    value = cert.find(f"{_X}CertDigest/{_D}DigestValue")
    if method is None or value is None:
        raise refused("malformed", "A SigningCertificate has no digest.", cert)
    serial = cert.find(f"{_X}IssuerSerialV2")
    return CertificateDigest(
        base64_value(value),
        method.get("Algorithm", ""),
        None if serial is None else base64_value(serial),
    )


def sent_certificates(parsed: ParsedSignature) -> tuple[x509.Certificate, ...]:
    """The certificates in ds:KeyInfo, none of them trusted yet.

    Raises `signature.no-certificate`, `certificate.malformed`.
    """
    found: Sequence[Element] = ()
    if parsed.key_info is not None:
        found = parsed.key_info.findall(f"{_D}X509Data/{_D}X509Certificate")
    if not 0 < len(found) <= MAX_INTERMEDIATES:
        raise refused(
            "no-certificate",
            f"The signature brings {len(found)} certificates; 1 to {MAX_INTERMEDIATES} are needed.",
            parsed.element,
            "The signer has to include its certificate and the intermediates.",
        )
    return tuple(from_base64(text_of(each)) for each in found)


def signing_certificate(
    properties: SignedProperties, sent: Sequence[x509.Certificate], policy: AlgorithmPolicy
) -> tuple[x509.Certificate, tuple[Problem, ...]]:
    """The one of `sent` that the SignedProperties name, and what is odd about how they do.

    Raises `signature.certificate-mismatch`, `signature.weak-algorithm`,
    `signature.unknown-algorithm`.
    """
    for certificate in sent:
        der = certificate.public_bytes(Encoding.DER)
        if all(_names(named, der, policy) for named in properties.certificates):
            return certificate, _oddities(properties, certificate)
    raise refused(
        "certificate-mismatch",
        "None of the certificates that came along is the one that the signer signed with.",
        properties.element,
        "The certificate was exchanged, or the signing software is at fault.",
    )


def _names(named: CertificateDigest, der: bytes, policy: AlgorithmPolicy) -> bool:
    return hashlib.new(policy.digest_method(named.method), der).digest() == named.digest


def _oddities(properties: SignedProperties, certificate: x509.Certificate) -> tuple[Problem, ...]:
    problems = [weakness(named.method) for named in properties.certificates]
    for named in properties.certificates:
        if named.issuer_serial not in {None, issuer_serial(certificate)}:
            problems.append(
                Problem(
                    code="signature.issuer-serial",
                    what="IssuerSerialV2 is not that of the certificate, whose digest does fit.",
                    mend="Tell the sender: the signing software is at fault.",
                )
            )
    if properties.signing_time is None:
        problems.append(
            Problem(
                code="signature.no-signing-time",
                what="The signature does not say when it was made.",
                mend="Ask for a XAdES baseline signature (EN 319 132-1).",
            )
        )
    return tuple(problem for problem in problems if problem is not None)
