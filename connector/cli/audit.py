"""`emla audit`: is the log what was written?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import options
from connector.cli.output import Output, mark
from connector.errors import Problem, misconfigured

if TYPE_CHECKING:
    from connector.exchange.records import AuditEntry

    Line = tuple[int, AuditEntry, str]

audit = typer.Typer(no_args_is_help=True, help="Look after the audit log.")


@audit.callback()
def _group() -> None:
    """Keeps `verify` a command of its own, though it is the only one."""


@audit.command()
def verify(
    *,
    noted: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER:HASH",
            help="The end of the log as it was noted elsewhere, from an earlier run: shows whether "
            "entries were cut off since.",
        ),
    ] = None,
    home: options.Home = None,
    json: options.Json = False,
) -> None:
    """Check that no entry of the audit log was changed, removed or inserted.

    Each entry's hash covers the one before it. Note the end that is printed in a safe place: only
    against it does it show if entries are cut off. Exit status 1 if the log is not whole.
    """
    from connector.cli.opening import home_store
    from connector.store.audit import verify_chain

    output = Output(json=json)
    place = None if noted is None else _place(noted)
    watch = _Watch(place)
    with home_store(home) as store:
        count, problem = verify_chain(watch.passing(store.audit_entries()))
    problem = problem or watch.problem(count)
    if json:
        told = {
            "ok": problem is None,
            "entries": count,
            "end": f"{count}:{watch.last}" if count else None,
            "problems": [problem.as_json()] if problem else [],
        }
        output.document(told)
    elif problem is None:
        from rich.text import Text

        whole = f" {count} entries, none changed, removed or inserted."
        output.text(Text.assemble(mark(True), whole))
        if count:
            output.text(f"  The end, to be noted elsewhere: {count}:{watch.last}")
    else:
        output.problems([problem], word="error")
        output.text(f"{count} entries before it are in order.")
    raise typer.Exit(0 if problem is None else 1)


def _place(noted: str) -> tuple[int, str]:
    if not re.fullmatch(r"[1-9][0-9]{0,17}:[0-9a-f]{64}", noted):
        raise misconfigured(
            "usage",
            "The end of the log is noted as NUMBER:HASH.",
            mend="Give it as `emla audit verify` printed it.",
        )
    number, _, digest = noted.partition(":")
    return int(number), digest


class _Watch:
    """Sees every entry on its way to be verified."""

    def __init__(self, noted: tuple[int, str] | None) -> None:
        self._noted = noted
        self._seen: str | None = None
        self.last = ""

    def passing(self, entries: Iterable[Line]) -> Iterator[Line]:
        for number, entry, digest in entries:
            if self._noted is not None and number == self._noted[0]:
                self._seen = digest
            self.last = digest
            yield number, entry, digest

    def problem(self, count: int) -> Problem | None:
        """What speaks against the end that was noted."""
        if self._noted is None or self._seen == self._noted[1]:
            return None
        if self._seen is None:
            what = f"The log ends after entry {count}; entry {self._noted[0]} was there before."
            code = "audit.cut-off"
        else:
            what = f"Entry {self._noted[0]} is another than the one that was noted."
            code = "audit.other-log"
        return Problem(
            code=code, what=what, mend="Compare with a copy of the database from before."
        )
