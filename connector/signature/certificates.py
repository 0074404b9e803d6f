"""Certificates as values: parsed once, however often they come (RFC 5280)."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from functools import lru_cache
from typing import Any, Final

from asn1crypto import tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from connector.errors import unacceptable

MALFORMED: Final = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,  # asn1crypto's types of ASN.1 that nobody uses have no values
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the libraries raise for malformed certificates and data. None of it is a programming error,
since all of it comes from strangers."""
_LONGEST: Final = 32_768
_CACHED: Final = 512


def from_base64(text: str) -> x509.Certificate:
    """The certificate in a ds:X509Certificate or wsse:BinarySecurityToken.

    Raises `certificate.malformed`.
    """
    if len(text) > _LONGEST:
        raise unacceptable("certificate.malformed", "A certificate of more than 32 KiB.")
    return _from_base64(text)


@lru_cache(maxsize=_CACHED)
def _from_base64(text: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(b64decode("".join(text.split()), validate=True))
    except (binascii.Error, *MALFORMED) as error:
        raise unacceptable(
            "certificate.malformed",
            f"The certificate that came along cannot be read: {error}",
            mend="The sender has to include its certificate as Base64 of DER.",
        ) from error


@lru_cache(maxsize=_CACHED)
def public_key(certificate: x509.Certificate) -> object:
    """The certificate's key, of whatever type. Raises `certificate.malformed`."""
    try:
        return certificate.public_key()
    except MALFORMED as error:
        raise unacceptable(
            "certificate.malformed", f"The key of a certificate cannot be read: {error}"
        ) from error


@lru_cache(maxsize=_CACHED)
def asn1(certificate: x509.Certificate) -> Any:
    """The same certificate for asn1crypto."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))


@lru_cache(maxsize=_CACHED)
def issuer_serial(certificate: x509.Certificate) -> bytes:
    """DER of IssuerSerial (RFC 5035, 4): the certificate's issuer and serial number."""
    own = asn1(certificate)
    name = asn1_x509.GeneralName(name="directory_name", value=own.issuer)
    encoded: bytes = tsp.IssuerSerial({"issuer": [name], "serial_number": own.serial_number}).dump()
    return encoded


@lru_cache(maxsize=_CACHED)
def fingerprint(certificate: x509.Certificate, algorithm: str) -> bytes:
    """The digest of the certificate's DER by an algorithm that hashlib knows."""
    return hashlib.new(algorithm, certificate.public_bytes(Encoding.DER)).digest()


def name_of(certificate: x509.Certificate) -> str:
    """The subject for people (RFC 4514), also of certificates that are malformed there."""
    try:
        return certificate.subject.rfc4514_string()
    except MALFORMED:
        return "somebody whose name cannot be read"
