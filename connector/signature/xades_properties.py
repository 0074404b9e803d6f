"""What the SignedProperties of a XAdES signature say (ETSI EN 319 132-1, clause 5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from connector.errors import Problem
from connector.signature.algorithms import AlgorithmPolicy, weakness
from connector.signature.certificates import fingerprint, from_base64, issuer_serial
from connector.signature.dsig_model import DS, ParsedSignature, refused
from connector.signature.dsig_reading import base64_value
from connector.signature.trust import MAX_INTERMEDIATES
from connector.signature.xades_statements import XADES
from connector.xml import Element, text_of
from connector.xml_values import read_date_time

SIGNED_PROPERTIES_TYPE: Final = "http://uri.etsi.org/01903#SignedProperties"

_X: Final = f"{{{XADES}}}"
_D: Final = f"{{{DS}}}"
_QUALIFYING: Final = f"{_X}QualifyingProperties"
_SIGNED: Final = f"{_X}SignedProperties"
_OF_SIGNATURE: Final = f"{_X}SignedSignatureProperties"
_TIME: Final = f"{_X}SigningTime"
_CERTIFICATES: Final = (f"{_X}SigningCertificateV2", f"{_X}SigningCertificate")
_ROLES: Final = (f"{_X}SignerRoleV2", f"{_X}SignerRole")


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
        for qualifying in each.iterchildren(_QUALIFYING)
        for signed in qualifying.iterchildren(_SIGNED)
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
    of_signature = next(signed.iterchildren(_OF_SIGNATURE), None)
    said = {child.tag: child for child in of_signature} if of_signature is not None else {}
    certificates = tuple(_certificate_digest(said[tag]) for tag in _CERTIFICATES if tag in said)
    if not certificates:
        raise refused(
            "not-xades", "The signature does not say which certificate it belongs to.", signed
        )
    roles = tuple(
        text_of(role)
        for tag in _ROLES
        if tag in said
        for role in said[tag].iterfind(f"{_X}ClaimedRoles/{_X}ClaimedRole")
    )
    moment = read_date_time(text_of(said[_TIME]))[0] if _TIME in said else None
    return SignedProperties(signed, moment, certificates, roles)


def _certificate_digest(signing_certificate: Element) -> CertificateDigest:
    """Of its first xades:Cert, which is the signer's (clause 5.2.2.2)."""
    cert = next(signing_certificate.iterchildren(f"{_X}Cert"), None)
    said = {} if cert is None else {child.tag: child for child in cert}
    digest = said.get(f"{_X}CertDigest")
    parts = () if digest is None else tuple(digest)
    if [part.tag for part in parts] != [f"{_D}DigestMethod", f"{_D}DigestValue"]:
        raise refused("malformed", "A SigningCertificate has no digest.", signing_certificate)
    serial = said.get(f"{_X}IssuerSerialV2")
    return CertificateDigest(
        base64_value(parts[1]),
        parts[0].get("Algorithm", ""),
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
        if all(_names(named, certificate, policy) for named in properties.certificates):
            return certificate, _oddities(properties, certificate)
    raise refused(
        "certificate-mismatch",
        "None of the certificates that came along is the one that the signer signed with.",
        properties.element,
        "The certificate was exchanged, or the signing software is at fault.",
    )


def _names(
    named: CertificateDigest, certificate: x509.Certificate, policy: AlgorithmPolicy
) -> bool:
    return fingerprint(certificate, policy.digest_method(named.method)) == named.digest


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
