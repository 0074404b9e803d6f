"""A scripted partner: an authority that reads what arrives and answers by itself.

It works as a clerk with a national system does: fetches a delivery, reads the national document,
writes the answer in the national format, and puts it into the intake folder.

    Request               acknowledged; then answered, or first one question if the script says so
    Clarification         the request that was asked about is answered
    ClarificationRequest  answered
    Acknowledgement, Response   fetched
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.demo import casework, replies
from connector.demo.evidence_files import MadeFile
from connector.demo.manifest import Log, Sent
from connector.demo.national import Delivery, NationalSystem, Outgoing, SentFile
from connector.demo.replies import Answering, Item
from connector.demo.samples import Sample
from connector.envelope.codes import UrgencyLevel
from connector.envelope.draft import HeaderValues, read_draft
from connector.envelope.header import Header
from connector.envelope.model import Envelope
from connector.envelope.parties import ContactPoint
from connector.envelope.replies import Clarification, ClarificationRequest
from connector.envelope.request import Request
from connector.envelope.xml_write import write_element
from connector.errors import ConnectorError, unacceptable
from connector.errors import Kind as ErrorKind
from connector.translation.formats import Formats

_URGENCIES: Final = (UrgencyLevel.EMERGENCY, UrgencyLevel.URGENT, UrgencyLevel.ORDINARY)
_PAUSE: Final = 0.2
"""Seconds between two looks at the folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What a partner does beyond the ordinary."""

    asks_about: str | None = None
    """The sender's reference of a request about which one question is asked."""
    large_for: str | None = None
    """The sender's reference of a request that is answered with a large file."""
    large_size: int = 0
    """Bytes of that file."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request that came, and our own reference of it."""

    request: Envelope
    body: Request
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a partner needs of the world."""

    formats: Formats
    log: Log
    clock: Callable[[], datetime]
    new_id: Callable[[], str]


class Partner:
    """The authority of one country. Used by one thread."""

    def __init__(
        self,
        country: str,
        system: NationalSystem,
        *,
        national_format: str,
        script: Script,
        around: Surroundings,
        requests: Sequence[Sample] = (),
    ) -> None:
        """`requests` are sent before anything is answered."""
        self.country = country
        self.failure: ConnectorError | None = None
        """Why it stopped before it was told to."""
        self._system = system
        self._format = national_format
        self._script = script
        self._around = around
        self._requests = requests
        self._cases: dict[str, Case] = {}
        """By conversation."""
        self._entries = 0

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set, or something is wrong that no clerk could mend."""
        try:
            for sample in self._requests:
                self.send(sample)
            while not stop.wait(_PAUSE):
                self.step()
        except ConnectorError as error:
            self.failure = error
        except Exception as error:
            self.failure = _defect(self.country, error)

    def step(self) -> None:
        """Fetch and answer everything that is there, the most urgent first; note what the
        connector has accepted."""
        found = [(self._read(delivery), delivery) for delivery in self._system.deliveries()]
        for received, delivery in sorted(found, key=lambda each: _rank(each[0])):
            self._system.take(delivery)
            self._answer(received)
        for sent in self._around.log.sent:
            if sent.country == self.country and sent.message_id is None:
                message_id = self._system.message_id(sent.entry)
                if message_id is not None:
                    self._around.log.accepted(sent, message_id)

    def send(self, sample: Sample) -> None:
        """Put a sample into the intake folder, as it is."""
        outgoing = self._begin(sample.document.stem)
        document = outgoing.add(sample.document.name, [sample.document.read_bytes()])
        attachments = [outgoing.add(file.name, file.pieces()) for file in sample.attachments]
        self._put(
            outgoing,
            Sent(
                country=self.country,
                entry=outgoing.name,
                message_type="Request",
                format=sample.format,
                reference=sample.reference,
                urgency=sample.urgency,
                sample=sample.name,
                document=document,
                attachments=tuple(attachments),
                at=self._around.clock(),
            ),
        )

    def _answer(self, received: Envelope) -> None:
        match received.body:
            case Request() as request:
                case = self._open(received, request)
                self._reply(replies.acknowledgement(received, self._answering(case.reference)))
                if received.header.sender_reference == self._script.asks_about:
                    self._reply(replies.question(received, self._answering(case.reference)))
                else:
                    self._execute(case)
            case ClarificationRequest() as asked:
                self._clarify(received.header, asked)
            case Clarification():
                self._execute(self._case_of(received))

    def _read(self, delivery: Delivery) -> Envelope:
        """What was delivered, read back from the national document."""
        data = delivery.document.read_bytes()
        read = self._around.formats.read(data, self._format, filename=delivery.document.name)
        return read_draft(
            read.require().envelope,
            replace=HeaderValues(message_id=delivery.message_id, attachments=()),
            default=HeaderValues(created_at=self._around.clock()),
        )

    def _open(self, received: Envelope, request: Request) -> Case:
        number, year = len(self._cases) + 1, self._around.clock().year
        case = Case(received, request, f"{self.country}-{number:04d}/{year}")
        self._cases[received.header.conversation_id] = case
        return case

    def _case_of(self, received: Envelope) -> Case:
        """The case that a message belongs to: by its conversation, or by our own reference."""
        header = received.header
        case = self._cases.get(header.conversation_id) or next(
            (c for c in self._cases.values() if c.reference == header.receiver_reference), None
        )
        if case is None:
            raise unacceptable(
                "demo.unknown-case",
                f"{self.country} got a {header.message_type} of the conversation "
                f"{header.conversation_id}, in which no request came.",
            )
        return case

    def _clarify(self, header: Header, asked: ClarificationRequest) -> None:
        reference = header.receiver_reference or "unknown"
        outgoing = self._begin(f"Clarification-{reference}")
        made = casework.annex(casework.topic_of(asked.items[0].question))
        annex = _item(outgoing, made, "annex1")
        answer = replies.clarification(asked, header, self._answering(reference), annex)
        self._reply(answer, outgoing, (annex.file,))

    def _execute(self, case: Case) -> None:
        """Answer a request with everything that it asks for."""
        header = case.request.header
        large = header.sender_reference == self._script.large_for
        made = casework.evidence_for(
            header,
            case.body,
            case.reference,
            self._around.clock().date(),
            self._script.large_size if large else 0,
        )
        outgoing = self._begin(f"Response-{case.reference}")
        items = [_item(outgoing, each, f"file{n}") for n, each in enumerate(made, 1)]
        authority = header.receiving_authority.names[0].text
        answering = self._answering(case.reference)
        self._reply(
            replies.response(case.request, answering, authority, items),
            outgoing,
            tuple(item.file for item in items),
        )

    def _answering(self, reference: str) -> Answering:
        return Answering(
            message_id=f"{self._around.new_id()}@{self.country.lower()}.national.example",
            reference=reference,
            now=self._around.clock().replace(microsecond=0),
            contact=ContactPoint(
                name="Officer on duty",
                email=f"duty@{self.country.lower()}.national.example",
                languages=(replies.LANGUAGE,),
            ),
        )

    def _reply(
        self,
        answer: Envelope,
        outgoing: Outgoing | None = None,
        attachments: tuple[SentFile, ...] = (),
    ) -> None:
        """Write an answer in the national format and hand it over."""
        header = answer.header
        written = self._around.formats.write(write_element(answer), self._format)
        if written.problems:
            raise ConnectorError(ErrorKind.UNACCEPTABLE, *written.problems)
        outgoing = outgoing or self._begin(f"{header.message_type}-{header.sender_reference}")
        document = outgoing.add(written.filename, [written.data])
        self._put(
            outgoing,
            Sent(
                country=self.country,
                entry=outgoing.name,
                message_type=header.message_type.value,
                format=self._format,
                reference=header.sender_reference or "",
                urgency=header.urgency.level.value,
                answers=header.in_reply_to,
                document=document,
                attachments=attachments,
                at=self._around.clock(),
            ),
        )

    def _begin(self, name: str) -> Outgoing:
        self._entries += 1
        return self._system.begin(f"{self._entries:03d}-{name}")

    def _put(self, outgoing: Outgoing, sent: Sent) -> None:
        self._around.log.add(sent)
        outgoing.put()


def _rank(received: Envelope) -> int:
    return _URGENCIES.index(received.header.urgency.level)


def _item(outgoing: Outgoing, made: MadeFile, id: str) -> Item:
    return Item(
        file=outgoing.add(made.name, made.pieces()),
        id=id,
        media_type=made.media_type,
        description=made.description,
        kind=made.kind,
        method=made.method,
    )


def _defect(country: str, error: Exception) -> ConnectorError:
    return unacceptable(
        "demo.partner", f"The national system of {country} failed: {type(error).__name__}: {error}"
    )
