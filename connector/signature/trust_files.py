"""Certificates to trust out of files of every kind: PEM, DER, PKCS#12, Java key stores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from connector.errors import ConnectorError, misconfigured
from connector.signature import jks
from connector.signature.certificates import MALFORMED
from connector.signature.trust import Revocation, TrustStore, is_authority


def certificates_in(path: Path, password: bytes | None = None) -> list[x509.Certificate]:
    """All certificates in a file, whose kind is told by its content.

    Raises `ConnectorError` (configuration): `trust.missing`, `trust.unreadable`,
    `trust.wrong-password`, `trust.empty`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise misconfigured(
            "trust.missing", f"The file cannot be read: {error.strerror}.", file=str(path)
        ) from error
    try:
        found = _certificates(data, password)
    except ConnectorError as error:
        named = (replace(problem, file=str(path)) for problem in error.problems)
        raise ConnectorError(error.kind, *named) from error
    except MALFORMED as error:
        raise misconfigured(
            "trust.unreadable",
            "The file is neither PEM nor DER nor PKCS#12 nor a Java key store, or its password is "
            "wrong or missing.",
            mend="Check the password file named in the settings.",
            file=str(path),
        ) from error
    if not found:
        raise misconfigured(
            "trust.empty", "The file holds no certificates.", file=str(path),
            mend="Put the CA certificates of the partners there.",
        )  # fmt: skip
    return found


def _certificates(data: bytes, password: bytes | None) -> list[x509.Certificate]:
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)
    if data[:4] in jks.MAGIC:
        return jks.certificates(data, password)
    try:
        return [x509.load_der_x509_certificate(data)]
    except MALFORMED:
        store = pkcs12.load_pkcs12(data, password)
    own = [store.cert] if store.cert is not None else []
    return [each.certificate for each in (*own, *store.additional_certs)]


def trust_of(
    certificates: Iterable[x509.Certificate], *, revocation: Revocation | None = None
) -> TrustStore:
    """Self-issued CAs are anchors, other CAs intermediates; what is no CA is trusted by itself."""
    found = list(certificates)
    authorities = [each for each in found if is_authority(each)]
    return TrustStore(
        (each for each in authorities if each.issuer == each.subject),
        pinned=(each for each in found if not is_authority(each)),
        intermediates=(each for each in authorities if each.issuer != each.subject),
        revocation=revocation,
    )
