"""Why a message did not come further: the reasons of ETSI TS 102 640-2 annex D and of e-CODEX.

ETSI names reasons by URI, e-CODEX by the bare name of an enumeration that only overlaps. A reason
of e-CODEX that ETSI does not have travels, in the strict profile, under the ETSI reason that
covers it, with its own name at the start of the details; so nothing is lost either way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from connector.evidence.profile import Profile

_REASON: Final = "http://uri.etsi.org/REM/EventReason#"
_ONE_COLON: Final = "http:uri.etsi.org/REM/EventReason#"


class Reason(StrEnum):
    """A reason; its value is its name."""

    etsi: str
    """Last part of the URI that covers it."""
    text: str
    """What it says to a person; used where nothing more precise is known."""
    ecodex: str
    """e-CODEX's own number; empty for reasons that only ETSI has."""

    def __new__(cls, value: str, etsi: str, text: str, ecodex: str = "") -> Reason:
        """A member with its facts, in the order of the attributes above."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.etsi = etsi
        member.text = text
        member.ecodex = ecodex
        return member

    # e-CODEX
    UNSPECIFIC_PROCESSING_ERROR = (
        "UNSPECIFIC_PROCESSING_ERROR",
        "TechnicalMalfunction",
        "The message could not be processed.",
        "E100",
    )
    OTHER = ("OTHER", "Other", "The reason is none of those that have a code.", "E100")
    BACKEND_REJECTION = (
        "BACKEND_REJECTION",
        "RecipientRejection",
        "The recipient's system refused the message.",
        "E200",
    )
    GW_REJECTION = (
        "GW_REJECTION",
        "PolicyViolation",
        "The gateway refused the message.",
        "E201",
    )
    DELIVERY_EVIDENCE_TIMEOUT = (
        "DELIVERY_EVIDENCE_TIMEOUT",
        "S_REMMD_ReceivedNoDeliveryInfoFromR_REMMD",
        "No evidence of delivery came in time.",
        "E300",
    )
    RELAY_REMMD_TIMEOUT = (
        "RELAY_REMMD_TIMEOUT",
        "R_REMMD_Unreachable",
        "The recipient's connector did not answer in time.",
        "E301",
    )
    UNREACHABLE = (
        "UNREACHABLE",
        "R_REMMD_Unreachable",
        "The recipient's connector cannot be reached.",
        "E404",
    )
    # ETSI
    INVALID_MESSAGE_FORMAT = (
        "INVALID_MESSAGE_FORMAT",
        "InvalidMessageFormat",
        "The message's format is not valid.",
    )
    MALWARE_FOUND = ("MALWARE_FOUND", "MalwareFound", "Malware was found in the message.")
    INVALID_USER_SIGNATURE = (
        "INVALID_USER_SIGNATURE",
        "InvalidUserSignature",
        "A signature of the message is not valid.",
    )
    USER_CERT_EXPIRED_OR_REVOKED = (
        "USER_CERT_EXPIRED_OR_REVOKED",
        "UserCertExpiredOrRevoked",
        "A certificate of the message has expired or been revoked.",
    )
    POLICY_VIOLATION = (
        "POLICY_VIOLATION",
        "PolicyViolation",
        "The message breaks a rule of the exchange.",
    )
    R_REMMD_MALFUNCTION = (
        "R_REMMD_MALFUNCTION",
        "R_REMMD_Malfunction",
        "The recipient's connector does not work properly.",
    )
    R_REMMD_NOT_IDENTIFIED = (
        "R_REMMD_NOT_IDENTIFIED",
        "R_REMMD_NotIdentified",
        "The recipient's connector is not known.",
    )
    UNKNOWN_RECIPIENT = ("UNKNOWN_RECIPIENT", "UnknownRecipient", "The recipient is not known.")
    MAILBOX_FULL = ("MAILBOX_FULL", "MailboxFull", "The recipient's mailbox is full.")
    TECHNICAL_MALFUNCTION = (
        "TECHNICAL_MALFUNCTION",
        "TechnicalMalfunction",
        "Something technical does not work.",
    )
    ATTACHMENT_FORMAT_NOT_ACCEPTED = (
        "ATTACHMENT_FORMAT_NOT_ACCEPTED",
        "AttachmentFormatNotAccepted",
        "An attachment has a format that is not accepted.",
    )
    RECIPIENT_REJECTION = (
        "RECIPIENT_REJECTION",
        "RecipientRejection",
        "The recipient refused the message.",
    )
    RETENTION_PERIOD_EXPIRED = (
        "RETENTION_PERIOD_EXPIRED",
        "RetentionPeriodExpired",
        "Nobody took the message before its time ran out.",
    )
    REGULAR_EMAIL_UNREACHABLE = (
        "REGULAR_EMAIL_UNREACHABLE",
        "RegularEmailUnreachable",
        "The e-mail system outside cannot be reached.",
    )
    REGULAR_EMAIL_NON_OPERATIONAL = (
        "REGULAR_EMAIL_NON_OPERATIONAL",
        "RegularEmailNonOperational",
        "The e-mail system outside does not work.",
    )
    REGULAR_EMAIL_REJECTION = (
        "REGULAR_EMAIL_REJECTION",
        "RegularEmailRejection",
        "The e-mail system outside refused the message.",
    )
    PRINTING_SYSTEM_UNREACHABLE = (
        "PRINTING_SYSTEM_UNREACHABLE",
        "PrintingSystemUnreachable",
        "The printing system cannot be reached.",
    )
    PRINTING_SYSTEM_NON_OPERATIONAL = (
        "PRINTING_SYSTEM_NON_OPERATIONAL",
        "PrintingSystemNonOperational",
        "The printing system does not work.",
    )
    PRINTING_BUFFER_FULL = (
        "PRINTING_BUFFER_FULL",
        "PrintingBufferFull",
        "The printing system takes no more documents.",
    )

    @property
    def uri(self) -> str:
        """The ETSI reason that covers it, as a proper URI."""
        return _REASON + self.etsi

    def spelled(self, profile: Profile, details: str) -> tuple[str, str]:
        """EventReason/Code and /Details as `profile` writes them; the details are never empty."""
        details = details or self.text
        if profile is Profile.ECODEX:
            return self.value, details
        if _BY_ETSI[self.etsi] is self:
            return self.uri, details
        return self.uri, f"{self.value}: {details}"


_MISSPELT: Final = {
    "R_REMMD_NotIdenified": "R_REMMD_NotIdentified",
    "AttachementFormatNotAccepted": "AttachmentFormatNotAccepted",
}
"""As some versions of the standard's annex print them."""

# The last one wins: ETSI's own members stand after those of e-CODEX.
_BY_ETSI: Final = {reason.etsi: reason for reason in Reason}


def understood(code: str, details: str) -> tuple[Reason | None, str, bool]:
    """What a received Code and Details mean: the reason (None if nobody knows the code), the
    details without our prefix, and whether the code is spelled as a proper URI."""
    if code in Reason.__members__:
        return Reason[code], details, False
    for start in (_REASON, _ONE_COLON):
        if code.startswith(start):
            tail = code.removeprefix(start)
            reason = _BY_ETSI.get(_MISSPELT.get(tail, tail))
            named, colon, rest = details.partition(": ")
            own = Reason.__members__.get(named) if colon else None
            if reason and own and own.etsi == reason.etsi and own is not reason:
                reason, details = own, rest
            return reason, details, start == _REASON and tail not in _MISSPELT
    return None, details, ":" in code
