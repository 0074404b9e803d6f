"""Signatures and integrity of a document of any kind: what is signed, by whom, valid or why not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from connector.container.extraction import ContainedFile
from connector.errors import ConnectorError, Problem
from connector.examination.container_files import signed_files, unlike_listed
from connector.examination.container_signatures import judge_container
from connector.examination.judgement import Basis, Judgement, Verdict, named
from connector.examination.pdf_signatures import judge_pdf
from connector.examination.recognition import Document, DocumentKind
from connector.examination.xml_signatures import SIGNATURE, judge_enveloped
from connector.xml import Element


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found out about one document."""

    name: str
    title: str
    """What it is, in words; empty if that could not be told."""
    kind: DocumentKind | None
    judgements: tuple[Judgement, ...] = ()
    files: tuple[ContainedFile, ...] = ()
    """Of a container."""
    inner: tuple[Report, ...] = ()
    """About signed files in a container."""
    problems: tuple[Problem, ...] = ()
    """Of the document itself, beside those of its signatures."""
    weaknesses: tuple[Problem, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether everything is signed, and every signature counts."""
        return (
            bool(self.judgements)
            and not self.problems
            and all(each.verdict is Verdict.VALID for each in self.judgements)
            and all(each.valid for each in self.inner)
        )

    @property
    def verdict(self) -> Verdict:
        """The worst of all that was found."""
        if self.valid:
            return Verdict.VALID
        found = [each.verdict for each in self.judgements] + [each.verdict for each in self.inner]
        if self.problems or not self.judgements or Verdict.INVALID in found:
            return Verdict.INVALID
        return Verdict.INTACT

    def as_json(self) -> dict[str, Any]:
        """Plain data; empty lists left out but that of the signatures."""
        plain: dict[str, Any] = {
            "file": self.name,
            "kind": str(self.kind or ""),
            "verdict": str(self.verdict),
            "signatures": [each.as_json() for each in self.judgements],
        }
        lists: dict[str, list[Any]] = {
            "files": [
                {"name": each.name, "size": each.size, "sha256": each.sha256.hex()}
                for each in self.files
            ],
            "inner": [each.as_json() for each in self.inner],
            "problems": [each.as_json() for each in self.problems],
            "weaknesses": [each.as_json() for each in self.weaknesses],
        }
        return plain | {name: value for name, value in lists.items() if value}


def verify(document: Document, basis: Basis) -> Report:
    """Every signature of the document, judged. Never raises for what is wrong
    with the document: that is what the report is about."""
    report = Report(name=document.name, title=document.title, kind=document.kind)
    try:
        if document.kind is DocumentKind.CONTAINER:
            return _container(document, report, basis)
        if document.kind is DocumentKind.PDF:
            judgements = judge_pdf(document.data, basis)
        elif document.root is not None:
            judgements = judge_enveloped(document.data, basis)
        else:
            judgements = ()
    except ConnectorError as error:
        return replace(report, problems=named(error.problems, document.name))
    return replace(report, judgements=judgements, problems=_missing(document, judgements))


def unrecognised(name: str, problems: tuple[Problem, ...]) -> Report:
    """About a file of which nobody can tell what it is."""
    return Report(name=name, title="", kind=None, problems=problems)


def _missing(document: Document, judgements: tuple[Judgement, ...]) -> tuple[Problem, ...]:
    count = len(judgements)
    if count == 1 or (count > 1 and document.kind is DocumentKind.PDF):
        return ()
    if count > 1:
        return (
            Problem(
                code="signature.several",
                what=f"The document has {count} signatures; the exchange takes one.",
                file=document.name,
            ),
        )
    inside = _deeper(document.root)
    return (
        Problem(
            code="signature.missing",
            what="The document is not signed"
            + (
                f"; {inside} signatures stand deeper inside it, over parts of it."
                if inside
                else "."
            ),
            mend=_HOW.get(document.kind, "Ask for the signed document."),
            file=document.name,
        ),
    )


_HOW = {
    DocumentKind.NATIONAL: "National documents need no signature of their own: the connector signs "
    "the envelope that it makes of them.",
}


def _deeper(root: Element | None) -> int:
    return 0 if root is None else sum(1 for _ in root.iter(SIGNATURE))


def _container(document: Document, report: Report, basis: Basis) -> Report:
    judged = judge_container(document.source, basis)
    files = judged.content.files
    problems = list(judged.problems)
    inner: list[Report] = []
    for inside in signed_files(document.name, files):
        found = verify(inside, basis)
        inner.append(replace(found, title=_TOKEN_PDF) if inside.kind is DocumentKind.PDF else found)
        if inside.kind is DocumentKind.ENVELOPE and inside.root is not None:
            problems += unlike_listed(inside.root, files)
    return replace(
        report,
        judgements=judged.judgements,
        files=files,
        inner=tuple(inner),
        problems=named(problems, document.name),
        weaknesses=judged.content.weaknesses,
    )


_TOKEN_PDF = "TrustOK token (PDF)"  # noqa: S105 - a kind of document
