"""Whether certificates of a path were revoked at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from cryptography import x509

from connector.errors import ConnectorError, transient, unacceptable
from connector.signature.certificates import name_of
from connector.signature.revocation import (
    Checking,
    RevocationData,
    RevocationSource,
    crl_urls,
    ocsp_urls,
)
from connector.signature.revocation_statuses import needs_no_check, statuses
from connector.signature.trust import TrustPath

_TOLERANCE: Final = timedelta(minutes=1)
_REMEMBERED: Final = 4096
_WEAK: Final = frozenset({"md5", "sha1"})


def check_path(
    certificates: tuple[x509.Certificate, ...],
    data: RevocationData,
    at: datetime,
    checking: Checking = Checking.DECLARED,
) -> None:
    """Make sure that nothing of a path (from the signer's to the anchor) was revoked at `at`.

    Data that was issued after `at` is accepted, too: what it says was revoked later than `at` did
    count then. Raises `certificate.revoked`; `certificate.revocation-unknown` (transient) where
    data is missing, too old, or not signed by whom it must be.
    """
    for certificate, issuer in pairwise(certificates):
        if not is_asked_for(certificate, checking):
            continue
        found = [
            status
            for status in statuses(certificate, issuer, data)
            if status.hash_name not in _WEAK and _is_valid(status.signer, at)
        ]
        for status in found:
            if status.revoked is not None and status.revoked <= at:
                raise _revoked(certificate, status.revoked)
        if not any(at <= status.until + _TOLERANCE for status in found):
            raise _unknown(certificate, bool(found))


def is_asked_for(certificate: x509.Certificate, checking: Checking) -> bool:
    """Whether revocation data about a certificate must be there."""
    if checking is Checking.NONE or needs_no_check(certificate):
        return False
    return checking is Checking.REQUIRED or bool(ocsp_urls(certificate) or crl_urls(certificate))


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    begin = certificate.not_valid_before_utc
    return begin <= at + _TOLERANCE and at <= certificate.not_valid_after_utc


def _revoked(certificate: x509.Certificate, since: datetime) -> ConnectorError:
    return unacceptable(
        "certificate.revoked",
        f"The certificate of {name_of(certificate)} was revoked on {since:%Y-%m-%d %H:%M} UTC.",
        mend="The signer needs another certificate.",
    )


def _unknown(certificate: x509.Certificate, outdated: bool) -> ConnectorError:
    why = "what is known is out of date" if outdated else "nobody who may say so did"
    return transient(
        "certificate.revocation-unknown",
        f"Whether the certificate of {name_of(certificate)} is revoked cannot be found out: {why}.",
        mend="It is tried again; the issuer's OCSP responder or CRL must be reachable.",
    )


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
