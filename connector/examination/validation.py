"""Whether a document of any kind follows its rules. Whose it is, is for `verification` to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from connector.container.names import TOKEN_PDF
from connector.container.token_xml import parse_token
from connector.envelope.check import check
from connector.errors import ConnectorError, Kind, Problem
from connector.evidence.parse import parse_evidence
from connector.examination.judgement import ANYTHING, Anyone, Basis, Verdict, named
from connector.examination.recognition import Document, DocumentKind
from connector.translation.formats import Formats

if TYPE_CHECKING:
    from connector.examination.drafting import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is wrong with one document."""

    name: str
    title: str
    """What it is, in words; empty if that could not be told."""
    kind: str
    """Value of a `DocumentKind`, or empty."""
    problems: tuple[Problem, ...] = ()
    """What it is refused for."""
    warnings: tuple[Problem, ...] = ()
    checked: tuple[str, ...] = ()
    """What it was held against, in words."""

    @property
    def acceptable(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "file": self.name,
            "kind": self.kind,
            "title": self.title,
            "acceptable": self.acceptable,
            "checked": list(self.checked),
            "problems": [each.as_json() for each in self.problems],
            "warnings": [each.as_json() for each in self.warnings],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What documents are held against."""

    formats: Callable[[], Formats]
    around: Callable[[], Surroundings]
    now: datetime


def validate(document: Document, rules: Rules) -> Findings:
    """Everything that is wrong with the document. Raises only for wrong configuration."""
    findings = Findings(name=document.name, title=document.title, kind=str(document.kind))
    try:
        return _CHECKS[document.kind](document, findings, rules)
    except ConnectorError as error:
        if error.kind is not Kind.UNACCEPTABLE:
            raise
        return replace(findings, problems=named(error.problems, document.name))


def _envelope(document: Document, findings: Findings, rules: Rules) -> Findings:
    assert document.root is not None
    return replace(
        findings,
        problems=check(document.root, file=document.name),
        checked=("schema (XSD)", "rules (Schematron)"),
    )


def _token(document: Document, findings: Findings, rules: Rules) -> Findings:
    assert document.root is not None
    _, weaknesses = parse_token(document.root)
    return replace(
        findings, warnings=named(weaknesses, document.name), checked=("structure of the token",)
    )


_ECODEX: Final = "evidence.event-code-spelling"


def _evidence(document: Document, findings: Findings, rules: Rules) -> Findings:
    assert document.root is not None
    evidence, weaknesses = parse_evidence(document.root)
    spelling = ", e-CODEX spelling" if _ECODEX in {each.code for each in weaknesses} else ""
    return replace(
        findings,
        title=f"{findings.title} {evidence.type}{spelling}",
        warnings=named(weaknesses, document.name),
        checked=("ETSI TS 102 640-2",),
    )


def _pdf(document: Document, findings: Findings, rules: Rules) -> Findings:
    problem = Problem(
        code="document.no-rules",
        what="A PDF has no rules that it could be held against.",
        mend="`emla verify` says who signed it.",
        file=document.name,
    )
    return replace(findings, problems=(problem,))


def _container(document: Document, findings: Findings, rules: Rules) -> Findings:
    # Imported here, as in `_national`: an envelope or an evidence needs none of it.
    from connector.examination.container_files import signed_files, unlike_listed
    from connector.examination.container_signatures import judge_container

    basis = Basis(Anyone(), ANYTHING, rules.now)
    judged = judge_container(document.source, basis)
    problems = list(named(judged.problems, document.name))
    problems += [
        replace(problem, file=document.name)
        for judgement in judged.judgements
        if judgement.verdict is Verdict.INVALID
        for problem in judgement.problems
    ]
    warnings = list(named(judged.content.weaknesses, document.name))
    if judged.content.file(TOKEN_PDF) is None:
        what = f"The container has no {TOKEN_PDF}."
        warnings.append(Problem(code="container.no-token-pdf", what=what, file=document.name))
    for inner in signed_files(document.name, judged.content.files):
        if inner.kind is DocumentKind.PDF:
            continue
        if inner.kind is DocumentKind.ENVELOPE and inner.root is not None:
            problems += named(unlike_listed(inner.root, judged.content.files), document.name)
        found = validate(inner, rules)
        problems += found.problems
        warnings += found.warnings
    return replace(
        findings,
        problems=tuple(problems),
        warnings=tuple(warnings),
        checked=("archive", "checksums", f"{len(judged.content.files)} files", "signed digest"),
    )


def _national(document: Document, findings: Findings, rules: Rules) -> Findings:
    from connector.examination.drafting import beside, draft

    formats = rules.formats()
    chosen = formats[document.format or ""]
    checked: tuple[str, ...] = ("official schemas and rules",) if chosen.official else ()
    if not document.mapped:
        note = Problem(
            code="translation.unknown-message-type",
            what=f"The mapping {chosen.name} does not know this kind of message; it was only held "
            "against the official schemas.",
            file=document.name,
        )
        official = chosen.check_official(document.data, document.name)
        return replace(
            findings, problems=official.faults, warnings=(note, *official.hints), checked=checked
        )
    read = formats.read(document.data, chosen.name, filename=document.name)
    files = beside(document, (each.name for each in read.attachments))
    made = draft(document, formats, rules.around(), attachments=files)
    checked = (f"mapping {chosen.name}", *checked)
    if made.complete:
        checked += ("schema and rules of the envelope it becomes",)
    return replace(
        findings,
        problems=made.problems,
        warnings=(*made.warnings, *made.left_open),
        checked=checked,
    )


_CHECKS: Final[dict[DocumentKind, Callable[[Document, Findings, Rules], Findings]]] = {
    DocumentKind.ENVELOPE: _envelope,
    DocumentKind.TOKEN: _token,
    DocumentKind.EVIDENCE: _evidence,
    DocumentKind.PDF: _pdf,
    DocumentKind.CONTAINER: _container,
    DocumentKind.NATIONAL: _national,
}
