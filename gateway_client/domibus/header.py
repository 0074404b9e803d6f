"""The ebMS header as the WS plugin takes and gives it: a user message without its payloads.

The plugin knows a subset of eb:UserMessage (one party id a party, no compression, values of at
most 255 characters) and matches payloads to their announcement by `payloadId` = `@href`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lxml import etree

from connector.errors import ConnectorError, Kind, Problem, unacceptable
from connector.xml import Element, text_of
from connector.xml_values import read_date_time
from gateway_client.as4.namespaces import EB
from gateway_client.model import Party, PartyId, Payload, Property, Service, UserMessage

_MIME_TYPE: Final = "MimeType"
_SET_BY_GATEWAYS: Final = (_MIME_TYPE, "CompressionType")
_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class AnnouncedPart:
    """One eb:PartInfo of a message that arrived."""

    href: str | None
    """As written, `cid:` included; None for the payload in the SOAP Body of the AS4 message."""
    mime_type: str
    properties: tuple[Property, ...]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A message that arrived, before its payloads are known."""

    message: UserMessage
    parts: tuple[AnnouncedPart, ...]


def href_of(payload: Payload) -> str | None:
    """`cid:…`, or None for the payload that goes into the SOAP Body."""
    return f"cid:{payload.content_id}" if payload.content_id else None


def check_submittable(message: UserMessage) -> None:
    """Whether the plugin can carry the header.

    Raises `ConnectorError` (unacceptable) with every problem: `domibus.header-value` (empty or
    longer than 255 characters), `domibus.type-missing`, `domibus.no-payload`,
    `domibus.two-bodies`, `domibus.same-content-id`.
    """
    problems = [
        Problem(
            code="domibus.header-value",
            what=f"{path} has {len(value)} characters; 1 to {_MAX} are allowed.",
            path=path,
        )
        for path, value in _values(message)
        if not 0 < len(value) <= _MAX
    ]
    problems += [
        Problem(
            code="domibus.type-missing",
            what=f"{path} has no type, which the WS plugin demands.",
            mend="Name the type of the identifier, as the PMode has it.",
            path=path,
        )
        for path, kind in (
            ("From/PartyId", message.sender.id.type),
            ("To/PartyId", message.recipient.id.type),
            ("Service", message.service.type),
        )
        if kind is None
    ]
    ids = [payload.content_id for payload in message.payloads]
    if not ids:
        problems.append(Problem(code="domibus.no-payload", what="The message has no payload."))
    if ids.count("") > 1:
        problems.append(
            Problem(code="domibus.two-bodies", what="Two payloads are meant for the SOAP Body.")
        )
    # Domibus compares them without case.
    named = [content_id.lower() for content_id in ids if content_id]
    if len(set(named)) < len(named):
        problems.append(
            Problem(code="domibus.same-content-id", what="Two payloads have one content id.")
        )
    if problems:
        raise ConnectorError(Kind.UNACCEPTABLE, *problems)


def _values(message: UserMessage) -> list[tuple[str, str]]:
    typed = [
        ("From/PartyId/@type", message.sender.id.type),
        ("To/PartyId/@type", message.recipient.id.type),
        ("Service/@type", message.service.type),
        ("RefToMessageId", message.ref_to_message_id),
        ("AgreementRef", message.agreement_ref),
    ]
    values = [
        ("MessageId", message.message_id),
        ("From/PartyId", message.sender.id.value),
        ("From/Role", message.sender.role),
        ("To/PartyId", message.recipient.id.value),
        ("To/Role", message.recipient.role),
        ("Service", message.service.value),
        ("Action", message.action),
        ("ConversationId", message.conversation_id),
        *((path, value) for path, value in typed if value is not None),
        *((f"Property[{p.name}]", p.value) for p in message.properties),
    ]
    for payload in message.payloads:
        values.append((f"PartInfo[{payload.content_id}]/MimeType", payload.mime_type))
        values += [
            (f"PartInfo[{payload.content_id}]/{p.name}", p.value) for p in payload.properties
        ]
    return values


def messaging(message: UserMessage) -> dict[str, Any]:
    """The eb:Messaging header as zeep wants it."""
    return {
        "mustUnderstand": True,
        "UserMessage": {
            "mpc": message.mpc,
            "MessageInfo": {
                "Timestamp": message.timestamp,
                "MessageId": message.message_id,
                "RefToMessageId": message.ref_to_message_id,
            },
            "PartyInfo": {"From": _party(message.sender), "To": _party(message.recipient)},
            "CollaborationInfo": {
                "AgreementRef": message.agreement_ref and {"_value_1": message.agreement_ref},
                "Service": {"_value_1": message.service.value, "type": message.service.type},
                "Action": message.action,
                "ConversationId": message.conversation_id,
            },
            "MessageProperties": _properties(message.properties),
            "PayloadInfo": {
                "PartInfo": [
                    {
                        "href": href_of(payload),
                        "PartProperties": _properties(
                            (*payload.properties, Property(_MIME_TYPE, payload.mime_type))
                        ),
                    }
                    for payload in message.payloads
                ]
            },
        },
    }


def _party(party: Party) -> dict[str, Any]:
    return {"PartyId": {"_value_1": party.id.value, "type": party.id.type}, "Role": party.role}


def _properties(properties: tuple[Property, ...]) -> dict[str, Any] | None:
    if not properties:
        return None
    return {"Property": [{"_value_1": p.value, "name": p.name, "type": p.type} for p in properties]}


def read_messaging(header: Element, *, now: datetime) -> Announcement:
    """The message that an eb:Messaging header announces; `now` where it has no timestamp.

    Raises `ConnectorError` (unacceptable) `domibus.header-unreadable` where something is
    missing, twice there, or no value.
    """
    user = _one(header, "UserMessage")
    info = _one(user, "MessageInfo")
    parties = _one(user, "PartyInfo")
    about = _one(user, "CollaborationInfo")
    service = _one(about, "Service")
    moment = _text(info, "Timestamp")
    message = UserMessage(
        message_id=_required(info, "MessageId"),
        timestamp=read_date_time(moment)[0] if moment else now,
        sender=_read_party(_one(parties, "From")),
        recipient=_read_party(_one(parties, "To")),
        service=Service(_value(service), service.get("type")),
        action=_required(about, "Action"),
        conversation_id=_text(about, "ConversationId") or "",
        ref_to_message_id=_text(info, "RefToMessageId"),
        agreement_ref=_text(about, "AgreementRef"),
        mpc=user.get("mpc"),
        properties=_read_properties(user, "MessageProperties"),
    )
    payload_info = _one_or_none(user, "PayloadInfo")
    parts = [] if payload_info is None else payload_info.findall(_name("PartInfo"))
    return Announcement(message, tuple(_read_part(part) for part in parts))


def _read_part(part: Element) -> AnnouncedPart:
    properties = _read_properties(part, "PartProperties")
    return AnnouncedPart(
        part.get("href"),
        next((p.value for p in properties if p.name == _MIME_TYPE), "application/octet-stream"),
        tuple(p for p in properties if p.name not in _SET_BY_GATEWAYS),
    )


def _read_party(party: Element) -> Party:
    party_id = _one(party, "PartyId")
    return Party(PartyId(_value(party_id), party_id.get("type")), _required(party, "Role"))


def _read_properties(parent: Element, name: str) -> tuple[Property, ...]:
    found = _one_or_none(parent, name)
    if found is None:
        return ()
    return tuple(
        Property(p.get("name") or "", text_of(p), p.get("type"))
        for p in found.findall(_name("Property"))
    )


def _name(local: str) -> str:
    return f"{{{EB}}}{local}"


def _value(element: Element) -> str:
    return text_of(element).strip()


def _text(parent: Element, name: str) -> str | None:
    found = _one_or_none(parent, name)
    return None if found is None else _value(found) or None


def _required(parent: Element, name: str) -> str:
    if value := _text(parent, name):
        return value
    raise _absent(parent, name)


def _absent(parent: Element, name: str) -> ConnectorError:
    return unacceptable(
        "domibus.header-unreadable",
        f"{etree.QName(parent).localname} has no {name}.",
        line=parent.sourceline,
    )


def _one(parent: Element, name: str) -> Element:
    found = _one_or_none(parent, name)
    if found is None:
        raise _absent(parent, name)
    return found


def _one_or_none(parent: Element, name: str) -> Element | None:
    found = parent.findall(_name(name))
    if len(found) > 1:
        raise unacceptable(
            "domibus.header-unreadable",
            f"{etree.QName(parent).localname} has {len(found)} elements {name}; one is allowed.",
            line=found[1].sourceline,
        )
    return found[0] if found else None
