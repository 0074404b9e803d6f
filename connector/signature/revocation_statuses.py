"""What CRLs and OCSP responses say about one certificate, each verified (RFC 5280, RFC 6960)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import ocsp as asn1_ocsp  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_SIGNATURE_VALIDATOR,
    SignatureValidationContext,
)

from connector.signature.certificates import MALFORMED, asn1, public_key
from connector.signature.revocation import RevocationData, crl_urls


@dataclass(frozen=True, slots=True)
class Status:
    """What one piece of revocation data says about a certificate."""

    der: bytes
    issued: datetime
    until: datetime
    """Until when it is fresh: there is newer data then."""
    revoked: datetime | None
    signer: x509.Certificate
    """The issuer, or the OCSP responder that it appointed."""
    hash_name: str | None
    """As hashlib knows it; None where the algorithm of the signature hashes by itself."""


def statuses(
    certificate: x509.Certificate, issuer: x509.Certificate, data: RevocationData
) -> Iterator[Status]:
    """All that is about `certificate` and signed by its issuer or whom that appointed; the rest
    is left out."""
    for der in data.crls:
        found = _from_crl(der, certificate, issuer)
        if found is not None:
            yield found
    for der in data.ocsps:
        found = _from_ocsp(der, certificate, issuer)
        if found is not None:
            yield found


def _from_crl(der: bytes, certificate: x509.Certificate, issuer: x509.Certificate) -> Status | None:
    try:
        crl = x509.load_der_x509_crl(der)
        if crl.issuer != certificate.issuer or not _is_about(crl, certificate):
            return None
        if not crl.is_signature_valid(public_key(issuer)):  # type: ignore[arg-type]
            return None
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        return Status(
            der,
            crl.last_update_utc,
            crl.next_update_utc or crl.last_update_utc,
            entry.revocation_date_utc if entry is not None else None,
            issuer,
            _name(crl.signature_hash_algorithm),
        )
    except MALFORMED:
        return None


def _is_about(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether the CRL is a whole one, and its scope includes the certificate (5.2.5)."""
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.IssuingDistributionPoint):
            if not _in_scope(value, certificate):
                return False
        elif extension.critical:
            return False  # a delta CRL, or something that nobody here understands
    return True


def _in_scope(scope: x509.IssuingDistributionPoint, certificate: x509.Certificate) -> bool:
    if scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs:
        return False
    if scope.only_contains_user_certs and _is_ca(certificate):
        return False
    if scope.only_contains_ca_certs and not _is_ca(certificate):
        return False
    if scope.full_name is None:
        return scope.relative_name is None
    urls = [n.value for n in scope.full_name if isinstance(n, x509.UniformResourceIdentifier)]
    return bool(set(urls) & set(crl_urls(certificate)))


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, *MALFORMED):
        return False
    return found.value.ca


def _from_ocsp(
    der: bytes, certificate: x509.Certificate, issuer: x509.Certificate
) -> Status | None:
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return None
        single = next(
            (each for each in response.responses if _names(each, certificate, issuer)), None
        )
        if single is None or single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN:
            return None
        responder = _responder(response, issuer)
        if responder is None or not _signs(responder, der):
            return None
        return Status(
            der,
            single.this_update_utc,
            single.next_update_utc or single.this_update_utc,
            single.revocation_time_utc,
            responder,
            _name(response.signature_hash_algorithm),
        )
    except MALFORMED:
        return None


def _names(
    single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate
) -> bool:
    wanted = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, single.hash_algorithm)
    built = wanted.build()
    return (
        single.serial_number == built.serial_number
        and single.issuer_key_hash == built.issuer_key_hash
        and single.issuer_name_hash == built.issuer_name_hash
    )


def _responder(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> x509.Certificate | None:
    """The issuer, or one that it appointed for OCSP by a certificate (RFC 6960, 4.2.2.2)."""
    for candidate in (issuer, *response.certificates):
        if not _is_named(response, candidate):
            continue
        if candidate == issuer or _is_appointed(candidate, issuer):
            return candidate
    return None


def _is_named(response: ocsp.OCSPResponse, candidate: x509.Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == candidate.subject
    made = asn1(candidate)["tbs_certificate"]["subject_public_key_info"].sha1
    return bool(response.responder_key_hash == made)


def _is_appointed(candidate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        candidate.verify_directly_issued_by(issuer)
        usage = candidate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (InvalidSignature, x509.ExtensionNotFound, *MALFORMED):
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _signs(responder: x509.Certificate, der: bytes) -> bool:
    basic: Any = asn1_ocsp.OCSPResponse.load(der).basic_ocsp_response
    try:
        DEFAULT_SIGNATURE_VALIDATOR.validate_signature(
            basic["signature"].native,
            basic["tbs_response_data"].dump(),
            asn1(responder).public_key,
            basic["signature_algorithm"],
            context=SignatureValidationContext(contextual_md_algorithm=None, prehashed=False),
        )
    except InvalidSignature:
        return False
    return True


def _name(used: HashAlgorithm | None) -> str | None:
    return None if used is None else used.name.replace("-", "_")


def needs_no_check(certificate: x509.Certificate) -> bool:
    """Whether its issuer says that its revocation is not to be asked for (OCSP responders)."""
    try:
        certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)
    except (x509.ExtensionNotFound, *MALFORMED):
        return False
    return True


def latest(found: Iterable[Status]) -> Status:
    """The one that was issued last."""
    return max(found, key=lambda status: status.issued)
