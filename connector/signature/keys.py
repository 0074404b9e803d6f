"""Private keys: the one place that touches them. They are never shown, logged or written."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import pkcs12

from connector.errors import ConnectorError, misconfigured, unacceptable
from connector.signature.algorithms import (
    ECDSA_SHA256,
    ECDSA_SHA384,
    ECDSA_SHA512,
    ED25519,
    RSA_SHA256,
    SIGNATURE_METHODS,
    PrivateKey,
    SignatureMethod,
)
from connector.signature.certificates import MALFORMED, issuer_serial

_OTHERS_MAY: Final = 0o077
_EC_METHODS: Final = ((256, ECDSA_SHA256), (384, ECDSA_SHA384), (521, ECDSA_SHA512))


@dataclass(frozen=True, eq=False)
class SigningKey:
    """A private key with its certificate and the intermediates that lead to a trust anchor."""

    private: PrivateKey = field(repr=False)
    certificate: x509.Certificate
    intermediates: tuple[x509.Certificate, ...] = ()
    """From the issuer of `certificate` upwards; the root need not be among them."""

    @cached_property
    def certificates(self) -> tuple[bytes, ...]:
        """DER of the certificate, then of the intermediates."""
        der = serialization.Encoding.DER
        return tuple(c.public_bytes(der) for c in (self.certificate, *self.intermediates))

    @cached_property
    def certificate_sha256(self) -> bytes:
        """Digest of the certificate's DER."""
        return hashlib.sha256(self.certificates[0]).digest()

    @cached_property
    def issuer_serial(self) -> bytes:
        """DER of IssuerSerial (RFC 5035, 4): issuer and serial number of the certificate."""
        return issuer_serial(self.certificate)

    @cached_property
    def algorithm(self) -> str:
        """URI of the signature method that suits the key."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            bits = self.private.curve.key_size
            return next((uri for most, uri in _EC_METHODS if bits <= most), ECDSA_SHA512)
        return RSA_SHA256 if isinstance(self.private, rsa.RSAPrivateKey) else ED25519

    def sign(self, data: bytes, signature_method: str | None = None) -> bytes:
        """The signature value as XMLDSig encodes it (ECDSA: r || s, RFC 4050).

        Raises `signature.wrong-key` (configuration) if the method is for another type of key.
        """
        signature = self.sign_der(data, signature_method)
        if not isinstance(self.private, ec.EllipticCurvePrivateKey):
            return signature
        size = (self.private.curve.key_size + 7) // 8
        r, s = utils.decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def sign_der(self, data: bytes, signature_method: str | None = None) -> bytes:
        """As `sign`, but ECDSA values as a DER sequence, as CMS and PDF want them."""
        method = self._method(signature_method or self.algorithm)
        private = self.private
        if isinstance(private, ed25519.Ed25519PrivateKey):
            return private.sign(data)
        assert method.hash is not None
        if isinstance(private, rsa.RSAPrivateKey):
            return private.sign(data, method.padding, method.hash)
        return private.sign(data, ec.ECDSA(method.hash))

    def _method(self, uri: str) -> SignatureMethod:
        method = SIGNATURE_METHODS.get(uri)
        if method is None or not method.fits(self.private):
            raise misconfigured(
                "signature.wrong-key",
                f"The key of {self.certificate.subject.rfc4514_string()} cannot sign with {uri}.",
                mend="Choose a method for this type of key, or leave it out.",
            )
        return method


@dataclass(frozen=True, slots=True, eq=False)
class DecryptionKey:
    """The RSA key that partners encrypt content keys for (WS-Security)."""

    private: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    def unwrap(self, wrapped: bytes) -> bytes:
        """A content key that was encrypted with RSA-OAEP (SHA-256, MGF1 with SHA-256, no label).

        Raises `encryption.unwrap` if it was not encrypted for this key in this way.
        """
        try:
            return self.private.decrypt(wrapped, _OAEP)
        except ValueError as error:
            raise unacceptable(
                "encryption.unwrap",
                "The content key was not encrypted for this connector's certificate.",
                mend="The sender needs our current certificate, and RSA-OAEP with SHA-256.",
            ) from error


_OAEP: Final = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def wrap(content_key: bytes, certificate: x509.Certificate) -> bytes:
    """Encrypt a content key for the holder of `certificate`, as `DecryptionKey.unwrap` reads it.

    Raises `encryption.wrong-key` (configuration) if the certificate's key is not RSA.
    """
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise misconfigured(
            "encryption.wrong-key",
            f"The certificate of {certificate.subject.rfc4514_string()} has no RSA key.",
            mend="Ask the partner for an RSA certificate for encryption.",
        )
    return public.encrypt(content_key, _OAEP)


def load_signing_key(path: Path, password: bytes | None = None) -> SigningKey:
    """The key in a PEM or PKCS#12 file with its certificate and intermediates.

    Raises `ConnectorError` (configuration): `key.missing`, `key.readable-by-others`,
    `key.unreadable` (wrong password, or no such file format), `key.no-certificate`,
    `key.unknown-type`.
    """
    private, certificate, others = _load(path, password)
    if isinstance(
        private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
    ):
        return SigningKey(private, certificate, others)
    raise _unknown_type(path, private, "RSA, ECDSA or Ed25519")


def load_decryption_key(path: Path, password: bytes | None = None) -> DecryptionKey:
    """The RSA key in a PEM or PKCS#12 file. Raises as `load_signing_key`."""
    private, certificate, _ = _load(path, password)
    if isinstance(private, rsa.RSAPrivateKey):
        return DecryptionKey(private, certificate)
    raise _unknown_type(path, private, "RSA")


def private_file(path: Path) -> bytes:
    """The content of a file that only its owner may read.

    Raises `ConnectorError` (configuration): `key.missing`, `key.readable-by-others`.
    """
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise misconfigured(
            "key.missing", f"The key file cannot be read: {error.strerror}.", file=str(path)
        ) from error
    if mode & _OTHERS_MAY:
        raise misconfigured(
            "key.readable-by-others",
            f"Others than its owner may use the key file (mode {mode & 0o777:o}).",
            mend=f"Run: chmod 600 {path}",
            file=str(path),
        )
    return data


def _load(
    path: Path, password: bytes | None
) -> tuple[object, x509.Certificate, tuple[x509.Certificate, ...]]:
    data = private_file(path)
    try:
        private, certificates = (
            _pem(data, password) if b"-----BEGIN" in data else _pkcs12(data, password)
        )
    except (ValueError, TypeError) as error:
        # The library's words may quote the file; they stay out of the message.
        raise misconfigured(
            "key.unreadable",
            "The file is neither PEM nor PKCS#12, or the password is wrong or missing.",
            mend="Check the password file named in the settings.",
            file=str(path),
        ) from error
    return private, *_ordered(private, certificates, path)


def _pem(data: bytes, password: bytes | None) -> tuple[object, list[x509.Certificate]]:
    private = serialization.load_pem_private_key(data, password)
    found = x509.load_pem_x509_certificates(data) if b"BEGIN CERTIFICATE" in data else []
    return private, found


def _pkcs12(data: bytes, password: bytes | None) -> tuple[object, list[x509.Certificate]]:
    store = pkcs12.load_pkcs12(data, password)
    own = [store.cert.certificate] if store.cert else []
    return store.key, own + [other.certificate for other in store.additional_certs]


def _ordered(
    private: object, certificates: list[x509.Certificate], path: Path
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """The certificate of the key, and those that lead upwards from it."""
    public = getattr(private, "public_key", lambda: None)()
    own = next((c for c in certificates if c.public_key() == public), None)
    if own is None:
        raise misconfigured(
            "key.no-certificate",
            "The file holds no certificate of its private key.",
            mend="Append the certificate and its intermediates to the file.",
            file=str(path),
        )
    return own, chain_of(own, certificates)


def chain_of(
    own: x509.Certificate, certificates: Sequence[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """Those of `certificates` that lead upwards from `own`."""
    chain: list[x509.Certificate] = []
    last = own
    while last.issuer != last.subject:
        above = next((c for c in certificates if _issued(c, last)), None)
        if above is None or above in chain:
            break
        chain.append(above)
        last = above
    return tuple(chain)


def _issued(above: x509.Certificate, below: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except (InvalidSignature, *MALFORMED):
        return False
    return True


def _unknown_type(path: Path, private: object, wanted: str) -> ConnectorError:
    return misconfigured(
        "key.unknown-type",
        f"The file holds a key of the type {type(private).__name__}; {wanted} is needed.",
        file=str(path),
    )
