"""What a document is, without reading it whole: for routing and for telling formats apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

from connector.envelope.binding import NAMESPACE
from connector.envelope.xml_read import ROOT
from connector.xml import Element

_E: Final = f"{{{NAMESPACE}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an envelope says of itself, unchecked; empty where it says nothing."""

    version: str
    message_type: str
    """Local name of the body element."""
    message_id: str
    conversation_id: str
    sender: str
    """Identifier of the sending authority."""
    receiver: str
    """Identifier of the receiving authority."""


def identify(root: Element) -> Identity | None:
    """What the envelope in `root` says of itself; None if `root` is no e-MLA envelope."""
    if root.tag != ROOT:
        return None
    header = root.find(f"{_E}Header")
    body = next((child for child in root if _is_body(child)), None)
    return Identity(
        version=root.get("version", ""),
        message_type="" if body is None else etree.QName(body).localname,
        message_id=_text(header, "MessageId"),
        conversation_id=_text(header, "ConversationId"),
        sender=_text(header, "SendingAuthority", "Identifier", "Value"),
        receiver=_text(header, "ReceivingAuthority", "Identifier", "Value"),
    )


def _is_body(child: Element) -> bool:
    return isinstance(child.tag, str) and child.tag.startswith(_E) and child.tag != f"{_E}Header"


def _text(header: Element | None, *steps: str) -> str:
    if header is None:
        return ""
    return (header.findtext("/".join(_E + step for step in steps)) or "").strip()
