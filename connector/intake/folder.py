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

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

from connector.errors import ConnectorError, Problem, transient, unacceptable
from connector.errors import Kind as ErrorKind
from connector.exchange.context import Connector
from connector.intake.acceptance import accept
from connector.intake.choosing import (
    check_name,
    files_of,
    find_document,
    is_settled,
    is_unfinished,
    shown,
    store_file,
)
from connector.intake.filing import Folders, file_away, finish_filing
from connector.intake.submission import Acceptance, Submission
from connector.store.payloads import sync_folder

__all__ = ["FolderIntake", "Folders", "find_document", "store_file"]

log = structlog.get_logger("emla.intake")

_LOCK: Final = ".lock"


class FolderIntake:
    """Takes what lies in a folder. Of several that look at one folder, one at a time works."""

    def __init__(self, connector: Connector, folders: Folders, settle: timedelta) -> None:
        """Makes the folders that are missing. Raises `intake.folder` (transient)."""
        self._connector = connector
        self._folders = folders
        self._settle = settle.total_seconds()
        with _folder_trouble(folders.intake):
            folders.make()

    def run_once(self) -> int:
        """Take and accept everything that is complete; how many were dealt with.

        Nothing that is wrong with one document keeps the others waiting. Raises `intake.folder`
        (transient) only if the folder itself cannot be used.
        """
        with _folder_trouble(self._folders.intake), self._alone() as alone:
            if not alone:
                return 0
            finish_filing(self._folders)
            left = [path for path in self._folders.taken.iterdir() if path.is_dir()]
            return sum(map(self._deal_with, sorted(left))) + sum(
                map(self._deal_with, self._complete())
            )

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        with (self._folders.taken / _LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _complete(self) -> Iterator[Path]:
        """Takes what is complete now, one after the other."""
        for entry in sorted(self._folders.intake.iterdir()):
            if (
                not is_unfinished(entry.name)
                and is_settled(entry, self._settle)
                and (taken := self._take(entry)) is not None
            ):
                yield taken

    def _take(self, entry: Path) -> Path | None:
        home = self._folders.taken / self._connector.new_id()
        try:
            home.mkdir()
            entry.rename(home / entry.name)
        except FileNotFoundError:  # taken back by whoever put it there
            home.rmdir()
            return None
        except OSError as error:
            log.warning("intake.cannot-take", file=shown(entry.name), problem=str(error))
            if home.exists():
                home.rmdir()
            return None
        for folder in (home, self._folders.taken, self._folders.intake):
            sync_folder(folder)
        return home

    def _deal_with(self, taken: Path) -> bool:
        entry = next(taken.iterdir(), None)
        if entry is None:  # killed between making the folder and the rename
            taken.rmdir()
            return False
        name = shown(entry.name)
        try:
            acceptance = self._accept(taken.name, entry)
        except ConnectorError as error:
            return self._failed(taken, entry, error)
        except Exception as error:  # a defect of ours must not stop the folder
            log.exception("intake.defect", file=name)
            problem = Problem(
                code="internal.defect",
                what=f"The connector failed on this document: {type(error).__name__}: {error}",
                mend="Report it with the log and the document.",
                file=name,
            )
            return self._failed(taken, entry, ConnectorError(ErrorKind.CONFIGURATION, problem))
        log.info("intake.accepted", message_id=acceptance.record.id, file=name)
        return self._file(taken, entry, self._folders.accepted, _accepted(acceptance))

    def _failed(self, taken: Path, entry: Path, error: ConnectorError) -> bool:
        name = shown(entry.name)
        if error.kind is ErrorKind.TRANSIENT:
            log.warning("intake.later", file=name, problem=str(error))
            return False
        log.warning("intake.refused", file=name, code=error.code, problem=str(error))
        return self._file(taken, entry, self._folders.refused, _refused(error))

    def _file(self, taken: Path, entry: Path, goal: Path, notes: Mapping[str, str]) -> bool:
        try:
            file_away(self._folders, taken, entry, goal, notes)
        except OSError as error:  # a full disk: next time
            log.warning("intake.later", file=shown(entry.name), problem=str(error))
            return False
        return True

    def _accept(self, message_id: str, entry: Path) -> Acceptance:
        connector = self._connector
        with connector.store.reading() as reading:
            known = reading.message(message_id)
        if known is not None:  # killed before it could be filed away
            return Acceptance(record=known, warnings=(), repeated=True)
        return accept(connector, self._submission(message_id, entry))

    def _submission(self, message_id: str, entry: Path) -> Submission:
        check_name(entry)
        payloads = self._connector.store.payloads
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            raise unacceptable(
                "intake.no-file",
                f"{entry.name} is neither a file nor a folder.",
                mend="Put the document itself here; links are not followed.",
                file=entry.name,
            )
        files = files_of(entry) if entry.is_dir() else [entry]
        document = find_document(self._connector, files, entry.name)
        return Submission(
            message_id=message_id,
            document=store_file(payloads, document, follow=False),
            attachments=[
                store_file(payloads, file, follow=False) for file in files if file != document
            ],
        )


@contextmanager
def _folder_trouble(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise transient(
            "intake.folder",
            f"The intake folder cannot be used: {error.strerror or error}.",
            mend="Mend the folder, its permissions or the disk.",
            file=str(error.filename or folder),
        ) from error


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
