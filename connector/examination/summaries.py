"""The few facts that a person wants first of a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from connector.container.token_xml import parse_token
from connector.envelope.header import Header
from connector.envelope.identify import identify
from connector.envelope.parties import Authority
from connector.envelope.xml_read import read
from connector.errors import ConnectorError
from connector.evidence.parse import parse_evidence
from connector.examination.recognition import Document, DocumentKind
from connector.xml import Element

_SIGNATURES: Final = re.compile(rb"/ByteRange\s*\[")

Fact = tuple[str, str]
"""Label and value."""


def summary(document: Document) -> Iterator[Fact]:
    """Facts as the document states them, nothing verified; fewer where it is broken."""
    root = document.root
    try:
        match document.kind:
            case DocumentKind.ENVELOPE if root is not None:
                yield from _envelope(root)
            case DocumentKind.EVIDENCE if root is not None:
                yield from _evidence(root)
            case DocumentKind.TOKEN if root is not None:
                yield from _token(root)
            case DocumentKind.PDF:
                yield "signatures", str(len(_SIGNATURES.findall(document.data)))
    except ConnectorError as error:
        yield "not readable", str(error.problems[0])


def _envelope(root: Element) -> Iterator[Fact]:
    told = identify(root)
    if told is not None:
        yield "message", f"{told.message_type} {told.message_id}".strip()
    yield from _header(read(root).header)


def _header(header: Header) -> Iterator[Fact]:
    yield "conversation", header.conversation_id
    if header.in_reply_to:
        yield "in reply to", header.in_reply_to
    yield "from", _authority(header.sending_authority)
    yield "to", _authority(header.receiving_authority)
    yield "created", header.created_at.isoformat()
    yield "urgency", _urgency(header)
    yield "legal basis", "; ".join(each.title or each.instrument for each in header.legal_bases)
    yield "language", header.language
    if header.attachments:
        size = sum(each.size for each in header.attachments)
        yield "attachments", f"{len(header.attachments)} with {size} bytes"
    if header.test_flag:
        yield "test", "yes: no real case"


def _urgency(header: Header) -> str:
    urgency = header.urgency
    until = f", until {urgency.deadline.isoformat()}" if urgency.deadline else ""
    reason = f" ({urgency.reason})" if urgency.reason else ""
    return f"{urgency.level}{reason}{until}"


def _authority(authority: Authority) -> str:
    name = authority.names[0].text if authority.names else ""
    identifier = f", {authority.identifier.value}" if authority.identifier else ""
    return f"{name} ({authority.country}, {authority.role}{identifier})"


def _evidence(root: Element) -> Iterator[Fact]:
    evidence, _ = parse_evidence(root)
    yield "evidence", evidence.type.value
    yield "identifier", evidence.identifier
    yield "issuer", ", ".join((*evidence.issuer.names, evidence.issuer.address))
    yield "event time", evidence.event_time.isoformat()
    yield "from", evidence.sender.address
    yield "to", ", ".join(each.address for each in evidence.recipients)
    if evidence.message.remmd_identifier:
        yield "message", evidence.message.remmd_identifier
    if evidence.message.digest:
        digest = evidence.message.digest.hex()
        yield "digest of message", f"{evidence.message.digest_algorithm} {digest}"
    if evidence.reasons:
        yield "reason", evidence.reason_text


def _token(root: Element) -> Iterator[Fact]:
    token, _ = parse_token(root)
    yield "issuer", f"{token.issuer.service_provider} ({token.issuer.country})"
    yield "system", token.issuer.system.value
    yield "document", f"{token.document.filename} ({token.document.media_type})"
    yield "digest of document", f"{token.document.digest_algorithm} {token.document.digest.hex()}"
    yield "verified", token.validation.time.isoformat()
    yield "technical result", token.validation.technical.value
    yield "legal result", token.validation.legal.value
