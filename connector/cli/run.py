"""`emla run`: the connector at work."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from connector.cli import options
from connector.cli.output import Output, visible


class Level(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"


def run(
    *,
    home: options.Home = None,
    log: Annotated[Level, typer.Option(help="How much is logged on standard error.")] = Level.INFO,
    json: options.Json = False,
) -> None:
    """Run a connector: intake, workers, gateway endpoint and timers, until SIGTERM or Ctrl-C.

    Told to stop it begins nothing new and finishes what is in hand, within the time of
    `[run] drain`. Any number may run on one store and one broker.
    """
    import logging

    from connector.runtime.logs import configure_logs
    from connector.runtime.service import Service
    from connector.settings import load

    output = Output(json=json)
    opened = load(home or Path())
    configure_logs(level=logging.getLevelNamesMapping()[log.upper()])
    service = Service(opened)
    service.start()
    settings = opened.settings
    if not json:
        intake, delivered = (
            opened.path(settings.intake.path),
            opened.path(settings.delivery.path),
        )
        gateway = (
            f"listens on {settings.gateway.listen}{settings.gateway.path}"
            if settings.gateway.kind == "as4"
            else f"polls {settings.gateway.domibus_url}"
        )
        output.text(
            f"{visible(settings.connector.party)} {gateway}; documents go into "
            f"{visible(str(intake))} and come out in {visible(str(delivered))}. Ctrl-C stops it."
        )
    service.wait()
    if json:
        output.document({"ok": True, "home": str(opened.folder), "stopped": True})
