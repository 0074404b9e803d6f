"""When a failed job is tried again, and when it is set aside for a person.

The ladder by default: 30 s, 2 min, 10 min, 1 h, 6 h. Permanent errors are not retried; neither is
a job whose message nobody needs any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from connector.exchange.records import Job

LADDER = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 600, 3600, 6 * 3600))
"""Waits between tries; after the last there is one more try, then the job is parked."""
SPREAD = 0.2
"""Jitter adds up to this share to a wait, so that jobs that failed together come apart."""


class ParkReason(StrEnum):
    """Why no further try is made."""

    PERMANENT = "permanent"
    """The same call would fail again."""
    EXHAUSTED = "exhausted"
    """Every rung of the ladder has been used."""
    EXPIRED = "expired"
    """The next try would come after the message's deadline."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class Park:
    """Set the job aside for a person."""

    reason: ParkReason


def next_try(
    job: Job,
    *,
    permanent: bool,
    now: datetime,
    jitter: float,
    ladder: Sequence[timedelta] = LADDER,
) -> Retry | Park:
    """What becomes of `job`, whose try number `job.attempt + 1` has just failed.

    `jitter` is a random number in [0, 1).
    """
    if permanent:
        return Park(ParkReason.PERMANENT)
    if job.expires_at is not None and now >= job.expires_at:
        return Park(ParkReason.EXPIRED)
    if job.attempt >= len(ladder):
        return Park(ParkReason.EXHAUSTED)
    after = ladder[job.attempt] * (1 + SPREAD * jitter)
    if job.expires_at is not None and now + after >= job.expires_at:
        return Park(ParkReason.EXPIRED)
    return Retry(after)
