"""Whether certificates of a path are revoked, by pyhanko-certvalidator."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from asn1crypto import crl as asn1_crl  # type: ignore[import-untyped]
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.x509 import ocsp
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    PathError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    DisallowWeakAlgorithmsPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.validate import async_validate_path

from connector.errors import transient, unacceptable
from connector.signature.certificates import MALFORMED, asn1
from connector.signature.revocation import Checking, RevocationData, RevocationSource
from connector.signature.trust import TrustPath, finished

_TOLERANCE: Final = timedelta(minutes=1)
_REMEMBERED: Final = 4096
RULES: Final = {
    Checking.REQUIRED: RevocationCheckingRule.CRL_OR_OCSP_REQUIRED,
    Checking.DECLARED: RevocationCheckingRule.CHECK_IF_DECLARED,
    Checking.NONE: RevocationCheckingRule.NO_CHECK,
}


def check_path(
    certificates: tuple[x509.Certificate, ...],
    data: RevocationData,
    at: datetime,
    checking: Checking = Checking.DECLARED,
) -> None:
    """Make sure that nothing of a path (from the signer's to the anchor) was revoked at `at`.

    Data that was issued after `at` is accepted, too: what it says was revoked later than `at` did
    count then. Raises `certificate.revoked`;
    `certificate.revocation-unknown` (transient) where data is missing, too old, or not signed by
    whom it must be; `certificate.path-invalid`.
    """
    rule = RULES[checking]
    context = ValidationContext(
        trust_roots=[asn1(certificates[-1])],
        other_certs=[asn1(each) for each in certificates[:-1]],
        moment=at.astimezone(UTC),
        best_signature_time=at.astimezone(UTC),
        allow_fetching=False,
        crls=parsed_crls(data),
        ocsps=parsed_ocsps(data),
        time_tolerance=_TOLERANCE,
        revinfo_policy=CertRevTrustPolicy(
            RevocationCheckingPolicy(rule, rule), retroactive_revinfo=True
        ),
        algorithm_usage_policy=DisallowWeakAlgorithmsPolicy(),  # type: ignore[no-untyped-call]
    )
    path = ValidationPath(
        trust_anchor=CertTrustAnchor(asn1(certificates[-1])),
        interm=[asn1(each) for each in reversed(certificates[1:-1])],
        leaf=asn1(certificates[0]) if len(certificates) > 1 else None,
    )
    subject = certificates[0].subject.rfc4514_string()
    try:
        finished(async_validate_path(context, path))
    except RevokedError as error:
        raise unacceptable(
            "certificate.revoked",
            f"The certificate of {subject} does not count: {error.failure_msg.rstrip('.')}.",
            mend="The signer needs another certificate.",
        ) from error
    except DisallowedAlgorithmError as error:
        raise unacceptable("certificate.weak-algorithm", f"{subject}: {error}") from error
    except (PathError, ValidationError, *MALFORMED) as error:
        raise transient(
            "certificate.revocation-unknown",
            f"Whether the certificate of {subject} is revoked cannot be found out: {error}",
            mend="It is tried again; the issuer's OCSP responder or CRL must be reachable.",
        ) from error


def parsed_crls(data: RevocationData) -> list[Any]:
    """The CRLs for certvalidator; what is none is left out."""
    return [
        asn1_crl.CertificateList.load(der)
        for der in data.crls
        if _loads(x509.load_der_x509_crl, der)
    ]


def parsed_ocsps(data: RevocationData) -> list[Any]:
    """The OCSP responses for certvalidator; what is none is left out."""
    return [
        asn1_ocsp.OCSPResponse.load(der)
        for der in data.ocsps
        if _loads(ocsp.load_der_ocsp_response, der)
    ]


def _loads(load: Callable[[bytes], object], der: bytes) -> bool:
    try:
        load(der)
    except ValueError:
        return False
    return True


class RevocationChecker:
    """For `TrustStore.revocation`: looks each path up, and remembers for a while that it is good.

    Safe between threads.
    """

    def __init__(
        self,
        source: RevocationSource,
        checking: Checking = Checking.DECLARED,
        *,
        remember: timedelta = timedelta(minutes=10),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`remember` is how long a path that was found good is not looked up again."""
        self._source = source
        self._checking = checking
        self._remember = remember
        self._now = now
        self._good: OrderedDict[tuple[x509.Certificate, ...], datetime] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, path: TrustPath, at: datetime) -> None:
        """Raises as `check_path`."""
        if self._checking is Checking.NONE:
            return
        looked_up = self._good.get(path.certificates)
        if looked_up is not None and self._now() - looked_up < self._remember and at >= looked_up:
            return
        data = gather(path.certificates, self._source)
        check_path(path.certificates, data, at, self._checking)
        with self._lock:
            self._good[path.certificates] = self._now()
            while len(self._good) > _REMEMBERED:
                self._good.popitem(last=False)


def gather(certificates: tuple[x509.Certificate, ...], source: RevocationSource) -> RevocationData:
    """What `source` has about a path (from the signer's certificate to the anchor)."""
    found = RevocationData()
    for certificate, issuer in pairwise(certificates):
        found = found + source.find(certificate, issuer)
    return found
