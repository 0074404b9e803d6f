"""Which reason a rejection evidence states for a problem that was found: by the problem's code."""

from __future__ import annotations

from typing import Final

from connector.evidence.types import Reason

_BY_START: Final = (
    ("signature.digest", Reason.INVALID_USER_SIGNATURE),
    ("signature.", Reason.INVALID_USER_SIGNATURE),
    ("certificate.expired", Reason.USER_CERT_EXPIRED_OR_REVOKED),
    ("certificate.revoked", Reason.USER_CERT_EXPIRED_OR_REVOKED),
    ("certificate.", Reason.INVALID_USER_SIGNATURE),
    ("directory.unknown-authority", Reason.UNKNOWN_RECIPIENT),
    ("directory.", Reason.POLICY_VIOLATION),
    ("container.", Reason.INVALID_MESSAGE_FORMAT),
    ("token.", Reason.INVALID_MESSAGE_FORMAT),
    ("envelope.", Reason.INVALID_MESSAGE_FORMAT),
    ("xml.", Reason.INVALID_MESSAGE_FORMAT),
    ("zip.", Reason.INVALID_MESSAGE_FORMAT),
    ("evidence.", Reason.INVALID_MESSAGE_FORMAT),
    ("wire.", Reason.INVALID_MESSAGE_FORMAT),
    ("delivery.", Reason.BACKEND_REJECTION),
    ("as4.", Reason.GW_REJECTION),
    ("pmode.", Reason.GW_REJECTION),
)


def reason_of(code: str) -> Reason:
    """The first entry that the code begins with; OTHER if there is none."""
    return next((reason for start, reason in _BY_START if code.startswith(start)), Reason.OTHER)
