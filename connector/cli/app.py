"""The commands, and what all of them share. Each command imports what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from connector.cli import (
    audit,
    check,
    demo,
    directory,
    dossier,
    formats,
    init,
    inspect,
    messages,
    queue,
    run,
    send,
    translate,
    validate,
    verify,
)

app = typer.Typer(
    name="emla",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="A connector for mutual legal assistance: national documents in, signed and sealed "
    "envelopes across, national documents out.",
    epilog="Exit status: 0 fine, 1 the document or message is not acceptable, 2 wrong use or "
    "configuration, 3 try again later.",
)

FIRST = "To see it work"
CONNECTOR = "The connector"
DOCUMENTS = "Documents (no running connector needed)"

app.command("demo", rich_help_panel=FIRST)(demo.demo)

app.command("init", rich_help_panel=CONNECTOR)(init.init)
app.command("check", rich_help_panel=CONNECTOR)(check.check)
app.command("run", rich_help_panel=CONNECTOR)(run.run)
app.command("send", rich_help_panel=CONNECTOR)(send.send)
app.command("list", rich_help_panel=CONNECTOR)(messages.list_messages)
app.command("status", rich_help_panel=CONNECTOR)(messages.status)
app.command("export", rich_help_panel=CONNECTOR)(messages.export)
app.command("dossier", rich_help_panel=CONNECTOR)(dossier.dossier)
app.add_typer(queue.queue, name="queue", rich_help_panel=CONNECTOR)
app.add_typer(audit.audit, name="audit", rich_help_panel=CONNECTOR)

app.command("translate", rich_help_panel=DOCUMENTS)(translate.translate)
app.command("validate", rich_help_panel=DOCUMENTS)(validate.validate)
app.command("verify", rich_help_panel=DOCUMENTS)(verify.verify)
app.command("inspect", rich_help_panel=DOCUMENTS)(inspect.inspect)
app.command("formats", rich_help_panel=DOCUMENTS)(formats.formats)
app.command("directory", rich_help_panel=DOCUMENTS)(directory.directory)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"emla {version('emla')}")
        raise typer.Exit


@app.callback()
def emla(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """What every command line may begin with."""
