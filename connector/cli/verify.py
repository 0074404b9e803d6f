"""`emla verify`: what is signed, by whom, and does it count?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import options
from connector.cli.output import DIM, ERROR, WARNING, Output, can_say, mark, visible

if TYPE_CHECKING:
    from connector.cli.reading import Given
    from connector.cli.surroundings import Situation
    from connector.errors import Problem
    from connector.examination.bonds import Bond
    from connector.examination.judgement import Basis, Judgement
    from connector.examination.recognition import Document
    from connector.examination.verification import Report


def verify(
    files: options.Files,
    *,
    trust: options.Trust = None,
    policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Permits by name what is refused by default (TOML)."),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
            help="Judge certificates at this time (UTC) instead of now.",
        ),
    ] = None,
    home: options.HomeIfAny = None,
    json: options.Json = False,
) -> None:
    """Say what is signed, by whom, with what, and whether the signature counts or why not.

    Takes envelopes, containers (every file in them is digested), tokens (XML and PDF), evidences
    and signed national documents. What lies in one folder is held against each other: a token
    against its container, an evidence against the document that it attests.

    Exit status 0 only if every document is signed and every signature counts.
    """
    from connector.cli.reading import files_of
    from connector.cli.surroundings import situation
    from connector.examination.bonds import Bystander, bonds
    from connector.examination.sources import open_file

    output = Output(json=json)
    around = situation(home, trust=trust, policy=policy)
    basis = around.basis(None if at is None else at.replace(tzinfo=at.tzinfo or UTC))
    reports: list[Report] = []
    known: list[tuple[Document, Report]] = []
    bystanders: list[Bystander] = []
    groups: dict[str, Path] = {}
    for given in files_of(files):
        groups[str(given.path)] = given.group
        report, document = _examined(given, around, basis)
        if report is None:
            bystanders.append(Bystander(name=str(given.path), source=open_file(given.path)))
            continue
        reports.append(report)
        if document is not None:
            known.append((document, report))
        if not json:
            _show(output, report)
    together = bonds(known, bystanders, group_of=groups.__getitem__)
    good = bool(reports) and all(r.valid for r in reports) and not any(b.problems for b in together)
    if json:
        told = {
            "ok": good,
            "at": basis.at.isoformat(),
            "documents": [each.as_json() for each in reports],
            "bonds": [each.as_json() for each in together],
            "skipped": [each.name for each in bystanders],
        }
        output.document(told)
    else:
        _show_bonds(output, together)
        if not reports:
            output.text("None of these files is signed, or needs to be.", err=True)
        elif not around.trusts_somebody:
            output.text(_NOBODY)
    raise typer.Exit(0 if good else 1)


_NOBODY = (
    "\nNobody is trusted here, so no signature can count: name a folder of CA certificates with "
    "--trust, or a home with --home."
)


def _examined(
    given: Given, around: Situation, basis: Basis
) -> tuple[Report | None, Document | None]:
    """What was found out about a file; no report for one that only lies beside the others."""
    from connector.cli.reading import is_attachment, is_bystander, recognised, require_unacceptable
    from connector.errors import ConnectorError
    from connector.examination.verification import unrecognised
    from connector.examination.verification import verify as verify_document

    try:
        document = recognised(given, around)
    except ConnectorError as error:
        if is_bystander(given, error):
            return None, None
        return unrecognised(str(given.path), require_unacceptable(error).problems), None
    report = verify_document(document, basis)
    need_not = is_attachment(given, document) or (not given.explicit and document.format)
    if need_not and not report.judgements:
        return None, None
    return report, document


def _show(output: Output, report: Report, *, indent: str = "") -> None:
    from rich.text import Text

    line = Text.assemble(indent, (visible(report.name), "bold"))
    if report.title:
        line.append(f"  {visible(report.title)}")
    output.text(line)
    for judgement in report.judgements:
        _show_judgement(output, judgement, indent + "  ")
    if report.files:
        _show_files(output, report, indent + "  ")
    for problem in report.problems:
        _show_problem(output, problem, indent + "  ", ERROR)
    for weakness in report.weaknesses:
        _show_problem(output, weakness, indent + "  ", WARNING)
    for inner in report.inner:
        _show(output, inner, indent=indent + "  ")


def _show_judgement(output: Output, judgement: Judgement, indent: str) -> None:
    from rich.text import Text

    good = {"valid": True, "intact": None, "invalid": False}[judgement.verdict]
    words = {
        "valid": "valid signature",
        "intact": "signature intact, but it does not count",
        "invalid": "signature not valid",
    }[judgement.verdict]
    output.text(Text.assemble(indent, mark(good), " ", (words, _STYLES[judgement.verdict])))
    for label, value in _details(judgement):
        output.text(Text.assemble(f"{indent}    ", (f"{label:<12}", DIM), visible(value)))
    for problem in judgement.problems:
        _show_problem(output, problem, f"{indent}    ", ERROR)
    for weakness in judgement.weaknesses:
        _show_problem(output, weakness, f"{indent}    ", WARNING)


_STYLES = {"valid": "green", "intact": WARNING, "invalid": ERROR}


def _details(judgement: Judgement) -> Iterator[tuple[str, str]]:
    signer = judgement.signer
    if signer is not None:
        claimed = " (as it claims)" if judgement.verdict == "invalid" else ""
        yield "signed by", signer.subject + claimed
        issuer = "itself" if signer.issuer == signer.subject else signer.issuer
        yield "issued by", issuer
        yield "certificate", f"{_day(signer.not_before)} to {_day(signer.not_after)}, {signer.key}"
    if judgement.path:
        yield "trusted by", " < ".join(judgement.path)
    if judgement.algorithm:
        digests = ", ".join(judgement.digests)
        yield "algorithm", f"{judgement.form}, {judgement.algorithm}, digests {digests}"
    if judgement.signing_time is not None:
        moment = judgement.signing_time.astimezone(UTC)
        yield "signed at", f"{moment:%Y-%m-%d %H:%M:%S} UTC (as the signer says)"
    if judgement.roles:
        yield "as", ", ".join(judgement.roles)
    if judgement.covers:
        yield "covers", ", ".join(judgement.covers)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _show_problem(output: Output, problem: Problem, indent: str, style: str) -> None:
    """A problem below the document that it is about, whose name need not be said again."""
    from rich.text import Text

    good = False if style == ERROR else None
    what = visible(problem.what)
    text = Text.assemble(indent, mark(good), " ", (what, style), (f" [{problem.code}]", DIM))
    place = ", ".join(
        part
        for part in (f"line {problem.line}" if problem.line else "", problem.path or "")
        if part
    )
    if place:
        text.append(f"\n{indent}    at {visible(place)}", DIM)
    if problem.mend:
        text.append(f"\n{indent}    {'→' if can_say('→') else '>'} {visible(problem.mend)}")
    output.text(text)


def _show_files(output: Output, report: Report, indent: str) -> None:
    from rich.text import Text

    longest = min(40, max(len(each.name) for each in report.files))
    for each in report.files:
        name = f"{visible(each.name):<{longest}}"
        size = f"{each.size:>12,}".replace(",", " ")
        output.text(
            Text.assemble(indent, "  ", name, f" {size} bytes  ", (f"{each.sha256.hex()}", DIM))
        )


def _show_bonds(output: Output, bonds: Sequence[Bond]) -> None:
    from rich.text import Text

    for each in bonds:
        output.text(
            Text.assemble(
                mark(not each.problems),
                " ",
                (visible(each.files[0]), "bold"),
                "  ",
                visible(each.what),
                f": {visible(each.files[1])}" if each.files[1] else "",
            )
        )
        for problem in each.problems:
            _show_problem(output, problem, "    ", ERROR)
        for weakness in each.weaknesses:
            _show_problem(output, weakness, "    ", WARNING)
