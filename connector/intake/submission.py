"""What a national system hands over, and what came of it: plain data of every way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector.envelope.codes import UrgencyLevel, UrgencyReason
from connector.errors import Problem
from connector.exchange.records import MessageRecord, PayloadRef


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A file as it was handed over, already stored."""

    name: str
    payload: PayloadRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever hands a document over says beside it; it wins over the document."""

    format: str | None = None
    """Name of the national format, or `envelope`; None finds it out."""
    to: str | None = None
    """Identifier of the receiving authority, or a country's code for its central authority."""
    urgency: UrgencyLevel | None = None
    urgency_reason: UrgencyReason | None = None
    urgency_facts: str | None = None
    test: bool | None = None


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A document with its attachments, to be accepted under `message_id`."""

    message_id: str
    """UUID, chosen by whoever hands over: the same one again is the same submission."""
    document: GivenFile
    attachments: Sequence[GivenFile] = ()
    wishes: Wishes = NO_WISHES


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A submission that is durable now."""

    record: MessageRecord
    warnings: Sequence[Problem]
    repeated: bool
    """It had been accepted before; nothing has happened now."""
