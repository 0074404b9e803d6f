"""The report for people, as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from connector.signature.certificates import name_of
from connector.signature.xades_statements import SignaturePolicy, Statements
from connector.validation.indications import Indication
from connector.validation.report import (
    Conclusion,
    SignatureReport,
    TimestampReport,
    ValidationReport,
)

_SAID = {
    Indication.TOTAL_PASSED: "counts",
    Indication.TOTAL_FAILED: "DOES NOT COUNT",
    Indication.INDETERMINATE: "cannot be decided",
}


def as_text(report: ValidationReport) -> str:
    """What was found, one statement a line."""
    return "\n".join(map(_printable, _document(report))) + "\n"


def _printable(line: str) -> str:
    """Names and notes are strangers' words: nothing in them may steer a terminal."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(line.split("\n")))


def _document(report: ValidationReport) -> Iterator[str]:
    yield f"{report.document}: {report.indication}"
    yield f"  SHA-256 {report.sha256}"
    yield f"  validated for {_time(report.time)} under the policy {report.policy!r}"
    if not report.signatures:
        yield "  The document is not signed."
    for number, signature in enumerate(report.signatures, 1):
        yield f"Signature {number} of {len(report.signatures)}"
        yield from _indented(_signature(signature))


def _signature(report: SignatureReport) -> Iterator[str]:
    signer = name_of(report.certificate) if report.certificate is not None else "an unknown signer"
    yield f"by {signer}"
    yield from _conclusion("It", report.conclusion)
    yield f"form {report.format}, level {report.level}"
    if report.signing_time is not None:
        yield f"made at {_time(report.signing_time)}, as the signer says"
    if report.best_signature_time is not None:
        yield f"existed at {_time(report.best_signature_time)}, as is proven"
    for name in report.covers:
        yield f"signs {name}"
    yield from _statements(report.statements)
    if len(report.path) > 1:
        anchor = name_of(report.path[-1])
        yield f"its certificate leads to the trusted {anchor} in {len(report.path) - 1} steps"
    for stamp in report.timestamps:
        yield from _timestamp(stamp)
    for problem in report.weaknesses:
        yield f"note: {problem}"
    for other in report.countersignatures:
        yield "countersigned"
        yield from _indented(_signature(other))


def _statements(said: Statements) -> Iterator[str]:
    for role in said.roles:
        yield f"in the role of {role}"
    for commitment in said.commitments:
        yield f"vouches: {commitment.description or commitment.identifier.rpartition('#')[2]}"
    if said.note is not None:
        yield f"note of the signer: {said.note}"
    if said.place is not None:
        place = ", ".join(part for part in (said.place.city, said.place.country) if part)
        yield f"signed in {place}"
    if isinstance(said.policy, SignaturePolicy):
        yield f"under the signature policy {said.policy.identifier}"


def _timestamp(stamp: TimestampReport) -> Iterator[str]:
    authority = (
        name_of(stamp.certificate) if stamp.certificate is not None else "an unknown authority"
    )
    when = _time(stamp.time) if stamp.time is not None else "an unknown time"
    yield f"timestamp of the {stamp.of} at {when} by {authority}"
    yield from _indented(_conclusion("It", stamp.conclusion))


def _conclusion(subject: str, conclusion: Conclusion) -> Iterator[str]:
    said = f"{subject} {_SAID[conclusion.indication]}: {conclusion.indication}"
    yield said if conclusion.sub is None else f"{said}/{conclusion.sub}"
    yield from _indented(iter(conclusion.why))


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"
