"""`emla queue`: jobs that wait for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import options
from connector.cli.output import Output, mark, visible
from connector.errors import Problem, misconfigured

if TYPE_CHECKING:
    from connector.exchange.records import ParkedJob

queue = typer.Typer(no_args_is_help=True, help="Look after jobs that wait for a person.")

Job = Annotated[str, typer.Argument(metavar="ID", help="A parked job's id, or its message's.")]


@queue.command("list")
def list_parked(*, home: options.Home = None, json: options.Json = False) -> None:
    """List the jobs that are parked, the oldest first: what failed for good, or too often."""
    from connector.cli.opening import home_store_and_queue
    from connector.cli.showing import parked_table
    from connector.runtime.lookup import parked_json

    output = Output(json=json)
    with home_store_and_queue(home) as (_, jobs):
        parked = jobs.parked()
    if json:
        output.document({"ok": True, "parked": [parked_json(each) for each in parked]})
    elif parked:
        output.text(parked_table(parked))
    else:
        output.text("Nothing waits for a person.")


@queue.command()
def show(wanted: Job, *, home: options.Home = None, json: options.Json = False) -> None:
    """Show a parked job: why it is parked, and where its message stands."""
    from connector.cli.messages import show_status
    from connector.cli.opening import home_store_and_queue
    from connector.exchange.intervention import find_parked
    from connector.runtime.lookup import find_message, parked_json, status_of

    output = Output(json=json)
    with home_store_and_queue(home) as (store, jobs):
        parked = find_parked(jobs, wanted)
        found = status_of(store, jobs, find_message(store, parked.job.message_id))
    if json:
        output.document({"ok": True, **parked_json(parked), "status": found.as_json()})
        return
    output.problems([_reason(parked)], word="parked")
    show_status(output, found)


def _reason(parked: ParkedJob) -> Problem:
    import json

    return Problem(**json.loads(parked.reason))


@queue.command()
def retry(
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]", help="A parked job's id, or its message's.", show_default=False
        ),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="All that are parked.")] = False,
    home: options.Home = None,
    json: options.Json = False,
) -> None:
    """Have a parked job tried again, with its tries counted anew, once what kept it is mended."""
    from connector.cli.opening import home_assembly, who
    from connector.exchange.intervention import retry as try_again
    from connector.runtime.lookup import parked_json

    output = Output(json=json)
    if every == (wanted is not None):
        raise misconfigured("usage", "Name a job, or say --all.", mend="See emla queue list.")
    with home_assembly(home) as assembly:
        jobs = assembly.queue()
        try:
            ids = [each.job.id for each in jobs.parked()] if wanted is None else [wanted]
            done = [try_again(assembly.connector, jobs, each, by=who()) for each in ids]
        finally:
            jobs.close()
    if json:
        output.document({"ok": True, "retried": [parked_json(each) for each in done]})
        return
    from rich.text import Text

    for each in done:
        output.text(
            Text.assemble(mark(True), f" Message {visible(each.job.message_id)} is tried again.")
        )
    if not done:
        output.text("Nothing waits for a person.")


@queue.command()
def discard(
    wanted: Job,
    *,
    why: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="Why it is given up, in a sentence that the other side may read.",
            show_default=False,
        ),
    ],
    reason: Annotated[
        str, typer.Option(metavar="NAME", help="Reason that the evidence states.")
    ] = "OTHER",
    home: options.Home = None,
    json: options.Json = False,
) -> None:
    """Give a parked job up for good.

    If it was to move its message on, the message is given up: whoever waits for it gets an
    evidence with the reason.
    """
    from connector.cli.opening import home_assembly, who
    from connector.evidence.types import Reason
    from connector.exchange.intervention import discard as give_up
    from connector.runtime.lookup import evidence_json, message_json

    output = Output(json=json)
    if reason not in Reason.__members__:
        raise misconfigured(
            "usage", f"{reason!r} is no reason.", mend=f"Known: {', '.join(Reason.__members__)}."
        )
    with home_assembly(home) as assembly:
        jobs = assembly.queue()
        try:
            outcome = give_up(
                assembly.connector, jobs, wanted, why, by=who(), reason=Reason[reason]
            )
        finally:
            jobs.close()
    if json:
        told = {
            "ok": True,
            "message": message_json(outcome.record) if outcome.record else None,
            "issued": [evidence_json(each) for each in outcome.issued],
        }
        output.document(told)
        return
    from rich.text import Text

    state = f"; its message is {outcome.record.state}" if outcome.record else ""
    output.text(Text.assemble(mark(True), f" Given up{state}."))
    for each in outcome.issued:
        output.text(f"  {each.type} tells whoever waits for it.")
