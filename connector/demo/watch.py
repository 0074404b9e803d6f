"""Looking at running connectors from outside: their stores are read, nothing else of them is used.

The audit log of a store is its timeline; a message is read again only when its row has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from connector.errors import Problem
from connector.exchange.records import (
    AuditEntry,
    Direction,
    EvidenceRecord,
    Kind,
    Lane,
    MessageRecord,
    ParkedJob,
    Part,
    PartRole,
)
from connector.exchange.states import State
from connector.runtime.assembly import open_home_store
from connector.settings import Home
from connector.store.sql_store import SqlStore

EXPECTED: Final = ("SUBMISSION_ACCEPTANCE", "RELAY_REMMD_ACCEPTANCE", "DELIVERY", "RETRIEVAL")
"""Evidences of a message that has come all the way, in order."""
FAILED: Final = frozenset(
    {State.REFUSED, State.REJECTED, State.NOT_RETRIEVED, State.TURNED_AWAY, State.UNFETCHED}
)
_ALL: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A message as one of the two connectors has it."""

    country: str
    record: MessageRecord
    evidences: tuple[EvidenceRecord, ...]
    parts: tuple[Part, ...]

    @property
    def state(self) -> State:
        """Where it stands there."""
        return State(self.record.state)

    @property
    def evidence_types(self) -> frozenset[str]:
        """Kinds of evidences that are there."""
        return frozenset(each.type for each in self.evidences)

    def parts_of(self, role: PartRole) -> tuple[Part, ...]:
        """The parts of one role."""
        return tuple(part for part in self.parts if part.role is role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A message of a case on its way: what the sender's and the receiver's connector know."""

    sender: Side
    receiver: Side | None

    @property
    def message_id(self) -> str:
        """eb:MessageId."""
        return self.sender.record.ebms_id

    @property
    def record(self) -> MessageRecord:
        """The sender's record."""
        return self.sender.record

    @property
    def complete(self) -> bool:
        """All the way, and every evidence on both sides."""
        return (
            self.receiver is not None
            and self.sender.state is State.RETRIEVED
            and self.receiver.state is State.FETCHED
            and self.sender.evidence_types.issuperset(EXPECTED)
            and self.receiver.evidence_types.issuperset(EXPECTED)
        )

    @property
    def failed(self) -> bool:
        """It will not arrive any more."""
        sides = (self.sender, self.receiver) if self.receiver else (self.sender,)
        return any(side.state in FAILED for side in sides)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """A line of the timeline."""

    at: datetime
    country: str
    """Whose connector it happened in."""
    message: MessageRecord
    """As the sender's connector has it, if it is there already."""
    event: str
    from_state: str
    to_state: str
    evidences: tuple[str, ...]
    """Kinds of evidences that came with it or were issued."""
    problem: str
    """What was wrong; empty where nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything as it stands."""

    passages: tuple[Passage, ...]
    """By conversation: emergencies first, then as the requests came; each in order of time."""
    happenings: tuple[Happening, ...]
    """Since the last look, in order of time."""

    @property
    def conversations(self) -> Mapping[str, Sequence[Passage]]:
        """The passages of each conversation, in the order of `passages`."""
        found: dict[str, list[Passage]] = {}
        for passage in self.passages:
            found.setdefault(passage.record.conversation_id, []).append(passage)
        return found


@dataclass
class _Watched:
    country: str
    home: Home
    store: SqlStore
    seen: int = 0
    sides: dict[str, Side] = field(default_factory=dict)
    """By record id."""


class Watch:
    """Reads the stores of several connectors. `close` when done."""

    def __init__(self, homes: Mapping[str, Home]) -> None:
        """Raises `store.*` where a store cannot be opened."""
        self._watched = [
            _Watched(country, home, open_home_store(home)) for country, home in homes.items()
        ]

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def homes(self) -> Mapping[str, Home]:
        """By country."""
        return {each.country: each.home for each in self._watched}

    def store(self, country: str) -> SqlStore:
        """One of the stores."""
        return next(each.store for each in self._watched if each.country == country)

    def look(self) -> Snapshot:
        """What has changed since the last look, and how everything stands now."""
        happenings: list[Happening] = []
        for each in self._watched:
            # The log first: the message of an entry is there in the same commit.
            entries = list(each.store.audit_entries(after=each.seen))
            _read_sides(each)
            happenings.extend(_happenings(each, entries))
        happenings.sort(key=lambda happening: happening.at)
        sides = [side for each in self._watched for side in each.sides.values()]
        passages = _joined(sides)
        sent = {passage.message_id: passage.record for passage in passages}
        return Snapshot(
            passages=_ordered(passages),
            happenings=tuple(
                replace(each, message=sent.get(each.message.ebms_id, each.message))
                for each in happenings
            ),
        )

    def parked(self) -> Sequence[tuple[str, ParkedJob]]:
        """Jobs that wait for a person, with the country of their connector."""
        return [(each.country, job) for each in self._watched for job in each.store.jobs.parked()]

    def close(self) -> None:
        """Release the stores."""
        for each in self._watched:
            each.store.close()


def _read_sides(watched: _Watched) -> None:
    for record in watched.store.messages(limit=_ALL):
        known = watched.sides.get(record.id)
        if record.kind is not Kind.BUSINESS or (known and known.record.version == record.version):
            continue
        with watched.store.reading() as reading:
            watched.sides[record.id] = Side(
                country=watched.country,
                record=record,
                evidences=tuple(reading.evidences(record.id)),
                parts=tuple(reading.parts(record.id)),
            )


def _happenings(
    watched: _Watched, entries: Sequence[tuple[int, AuditEntry, str]]
) -> Iterable[Happening]:
    for number, entry, _ in entries:
        side = watched.sides.get(entry.message_id)
        watched.seen = number
        if side is None:
            continue
        detail = json.loads(entry.detail) if entry.detail else {}
        issued = [detail["issued"]] if "issued" in detail else []
        problem = detail.get("problem")
        yield Happening(
            at=entry.at,
            country=watched.country,
            message=side.record,
            event=entry.event,
            from_state=entry.from_state,
            to_state=entry.to_state,
            evidences=(*detail.get("evidence", ()), *issued),
            problem=str(Problem(**problem)) if problem else "",
        )


def _joined(sides: Sequence[Side]) -> list[Passage]:
    inbound = {
        side.record.ebms_id: side for side in sides if side.record.direction is Direction.INBOUND
    }
    return [
        Passage(sender=side, receiver=inbound.get(side.record.ebms_id))
        for side in sides
        if side.record.direction is Direction.OUTBOUND
    ]


def _ordered(passages: list[Passage]) -> tuple[Passage, ...]:
    passages.sort(key=lambda passage: passage.record.created_at)
    first = {p.record.conversation_id: p.record for p in reversed(passages)}
    lanes = list(Lane)

    def rank(passage: Passage) -> tuple[int, datetime, str]:
        request = first[passage.record.conversation_id]
        return lanes.index(request.lane), request.created_at, request.conversation_id

    return tuple(sorted(passages, key=rank))
