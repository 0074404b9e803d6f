"""How messages are shown on a terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from connector.cli.output import DIM, ERROR, GOOD, WARNING, visible

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from connector.cli.output import Output
    from connector.exchange.records import AuditEntry, MessageRecord, ParkedJob

_BAD: Final = frozenset(
    {
        "REFUSED",
        "REJECTED",
        "NOT_RETRIEVED",
        "UNFETCHED",
        "TURNED_AWAY",
        "EVIDENCE_FAILED",
        "EVIDENCE_REFUSED",
    }
)
_WIDE: Final = 170
"""Columns that a list of messages needs in full."""
_DONE: Final = frozenset(
    {"RETRIEVED", "DELIVERED", "HANDED_OVER", "FETCHED", "EVIDENCE_SENT", "EVIDENCE_APPLIED"}
)


def state_text(state: str) -> Text:
    """A state: green where the message has come as far as it must, red where it never will."""
    from rich.text import Text

    return Text(state, ERROR if state in _BAD else GOOD if state in _DONE else WARNING)


def moment(at: datetime) -> str:
    """A time in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def plain_table(*columns: str) -> Table:
    """A table without frame."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def message_table(records: Sequence[MessageRecord], output: Output) -> Table:
    """Messages, one a line: on a narrow terminal the beginning of the id and the other side's
    authority, which is enough to find a message; else all of it."""
    from rich.text import Text

    narrow = output.out.is_terminal and output.out.width < _WIDE
    places = ("To or from",) if narrow else ("From", "To")
    table = plain_table("Updated (UTC)", "", "Message", "State", "Type", *places, "Reference")
    for each in records:
        out = each.direction == "OUTBOUND"
        other = each.recipient if out else each.sender
        table.add_row(
            moment(each.updated_at)[5:16] if narrow else moment(each.updated_at),
            Text("out" if out else "in", DIM),
            Text(visible(each.id[:8] if narrow else each.id)),
            state_text(each.state),
            Text(visible(each.message_type), ERROR if each.lane == "emergency" else ""),
            *(Text(visible(name)) for name in ((other,) if narrow else _both(each))),
            Text(visible(each.backend_id or "")),
        )
    return table


def _both(record: MessageRecord) -> tuple[str, str]:
    return record.sender, record.recipient


def timeline_table(entries: Sequence[AuditEntry]) -> Table:
    """What happened to a message, in order."""
    from rich.text import Text

    table = plain_table("Time (UTC)", "Event", "State", "Details")
    for each in entries:
        table.add_row(
            moment(each.at),
            Text(visible(each.event)),
            state_text(each.to_state) if each.to_state != each.from_state else Text(""),
            Text(visible(_details(json.loads(each.detail) if each.detail else {})), DIM),
        )
    return table


def _details(detail: dict[str, Any]) -> str:
    said = []
    if issued := detail.get("issued"):
        said.append(f"issued {issued}")
    if problem := detail.get("problem"):
        said.append(f"{problem.get('what', '')} [{problem.get('code', '')}]")
    for name, value in detail.items():
        if name in {"issued", "problem"} or value is True:
            continue
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        said.append(text if name == "note" else f"{name} {text}")
    if detail.get("warning"):
        said.append("warning")
    return ", ".join(said)


def parked_table(parked: Sequence[ParkedJob]) -> Table:
    """Jobs that wait for a person."""
    from rich.text import Text

    table = plain_table("Parked (UTC)", "Job", "Message", "Lane", "Tries", "Reason")
    for each in parked:
        problem = json.loads(each.reason) if each.reason else {}
        reason = f"{problem.get('what', '')} [{problem.get('code', '')}]"
        table.add_row(
            moment(each.parked_at),
            Text(visible(each.job.id)),
            Text(visible(each.job.message_id)),
            str(each.job.lane),
            str(each.job.attempt),
            Text(visible(reason)),
        )
    return table
