"""What the national systems handed over: the side of the comparison that no connector touches."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from connector.demo.national import SentFile
from connector.errors import misconfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A document that was put into an intake folder."""

    country: str
    entry: str
    """Its name in the intake folder, unique in the country."""
    message_type: str
    format: str
    reference: str
    urgency: str
    answers: str | None = None
    """Id of the message that it answers."""
    sample: str | None = None
    """Where it is among the samples; None for what was written during the demonstration."""
    document: SentFile
    attachments: tuple[SentFile, ...] = ()
    at: datetime
    message_id: str | None = None
    """Given by the connector when it accepted the document."""

    @property
    def files(self) -> tuple[SentFile, ...]:
        """All that must arrive, byte for byte."""
        return (self.document, *self.attachments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One demonstration."""

    started: datetime
    ended: datetime
    large: str
    """Name of the largest file."""
    sent: tuple[Sent, ...]


_FILE: Final = TypeAdapter(Manifest)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """As JSON."""
    path.write_bytes(_FILE.dump_json(manifest, indent=2) + b"\n")


def read_manifest(path: Path) -> Manifest:
    """Raises `ConnectorError` (configuration) `demo.manifest` for a file that is none."""
    try:
        return _FILE.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise misconfigured(
            "demo.manifest",
            f"The list of what was sent cannot be read: {error}",
            mend="Run `emla demo` again.",
            file=str(path),
        ) from error


class Log:
    """What has been sent so far; shared by the national systems' threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: list[Sent] = []

    def add(self, sent: Sent) -> None:
        """Note it."""
        with self._lock:
            self._sent.append(sent)

    def accepted(self, sent: Sent, message_id: str) -> None:
        """Note the id that a connector gave to what was sent."""
        with self._lock:
            place = self._sent.index(sent)
            self._sent[place] = replace(sent, message_id=message_id)

    @property
    def sent(self) -> Sequence[Sent]:
        """All of it, in order."""
        with self._lock:
            return tuple(self._sent)
