"""What stands on the broker, by name: one quorum queue a lane, one a rung of the retry ladder.

    <prefix>.jobs    topic exchange     #.emergency → <prefix>.emergency, and so on
    <prefix>.retry   topic exchange     30000.* → <prefix>.retry.30000, and so on

A job to be retried is published to its rung (`30000.emergency`) with an expiry. When that is over
the broker itself dead-letters it to `<prefix>.jobs`, at least once, under the same routing key:
back into its lane. No consumer sleeps, and no plugin is needed. Messages that expire leave a
queue only at its head, so a rung holds only waits of about the same length.

Parked jobs are in the store, where a person can list them without consuming them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.exchange.records import Job, Lane

Step = tuple[str, dict[str, Any]]
"""A method of a channel and its arguments."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Names and arguments of exchanges and queues."""

    prefix: str
    ladder: tuple[timedelta, ...]

    @property
    def jobs(self) -> str:
        """The exchange that leads to the lanes."""
        return f"{self.prefix}.jobs"

    @property
    def retry(self) -> str:
        """The exchange that leads to the rungs."""
        return f"{self.prefix}.retry"

    @property
    def unreadable(self) -> str:
        """Where messages go that are no jobs of ours; nothing takes them from there."""
        return f"{self.prefix}.unreadable"

    def lane(self, lane: Lane) -> str:
        """The queue of a lane."""
        return f"{self.prefix}.{lane.value}"

    def retry_key(self, after: timedelta, lane: Lane) -> str:
        """The routing key for a wait: the highest rung that is not longer than it."""
        waits = [milliseconds(rung) for rung in self.ladder if rung <= after]
        return f"{max(waits, default=0)}.{lane.value}"

    def steps(self) -> Sequence[Step]:
        """What has to be declared, in order; declaring it again changes nothing."""
        quorum = {"x-queue-type": "quorum"}
        lane = quorum | {
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": self.unreadable,
        }
        # At-least-once dead-lettering demands that a full queue refuses rather than drops.
        rung = quorum | {
            "x-dead-letter-exchange": self.jobs,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        steps = [
            _exchange(self.jobs),
            _exchange(self.retry),
            *_queue(self.unreadable, quorum),
        ]
        for each in Lane:
            steps += _queue(self.lane(each), lane, self.jobs, f"#.{each.value}")
        for wait in sorted({0, *(milliseconds(step) for step in self.ladder)}):
            steps += _queue(f"{self.prefix}.retry.{wait}", rung, self.retry, f"{wait}.*")
        return steps


def _exchange(name: str) -> Step:
    arguments = {"exchange": name, "exchange_type": "topic", "durable": True}
    return "exchange_declare", arguments


def _queue(name: str, arguments: dict[str, str], exchange: str = "", key: str = "") -> list[Step]:
    steps = [("queue_declare", {"queue": name, "durable": True, "arguments": arguments})]
    if exchange:
        steps.append(("queue_bind", {"queue": name, "exchange": exchange, "routing_key": key}))
    return steps


def milliseconds(wait: timedelta) -> int:
    """As AMQP counts time."""
    return wait // timedelta(milliseconds=1)


def body_of(job: Job) -> bytes:
    """A job as a message body: JSON."""
    fields = {
        "id": job.id,
        "message_id": job.message_id,
        "action": job.action,
        "lane": job.lane.value,
        "attempt": job.attempt,
        "created_at": job.created_at.isoformat(),
        "expires_at": job.expires_at and job.expires_at.isoformat(),
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def job_of(body: bytes) -> Job | None:
    """The job in a message body; None if it is none of ours."""
    try:
        fields = json.loads(body)
        fields["lane"] = Lane(fields["lane"])
        fields["created_at"] = datetime.fromisoformat(fields["created_at"])
        if fields["expires_at"] is not None:
            fields["expires_at"] = datetime.fromisoformat(fields["expires_at"])
        return Job(**fields)
    except (ValueError, TypeError, KeyError):
        return None
