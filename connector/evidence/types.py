"""What evidences there are, and how each is spelled on the wire (ETSI TS 102 640-2, V2).

Every value is the wire's: root elements and event codes are ETSI's, order, maximum number and AS4
actions are those that the e-CODEX connector works with.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from connector.evidence.profile import Profile
from connector.evidence.reasons import Reason

__all__ = ["REM", "EvidenceType", "Profile", "Reason"]

REM: Final = "http://uri.etsi.org/02640/v2#"
"""Namespace of the evidences."""

_EVENT: Final = "http://uri.etsi.org/02640/Event#"
_ONE_COLON: Final = "http:uri.etsi.org/02640/Event#"


class EvidenceType(StrEnum):
    """The kinds of evidence; the value is the name that e-CODEX uses on the wire and in its API."""

    root: str
    """Local name of the root element, in the namespace `REM`."""
    event: str
    """Last part of the event code; empty where ETSI's schema lets an evidence go without one."""
    positive: bool
    """Whether the message has come further. Negative evidences state their reasons."""
    action: str
    """AS4 action under which it travels."""
    priority: int
    """Later stages have higher numbers; an evidence never takes a message back to a lower one."""
    maximum: int | None
    """How many of them one message can have; None for any number."""

    def __new__(  # noqa: PLR0917 - the table below is made of tuples
        cls,
        value: str,
        root: str,
        event: str,
        positive: bool,
        action: str,
        priority: int,
        maximum: int | None = 1,
    ) -> EvidenceType:
        """A member with its facts, in the order of the attributes above."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.root = root
        member.event = event
        member.positive = positive
        member.action = action
        member.priority = priority
        member.maximum = maximum
        return member

    SUBMISSION_ACCEPTANCE = (
        "SUBMISSION_ACCEPTANCE",
        "SubmissionAcceptanceRejection",
        "Acceptance",
        True,
        "SubmissionAcceptanceRejection",
        1,
    )
    SUBMISSION_REJECTION = (
        "SUBMISSION_REJECTION",
        "SubmissionAcceptanceRejection",
        "Rejection",
        False,
        "SubmissionAcceptanceRejection",
        2,
    )
    RELAY_REMMD_ACCEPTANCE = (
        "RELAY_REMMD_ACCEPTANCE",
        "RelayREMMDAcceptanceRejection",
        "Acceptance",
        True,
        "RelayREMMDAcceptanceRejection",
        3,
        None,
    )
    RELAY_REMMD_FAILURE = (
        "RELAY_REMMD_FAILURE",
        "RelayREMMDFailure",
        "DeliveryExpiration",
        False,
        "RelayREMMDFailure",
        4,
        None,
    )
    RELAY_REMMD_REJECTION = (
        "RELAY_REMMD_REJECTION",
        "RelayREMMDAcceptanceRejection",
        "Rejection",
        False,
        "RelayREMMDAcceptanceRejection",
        5,
        None,
    )
    DELIVERY = (
        "DELIVERY",
        "DeliveryNonDeliveryToRecipient",
        "Delivery",
        True,
        "DeliveryNonDeliveryToRecipient",
        6,
    )
    NON_DELIVERY = (
        "NON_DELIVERY",
        "DeliveryNonDeliveryToRecipient",
        "NonDelivery",
        False,
        "DeliveryNonDeliveryToRecipient",
        7,
    )
    RETRIEVAL = (
        "RETRIEVAL",
        "RetrievalNonRetrievalByRecipient",
        "Retrieval",
        True,
        "RetrievalNonRetrievalToRecipient",
        8,
    )
    NON_RETRIEVAL = (
        "NON_RETRIEVAL",
        "RetrievalNonRetrievalByRecipient",
        "RetrievalExpiration",
        False,
        "RetrievalNonRetrievalToRecipient",
        9,
    )
    # Evidences of the standard that e-CODEX has no use for; readable and writable all the same.
    DOWNLOAD = (
        "DOWNLOAD",
        "DownloadNonDownloadByRecipient",
        "Download",
        True,
        "DownloadNonDownloadByRecipient",
        8,
    )
    NON_DOWNLOAD = (
        "NON_DOWNLOAD",
        "DownloadNonDownloadByRecipient",
        "DownloadExpiration",
        False,
        "DownloadNonDownloadByRecipient",
        9,
    )
    RECIPIENT_ACCEPTANCE = (
        "RECIPIENT_ACCEPTANCE",
        "AcceptanceRejectionByRecipient",
        "Acceptance",
        True,
        "AcceptanceRejectionByRecipient",
        10,
    )
    RECIPIENT_REJECTION = (
        "RECIPIENT_REJECTION",
        "AcceptanceRejectionByRecipient",
        "Rejection",
        False,
        "AcceptanceRejectionByRecipient",
        11,
    )
    RELAY_TO_NON_REM = (
        "RELAY_TO_NON_REM",
        "RelayToNonREMSystem",
        "",
        True,
        "RelayToNonREMSystem",
        3,
        None,
    )
    RELAY_TO_NON_REM_FAILURE = (
        "RELAY_TO_NON_REM_FAILURE",
        "RelayToNonREMSystem",
        "",
        False,
        "RelayToNonREMSystem",
        5,
        None,
    )
    RECEIVED_FROM_NON_REM = (
        "RECEIVED_FROM_NON_REM",
        "ReceivedFromNonREMSystem",
        "",
        True,
        "ReceivedFromNonREMSystem",
        1,
    )

    @property
    def code(self) -> str:
        """The event code as a proper URI; empty where there is none."""
        return self.event and _EVENT + self.event

    @property
    def predecessor(self) -> EvidenceType | None:
        """The evidence that normally comes before; None for those that open a chain."""
        return _PREDECESSORS.get(self)

    def spelled(self, profile: Profile) -> str:
        """The event code as `profile` writes it; empty where there is none."""
        start = _EVENT if profile is Profile.STRICT else _ONE_COLON
        return self.event and start + self.event


_E = EvidenceType
_PREDECESSORS: Final = {
    _E.RELAY_REMMD_ACCEPTANCE: _E.SUBMISSION_ACCEPTANCE,
    _E.RELAY_REMMD_REJECTION: _E.SUBMISSION_ACCEPTANCE,
    _E.RELAY_REMMD_FAILURE: _E.SUBMISSION_ACCEPTANCE,
    _E.RELAY_TO_NON_REM: _E.SUBMISSION_ACCEPTANCE,
    _E.RELAY_TO_NON_REM_FAILURE: _E.SUBMISSION_ACCEPTANCE,
    _E.DELIVERY: _E.RELAY_REMMD_ACCEPTANCE,
    _E.NON_DELIVERY: _E.RELAY_REMMD_ACCEPTANCE,
    _E.RETRIEVAL: _E.DELIVERY,
    _E.NON_RETRIEVAL: _E.DELIVERY,
    _E.DOWNLOAD: _E.DELIVERY,
    _E.NON_DOWNLOAD: _E.DELIVERY,
    _E.RECIPIENT_ACCEPTANCE: _E.DELIVERY,
    _E.RECIPIENT_REJECTION: _E.DELIVERY,
}
