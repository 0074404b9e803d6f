"""A stored answer of retrieveMessage, taken apart and handed to the receiver as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import BinaryIO, Final

from connector.errors import ConnectorError, Kind, unacceptable
from connector.xml import Element, parse
from gateway_client.domibus.header import AnnouncedPart, Announcement, read_messaging
from gateway_client.domibus.interface import (
    Content,
    check_answer,
    contents_of,
    messaging_of,
)
from gateway_client.domibus.spool import key_of
from gateway_client.mime import (
    CHUNK,
    Event,
    PartBegins,
    PartData,
    PartEnds,
    RelatedReader,
    media_type,
)
from gateway_client.model import Payload, PayloadSource, PayloadWriter, Receiver

_MAX_ENVELOPE: Final = 16 * CHUNK


def hand_over(
    content_type: str, body: BinaryIO, receiver: Receiver, *, key: str, now: datetime
) -> str:
    """Read one answer, write its payloads, give the message to `receiver`; its eb:MessageId.

    `key` is what `spool.key_of` makes of the message id that was asked for.

    Raises `ConnectorError` (unacceptable): `domibus.header-unreadable`,
    `domibus.content-unreadable`, `domibus.payload-missing`, `domibus.payload-unannounced`,
    `domibus.part-missing`, `domibus.part-unreferenced`, `domibus.wrong-message`,
    `domibus.answer-unreadable`, and the codes of `gateway_client.mime` and `connector.xml`;
    what the receiver raises.
    """
    events = _events(content_type, body)
    raw = _root(events)
    envelope = parse(raw)
    _check(envelope)
    announcement = read_messaging(messaging_of(envelope), now=now)
    if key_of(announcement.message.message_id) != key:
        raise unacceptable(
            "domibus.wrong-message",
            f"The gateway gave {announcement.message.message_id}, which was not asked for.",
        )
    wanted = matched(announcement, tuple(contents_of(envelope)))
    with ExitStack() as undo:
        sources = _store(events, set(wanted), receiver, undo)
        order = {id(part): part_id for part_id, part in wanted.items()}
        payloads = tuple(
            Payload(
                content_id=(part.href or "").removeprefix("cid:"),
                mime_type=part.mime_type,
                source=sources[order[id(part)]],
                properties=part.properties,
            )
            for part in announcement.parts
        )
        message = replace(announcement.message, payloads=payloads)
        receiver.receive(message, raw)
    return message.message_id


def _check(envelope: Element) -> None:
    try:
        check_answer("retrieveMessage", envelope)
    except ConnectorError as error:
        # Whatever it says, it was stored as the answer, and would say the same next time.
        raise ConnectorError(Kind.UNACCEPTABLE, *error.problems) from error


def matched(announcement: Announcement, contents: Sequence[Content]) -> dict[str, AnnouncedPart]:
    """Which MIME part holds which announced payload: Content-ID to eb:PartInfo.

    The content of a bodyload without `payloadId` belongs to the PartInfo without `@href`.
    Raises `domibus.payload-missing`, `domibus.payload-unannounced` (unacceptable).
    """
    found: dict[str, AnnouncedPart] = {}
    left = list(announcement.parts)
    for content in contents:
        part = next((p for p in left if p.href == content.payload_id), None)
        if part is None or content.part_id in found:
            raise unacceptable(
                "domibus.payload-unannounced",
                f"The header announces no payload {content.payload_id!r}, or only once.",
            )
        left.remove(part)
        found[content.part_id] = part
    if left:
        raise unacceptable(
            "domibus.payload-missing",
            f"The header announces {[part.href for part in left]}, which are not there.",
        )
    return found


def read_envelope(content_type: str, body: bytes) -> Element:
    """The SOAP envelope of an answer that has no payloads, sent alone or as a root part."""
    if media_type(content_type)[0] != "multipart/related":
        return parse(body)
    reader = RelatedReader(content_type)
    return parse(_root(iter(reader.feed(body))))


def _events(content_type: str, body: BinaryIO) -> Iterator[Event]:
    if media_type(content_type)[0] != "multipart/related":
        # A message whose PayloadInfo is empty comes without parts, as does a fault.
        yield PartBegins({})
        while chunk := body.read(CHUNK):
            yield PartData(chunk)
        yield PartEnds()
        return
    reader = RelatedReader(content_type)
    while chunk := body.read(CHUNK):
        yield from reader.feed(chunk)
    reader.close()


def _root(events: Iterator[Event]) -> bytes:
    root = bytearray()
    for event in events:
        if isinstance(event, PartData):
            root += event.data
            if len(root) > _MAX_ENVELOPE:
                raise unacceptable(
                    "domibus.envelope-too-large",
                    f"The SOAP envelope has more than {_MAX_ENVELOPE} bytes.",
                )
        elif isinstance(event, PartEnds):
            return bytes(root)
    raise unacceptable("mime.truncated", "The answer ends within its SOAP envelope.")


def _store(
    events: Iterator[Event], wanted: set[str], receiver: Receiver, undo: ExitStack
) -> dict[str, PayloadSource]:
    sources: dict[str, PayloadSource] = {}
    part_id, writer = "", None
    for event in events:
        match event:
            case PartBegins():
                part_id = event.content_id
                if part_id not in wanted:
                    raise unacceptable(
                        "domibus.part-unreferenced",
                        f"No payload refers to the MIME part {part_id!r}.",
                    )
                writer = _writer(receiver, undo)
            case PartData(data) if writer is not None:
                writer.write(data)
            case PartEnds() if writer is not None:
                sources[part_id] = writer.commit()
            case _:
                raise AssertionError("content before a part")
    if missing := wanted - sources.keys():
        raise unacceptable(
            "domibus.part-missing", f"The MIME parts {sorted(missing)} are not there."
        )
    return sources


def _writer(receiver: Receiver, undo: ExitStack) -> PayloadWriter:
    writer = receiver.writer()
    undo.callback(writer.abort)
    return writer
