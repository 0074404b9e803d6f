"""Why a certificate does not count, in sentences."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from connector.signature.certificates import name_of
from connector.validation.indications import SubIndication
from connector.validation.report import Conclusion


def not_trusted(certificate: x509.Certificate) -> Conclusion:
    """For a certificate without a path."""
    subject = name_of(certificate)
    return Conclusion(
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
        (f"No path leads from the certificate of {subject} to anybody that is trusted.",),
    )


def out_of_bounds(certificate: x509.Certificate, at: datetime) -> str:
    """For a certificate that was not valid at `at`."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    subject = name_of(certificate)
    if at < begin:
        return f"The certificate of {subject} is valid only from {begin:%Y-%m-%d %H:%M} UTC."
    return (
        f"The certificate of {subject} expired on {end:%Y-%m-%d %H:%M} UTC, and nothing proves "
        "that the signature existed before."
    )


def reason(sub: SubIndication, certificate: x509.Certificate, since: datetime | None) -> str:
    """For a path that failed with `sub`, `since` when that is known."""
    subject = name_of(certificate)
    when = f" on {since:%Y-%m-%d %H:%M} UTC" if since is not None else ""
    return {
        SubIndication.REVOKED_NO_POE: (
            f"The certificate of {subject} was revoked{when}, and nothing proves that the "
            "signature existed before."
        ),
        SubIndication.REVOKED_CA_NO_POE: f"An issuer of {subject} was revoked{when}.",
        SubIndication.TRY_LATER: (
            f"Whether the certificate of {subject} is revoked cannot be found out at present."
        ),
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE: (
            f"The path of {subject} uses an algorithm or key that does not count."
        ),
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE: (
            f"The path of {subject} uses an algorithm or key that does not count any more{when}."
        ),
    }.get(sub, f"The path of {subject} does not hold: names, constraints or signatures do not fit.")
