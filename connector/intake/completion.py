"""What a draft leaves open, decided: parties, reference to what is answered, header. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from connector.directory.authorities import Authority, Directory, Office
from connector.envelope.binding import NAMESPACE
from connector.envelope.codes import MessageType, UrgencyLevel
from connector.envelope.draft import HeaderValues, read_draft
from connector.envelope.header import Header, Urgency
from connector.envelope.identify import identify
from connector.envelope.model import Envelope
from connector.envelope.parties import Authority as EnvelopeAuthority
from connector.envelope.xml_read import build
from connector.errors import ConnectorError, unacceptable
from connector.errors import Kind as ErrorKind
from connector.exchange.context import Identity
from connector.exchange.records import Lane
from connector.intake.attachments import Attached
from connector.intake.submission import Wishes
from connector.xml import Element

_E: Final = f"{{{NAMESPACE}}}"
_FROM_REQUESTING: Final = frozenset({"Request", "Clarification"})
LANES: Final = {
    UrgencyLevel.EMERGENCY: Lane.EMERGENCY,
    UrgencyLevel.URGENT: Lane.URGENT,
    UrgencyLevel.ORDINARY: Lane.ROUTINE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The message that a draft answers, as far as it is known here."""

    ebms_id: str
    lane: Lane
    header: Header | None
    """None if its envelope could not be read again."""
    conversation_id: str
    sender: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What completion works with."""

    identity: Identity
    directory: Directory
    ebms_id: str
    now: datetime
    wishes: Wishes
    answered: Answered | None
    attached: Sequence[Attached]


def complete(draft: Element, facts: Facts) -> Envelope:
    """The whole envelope, not yet checked against schema and rules.

    Raises `ConnectorError` (unacceptable): `directory.unknown-authority`,
    `intake.foreign-sender`, `intake.no-receiver`, `intake.own-receiver`,
    `intake.deadline-passed`, and `envelope.*` where the draft lacks something that only the
    document can say.
    """
    told = identify(draft)
    message_type = told.message_type if told else ""
    requesting = message_type in _FROM_REQUESTING
    answered = facts.answered
    sender = _sender(told.sender if told else "", facts)
    receiver = _receiver(told.receiver if told else "", sender, facts)
    known = answered.header if answered else None
    envelope = read_draft(
        _without(draft, "Attachment", "SendingAuthority", "ReceivingAuthority"),
        replace=HeaderValues(
            message_id=facts.ebms_id,
            sending_authority=_as_stated(draft, "SendingAuthority", sender, requesting),
            receiving_authority=_as_stated(draft, "ReceivingAuthority", receiver, not requesting),
            attachments=tuple(each.info for each in facts.attached),
            urgency=_urgency(draft, facts.wishes),
            test_flag=facts.wishes.test,
            in_reply_to=answered.ebms_id if answered else None,
            conversation_id=answered.conversation_id if answered else None,
        ),
        default=HeaderValues(
            created_at=facts.now,
            conversation_id=facts.ebms_id,
            language=next(iter(sender.names)),
            legal_bases=known.legal_bases if known else None,
            receiver_reference=known.sender_reference if known else None,
        ),
    )
    _check_deadline(envelope.header, facts.now)
    return envelope


def _check_deadline(header: Header, now: datetime) -> None:
    """An answer may be late; a request that asks for the past is a slip (or a test)."""
    deadline = header.urgency.deadline
    late = deadline is not None and deadline <= now
    if late and header.message_type is MessageType.REQUEST and not header.test_flag:
        raise unacceptable(
            "intake.deadline-passed",
            f"The deadline {deadline:%Y-%m-%d %H:%M %Z} has passed.",
            mend="Correct the deadline, or leave it out.",
            path="Envelope/Header/Urgency/Deadline",
        )


def _sender(stated: str, facts: Facts) -> Authority:
    answered = facts.answered
    identifier = stated or (answered.recipient if answered else "") or facts.identity.authority
    found = facts.directory.get(identifier)
    if found.party != facts.identity.party:
        raise unacceptable(
            "intake.foreign-sender",
            f"{identifier} is served by {found.party}; this connector is {facts.identity.party}.",
            mend="Name an authority that this connector serves as the sender.",
            path="Envelope/Header/SendingAuthority/Identifier/Value",
        )
    return found


def _receiver(stated: str, sender: Authority, facts: Facts) -> Authority:
    wanted = facts.wishes.to or stated or (facts.answered.sender if facts.answered else "")
    path = "Envelope/Header/ReceivingAuthority/Identifier/Value"
    if not wanted:
        raise unacceptable(
            "intake.no-receiver",
            "Neither the document nor whoever handed it over says which authority it is for.",
            mend="State the authority in the document, or name it with --to.",
            path=path,
        )
    found = _named(wanted, facts.directory, path)
    if found.party == sender.party:
        raise unacceptable(
            "intake.own-receiver",
            f"{found.identifier} is served by this same connector.",
            mend="Messages within one country do not go through this exchange.",
            path=path,
        )
    return found


def _named(wanted: str, directory: Directory, path: str) -> Authority:
    if len(wanted) == 2 and wanted.isalpha():
        central = directory.of_country(wanted.upper(), Office.CENTRAL)
        if not central:
            raise unacceptable(
                "directory.unknown-authority",
                f"The directory has no central authority of {wanted.upper()}.",
                mend="Add it to the directory, or name another authority.",
                path=path,
            )
        return central[0]
    try:
        return directory.get(wanted)
    except ConnectorError as error:
        problem = replace(error.problems[0], path=path)
        raise ConnectorError(ErrorKind.UNACCEPTABLE, problem) from error


def _as_stated(draft: Element, tag: str, known: Authority, requesting: bool) -> EnvelopeAuthority:
    """What the document says of the authority, what is missing taken from the directory."""
    entry = known.as_envelope(requesting=requesting)
    header = draft.find(f"{_E}Header")
    element = None if header is None else header.find(f"{_E}{tag}")
    if element is None:
        return entry
    stated: EnvelopeAuthority = build(
        EnvelopeAuthority,
        element,
        replace={"identifier": entry.identifier, "country": entry.country},
        default={"role": entry.role, "names": entry.names},
    )
    return stated


def _urgency(draft: Element, wishes: Wishes) -> Urgency | None:
    """The document's, with what was said beside it in its place; None leaves the document's."""
    if wishes.urgency is None:
        return None
    element = draft.find(f"{_E}Header/{_E}Urgency")
    said: dict[str, Any] = {
        "level": wishes.urgency,
        **({"reason": wishes.urgency_reason} if wishes.urgency_reason else {}),
        **({"facts": wishes.urgency_facts} if wishes.urgency_facts else {}),
    }
    if element is None:
        return Urgency(**said)
    urgency: Urgency = build(Urgency, element, replace=said)
    return urgency


def _without(draft: Element, *tags: str) -> Element:
    """The draft without what has been read from it already; changes the draft."""
    header = draft.find(f"{_E}Header")
    if header is not None:
        for tag in tags:
            for element in list(header.iterchildren(f"{_E}{tag}")):
                header.remove(element)
    return draft


def lane_of(envelope: Envelope, answered: Answered | None) -> Lane:
    """The more urgent of the message's own lane and that of what it answers."""
    own = LANES[envelope.header.urgency.level]
    order = list(Lane)
    return min(own, answered.lane if answered else own, key=order.index)


def expiry_of(envelope: Envelope, now: datetime) -> datetime | None:
    """After the deadline nobody needs the message any more; one that has passed says nothing."""
    deadline = envelope.header.urgency.deadline
    return deadline if deadline is not None and deadline > now else None
