"""Completing what a mapping leaves open: ids, times, authorities and attachments of the header.

Pure: whatever comes from a clock, a random source or the directory is passed in.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lxml import etree

from connector.envelope.binding import NAMESPACE, plan
from connector.envelope.model import (
    AttachmentInfo,
    Authority,
    Confidentiality,
    Envelope,
    Header,
    Hop,
    LegalBasis,
    MessageType,
    Translation,
    Urgency,
    UrgencyLevel,
)
from connector.envelope.xml_read import build, require_envelope
from connector.errors import unacceptable
from connector.xml import Element

_HEADER: Final = f"{{{NAMESPACE}}}Header"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderValues:
    """Fields of the header to be set; None leaves a field alone. Names and types as in `Header`."""

    message_id: str | None = None
    created_at: datetime | None = None
    conversation_id: str | None = None
    in_reply_to: str | None = None
    sender_reference: str | None = None
    receiver_reference: str | None = None
    sending_authority: Authority | None = None
    receiving_authority: Authority | None = None
    transmission_hops: tuple[Hop, ...] | None = None
    legal_bases: tuple[LegalBasis, ...] | None = None
    confidentiality: Confidentiality | None = None
    urgency: Urgency | None = None
    language: str | None = None
    translations: tuple[Translation, ...] | None = None
    attachments: tuple[AttachmentInfo, ...] | None = None
    test_flag: bool | None = None

    def given(self) -> dict[str, Any]:
        """The fields that are set."""
        names = (each.name for each in dataclasses.fields(self))
        return {name: value for name in names if (value := getattr(self, name)) is not None}


NO_VALUES: Final = HeaderValues()
ORDINARY: Final = Urgency(level=UrgencyLevel.ORDINARY)


def complete(envelope: Envelope, values: HeaderValues) -> Envelope:
    """`envelope` with the header fields of `values`, and the message type that fits its body."""
    header = dataclasses.replace(
        envelope.header, message_type=MessageType(type(envelope.body).__name__), **values.given()
    )
    return dataclasses.replace(envelope, header=header)


def read_draft(
    root: Element, *, replace: HeaderValues = NO_VALUES, default: HeaderValues = NO_VALUES
) -> Envelope:
    """The envelope in a tree whose header is not complete yet, as a mapping leaves it.

    `replace` wins over what the draft says (whose element is then not looked at, complete or
    not); `default` fills what it does not say. The message type comes from the body, the urgency
    is ordinary and the test flag false where nobody says otherwise. Raises as `xml_read.read`.
    """
    require_envelope(root)
    bodies = [child for child in root if child.tag in plan(Envelope).by_tag][:2]
    if len(bodies) != 2 or bodies[0].tag != _HEADER:
        raise unacceptable(
            "envelope.element-missing",
            "The draft does not have a Header followed by the body of a message.",
            mend="Mend the mapping: it must write Envelope/Header and one body, e.g. Request.",
            line=root.sourceline,
            path="Envelope",
        )
    kind = MessageType(etree.QName(bodies[1]).localname)
    header = build(
        Header,
        bodies[0],
        replace={"message_type": kind, **replace.given()},
        default={"urgency": ORDINARY, "test_flag": False, **default.given()},
    )
    envelope: Envelope = build(Envelope, root, replace={"header": header}, signed=True)
    return envelope
