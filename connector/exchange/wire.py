"""How a message of the exchange is laid out as an ebMS user message, and read back.

The layout is the one of the e-CODEX connector's gateway plugin: first the business XML, then the
container and its token, then evidences; each part says what it is in its part properties.
Pure functions; payload bytes are only referred to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.errors import unacceptable
from connector.evidence.types import EvidenceType
from connector.exchange.records import Kind, Lane, MessageRecord, Part, PartRole, PayloadRef
from gateway_client.model import (
    Party,
    PartyId,
    Payload,
    PayloadSource,
    Property,
    Service,
    UserMessage,
)

SERVICE = Service("MLA", "urn:emla:services:")
ROLE = "GW"
PARTY_TYPE = "urn:oasis:names:tc:ebcore:partyid-type:unregistered"
ASICS = "application/vnd.etsi.asic-s+zip"

_CONTENT = "messageContent"
_CONTAINER = "ASIC-S"
_TOKEN = "tokenXML"  # noqa: S105 - the name of a part
_WIRE_ORDER = (PartRole.ENVELOPE, PartRole.CONTAINER, PartRole.TOKEN_XML, PartRole.EVIDENCE)


def evidence_action(evidence_type: EvidenceType) -> str:
    """The AS4 action under which an evidence travels."""
    return evidence_type.action


def user_message(
    record: MessageRecord,
    parts: Sequence[Part],
    source: Callable[[PayloadRef], PayloadSource],
    now: datetime,
) -> UserMessage:
    """The ebMS message for an outbound record with its parts."""
    action = (
        record.message_type
        if record.kind is Kind.BUSINESS
        else evidence_action(EvidenceType[record.message_type])
    )
    properties = [
        Property("originalSender", record.sender),
        Property("finalRecipient", record.recipient),
    ]
    if record.lane is not Lane.ROUTINE:
        properties.append(Property("urgency", record.lane.value))
    if record.ref_to:
        properties.append(Property("originalMessageId", record.ref_to))
    chosen = sorted(
        (part for part in parts if part.role in _WIRE_ORDER),
        key=lambda part: _WIRE_ORDER.index(part.role),
    )
    return UserMessage(
        message_id=record.ebms_id,
        timestamp=now,
        sender=Party(PartyId(record.from_party, PARTY_TYPE), ROLE),
        recipient=Party(PartyId(record.to_party, PARTY_TYPE), ROLE),
        service=SERVICE,
        action=action,
        conversation_id=record.conversation_id,
        ref_to_message_id=record.ref_to,
        properties=tuple(properties),
        payloads=tuple(_payload(index, part, source) for index, part in enumerate(chosen, 1)),
    )


def _payload(index: int, part: Part, source: Callable[[PayloadRef], PayloadSource]) -> Payload:
    match part.role:
        case PartRole.ENVELOPE:
            name = description = _CONTENT
        case PartRole.CONTAINER:
            name, description = part.name, _CONTAINER
        case PartRole.TOKEN_XML:
            name, description = "Token.xml", _TOKEN
        case _:
            name = description = part.name
    return Payload(
        content_id=f"payload_{index}_{part.payload.sha256[:32]}",
        mime_type=part.media_type,
        source=source(part.payload),
        properties=(Property("name", name), Property("description", description)),
    )


@dataclass(frozen=True, slots=True)
class Incoming:
    """A user message sorted into what it holds."""

    kind: Kind
    parts: Mapping[PartRole, Sequence[tuple[str, Payload]]]
    """By role, with the part's name."""

    @property
    def evidence_type(self) -> str:
        """Name of the one evidence, where it is an evidence message."""
        return self.parts[PartRole.EVIDENCE][0][0]


def sort_payloads(message: UserMessage) -> Incoming:
    """Tell the payloads apart by name and description, as e-CODEX does.

    Raises `ConnectorError`: `wire.no-content` when there is neither business XML nor evidence,
    `wire.doubled-part` when a part that must be single is there twice.
    """
    found: dict[PartRole, list[tuple[str, Payload]]] = {}
    for payload in message.payloads:
        role, name = _role_of(payload)
        found.setdefault(role, []).append((name, payload))
    for role in (PartRole.ENVELOPE, PartRole.CONTAINER, PartRole.TOKEN_XML):
        if len(found.get(role, ())) > 1:
            raise unacceptable(
                "wire.doubled-part",
                f"Message {message.message_id} has more than one {role.value.lower()} part.",
                mend="Send each part once.",
            )
    if PartRole.ENVELOPE in found:
        return Incoming(Kind.BUSINESS, found)
    if len(found.get(PartRole.EVIDENCE, ())) == 1:
        return Incoming(Kind.EVIDENCE, found)
    raise unacceptable(
        "wire.no-content",
        f"Message {message.message_id} holds neither a business document named {_CONTENT} "
        "nor exactly one evidence.",
        mend="Name the parts in their properties, as the e-CODEX gateway plugin does.",
    )


def _role_of(payload: Payload) -> tuple[PartRole, str]:
    name = payload.property("name") or payload.content_id
    description = payload.property("description") or ""
    if name == _CONTENT or payload.content_id == "":
        return PartRole.ENVELOPE, _CONTENT
    if description == _CONTAINER or name.endswith(".asics") or payload.mime_type == ASICS:
        return PartRole.CONTAINER, name
    if description == _TOKEN or name == "Token.xml":
        return PartRole.TOKEN_XML, "Token.xml"
    for label in (name, description):
        if label in EvidenceType.__members__:
            return PartRole.EVIDENCE, label
    return PartRole.ATTACHMENT, name
