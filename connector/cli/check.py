"""`emla check`: what is wrong with a home?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import options
from connector.cli.output import DIM, ERROR, WARNING, Output, mark, visible

if TYPE_CHECKING:
    from connector.homes.findings import Aspect


def check(
    *,
    home: options.Home = None,
    days: Annotated[
        int, typer.Option(min=0, help="Warn of certificates that expire within so many days.")
    ] = 30,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask partners, brokers and gateways.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Say everything that is wrong with a connector's home, and how to mend it.

    Looks at the settings, keys and certificates, trust, policy, directory, formats and official
    schemas, partners, store, queue, gateway, folders and disk. Changes nothing. Exit status 2 if
    something must be mended, 3 if it may pass by itself (a broker that is down), 0 with warnings.
    """
    from connector.homes.check import check as check_home
    from connector.homes.check import worst

    output = Output(json=json)
    found: list[Aspect] = []
    folder = home or Path()
    for aspect in check_home(
        folder, datetime.now(UTC), warn_before=timedelta(days=days), network=not offline
    ):
        found.append(aspect)
        if not json:
            _show(output, aspect)
    kind = worst(found)
    errors = sum(len(each.problems) for each in found)
    warnings = sum(len(each.warnings) for each in found)
    if json:
        told = {
            "ok": kind is None,
            "home": str(folder.resolve()),
            "errors": errors,
            "warnings": warnings,
            "aspects": [each.as_json() for each in found],
        }
        output.document(told)
    else:
        verdict = "Ready to run" if kind is None else "Not ready"
        output.text(f"\n{verdict}: {_count(errors, 'error')}, {_count(warnings, 'warning')}.")
    raise typer.Exit(0 if kind is None else kind.exit_status)


def _show(output: Output, aspect: Aspect) -> None:
    from rich.text import Text

    good = False if aspect.problems else None if aspect.warnings else True
    line = Text.assemble(mark(good), f" {aspect.name:<10}", (visible(aspect.detail), DIM))
    output.text(line)
    output.problems(aspect.problems, style=ERROR, word="error", indent="    ")
    output.problems(aspect.warnings, style=WARNING, word="warning", indent="    ")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
