"""`emla directory`: which authorities are known?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import options
from connector.cli.failures import as_usage
from connector.cli.output import WARNING, Output, visible

if TYPE_CHECKING:
    from connector.directory.authorities import Authority


def directory(
    country: Annotated[
        str | None, typer.Option(metavar="XX", help="Only those of this country (ISO 3166-1).")
    ] = None,
    home: options.HomeIfAny = None,
    json: options.Json = False,
) -> None:
    """List the authorities that messages go to and come from, and the party that serves each."""
    from connector.cli.surroundings import situation
    from connector.directory.countries import country as country_of

    output = Output(json=json)
    around = situation(home)
    wanted = None if country is None else as_usage(lambda: country_of(country.upper())).code
    known = around.around.directory.authorities
    found = [each for each in known if wanted in (None, each.country)]
    if json:
        output.document({"ok": True, "authorities": [_told(each) for each in found]})
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("Country", "Role", "Identifier", "Name", "Party"):
        table.add_column(name, overflow="fold")
    for each in found:
        table.add_row(
            each.country,
            each.role,
            Text(visible(each.identifier)),
            Text(visible("\n".join(each.names.values()))),
            Text(visible(each.party)),
        )
    output.text(table)
    if around.home is None:
        output.text(Text("These are the examples that emla ships: no home was named.", WARNING))


def _told(each: Authority) -> dict[str, Any]:
    return {
        "identifier": each.identifier,
        "country": each.country,
        "role": str(each.role),
        "names": dict(each.names),
        "party": each.party,
        "format": each.format,
    }
