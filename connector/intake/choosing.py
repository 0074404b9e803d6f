"""What lies in an intake folder: what is complete, and which of several files is the document."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Final

from connector.errors import ConnectorError, transient, unacceptable
from connector.exchange.context import Connector
from connector.exchange.ports import PayloadStore
from connector.intake.acceptance import LARGEST_DOCUMENT
from connector.intake.submission import GivenFile

ABANDONED_SECONDS: Final = 3600.0
"""A folder with an unfinished file that has not changed for this long is told of."""
_UNFINISHED: Final = (".part", ".tmp", ".crdownload")
_OF_THE_SYSTEM: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".directory"})
"""What file managers leave in folders by themselves."""
_NOTES: Final = frozenset({"ACCEPTED.txt", "PROBLEM.txt", "problem.json"})
_DOCUMENT_NAMES: Final = frozenset({"document", "message"})
_MAX_FILES: Final = 2_000
_CHUNK: Final = 1024 * 1024


def is_unfinished(name: str) -> bool:
    """Whether a name says that its file is still being written."""
    return name.startswith(".") or name.casefold().endswith(_UNFINISHED)


def is_settled(entry: Path, seconds: float, now: Callable[[], float] = time.time) -> bool:
    """Whether a file, or everything in a folder, has not changed for that long.

    Names count as well as content: a file that was moved here has its old time of writing.
    """
    newest, waiting = 0.0, False
    try:
        inside = entry.rglob("*") if entry.is_dir() and not entry.is_symlink() else ()
        for path in (entry, *inside):
            status = path.lstat()
            newest = max(newest, status.st_mtime, status.st_ctime)
            waiting = waiting or (is_unfinished(path.name) and not _is_of_the_system(path))
    except OSError:  # something is moving here, or will be told of when it is read
        return False
    # A clock that was set back must not keep a file waiting for ever.
    age = abs(now() - newest)
    return age >= (max(seconds, ABANDONED_SECONDS) if waiting else seconds)


def _is_of_the_system(path: Path) -> bool:
    return path.name.casefold() in _OF_THE_SYSTEM or path.name.startswith("._")


def shown(name: str) -> str:
    """A file name as it can be written anywhere, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def files_of(folder: Path) -> list[Path]:
    """The files of a folder that is handed over, by name.

    Raises `ConnectorError` (unacceptable): `intake.no-file`, `intake.unfinished`,
    `intake.own-note`, `intake.too-many-files`, `intake.file-name`.
    """
    files = sorted(path for path in folder.iterdir() if not _is_of_the_system(path))
    for each in files:
        check_name(each)
        place = f"{folder.name}/{each.name}"
        if not each.is_file() or each.is_symlink():
            raise unacceptable(
                "intake.no-file",
                f"{place} is no plain file.",
                mend="Put all attachments directly into the folder; links are not followed.",
                file=place,
            )
        if is_unfinished(each.name):
            raise unacceptable(
                "intake.unfinished",
                f"{place} has not been finished.",
                mend="Copy it again, or take it away.",
                file=place,
            )
        if each.name in _NOTES:
            raise unacceptable(
                "intake.own-note",
                f"{place} has the name of a note that the connector writes beside documents.",
                mend="Take it away, or give it another name if it is to be sent.",
                file=place,
            )
    if len(files) > _MAX_FILES:
        raise unacceptable(
            "intake.too-many-files",
            f"The folder {folder.name} holds {len(files)} files; {_MAX_FILES} are allowed.",
            mend="Pack them into archives.",
            file=folder.name,
        )
    return files


def check_name(file: Path) -> None:
    """Raises `intake.file-name` for a name whose bytes are no UTF-8."""
    if shown(file.name) != file.name:
        raise unacceptable(
            "intake.file-name",
            f"The file name {shown(file.name)} is not in UTF-8.",
            mend="Rename the file; set the system that writes it to UTF-8.",
            file=shown(file.name),
        )


def find_document(connector: Connector, files: Sequence[Path], folder: str) -> Path:
    """The one of `files` that is in a format known here; the others are its attachments.

    A single file is the document, whatever is wrong with it. Raises `intake.which-document` if
    none of several is, or more than one.
    """
    if len(files) == 1:
        return files[0]
    named = [file for file in files if file.stem.casefold() in _DOCUMENT_NAMES]
    looks = {file: _look(connector, file) for file in files}
    known = [file for file in files if looks[file] is _Looks.KNOWN]
    broken = [file for file in files if looks[file] is _Looks.BROKEN]
    # One that cannot be recognised, by its name or as it looks: its reader says best what is wrong.
    for candidates in (known, [f for f in known or named if f in named], [] if known else broken):
        if len(candidates) == 1:
            return candidates[0]
    names = ", ".join(file.name for file in known) or "none of the files"
    raise unacceptable(
        "intake.which-document",
        f"Which file of the folder {folder!r} is the document? In a known format: {names}.",
        mend=f"Name the document {' or '.join(sorted(_DOCUMENT_NAMES))} (with any extension).",
        file=folder,
    )


class _Looks(Enum):
    """What a file looks like."""

    KNOWN = auto()
    BROKEN = auto()
    """Of a kind that is known, but it cannot be read."""
    OTHER = auto()


def _look(connector: Connector, file: Path) -> _Looks:
    if file.stat().st_size > LARGEST_DOCUMENT:
        return _Looks.OTHER
    data = file.read_bytes()
    if b"urn:emla:envelope:" in data[:4096]:
        return _Looks.KNOWN
    try:
        connector.formats.identify(data, file.name)
    except ConnectorError as error:
        return _Looks.OTHER if error.code == "translation.unknown-format" else _Looks.BROKEN
    return _Looks.KNOWN


def store_file(payloads: PayloadStore, file: Path, *, follow: bool = True) -> GivenFile:
    """Copy a file of any size into the payload store.

    Raises `intake.unreadable` (unacceptable), `intake.cannot-read` and `store.*` (transient).
    """
    writer = payloads.writer()
    try:
        handle = os.open(file, os.O_RDONLY | (0 if follow else os.O_NOFOLLOW))
        with os.fdopen(handle, "rb", buffering=0) as stream:
            while piece := stream.read(_CHUNK):
                writer.write(piece)
        return GivenFile(name=file.name, payload=writer.commit_ref())
    except PermissionError as error:
        raise unacceptable(
            "intake.unreadable",
            "The connector may not read this file.",
            mend="Give the connector's user the right to read it.",
            file=file.name,
        ) from error
    except OSError as error:
        raise transient(
            "intake.cannot-read",
            f"The file cannot be read: {error.strerror or error}.",
            mend="Look at the disk; it is tried again by itself.",
            file=file.name,
        ) from error
    finally:
        writer.abort()
