"""`emla list`, `emla status`, `emla export`: what became of messages."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import options
from connector.cli.output import DIM, ERROR, Output, visible

if TYPE_CHECKING:
    from connector.exchange.ports import Queue
    from connector.exchange.records import MessageRecord
    from connector.runtime.lookup import MessageStatus
    from connector.store.sql_store import SqlStore

_PAGE = 200

Id = Annotated[str, typer.Argument(metavar="ID", help="A message's id, or the beginning of it.")]


class Way(StrEnum):
    """Seen from this connector."""

    OUT = "out"
    IN = "in"


def list_messages(
    *,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help="Only those in this state, e.g. REJECTED.")
    ] = None,
    way: Annotated[Way | None, typer.Option("--direction", help="Only those in or out.")] = None,
    text: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Only those with this in an id, reference or authority."),
    ] = None,
    conversation: Annotated[
        str | None, typer.Option(metavar="ID", help="Only those of this conversation.")
    ] = None,
    evidences: Annotated[
        bool, typer.Option("--evidences", help="Messages that carry evidences, too.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest.")] = 50,
    home: options.Home = None,
    json: options.Json = False,
) -> None:
    """List the connector's messages, the newest first."""
    from connector.cli.opening import home_store
    from connector.cli.showing import message_table
    from connector.exchange.records import Direction, Kind
    from connector.exchange.states import State
    from connector.runtime.lookup import message_json

    output = Output(json=json)
    if state is not None and state.upper() not in State.__members__:
        raise typer.BadParameter(f"{state!r} is no state; known: {', '.join(State)}")
    direction = None
    if way is not None:
        direction = Direction.OUTBOUND if way is Way.OUT else Direction.INBOUND
    found: list[MessageRecord] = []
    with home_store(home) as store:
        for record in _newest(
            store,
            state=state.upper() if state else None,
            direction=direction,
            conversation_id=conversation,
            text=text,
        ):
            if evidences or record.kind is Kind.BUSINESS:
                found.append(record)
            if len(found) == limit:
                break
    if json:
        output.document({"ok": True, "messages": [message_json(each) for each in found]})
    elif found:
        output.text(message_table(found, output))
    else:
        output.text("There is no such message.")


def _newest(store: SqlStore, **conditions: Any) -> Iterator[MessageRecord]:
    offset = 0
    while page := store.messages(**conditions, limit=_PAGE, offset=offset):
        yield from page
        offset += len(page)


def status(
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="A message's id, or the beginning of it.", show_default=False
        ),
    ] = None,
    *,
    home: options.Home = None,
    json: options.Json = False,
) -> None:
    """Say where a message stands: timeline, evidences, next try.

    Without an id: how many messages there are in each state, and what waits.
    The exit status says whether the question could be answered, not how the message fares.
    """
    from connector.cli.opening import home_store_and_queue
    from connector.runtime.lookup import find_message, status_of

    output = Output(json=json)
    with home_store_and_queue(home) as (store, queue):
        if wanted is None:
            _overall(output, store, queue)
            return
        found = status_of(store, queue, find_message(store, wanted))
    if json:
        output.document({"ok": True, **found.as_json()})
    else:
        show_status(output, found)


def _overall(output: Output, store: SqlStore, queue: Queue) -> None:
    from connector.cli.showing import plain_table, state_text

    counts, depth, parked = store.counts(), queue.depth(), queue.parked()
    if output.json:
        output.document(
            {
                "ok": True,
                "messages": counts,
                "waiting": {str(lane): number for lane, number in depth.items()},
                "parked": len(parked),
            }
        )
        return
    table = plain_table("State", "Messages")
    for state, number in counts.items():
        table.add_row(state_text(state), str(number))
    if counts:
        output.text(table)
    else:
        output.text("There is no message yet.")
    lanes = ", ".join(f"{number} {lane}" for lane, number in depth.items())
    output.text(f"Waiting jobs: {lanes}.")
    if parked:
        number = len(parked)
        jobs = "1 job waits" if number == 1 else f"{number} jobs wait"
        output.text(f"{jobs} for a person: emla queue list")


def show_status(output: Output, found: MessageStatus) -> None:
    """Everything about a message."""
    from rich.text import Text

    from connector.cli.showing import (
        message_table,
        moment,
        parked_table,
        plain_table,
        state_text,
        timeline_table,
    )

    record = found.record
    output.text(
        Text.assemble(
            (visible(record.id), "bold"),
            "  ",
            visible(record.message_type),
            "  ",
            state_text(record.state),
        )
    )
    for label, value in _facts(found):
        output.text(Text.assemble("  ", (f"{label:<13}", DIM), visible(value)))
    output.text(timeline_table(found.timeline))
    if found.evidences:
        table = plain_table("Evidence", "Made (UTC)", "", "Reason")
        for each in found.evidences:
            table.add_row(
                each.type,
                moment(each.at),
                Text(each.origin.lower(), DIM),
                Text(visible(each.reason)),
            )
        output.text(table)
    if found.related:
        output.text(
            Text("Other messages of the conversation", "bold"), message_table(found.related, output)
        )
    if found.next_try is not None:
        output.text(f"Next try: {moment(found.next_try)} UTC")
    if found.parked:
        output.text(Text("It waits for a person (emla queue):", ERROR), parked_table(found.parked))


def _facts(found: MessageStatus) -> Iterator[tuple[str, str]]:
    record = found.record
    yield "message id", record.ebms_id
    yield "from", f"{record.sender} ({record.from_party})"
    yield "to", f"{record.recipient} ({record.to_party})"
    yield "conversation", record.conversation_id
    if record.ref_to:
        yield "answers", record.ref_to
    if record.backend_id:
        yield "reference", record.backend_id
    if record.format:
        yield "format", record.format
    if record.expires_at:
        yield "expires", record.expires_at.isoformat()


def export(
    wanted: Id,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    *,
    home: options.Home = None,
    json: options.Json = False,
) -> None:
    """Write everything that belongs to a message into a folder.

    The original document, attachments, envelope, container, token, evidences and reports, byte
    for byte as they are stored.
    """
    from connector.cli.opening import home_store
    from connector.runtime.exporting import export_message
    from connector.runtime.lookup import find_message, status_of

    output = Output(json=json)
    with home_store(home) as store:
        found = status_of(store, None, find_message(store, wanted))
        written = export_message(store, found, folder)
    if json:
        told = {
            "ok": True,
            "message": found.record.id,
            "folder": str(folder),
            "files": [str(path.relative_to(folder)) for path in written],
        }
        output.document(told)
        return
    for path in written:
        output.text(f"  {visible(str(path.relative_to(folder)))}")
    output.text(f"{len(written)} files in {visible(str(folder))}; look at them with emla verify.")
