"""Timestamps: whether a token counts, now or in the past (ETSI EN 319 102-1, 5.4 and 5.6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from connector.errors import ConnectorError
from connector.signature.certificates import MALFORMED, name_of, public_key
from connector.signature.timestamps import Token, is_intact
from connector.validation.certificates import CertificateChecks
from connector.validation.existence import Existence
from connector.validation.indications import SubIndication
from connector.validation.policy import NEVER, ValidationPolicy
from connector.validation.report import PASSED, Conclusion, Stamped, TimestampReport

Imprint = Callable[[str], bytes]
"""The digest that the token must hold, by an algorithm that hashlib knows. Raises ConnectorError
where what is stamped cannot be found."""


@dataclass(frozen=True, slots=True)
class TokenChecks:
    """What tokens are checked against."""

    certificates: CertificateChecks
    policy: ValidationPolicy
    existence: Existence
    at: datetime

    def check(self, token: Token, of: Stamped, imprint: Imprint) -> TimestampReport:
        """What becomes of `token`; nothing is proven by it yet."""
        conclusion = self._integrity(token, imprint)
        if conclusion.passed:
            conclusion = self._trust(token, token.certificates[0])
        return TimestampReport(
            of=of,
            time=token.time,
            conclusion=conclusion,
            certificate=token.certificates[0] if token.has_signer else None,
            token=token.der,
        )

    def _integrity(self, token: Token, imprint: Imprint) -> Conclusion:
        try:
            expected = imprint(token.hash_name)
        except (ConnectorError, ValueError) as error:
            return Conclusion(
                SubIndication.SIGNED_DATA_NOT_FOUND,
                (f"What the timestamp is about cannot be found: {error}",),
            )
        if expected != token.digest:
            return Conclusion(
                SubIndication.HASH_FAILURE, ("The timestamp is about something else.",)
            )
        if not token.has_signer:
            return Conclusion(
                SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
                ("The timestamp does not bring the certificate of its authority.",),
            )
        if not is_intact(token, token.certificates[0]):
            return Conclusion(
                SubIndication.SIG_CRYPTO_FAILURE, ("The timestamp's own signature does not fit.",)
            )
        return PASSED

    def _trust(self, token: Token, certificate: x509.Certificate) -> Conclusion:
        if not _may_stamp(certificate):
            return Conclusion(
                SubIndication.CHAIN_CONSTRAINTS_FAILURE,
                (
                    f"{name_of(certificate)} is no timestamp authority: its "
                    "certificate is not for timeStamping alone.",
                ),
            )
        result = self.certificates.now(certificate, self.at)
        conclusion = result.conclusion
        best = self.existence.of(token.der)
        if conclusion.sub is not None and conclusion.sub.may_improve:
            used = best
            outdated = conclusion.sub is SubIndication.TRY_LATER
            if outdated and not self.policy.strict:
                used = min(best, token.time)
            result = self.certificates.past(certificate, self.at, used, result)
        conclusion = self.certificates.granted(result, token.time).conclusion
        if not conclusion.passed:
            return conclusion
        end = self._end_of_algorithms(token, certificate)
        if best < end:
            return PASSED
        sub = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
        return Conclusion(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE if end == NEVER else sub,
            ("The timestamp uses an algorithm that does not count, or not any more.",),
        )

    def _end_of_algorithms(self, token: Token, certificate: x509.Certificate) -> datetime:
        signer = token.signed_data["signer_infos"][0]
        hashed = signer["digest_algorithm"]["algorithm"].native
        return min(
            self.policy.algorithms.digest(token.hash_name),
            self.policy.algorithms.digest(hashed),
            self.policy.algorithms.key(public_key(certificate)),
        )


def _may_stamp(certificate: x509.Certificate) -> bool:
    """RFC 3161, 2.3: for timeStamping and nothing else, and that critical."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, *MALFORMED):
        return False
    return found.critical and list(found.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
