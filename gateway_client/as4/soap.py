"""The SOAP 1.2 envelope of an AS4 message: written as bytes, read strictly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from connector.errors import ConnectorError, unacceptable
from connector.signature.xmldsig import canonical_text
from connector.xml import Element, Limits, parse
from gateway_client.as4.namespaces import EB, SOAP, WSSE, WSU

CONTENT_TYPE: Final = "application/soap+xml"
MAX_ENVELOPE: Final = 8 * 1024 * 1024
"""Bytes of an envelope. Payloads travel beside it, so this is ample."""
_LIMITS: Final = Limits(max_bytes=MAX_ENVELOPE, max_elements=100_000)
_MUST_UNDERSTAND: Final = f"{{{SOAP}}}mustUnderstand"
_ROLE: Final = f"{{{SOAP}}}role"
_FOR_US: Final = frozenset({"", SOAP + "/role/ultimateReceiver", SOAP + "/role/next"})


def empty_body(element_id: str) -> bytes:
    """An empty env:Body, in the form that exclusive C14N gives it anywhere."""
    return (
        f'<env:Body xmlns:env="{SOAP}" xmlns:wsu="{WSU}" wsu:Id="{element_id}"></env:Body>'.encode()
    )


def envelope(messaging: bytes, security: bytes, body: bytes) -> bytes:
    """The envelope around its parts, each of which declares its own namespaces."""
    return b"".join(
        (
            b'<?xml version="1.0" encoding="UTF-8"?>\n',
            f'<env:Envelope xmlns:env="{SOAP}"><env:Header>'.encode(),
            messaging,
            security,
            b"</env:Header>",
            body,
            b"</env:Envelope>",
        )
    )


def fault(code: str, reason: str) -> bytes:
    """An envelope with an env:Fault (SOAP 1.2, 5.4); `code` is e.g. `MustUnderstand`."""
    return envelope(
        b"",
        b"",
        (
            f"<env:Body><env:Fault><env:Code><env:Value>env:{code}</env:Value></env:Code>"
            f'<env:Reason><env:Text xml:lang="en">{canonical_text(reason)}</env:Text></env:Reason>'
            "</env:Fault></env:Body>"
        ).encode(),
    )


@dataclass(frozen=True, slots=True)
class Envelope:
    """The parts of an envelope as received; nothing verified yet."""

    root: Element
    messaging: Element
    security: Element | None
    body: Element

    @property
    def body_content(self) -> Element | None:
        """The one element in the Body, if it is not empty."""
        return next((e for e in self.body if isinstance(e.tag, str)), None)


def read_envelope(data: bytes) -> Envelope:
    """Parse an envelope with exactly one eb:Messaging.

    Raises `ConnectorError` (unacceptable): `xml....`, `as4.header-not-soap`,
    `as4.header-doubled`, `as4.header-no-messaging`, `as4.header-body`, `as4.must-understand`.
    """
    root = parse(data, limits=_LIMITS)
    parts = list(_elements(root))
    if root.tag != _soap("Envelope") or [e.tag for e in parts] != [_soap("Header"), _soap("Body")]:
        raise _invalid("not-soap", "This is no SOAP 1.2 envelope with one Header and one Body.")
    header, body = parts
    blocks: dict[str, Element] = {}
    for block in _elements(header):
        tag = str(block.tag)
        if tag not in _KNOWN:
            _check_understood(block)
        elif tag in blocks:
            raise _invalid("doubled", f"The header block {tag} stands twice.")
        elif block.get(_ROLE, "") not in _FOR_US:
            raise _invalid("role", f"The header block {tag} is meant for somebody else.")
        else:
            blocks[tag] = block
    if (messaging := blocks.get(_MESSAGING)) is None:
        raise _invalid("no-messaging", "The SOAP header has no eb:Messaging.")
    if len(list(_elements(body))) > 1:
        raise _invalid("body", "The SOAP Body holds more than one element.")
    return Envelope(root, messaging, blocks.get(_SECURITY), body)


def _check_understood(block: Element) -> None:
    if block.get(_MUST_UNDERSTAND) in {"true", "1"} and block.get(_ROLE, "") in _FOR_US:
        raise unacceptable(
            "as4.must-understand",
            f"The header block {str(block.tag)[:200]} must be understood, and is not.",
        )


def _elements(parent: Element) -> Iterator[Element]:
    return (child for child in parent if isinstance(child.tag, str))


def _soap(name: str) -> str:
    return f"{{{SOAP}}}{name}"


def _invalid(code: str, what: str) -> ConnectorError:
    return unacceptable(f"as4.header-{code}", what)


_MESSAGING: Final = f"{{{EB}}}Messaging"
_SECURITY: Final = f"{{{WSSE}}}Security"
_KNOWN: Final = frozenset({_MESSAGING, _SECURITY})
