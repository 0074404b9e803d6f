"""The state table as a whole: nothing unreachable, nothing final left, no timer without effect."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connector.evidence.types import EvidenceType as E
from connector.exchange import states
from connector.exchange.attestation import told
from connector.exchange.records import EvidenceOrigin, EvidenceRecord, PayloadRef
from connector.exchange.states import (
    EVIDENCE_EVENTS,
    FINAL,
    TABLE,
    WORKABLE,
    Event,
    State,
    TimerName,
    implied,
    step,
)
from tests.exchange.world import Clock

STARTS = (State.ACCEPTED, State.ARRIVED, State.EVIDENCE_READY, State.EVIDENCE_ARRIVED)
NEGATIVE = {
    State.NOT_RETRIEVED,
    State.REFUSED,
    State.REJECTED,
    State.UNFETCHED,
    State.TURNED_AWAY,
    State.EVIDENCE_FAILED,
    State.EVIDENCE_REFUSED,
}
POSITIVE = {State.RETRIEVED, State.FETCHED, State.EVIDENCE_SENT, State.EVIDENCE_APPLIED}
FIRST_TIMERS = {
    State.ACCEPTED: frozenset({TimerName.SUBMISSION}),
    State.ARRIVED: frozenset({TimerName.HANDOVER}),
}
"""Set with the message itself, not by the table."""
AT = Clock()()


def test_every_state_can_be_reached() -> None:
    seen, todo = set(STARTS), list(STARTS)
    while todo:
        here = todo.pop()
        for (source, _), done in TABLE.items():
            if source is here and done.to not in seen:
                seen.add(done.to)
                todo.append(done.to)
    assert seen == set(State)


def test_exactly_the_outcomes_are_final() -> None:
    assert FINAL == NEGATIVE | POSITIVE
    assert not FINAL & WORKABLE
    assert not [source for source, _ in TABLE if source in FINAL]


def test_every_event_does_something_somewhere() -> None:
    assert {event for _, event in TABLE} == set(Event)


def test_every_state_and_event_says_what_it_is() -> None:
    tree = ast.parse(inspect.getsource(states))
    for kind, members in (("State", State), ("Event", Event)):
        body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == kind).body
        described = {
            first.targets[0].id  # type: ignore[attr-defined]
            for first, second in pairwise(body)
            if isinstance(first, ast.Assign)
            and isinstance(second, ast.Expr)
            and isinstance(second.value, ast.Constant)
        }
        undescribed = {member.name for member in members} - described
        # Those of evidence messages speak for themselves.
        assert all(name.startswith("EVIDENCE_") for name in undescribed), undescribed


def test_every_timer_fires_an_event_of_its_name() -> None:
    assert {timer.value for timer in TimerName} <= {event.value for event in Event}


def _reachable_timers() -> Iterator[tuple[State, frozenset[TimerName]]]:
    """Every state with every set of timers that can run in it."""
    todo = [(start, FIRST_TIMERS.get(start, frozenset())) for start in STARTS]
    seen = set(todo)
    while todo:
        here, running = todo.pop()
        yield here, running
        for (source, event), done in TABLE.items():
            if source is not here:
                continue
            fired = {t for t in TimerName if t.value == event.value}
            if fired and not fired & running:
                continue
            left = frozenset() if done.to in FINAL else running - fired - {*done.stop}
            after = (done.to, left | frozenset(done.start))
            if after not in seen:
                seen.add(after)
                todo.append(after)


def test_a_timer_that_can_run_has_an_effect() -> None:
    for state, running in _reachable_timers():
        for timer in running:
            assert step(state, Event(timer.value)) is not None, (state, timer)


def test_nothing_waits_for_ever() -> None:
    """Wherever a message can stand without being worked on, either it is final or time moves it."""
    for state, running in _reachable_timers():
        moved = [
            timer
            for timer in running
            if (done := step(state, Event(timer.value))) is not None and done.to is not state
        ]
        assert state in FINAL or state in WORKABLE or moved, state
    workable = {state for state, running in _reachable_timers() if state in WORKABLE}
    assert workable == WORKABLE


def test_negative_evidence_and_negative_outcomes_go_together() -> None:
    for (_, event), done in TABLE.items():
        if done.issue is not None:
            assert done.issue.positive == (done.to not in NEGATIVE), (event, done)
    for kind, event in EVIDENCE_EVENTS.items():
        for state in (State.SUBMITTED, State.RELAYED, State.DELIVERED):
            found = step(state, event)
            if found is not None:
                assert kind.positive == (found.to not in NEGATIVE), (state, kind)


def test_a_later_evidence_proves_the_earlier_stages() -> None:
    """Whatever order DELIVERY, RETRIEVAL and the relay's acceptance come in."""
    for event in (Event.RELAY_ACCEPTED, Event.DELIVERED, Event.RETRIEVED):
        for state in (State.SUBMITTED, State.RELAYED, State.DELIVERED):
            done = step(state, event)
            order = [State.SUBMITTED, State.RELAYED, State.DELIVERED, State.RETRIEVED]
            if done is not None:
                assert order.index(done.to) > order.index(state)
    assert step(State.SUBMITTED, Event.RETRIEVED) is not None


events = st.lists(st.sampled_from(list(Event)), max_size=40)


def _run(start: State, happening: list[Event]) -> Iterator[tuple[State, Event, states.Step | None]]:
    """Every step as the exchange takes it, what is implied included."""
    state = start
    for event in happening:
        for each in (implied(state, event), event):
            if each is not None:
                done = step(state, each)
                yield state, each, done
                state = done.to if done else state


@given(st.sampled_from(STARTS), events)
def test_no_order_of_events_leaves_an_outcome(start: State, happening: list[Event]) -> None:
    outcome: State | None = None
    for state, _, done in _run(start, happening):
        if outcome is not None:
            assert state is outcome and done is None
        if state in FINAL:
            outcome = state


@given(st.sampled_from(STARTS), events)
def test_each_evidence_is_made_once(start: State, happening: list[Event]) -> None:
    made = [done.issue for _, _, done in _run(start, happening) if done and done.issue]
    assert len(made) == len(set(made))
    released = [done.release for _, _, done in _run(start, happening) if done and done.release]
    assert released in ([], [E.SUBMISSION_ACCEPTANCE])
    if E.SUBMISSION_REJECTION in made:
        assert not released


@given(events)
def test_what_the_national_system_was_told_only_grows(happening: list[Event]) -> None:
    """In order, without gaps: a file that was written is never another evidence later."""
    known: list[EvidenceRecord] = []
    before: list[str] = []
    evidence_of = {event: kind for kind, event in EVIDENCE_EVENTS.items()}
    for number, (state, event, done) in enumerate(_run(State.ACCEPTED, happening)):
        if event is Event.SEALED and done:
            known.append(_evidence(E.SUBMISSION_ACCEPTANCE, number))
        if event in evidence_of:
            known.append(_evidence(evidence_of[event], number))
        if done and done.issue:
            known.append(_evidence(done.issue, number + 1000))
        now = done.to if done else state
        after = [each.id for each in told(now, known)]
        assert after[: len(before)] == before
        before = after
        kinds = [each.type for each in told(now, known)]
        if now in (State.ACCEPTED, State.SEALED):
            assert not kinds
        if E.SUBMISSION_REJECTION in kinds:
            assert E.SUBMISSION_ACCEPTANCE not in kinds


def _evidence(kind: E, number: int) -> EvidenceRecord:
    return EvidenceRecord(
        id=str(number),
        message_id="m",
        type=kind.value,
        origin=EvidenceOrigin.ISSUED,
        payload=PayloadRef(sha256="0" * 64, size=1),
        at=AT,
    )
