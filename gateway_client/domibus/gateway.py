"""A Domibus gateway behind its WS plugin, as a `PullGateway`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from connector.errors import ConnectorError, Kind, unacceptable
from connector.xml import Element
from gateway_client.domibus import interface, outcomes
from gateway_client.domibus.access import Access, Answer, Connections
from gateway_client.domibus.header import check_submittable
from gateway_client.domibus.outcomes import Fate, MessageError
from gateway_client.domibus.retrieval import hand_over, read_envelope
from gateway_client.domibus.spool import Entry, Spool
from gateway_client.mime import OutgoingPart, RelatedWriter
from gateway_client.model import Receiver, Submission, UserMessage

_SOAP_TYPE: Final = "application/soap+xml; charset=UTF-8"
_MAX_PENDING: Final = 500
_SOAP_STATUSES: Final = (200, 400, 500)
"""HTTP statuses under which SOAP answers (SOAP 1.2 part 2, 7.5.2.2)."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Bytes:
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return BytesIO(self.data)


class DomibusGateway:
    """The WS plugin `http://org.ecodex.backend/1_1/` (Domibus 3.3 to 5.x, SOAP 1.2 with MTOM).

    `submit`, `status` and `errors` may be called by several threads; `poll` by one at a time.
    Every method raises `ConnectorError` with the codes of `outcomes` and `access`.
    """

    def __init__(
        self, access: Access, spool: Path, *, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        """`spool`: a folder for this gateway account alone, on a disk that survives a crash."""
        self._connections = Connections(access)
        self._max_bytes = access.max_message_bytes
        self._spool = Spool(spool)
        self._clock = clock

    def close(self) -> None:
        """Release connections."""
        self._connections.close()

    # --- Out ------------------------------------------------------------------------------------

    def submit(self, message: UserMessage) -> Submission:
        """Hand over one message, unless the gateway has it already.

        The gateway is asked for the message id first, and again when it refuses, so a message
        whose acknowledgement got lost is not sent twice, and one that another worker has
        submitted in between counts as taken. Raises besides the common codes (unacceptable)
        `domibus.send-failure`, `domibus.message-id-taken`, those of `check_submittable`.
        """
        check_submittable(message)
        if known := self.progress(message.message_id):
            return known
        try:
            taken = self._submit(message)
        except ConnectorError as refusal:
            if refusal.kind is Kind.TRANSIENT:
                raise  # perhaps taken: the next call will ask
            if known := self.progress(message.message_id):
                return known
            raise
        return Submission(message_id=taken, taken_at=self._clock(), delivered=False)

    def _submit(self, message: UserMessage) -> str:
        token = uuid.uuid4().hex
        ids = tuple(f"part-{n}.{token}@emla" for n in range(len(message.payloads)))
        root = OutgoingPart(
            content_id=f"root.{token}@emla",
            content_type='application/xop+xml; charset=UTF-8; type="application/soap+xml"',
            source=_Bytes(interface.submit_request(message, ids)),
        )
        contents = (
            OutgoingPart(content_id=part_id, content_type=p.mime_type, source=p.source)
            for p, part_id in zip(message.payloads, ids, strict=True)
        )
        entity = RelatedWriter(
            parts=(root, *contents),
            boundary=f"emla-{token}",
            parameters=(("type", "application/xop+xml"), ("start-info", "application/soap+xml")),
        )
        with self._connections.post(entity.content_type, entity, len(entity)) as answer:
            envelope = _envelope("submitMessage", answer)
        found = interface.read_message_ids("submitMessage", envelope)
        if not found:
            raise outcomes.unreadable("submitMessage", "it names no message id")
        return found[0]

    def progress(self, message_id: str) -> Submission | None:
        """How far a submitted message has come; None if the gateway does not know it.

        `delivered` turns true when the partner's receipt is there. Raises (unacceptable)
        `domibus.send-failure` once the gateway has given up, `domibus.message-id-taken`.
        """
        status = self.status(message_id)
        match outcomes.fate_of(status):
            case Fate.UNKNOWN_MESSAGE:
                return None
            case Fate.FAILED:
                raise outcomes.send_failure(message_id, self.errors(message_id))
            case Fate.INCOMING:
                raise outcomes.id_taken(message_id, status or "")
            case fate:
                return Submission(
                    message_id=message_id,
                    taken_at=self._clock(),
                    delivered=fate is Fate.DELIVERED,
                )

    def status(self, message_id: str) -> str | None:
        """The gateway's own word for where a message is, e.g. `WAITING_FOR_RETRY`."""
        return interface.read_status(self._ask("getStatus", message_id))

    def errors(self, message_id: str) -> tuple[MessageError, ...]:
        """What went wrong with a message so far."""
        return interface.read_errors(self._ask("getMessageErrors", message_id))

    def _ask(self, operation: str, message_id: str) -> Element:
        return self._call(operation, interface.message_request(operation, message_id))

    def _call(self, operation: str, request: bytes) -> Element:
        with self._connections.post(_SOAP_TYPE, request, len(request)) as answer:
            return _envelope(operation, answer)

    # --- In -------------------------------------------------------------------------------------

    def pending(self) -> tuple[str, ...]:
        """Message ids that wait at the gateway, each once."""
        answer = self._call("listPendingMessages", interface.list_request())
        return tuple(dict.fromkeys(interface.read_message_ids("listPendingMessages", answer)))

    def poll(self, receiver: Receiver, *, limit: int = _MAX_PENDING) -> Sequence[str]:
        """Fetch what is pending and hand it over; the eb:MessageIds, in the order handed over.

        First comes what an earlier call had fetched but not handed over, and what it had asked
        for in vain. A message that is refused is kept below the spool's `refused/`, one that the
        gateway answers with a fault stays there; the others are handed over, then all this is
        raised together. Any other failure of gateway, disk or receiver ends the call at once;
        the next one goes on from there. Returns nothing while another process polls with the
        same spool. Raises besides the common codes (unacceptable) `domibus.retrieval-lost`,
        `domibus.message-too-large`, and the codes of `retrieval.hand_over`.
        """
        with self._spool.claimed() as ours:
            if not ours:
                return []
            done: list[str] = []
            failures: list[ConnectorError] = []
            for entry in self._spool.arrived():
                with _collected(failures):
                    self._hand_over(entry, receiver, done)
            again = self._spool.asked()
            wanted = dict.fromkeys((*again, *self.pending()))
            for message_id in list(wanted)[:limit]:
                entry = self._spool.note(message_id)
                with _collected(failures):
                    if self._fetch(entry, message_id, again=message_id in again):
                        self._hand_over(entry, receiver, done)
        if failures:
            # If one of them may pass, the caller should come back soon.
            passing = any(failure.kind is Kind.TRANSIENT for failure in failures)
            raise ConnectorError(
                Kind.TRANSIENT if passing else failures[0].kind,
                *(problem for failure in failures for problem in failure.problems),
            )
        return done

    def _fetch(self, entry: Entry, message_id: str, *, again: bool) -> bool:
        """Store the gateway's answer; False if another client has the message."""
        request = interface.message_request("retrieveMessage", message_id)
        try:
            with self._connections.post(_SOAP_TYPE, request, len(request)) as answer:
                if answer.status != 200 or not answer.is_soap:
                    _envelope("retrieveMessage", answer)
                self._spool.store(entry, answer.content_type, self._bounded(answer))
        except ConnectorError as error:
            if error.code == "domibus.message-too-large":
                self._spool.refuse(entry, error)
            if not _is_fault(error):
                raise
            # The plugin has answered, so its word on the message counts.
            if self.status(message_id) in ("RECEIVED", "RECEIVED_WITH_WARNINGS"):
                raise
            if not again:
                self._spool.forget(entry)
                return False
            lost = _lost(message_id, error)
            self._spool.refuse(entry, lost)
            raise lost from error
        return True

    def _bounded(self, answer: Answer) -> Iterator[bytes]:
        size = 0
        for chunk in answer.chunks:
            size += len(chunk)
            if size > self._max_bytes:
                raise unacceptable(
                    "domibus.message-too-large",
                    f"The message has more than {self._max_bytes} bytes.",
                    mend="Raise the limit; then move its `.asked` file from the spool's "
                    "`refused` folder back into the spool.",
                )
            yield chunk

    def _hand_over(self, entry: Entry, receiver: Receiver, done: list[str]) -> None:
        """Give a stored answer to the receiver, or set it aside for good."""
        try:
            with entry.open() as (content_type, body):
                message_id = hand_over(
                    content_type, body, receiver, key=entry.key, now=self._clock()
                )
        except ConnectorError as error:
            if error.kind is Kind.UNACCEPTABLE:
                self._spool.refuse(entry, error)
            raise
        self._spool.forget(entry)
        done.append(message_id)


@contextmanager
def _collected(failures: list[ConnectorError]) -> Iterator[None]:
    """Keep what concerns one message for later, so that the others get their turn."""
    try:
        yield
    except ConnectorError as error:
        if error.kind is not Kind.UNACCEPTABLE and not _is_fault(error):
            raise
        failures.append(error)


def _is_fault(error: ConnectorError) -> bool:
    return error.code.startswith(("domibus.fault", "domibus.request-refused"))


def _envelope(operation: str, answer: Answer) -> Element:
    if answer.status not in _SOAP_STATUSES or (answer.status != 200 and not answer.is_soap):
        raise outcomes.from_http_status(answer.status, answer.url)
    if not answer.is_soap:
        raise outcomes.unreadable(operation, f"its type is {answer.content_type!r}")
    try:
        envelope = read_envelope(answer.content_type, answer.read())
    except ConnectorError as error:
        if error.kind is not Kind.UNACCEPTABLE:
            raise
        raise outcomes.unreadable(operation, str(error)) from error
    interface.check_answer(operation, envelope)
    if answer.status != 200:
        raise outcomes.from_http_status(answer.status, answer.url)
    return envelope


def _lost(message_id: str, error: ConnectorError) -> ConnectorError:
    return unacceptable(
        "domibus.retrieval-lost",
        f"The answer with {message_id} was cut off, and the gateway does not give it again: "
        f"{error}",
        mend="Ask the partner to send it anew, or restore it in the gateway; keep messages for a "
        "while after download there (PMode, retention_downloaded).",
    )
