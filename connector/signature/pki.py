"""A PKI of one's own, for demonstrations and tests: a root, a CA for each country, its keys.

Whoever runs a real connector gets certificates from a trust service provider instead.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from connector.signature.algorithms import PrivateKey, PublicKey
from connector.signature.keys import SigningKey

_SKEW: Final = timedelta(days=1)
_ROOT_LIFE: Final = timedelta(days=3650)
_ISSUER_LIFE: Final = timedelta(days=1825)
_LEAF_LIFE: Final = timedelta(days=730)


class KeyType(StrEnum):
    """Kinds of keys that the PKI makes."""

    RSA_2048 = "rsa2048"
    RSA_3072 = "rsa3072"
    P256 = "p256"
    P384 = "p384"
    P521 = "p521"
    BRAINPOOL_256 = "brainpool256"
    BRAINPOOL_384 = "brainpool384"
    BRAINPOOL_512 = "brainpool512"
    ED25519 = "ed25519"

    def generate(self) -> PrivateKey:
        """A new private key."""
        if self is KeyType.ED25519:
            return ed25519.Ed25519PrivateKey.generate()
        if self in _CURVES:
            return ec.generate_private_key(_CURVES[self])
        return rsa.generate_private_key(65537, int(self.removeprefix("rsa")))


_CURVES: Final[dict[KeyType, ec.EllipticCurve]] = {
    KeyType.P256: ec.SECP256R1(),
    KeyType.P384: ec.SECP384R1(),
    KeyType.P521: ec.SECP521R1(),
    KeyType.BRAINPOOL_256: ec.BrainpoolP256R1(),
    KeyType.BRAINPOOL_384: ec.BrainpoolP384R1(),
    KeyType.BRAINPOOL_512: ec.BrainpoolP512R1(),
}


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that can issue."""

    key: SigningKey
    """Its intermediates are those above it, without the root."""
    is_root: bool

    @classmethod
    def root(cls, name: str, now: datetime, *, key_type: KeyType = KeyType.RSA_2048) -> Authority:
        """A new, self-issued CA."""
        private = key_type.generate()
        subject = _name(name)
        builder = _builder(subject, subject, private.public_key(), now - _SKEW, now + _ROOT_LIFE)
        certificate = _signed(_as_authority(builder, None), private)
        return cls(SigningKey(private, certificate), is_root=True)

    def authority(
        self,
        name: str,
        now: datetime,
        *,
        country: str | None = None,
        key_type: KeyType = KeyType.RSA_2048,
    ) -> Authority:
        """A CA below this one, which can issue to end entities only."""
        private = key_type.generate()
        subject = _name(name, country)
        builder = self._builder(subject, private.public_key(), now - _SKEW, now + _ISSUER_LIFE)
        certificate = _signed(_as_authority(builder, 0), self.key.private)
        return Authority(SigningKey(private, certificate, self.above), is_root=False)

    @property
    def above(self) -> tuple[x509.Certificate, ...]:
        """What an end entity sends along: this CA and those above it, without the root."""
        return () if self.is_root else (self.key.certificate, *self.key.intermediates)

    def issue(
        self,
        name: str,
        now: datetime,
        *,
        country: str | None = None,
        key_type: KeyType = KeyType.RSA_2048,
        encipherment: bool = False,
        signature: bool = True,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
        private: PrivateKey | None = None,
    ) -> SigningKey:
        """A key with its certificate; `encipherment` if content keys are encrypted for it too."""
        private = private or key_type.generate()
        builder = self._builder(
            _name(name, country),
            private.public_key(),
            not_before or now - _SKEW,
            not_after or now + _LEAF_LIFE,
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(
            _usage(signature=signature, encipherment=encipherment), critical=True
        )
        return SigningKey(private, _signed(builder, self.key.private), self.above)

    def _builder(
        self, subject: x509.Name, public: PublicKey, begin: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        own = self.key.certificate
        identifier = own.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return _builder(own.subject, subject, public, begin, end).add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryKeys:
    """The key files of one country's connector; each holds key, certificate and intermediates."""

    signature: Path
    seal: Path
    evidence: Path
    transport: Path
    """Always RSA: eDelivery AS4 1.15 encrypts with RSA-OAEP."""
    transport_certificate: Path
    """Without key: for the partners."""


@dataclass(frozen=True, slots=True)
class Pki:
    """Where `make_pki` put everything."""

    trust: Path
    """The folder with the root's certificate: a trust folder for every connector."""
    countries: dict[str, CountryKeys]


def make_pki(
    folder: Path,
    countries: Sequence[str],
    now: datetime,
    *,
    key_type: KeyType = KeyType.RSA_2048,
) -> Pki:
    """Write a root, an issuing CA for each country and its connector's keys under `folder`.

    `trust/root.pem` is the root; `<CC>/` has `signature.pem`, `seal.pem`, `evidence.pem`,
    `transport.pem` (mode 0600) and `transport-certificate.pem`. The CAs' own keys are thrown away.
    Raises FileExistsError rather than overwrite a key.
    """
    root = Authority.root("emla demonstration root", now, key_type=key_type)
    trust = folder / "trust"
    trust.mkdir(parents=True, exist_ok=True)
    _write(trust / "root.pem", _pem(root.key.certificate), 0o644)
    made = {}
    for country in countries:
        place = folder / country
        place.mkdir(mode=0o700, exist_ok=True)
        issuer = root.authority(
            f"Demonstration CA {country}", now, country=country, key_type=key_type
        )
        for purpose in ("signature", "seal", "evidence", "transport"):
            transport = purpose == "transport"
            key = issuer.issue(
                f"Demonstration connector {country}, {purpose}",
                now,
                country=country,
                key_type=_transport_type(key_type) if transport else key_type,
                encipherment=transport,
            )
            write_key(place / f"{purpose}.pem", key)
            if transport:
                _write(place / "transport-certificate.pem", _pem(key.certificate), 0o644)
        made[country] = CountryKeys(
            signature=place / "signature.pem",
            seal=place / "seal.pem",
            evidence=place / "evidence.pem",
            transport=place / "transport.pem",
            transport_certificate=place / "transport-certificate.pem",
        )
    return Pki(trust, made)


def _transport_type(key_type: KeyType) -> KeyType:
    return key_type if key_type.startswith("rsa") else KeyType.RSA_2048


def write_key(path: Path, key: SigningKey) -> None:
    """Write key, certificate and intermediates as one PEM file that only its owner can read."""
    private = key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _write(path, private + _pem(key.certificate, *key.intermediates), 0o600)


def _write(path: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def _name(common: str, country: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COUNTRY_NAME, country)] if country else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    issuer: x509.Name, subject: x509.Name, public: PublicKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _as_authority(
    builder: x509.CertificateBuilder, path_length: int | None
) -> x509.CertificateBuilder:
    return builder.add_extension(
        x509.BasicConstraints(ca=True, path_length=path_length), critical=True
    ).add_extension(_usage(issuing=True, signature=False), critical=True)


def _usage(
    *, signature: bool = True, encipherment: bool = False, issuing: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signature,
        content_commitment=signature,
        key_encipherment=encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issuing,
        crl_sign=issuing,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, private: PrivateKey) -> x509.Certificate:
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return builder.sign(private, None)
    return builder.sign(private, hashes.SHA256())
