"""Whether a signature that is intact is acceptable: usage, algorithms at their time, policy, and
times that do not contradict each other. Pure functions of what was found before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509

from connector.errors import Problem
from connector.signature.algorithms import DIGEST_METHODS
from connector.signature.certificates import MALFORMED, name_of
from connector.signature.xades_statements import ImpliedPolicy, SignaturePolicy
from connector.validation.indications import SubIndication
from connector.validation.policy import NEVER, ValidationPolicy
from connector.validation.report import PASSED, Conclusion, Stamped, TimestampReport


def check_acceptance(
    certificate: x509.Certificate,
    best: datetime,
    end: datetime,
    policy: ValidationPolicy,
    signature_policy: SignaturePolicy | ImpliedPolicy | None,
) -> Conclusion:
    """Signature acceptance validation (5.2.8): key usage, the policy that was signed under, and the
    algorithms of the signature, which count until `end`, when it is proven to have existed."""
    subject = name_of(certificate)
    if not _may_sign(certificate):
        return Conclusion(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            (f"The key of {subject} must not be used for signatures.",),
        )
    if best < certificate.not_valid_before_utc:
        return Conclusion(
            SubIndication.NOT_YET_VALID,
            (f"The signature was made before the certificate of {subject} became valid.",),
        )
    if best < end:
        return _check_policy(signature_policy, policy)
    if end == NEVER:
        return Conclusion(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
            ("The signature uses an algorithm or a key that does not count.",),
        )
    return Conclusion(
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        (
            f"The signature uses an algorithm or a key that counted until {end:%Y-%m-%d}, and "
            "nothing proves that the signature existed before.",
        ),
    )


def _check_policy(
    named: SignaturePolicy | ImpliedPolicy | None, policy: ValidationPolicy
) -> Conclusion:
    """The signature policy, where it is one that is known (5.2.4)."""
    if named is None or isinstance(named, ImpliedPolicy):
        return PASSED
    document = policy.signature_policies.get(named.identifier)
    if document is None:
        return PASSED
    made = hashlib.new(DIGEST_METHODS.get(named.digest_method, "sha256"), document).digest()
    if made == named.digest:
        return PASSED
    return Conclusion(
        SubIndication.POLICY_PROCESSING_ERROR,
        (f"The signature policy {named.identifier} is not the document that is known.",),
    )


def check_order(
    reports: Sequence[TimestampReport],
    certificate: x509.Certificate,
    conclusion: Conclusion,
    revoked: datetime | None,
) -> Conclusion:
    """Times that contradict each other (5.5.4), and what a timestamp of the content proves:
    that the signature was made later."""
    good = [each for each in reports if each.conclusion.passed and each.time is not None]
    not_before = [each.time for each in good if each.of is Stamped.CONTENT and each.time]
    after = [each.time for each in good if each.of is not Stamped.CONTENT and each.time]
    if not_before and after and max(not_before) > min(after):
        return Conclusion(
            SubIndication.TIMESTAMP_ORDER_FAILURE,
            ("The content was stamped after the signature over it.",),
        )
    first = [each.time for each in good if each.of is Stamped.SIGNATURE and each.time]
    archived = [each.time for each in good if each.of.archives and each.time]
    if first and archived and min(first) > min(archived):
        return Conclusion(
            SubIndication.TIMESTAMP_ORDER_FAILURE,
            ("The archive timestamp is older than what it is about.",),
        )
    if archived != sorted(archived):
        return Conclusion(
            SubIndication.TIMESTAMP_ORDER_FAILURE,
            ("An archive timestamp is older than one that it is about.",),
        )
    if not_before and not conclusion.passed:
        latest = max(not_before)
        if conclusion.sub is SubIndication.REVOKED_NO_POE and revoked is not None:
            if latest >= revoked:
                return Conclusion(SubIndication.REVOKED, ("It was made after revocation.",))
        elif (
            conclusion.sub is SubIndication.OUT_OF_BOUNDS_NO_POE
            and latest > certificate.not_valid_after_utc
        ):
            return Conclusion(
                SubIndication.EXPIRED, ("It was made after the certificate had expired.",)
            )
    return conclusion


def oddities(
    reports: Sequence[TimestampReport], claimed: datetime | None, best: datetime
) -> Iterator[Problem]:
    """What a person should know though it decides nothing."""
    if claimed is not None and claimed > best:
        yield Problem(
            code="signature.from-the-future",
            what=f"The signature claims to be made at {claimed.isoformat()}, but existed at "
            f"{best.isoformat()}.",
            mend="Compare the clocks of both sides.",
        )
    for each in reports:
        if not each.conclusion.passed:
            yield Problem(
                code="timestamp.no-proof",
                what=f"A timestamp ({each.of}) proves nothing: {each.conclusion.sub}. "
                + " ".join(each.conclusion.why),
                mend="Ask the signer for the document as it was stamped.",
            )


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except MALFORMED:
        return False
    return usage.digital_signature or usage.content_commitment
