"""`emla init`: a home for a new connector."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import options
from connector.cli.failures import as_usage
from connector.cli.output import DIM, WARNING, Output, mark, visible

if TYPE_CHECKING:
    from connector.homes.creation import Founding


class Keys(StrEnum):
    """Keys that can be made for a new home."""

    RSA_3072 = "rsa3072"
    RSA_2048 = "rsa2048"
    P256 = "p256"
    P384 = "p384"
    ED25519 = "ed25519"
    NONE = "none"


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new folder.", show_default=False)
    ],
    *,
    country: Annotated[
        str, typer.Option(metavar="XX", help="Your country, by ISO 3166-1 alpha-2.")
    ],
    party: Annotated[
        str | None, typer.Option(help="AS4 party name. [default: connector-xx]", show_default=False)
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name that tokens and evidences state.", show_default=False),
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option(
            metavar="IDENTIFIER",
            help="Your central authority. [default: urn:emla:authority:xx:central]",
            show_default=False,
        ),
    ] = None,
    authority_name: Annotated[
        str | None, typer.Option(help="Its name, in English.", show_default=False)
    ] = None,
    national_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="Format of your documents. [default: the one of your country]",
            show_default=False,
        ),
    ] = None,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where partners reach the built-in gateway.")
    ] = "127.0.0.1:8080",
    keys: Annotated[
        Keys, typer.Option(help="Keys to begin with (not for production), or none.")
    ] = Keys.RSA_3072,
    json: options.Json = False,
) -> None:
    """Make a home for a new connector: commented settings, directory, folders, keys.

    The keys that it makes, with a CA of their own, let `emla check` pass and `emla run` start at
    once; replace them by certificates of a trust service provider before real cases are sent.
    """
    from connector.directory.countries import country as country_of
    from connector.homes.creation import Founding, format_for, found
    from connector.shipped import shipped
    from connector.signature.pki import KeyType
    from connector.translation.formats import load_formats

    output = Output(json=json)
    land = as_usage(lambda: country_of(country.strip().upper()))
    formats = load_formats([shipped("mappings")])
    founding = Founding(
        country=land,
        party=party or f"connector-{land.code.lower()}",
        name=name or f"Connector of {land.name}",
        authority=authority or f"urn:emla:authority:{land.code.lower()}:central",
        authority_name=authority_name or f"Central authority of {land.name}",
        format=national_format or format_for(land.code, formats),
        listen=listen,
        key_type=None if keys is Keys.NONE else KeyType(keys.value),
    )
    formats[founding.format]  # refuses a format that does not exist
    with output.busy("Making keys"):
        home = found(folder, founding, datetime.now(UTC))
    if json:
        told = {
            "ok": True,
            "home": str(home.folder),
            "country": founding.country.code,
            "party": founding.party,
            "authority": founding.authority,
            "format": founding.format,
            "keys": None if founding.key_type is None else str(founding.key_type),
        }
        output.document(told)
        return
    _show(output, folder, founding)


def _show(output: Output, folder: Path, founding: Founding) -> None:
    from rich.text import Text

    from connector.homes.creation import TRANSPORT_CERTIFICATE
    from connector.settings import FILE_NAME

    place = visible(str(folder))
    output.text(Text.assemble(mark(True), f" {place} is the home of {visible(founding.party)}."))
    lines = [
        (f"{place}/{FILE_NAME}", "the settings, each explained"),
        (f"{place}/directory.toml", f"the authorities; it begins with {founding.authority}"),
        (f"{place}/intake", f"put documents here ({founding.format})"),
        (f"{place}/delivered", "what arrives is found here"),
    ]
    if founding.key_type is not None:
        lines.append((f"{place}/{TRANSPORT_CERTIFICATE}", "your certificate, for the partners"))
        lines.append((f"{place}/trust", "CA certificates that are trusted: add your partners'"))
    longest = max(len(path) for path, _ in lines)
    for path, what in lines:
        output.text(Text.assemble(f"  {path:<{longest}}  ", (visible(what), DIM)))
    if founding.key_type is not None:
        output.text(Text("The keys were made here: they are not for production.", WARNING))
    output.text(f"Next: emla check --home {place}, then emla run --home {place}")
