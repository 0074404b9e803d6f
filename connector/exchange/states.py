"""The life of a message: every state, every event, and what each event does, as one table.

Rules of the exchange, in the order in which a message meets them:

 1. A message is acknowledged to whoever handed it over only when it is durable (ACCEPTED, ARRIVED).
 2. SUBMISSION_ACCEPTANCE is made with the container, since it travels with the message, but the
    national system gets it only when the gateway has taken the message. If that never happens it
    gets SUBMISSION_REJECTION with the reason instead.
 3. The receiving connector verifies everything before it uses anything, then answers
    RELAY_REMMD_ACCEPTANCE or RELAY_REMMD_REJECTION.
 4. DELIVERY is issued when the national system's side has the document, NON_DELIVERY when that is
    impossible or too late; RETRIEVAL when the national system has taken it, NON_RETRIEVAL when
    it has not done so in time.
 5. The sender's own clock makes RELAY_REMMD_FAILURE, NON_DELIVERY and NON_RETRIEVAL when no
    evidence comes; a later evidence is still recorded and handed on, and never changes a final
    negative state.

`step(state, event)` is the whole interface. Nothing here does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connector.evidence.types import EvidenceType


class State(StrEnum):
    """Where a message stands."""

    # A message of ours
    ACCEPTED = "ACCEPTED"
    """Durable here; not yet signed and sealed."""
    SEALED = "SEALED"
    """Envelope signed, container sealed; the gateway has not taken it."""
    SUBMITTED = "SUBMITTED"
    """The gateway has taken it."""
    RELAYED = "RELAYED"
    """The other connector has accepted it."""
    DELIVERED = "DELIVERED"
    """The recipient's system has it."""
    RETRIEVED = "RETRIEVED"
    """The recipient has taken it."""
    NOT_RETRIEVED = "NOT_RETRIEVED"
    """Left, and nobody took it in time."""
    REFUSED = "REFUSED"
    """Never left: not acceptable, or the gateway did not take it."""
    REJECTED = "REJECTED"
    """Left, but was rejected, lost or not delivered."""

    # A message of theirs
    ARRIVED = "ARRIVED"
    """Durable here; nothing in it has been believed yet."""
    VERIFIED = "VERIFIED"
    """Signatures, container, token and content are in order; relay accepted."""
    HANDED_OVER = "HANDED_OVER"
    """Translated, and placed where the national system finds it."""
    FETCHED = "FETCHED"
    """The national system has taken it."""
    UNFETCHED = "UNFETCHED"
    """The national system did not take it in time."""
    TURNED_AWAY = "TURNED_AWAY"
    """Not acceptable, or it could not be handed over; the sender has been told."""

    # Evidence about a message
    EVIDENCE_READY = "EVIDENCE_READY"
    EVIDENCE_SENT = "EVIDENCE_SENT"
    EVIDENCE_FAILED = "EVIDENCE_FAILED"
    EVIDENCE_ARRIVED = "EVIDENCE_ARRIVED"
    EVIDENCE_APPLIED = "EVIDENCE_APPLIED"
    EVIDENCE_REFUSED = "EVIDENCE_REFUSED"


class Event(StrEnum):
    """What can happen to a message."""

    # The connector's own work
    SEALED = "sealed"
    """Signed and sealed."""
    VERIFIED = "verified"
    """Everything that came has been verified."""
    NOT_ACCEPTABLE = "not-acceptable"
    """Never acceptable as it is: it cannot be sealed, verified or handed over."""
    HANDED_OVER = "handed-over"
    """Placed where the national system finds it."""
    APPLIED = "applied"
    """An evidence has been verified and has moved the message that it is about."""

    # The gateway
    GATEWAY_TOOK = "gateway-took"
    """The gateway has taken it, with a receipt if it is the built-in one."""
    GATEWAY_REFUSED = "gateway-refused"
    """The gateway, or the partner's, refused it for good."""

    # People and the national system
    DISCARDED = "discarded"
    """A person has given up what was parked."""
    FETCHED = "fetched"
    """The national system has taken what was handed over."""

    # Evidences of the other side
    RELAY_ACCEPTED = "relay-accepted"
    """The other connector has verified the message."""
    RELAY_REJECTED = "relay-rejected"
    """The other connector does not accept the message."""
    RELAY_FAILED = "relay-failed"
    """The message could not be relayed on the other side."""
    DELIVERED = "delivered"
    """The recipient's system has it."""
    NOT_DELIVERED = "not-delivered"
    """It could not be handed over on the other side."""
    RETRIEVED = "retrieved"
    """The recipient has taken it."""
    NOT_RETRIEVED = "not-retrieved"
    """The recipient did not take it in time."""

    # Time
    SUBMISSION_DUE = "submission-due"
    """The gateway should have taken it by now."""
    RELAY_WARN = "relay-warn"
    """No answer of the other connector yet."""
    RELAY_DUE = "relay-due"
    """The other connector should have answered by now."""
    DELIVERY_WARN = "delivery-warn"
    """No word of its delivery yet."""
    DELIVERY_DUE = "delivery-due"
    """It should have been delivered by now."""
    RETRIEVAL_WARN = "retrieval-warn"
    """No word that it was taken yet."""
    RETRIEVAL_DUE = "retrieval-due"
    """The recipient should have taken it by now."""
    HANDOVER_DUE = "handover-due"
    """It should have been handed over here by now."""
    FETCH_DUE = "fetch-due"
    """The national system here should have taken it by now."""


class TimerName(StrEnum):
    """Timers of a message; each fires the event of the same name."""

    SUBMISSION = "submission-due"
    RELAY_WARN = "relay-warn"
    RELAY = "relay-due"
    DELIVERY_WARN = "delivery-warn"
    DELIVERY = "delivery-due"
    RETRIEVAL_WARN = "retrieval-warn"
    RETRIEVAL = "retrieval-due"
    HANDOVER = "handover-due"
    FETCH = "fetch-due"


@dataclass(frozen=True, slots=True)
class Step:
    """What an event does."""

    to: State
    issue: EvidenceType | None = None
    """Evidence to make now. It goes to the other side if the message is theirs, and always to
    the national system of this side."""
    start: tuple[TimerName, ...] = ()
    stop: tuple[TimerName, ...] = ()
    """Timers that no longer matter. A final state stops all of them anyway."""
    release: EvidenceType | None = None
    """Evidence made earlier that the national system gets now."""
    warn: bool = False
    """Nothing changes, but a person should look."""


_E = EvidenceType
_RELAY = (TimerName.RELAY_WARN, TimerName.RELAY)
_DELIVERY = (TimerName.DELIVERY_WARN, TimerName.DELIVERY)
_RETRIEVAL = (TimerName.RETRIEVAL_WARN, TimerName.RETRIEVAL)

TABLE: dict[tuple[State, Event], Step] = {
    # Ours, on its way out
    (State.ACCEPTED, Event.SEALED): Step(State.SEALED),
    (State.ACCEPTED, Event.NOT_ACCEPTABLE): Step(State.REFUSED, _E.SUBMISSION_REJECTION),
    (State.ACCEPTED, Event.SUBMISSION_DUE): Step(State.REFUSED, _E.SUBMISSION_REJECTION),
    (State.ACCEPTED, Event.DISCARDED): Step(State.REFUSED, _E.SUBMISSION_REJECTION),
    (State.SEALED, Event.GATEWAY_TOOK): Step(
        State.SUBMITTED,
        release=_E.SUBMISSION_ACCEPTANCE,
        start=(*_RELAY, *_DELIVERY, *_RETRIEVAL),
        stop=(TimerName.SUBMISSION,),
    ),
    (State.SEALED, Event.GATEWAY_REFUSED): Step(State.REFUSED, _E.SUBMISSION_REJECTION),
    (State.SEALED, Event.SUBMISSION_DUE): Step(State.REFUSED, _E.SUBMISSION_REJECTION),
    (State.SEALED, Event.DISCARDED): Step(State.REFUSED, _E.SUBMISSION_REJECTION),
    # Ours, on the other side
    (State.SUBMITTED, Event.RELAY_ACCEPTED): Step(State.RELAYED, stop=_RELAY),
    (State.SUBMITTED, Event.RELAY_REJECTED): Step(State.REJECTED),
    (State.SUBMITTED, Event.RELAY_FAILED): Step(State.REJECTED),
    (State.SUBMITTED, Event.RELAY_WARN): Step(State.SUBMITTED, warn=True),
    (State.SUBMITTED, Event.RELAY_DUE): Step(State.REJECTED, _E.RELAY_REMMD_FAILURE),
    (State.SUBMITTED, Event.DELIVERY_WARN): Step(State.SUBMITTED, warn=True),
    (State.SUBMITTED, Event.DELIVERY_DUE): Step(State.REJECTED, _E.NON_DELIVERY),
    (State.SUBMITTED, Event.DELIVERED): Step(State.DELIVERED, stop=(*_RELAY, *_DELIVERY)),
    (State.SUBMITTED, Event.NOT_DELIVERED): Step(State.REJECTED),
    # Evidences may overtake each other: a later stage proves the earlier ones.
    (State.SUBMITTED, Event.RETRIEVED): Step(State.RETRIEVED),
    (State.SUBMITTED, Event.NOT_RETRIEVED): Step(State.NOT_RETRIEVED),
    (State.SUBMITTED, Event.RETRIEVAL_WARN): Step(State.SUBMITTED, warn=True),
    (State.SUBMITTED, Event.RETRIEVAL_DUE): Step(State.NOT_RETRIEVED, _E.NON_RETRIEVAL),
    (State.RELAYED, Event.DELIVERED): Step(State.DELIVERED, stop=_DELIVERY),
    (State.RELAYED, Event.NOT_DELIVERED): Step(State.REJECTED),
    (State.RELAYED, Event.RETRIEVED): Step(State.RETRIEVED),
    (State.RELAYED, Event.NOT_RETRIEVED): Step(State.NOT_RETRIEVED),
    (State.RELAYED, Event.DELIVERY_WARN): Step(State.RELAYED, warn=True),
    (State.RELAYED, Event.DELIVERY_DUE): Step(State.REJECTED, _E.NON_DELIVERY),
    # Only where no time for delivery is set, or a longer one.
    (State.RELAYED, Event.RETRIEVAL_WARN): Step(State.RELAYED, warn=True),
    (State.RELAYED, Event.RETRIEVAL_DUE): Step(State.NOT_RETRIEVED, _E.NON_RETRIEVAL),
    (State.DELIVERED, Event.RETRIEVED): Step(State.RETRIEVED),
    (State.DELIVERED, Event.NOT_RETRIEVED): Step(State.NOT_RETRIEVED),
    (State.DELIVERED, Event.RETRIEVAL_WARN): Step(State.DELIVERED, warn=True),
    (State.DELIVERED, Event.RETRIEVAL_DUE): Step(State.NOT_RETRIEVED, _E.NON_RETRIEVAL),
    # Theirs
    (State.ARRIVED, Event.VERIFIED): Step(State.VERIFIED, _E.RELAY_REMMD_ACCEPTANCE),
    (State.ARRIVED, Event.NOT_ACCEPTABLE): Step(State.TURNED_AWAY, _E.RELAY_REMMD_REJECTION),
    (State.ARRIVED, Event.HANDOVER_DUE): Step(State.TURNED_AWAY, _E.RELAY_REMMD_REJECTION),
    (State.ARRIVED, Event.DISCARDED): Step(State.TURNED_AWAY, _E.RELAY_REMMD_REJECTION),
    (State.VERIFIED, Event.HANDED_OVER): Step(
        State.HANDED_OVER, _E.DELIVERY, start=(TimerName.FETCH,), stop=(TimerName.HANDOVER,)
    ),
    (State.VERIFIED, Event.NOT_ACCEPTABLE): Step(State.TURNED_AWAY, _E.NON_DELIVERY),
    (State.VERIFIED, Event.HANDOVER_DUE): Step(State.TURNED_AWAY, _E.NON_DELIVERY),
    (State.VERIFIED, Event.DISCARDED): Step(State.TURNED_AWAY, _E.NON_DELIVERY),
    (State.HANDED_OVER, Event.FETCHED): Step(State.FETCHED, _E.RETRIEVAL),
    (State.HANDED_OVER, Event.FETCH_DUE): Step(State.UNFETCHED, _E.NON_RETRIEVAL),
    # Evidence on its way out, and in
    (State.EVIDENCE_READY, Event.GATEWAY_TOOK): Step(State.EVIDENCE_SENT),
    (State.EVIDENCE_READY, Event.GATEWAY_REFUSED): Step(State.EVIDENCE_FAILED, warn=True),
    (State.EVIDENCE_READY, Event.DISCARDED): Step(State.EVIDENCE_FAILED, warn=True),
    (State.EVIDENCE_ARRIVED, Event.APPLIED): Step(State.EVIDENCE_APPLIED),
    (State.EVIDENCE_ARRIVED, Event.NOT_ACCEPTABLE): Step(State.EVIDENCE_REFUSED, warn=True),
    (State.EVIDENCE_ARRIVED, Event.DISCARDED): Step(State.EVIDENCE_REFUSED, warn=True),
}

EVIDENCE_EVENTS: dict[EvidenceType, Event] = {
    _E.RELAY_REMMD_ACCEPTANCE: Event.RELAY_ACCEPTED,
    _E.RELAY_REMMD_REJECTION: Event.RELAY_REJECTED,
    _E.RELAY_REMMD_FAILURE: Event.RELAY_FAILED,
    _E.DELIVERY: Event.DELIVERED,
    _E.NON_DELIVERY: Event.NOT_DELIVERED,
    _E.RETRIEVAL: Event.RETRIEVED,
    _E.NON_RETRIEVAL: Event.NOT_RETRIEVED,
}
"""What an evidence from the other side does to our message."""

WORKABLE = frozenset(
    {
        State.ACCEPTED,
        State.SEALED,
        State.ARRIVED,
        State.VERIFIED,
        State.EVIDENCE_READY,
        State.EVIDENCE_ARRIVED,
    }
)
"""States in which a worker has something to do; in all others only events from outside count."""

FINAL = frozenset(
    state
    for state in State
    if not any(source is state and step.to is not state for (source, _), step in TABLE.items())
)
"""States that nothing leaves any more."""


def implied(state: State, event: Event) -> Event | None:
    """What must have happened before: an evidence can arrive before our own note that the gateway
    has taken the message is committed, and proves that it has."""
    proves = event in EVIDENCE_EVENTS.values()
    return Event.GATEWAY_TOOK if state is State.SEALED and proves else None


def step(state: State, event: Event) -> Step | None:
    """What `event` does in `state`; None if it changes nothing there (recorded all the same)."""
    return TABLE.get((state, event))
