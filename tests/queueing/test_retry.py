"""The retry policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.queueing.retry import LADDER, SPREAD, Park, ParkReason, Retry, next_try
from tests.queues import new_job

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_ladder_is_climbed_rung_by_rung_and_then_the_job_is_parked() -> None:
    decisions = [
        next_try(new_job(attempt=n), permanent=False, now=NOW, jitter=0.0) for n in range(6)
    ]
    assert decisions == [
        Retry(timedelta(seconds=30)),
        Retry(timedelta(minutes=2)),
        Retry(timedelta(minutes=10)),
        Retry(timedelta(hours=1)),
        Retry(timedelta(hours=6)),
        Park(ParkReason.EXHAUSTED),
    ]


@given(st.integers(0, len(LADDER) - 1), st.floats(0, 1, exclude_max=True))
def test_jitter_only_lengthens_a_wait_and_by_no_more_than_the_spread(
    attempt: int, jitter: float
) -> None:
    decision = next_try(new_job(attempt=attempt), permanent=False, now=NOW, jitter=jitter)
    assert isinstance(decision, Retry)
    assert LADDER[attempt] <= decision.after <= LADDER[attempt] * (1 + SPREAD)


def test_permanent_errors_are_not_retried() -> None:
    assert next_try(new_job(), permanent=True, now=NOW, jitter=0.5) == Park(ParkReason.PERMANENT)


@pytest.mark.parametrize(
    ("seconds", "decision"),
    [
        (-1, Park(ParkReason.EXPIRED)),
        (0, Park(ParkReason.EXPIRED)),
        (30, Park(ParkReason.EXPIRED)),
        (31, Retry(timedelta(seconds=30))),
    ],
)
def test_no_try_comes_after_the_deadline(seconds: int, decision: Retry | Park) -> None:
    job = new_job(expires_at=NOW + timedelta(seconds=seconds))
    assert next_try(job, permanent=False, now=NOW, jitter=0.0) == decision


def test_another_ladder() -> None:
    ladder = [timedelta(seconds=1)]
    for attempt, decision in ((0, Retry(ladder[0])), (1, Park(ParkReason.EXHAUSTED))):
        job = new_job(attempt=attempt)
        assert next_try(job, permanent=False, now=NOW, jitter=0, ladder=ladder) == decision
    assert next_try(new_job(), permanent=False, now=NOW, jitter=0, ladder=[]) == Park(
        ParkReason.EXHAUSTED
    )
