"""Files that a person names, opened within bounds."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from connector.errors import misconfigured, unacceptable
from gateway_client.model import PayloadSource

MAX_DOCUMENT: Final = 64 * 1024 * 1024
"""Bytes of a document that is read as a whole; only containers may be larger."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A payload source over a file."""

    path: Path
    size: int

    def open(self) -> BinaryIO:
        """A new stream at the first byte."""
        return self.path.open("rb")


def open_file(path: Path) -> FileSource:
    """The regular file at `path`, which is not read yet.

    Raises `ConnectorError` (configuration): `document.missing`, `document.unreadable`,
    `document.no-file` (a folder, pipe or device).
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise misconfigured(
                "document.no-file", f"It is {kind}.", mend="Name a file.", file=str(path)
            )
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise misconfigured(
            "document.missing", "There is no such file.", mend="Check the name.", file=str(path)
        ) from error
    except OSError as error:
        raise misconfigured(
            "document.unreadable",
            f"The file cannot be read: {error.strerror}.",
            mend="Check its permissions.",
            file=str(path),
        ) from error
    return FileSource(path, found.st_size)


def read_whole(source: PayloadSource, name: str, limit: int = MAX_DOCUMENT) -> bytes:
    """All bytes of a document. Raises `document.too-large`, `document.empty` (unacceptable)."""
    if source.size <= limit:
        with source.open() as stream:
            data = stream.read(limit + 1)
        if 0 < len(data) <= limit:
            return data
        if not data:
            raise unacceptable(
                "document.empty", "The file is empty.", mend="Export it again.", file=name
            )
    raise unacceptable(
        "document.too-large",
        f"The file has {source.size} bytes; a document may have {limit}.",
        mend="Send large content as an attachment. Only containers (ASiC-S) may be larger.",
        file=name,
    )
