"""A national system as its connector sees it: it puts documents into one folder and fetches what
arrives from another. Nothing else connects the two.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.delivery.folder import READY
from connector.errors import ConnectorError, unacceptable
from connector.settings import Home

_ACCEPTED: Final = "ACCEPTED.txt"
_REFUSED: Final = "PROBLEM.txt"
_MESSAGE: Final = re.compile(r"^Message (\S+)$", re.MULTILINE)
_UNSAFE: Final = re.compile(r"[^\w.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file as it was handed over."""

    name: str
    size: int
    """Bytes."""
    sha256: str
    """Lower-case hex, computed while the file was written."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that has been delivered and not yet been taken."""

    message_id: str
    folder: Path
    document: Path
    """In the national format."""
    attachments: tuple[Path, ...]


class NationalSystem:
    """The folders of one country's system."""

    def __init__(self, *, intake: Path, accepted: Path, refused: Path, delivered: Path) -> None:
        self.intake = intake
        self.accepted = accepted
        self.refused = refused
        self.delivered = delivered

    @classmethod
    def of(cls, home: Home) -> NationalSystem:
        """The system that works with the connector of that home."""
        settings = home.settings
        return cls(
            intake=home.path(settings.intake.path),
            accepted=home.path(settings.intake.accepted),
            refused=home.path(settings.intake.refused),
            delivered=home.path(settings.delivery.path),
        )

    def begin(self, name: str) -> Outgoing:
        """A document with attachments, to be put into the intake folder under `name`."""
        self.intake.mkdir(parents=True, exist_ok=True)
        return Outgoing(self.intake, entry_name(name))

    def deliveries(self) -> Iterator[Delivery]:
        """What is there to be taken."""
        if not self.delivered.is_dir():
            return
        for folder in sorted(self.delivered.iterdir()):
            ready = folder / READY
            if not folder.name.startswith(".") and ready.is_file():
                files = [p for p in folder.iterdir() if p.is_file() and p.name != READY]
                if len(files) != 1:
                    raise unacceptable(
                        "demo.delivery",
                        f"{len(files)} documents were delivered as one message.",
                        file=str(folder),
                    )
                attachments = folder / "attachments"
                yield Delivery(
                    message_id=ready.read_text("utf-8").strip(),
                    folder=folder,
                    document=files[0],
                    attachments=tuple(sorted(attachments.iterdir()))
                    if attachments.is_dir()
                    else (),
                )

    def take(self, delivery: Delivery) -> None:
        """Say that the message has been taken."""
        (delivery.folder / READY).unlink(missing_ok=True)

    def message_id(self, entry: str) -> str | None:
        """The id under which the connector has accepted `entry`; None while it has not.

        Raises `demo.refused` with the connector's reason if it was refused.
        """
        if (note := _note(self.refused, entry, _REFUSED)) is not None:
            raise _was_refused(entry, note)
        note = _note(self.accepted, entry, _ACCEPTED)
        found = _MESSAGE.search(note) if note else None
        return found[1] if found else None


class Outgoing:
    """An entry of the intake folder that is being written, hidden until it is complete."""

    def __init__(self, intake: Path, name: str) -> None:
        self.name = name
        self._hidden = intake / f".{name}"
        self._goal = intake / name
        shutil.rmtree(self._hidden, ignore_errors=True)
        self._hidden.mkdir()

    def add(self, name: str, pieces: Iterable[bytes]) -> SentFile:
        """Write a file; what it is called and what it holds."""
        digest, size = hashlib.sha256(), 0
        with (self._hidden / name).open("xb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
        return SentFile(name=name, size=size, sha256=digest.hexdigest())

    def put(self) -> None:
        """Complete: the connector may take it."""
        self._hidden.rename(self._goal)


def entry_name(name: str) -> str:
    """`name` as the name of an entry of the intake folder."""
    return _UNSAFE.sub("-", name).strip(".-")[:100] or "document"


def _note(folder: Path, entry: str, name: str) -> str | None:
    """What was written beside an entry; the folders are named `<entry>.<start of an id>`."""
    if not folder.is_dir():
        return None
    for each in folder.iterdir():
        if each.name.rpartition(".")[0] == entry and (note := each / name).is_file():
            return note.read_text("utf-8")
    return None


def _was_refused(entry: str, note: str) -> ConnectorError:
    reasons = " ".join(line.strip(" -") for line in note.splitlines()[2:] if line.strip())
    return unacceptable(
        "demo.refused", f"The connector refused the document {entry!r}: {reasons}", file=entry
    )
