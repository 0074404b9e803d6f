"""A message of ours on its way out: signing, sealing, handing it to the gateway."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from connector.container.asic import MEDIA_TYPE, Document, seal
from connector.container.signed_token import build_token
from connector.container.token import Token, TokenDocument, TokenIssuer, authentication_token
from connector.container.token_pdf import token_pdf
from connector.errors import ConnectorError
from connector.evidence.types import Reason
from connector.exchange import evidences
from connector.exchange.context import Connector
from connector.exchange.reasons import reason_of
from connector.exchange.records import Kind, MessageRecord, Part, PartRole, PayloadRef
from connector.exchange.states import Event, State
from connector.exchange.transition import Change, commit
from connector.exchange.wire import user_message
from connector.signature import xades
from connector.xml import parse

ENVELOPE_NAME: Final = "envelope.xml"
"""Name of the business document in the container."""
CONTAINER_NAME: Final = "message.asics"


def seal_message(connector: Connector, record: MessageRecord) -> MessageRecord:
    """Sign the envelope, seal it with its attachments and token, attest that it was submitted.

    A step that was killed half-way is simply done again: what it had stored is never referred to.
    What cannot be sealed for good becomes NOT_ACCEPTABLE; raises what may pass, or be mended.
    """
    try:
        change = _sealed(connector, record)
    except ConnectorError as error:
        if not evidences.is_final(error):
            raise
        change = Change(
            event=Event.NOT_ACCEPTABLE,
            found=State.ACCEPTED,
            reason=reason_of(error.code),
            problem=evidences.problem_of(error),
        )
    return commit(connector, record, change)


def _sealed(connector: Connector, record: MessageRecord) -> Change:
    now = connector.clock()
    payloads = connector.store.payloads
    with connector.store.reading() as reading:
        parts = reading.parts(record.id)
    draft = next(part for part in parts if part.role is PartRole.ENVELOPE)
    attachments = [part for part in parts if part.role is PartRole.ATTACHMENT]

    signed = xades.sign_enveloped(
        parse(payloads.read(draft.payload)),
        connector.keys.signature,
        now,
        media_type="application/xml",
    )
    envelope = payloads.put(signed)
    token = _token(connector, record, envelope, now)
    container = _container(connector, token, envelope, attachments, now)
    token_xml = build_token(token, connector.keys.seal, now, connector.spelling(record.to_party))
    evidence = evidences.sign_and_store(
        connector,
        record,
        evidences.first_evidence(connector, record, envelope.sha256, now),
        connector.profile(record.to_party),
    )

    def part(role: PartRole, name: str, media_type: str, payload: PayloadRef) -> Part:
        return Part(
            message_id=record.id, role=role, name=name, media_type=media_type, payload=payload
        )

    return Change(
        event=Event.SEALED,
        found=State.ACCEPTED,
        parts=(
            part(PartRole.ENVELOPE, draft.name, "application/xml", envelope),
            part(PartRole.CONTAINER, CONTAINER_NAME, MEDIA_TYPE, container),
            part(PartRole.TOKEN_XML, "Token.xml", "text/xml", payloads.put(token_xml)),
            part(PartRole.EVIDENCE, evidence.type, evidences.MEDIA_TYPE, evidence.payload),
        ),
        evidence=(evidence,),
    )


def _container(
    connector: Connector,
    token: Token,
    envelope: PayloadRef,
    attachments: Sequence[Part],
    now: datetime,
) -> PayloadRef:
    payloads = connector.store.payloads
    documents = [
        Document(ENVELOPE_NAME, "application/xml", payloads.source(envelope)),
        *(Document(p.name, p.media_type, payloads.source(p.payload)) for p in attachments),
    ]
    pdf = token_pdf(token, connector.pdf_signer, now)
    writer = payloads.writer()
    try:
        seal(writer, documents, connector.keys.seal, now, token_pdf=pdf)
        return writer.commit_ref()
    finally:
        writer.abort()


def _token(
    connector: Connector, record: MessageRecord, envelope: PayloadRef, now: datetime
) -> Token:
    return authentication_token(
        issuer=TokenIssuer(connector.identity.name, connector.identity.country),
        document=TokenDocument(
            filename=ENVELOPE_NAME,
            media_type="application/xml",
            digest=bytes.fromhex(envelope.sha256),
        ),
        identity_provider=connector.identity.name,
        username=record.sender,
        at=now,
    )


def submit(connector: Connector, record: MessageRecord) -> MessageRecord:
    """Hand a sealed message, or an evidence, to the gateway.

    Raises what may pass, for the queue to try again; what the gateway or its partner refuses for
    good becomes GATEWAY_REFUSED.
    """
    payloads = connector.store.payloads
    with connector.store.reading() as reading:
        parts = reading.parts(record.id)
    message = user_message(record, parts, payloads.source, record.created_at)
    try:
        submission = connector.gateway.submit(message)
    except ConnectorError as error:
        if not evidences.is_final(error):
            raise
        return commit(
            connector,
            record,
            Change(
                event=Event.GATEWAY_REFUSED,
                found=State(record.state),
                reason=Reason.GW_REJECTION,
                problem=evidences.problem_of(error),
            ),
        )
    receipts: tuple[Part, ...] = ()
    if submission.receipt is not None and record.kind is Kind.BUSINESS:
        receipts = (
            Part(
                message_id=record.id,
                role=PartRole.RECEIPT,
                name="receipt.xml",
                media_type="application/soap+xml",
                payload=payloads.put(submission.receipt),
            ),
        )
    return commit(connector, record, Change(event=Event.GATEWAY_TOOK, parts=receipts))
