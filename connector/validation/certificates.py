"""Certificates at a time, and in the past (ETSI EN 319 102-1, 5.2.6, 5.6.2.1 and 5.6.2.4).

Building paths and checking them at one time is pyhanko-certvalidator's, and its errors become
sub-indications here; how far back a path is proven to have counted is found by `sliding.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from cryptography import x509
from pyhanko.sign.validation.generic_cms import (
    CertvalidatorOperationResult,
    handle_certvalidator_errors,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec, ValidationContext
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    AcceptAllAlgorithms,
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.validate import async_validate_path

from connector.signature.certificates import MALFORMED, asn1, name_of
from connector.signature.revocation import Checking, RevocationData, RevocationSource
from connector.signature.revocation_checking import gather, is_asked_for
from connector.signature.revocation_statuses import Status, statuses
from connector.signature.trust import TrustStore
from connector.validation.dated_algorithms import DatedAlgorithms
from connector.validation.existence import Existence
from connector.validation.indications import SubIndication
from connector.validation.paths import Material, Paths, is_readable, members_of
from connector.validation.policy import ValidationPolicy
from connector.validation.report import PASSED, Conclusion
from connector.validation.running import run
from connector.validation.sliding import Sliding, Unproven
from connector.validation.wording import not_trusted, out_of_bounds, reason

RULES: Final = {
    Checking.REQUIRED: RevocationCheckingRule.CRL_OR_OCSP_REQUIRED,
    Checking.DECLARED: RevocationCheckingRule.CHECK_IF_DECLARED,
    Checking.NONE: RevocationCheckingRule.NO_CHECK,
}
_TOLERANCE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class CertificateResult:
    """What became of one certificate."""

    conclusion: Conclusion
    path: tuple[x509.Certificate, ...] = ()
    """From the certificate to the anchor; also where it is revoked or expired."""
    since: datetime | None = None
    """Since when it does not count: of the revocation, the end of an algorithm."""
    control_time: datetime | None = None
    """In the past: the last time at which it is proven to have counted."""


class CertificateChecks:
    """Checks certificates against one store of trust."""

    def __init__(
        self,
        trust: TrustStore,
        policy: ValidationPolicy,
        material: Material,
        source: RevocationSource | None,
        existence: Existence,
    ) -> None:
        self._trust = trust
        self._material = material
        self._source = source
        self._existence = existence
        self._policy = policy
        self._paths = Paths(trust, material, existence)
        rule = RULES[policy.checking]
        self._spec = CertValidationPolicySpec(
            trust_manager=self._paths.manager,
            revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy(rule, rule)),
            time_tolerance=_TOLERANCE,
            algorithm_usage_policy=DatedAlgorithms(policy.algorithms),
        )

    def now(self, certificate: x509.Certificate, at: datetime) -> CertificateResult:
        """X.509 certificate validation (5.2.6)."""
        if not is_readable(certificate):
            return CertificateResult(
                Conclusion(
                    SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
                    ("A certificate is malformed.",),
                )
            )
        if certificate in self._trust.pinned:
            return _pinned(certificate, at)
        paths = self._paths.plausible(certificate)
        for path in paths:
            if self._source is not None:
                found = gather(members_of(path), self._source)
                self._material.revocation = self._material.revocation + found
        if not paths:
            return CertificateResult(not_trusted(certificate))
        result = None
        for path in paths:
            result = self._at(certificate, path, at)
            if result.conclusion.passed:
                return result
        assert result is not None
        return result

    def granted(self, result: CertificateResult, at: datetime) -> CertificateResult:
        """The result, unless its anchor did not count when it was relied on (trusted lists)."""
        granted = self._trust.granted
        if not result.conclusion.passed or granted is None or granted(result.path[-1], at):
            return result
        anchor = name_of(result.path[-1])
        why = f"The service of {anchor} was in no good state at {at:%Y-%m-%d %H:%M} UTC."
        return replace(
            result, conclusion=Conclusion(SubIndication.NO_CERTIFICATE_CHAIN_FOUND, (why,))
        )

    def past(
        self,
        certificate: x509.Certificate,
        at: datetime,
        best_time: datetime,
        now: CertificateResult,
    ) -> CertificateResult:
        """Past signature validation (5.6.2.4) for a certificate whose result `now` is such that
        proof of the signature's existence at `best_time` may mend it."""
        unproven = now
        sliding = Sliding(self._policy, self._material.revocation, self._existence)
        for path in self._paths.plausible(certificate):
            members = members_of(path)
            if not run(self._holds_at_some_time(path, members)):
                continue
            try:
                control = sliding.slide(members, at)
            except Unproven as error:
                if now.conclusion.sub is not SubIndication.TRY_LATER:
                    unproven = replace(now, conclusion=_more(now.conclusion, error.conclusion))
                continue
            if best_time > control or any(best_time > each.not_valid_after_utc for each in members):
                continue
            concluded = self._in_bounds(certificate, best_time, now)
            return CertificateResult(concluded, members, control_time=control)
        return unproven

    async def _holds_at_some_time(
        self, path: ValidationPath, members: tuple[x509.Certificate, ...]
    ) -> bool:
        """Whether names, constraints and signatures fit, at a time when all of it was valid."""
        end = min(each.not_valid_after_utc for each in members)
        spec = replace(
            self._spec,
            revinfo_policy=CertRevTrustPolicy(NO_REVOCATION),
            algorithm_usage_policy=AcceptAllAlgorithms(),
        )
        context = spec.build_validation_context(ValidationTimingInfo(end, end, True), None)
        try:
            return (await _checked(context, path, members[0])).error_subindic is None
        except MALFORMED:
            return False

    def _in_bounds(
        self, certificate: x509.Certificate, best_time: datetime, now: CertificateResult
    ) -> Conclusion:
        subject = name_of(certificate)
        if best_time < certificate.not_valid_before_utc:
            return Conclusion(
                SubIndication.NOT_YET_VALID,
                (f"The signature was made before the certificate of {subject} became valid.",),
            )
        outdated = now.conclusion.sub in {
            SubIndication.OUT_OF_BOUNDS_NO_POE,
            SubIndication.OUT_OF_BOUNDS_NOT_REVOKED,
        }
        if outdated and not self._known_before_expiry(certificate):
            return Conclusion(
                SubIndication.REVOCATION_OUT_OF_BOUNDS_NO_POE,
                (f"No revocation data about {subject} from before it expired is there.",),
            )
        return PASSED

    def _known_before_expiry(self, certificate: x509.Certificate) -> bool:
        """Whether some revocation data about it was issued while it was valid: issuers forget
        certificates that have expired."""
        if not is_asked_for(certificate, self._policy.checking):
            return True
        known = (
            status
            for issuer in self._issuers(certificate)
            for status in statuses(certificate, issuer, self._material.revocation)
        )
        return any(status.issued <= certificate.not_valid_after_utc for status in known)

    def _issuers(self, certificate: x509.Certificate) -> set[x509.Certificate]:
        paths = (members_of(path) for path in self._paths.plausible(certificate))
        return {members[1] for members in paths if len(members) > 1}

    def _at(
        self, certificate: x509.Certificate, path: ValidationPath, at: datetime
    ) -> CertificateResult:
        timing = ValidationTimingInfo(at, at, point_in_time_validation=False)
        members = members_of(path)
        handlers = self._paths.handlers(self._about(members))
        context = self._spec.build_validation_context(timing, handlers)
        try:
            result = run(_checked(context, path, certificate))
        except MALFORMED as error:
            sub = SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE
            return CertificateResult(Conclusion(sub, (f"The path is malformed: {error}",)), members)
        outside = [each for each in members if not _is_valid(each, at)]
        if result.error_subindic is None and not outside:
            return CertificateResult(PASSED, members)
        if result.error_subindic is None:
            # Anchors expire, too.
            why = out_of_bounds(outside[0], at)
            return CertificateResult(
                Conclusion(SubIndication.OUT_OF_BOUNDS_NO_POE, (why,)), members
            )
        sub = _sub(result)
        since = result.error_time_horizon
        why = reason(sub, certificate, since)
        if sub is SubIndication.OUT_OF_BOUNDS_NO_POE:
            why = out_of_bounds(certificate, at)
        if sub is SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE:
            # certvalidator does not tell these apart from names and constraints that do not fit.
            if outside:
                sub, why = SubIndication.OUT_OF_BOUNDS_NO_POE, out_of_bounds(outside[0], at)
            elif self._lacks_revocation(path, at):
                sub, why = (
                    SubIndication.TRY_LATER,
                    reason(SubIndication.TRY_LATER, certificate, None),
                )
        return CertificateResult(Conclusion(sub, (why,)), members, since)

    def _lacks_revocation(self, path: ValidationPath, at: datetime) -> bool:
        """Whether the path would count if nobody asked for revocation data."""
        timing = ValidationTimingInfo(at, at, point_in_time_validation=False)
        spec = replace(self._spec, revinfo_policy=CertRevTrustPolicy(NO_REVOCATION))
        context = spec.build_validation_context(timing, None)
        return run(_checked(context, path, members_of(path)[0])).error_subindic is None

    def _about(self, members: Sequence[x509.Certificate]) -> RevocationData:
        """Only what is about the path, and signed by whom it must be, reaches certvalidator."""
        found: list[Status] = []
        for certificate, issuer in pairwise(members):
            known = list(statuses(certificate, issuer, self._material.revocation))
            for responder in {status.signer for status in known} - {issuer}:
                known += statuses(responder, issuer, self._material.revocation)
            found += known
        given = {status.der for status in found}
        revocation = self._material.revocation
        return RevocationData(
            tuple(der for der in revocation.ocsps if der in given),
            tuple(der for der in revocation.crls if der in given),
        )


async def _checked(
    context: ValidationContext, path: ValidationPath, certificate: x509.Certificate
) -> CertvalidatorOperationResult[Any]:
    return await handle_certvalidator_errors(asn1(certificate), async_validate_path(context, path))


def _sub(result: CertvalidatorOperationResult[Any]) -> SubIndication:
    assert result.error_subindic is not None
    return SubIndication[result.error_subindic.name]


def _pinned(certificate: x509.Certificate, at: datetime) -> CertificateResult:
    if _is_valid(certificate, at):
        return CertificateResult(PASSED, (certificate,))
    conclusion = Conclusion(SubIndication.OUT_OF_BOUNDS_NO_POE, (out_of_bounds(certificate, at),))
    return CertificateResult(conclusion, (certificate,))


def _is_valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _more(now: Conclusion, further: Conclusion) -> Conclusion:
    return Conclusion(now.sub, (*now.why, *further.why))
