"""`emla send`: hand documents over by hand."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import options
from connector.cli.output import WARNING, Output, mark, visible
from connector.errors import ConnectorError, misconfigured

if TYPE_CHECKING:
    from connector.intake.submission import Acceptance, Wishes
    from connector.runtime.assembly import Assembly


class Urgency(StrEnum):
    """`Header/Urgency/Level` of the envelope."""

    ORDINARY = "ordinary"
    URGENT = "urgent"
    EMERGENCY = "emergency"


def send(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help="Documents, each a message of its own; or folders with a document and its "
            "attachments.",
            show_default=False,
        ),
    ],
    *,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="AUTHORITY",
            help="Identifier of the receiving authority, or a country for its central authority; "
            "by default the one that the document names.",
        ),
    ] = None,
    attach: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A file that goes with the document.")
    ] = None,
    urgency: Annotated[
        Urgency | None, typer.Option(help="Instead of what the document says.")
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Why it is urgent, by the code list of the envelope."),
    ] = None,
    facts: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why it is urgent, in words.")
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="The format it is in, if not found out."),
    ] = None,
    test: Annotated[
        bool | None,
        typer.Option(
            "--test/--no-test", help="Mark it as a test, or as no test, whatever it says."
        ),
    ] = None,
    home: options.Home = None,
    json: options.Json = False,
) -> None:
    """Hand documents over to the connector, as if they had been put into its intake folder.

    When this returns, each accepted document is durable and will be delivered, or its sender told
    that it cannot be, by `emla run`. Exit status 1 if one was refused; the others are sent.
    """
    from connector.cli.opening import home_assembly

    output = Output(json=json)
    if attach and len(files) > 1:
        raise misconfigured(
            "usage",
            "Attachments go with one document; several were named.",
            mend="Send them one by one, or each as a folder with its attachments.",
        )
    wishes = _wishes(to=to, urgency=urgency, reason=reason, facts=facts, origin=origin, test=test)
    accepted: list[tuple[Path, Acceptance]] = []
    refused: list[tuple[Path, ConnectorError]] = []
    with home_assembly(home) as assembly:
        for file in files:
            try:
                taken = _take(assembly, file, attach or [], wishes)
            except ConnectorError as error:
                refused.append((file, error))
                if not json:
                    output.problems(error.problems, word="refused", err=True)
                continue
            accepted.append((file, taken))
            if not json:
                _show(output, file, taken)
    if json:
        output.document(_told(accepted, refused))
    raise typer.Exit(max((_status(error) for _, error in refused), default=0))


def _status(error: ConnectorError) -> int:
    return error.kind.exit_status


def _wishes(
    *,
    to: str | None,
    urgency: Urgency | None,
    reason: str | None,
    facts: str | None,
    origin: str | None,
    test: bool | None,
) -> Wishes:
    from connector.envelope.codes import UrgencyLevel, UrgencyReason
    from connector.intake.submission import Wishes

    if reason is not None and reason not in {each.value for each in UrgencyReason}:
        raise misconfigured(
            "usage",
            f"{reason!r} is no reason for urgency.",
            mend=f"Known: {', '.join(UrgencyReason)}.",
        )
    if urgency is None and (reason or facts):
        raise misconfigured(
            "usage", "--reason and --facts say why --urgency is given.", mend="Give --urgency, too."
        )
    return Wishes(
        format=origin,
        to=to,
        urgency=None if urgency is None else UrgencyLevel(urgency.value),
        urgency_reason=None if reason is None else UrgencyReason(reason),
        urgency_facts=facts,
        test=test,
    )


def _take(assembly: Assembly, file: Path, attachments: list[Path], wishes: Wishes) -> Acceptance:
    from connector.runtime.sending import send as hand_over

    return hand_over(assembly.connector, file, attachments, wishes)


def _show(output: Output, file: Path, taken: Acceptance) -> None:
    from rich.text import Text

    record = taken.record
    output.text(
        Text.assemble(
            mark(True),
            f" {visible(str(file))}  accepted as ",
            (visible(record.id), "bold"),
            f", {visible(record.message_type)} to {visible(record.recipient)}",
        )
    )
    output.problems(taken.warnings, style=WARNING, word="warning")


def _told(
    accepted: list[tuple[Path, Acceptance]], refused: list[tuple[Path, ConnectorError]]
) -> dict[str, Any]:
    from connector.runtime.lookup import message_json

    return {
        "ok": not refused,
        "accepted": [
            {
                "file": str(file),
                "message": message_json(taken.record),
                "warnings": [each.as_json() for each in taken.warnings],
            }
            for file, taken in accepted
        ],
        "refused": [
            {
                "file": str(file),
                "kind": str(error.kind),
                "problems": [each.as_json() for each in error.problems],
            }
            for file, error in refused
        ],
    }
