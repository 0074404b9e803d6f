"""What the gateway calls for each message that arrives: stored whole, then acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from connector.errors import unacceptable
from connector.exchange.departure import ENVELOPE_NAME
from connector.exchange.ports import Store, StoredWriter, Transaction, ref_of
from connector.exchange.records import (
    AuditEntry,
    Direction,
    Kind,
    Lane,
    MessageRecord,
    Part,
    PartRole,
    PayloadRef,
    Timer,
    job_for,
)
from connector.exchange.states import State, TimerName
from connector.exchange.wire import Incoming, sort_payloads
from gateway_client.model import UserMessage


class Reception:
    """Implements `gateway_client.model.Receiver` on the store. Safe between threads."""

    def __init__(
        self,
        store: Store,
        party: str,
        *,
        handover: timedelta,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        """`party` is ours; `handover` how long a message may take from here to its recipient."""
        self._store = store
        self._party = party
        self._handover = handover
        self._clock = clock
        self._new_id = new_id

    def writer(self) -> StoredWriter:
        """Payloads go straight into the store."""
        return self._store.payloads.writer()

    def receive(self, message: UserMessage, raw: bytes) -> bool:
        """Record the message and its job in one commit; False if it was there already.

        Raises `wire.*` for what cannot be an exchange's message at all, `wire.wrong-recipient`,
        `wire.message-id-reused` for another message under an id that has been used.
        """
        if message.recipient.id.value != self._party:
            raise unacceptable(
                "wire.wrong-recipient",
                f"The message is for {message.recipient.id.value!r}, not for {self._party!r}.",
            )
        incoming = sort_payloads(message)
        now = self._clock()
        record = self._record(message, incoming, now)
        soap = self._store.payloads.put(raw)
        parts = [*_parts(record.id, incoming), _soap(record.id, soap)]
        with self._store.transaction() as tx:
            if not tx.insert_message(record, parts):
                _check_same(tx, record, parts)
                return False
            tx.append_audit(
                AuditEntry(at=now, message_id=record.id, event="received", to_state=record.state)
            )
            if record.kind is Kind.BUSINESS and self._handover:
                due = now + self._handover
                tx.set_timer(Timer(message_id=record.id, name=TimerName.HANDOVER.value, due=due))
            tx.enqueue(job_for(record, self._new_id(), now))
        return True

    def _record(self, message: UserMessage, incoming: Incoming, now: datetime) -> MessageRecord:
        evidence = incoming.kind is Kind.EVIDENCE
        return MessageRecord(
            id=self._new_id(),
            direction=Direction.INBOUND,
            kind=incoming.kind,
            state=(State.EVIDENCE_ARRIVED if evidence else State.ARRIVED).value,
            lane=_lane(message.property("urgency"), evidence=evidence),
            message_type=incoming.evidence_type if evidence else message.action,
            conversation_id=message.conversation_id,
            ebms_id=message.message_id,
            ref_to=message.ref_to_message_id or message.property("originalMessageId"),
            sender=message.property("originalSender") or "",
            recipient=message.property("finalRecipient") or "",
            from_party=message.sender.id.value,
            to_party=message.recipient.id.value,
            created_at=now,
            updated_at=now,
        )


def _lane(urgency: str | None, *, evidence: bool) -> Lane:
    """The sender's word decides which lane is served first, and nothing else."""
    named = next((lane for lane in Lane if lane.value == urgency), None)
    if named is not None:
        return named
    return Lane.URGENT if evidence else Lane.ROUTINE


def _check_same(tx: Transaction, record: MessageRecord, parts: Sequence[Part]) -> None:
    """A receipt must not be given for what is not going to be delivered."""
    known = tx.message_by_ebms_id(Direction.INBOUND, record.ebms_id)
    assert known is not None
    if known.from_party != record.from_party or _digests(tx.parts(known.id)) != _digests(parts):
        raise unacceptable(
            "wire.message-id-reused",
            f"The message id {record.ebms_id!r} belongs to another message that came before.",
            mend="Send each message under an id of its own.",
        )


def _digests(parts: Sequence[Part]) -> set[tuple[PartRole, str, str]]:
    return {(p.role, p.name, p.payload.sha256) for p in parts if p.role in _AS_THEY_CAME}


_AS_THEY_CAME: Final = frozenset(
    {PartRole.ENVELOPE, PartRole.CONTAINER, PartRole.TOKEN_XML, PartRole.EVIDENCE}
)
"""Parts that stay as the sender sent them."""


def _parts(message_id: str, incoming: Incoming) -> Sequence[Part]:
    return [
        Part(
            message_id=message_id,
            role=role,
            name=ENVELOPE_NAME if role is PartRole.ENVELOPE else name,
            media_type=payload.mime_type,
            payload=ref_of(payload.source),
        )
        for role, found in incoming.parts.items()
        for name, payload in found
    ]


def _soap(message_id: str, ref: PayloadRef) -> Part:
    return Part(
        message_id=message_id,
        role=PartRole.SOAP,
        name="message.soap.xml",
        media_type="application/soap+xml",
        payload=ref,
    )
