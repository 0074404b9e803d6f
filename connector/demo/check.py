"""Whether everything arrived: each document, each byte of each attachment, each evidence.

What was sent is known from the manifest, whose digests were computed while the files were written
into the intake folders; what arrived is read from the folders that the connectors delivered into.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from connector.delivery.folder import READY, folder_name, safe_name
from connector.demo.manifest import Manifest, Sent
from connector.demo.national import SentFile
from connector.demo.proof import Judge, Proof, proofs
from connector.demo.watch import FAILED, Passage, Side, Snapshot, Watch
from connector.errors import ConnectorError, Problem
from connector.exchange.records import PartRole
from connector.settings import Home
from connector.translation.formats import Formats

_PROOFS: Final = (PartRole.ENVELOPE, PartRole.CONTAINER)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck:
    """A file as it was sent and as it arrived."""

    sent: SentFile
    path: Path | None
    """Where it was delivered; None if it was not."""
    size: int = 0
    sha256: str = ""
    """Of the delivered file."""

    @property
    def equal(self) -> bool:
        """Every byte."""
        return self.path is not None and self.sha256 == self.sent.sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCheck:
    """A document that was handed over, and what became of it."""

    sent: Sent
    passage: Passage | None
    document: Path | None
    """The delivered national document."""
    files: tuple[FileCheck, ...]
    proofs: tuple[Proof, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of checking everything."""

    messages: tuple[MessageCheck, ...]
    """In the order in which they were sent."""
    audit_entries: Mapping[str, int]
    """Entries of each connector's audit log whose hash chain holds."""
    others: tuple[Problem, ...]
    """What is wrong beyond single messages."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong."""
        return (*self.others, *(p for message in self.messages for p in message.problems))

    @property
    def ok(self) -> bool:
        """Nothing is missing and nothing differs."""
        return not self.problems

    @property
    def files(self) -> tuple[FileCheck, ...]:
        """Every file of every message."""
        return tuple(file for message in self.messages for file in message.files)

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """Every evidence of every message, on both sides."""
        return tuple(proof for message in self.messages for proof in message.proofs)


def check(
    manifest: Manifest,
    watch: Watch,
    formats: Formats,
    *,
    now: datetime,
    stopped: Sequence[Problem] = (),
) -> Verdict:
    """Compare what was sent with what is there.

    `stopped` says why the exchange did not come to its end, if it did not.
    """
    snapshot, homes = watch.look(), watch.homes
    judges = {
        country: Judge.of(home, watch.store(country).payloads, now)
        for country, home in homes.items()
    }
    passages = {passage.message_id: passage for passage in snapshot.passages}
    messages = tuple(
        _message(sent, passages.get(sent.message_id or ""), homes, judges, formats)
        for sent in manifest.sent
    )
    entries: dict[str, int] = {}
    broken: list[Problem] = []
    for country in homes:
        entries[country], problem = watch.store(country).verify_audit()
        if problem:
            broken.append(problem)
    others = (
        *stopped,
        *broken,
        *_unknown(manifest, snapshot),
        *_unanswered(manifest.sent),
        *_not_shown(manifest),
    )
    return Verdict(messages=messages, audit_entries=entries, others=others)


def _message(
    sent: Sent,
    passage: Passage | None,
    homes: Mapping[str, Home],
    judges: Mapping[str, Judge],
    formats: Formats,
) -> MessageCheck:
    if passage is None:
        lost = _problem(
            "demo.not-accepted", sent, "was handed over, but its connector has not accepted it."
        )
        files = tuple(FileCheck(sent=file, path=None) for file in sent.files)
        return MessageCheck(
            sent=sent, passage=None, document=None, files=files, proofs=(), problems=(lost,)
        )
    problems: list[Problem] = list(_states(sent, passage))
    found, missing = proofs(passage, judges)
    problems += missing
    problems += [p for proof in found for p in proof.problems]
    if passage.receiver is None:
        document, files = None, tuple(FileCheck(sent=file, path=None) for file in sent.files)
    else:
        home = homes[passage.receiver.country]
        delivered = home.path(home.settings.delivery.path).resolve()
        folder = delivered / folder_name(passage.message_id)
        files = tuple(_file(folder / "attachments", file) for file in sent.files)
        document = _document(folder)
        problems += _wrong_document(sent, passage.receiver, document, formats, home)
        problems += _unsent(sent, folder / "attachments")
        problems += _proofs_differ(sent, passage.receiver, folder / "proofs")
    problems += [_file_problem(sent, file) for file in files if not file.equal]
    return MessageCheck(
        sent=sent,
        passage=passage,
        document=document,
        files=files,
        proofs=tuple(found),
        problems=tuple(problems),
    )


def _states(sent: Sent, passage: Passage) -> Iterable[Problem]:
    receiver = passage.receiver
    here = passage.sender.state
    if receiver is None:
        yield _problem("demo.not-arrived", sent, f"has not arrived; at the sender it is {here}.")
    elif passage.failed or not passage.complete:
        code = "demo.failed" if passage.failed else "demo.unfinished"
        what = f"is {here} at the sender and {receiver.state} at the receiver."
        yield _problem(code, sent, what)
    for side in (passage.sender, receiver):
        if side is not None and side.state in FAILED and side.record.problem:
            told = f"was refused in {side.country}: {side.record.problem}"
            yield _problem("demo.failed", sent, told)
    if receiver is None:
        return
    for role in _PROOFS:
        pair = [[p.payload.sha256 for p in s.parts_of(role)] for s in (passage.sender, receiver)]
        if pair[0] != pair[1] or len(pair[0]) != 1:
            yield _problem("demo.part-differs", sent, f"has another {role.lower()} on each side.")


def _file(folder: Path, sent: SentFile) -> FileCheck:
    path = folder / safe_name(sent.name)
    digest = _digest(path)
    if digest is None:
        return FileCheck(sent=sent, path=None)
    return FileCheck(sent=sent, path=path, size=path.stat().st_size, sha256=digest)


def _digest(path: Path) -> str | None:
    """SHA-256 in lower-case hex; None for a file that is not there."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _file_problem(sent: Sent, file: FileCheck) -> Problem:
    if file.path is None:
        return _problem("demo.file-missing", sent, f"came without the file {file.sent.name!r}.")
    return _problem(
        "demo.file-differs",
        sent,
        f"came with another {file.sent.name!r}: sent {file.sent.size} bytes with the SHA-256 "
        f"{file.sent.sha256}, delivered {file.size} bytes with {file.sha256}.",
        file=file.path,
    )


def _document(folder: Path) -> Path | None:
    if not folder.is_dir():
        return None
    files = [path for path in folder.iterdir() if path.is_file() and path.name != READY]
    return files[0] if len(files) == 1 else None


def _wrong_document(
    sent: Sent, receiver: Side, document: Path | None, formats: Formats, home: Home
) -> Iterable[Problem]:
    if document is None:
        yield _problem("demo.document-missing", sent, "was not delivered as a national document.")
        return
    data = document.read_bytes()
    stored = {part.payload.sha256 for part in receiver.parts_of(PartRole.NATIONAL)}
    if hashlib.sha256(data).hexdigest() not in stored:
        yield _problem(
            "demo.document-differs",
            sent,
            "was delivered as a national document that the connector did not write.",
            file=document,
        )
        return
    try:
        read = formats.read(data, home.settings.delivery.format, filename=document.name)
    except ConnectorError as error:
        yield from error.problems
        return
    yield from read.problems
    if read.message != sent.message_type:
        yield _problem("demo.document-type", sent, f"was delivered as a {read.message}.")


def _proofs_differ(sent: Sent, receiver: Side, folder: Path) -> Iterable[Problem]:
    """The signed envelope and its container must have been handed over as they came."""
    for role in _PROOFS:
        for part in receiver.parts_of(role):
            path = folder / safe_name(part.name)
            if _digest(path) != part.payload.sha256:
                what = f"was not delivered with the {role.lower()} that came."
                yield _problem("demo.proof-differs", sent, what, file=path)


def _unsent(sent: Sent, folder: Path) -> Iterable[Problem]:
    names = {safe_name(file.name) for file in sent.files}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name not in names:
            yield _problem(
                "demo.file-unsent", sent, f"came with {path.name!r}, which nobody sent.", file=path
            )


def _unknown(manifest: Manifest, snapshot: Snapshot) -> Iterable[Problem]:
    known = {sent.message_id for sent in manifest.sent}
    for passage in snapshot.passages:
        if passage.message_id not in known:
            yield Problem(
                code="demo.unsent",
                what=f"{passage.sender.country} has sent {passage.message_id}, which no national "
                "system handed over.",
            )


def _unanswered(all_sent: Sequence[Sent]) -> Iterable[Problem]:
    """Each request is acknowledged and answered once, each question answered."""
    wanted = {
        "Request": ("Acknowledgement", "Response"),
        "ClarificationRequest": ("Clarification",),
    }
    for sent in all_sent:
        answers = [s.message_type for s in all_sent if s.answers and s.answers == sent.message_id]
        for kind in wanted.get(sent.message_type, ()):
            if answers.count(kind) != 1:
                what = f"has {answers.count(kind)} answers of the kind {kind}; it must be one."
                yield _problem("demo.unanswered", sent, what)


def _not_shown(manifest: Manifest) -> Iterable[Problem]:
    """What a demonstration must have in it."""
    shown = {
        "emergency": any(s.urgency == "emergency" for s in manifest.sent),
        "question": any(s.message_type == "ClarificationRequest" for s in manifest.sent),
        "large file": any(f.name == manifest.large for s in manifest.sent for f in s.files),
    }
    for what, there in shown.items():
        if not there:
            yield Problem(code="demo.not-shown", what=f"Nothing that was sent is the {what}.")


def _problem(code: str, sent: Sent, what: str, file: Path | None = None) -> Problem:
    subject = f"The {sent.message_type} {sent.reference} of {sent.country}"
    return Problem(code=code, what=f"{subject} {what}", file=str(file) if file else None)
