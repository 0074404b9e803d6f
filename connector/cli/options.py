"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[
    bool,
    typer.Option(
        "--json", help="One JSON document on standard output instead of text, errors included."
    ),
]
Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="EMLA_HOME",
        metavar="DIR",
        help="The connector's home; the current folder by default.",
    ),
]
HomeIfAny = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="EMLA_HOME",
        metavar="DIR",
        help="A connector's home, whose trust, mappings and directory are used. By default the "
        "current folder if it is a home, else what emla ships.",
    ),
]
Trust = Annotated[
    Path | None,
    typer.Option(
        "--trust",
        metavar="FOLDER",
        help="CA certificates (PEM) whose signers are trusted, instead of those of the home.",
    ),
]
Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE…", help="Files, or folders with files.", show_default=False),
]
File = Annotated[Path, typer.Argument(metavar="FILE", show_default=False)]
