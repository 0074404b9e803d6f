"""Trust in a signature that is intact: now, or with the proofs that its timestamps give, when it
was made (ETSI EN 319 102-1, clauses 5.5.4 and 5.6.3). The same for XAdES, CAdES and PAdES.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from connector.signature.timestamps import Token
from connector.signature.xades_statements import ImpliedPolicy, SignaturePolicy
from connector.validation.acceptance import check_acceptance, check_order, oddities
from connector.validation.basis import Basis
from connector.validation.certificates import CertificateChecks, CertificateResult
from connector.validation.existence import Existence
from connector.validation.paths import Material
from connector.validation.policy import Algorithms
from connector.validation.report import SignatureReport, Stamped, TimestampReport
from connector.validation.tokens import Imprint, TokenChecks


@dataclass(frozen=True, slots=True)
class Stamp:
    """A timestamp of the signature."""

    of: Stamped
    token: Token
    imprint: Imprint
    """The digest of what it is about."""
    proves: Callable[[], Iterable[bytes]]
    """What existed when it was made, if it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What trust in one signature is built on."""

    value: bytes
    certificate: x509.Certificate
    material: Material
    """Certificates and revocation data that came along."""
    stamps: tuple[Stamp, ...]
    """In the order in which they were made, those of the content first."""
    algorithms_end: Callable[[Algorithms], datetime]
    """The first moment at which an algorithm of the signature does not count."""
    policy: SignaturePolicy | ImpliedPolicy | None = None


class InTime:
    """The checks of one signature."""

    def __init__(self, evidence: Evidence, basis: Basis) -> None:
        self._evidence = evidence
        self._basis = basis
        self._existence = Existence(basis.at)
        material, policy = evidence.material, basis.policy
        for stamp in evidence.stamps:
            material.certificates.update(stamp.token.certificates)
        source = basis.revocation
        self._checks = CertificateChecks(basis.trust, policy, material, source, self._existence)
        self._tokens = TokenChecks(
            CertificateChecks(basis.timestamp_trust, policy, material, source, self._existence),
            policy,
            self._existence,
            basis.at,
        )

    def validated(self, report: SignatureReport) -> SignatureReport:
        """The report with its conclusion, path, best signature time and timestamps."""
        reports = self._check_timestamps()
        evidence, certificate = self._evidence, self._evidence.certificate
        best = self._existence.of(evidence.value)
        now = self._checks.now(certificate, self._basis.at)
        result = self._checks.granted(self._with_proof(now, best), best)
        conclusion = result.conclusion
        if conclusion.passed:
            policy = self._basis.policy
            end = evidence.algorithms_end(policy.algorithms)
            conclusion = check_acceptance(certificate, best, end, policy, evidence.policy)
        if conclusion.passed or (conclusion.sub and conclusion.sub.may_improve):
            conclusion = check_order(reports, certificate, conclusion, now.since)
        return replace(
            report,
            conclusion=conclusion,
            path=result.path,
            best_signature_time=best,
            timestamps=reports,
            weaknesses=(*report.weaknesses, *oddities(reports, report.signing_time, best)),
        )

    def _check_timestamps(self) -> tuple[TimestampReport, ...]:
        """The last of the archive first: each may prove when those before it existed."""
        stamps = self._evidence.stamps
        found: dict[int, TimestampReport] = {}
        order = sorted(range(len(stamps)), key=lambda n: (not stamps[n].of.archives, -n))
        for number in order:
            stamp = stamps[number]
            found[number] = self._tokens.check(stamp.token, stamp.of, stamp.imprint)
            if found[number].conclusion.passed:
                self._existence.prove(stamp.proves(), stamp.token.time)
        return tuple(found[number] for number in sorted(found))

    def _with_proof(self, now: CertificateResult, best: datetime) -> CertificateResult:
        sub = now.conclusion.sub
        if sub is None or not sub.may_improve or best >= self._basis.at:
            return now
        return self._checks.past(self._evidence.certificate, self._basis.at, best, now)
