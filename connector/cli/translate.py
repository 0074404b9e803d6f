"""`emla translate`: a document in another format, with the account of every field."""

from __future__ import annotations

import json as json_text
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import options
from connector.cli.output import DIM, ERROR, WARNING, Output, visible

if TYPE_CHECKING:
    from connector.examination.translating import Translation
    from connector.translation.account import Account

_STYLES = {
    "mapped": "green",
    "annexed": "cyan",
    "dropped": DIM,
    "refused": ERROR,
    "unaccounted": WARNING,
}
_LONG = 60


def translate(
    file: options.File,
    *,
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMAT", help="A national format (see `emla formats`) or `envelope`."
        ),
    ],
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="FORMAT", help="The format it is in, if not found out."),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="OUT", help="Where to write it; standard output by default."
        ),
    ] = None,
    account: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the account of every field here (JSON)."),
    ] = None,
    values: Annotated[
        bool, typer.Option("--values", help="Show the fields' values, too (personal data).")
    ] = False,
    attach: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A file that comes with the document; by default those that it names and that "
            "lie beside it.",
        ),
    ] = None,
    home: options.HomeIfAny = None,
    json: options.Json = False,
) -> None:
    """Translate a national document into an envelope or another format, or an envelope back.

    Says of every field what became of it: mapped, annexed (it travels in the original document),
    dropped for a stated reason, or refused. Nothing is sent, nothing is written but the output.
    """
    from connector.cli.reading import one_document
    from connector.cli.surroundings import situation
    from connector.examination.translating import translate as translated

    output = Output(json=json)
    around = situation(home)
    made = translated(
        one_document(file, around),
        to,
        around.formats,
        around.around,
        origin=origin,
        attachments=attach or None,
    )
    good = not made.problems
    if account is not None:
        told = [each.as_json(values=values) for each in made.accounts]
        text = json_text.dumps(told, ensure_ascii=False, indent=2) + "\n"
        _write(account, text.encode())
    if good and target is not None:
        _write(target, made.data)
    if json:
        output.document(_told(made, target, values=values))
    else:
        _show(output, made, file, target, values=values, brief=account is not None)
    raise typer.Exit(0 if good else 1)


def _told(made: Translation, target: Path | None, *, values: bool) -> dict[str, Any]:
    told = {"ok": not made.problems, **made.as_json(values=values)}
    if made.problems:
        return told
    if target is not None:
        return {**told, "output": str(target)}
    try:
        return {**told, "encoding": "utf-8", "content": made.data.decode("utf-8")}
    except UnicodeDecodeError:
        return {**told, "encoding": "base64", "content": b64encode(made.data).decode("ascii")}


def _write(path: Path, data: bytes) -> None:
    from connector.errors import misconfigured

    try:
        path.write_bytes(data)
    except OSError as error:
        raise misconfigured(
            "output.cannot-write",
            f"It cannot be written: {error.strerror}.",
            mend="Name another file.",
            file=str(path),
        ) from error


def _show(
    output: Output,
    made: Translation,
    file: Path,
    target: Path | None,
    *,
    values: bool,
    brief: bool,
) -> None:
    """The document goes to standard output if nowhere else; then all that is said about it goes to
    standard error."""
    from rich.text import Text

    aside = target is None
    if aside and not made.problems:
        output.raw(made.data)
        if output.out.is_terminal and not made.data.endswith(b"\n"):
            output.text("")
    for each in made.accounts:
        if not brief:
            output.text(_table(each, values=values), err=aside)
        output.text(_counts(each), err=aside)
    output.problems(made.warnings, style=WARNING, word="warning", err=aside)
    output.problems(made.left_open, style=WARNING, word="left open", err=aside)
    output.problems(made.problems, style=ERROR, word="error", err=True)
    if made.problems:
        output.text(Text(f"{visible(str(file))} was not translated.", ERROR), err=True)
    elif target is not None:
        output.text(f"Written to {visible(str(target))}.")


def _table(account: Account, *, values: bool) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    lines = any(each.line for each in account.entries)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=_title(account), title_justify="left")
    if lines:
        table.add_column("Line", justify="right", style=DIM)
    table.add_column("Field", overflow="fold")
    if values:
        table.add_column("Value", overflow="fold")
    table.add_column("Became", overflow="fold")
    table.add_column("Outcome", no_wrap=True)
    for each in account.entries:
        became = Text("\n".join(map(visible, each.targets)))
        if each.reason:
            became.append(("\n" if each.targets else "") + visible(each.reason), DIM)
        row = [
            Text(str(each.line or "")) if lines else None,
            Text(visible(each.origin)),
            Text(visible(each.value, limit=_LONG)) if values else None,
            became,
            Text(each.outcome, _STYLES[each.outcome]),
        ]
        table.add_row(*(cell for cell in row if cell is not None))
    return table


def _title(account: Account) -> str:
    way = "envelope"
    return f"{account.format} to {way}" if account.reading else f"{way} to {account.format}"


def _counts(account: Account) -> Any:
    from rich.text import Text

    counts = account.counts
    text = Text.assemble((f"{_title(account)}: {sum(counts.values())} fields", "bold"))
    for outcome, count in counts.items():
        text.append(f", {count} ")
        text.append(outcome, _STYLES[outcome])
    return text
