"""`emla formats`: which national formats are known?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connector.cli import options
from connector.cli.output import Output, visible

if TYPE_CHECKING:
    from connector.translation.formats import Format


def formats(home: options.HomeIfAny = None, json: options.Json = False) -> None:
    """List the national formats that documents are translated from and into."""
    from connector.cli.surroundings import situation

    output = Output(json=json)
    around = situation(home)
    known = [around.formats.by_name[name] for name in sorted(around.formats.by_name)]
    if json:
        output.document({"ok": True, "formats": [_told(each) for each in known]})
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("Format", "Version", "Country", "Kind", "Messages", "Title"):
        table.add_column(name, overflow="fold")
    for each in known:
        about = each.mapping.format
        table.add_row(
            each.name,
            about.version,
            about.country or "",
            about.kind,
            str(len(each.mapping.messages)),
            visible(about.title),
        )
    output.text(table)


def _told(each: Format) -> dict[str, Any]:
    about = each.mapping.format
    return {
        "name": each.name,
        "title": about.title,
        "version": about.version,
        "country": about.country,
        "kind": about.kind,
        "messages": [str(message) for message in each.mapping.messages],
        "folder": str(each.folder),
        "official_schemas": str(each.official.folder) if each.official else None,
    }
