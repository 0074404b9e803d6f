"""Keys that follow one another, and certificates that are about to expire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from connector.errors import Problem, misconfigured
from connector.signature.certificates import name_of
from connector.signature.keys import SigningKey

WARN: Final = timedelta(days=60)
"""How long before its end a certificate is warned about by default."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys for one purpose, old and new ones side by side.

    A new key is used when its certificate has been valid for `overlap`, so that partners have it
    by then; until then, and as long as nothing else is left, the old one is.
    """

    keys: tuple[SigningKey, ...]
    overlap: timedelta = timedelta(0)

    def current(self, at: datetime) -> SigningKey:
        """The key to sign with at `at`. Raises `key.none-valid` (configuration)."""
        valid = [key for key in self.keys if _is_valid(key.certificate, at)]
        if not valid:
            raise misconfigured(
                "key.none-valid",
                f"None of the {len(self.keys)} certificates for this purpose is valid at "
                f"{at:%Y-%m-%d %H:%M} UTC.",
                mend="Get a new certificate and name its file in the settings.",
            )
        valid.sort(key=lambda key: key.certificate.not_valid_before_utc)
        settled = [
            key for key in valid if key.certificate.not_valid_before_utc + self.overlap <= at
        ]
        return settled[-1] if settled else valid[0]

    def published(self, at: datetime) -> tuple[x509.Certificate, ...]:
        """What partners should know: the certificates that are valid, or will be."""
        return tuple(
            key.certificate for key in self.keys if key.certificate.not_valid_after_utc >= at
        )


@dataclass(frozen=True, slots=True)
class Expiry:
    """When a certificate ends."""

    name: str
    """What it is used for, e.g. `signature`."""
    certificate: x509.Certificate
    left: timedelta
    """Negative once it is over."""


def expiries(
    certificates: Mapping[str, Iterable[x509.Certificate]], at: datetime
) -> tuple[Expiry, ...]:
    """Every certificate with what is left of it, the most urgent first: for metrics."""
    found = (
        Expiry(name, each, each.not_valid_after_utc - at)
        for name, group in certificates.items()
        for each in group
    )
    return tuple(sorted(found, key=lambda expiry: expiry.left))


def expiry_warnings(
    certificates: Mapping[str, Iterable[x509.Certificate]],
    at: datetime,
    *,
    warn: timedelta = WARN,
) -> tuple[Problem, ...]:
    """What a person must be told about certificates, by what each is used for.

    Codes: `certificate.expired`, `certificate.expires-soon`, `certificate.not-yet-valid`.
    """
    problems = [
        problem
        for expiry in expiries(certificates, at)
        if (problem := _expiry_problem(expiry, at, warn)) is not None
    ]
    return tuple(problems)


def _expiry_problem(expiry: Expiry, at: datetime, warn: timedelta) -> Problem | None:
    certificate = expiry.certificate
    subject = name_of(certificate)
    end = certificate.not_valid_after_utc
    if expiry.left < timedelta(0):
        return Problem(
            code="certificate.expired",
            what=f"The certificate for {expiry.name} ({subject}) expired on {end:%Y-%m-%d}.",
            mend="Nothing that is signed with it counts: get a new certificate now.",
        )
    if at < certificate.not_valid_before_utc:
        begin = certificate.not_valid_before_utc
        return Problem(
            code="certificate.not-yet-valid",
            what=f"The certificate for {expiry.name} ({subject}) is valid from "
            f"{begin:%Y-%m-%d %H:%M} UTC.",
            mend="Keep the former one in the settings until then.",
        )
    if expiry.left <= warn:
        return Problem(
            code="certificate.expires-soon",
            what=f"The certificate for {expiry.name} ({subject}) expires in {expiry.left.days} "
            f"days, on {end:%Y-%m-%d}.",
            mend="Get a new one, and add it beside the old one in the settings.",
        )
    return None


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
