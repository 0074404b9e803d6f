"""Running a command: whatever ends it becomes an exit status and words for whoever must act."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, Final

import typer

from connector.cli.app import app
from connector.cli.output import Output, ReaderGone
from connector.errors import ConnectorError, Kind, Problem

DEFECT: Final = 70
"""EX_SOFTWARE of sysexits.h."""
INTERRUPTED: Final = 130
READER_GONE: Final = 141
_MISUSE: Final = 2


def run(arguments: Sequence[str]) -> int:
    """The exit status of the command that `arguments` ask for."""
    output = Output(json="--json" in arguments)
    try:
        return _run(arguments, output)
    except (ReaderGone, BrokenPipeError):
        _let_go_of_stdout()
        return READER_GONE


def _run(arguments: Sequence[str], output: Output) -> int:
    try:
        status = app(args=list(arguments), prog_name="emla", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except ConnectorError as error:
        output.failure(error)
        return error.kind.exit_status
    except typer.TyperException as error:
        output.failure(ConnectorError(Kind.CONFIGURATION, _misuse(error)))
        return _MISUSE
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except (ReaderGone, BrokenPipeError):
        raise
    except Exception as error:
        output.failure(ConnectorError(Kind.CONFIGURATION, _defect(error)), status=DEFECT)
        if "EMLA_TRACEBACK" in os.environ:
            traceback.print_exc()
        return DEFECT


def _misuse(error: typer.TyperException) -> Problem:
    context: Any = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "emla"
    return Problem(
        code="usage", what=error.format_message(), mend=f"See `{command} --help` for what it takes."
    )


def _defect(error: Exception) -> Problem:
    return Problem(
        code="internal.defect",
        what=f"emla itself failed: {type(error).__name__}: {error}",
        mend="Please report it; EMLA_TRACEBACK=1 shows where it happened.",
    )


def _let_go_of_stdout() -> None:
    """Keep the interpreter from complaining about the reader once more when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
