"""Checking a dossier, offline and years later: nothing but the file and whom to trust is needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from connector.container.zip_reading import ContainerLimits, Window, read_structure
from connector.dossier.entries import entries_of
from connector.dossier.writing import SUMMARY
from connector.errors import Problem, unacceptable
from connector.validation.basis import Basis
from connector.validation.documents import validate_container, validate_document
from connector.validation.indications import Indication
from connector.validation.report import ValidationReport

_LIMITS: Final = ContainerLimits(folders=True, max_entries=60_000)
_LARGEST: Final = 64 * 1024 * 1024
Entries = Mapping[str, Callable[[], Iterable[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierFinding:
    """What became of one signed file of the dossier."""

    path: str
    report: ValidationReport


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierVerdict:
    """What a check found."""

    seal: ValidationReport
    """Of the dossier's own signature."""
    findings: tuple[DossierFinding, ...]
    """Of every signed file inside, at the time at which the seal proves it to have existed."""
    problems: tuple[Problem, ...]
    """Empty: the dossier is whole and sealed, and says of its files what is true."""
    summary: Mapping[str, Any]
    """`dossier.json`."""

    @property
    def whole(self) -> bool:
        """Whether the dossier can be relied on."""
        return not self.problems


def verify_dossier(path: Path, basis: Basis) -> DossierVerdict:
    """Check a dossier's seal, then every file and signature in it.

    Raises `ConnectorError` (unacceptable): `container.*` where it is no archive at all,
    `dossier.no-dossier` where it is another one.
    """
    with path.open("rb") as stream:
        window = Window(stream, 0, stream.seek(0, 2))
        entries = entries_of(window, read_structure(window, _LIMITS))
        if SUMMARY not in entries:
            raise unacceptable(
                "dossier.no-dossier",
                f"The archive has no {SUMMARY}: it is no dossier of emla.",
                mend="`emla verify` checks other containers.",
                file=path.name,
            )
        seal = validate_container(entries, basis, name=path.name)
        problems = list(_seal_problems(entries, seal))
        summary = _read_summary(entries)
        problems += _file_problems(entries, summary)
        best = [each.best_signature_time for each in seal.signatures if each.best_signature_time]
        inner = replace(basis, at=min(best)) if best else basis
        findings = tuple(_findings(entries, summary, inner))
    problems += _claims(findings, summary)
    return DossierVerdict(seal=seal, findings=findings, problems=tuple(problems), summary=summary)


def _seal_problems(entries: Entries, seal: ValidationReport) -> Iterable[Problem]:
    if not seal.signatures:
        yield _problem("dossier.not-sealed", "The dossier has no signature.")
    for each in seal.signatures:
        if not each.conclusion.passed:
            sub = each.conclusion.sub
            yield _problem(
                "dossier.seal",
                f"The seal is {each.conclusion.indication.value}"
                f"{f' ({sub.value})' if sub else ''}: {' '.join(each.conclusion.why)}",
            )
    covered = {
        name
        for each in seal.signatures
        if each.conclusion.indication is not Indication.TOTAL_FAILED
        for uri in each.covers
        for name in (uri, unquote(uri))
    }
    for name in entries:
        if not name.startswith("META-INF/") and name != "mimetype" and name not in covered:
            yield _problem("dossier.unsealed-file", "The seal does not cover this file.", name)


def _read_summary(entries: Entries) -> Mapping[str, Any]:
    try:
        found = json.loads(_whole(entries, SUMMARY))
        assert isinstance(found["messages"], list)
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise unacceptable(
            "dossier.no-dossier", f"{SUMMARY} is not what a dossier has: {error}", file=SUMMARY
        ) from error
    known: Mapping[str, Any] = found
    return known


def _file_problems(entries: Entries, summary: Mapping[str, Any]) -> Iterable[Problem]:
    """Every file that the overview lists must be there with its digest."""
    for message in summary["messages"]:
        for file in message["files"]:
            path = file["path"]
            if path not in entries:
                yield _problem("dossier.missing-file", "The file is listed, but not there.", path)
                continue
            digest = hashlib.sha256()
            for piece in entries[path]():
                digest.update(piece)
            if digest.hexdigest() != file["sha256"]:
                yield _problem(
                    "dossier.altered-file", "The file is another than the one listed.", path
                )


def _findings(
    entries: Entries, summary: Mapping[str, Any], basis: Basis
) -> Iterable[DossierFinding]:
    for path in _signed_paths(summary):
        if path in entries:
            yield DossierFinding(path=path, report=_validated(entries, path, basis))


def _validated(entries: Entries, path: str, basis: Basis) -> ValidationReport:
    if path.endswith(".asics"):
        return _container(entries, path, basis)
    return validate_document(_whole(entries, path), basis, name=path)


def _container(entries: Entries, path: str, basis: Basis) -> ValidationReport:
    """A container inside the dossier, spooled to a private file: it may be of any size."""
    from connector.container.payloads import spool

    with spool() as copy:
        size = 0
        for piece in entries[path]():
            copy.write(piece)
            size += len(piece)
        window = Window(copy, 0, size)
        return validate_container(
            entries_of(window, read_structure(window, _LIMITS)), basis, name=path
        )


def _signed_paths(summary: Mapping[str, Any]) -> Iterable[str]:
    for message in summary["messages"]:
        for each in (*message["signatures"], *message["transfers"]):
            yield each["file"]


def _claims(findings: Iterable[DossierFinding], summary: Mapping[str, Any]) -> Iterable[Problem]:
    """What the dossier says of a signature must be what is found again."""
    said = {
        each["file"]: each["indication"]
        for message in summary["messages"]
        for each in (*message["signatures"], *message["transfers"])
    }
    for each in findings:
        found = each.report.indication.value
        if said[each.path] == Indication.TOTAL_PASSED.value and found != said[each.path]:
            why = " ".join(w for s in each.report.signatures for w in s.conclusion.why)
            yield _problem(
                "dossier.signature",
                f"The dossier says that it passed, but it is {found}: {why}",
                each.path,
            )


def _whole(entries: Entries, path: str) -> bytes:
    content = bytearray()
    for piece in entries[path]():
        content += piece
        if len(content) > _LARGEST:
            raise unacceptable("dossier.too-large", f"{path} is larger than 64 MiB.", file=path)
    return bytes(content)


def _problem(code: str, what: str, path: str | None = None) -> Problem:
    return Problem(
        code=code, what=what, mend="Ask whoever made the dossier for an intact one.", file=path
    )
