"""Sliding the time of validation back to when a path is proven to have counted (ETSI EN 319 102-1,
clause 5.6.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from connector.signature.certificates import name_of, public_key
from connector.signature.revocation import RevocationData
from connector.signature.revocation_checking import is_asked_for
from connector.signature.revocation_statuses import (
    Status,
    latest,
    statuses,
)
from connector.validation.existence import Existence
from connector.validation.indications import SubIndication
from connector.validation.policy import ALWAYS, NEVER, ValidationPolicy
from connector.validation.report import Conclusion

_MOMENT = timedelta(microseconds=1)


class Unproven(Exception):
    """There is no such time."""

    def __init__(self, sub: SubIndication, why: str) -> None:
        super().__init__(why)
        self.conclusion = Conclusion(sub, (why,))


@dataclass(frozen=True, slots=True)
class Sliding:
    """What the sliding goes by."""

    policy: ValidationPolicy
    data: RevocationData
    existence: Existence

    def slide(self, path: tuple[x509.Certificate, ...], at: datetime) -> datetime:
        """The last time, `at` at most, at which all of `path` (from the signer's certificate to
        the anchor) is proven to have counted.

        Unlike the standard's text, data that is out of date moves the time to the last moment at
        which it was fresh, not to that of its issue: a CRL is usually older than the signature.
        Raises `Unproven`.
        """
        times = _Times(at, at)
        for certificate, issuer in reversed(list(pairwise(path))):
            times = self._certificate(certificate, issuer, times)
        return times.control

    def _certificate(
        self, certificate: x509.Certificate, issuer: x509.Certificate, times: _Times
    ) -> _Times:
        # What an issuer that has expired says must be proven to be from before.
        times = times.bounded(issuer.not_valid_after_utc, self.policy.strict)
        times = self._revocation(certificate, issuer, times)
        algorithms, used = self.policy.algorithms, certificate.signature_hash_algorithm
        hashed = ALWAYS if used is None else algorithms.digest(used.name.replace("-", "_"))
        return _within(min(hashed, algorithms.key(public_key(issuer))), times, certificate)

    def _revocation(
        self, certificate: x509.Certificate, issuer: x509.Certificate, times: _Times
    ) -> _Times:
        proven = self.existence.of
        if not is_asked_for(certificate, self.policy.checking):
            return times
        found = [
            status
            for status in statuses(certificate, issuer, self.data)
            if status.issued <= times.control and proven(status.der) <= times.bound
        ]
        if not found or proven(certificate.public_bytes(Encoding.DER)) > times.bound:
            raise Unproven(
                SubIndication.NO_POE,
                f"Nothing proves the state of {name_of(certificate)} before "
                f"{times.bound:%Y-%m-%d %H:%M} UTC.",
            )
        revoked = [status for status in found if status.revoked is not None]
        for status in revoked or [latest(found)]:
            if status.signer != issuer:
                times = self._certificate(status.signer, issuer, times)
            times = _within(self._end(status), times, certificate)
        for status in revoked:
            assert status.revoked is not None
            last = status.revoked - _MOMENT
            times = _Times(min(times.control, last), min(times.bound, last))
        return times if revoked else times.fresh(latest(found).until, self.policy.strict)

    def _end(self, status: Status) -> datetime:
        algorithms, used = self.policy.algorithms, status.hash_name
        hashed = ALWAYS if used is None else algorithms.digest(used)
        return min(hashed, algorithms.key(public_key(status.signer)))


@dataclass(frozen=True, slots=True)
class _Times:
    """How far back the sliding has come."""

    control: datetime
    """The control time of the standard."""
    bound: datetime
    """Evidence must be proven to be from before: afterwards somebody might have forged it."""

    def bounded(self, end: datetime, strict: bool) -> _Times:
        return self if strict else _Times(self.control, min(self.bound, end))

    def fresh(self, until: datetime, strict: bool) -> _Times:
        control = min(self.control, until)
        return _Times(control, min(self.bound, control) if strict else self.bound)


def _within(end: datetime, times: _Times, certificate: x509.Certificate) -> _Times:
    """`times`, or the last moment at which an algorithm did count."""
    if times.control < end and times.bound < end:
        return times
    if end == NEVER:
        raise Unproven(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
            f"The path of {name_of(certificate)} uses an algorithm that does not count.",
        )
    last = end - _MOMENT
    return _Times(min(times.control, last), min(times.bound, last))
