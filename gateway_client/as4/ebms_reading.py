"""Reading an eb:Messaging header strictly: each element once, in the schema's order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from connector.errors import ConnectorError, unacceptable
from connector.xml import Element, text_of
from connector.xml_values import read_date_time
from gateway_client.as4.compression import GZIP
from gateway_client.as4.ebms import (
    COMPRESSION_TYPE,
    MIME_TYPE,
    OWN_PROPERTIES,
    PartInfo,
    ReportedError,
    SignalMessage,
    UserHeader,
)
from gateway_client.as4.namespaces import EB
from gateway_client.model import Party, PartyId, Property, Service, UserMessage

MAX_PARTS: Final = 1000
MAX_PROPERTIES: Final = 200
MAX_VALUE: Final = 4096
"""Characters of one value in the header."""
_GZIP_NAMES: Final = frozenset({GZIP, "application/x-gzip"})


def read_messaging(messaging: Element) -> UserHeader | SignalMessage:
    """What the one message in `messaging` (an eb:Messaging element) says.

    Raises `ConnectorError` (unacceptable): `as4.header-...` (EBMS:0009), `as4.value-...`
    (EBMS:0003), `as4.external-payload` (EBMS:0011), `xml.comment-in-value`, `xml.date-time`.
    """
    children = [child for child in messaging if isinstance(child.tag, str)]
    if len(children) != 1:
        raise _invalid("count", f"eb:Messaging holds {len(children)} elements; one is allowed.")
    only = children[0]
    if only.tag == _eb("UserMessage"):
        return _user_message(only)
    if only.tag == _eb("SignalMessage"):
        return _signal(only)
    raise _invalid("unknown", f"eb:Messaging holds {only.tag}, which is neither message.")


class _Children:
    """The child elements of one parent, taken in the order of the schema."""

    def __init__(self, parent: Element) -> None:
        self._parent = parent
        self._left = list(_elements(parent))

    def one(self, name: str) -> Element:
        """The next child, which must be `name`."""
        if found := self.maybe(name):
            return found[0]
        raise _invalid(
            "missing", f"eb:{_name(self._parent)} has no eb:{name} at its place.", self._parent
        )

    def maybe(self, name: str) -> list[Element]:
        """The next child if it is `name`, as a list of none or one."""
        if self._left and self._left[0].tag == _eb(name):
            return [self._left.pop(0)]
        return []

    def many(self, name: str, most: int) -> list[Element]:
        """All next children that are `name`."""
        found: list[Element] = []
        while step := self.maybe(name):
            found += step
        if len(found) > most:
            raise _invalid("too-many", f"{len(found)} eb:{name}; {most} are allowed.", self._parent)
        return found

    def end(self) -> None:
        """Nothing may be left."""
        if self._left:
            raise _invalid(
                "unexpected",
                f"{self._left[0].tag} stands in eb:{_name(self._parent)} doubled, out of order, "
                "or where the schema does not know it.",
                self._left[0],
            )


def _user_message(element: Element) -> UserHeader:
    children = _Children(element)
    message_id, timestamp, ref_to = _message_info(children.one("MessageInfo"))
    parties = _Children(children.one("PartyInfo"))
    sender, recipient = _party(parties.one("From")), _party(parties.one("To"))
    parties.end()
    collaboration = _Children(children.one("CollaborationInfo"))
    agreement = [_value(e) for e in collaboration.maybe("AgreementRef")]
    service = collaboration.one("Service")
    action = _value(collaboration.one("Action"))
    conversation = _text(collaboration.one("ConversationId")).strip()
    collaboration.end()
    properties: tuple[Property, ...] = ()
    for container in children.maybe("MessageProperties"):
        properties = _properties(container)
    parts: tuple[PartInfo, ...] = ()
    for payload_info in children.maybe("PayloadInfo"):
        infos = _Children(payload_info)
        parts = tuple(_part_info(e) for e in (infos.one("PartInfo"), *_parts(infos)))
        infos.end()
    children.end()
    _check_parts(parts)
    return UserHeader(
        UserMessage(
            message_id=message_id,
            timestamp=timestamp,
            sender=sender,
            recipient=recipient,
            service=Service(_value(service), service.get("type")),
            action=action,
            conversation_id=conversation,
            ref_to_message_id=ref_to,
            agreement_ref=agreement[0] if agreement else None,
            mpc=element.get("mpc"),
            properties=properties,
        ),
        parts,
    )


def _parts(infos: _Children) -> list[Element]:
    return infos.many("PartInfo", MAX_PARTS - 1)


def _signal(element: Element) -> SignalMessage:
    children = _Children(element)
    message_id, timestamp, ref_to = _message_info(children.one("MessageInfo"))
    pull = bool(children.maybe("PullRequest"))
    receipts = children.maybe("Receipt")
    errors = tuple(map(_error, children.many("Error", 100)))
    children.end()
    return SignalMessage(
        message_id=message_id,
        timestamp=timestamp,
        ref_to_message_id=ref_to,
        receipt=receipts[0] if receipts else None,
        errors=errors,
        pull_request=pull,
    )


def _error(element: Element) -> ReportedError:
    children = _Children(element)
    texts = [_text(e) for e in (*children.maybe("Description"), *children.maybe("ErrorDetail"))]
    children.end()
    code = element.get("errorCode")
    if not code:
        raise _invalid("missing", "An eb:Error has no errorCode.", element)
    return ReportedError(
        code=code.strip()[:40],
        severity=element.get("severity", ""),
        short_description=element.get("shortDescription", "")[:200],
        detail=" ".join(texts[-1].split())[:1000] if texts else "",
        ref_to_message=element.get("refToMessageInError"),
    )


def _message_info(element: Element) -> tuple[str, datetime, str | None]:
    children = _Children(element)
    timestamp, _ = read_date_time(_text(children.one("Timestamp")))
    message_id = _value(children.one("MessageId"))
    ref_to = [_value(e) for e in children.maybe("RefToMessageId")]
    children.end()
    return message_id, timestamp, ref_to[0] if ref_to else None


def _party(element: Element) -> Party:
    children = _Children(element)
    identifiers = children.many("PartyId", 10)
    role = _value(children.one("Role"))
    children.end()
    if len(identifiers) != 1:
        raise _inconsistent(
            "party-ids", f"eb:{_name(element)} has {len(identifiers)} PartyIds; one is agreed."
        )
    return Party(PartyId(_value(identifiers[0]), identifiers[0].get("type")), role)


def _part_info(element: Element) -> PartInfo:
    children = _Children(element)
    children.maybe("Schema")
    children.maybe("Description")
    properties: tuple[Property, ...] = ()
    for container in children.maybe("PartProperties"):
        properties = _properties(container)
    children.end()
    href = element.get("href")
    compression = _only(properties, COMPRESSION_TYPE)
    if compression is not None and compression not in _GZIP_NAMES:
        raise _inconsistent("compression", f"CompressionType {compression!r} is not known.")
    mime_type = _only(properties, MIME_TYPE)
    if compression is not None and mime_type is None:
        # AS4 profile, 3.1: the MimeType property is required with CompressionType.
        raise _inconsistent("compression", "A compressed payload does not say its MimeType.")
    return PartInfo(
        content_id=None if href is None else _content_id(href.strip()),
        mime_type=mime_type,
        compressed=compression is not None,
        properties=tuple(p for p in properties if p.name not in OWN_PROPERTIES),
    )


def _content_id(href: str) -> str:
    if not href.startswith("cid:"):
        raise unacceptable(
            "as4.external-payload",
            f"The payload {href[:200]!r} does not travel with the message.",
            mend="Send each payload as a MIME part and refer to it by cid:.",
        )
    if not (content_id := unquote(href.removeprefix("cid:"))):
        raise _inconsistent("href", "An eb:PartInfo refers to no Content-ID.")
    return content_id


def _check_parts(parts: tuple[PartInfo, ...]) -> None:
    ids = [part.content_id for part in parts]
    if len(set(ids)) != len(ids):
        raise _inconsistent("href", "Two eb:PartInfo refer to the same payload.")
    if any(part.content_id is None and part.compressed for part in parts):
        raise _inconsistent("compression", "A payload in the SOAP Body cannot be compressed.")


def _only(properties: tuple[Property, ...], name: str) -> str | None:
    found = [p.value for p in properties if p.name == name]
    if len(found) > 1:
        raise _inconsistent("property", f"The part property {name} stands {len(found)} times.")
    return found[0].strip() if found else None


def _properties(container: Element) -> tuple[Property, ...]:
    children = _Children(container)
    found = children.many("Property", MAX_PROPERTIES)
    children.end()
    for element in found:
        if not element.get("name"):
            raise _invalid("missing", "An eb:Property has no name.", element)
    return tuple(Property(e.get("name", ""), _text(e), e.get("type")) for e in found)


def _elements(parent: Element) -> Iterator[Element]:
    for child in parent:
        if isinstance(child.tag, str):
            yield child


def _value(element: Element) -> str:
    """The element's text without white space around it; never empty."""
    if value := _text(element).strip():
        return value
    raise _invalid("empty", f"eb:{_name(element)} is empty.", element)


def _text(element: Element) -> str:
    value = text_of(element)
    if len(value) > MAX_VALUE:
        raise _invalid("too-long", f"eb:{_name(element)} has {len(value)} characters.", element)
    return value


def _eb(name: str) -> str:
    return f"{{{EB}}}{name}"


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _invalid(code: str, what: str, element: Element | None = None) -> ConnectorError:
    line = None if element is None else element.sourceline
    return unacceptable(f"as4.header-{code}", what, line=line)


def _inconsistent(code: str, what: str) -> ConnectorError:
    return unacceptable(f"as4.value-{code}", what)
