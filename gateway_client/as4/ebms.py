"""The eb:Messaging header as typed values (ebMS 3.0 core, 5.2), and as XML in canonical form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connector.errors import unacceptable
from connector.signature.xmldsig import canonical_attribute, canonical_text
from connector.xml import Element
from connector.xml_values import escaped
from gateway_client.as4.compression import GZIP
from gateway_client.as4.errors import EbmsError
from gateway_client.as4.namespaces import EB, SOAP, WSU
from gateway_client.model import Party, Property, UserMessage

MIME_TYPE: Final = "MimeType"
COMPRESSION_TYPE: Final = "CompressionType"
OWN_PROPERTIES: Final = frozenset({MIME_TYPE, COMPRESSION_TYPE})
"""Part properties of the AS4 profile (3.1), which the gateway sets and reads itself."""


@dataclass(frozen=True, slots=True)
class PartInfo:
    """eb:PartInfo (5.2.2.12)."""

    content_id: str | None
    """Of the MIME part, without `cid:`; None for a payload in the SOAP Body."""
    mime_type: str | None
    """The payload's own, where the sender says it."""
    compressed: bool
    properties: tuple[Property, ...] = ()
    """Without those in `OWN_PROPERTIES`."""


@dataclass(frozen=True, slots=True)
class UserHeader:
    """eb:UserMessage: the message without the content of its payloads."""

    message: UserMessage
    """With no payloads."""
    parts: tuple[PartInfo, ...]


@dataclass(frozen=True, slots=True)
class ReportedError:
    """eb:Error (6.2)."""

    code: str
    """errorCode, e.g. `EBMS:0101`."""
    severity: str
    short_description: str = ""
    detail: str = ""
    """ErrorDetail, or the Description where there is none."""
    ref_to_message: str | None = None


@dataclass(frozen=True, slots=True)
class SignalMessage:
    """eb:SignalMessage (5.2.3)."""

    message_id: str
    timestamp: datetime
    ref_to_message_id: str | None
    receipt: Element | None = None
    errors: tuple[ReportedError, ...] = ()
    pull_request: bool = False


def utc_text(moment: datetime) -> str:
    """eb:Timestamp, which is in UTC (5.2.2.1), to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_messaging(message: UserMessage, parts: Iterable[PartInfo], element_id: str) -> bytes:
    """eb:Messaging with `message`, in the form that exclusive C14N gives it anywhere.

    Raises `as4.empty-value` where the schema wants a value, `xml.character`.
    """
    mpc = "" if message.mpc is None else f' mpc="{_attribute(message.mpc, "mpc")}"'
    ref_to = _optional("RefToMessageId", message.ref_to_message_id)
    agreement = _optional("AgreementRef", message.agreement_ref)
    properties = "".join(map(_property, message.properties))
    if properties:
        properties = f"<eb:MessageProperties>{properties}</eb:MessageProperties>"
    infos = "".join(map(_part_info, parts))
    if infos:
        infos = f"<eb:PayloadInfo>{infos}</eb:PayloadInfo>"
    return _messaging(
        element_id,
        f"<eb:UserMessage{mpc}>"
        f"<eb:MessageInfo><eb:Timestamp>{utc_text(message.timestamp)}</eb:Timestamp>"
        f"{_element('MessageId', message.message_id)}{ref_to}</eb:MessageInfo>"
        f"<eb:PartyInfo><eb:From>{_party(message.sender)}</eb:From>"
        f"<eb:To>{_party(message.recipient)}</eb:To></eb:PartyInfo>"
        f"<eb:CollaborationInfo>{agreement}"
        f"{_element('Service', message.service.value, message.service.type)}"
        f"{_element('Action', message.action)}"
        f"<eb:ConversationId>{_text(message.conversation_id)}</eb:ConversationId>"
        f"</eb:CollaborationInfo>{properties}{infos}</eb:UserMessage>",
    )


def signal_messaging(
    element_id: str,
    *,
    message_id: str,
    timestamp: datetime,
    ref_to_message_id: str | None,
    content: str,
) -> bytes:
    """eb:Messaging with a signal whose `content` is markup in canonical form (receipt, errors)."""
    return _messaging(
        element_id,
        f"<eb:SignalMessage><eb:MessageInfo><eb:Timestamp>{utc_text(timestamp)}</eb:Timestamp>"
        f"{_element('MessageId', message_id)}{_optional('RefToMessageId', ref_to_message_id)}"
        f"</eb:MessageInfo>{content}</eb:SignalMessage>",
    )


def error_markup(error: EbmsError, detail: str, ref_to_message: str | None) -> str:
    """eb:Error in canonical form; `detail` is for the people at the partner."""
    ref = (
        "" if ref_to_message is None else f' refToMessageInError="{_attribute(ref_to_message, "")}"'
    )
    described = (
        f'<eb:Description xml:lang="en">{_text(error.short_description)}</eb:Description>'
        f"<eb:ErrorDetail>{_text(' '.join(detail.split()))}</eb:ErrorDetail>"
    )
    return (
        f'<eb:Error category="{error.category}" errorCode="{error.code}" origin="{error.origin}"'
        f'{ref} severity="{error.severity}" shortDescription="{error.short_description}">'
        f"{described}</eb:Error>"
    )


def _messaging(element_id: str, content: str) -> bytes:
    # Namespaces by prefix, then attributes by namespace: the order that C14N demands.
    return (
        f'<eb:Messaging xmlns:eb="{EB}" xmlns:env="{SOAP}" xmlns:wsu="{WSU}"'
        f' wsu:Id="{element_id}" env:mustUnderstand="true">{content}</eb:Messaging>'
    ).encode()


def _party(party: Party) -> str:
    return _element("PartyId", party.id.value, party.id.type) + _element("Role", party.role)


def _property(item: Property) -> str:
    name = f' name="{_attribute(item.name, "Property/@name")}"'
    kind = "" if item.type is None else f' type="{_attribute(item.type, "Property/@type")}"'
    value = _text(_filled(item.value, f"Property {item.name!r}"))
    return f"<eb:Property{name}{kind}>{value}</eb:Property>"


def _part_info(part: PartInfo) -> str:
    href = "" if part.content_id is None else f' href="{_attribute(cid(part.content_id), "href")}"'
    properties = list(part.properties)
    if part.mime_type is not None:
        properties.append(Property(MIME_TYPE, part.mime_type))
    if part.compressed:
        properties.append(Property(COMPRESSION_TYPE, GZIP))
    listed = "".join(map(_property, properties))
    if listed:
        listed = f"<eb:PartProperties>{listed}</eb:PartProperties>"
    return f"<eb:PartInfo{href}>{listed}</eb:PartInfo>"


def cid(content_id: str) -> str:
    """The URL of a MIME part (RFC 2392). Content-IDs that need escaping are not written."""
    return f"cid:{content_id}"


def _optional(name: str, value: str | None) -> str:
    return "" if value is None else _element(name, value)


def _element(name: str, value: str, type: str | None = None) -> str:
    kind = "" if type is None else f' type="{_attribute(type, name)}"'
    return f"<eb:{name}{kind}>{_text(_filled(value, name))}</eb:{name}>"


def _filled(value: str, name: str) -> str:
    if not value:
        raise unacceptable("as4.empty-value", f"{name} is empty; the ebMS header needs a value.")
    return value


def _text(value: str) -> str:
    escaped(value)  # refuses what XML cannot hold
    return canonical_text(value)


def _attribute(value: str, name: str) -> str:
    escaped(value)
    return canonical_attribute(_filled(value, name) if name else value)
