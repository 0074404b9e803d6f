"""What a person is told about one signature: whether it counts, whose it is, and why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connector.errors import ConnectorError, Problem
from connector.signature.algorithms import (
    CURVES,
    SIGNATURE_METHODS,
    WEAK,
    AlgorithmPolicy,
)
from connector.signature.certificates import fingerprint, public_key
from connector.signature.trust import Purpose, TrustPath, TrustStore


@dataclass(frozen=True, slots=True)
class Basis:
    """What signatures are judged by."""

    trust: TrustStore
    policy: AlgorithmPolicy
    at: datetime
    """When certificates must be valid."""


class Verdict(StrEnum):
    """Whether a signature counts."""

    VALID = "valid"
    INTACT = "intact"
    """What was signed is unchanged, but the signature does not count: the signer is not trusted,
    its certificate has expired, an algorithm is too weak."""
    INVALID = "invalid"
    """It does not hold, or cannot be checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A certificate, as far as a person wants to know it."""

    subject: str
    issuer: str
    serial: str
    """Hexadecimal."""
    not_before: datetime
    not_after: datetime
    key: str
    """E.g. `RSA 2048`."""
    sha256: str
    """Fingerprint, hexadecimal."""

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Signer:
        """What `certificate` says of its holder."""
        return cls(
            subject=name_of(certificate.subject),
            issuer=name_of(certificate.issuer),
            serial=f"{certificate.serial_number:x}",
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            key=_key(certificate),
            sha256=fingerprint(certificate, "sha256").hex(),
        )

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "serial": self.serial,
            "not_before": self.not_before.isoformat(),
            "not_after": self.not_after.isoformat(),
            "key": self.key,
            "sha256": self.sha256,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One signature, judged."""

    verdict: Verdict
    form: str
    """E.g. `XAdES` or `PAdES`."""
    signer: Signer | None = None
    """Proven only where the verdict is not INVALID; else what the signature claims."""
    path: tuple[str, ...] = ()
    """Subjects from the signer's issuer to the trust anchor."""
    algorithm: str = ""
    digests: tuple[str, ...] = ()
    """Names of the digest algorithms of its references."""
    signing_time: datetime | None = None
    """As the signer claims."""
    roles: tuple[str, ...] = ()
    """As the signer claims."""
    covers: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Why it does not count."""
    weaknesses: tuple[Problem, ...] = ()
    """What is odd about it, though it counts."""

    def as_json(self) -> dict[str, Any]:
        """Plain data; what is not known left out."""
        plain: dict[str, Any] = {
            "verdict": str(self.verdict),
            "form": self.form,
            "signer": self.signer.as_json() if self.signer else None,
            "path": list(self.path),
            "algorithm": self.algorithm,
            "digests": list(self.digests),
            "signing_time": self.signing_time.isoformat() if self.signing_time else None,
            "roles": list(self.roles),
            "covers": list(self.covers),
            "problems": [each.as_json() for each in self.problems],
            "weaknesses": [each.as_json() for each in self.weaknesses],
        }
        return {name: value for name, value in plain.items() if value not in (None, "", [])}


class Anyone(TrustStore):
    """Takes every certificate for trusted. Only to tell what a signature would prove if its signer
    were trusted; nothing may be accepted on its word."""

    def __init__(self) -> None:
        super().__init__(())

    def validate(
        self,
        certificate: x509.Certificate,
        intermediates: object,
        at: datetime,
        policy: AlgorithmPolicy,
        purpose: Purpose = Purpose.SIGNATURE,
    ) -> TrustPath:
        """A path of the certificate alone, whatever it is."""
        return TrustPath(
            (certificate,), certificate.not_valid_before_utc, certificate.not_valid_after_utc
        )


ANYTHING: Final = AlgorithmPolicy(
    permitted=WEAK, rsa_bits=512, curves=CURVES | {"secp224r1", "secp256k1", "secp192r1"}
)
"""To tell whether a weak signature is at least intact."""


def name_of(name: x509.Name) -> str:
    """A distinguished name, most specific part first (RFC 4514)."""
    return name.rfc4514_string()


def path_of(path: TrustPath) -> tuple[str, ...]:
    """Subjects above the signer."""
    return tuple(name_of(each.subject) for each in path.certificates[1:])


def algorithm_name(uri: str) -> str:
    """A signature method in words, e.g. `RSA PKCS#1 v1.5 with SHA-256`; else its URI."""
    method = SIGNATURE_METHODS.get(uri)
    if method is None:
        return uri
    return f"{method.family} with {digest_name(method.hash.name)}" if method.hash else method.family


def digest_name(uri: str) -> str:
    """A digest algorithm as people write it, e.g. `SHA-256`, by its URI or hashlib name."""
    name = uri.rpartition("#")[2].upper()
    return f"SHA-{name.removeprefix('SHA')}" if name.startswith("SHA") else name


def named(problems: Iterable[Problem], file: str) -> tuple[Problem, ...]:
    """Problems with the name of the file in front, where they name none or only a part of it."""
    return tuple(replace(each, file=file) for each in problems)


def _key(certificate: x509.Certificate) -> str:
    try:
        key = public_key(certificate)
    except ConnectorError:
        return "unreadable"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    return type(key).__name__.strip("_").removesuffix("PublicKey")
