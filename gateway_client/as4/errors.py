"""The ebMS error catalogue, and which of its errors a partner is told for a refusal of ours.

Errors of the core: ebMS 3.0 core, 6.7; of the AS4 profile: AS4 1.0, 3.1 and 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.errors import ConnectorError, Kind


class Severity(StrEnum):
    """eb:Error/@severity."""

    FAILURE = "failure"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class EbmsError:
    """One entry of the catalogue."""

    code: str
    """eb:Error/@errorCode."""
    short_description: str
    severity: Severity
    category: str
    origin: str = "ebMS"
    passes: bool = False
    """Whether sending the same message again may succeed."""


def _failure(
    code: str, short: str, category: str, *, origin: str = "ebMS", passes: bool = False
) -> EbmsError:
    return EbmsError(code, short, Severity.FAILURE, category, origin, passes)


VALUE_NOT_RECOGNIZED: Final = _failure("EBMS:0001", "ValueNotRecognized", "Content")
FEATURE_NOT_SUPPORTED_WARNING: Final = EbmsError(
    "EBMS:0002", "FeatureNotSupported", Severity.WARNING, "Content"
)
VALUE_INCONSISTENT: Final = _failure("EBMS:0003", "ValueInconsistent", "Content")
OTHER: Final = _failure("EBMS:0004", "Other", "Content", passes=True)
CONNECTION_FAILURE: Final = _failure("EBMS:0005", "ConnectionFailure", "Communication", passes=True)
EMPTY_MPC: Final = EbmsError(
    "EBMS:0006", "EmptyMessagePartitionChannel", Severity.WARNING, "Communication"
)
MIME_INCONSISTENCY: Final = _failure("EBMS:0007", "MimeInconsistency", "Unpackaging")
FEATURE_NOT_SUPPORTED: Final = _failure("EBMS:0008", "FeatureNotSupported", "Unpackaging")
INVALID_HEADER: Final = _failure("EBMS:0009", "InvalidHeader", "Unpackaging")
PROCESSING_MODE_MISMATCH: Final = _failure("EBMS:0010", "ProcessingModeMismatch", "Processing")
EXTERNAL_PAYLOAD_ERROR: Final = _failure("EBMS:0011", "ExternalPayloadError", "Content")
FAILED_AUTHENTICATION: Final = _failure(
    "EBMS:0101", "FailedAuthentication", "Processing", origin="security"
)
FAILED_DECRYPTION: Final = _failure(
    "EBMS:0102", "FailedDecryption", "Processing", origin="security"
)
POLICY_NONCOMPLIANCE: Final = _failure(
    "EBMS:0103", "PolicyNoncompliance", "Processing", origin="security"
)
DYSFUNCTIONAL_RELIABILITY: Final = _failure(
    "EBMS:0201", "DysfunctionalReliability", "Processing", origin="reliability", passes=True
)
DELIVERY_FAILURE: Final = _failure(
    "EBMS:0202", "DeliveryFailure", "Communication", origin="reliability", passes=True
)
MISSING_RECEIPT: Final = _failure("EBMS:0301", "MissingReceipt", "Communication", passes=True)
INVALID_RECEIPT: Final = _failure("EBMS:0302", "InvalidReceipt", "Communication", passes=True)
DECOMPRESSION_FAILURE: Final = _failure("EBMS:0303", "DecompressionFailure", "Communication")

CATALOGUE: Final = {
    entry.code: entry
    for entry in (
        VALUE_NOT_RECOGNIZED,
        FEATURE_NOT_SUPPORTED_WARNING,
        VALUE_INCONSISTENT,
        OTHER,
        CONNECTION_FAILURE,
        EMPTY_MPC,
        MIME_INCONSISTENCY,
        FEATURE_NOT_SUPPORTED,
        INVALID_HEADER,
        PROCESSING_MODE_MISMATCH,
        EXTERNAL_PAYLOAD_ERROR,
        FAILED_AUTHENTICATION,
        FAILED_DECRYPTION,
        POLICY_NONCOMPLIANCE,
        DYSFUNCTIONAL_RELIABILITY,
        DELIVERY_FAILURE,
        MISSING_RECEIPT,
        INVALID_RECEIPT,
        DECOMPRESSION_FAILURE,
    )
}

_BY_CODE: Final = {
    "signature.weak-algorithm": POLICY_NONCOMPLIANCE,
    "signature.weak-key": POLICY_NONCOMPLIANCE,
    "signature.unknown-algorithm": POLICY_NONCOMPLIANCE,
    "signature.hmac": POLICY_NONCOMPLIANCE,
}
_BY_PREFIX: Final = (
    ("mime.", MIME_INCONSISTENCY),
    ("as4.mime-", MIME_INCONSISTENCY),
    ("as4.header-", INVALID_HEADER),
    ("as4.value-unknown", VALUE_NOT_RECOGNIZED),
    ("as4.value-", VALUE_INCONSISTENT),
    ("as4.feature-", FEATURE_NOT_SUPPORTED),
    ("as4.external-payload", EXTERNAL_PAYLOAD_ERROR),
    ("as4.security-", FAILED_AUTHENTICATION),
    ("as4.policy-", POLICY_NONCOMPLIANCE),
    ("as4.decryption-", FAILED_DECRYPTION),
    ("as4.decompression-", DECOMPRESSION_FAILURE),
    ("pmode.", PROCESSING_MODE_MISMATCH),
    ("encryption.", FAILED_DECRYPTION),
    ("signature.", FAILED_AUTHENTICATION),
    ("trust.", FAILED_AUTHENTICATION),
    ("certificate.", FAILED_AUTHENTICATION),
    ("xml.", INVALID_HEADER),
)
_OF_THE_APPLICATION: Final = VALUE_NOT_RECOGNIZED
"""For refusals of the receiver's own. Not EBMS:0004, which senders take for a passing trouble."""


def ebms_error_for(error: ConnectorError) -> EbmsError:
    """What the partner is told about a refusal or failure on our side."""
    if error.kind is not Kind.UNACCEPTABLE:
        # Our own trouble, never the message's: the sender keeps it and tries again.
        return DELIVERY_FAILURE
    if entry := _BY_CODE.get(error.code):
        return entry
    return next(
        (e for prefix, e in _BY_PREFIX if error.code.startswith(prefix)), _OF_THE_APPLICATION
    )
