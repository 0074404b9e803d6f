"""`emla demo`: a complete exchange between three countries, on this machine alone."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from connector.cli import options
from connector.cli.output import Output, mark, visible
from connector.errors import misconfigured

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from connector.demo.check import MessageCheck
    from connector.demo.run import Outcome
    from connector.demo.show import Show

_UNITS: Final = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_COLUMNS: Final = {
    "": 1,
    "From": 4,
    "To": 2,
    "Message": 22,
    "Case": 12,
    "Files": 11,
    "Delivered as": 20,
}
"""Headings and least widths."""
_SHOWN: Final = 20
"""Problems that are printed; the page has all of them."""


def demo(
    output: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="Where everything is left behind; replaced only if a demonstration made it.",
        ),
    ] = Path("demo-output"),
    evidence_size: Annotated[
        str, typer.Option(metavar="SIZE", help="Size of the large evidence file, e.g. 5MB.")
    ] = "200MB",
    patience: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="After this it is given up.")
    ] = 240,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Run nothing: check again what an earlier demonstration left behind."
        ),
    ] = False,
    json: options.Json = False,
) -> None:
    """Three countries exchange requests, questions and answers, each in its own national format.

    Makes keys and three connectors on loopback, sends every request among the samples, has each
    acknowledged and answered with evidence files, and checks every byte and every evidence.

    Exit status 0 only if every document arrived, every byte of every attachment is equal, and
    every evidence that must exist exists and verifies.
    """
    out = Output(json=json)
    signal.signal(signal.SIGTERM, _terminated)
    size = _bytes(evidence_size)
    if not check:
        from connector.demo.processes import warm_up

        warm_up()  # before our own imports, which take as long
    from connector.demo.run import Wishes, check_again, run_demo

    if check:
        outcome = check_again(output)
    else:
        wishes = Wishes(output=output, large_size=size, patience=patience)
        outcome = run_demo(wishes, _show(out))
    if json:
        out.document(_as_json(outcome))
    else:
        _conclude(out, outcome)
    raise typer.Exit(0 if outcome.verdict.ok else 1)


def _terminated(number: int, _: object) -> None:
    """SIGTERM stops the connectors first, as an interruption by the keyboard does."""
    raise SystemExit(128 + number)


def _bytes(text: str) -> int:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?b)?\s*", text, re.IGNORECASE)
    size = int(float(found[1]) * _UNITS[(found[2] or "").casefold()]) if found else 0
    if size < 1:
        raise misconfigured(
            "demo.size", f"{text!r} is no size.", mend="Write for example 200MB or 64kB."
        )
    return size


def _show(out: Output) -> Show:
    from connector.demo.show import Lines, Silent, Timeline

    if out.json:
        return Silent()
    return Timeline(out.out) if out.out.is_terminal else Lines(out.out)


def _conclude(out: Output, outcome: Outcome) -> None:
    from rich.text import Text

    verdict = outcome.verdict
    out.text("", _deliveries(outcome, short=out.out.is_terminal), "")
    for line in _sums(outcome):
        out.text(line)
    if verdict.problems:
        out.text("")
        out.problems(verdict.problems[:_SHOWN])
        if len(verdict.problems) > _SHOWN:
            out.text(f"... and {len(verdict.problems) - _SHOWN} more; the page has all of them.")
    out.text("", Text(f"The whole story: {outcome.output.page}", "bold"))


def _deliveries(outcome: Outcome, *, short: bool) -> Table:
    """What was delivered where; `short` leaves the message's folder out."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from connector.demo import words

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading, width in _COLUMNS.items():
        table.add_column(heading, no_wrap=True, min_width=width)
    for message in _by_case(outcome.verdict.messages):
        sent, passage = message.sent, message.passage
        size = sum(file.size for file in sent.files)
        table.add_row(
            mark(not message.problems),
            sent.country,
            passage.receiver.country if passage and passage.receiver else "-",
            words.MESSAGES.get(sent.message_type, sent.message_type),
            visible(sent.reference, limit=40),
            f"{len(sent.files)} ({words.size_text(size)})",
            visible(_place(message.document, outcome.output.root, short=short)),
        )
    return table


def _by_case(messages: Sequence[MessageCheck]) -> list[MessageCheck]:
    """Each request with what followed."""

    def case(message: MessageCheck) -> str:
        return message.passage.record.conversation_id if message.passage else ""

    order = list(dict.fromkeys(map(case, messages)))
    return sorted(messages, key=lambda message: order.index(case(message)))


def _place(document: Path | None, root: Path, *, short: bool) -> str:
    if document is None:
        return "-"
    if not document.is_relative_to(root):
        return str(document)
    place = document.relative_to(root)
    return f"{place.parent.parent}/…/{place.name}" if short else str(place)


def _sums(outcome: Outcome) -> list[Text]:
    from rich.text import Text

    from connector.demo import words

    verdict = outcome.verdict
    equal = sum(file.equal for file in verdict.files)
    size = sum(file.sent.size for file in verdict.files)
    valid = sum(proof.valid for proof in verdict.proofs)
    delivered = sum(message.document is not None for message in verdict.messages)
    lines = [
        (
            delivered == len(verdict.messages),
            f"{delivered} of {words.plural(len(verdict.messages), 'document')} delivered in the "
            f"receiver's format, in {outcome.seconds:.1f} s",
        ),
        (
            equal == len(verdict.files),
            f"{equal} of {words.plural(len(verdict.files), 'file')} equal byte for byte "
            f"({words.size_text(size)})",
        ),
        (
            valid == len(verdict.proofs),
            f"{valid} of {words.plural(len(verdict.proofs), 'evidence')} valid, on both sides",
        ),
    ]
    return [Text.assemble(mark(good), " ", (text, "" if good else "bold")) for good, text in lines]


def _as_json(outcome: Outcome) -> dict[str, Any]:
    verdict = outcome.verdict
    return {
        "ok": verdict.ok,
        "seconds": round(outcome.seconds, 3),
        "output": str(outcome.output.root),
        "page": str(outcome.output.page),
        "messages": [
            {
                "id": message.sent.message_id,
                "from": message.sent.country,
                "to": message.passage.receiver.country
                if message.passage and message.passage.receiver
                else None,
                "type": message.sent.message_type,
                "reference": message.sent.reference,
                "urgency": message.sent.urgency,
                "answers": message.sent.answers,
                "sample": message.sent.sample,
                "document": str(message.document) if message.document else None,
                "files": [
                    {
                        "name": file.sent.name,
                        "size": file.sent.size,
                        "sha256": file.sent.sha256,
                        "path": str(file.path) if file.path else None,
                        "equal": file.equal,
                    }
                    for file in message.files
                ],
                "evidences": [
                    {
                        "type": proof.type,
                        "holder": proof.holder,
                        "issuer": proof.issuer,
                        "at": proof.at.isoformat(),
                        "valid": proof.valid,
                    }
                    for proof in message.proofs
                ],
                "ok": not message.problems,
            }
            for message in verdict.messages
        ],
        "problems": [problem.as_json() for problem in verdict.problems],
    }
