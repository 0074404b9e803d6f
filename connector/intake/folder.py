"""The watched folder: a document, or a folder with a document and its attachments.

    intake/                 where the national system puts documents
          .taken/<uuid>/    what is being accepted; found again after a crash
    accepted/<name>.<id>/   as it was handed over, with ACCEPTED.txt
    refused/<name>.<id>/    as it was handed over, with PROBLEM.txt and problem.json

A file counts as complete once it has not changed for a while; names that begin with a dot or end
in `.part`, `.tmp` or `.crdownload` are left alone. Taking is one rename to a name with a fresh id,
made durable before anything else happens: so what is accepted under that id is never taken twice.
"""

from __future__ import annotations

import errno
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from connector.errors import ConnectorError, Problem, transient, unacceptable
from connector.errors import Kind as ErrorKind
from connector.exchange.context import Connector
from connector.exchange.ports import PayloadStore
from connector.intake.acceptance import accept
from connector.intake.submission import Acceptance, GivenFile, Submission
from connector.store.payloads import sync_folder

log = structlog.get_logger("emla.intake")

_UNFINISHED: Final = (".part", ".tmp", ".crdownload")
_CHUNK: Final = 1024 * 1024
_MAX_FILES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Folders:
    """Where documents come in, and where they go once it is known what becomes of them."""

    intake: Path
    accepted: Path
    refused: Path

    @property
    def taken(self) -> Path:
        """What is in work."""
        return self.intake / ".taken"


class FolderIntake:
    """Takes what lies in a folder. One at a time may work on a folder."""

    def __init__(self, connector: Connector, folders: Folders, settle: timedelta) -> None:
        self._connector = connector
        self._folders = folders
        self._settle = settle.total_seconds()
        for folder in (folders.taken, folders.accepted, folders.refused):
            folder.mkdir(parents=True, exist_ok=True)

    def run_once(self) -> int:
        """Take and accept everything that is complete; how many were dealt with.

        Nothing that is wrong with one document keeps the others waiting. Raises `intake.folder`
        (transient) only if the folder itself cannot be read.
        """
        dealt_with = 0
        for taken in self._taken():
            dealt_with += self._deal_with(taken)
        return dealt_with

    def _taken(self) -> Iterator[Path]:
        """What is left from before, then what is complete now."""
        try:
            yield from sorted(p for p in self._folders.taken.iterdir() if p.is_dir())
            for entry in sorted(self._folders.intake.iterdir()):
                if _is_unfinished(entry.name) or not _settled(entry, self._settle):
                    continue
                if (taken := self._take(entry)) is not None:
                    yield taken
        except OSError as error:
            raise transient(
                "intake.folder",
                f"The intake folder cannot be read: {error.strerror or error}.",
                mend="Mend the folder or its permissions.",
                file=str(self._folders.intake),
            ) from error

    def _take(self, entry: Path) -> Path | None:
        home = self._folders.taken / self._connector.new_id()
        home.mkdir()
        try:
            entry.rename(home / entry.name)
        except OSError as error:
            home.rmdir()
            if error.errno == errno.ENOENT:  # taken back by whoever put it there
                return None
            raise
        for folder in (home, self._folders.taken, self._folders.intake):
            sync_folder(folder)
        return home

    def _deal_with(self, taken: Path) -> bool:
        entries = [path for path in taken.iterdir() if path.name not in _NOTES]
        if not entries:  # killed between making the folder and the rename
            taken.rmdir()
            return False
        try:
            submission = self._submission(taken.name, entries[0])
            acceptance = accept(self._connector, submission)
        except ConnectorError as error:
            return self._failed(taken, entries[0], error)
        except Exception as error:  # a defect of ours must not stop the folder
            log.exception("intake.defect", file=entries[0].name)
            problem = Problem(
                code="internal.defect",
                what=f"The connector failed on this document: {type(error).__name__}: {error}",
                mend="Report it with the log and the document.",
                file=entries[0].name,
            )
            return self._failed(taken, entries[0], ConnectorError(ErrorKind.CONFIGURATION, problem))
        _finish(taken, self._folders.accepted, entries[0].name, _accepted(acceptance))
        log.info("intake.accepted", message_id=acceptance.record.id, file=entries[0].name)
        return True

    def _failed(self, taken: Path, entry: Path, error: ConnectorError) -> bool:
        if error.kind is ErrorKind.TRANSIENT:
            log.warning("intake.later", file=entry.name, problem=str(error))
            return False
        log.warning("intake.refused", file=entry.name, code=error.code, problem=str(error))
        _finish(taken, self._folders.refused, entry.name, _refused(error))
        return True

    def _submission(self, message_id: str, entry: Path) -> Submission:
        payloads = self._connector.store.payloads
        if entry.is_file() and not entry.is_symlink():
            return Submission(message_id=message_id, document=store_file(payloads, entry))
        if not entry.is_dir() or entry.is_symlink():
            raise unacceptable(
                "intake.no-file",
                f"{entry.name} is neither a file nor a folder.",
                mend="Put the document itself here; links are not followed.",
                file=entry.name,
            )
        files = _files_of(entry)
        document = find_document(self._connector, files, entry.name)
        return Submission(
            message_id=message_id,
            document=store_file(payloads, document),
            attachments=[store_file(payloads, file) for file in files if file != document],
        )


def find_document(connector: Connector, files: list[Path], folder: str) -> Path:
    """The one of `files` that is in a format known here; the others are its attachments.

    Raises `intake.which-document` if none is, or several are.
    """
    known = [file for file in files if _is_document(connector, file)]
    if len(known) > 1:
        known = [file for file in known if file.stem.casefold() in _DOCUMENT_NAMES] or known
    if len(known) == 1:
        return known[0]
    names = ", ".join(file.name for file in known) or "none of the files"
    raise unacceptable(
        "intake.which-document",
        f"Which file of the folder {folder!r} is the document? In a known format: {names}.",
        mend=f"Name the document {' or '.join(sorted(_DOCUMENT_NAMES))} (with any extension).",
        file=folder,
    )


_DOCUMENT_NAMES: Final = frozenset({"document", "message"})


def _is_document(connector: Connector, file: Path) -> bool:
    if file.stat().st_size > _LARGEST_DOCUMENT:
        return False
    data = file.read_bytes()
    if b"urn:emla:envelope:" in data[:4096]:
        return True
    try:
        connector.formats.identify(data, file.name)
    except ConnectorError as error:
        # Clearly of a known kind, but malformed: let the reader say what is wrong with it.
        return error.code != "translation.unknown-format" and file.stem in _DOCUMENT_NAMES
    return True


_LARGEST_DOCUMENT: Final = 64 * 1024 * 1024


def _files_of(folder: Path) -> list[Path]:
    files = sorted(p for p in folder.iterdir() if not _is_unfinished(p.name))
    for each in files:
        if not each.is_file() or each.is_symlink():
            raise unacceptable(
                "intake.no-file",
                f"{folder.name}/{each.name} is no plain file.",
                mend="Put all attachments directly into the folder; links are not followed.",
                file=f"{folder.name}/{each.name}",
            )
    if len(files) > _MAX_FILES:
        raise unacceptable(
            "intake.too-many-files",
            f"The folder {folder.name} holds {len(files)} files; {_MAX_FILES} are allowed.",
            mend="Pack them into archives.",
            file=folder.name,
        )
    return files


def store_file(payloads: PayloadStore, file: Path) -> GivenFile:
    """Copy a file of any size into the payload store."""
    writer = payloads.writer()
    try:
        with file.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                writer.write(piece)
        return GivenFile(name=file.name, payload=writer.commit_ref())
    finally:
        writer.abort()


def _is_unfinished(name: str) -> bool:
    return name.startswith(".") or name.casefold().endswith(_UNFINISHED)


def _settled(entry: Path, seconds: float) -> bool:
    newest = 0.0
    try:
        for path in (entry, *(entry.rglob("*") if entry.is_dir() else ())):
            newest = max(newest, path.lstat().st_mtime)
            if _is_unfinished(path.name):
                return False
    except FileNotFoundError:
        return False
    # A clock that was set back must not keep a file waiting for ever.
    age = time.time() - newest
    return age >= seconds or age < -seconds


_NOTES: Final = frozenset({"ACCEPTED.txt", "PROBLEM.txt", "problem.json"})


def _accepted(acceptance: Acceptance) -> dict[str, str]:
    record = acceptance.record
    lines = [
        f"Message {record.ebms_id}",
        f"to {record.recipient}",
        f"accepted {record.created_at.isoformat()}",
        f"emla status {record.id}",
        *(f"note: {warning}" for warning in acceptance.warnings),
    ]
    return {"ACCEPTED.txt": "\n".join(lines) + "\n"}


def _refused(error: ConnectorError) -> dict[str, str]:
    text = "This document was not sent. Mend it and put it into the intake folder again.\n\n"
    text += "\n".join(f"- {problem}" for problem in error.problems) + "\n"
    told = {"kind": error.kind, "problems": [problem.as_json() for problem in error.problems]}
    return {
        "PROBLEM.txt": text,
        "problem.json": json.dumps(told, ensure_ascii=False, indent=2) + "\n",
    }


def _finish(taken: Path, goal: Path, name: str, notes: dict[str, str]) -> None:
    """Move the whole into its last place; done again after a crash, it ends the same."""
    folder = goal / f"{name[:180]}.{taken.name[:8]}"
    for note, text in notes.items():
        (taken / note).write_text(text, encoding="utf-8")
    if folder.exists():  # the same first eight letters: as good as impossible
        folder = goal / f"{name[:180]}.{taken.name}"
    shutil.move(taken, folder)
    sync_folder(goal)
