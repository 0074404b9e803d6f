"""What the demonstration's authorities know of their work: questions to ask, evidence to send.

Nothing in it is real. Pure, but for the random content of the storage medium's image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from connector.demo.evidence_files import MadeFile, page, storage_image, table
from connector.envelope.case_codes import EvidenceType, MeasureType
from connector.envelope.header import Header
from connector.envelope.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something that can be unclear, and how it is cleared up."""

    path: str
    """Of the field of the request that the question is about."""
    question: str
    consequence: str
    answer: str
    annex: str
    """Title of the page that goes with the answer."""
    lines: tuple[str, ...]


PERIOD: Final = Topic(
    path="Request/Measure[1]/Period",
    question="Does the period that is asked for include its last day, and in which time zone are "
    "its days to be counted?",
    consequence="Without an answer whole days in UTC are taken.",
    answer="Yes, the last day is included; days are those of the place of the authority that "
    "asks. The annex gives both ends of the period in UTC.",
    annex="Period of the request in UTC",
    lines=("From 2026-01-01T00:00:00Z to 2026-03-31T23:59:59Z, both included.",),
)
FORM: Final = Topic(
    path="Request/EvidenceForm",
    question="Are certified electronic copies sufficient, or are originals on paper needed?",
    consequence="Without an answer certified electronic copies are sent.",
    answer="Certified electronic copies are sufficient. The annex says what the certificate must "
    "state.",
    annex="What a certificate must state",
    lines=("Place, date, name and function of whoever certifies, and what was compared.",),
)
TOPICS: Final = (PERIOD, FORM)


def unclear(request: Request) -> Topic:
    """What to ask about a request."""
    return PERIOD if request.measures[0].period else FORM


def topic_of(question: str) -> Topic:
    """What a question is about."""
    words = " ".join(question.split())
    return next((topic for topic in TOPICS if topic.question == words), FORM)


def annex(topic: Topic) -> MadeFile:
    """The page that goes with an answer."""
    return replace(page(topic.annex, topic.lines, "annex.pdf"), description=topic.annex)


def evidence_for(
    header: Header, request: Request, reference: str, on: date, large_size: int
) -> list[MadeFile]:
    """What a request is answered with; a file of `large_size` bytes more if that is not zero."""
    makers = dict.fromkeys(
        maker for measure in request.measures if (maker := _MAKERS.get(measure.type))
    )
    files = [_report(header, reference, on), *(maker(reference, on) for maker in makers)]
    return [*files, _image(large_size)] if large_size else files


def _report(header: Header, reference: str, on: date) -> MadeFile:
    lines = [
        f"Reference of the request: {header.sender_reference}",
        f"Our reference: {reference}",
        f"Carried out on {on:%d %B %Y} by {header.receiving_authority.names[0].text}.",
        "Everything in this file is made up.",
    ]
    return replace(
        page("Report on the measures carried out", lines, "report.pdf"),
        description="Report of the officer who carried out the measures",
        kind=EvidenceType.RECORD,
    )


def _operations(reference: str, on: date) -> MadeFile:
    rows = [
        (on - timedelta(days=30 - day), reference, f"Account {day % 7 + 1}", 1250 + 37 * day, "EUR")
        for day in range(30)
    ]
    return replace(
        table("operations.csv", [("date", "case", "counterparty", "amount", "currency"), *rows]),
        description="Operations of the account over thirty days",
        kind=EvidenceType.RECORD,
        method="Export of the bank's records on the order of the court.",
    )


def _connections(reference: str, on: date) -> MadeFile:
    rows = [
        (
            f"{on - timedelta(days=1)}T{hour:02d}:04:11Z",
            reference,
            f"203.0.113.{hour}",
            40000 + hour,
        )
        for hour in range(24)
    ]
    return replace(
        table("connections.csv", [("time", "case", "address", "port"), *rows]),
        description="Subscriber and latest connections",
        kind=EvidenceType.DIGITAL_DATA,
        method="Export of the provider's records.",
    )


def _hearing(reference: str, on: date) -> MadeFile:
    lines = [
        f"Case {reference}, {on:%d %B %Y}.",
        "The person was told of all rights and heard.",
    ]
    return replace(
        page("Record of the hearing", lines, "hearing.pdf"),
        description="Record of the hearing",
        kind=EvidenceType.TRANSCRIPT,
    )


def _service(reference: str, on: date) -> MadeFile:
    lines = [f"Case {reference}.", f"Handed over to the addressee in person on {on:%d %B %Y}."]
    return replace(
        page("Proof of service", lines, "proof-of-service.pdf"),
        description="Proof that the document was served",
        kind=EvidenceType.PROOF_OF_SERVICE,
    )


def _image(size: int) -> MadeFile:
    return replace(
        storage_image(size),
        description="Image of the storage medium that was seized",
        kind=EvidenceType.DIGITAL_DATA,
        method="Bitwise copy through a write blocker.",
    )


_Maker = Callable[[str, date], MadeFile]


def _each(maker: _Maker, *types: MeasureType) -> Iterable[tuple[MeasureType, _Maker]]:
    return ((each, maker) for each in types)


_M = MeasureType
_MAKERS: Final[dict[MeasureType, _Maker]] = dict(
    [
        *_each(
            _operations,
            _M.BANK_ACCOUNTS,
            _M.BANK_OPERATIONS,
            _M.BANK_MONITORING,
            _M.PROVIDING_RECORDS,
            _M.TRACING_PROCEEDS,
        ),
        *_each(
            _connections,
            _M.SUBSCRIBER_IDENTIFICATION,
            _M.STORED_DATA,
            _M.TRAFFIC_DATA_REALTIME,
            _M.TRAFFIC_DATA_DISCLOSURE,
            _M.DATA_PRESERVATION,
        ),
        *_each(
            _hearing,
            _M.TAKING_EVIDENCE,
            _M.HEARING,
            _M.HEARING_VIDEO,
            _M.HEARING_TELEPHONE,
        ),
        *_each(_service, _M.SERVICE_OF_DOCUMENTS),
    ]
)
"""What comes of a measure; of all others only the report."""
