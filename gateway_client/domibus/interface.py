"""The WS plugin's operations as SOAP envelopes: zeep writes and reads them, nothing is sent here.

zeep works from `backend.wsdl`. Content does not pass through it: each `value` is written as an
xop:Include (MTOM 1.0) and read as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from lxml import etree

from connector.errors import unacceptable
from connector.xml import Element, serialize
from gateway_client.as4.namespaces import EB, SOAP
from gateway_client.domibus.header import href_of, messaging
from gateway_client.domibus.outcomes import (
    MessageError,
    from_fault,
    from_soap_fault,
    unreadable,
)
from gateway_client.model import UserMessage

if TYPE_CHECKING:
    import zeep

BACKEND: Final = "http://org.ecodex.backend/1_1/"
XOP: Final = "http://www.w3.org/2004/08/xop/include"


@cache
def _client() -> zeep.Client:
    import zeep  # takes half a second: only who speaks to a Domibus waits for it

    class OwnFilesOnly(zeep.Transport):
        """zeep may read the description that lies beside this file, and nothing else."""

        def __init__(self) -> None:
            """Without a session: nothing goes over the network through zeep."""
            self.cache = None

        def load(self, url: str) -> bytes:
            raise AssertionError(f"zeep must not load {url}")

    wsdl = files("gateway_client.domibus").joinpath("backend.wsdl")
    settings = zeep.Settings(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    with wsdl.open("rb") as stream:
        return zeep.Client(  # type: ignore[no-untyped-call]
            stream, transport=OwnFilesOnly(), settings=settings
        )


def _envelope(operation: str, *arguments: Any, **fields: Any) -> Element:
    client = _client()
    envelope: Element = client.create_message(  # type: ignore[no-untyped-call]
        client.service, operation, *arguments, **fields
    )
    return envelope


def list_request() -> bytes:
    """listPendingMessages."""
    return serialize(_envelope("listPendingMessages", ""))


def message_request(operation: str, message_id: str) -> bytes:
    """getStatus, getMessageErrors or retrieveMessage of one message."""
    return serialize(_envelope(operation, messageID=message_id))


def submit_request(message: UserMessage, part_ids: tuple[str, ...]) -> bytes:
    """submitMessage; the i-th payload's content is the MIME part with the i-th Content-ID."""
    contents = [
        {"payloadId": href_of(p), "contentType": p.mime_type, "value": b""}
        for p in message.payloads
    ]
    envelope = _envelope(
        "submitMessage",
        bodyload=next((c for c in contents if c["payloadId"] is None), None),
        payload=[c for c in contents if c["payloadId"] is not None],
        _soapheaders={"header": messaging(message)},
    )
    by_href = {href_of(p): part for p, part in zip(message.payloads, part_ids, strict=True)}
    for value in envelope.iter("value"):
        content = value.getparent()
        assert content is not None
        part_id = by_href[content.get("payloadId")]
        include = etree.SubElement(value, f"{{{XOP}}}Include", nsmap={"xop": XOP})
        include.set("href", f"cid:{quote(part_id, safe='@')}")
    return serialize(envelope)


def check_answer(operation: str, envelope: Element) -> None:
    """Whether a SOAP envelope is the operation's answer.

    Raises `ConnectorError`: the fault in it (`outcomes.from_fault`, `from_soap_fault`), or
    `domibus.answer-unreadable`.
    """
    body = envelope.find(f"{{{SOAP}}}Body")
    if envelope.tag != f"{{{SOAP}}}Envelope" or body is None:
        raise unreadable(operation, f"{envelope.tag} is no SOAP 1.2 message.")
    if body.find(f"{{{SOAP}}}Fault") is not None:
        _raise_fault(operation, envelope)
    answers = {"submitMessage": "submitResponse"}
    expected = f"{{{BACKEND}}}{answers.get(operation, f'{operation}Response')}"
    if [child.tag for child in body] != [expected]:
        raise unreadable(operation, f"Its body holds {[str(c.tag) for c in body]}.")


def _raise_fault(operation: str, envelope: Element) -> None:
    from zeep.exceptions import Fault

    binding = _client().service._binding
    try:
        binding.process_error(envelope, binding.get(operation))
    except Fault as fault:
        detail = None if fault.detail is None else fault.detail.find(f"{{{BACKEND}}}FaultDetail")
        said = str(fault.message or "")
        if detail is None:
            raise from_soap_fault(operation, str(fault.code or ""), said) from None
        code, text = detail.findtext("code") or "", detail.findtext("message") or said
        raise from_fault(operation, code, text) from None
    except (AttributeError, TypeError, ValueError) as error:
        raise unreadable(operation, f"A fault without code or reason: {error}") from error


def _read(operation: str, envelope: Element) -> Any:
    from zeep.exceptions import Error

    check_answer(operation, envelope)
    try:
        return _client().service._binding.get(operation).process_reply(envelope)
    except (Error, ValueError, TypeError) as error:
        raise unreadable(operation, str(error)) from error


def read_message_ids(operation: str, envelope: Element) -> tuple[str, ...]:
    """The ids in the answer of submitMessage or listPendingMessages."""
    return tuple(i.strip() for i in _read(operation, envelope) or () if i and i.strip())


def read_status(envelope: Element) -> str | None:
    """The status in the answer of getStatus."""
    status = _read("getStatus", envelope)
    return None if status is None else str(status)


def read_errors(envelope: Element) -> tuple[MessageError, ...]:
    """The entries in the answer of getMessageErrors."""
    return tuple(
        MessageError(
            code=item.errorCode or "",
            detail=item.errorDetail or "",
            role=item.mshRole or "",
            at=item.timestamp,
        )
        for item in _read("getMessageErrors", envelope) or ()
        if item is not None
    )


@dataclass(frozen=True, slots=True)
class Content:
    """One payload or bodyload element of retrieveMessage's answer."""

    payload_id: str | None
    """As in eb:PartInfo/@href; None for a bodyload without one."""
    part_id: str
    """Content-ID of the MIME part that holds it."""


def messaging_of(envelope: Element) -> Element:
    """The eb:Messaging header. Raises `domibus.header-unreadable` unless there is just one."""
    found = envelope.findall(f"{{{SOAP}}}Header/{{{EB}}}Messaging")
    if len(found) != 1:
        raise unacceptable(
            "domibus.header-unreadable",
            f"The retrieved message has {len(found)} Messaging headers instead of one.",
        )
    return found[0]


def contents_of(envelope: Element) -> Iterator[Content]:
    """The contents that retrieveMessage's answer refers to.

    Raises `ConnectorError` (unacceptable) `domibus.content-unreadable` for content that is no
    reference to a MIME part.
    """
    answer = envelope.find(f"{{{SOAP}}}Body/{{{BACKEND}}}retrieveMessageResponse")
    assert answer is not None, "check_answer comes first"
    for element in answer:
        name = element.tag
        value = element.find("value") if name in ("payload", "bodyload") else None
        include = None if value is None else value.find(f"{{{XOP}}}Include")
        href = "" if include is None else include.get("href", "")
        if value is None or include is None or not href.startswith("cid:") or _mixed(value):
            raise unacceptable(
                "domibus.content-unreadable",
                f"{name} holds no reference to a MIME part.",
                mend="Switch MTOM on in the gateway's WS plugin.",
                line=element.sourceline,
            )
        yield Content(element.get("payloadId"), unquote(href.removeprefix("cid:")))


def _mixed(value: Element) -> bool:
    """Whether `value` holds more than one element (XOP 1.0, 3.1)."""
    return len(value) != 1 or bool(((value.text or "") + (value[0].tail or "")).strip())
