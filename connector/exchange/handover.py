"""A verified message of theirs on its last way: into the national format, and handed over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from lxml import etree

from connector.envelope.xml_read import without_signatures
from connector.errors import ConnectorError, Problem
from connector.errors import Kind as ErrorKind
from connector.exchange import evidences
from connector.exchange.arrival import Parts, not_acceptable
from connector.exchange.context import Connector
from connector.exchange.departure import ENVELOPE_NAME
from connector.exchange.records import Handover, MessageRecord, Part, PartRole
from connector.exchange.states import Event, State
from connector.exchange.transition import Change, commit
from connector.translation.formats import Written
from connector.xml import parse

ACCOUNT_NAME: Final = "translation.json"


def hand_over(connector: Connector, record: MessageRecord) -> MessageRecord:
    """Translate a verified message into the national format and place it for the national system.

    Raises `delivery.untranslatable` (configuration) where the mapping cannot express it: a person
    mends the mapping and has it tried again, or the time runs out and the sender is told. What the
    national system refuses for good turns the message away.
    """
    try:
        made = _handed_over(connector, record)
    except ConnectorError as error:
        if not evidences.is_final(error):
            raise
        return commit(connector, record, not_acceptable(error, State.VERIFIED))
    change = Change(event=Event.HANDED_OVER, found=State.VERIFIED, parts=made)
    return commit(connector, record, change)


def _handed_over(connector: Connector, record: MessageRecord) -> tuple[Part, ...]:
    payloads = connector.store.payloads
    with connector.store.reading() as reading:
        parts = Parts(reading.parts(record.id))
    envelope = parts.one(PartRole.ENVELOPE, "a business document")
    written = _translated(connector, payloads.read(envelope.payload))
    document = payloads.put(written.data)
    # Not indented: that takes Python's own encoder, the slowest thing on a message's way.
    account = payloads.put(json.dumps(written.account.as_json(), ensure_ascii=False).encode())
    made = (
        Part(
            message_id=record.id,
            role=PartRole.NATIONAL,
            name=written.filename,
            media_type=written.media_type,
            payload=document,
        ),
        Part(
            message_id=record.id,
            role=PartRole.REPORT,
            name=ACCOUNT_NAME,
            media_type="application/json",
            payload=account,
        ),
    )
    proofs = (
        *parts.of(PartRole.ENVELOPE),
        *parts.of(PartRole.CONTAINER),
        *parts.of(PartRole.TOKEN_XML),
        *(report for report in parts.of(PartRole.REPORT) if report.name != ACCOUNT_NAME),
        made[1],
    )
    connector.backend.hand_over(
        Handover(
            record=record,
            document_name=written.filename,
            document=document,
            attachments=parts.of(PartRole.ATTACHMENT),
            proofs=proofs,
        )
    )
    return made


def _translated(connector: Connector, data: bytes) -> Written:
    # The certificate may have expired since it was verified on arrival; what counts for the
    # content is only that these are the signed bytes, so the signature is taken out, not judged.
    root = without_signatures(parse(data, file=ENVELOPE_NAME))
    etree.strip_tags(root, etree.Comment)  # which no signature covers
    wanted = connector.backend.format
    try:
        written = connector.formats.write(root, wanted)
    except ConnectorError as error:
        raise _untranslatable(wanted, error.problems) from error
    if written.problems:
        raise _untranslatable(wanted, written.problems)
    return written


def _untranslatable(wanted: str, problems: Sequence[Problem]) -> ConnectorError:
    first = Problem(
        code="delivery.untranslatable",
        what=f"The message cannot be written as {wanted}: {problems[0]}",
        mend="Mend the mapping, then `emla queue retry`; the message waits here.",
    )
    return ConnectorError(ErrorKind.CONFIGURATION, first, *problems)
