"""What the gateway's answers mean for a message: statuses, SOAP faults, HTTP statuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from connector.errors import ConnectorError, Kind, Problem, misconfigured, transient, unacceptable
from gateway_client.as4.errors import CATALOGUE


class Fate(StrEnum):
    """What a message status means to the one who submits the message."""

    UNKNOWN_MESSAGE = "unknown message"
    """The gateway has never seen it: it may be submitted."""
    TAKEN = "taken"
    """It is the gateway's to deliver."""
    DELIVERED = "delivered"
    """The partner's access point has sent a valid receipt."""
    FAILED = "failed"
    """The gateway has given up; it refuses the same message id from now on."""
    INCOMING = "incoming"
    """The id is that of a message which came the other way."""


STATUSES: Final = {
    "NOT_FOUND": Fate.UNKNOWN_MESSAGE,
    "READY_TO_SEND": Fate.TAKEN,
    "READY_TO_PULL": Fate.TAKEN,
    "BEING_PULLED": Fate.TAKEN,
    "SEND_ENQUEUED": Fate.TAKEN,
    "SEND_IN_PROGRESS": Fate.TAKEN,
    "WAITING_FOR_RECEIPT": Fate.TAKEN,
    "SEND_ATTEMPT_FAILED": Fate.TAKEN,  # tried again by the gateway
    "WAITING_FOR_RETRY": Fate.TAKEN,
    "ACKNOWLEDGED": Fate.DELIVERED,
    "ACKNOWLEDGED_WITH_WARNING": Fate.DELIVERED,
    "SEND_FAILURE": Fate.FAILED,
    "RECEIVED": Fate.INCOMING,
    "RECEIVED_WITH_WARNINGS": Fate.INCOMING,
    "DOWNLOADED": Fate.INCOMING,
    # Its content is gone after the retention time or by an operator's hand; whether it arrived
    # is not said. It was taken, and only an evidence can tell more.
    "DELETED": Fate.TAKEN,
}
"""Every status of the interface."""


def fate_of(status: str | None) -> Fate:
    """The fate behind a status. Raises `domibus.status-unknown` (transient): a newer gateway may
    know steps that this table lacks, and the next one may be in it."""
    try:
        return STATUSES[status or ""]
    except KeyError:
        raise transient(
            "domibus.status-unknown", f"The gateway answers with the unknown status {status!r}."
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageError:
    """One entry of getMessageErrors."""

    code: str
    """e.g. `EBMS_0005`."""
    detail: str
    role: str = ""
    """SENDING or RECEIVING."""
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.code} {self.detail}".strip()


def send_failure(message_id: str, errors: Sequence[MessageError]) -> ConnectorError:
    """The gateway has given up on a message: `domibus.send-failure`."""
    said = "; ".join(dict.fromkeys(str(error) for error in errors)) or "no error is recorded"
    return unacceptable(
        "domibus.send-failure",
        f"The gateway has given up sending {message_id}: {said}",
        mend="Resend it in the gateway's console, or send it anew under another message id.",
    )


def id_taken(message_id: str, status: str) -> ConnectorError:
    """The id belongs to a message that came in: `domibus.message-id-taken`."""
    return unacceptable(
        "domibus.message-id-taken",
        f"The gateway knows {message_id} as a message that it received ({status}).",
        mend="Send under another message id.",
    )


# Refusals after which the set-up of one of the two sides must be mended, not the message.
_SETUP: Final = {
    "EBMS:0001": "Compare party, service, action and agreement with the gateway's PMode.",
    "EBMS:0003": "Compare the message's values with the gateway's PMode.",
    "EBMS:0010": "Compare party, service and action with the gateway's PMode.",
    "EBMS:0101": "Check the gateway's key store and trust store.",
    "EBMS:0102": "Check the gateway's key store and trust store.",
    "EBMS:0103": "Check the gateway's security policy.",
}


def from_fault(operation: str, code: str, text: str) -> ConnectorError:
    """A SOAP fault with the plugin's FaultDetail: `domibus.fault-ebms-NNNN`, or `domibus.fault`.

    Its kind: configuration where PMode or keys do not fit; transient where the ebMS catalogue
    says that another try may succeed, or the code is not in it (the gateway's own trouble);
    else unacceptable. `code` is written `EBMS_0004` or `EBMS:0004`.
    """
    name = code.strip().upper().replace("_", ":")
    what = f"The gateway refuses {operation}: {text[:500]} ({code or 'no code'})"
    entry = CATALOGUE.get(name)
    if entry is None:
        return transient("domibus.fault", what)
    stable = f"domibus.fault-{name.lower().replace(':', '-')}"
    if mend := _SETUP.get(name):
        return ConnectorError(Kind.CONFIGURATION, Problem(code=stable, what=what, mend=mend))
    kind = Kind.TRANSIENT if entry.passes else Kind.UNACCEPTABLE
    return ConnectorError(kind, Problem(code=stable, what=what))


def from_soap_fault(operation: str, code: str, text: str) -> ConnectorError:
    """A SOAP fault without FaultDetail. `Sender` blames the request (`domibus.request-refused`,
    SOAP 1.2 part 1, 5.4.6); any other code is the gateway's trouble (`domibus.fault`)."""
    what = f"The gateway answers {operation} with a fault: {text[:500]} ({code})"
    if code.rpartition(":")[2] == "Sender":
        return unacceptable("domibus.request-refused", what)
    return transient("domibus.fault", what)


def from_http_status(status: int, url: str) -> ConnectorError:
    """An HTTP answer that is no SOAP message."""
    what = f"{url} answers with HTTP status {status}."
    if status in (401, 403):
        return misconfigured(
            "domibus.credentials", what, mend="Check the plugin user's name and password."
        )
    if 300 <= status < 400 or status in (404, 405, 410, 415):
        return misconfigured(
            "domibus.url", what, mend="Check the address of the WS plugin (…/services/backend)."
        )
    if status == 413:
        return unacceptable("domibus.too-large", f"{what} The message is too large for it.")
    return transient("domibus.http-status", what)


def unreadable(operation: str, why: str) -> ConnectorError:
    """An answer that is no answer to the operation: `domibus.answer-unreadable` (transient)."""
    return transient(
        "domibus.answer-unreadable",
        f"The answer to {operation} is not readable: {why[:500]}",
        mend="Check that the address is that of the WS plugin and no proxy answers for it.",
    )
