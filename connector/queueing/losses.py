"""Jobs that take their workers down with them."""

from __future__ import annotations

from connector.errors import Problem

MAX_LOSSES = 20
"""A job whose workers vanished this often is set aside; restarts alone do not get there."""


def lost_too_often(losses: int) -> Problem:
    """Why such a job is parked."""
    return Problem(
        code="queue.worker-lost",
        what=f"The job was in the hands of a worker that vanished, {losses} times.",
        mend="Look in the log for what ends the workers; `emla queue retry` tries again.",
    )
