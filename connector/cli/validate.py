"""`emla validate`: does a document follow its rules?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import options
from connector.cli.output import ERROR, WARNING, Output, mark, visible

if TYPE_CHECKING:
    from connector.cli.reading import Given
    from connector.cli.surroundings import Situation
    from connector.examination.validation import Findings


def validate(
    files: options.Files,
    *,
    official: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT=FOLDER",
            help="Where the official schemas of a national format are; may be given several times.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Say nothing about files that are in order.")
    ] = False,
    home: options.HomeIfAny = None,
    json: options.Json = False,
) -> None:
    """Say whether documents follow their rules, and if not, where and what to do.

    What each file is, is told by its content: envelope (schema and rules), container (archive,
    checksums, what is in it), token, evidence (regular and e-CODEX spelling), or a document in one
    of the known national formats. Who signed a document is for `emla verify`.
    """
    from connector.cli.reading import files_of, progress
    from connector.cli.surroundings import situation

    output = Output(json=json)
    around = situation(home, official=official or ())
    found: list[Findings] = []
    skipped: list[Path] = []
    given = files_of(files)
    with progress(output, "Validating", given) as each_file:
        for each in each_file:
            findings = _findings(each, around)
            if findings is None:
                skipped.append(each.path)
                continue
            found.append(_strict(findings) if strict else findings)
            if not json:
                _show(output, found[-1], quiet=quiet)
    bad = [each for each in found if not each.acceptable]
    if json:
        told = {
            "ok": not bad,
            "documents": [each.as_json() for each in found],
            "skipped": [str(path) for path in skipped],
        }
        output.document(told)
    elif len(given) > 1:
        _sum_up(output, found, skipped)
    raise typer.Exit(1 if bad or not found else 0)


def _findings(given: Given, around: Situation) -> Findings | None:
    """None for a file in a folder that is of no known kind."""
    from connector.cli.reading import is_attachment, is_bystander, recognised, require_unacceptable
    from connector.errors import ConnectorError
    from connector.examination.validation import Findings, Rules, validate

    try:
        document = recognised(given, around)
    except ConnectorError as error:
        if is_bystander(given, error):
            return None
        problems = require_unacceptable(error).problems
        return Findings(name=str(given.path), title="", kind="", problems=problems)
    if is_attachment(given, document):
        return None
    rules = Rules(
        formats=lambda: around.formats,
        around=lambda: around.around,
        now=around.now,
    )
    return validate(document, rules)


def _strict(findings: Findings) -> Findings:
    return replace(findings, problems=(*findings.problems, *findings.warnings), warnings=())


def _show(output: Output, findings: Findings, *, quiet: bool) -> None:
    from rich.text import Text

    if quiet and findings.acceptable and not findings.warnings:
        return
    line = Text.assemble(mark(findings.acceptable), " ", (visible(findings.name), "bold"))
    if findings.title:
        line.append(f"  {visible(findings.title)}")
    if findings.acceptable and findings.checked:
        line.append(f"  ({', '.join(findings.checked)})", "dim")
    output.text(line)
    output.problems(findings.problems, style=ERROR, word="error")
    output.problems(findings.warnings, style=WARNING, word="warning")


def _sum_up(output: Output, found: list[Findings], skipped: list[Path]) -> None:
    bad = sum(1 for each in found if not each.acceptable)
    warned = sum(1 for each in found if each.acceptable and each.warnings)
    parts = [f"{len(found)} documents: {len(found) - bad} acceptable"]
    if warned:
        parts.append(f"{warned} of them with warnings")
    parts.append(f"{bad} not acceptable")
    if skipped:
        parts.append(f"{len(skipped)} other files left out")
    output.text("\n" + ", ".join(parts) + ".")
